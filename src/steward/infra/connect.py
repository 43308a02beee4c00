"""From settings to a migrated database: the embedded server, or the one STEWARD_DATABASE_URL names."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql

from steward.infra.db import Database
from steward.infra.demonstration import hold_apart
from steward.infra.migrate import applied, migrate, pending, read_migrations
from steward.infra.postgres import APP, EmbeddedPostgres
from steward.infra.settings import Settings
from steward.kernel.errors import Infrastructure

DATABASE = "steward"
_OLDEST = 150000


def open_database(settings: Settings) -> Database:
    """Start (or reach) the server, create and migrate the database, and connect as the application's role."""
    try:
        if settings.database_url:
            return _open_server(settings.database_url, settings)
        return _open_embedded(settings)
    except psycopg.OperationalError as error:
        where = "STEWARD_DATABASE_URL" if settings.database_url else "the embedded server"
        raise Infrastructure(
            f"cannot connect: {str(error).strip()}", where=where, fix="check that it runs and the address is right"
        ) from error


def _open_embedded(settings: Settings) -> Database:
    server = EmbeddedPostgres(settings.home).start()
    _create_database(server.owner_conninfo("postgres"))
    migrate(server.owner_conninfo(DATABASE))
    hold_apart(server.owner_conninfo(DATABASE), is_demonstration=settings.demonstration is not None)
    return Database(server.app_conninfo(DATABASE))


def _create_database(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
            return
        try:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return  # another process made it in the meantime


def _open_server(url: str, settings: Settings) -> Database:
    with psycopg.connect(url, autocommit=True) as connection:
        version = connection.info.server_version
        if version < _OLDEST:
            raise Infrastructure(
                f"the server is PostgreSQL {version // 10000}",
                where="STEWARD_DATABASE_URL",
                fix="15 or newer is needed",
            )
        _ensure_app_role(connection)
    migrate(url)
    hold_apart(url, is_demonstration=settings.demonstration is not None)
    return Database(url, role=APP)


def _ensure_app_role(connection: psycopg.Connection[Any]) -> None:
    """Make sure the application's role exists and that the given user may act as it."""
    try:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (APP,)).fetchone():
            # Another process may make it in the meantime.
            with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(APP)))
        row = connection.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", (APP,)).fetchone()
        if row is None or not row[0]:
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(APP)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise Infrastructure(
            f"the user of the address may not create or take the role {APP}",
            where="STEWARD_DATABASE_URL",
            fix=f"let an administrator run: CREATE ROLE {APP} NOLOGIN; GRANT {APP} TO <that user>",
        ) from error


def database_status(settings: Settings) -> dict[str, Any]:
    """Where the database is, whether it runs, its schema's version and what is pending. Starts nothing."""
    migrations = read_migrations()
    if settings.database_url:
        kind, conninfo = "server", settings.database_url
    else:
        embedded = EmbeddedPostgres(settings.home)
        if not embedded.is_running():
            return {"kind": "embedded", "running": False, "version": None, "pending": None}
        kind, conninfo = "embedded", embedded.start().owner_conninfo(DATABASE)
    try:
        with psycopg.connect(conninfo) as connection:
            version = max(applied(connection), default=0)
            waiting = len(pending(connection, migrations))
    except psycopg.OperationalError as error:
        raise Infrastructure(f"cannot connect: {str(error).strip()}", fix="run `steward db migrate`") from error
    return {"kind": kind, "running": True, "version": version, "pending": waiting}


def stop_database(settings: Settings) -> bool:
    """Stop the embedded server; whether it ran. A server of somebody else's is left alone."""
    return False if settings.database_url else EmbeddedPostgres(settings.home).stop()
