"""Where the durable engine keeps its tables: the schema `durable` of our own database.

The database's owner makes it and brings it up to date when a worker starts; everything that runs acts as the
application's role, which may change rows there and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from steward.infra.connect import DATABASE
from steward.infra.postgres import APP, EmbeddedPostgres
from steward.infra.settings import Settings
from steward.kernel.errors import Infrastructure

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

SCHEMA = "durable"
NAME = "steward"
_VERSION_TABLE = "dbos_migrations"
_LOCK = 0x57E3A2E  # any number of our own


@dataclass(frozen=True, slots=True)
class Address:
    """How the owner and the application reach one database. `role` is what the application acts as where its login
    is another.
    """

    owner: str
    app: str
    role: str | None


def address_of(settings: Settings) -> Address:
    """The database the settings name; the embedded server is started if it does not run."""
    if settings.database_url:
        return Address(settings.database_url, settings.database_url, APP)
    server = EmbeddedPostgres(settings.home).start()
    return Address(server.owner_conninfo(DATABASE), server.app_conninfo(DATABASE), None)


def prepare(address: Address) -> bool:
    """Make the schema, or bring it to the installed engine's version; whether there was something to do. The schema's
    comment says which version made it, so that the engine need not be loaded to see that nothing is to do.
    """
    wanted = f"dbos {version('dbos')}"
    try:
        with psycopg.connect(address.owner, autocommit=True) as connection:
            row = connection.execute(
                "SELECT obj_description(to_regnamespace(%s)::oid, 'pg_namespace')", (SCHEMA,)
            ).fetchone()
            if row is not None and row[0] == wanted:
                return False
            _migrate(address.owner)
            _grant(connection, wanted)
    except psycopg.OperationalError as error:
        raise Infrastructure(f"the database: {error}", fix="`steward db status` shows where it is") from error
    return True


def _migrate(conninfo: str) -> None:
    from dbos import DBOS

    DBOS.migrate(url_of(conninfo).render_as_string(hide_password=False), schema=SCHEMA)


def _grant(connection: psycopg.Connection[tuple[object, ...]], made_by: str) -> None:
    """What the application needs: rows, but neither the tables nor the mark of their version. One process at a time:
    two that grant on the same table at once fail.
    """
    names = {"schema": sql.Identifier(SCHEMA), "app": sql.Identifier(APP), "version": sql.Identifier(_VERSION_TABLE)}
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        for statement in (
            "GRANT USAGE ON SCHEMA {schema} TO {app}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {app}",
            "REVOKE INSERT, UPDATE, DELETE ON {schema}.{version} FROM {app}",
            "COMMENT ON SCHEMA {schema} IS {made_by}",
        ):
            connection.execute(sql.SQL(statement).format(**names, made_by=sql.Literal(made_by)))


def url_of(conninfo: str) -> URL:
    """A libpq address as the engine writes addresses."""
    from sqlalchemy import URL

    parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    user, password, database = (parts.pop(name, None) for name in ("user", "password", "dbname"))
    return URL.create("postgresql+psycopg", user, password, database=database, query=parts)


def engine_of(address: Address, connections: int) -> Engine:
    """Connections of the engine's, which act as the application and take the schema as it is."""
    import sqlalchemy

    def connect() -> psycopg.Connection[tuple[object, ...]]:
        connection = psycopg.connect(address.app, connect_timeout=10, application_name="steward durable")
        connection.execute("SET idle_in_transaction_session_timeout = '60s'")
        if address.role:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(address.role)))
        connection.commit()
        return connection

    return sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=connect, pool_size=connections, max_overflow=0, pool_pre_ping=True
    )
