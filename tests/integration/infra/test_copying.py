"""What COPY takes in is what was given: text of every kind, nothing, and types that look like one another."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steward.infra.copying import Same, copy_columns, copy_rows

pytestmark = pytest.mark.db
TABLE = "CREATE TEMPORARY TABLE copied (n bigint, word text, yes boolean, at timestamptz, day date) ON COMMIT DROP"
WORDS = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), max_size=12)
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | WORDS | st.sampled_from(["\\N", "\\.", "\t", "a\\\tb", "\r\n", ""]),
        st.none() | st.booleans(),
        st.none() | st.integers(0, 3 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
        st.none() | st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    ),
    max_size=30,
)


def back(database, rows):
    with database.transaction() as connection:
        connection.execute(TABLE)
        copy_rows(connection, "COPY copied FROM STDIN", rows)
        found = connection.execute("SELECT n, word, yes, at, day FROM copied").fetchall()
        connection.execute("DROP TABLE copied")
    return [tuple(row.values()) for row in found]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_what_goes_in_is_there(database, rows):
    assert back(database, rows) == rows


def test_ones_and_truths_in_one_column_are_not_mixed_up(database):
    with database.transaction() as connection:
        connection.execute("CREATE TEMPORARY TABLE said (word text) ON COMMIT DROP")
        copy_rows(connection, "COPY said FROM STDIN", [(True,), (1,), (0,), (False,), (None,)])
        found = [row["word"] for row in connection.execute("SELECT word FROM said")]
    assert found == ["t", "1", "0", "f", None]


def test_more_rows_than_are_formatted_at_once_come_in_order(database):
    at = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    rows = [(n, f"row {n}", n % 2 == 0, at, at.date()) for n in range(12_001)]
    assert back(database, rows) == rows


def test_a_row_that_is_too_short_is_an_error(database):
    with pytest.raises(ValueError, match=r"shorter|longer"), database.transaction() as connection:
        connection.execute("CREATE TEMPORARY TABLE pair (a text, b text) ON COMMIT DROP")
        copy_rows(connection, "COPY pair FROM STDIN", [("a", "b"), ("c",)])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(word=st.none() | WORDS | st.sampled_from(["%", "%s %d %%", "\\N", "a\tb"]), words=st.lists(WORDS, max_size=5))
def test_a_column_that_says_the_same_is_there_in_every_row(database, word, words):
    with database.transaction() as connection:
        connection.execute("CREATE TEMPORARY TABLE told (a text, b text, c text) ON COMMIT DROP")
        chunks = [(Same(word), part, Same("x")) for part in (words, words[:2]) if part]
        copy_columns(connection, "COPY told FROM STDIN", chunks)
        found = [tuple(row.values()) for row in connection.execute("SELECT * FROM told")]
        connection.execute("DROP TABLE told")
    assert found == [(word, one, "x") for one in (*words, *words[:2])]
