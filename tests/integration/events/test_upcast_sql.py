"""The SQL twin of upcasting: equal to Python on every golden and on ten thousand payloads, and free of calls."""

import json
import random
from pathlib import Path

import pytest

from steward.contracts.payloads import VERSIONS
from steward.events.core.upcast import UPCASTERS, upcast

pytestmark = pytest.mark.db

GOLDEN = Path(__file__).parents[2] / "contracts" / "golden"
RAISED = """
    SELECT i, upcast_event(t, v, d) AS data
    FROM unnest(%(types)s::text[], %(versions)s::int[], %(data)s::jsonb[]) WITH ORDINALITY AS given (t, v, d, i)
    ORDER BY i
"""
ANY = (
    None,
    True,
    False,
    0,
    -1,
    5,
    10**15,
    10**15 + 1,
    10**30,
    "",
    "x",
    "unknown",
    "ünï 🎁\n",
    [],
    ["x"],
    {},
    {"name": "x"},
)
SPECIAL = {
    "channel": ("online", "", None),
    "method": ("original", "store_credit", "other", "unknown", "Original"),
    "message": ("Where is it?", "", 'a "quoted" \\ text'),
    "messages": ([{"author": "customer", "text": "later"}],),
    "customer": ({"name": "Mara", "address": {"city": "Hamburg"}}, None),
    "person_id": ("psn_1", "ü" * 256, "ü" * 257),
    "person_digest": ("a" * 64, "A" * 64, "a" * 63, "a" * 64 + "\n", int("1" * 64)),
    "discount_minor": (1, 10**15 - 1),
    "country": ("GB",),
    "lines": ([{"sku": "A", "quantity": 1, "total_minor": 100}],),
}


def payloads(count):
    source = random.Random(7)
    names = sorted({name for name, _ in VERSIONS})
    raised = sorted({name for name, _ in UPCASTERS})
    for _ in range(count):
        name = source.choice(raised) if source.random() < 0.9 else source.choice(names)
        keys = source.sample(sorted(SPECIAL), source.randint(0, len(SPECIAL)))
        data = {key: source.choice(SPECIAL[key] if source.random() < 0.6 else ANY) for key in keys}
        yield name, source.choice((1, 1, 1, 2, 3)), {"order_id": "1", **data}


def compare(database, given):
    with database.transaction() as connection:
        rows = connection.execute(
            RAISED,
            {
                "types": [name for name, _, _ in given],
                "versions": [version for _, version, _ in given],
                "data": [json.dumps(data) for _, _, data in given],
            },
        ).fetchall()
    assert len(rows) == len(given)
    for (name, version, data), row in zip(given, rows, strict=True):
        assert row["data"] == upcast(name, version, data)[1], (name, version, data)


def test_the_goldens_are_raised_alike(database):
    envelopes = [json.loads(path.read_text(encoding="utf-8"))["envelope"] for path in sorted(GOLDEN.glob("*.json"))]
    compare(database, [(e["type"], e["schemaversion"], e["data"]) for e in envelopes])


def test_ten_thousand_payloads_are_raised_alike(database):
    given = list(payloads(10_000))
    for start in range(0, len(given), 2_500):
        compare(database, given[start : start + 2_500])


def test_the_function_becomes_part_of_the_query(database):
    with database.transaction() as connection:
        plan = connection.execute(
            "EXPLAIN VERBOSE SELECT upcast_event(type, schema_version, data) FROM event"
        ).fetchall()
    text = "\n".join(row["QUERY PLAN"] for row in plan)
    assert "CASE" in text
    assert "upcast_event" not in text
