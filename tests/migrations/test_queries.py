"""Every named query is valid SQL on the migrated schema, as the application's role."""

import re
from pathlib import Path

import pytest

from steward.infra.sql import load

SRC = Path(__file__).parents[2] / "src" / "steward"
FILES = sorted(
    (path.parent.name, path.name)
    for kind in ("queries", "facts", "effects", "invoices")
    for path in SRC.glob(f"*/{kind}.sql")
)
QUERIES = [(package, file, name) for package, file in FILES for name in load(f"steward.{package}", file).names()]


@pytest.mark.db
@pytest.mark.parametrize(("package", "file", "name"), QUERIES)
def test_a_query_prepares(database, package, file, name):
    text = load(f"steward.{package}", file)[name]
    if re.search(r"^(COPY|TRUNCATE) ", text, re.MULTILINE):
        pytest.skip("COPY and TRUNCATE cannot be prepared; other tests run them")
    numbers: dict[str, int] = {}

    def numbered(match):
        return f"${numbers.setdefault(match[1], len(numbers) + 1)}"

    with database.transaction() as connection:
        connection.execute("PREPARE q AS " + re.sub(r"%\((\w+)\)s", numbered, text).replace("%%", "%"))
        connection.execute("DEALLOCATE q")
