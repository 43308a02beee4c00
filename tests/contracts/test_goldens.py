"""Every event ever shipped still reads, and hashes to what it hashed to: a stored log stays provable for ever."""

import json
from pathlib import Path

import pytest

from steward.cli.schemas import drift
from steward.contracts.event import Envelope
from steward.contracts.payloads import PAYLOADS
from steward.events.core.entry import body_digest, entry_leaf
from steward.events.service import check_payload
from steward.kernel.instants import parse_instant

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_event_reads_and_hashes_as_it_did(path):
    golden = json.loads(path.read_text(encoding="utf-8"))
    envelope = Envelope.model_validate(golden["envelope"])
    check_payload(envelope)
    digest = body_digest(envelope)
    assert digest.hex() == golden["body_digest"]
    leaf = entry_leaf(envelope, digest, golden["position"], parse_instant(golden["recorded_at"]))
    assert leaf.hex() == golden["leaf_hash"]
    assert envelope.model_dump(mode="json") == golden["envelope"]


def test_every_event_type_has_a_golden():
    assert {path.stem.split(".")[0] for path in FILES} == set(PAYLOADS)


def test_schemas_have_not_drifted():
    assert drift(Path(__file__).parents[2] / "schemas") == [], "run make schemas"
