"""Bring the schema up to date: numbered, forward-only SQL files, each applied once, in order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import LiteralString, cast

import psycopg

from steward.kernel.errors import Infrastructure

_NAME = re.compile(r"(\d{4})_(pre|post)_[a-z_0-9]+\.sql")
_LOCK = 0x57E3A2D  # any number, as long as it is always the same
_TABLE = """
    CREATE TABLE IF NOT EXISTS schema_migration (
        version integer PRIMARY KEY,
        name text NOT NULL,
        checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file; `pre` runs before the code that needs it is deployed, `post` after the code that did not."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_migrations(folder: Traversable | None = None) -> list[Migration]:
    """Every migration in order; a name or number out of line is an error."""
    root = folder or files("steward.infra") / "migrations"
    found: list[Migration] = []
    for file in sorted(root.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".sql"):
            match = _NAME.fullmatch(file.name)
            if match is None or (found and int(match[1]) <= found[-1].version):
                raise Infrastructure(f"{file.name} is not a later NNNN_pre_what.sql or NNNN_post_what.sql")
            found.append(Migration(int(match[1]), file.name, file.read_text(encoding="utf-8")))
    return found


def applied(connection: psycopg.Connection[tuple[object, ...]]) -> dict[int, tuple[str, str]]:
    """Name and checksum by version of what has been applied; empty for a database never migrated."""
    row = connection.execute("SELECT to_regclass('schema_migration') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return {}
    rows = connection.execute("SELECT version, name, checksum FROM schema_migration ORDER BY version").fetchall()
    return {cast("int", version): (str(name), str(checksum)) for version, name, checksum in rows}


def pending(connection: psycopg.Connection[tuple[object, ...]], migrations: Sequence[Migration]) -> list[Migration]:
    """What is still to be applied. A file that changed after it was applied, or is gone, raises `Infrastructure`."""
    done = applied(connection)
    by_version = {migration.version: migration for migration in migrations}
    for version, (name, checksum) in done.items():
        migration = by_version.get(version)
        if migration is None:
            raise Infrastructure(
                f"the database has {name}, which this version of Steward does not know", fix="install a newer Steward"
            )
        if migration.checksum != checksum:
            raise Infrastructure(f"{name} changed after it was applied", fix="restore the file; add a new migration")
    return [migration for migration in migrations if migration.version not in done]


def migrate(conninfo: str, migrations: Sequence[Migration] | None = None) -> int:
    """Apply what is pending, one migration a transaction, one process at a time. Returns the schema's version."""
    wanted = read_migrations() if migrations is None else list(migrations)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        if not pending(connection, wanted) and applied(connection):
            return wanted[-1].version
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        try:
            connection.execute(_TABLE)
            for migration in pending(connection, wanted):
                with connection.transaction():
                    connection.execute("SET LOCAL lock_timeout = '5s'")
                    connection.execute(cast("LiteralString", migration.text))
                    connection.execute(
                        "INSERT INTO schema_migration (version, name, checksum) VALUES (%s, %s, %s)",
                        (migration.version, migration.name, migration.checksum),
                    )
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
    return wanted[-1].version
