"""The log's tree beside an independent implementation of RFC 9162 (pymerkle, GPL: an oracle for tests only)."""

import json

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pymerkle import InmemoryTree, verify_consistency, verify_inclusion

from steward.contracts.event import Envelope
from steward.events import EventLog
from steward.infra.clock import SystemClock
from steward.kernel.instants import format_instant

pytestmark = pytest.mark.db


def entry(row):
    """The bytes a leaf is made of, written down again from the row's columns: canonical JSON, keys in order."""
    document = {
        "body": bytes(row["body_digest"]).hex(),
        "causationid": row["causation_id"],
        "correlationid": row["correlation_id"],
        "id": row["event_id"],
        "position": row["position"],
        "recorded_at": format_instant(row["recorded_at"]),
        "schemaversion": row["schema_version"],
        "source": row["source"],
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.fixture
def log(fresh, tmp_path, make):
    made = EventLog(fresh.app, SystemClock(), tmp_path / "checkpoints.jsonl")
    for start in range(0, 600, 150):
        made.append([make.order(str(n)) for n in range(start, start + 150)])
    return made


@pytest.fixture(scope="module")
def make():
    class Make:
        def order(self, number):
            return Envelope(
                id=f"order:{number}",
                source="shop/é",
                type="OrderPlaced",
                subject=f"order/{number}",
                time="2026-01-02T03:04:05Z",
                data={"order_id": number, "currency": "GBP", "total_minor": 1},
            )

    return Make()


def test_roots_inclusion_and_consistency_are_those_of_another_implementation(fresh, log):
    with psycopg.connect(make_conninfo(fresh.owner), row_factory=psycopg.rows.dict_row) as connection:
        rows = connection.execute("SELECT * FROM event ORDER BY position").fetchall()
    tree = InmemoryTree(algorithm="sha256")
    for row in rows:
        tree.append_entry(entry(row))
    assert tree.get_root(600).hex() == log.head()["root"]
    for position in (1, 2, 255, 256, 257, 511, 512, 513, 599, 600):
        theirs, ours = tree.prove_inclusion(position, 600), log.proof(position)
        verify_inclusion(tree.get_leaf(position), bytes.fromhex(ours["root"]), theirs)
        leaf = tree.get_leaf(position).hex()
        assert ours["leaf"] == leaf
        assert sorted([leaf, *ours["proof"]]) == sorted(theirs.serialize()["path"])
    for first in (1, 2, 255, 256, 300, 512, 599):
        assert log.proof(1, first)["root"] == tree.get_root(first).hex()
        theirs = tree.prove_consistency(first, 600)
        verify_consistency(tree.get_root(first), bytes.fromhex(log.head()["root"]), theirs)
