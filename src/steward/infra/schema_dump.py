"""The whole schema as text, the same on every supported PostgreSQL: what all migrations together make.

`python -m steward.infra.schema_dump` rewrites infra/schema.sql from a freshly migrated database; a test compares.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg

SCHEMA_FILE = Path(__file__).with_name("schema.sql")

_TABLES: LiteralString = """
    SELECT c.oid::regclass::text AS name,
           (SELECT string_agg(format('    %I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
                CASE WHEN a.attidentity <> '' THEN ' GENERATED ALWAYS AS IDENTITY'
                     WHEN d.adbin IS NOT NULL THEN ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) ELSE '' END),
                E',\n' ORDER BY a.attnum)
            FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
    FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1
"""
_CONSTRAINTS: LiteralString = """
    SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s;', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conrelid <> 0 ORDER BY 1
"""
_INDEXES: LiteralString = """
    SELECT pg_get_indexdef(indexrelid) || ';' FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid) ORDER BY 1
"""
_FUNCTIONS: LiteralString = """
    SELECT pg_get_functiondef(oid) || ';' FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1
"""
_TRIGGERS: LiteralString = """
    SELECT pg_get_triggerdef(t.oid) || ';' FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace ORDER BY 1
"""
_TABLE_GRANTS: LiteralString = """
    SELECT format('GRANT %s ON %I TO steward_app;', string_agg(privilege_type, ', ' ORDER BY privilege_type),
                  table_name)
    FROM information_schema.role_table_grants WHERE grantee = 'steward_app' AND table_schema = 'public'
    GROUP BY table_name ORDER BY 1
"""
_FUNCTION_GRANTS: LiteralString = """
    SELECT format('GRANT EXECUTE ON FUNCTION %s TO steward_app;', p.oid::regprocedure)
    FROM pg_proc p, aclexplode(p.proacl) a
    WHERE p.pronamespace = 'public'::regnamespace AND a.grantee = 'steward_app'::regrole ORDER BY 1
"""


def dump(connection: psycopg.Connection[Any]) -> str:
    """Tables, constraints, indexes, functions, triggers and grants, sorted."""
    return "\n".join(_lines(connection)) + "\n"


def _lines(connection: psycopg.Connection[Any]) -> Iterator[str]:
    yield "-- All migrations together. Written by `python -m steward.infra.schema_dump`; never edited."
    for name, columns in connection.execute(_TABLES):
        if name != "schema_migration":
            yield f"\nCREATE TABLE {name} (\n{columns}\n);"
    for query in (_CONSTRAINTS, _INDEXES, _FUNCTIONS, _TRIGGERS, _TABLE_GRANTS, _FUNCTION_GRANTS):
        yield ""
        for (line,) in connection.execute(query):
            if "schema_migration" not in line:
                yield line.rstrip()


def main() -> None:
    """Migrate an empty embedded database and write, or with --check compare, schema.sql."""
    from steward.infra.migrate import migrate
    from steward.infra.postgres import EmbeddedPostgres

    with tempfile.TemporaryDirectory(prefix="steward-schema-") as folder:
        embedded = EmbeddedPostgres(Path(folder), {"fsync": "off"})
        try:
            conninfo = embedded.start().owner_conninfo("postgres")
            migrate(conninfo)
            with psycopg.connect(conninfo) as connection:
                text = dump(connection)
        finally:
            embedded.stop()
    if "--check" in sys.argv[1:]:
        sys.exit(None if SCHEMA_FILE.read_text(encoding="utf-8") == text else "infra/schema.sql has drifted")
    SCHEMA_FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
