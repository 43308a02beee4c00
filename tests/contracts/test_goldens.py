"""Every event ever shipped still reads, and hashes to what it hashed to: a stored log stays provable for ever."""

import json
from pathlib import Path

import pytest

from steward.catalog import load_catalog
from steward.cli.reference import asyncapi, events_page
from steward.cli.schemas import drift
from steward.contracts.base import Contract, OpenContract
from steward.contracts.event import Envelope
from steward.contracts.payloads import AREAS, CURRENT, PAYLOADS, VERSIONS
from steward.events.core.entry import body_digest, entry_leaf
from steward.events.core.structs import payload_decoder
from steward.events.core.upcast import upcast
from steward.kernel.instants import parse_instant

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*.json"))
CATALOG = load_catalog()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_event_reads_and_hashes_as_it_did(path):
    golden = json.loads(path.read_text(encoding="utf-8"))
    envelope = Envelope.model_validate(golden["envelope"])
    assert path.stem == f"{envelope.type}.v{envelope.schemaversion}"
    VERSIONS[envelope.type, envelope.schemaversion].model_validate_json(json.dumps(envelope.data))
    payload_decoder(VERSIONS[envelope.type, envelope.schemaversion]).decode(json.dumps(envelope.data).encode())
    digest = body_digest(envelope)
    assert digest.hex() == golden["body_digest"]
    leaf = entry_leaf(envelope, digest, golden["position"], parse_instant(golden["recorded_at"]))
    assert leaf.hex() == golden["leaf_hash"]
    assert envelope.model_dump(mode="json") == golden["envelope"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_event_reads_as_the_current_version(path):
    envelope = json.loads(path.read_text(encoding="utf-8"))["envelope"]
    version, data = upcast(envelope["type"], envelope["schemaversion"], envelope["data"])
    assert version == CURRENT[envelope["type"]]
    PAYLOADS[envelope["type"]].model_validate_json(json.dumps(data))


def test_every_version_of_every_event_type_has_a_golden():
    assert {path.stem for path in FILES} == {f"{name}.v{version}" for name, version in VERSIONS}


def test_versions_are_counted_without_gaps_up_to_the_current_one():
    for name, model in PAYLOADS.items():
        assert sorted(v for n, v in VERSIONS if n == name) == list(range(1, CURRENT[name] + 1))
        assert VERSIONS[name, CURRENT[name]] is model


def test_facts_from_outside_keep_unknown_keys_and_our_own_have_none():
    for spec in CATALOG.events:
        base = Contract if spec.origin == "own" else OpenContract
        assert all(issubclass(m, base) for (name, _), m in VERSIONS.items() if name == spec.type), spec.type


def test_an_area_is_one_file_of_the_catalog():
    folder = Path(__file__).parents[2] / "src/steward/catalog/events"
    for area, models in AREAS.items():
        text = (folder / f"{area}.yaml").read_text(encoding="utf-8")
        assert [line.split(",")[0] for line in text.splitlines()] == [f"- {{type: {m.__name__}" for m in models]


def test_what_was_taken_out_as_personal_leaves_its_mark():
    for spec in CATALOG.events:
        if spec.personal:
            assert {"person_id", "person_digest"} <= set(PAYLOADS[spec.type].model_fields), spec.type


def test_every_payload_says_what_it_means():
    for model in VERSIONS.values():
        assert model.__doc__, model.__name__
        assert model.__doc__.strip().endswith("."), model.__name__


def _references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)


def test_the_asyncapi_document_names_every_version_and_every_reference_resolves():
    document = asyncapi(CATALOG)
    assert set(document["components"]["messages"]) == {f"{name}.v{version}" for name, version in VERSIONS}
    sent = [ref["$ref"] for operation in document["operations"].values() for ref in operation["messages"]]
    assert len(sent) == len(set(sent)) == len(VERSIONS)
    for reference in set(_references(document)):
        found = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def test_the_page_of_events_has_a_row_for_every_type():
    page = events_page(CATALOG)
    assert [name for name in PAYLOADS if f"| `{name}` | {CURRENT[name]} |" not in page] == []


def test_generated_files_have_not_drifted():
    assert drift(Path(__file__).parents[2] / "schemas") == [], "run make schemas"
