"""Mappings as data: the guide's example works as printed, and what is wrong is named with its place."""

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from steward.ingest.core.webhooks import (
    Ignored,
    RawDelivery,
    Unreadable,
    Verified,
    apply_mapping,
    compile_mapping,
    parse_document,
    verify,
)
from steward.kernel.errors import BadInput

GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "connect-your-own-platform.md").read_text(encoding="utf-8")
BODY, EXPECTED = (block.encode() for block in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL))
MAPPING = yaml.safe_load(re.search(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)[1])


def without(document, *path):
    copied = json.loads(json.dumps(document))
    place = copied
    for key in path[:-1]:
        place = place[key]
    place.pop(path[-1])
    return copied


def with_value(document, value, *path):
    copied = json.loads(json.dumps(document))
    place = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copied


def test_the_guides_example_works_as_printed():
    found = apply_mapping(compile_mapping(MAPPING, "lantern"), parse_document(BODY))
    assert [envelope.model_dump(mode="json", exclude_none=True) for envelope in found] == [json.loads(EXPECTED)]


def test_the_guides_signature_is_checked():
    scheme = compile_mapping(MAPPING, "lantern").scheme
    now = datetime(2026, 1, 9, 19, 42, 10, tzinfo=UTC)
    stamp = str(int(now.timestamp()))
    made = hmac.new(b"hush", stamp.encode() + b"." + BODY, hashlib.sha256).hexdigest()
    headers = {"x-lantern-signature": f"sha256={made}", "x-lantern-time": stamp}
    assert isinstance(verify(scheme, RawDelivery("POST", "/", headers, BODY), ["hush"], now), Verified)
    assert verify(scheme, RawDelivery("POST", "/", headers, BODY + b" "), ["hush"], now).code == "wrong_signature"


def test_every_key_of_the_guide_is_known_and_every_known_key_is_in_the_guide():
    from steward.ingest.core.webhooks.declarative import _KINDS, _RULE_KEYS

    tables = GUIDE.split("## The keys")[1]
    assert {kind for kind in _KINDS if f"| `{kind}` |" not in tables} == set()
    assert {key for key in _RULE_KEYS if f"`{key}`" not in tables} == set()


def test_a_rule_that_speaks_of_something_else_is_passed_over():
    compiled = compile_mapping(MAPPING, "lantern")
    assert apply_mapping(compiled, {"topic": "order.seen"}) == Ignored("no rule of the mapping speaks of it")
    typed = compile_mapping(with_value(MAPPING, {"$.paid": True}, "rules", 0, "when"), "lantern")
    assert isinstance(apply_mapping(typed, {"paid": 1}), Ignored), "1 is not true"


@pytest.mark.parametrize(
    ("value", "path", "where"),
    [
        ("84.155", ("order", "total"), "$.order.total"),
        (None, ("order", "total"), "$.order.total"),
        ("euro", ("order", "currency"), "$.order.currency"),
        ("2026-01-09T20:42:07", ("order", "placed"), "$.order.placed"),
        (True, ("order", "items", 0, "pieces"), "$.pieces"),
        ([{}], ("order", "items"), "$.code"),
        (["a"], ("order", "items"), "$.code"),
        ("x" * 300, ("order", "number"), "$.order.number"),
    ],
)
def test_a_delivery_that_does_not_fit_names_the_path(value, path, where):
    document = with_value(json.loads(BODY, parse_float=str), value, *path)
    found = apply_mapping(compile_mapping(MAPPING, "lantern"), document)
    assert isinstance(found, Unreadable)
    assert found.path == where


@pytest.mark.parametrize(
    ("changed", "where", "what"),
    [
        ([], "lantern", "is no object"),
        (without(MAPPING, "rules"), "lantern", "no list"),
        (without(MAPPING, "source"), "lantern.source", "is no text"),
        (with_value(MAPPING, "x", "extra"), "lantern", "unknown keys extra"),
        (with_value(MAPPING, "plain", "signature"), "lantern.signature", "is no object"),
        (with_value(MAPPING, "octal", "signature", "encoding"), "lantern.signature", "octal"),
        (without(MAPPING, "signature", "time_header"), "lantern.signature.template", "sign"),
        (with_value(MAPPING, "OrderSeen", "rules", 0, "event"), "lantern.rules[0].event", "no event of the catalog"),
        (with_value(MAPPING, 7, "rules", 0, "version"), "lantern.rules[0].version", "no version 7"),
        (with_value(MAPPING, "order", "rules", 0, "id"), "lantern.rules[0].id", "the same id"),
        (with_value(MAPPING, "order:{$.a", "rules", 0, "id"), "lantern.rules[0].id", "not closed"),
        (with_value(MAPPING, "$.a[", "rules", 0, "time"), "lantern.rules[0].time", "no JSONPath"),
        (with_value(MAPPING, {}, "rules", 0, "data"), "lantern.rules[0].data", "no object of fields"),
        (
            with_value(MAPPING, {"path": "$.a", "as": "money"}, "rules", 0, "data", "x"),
            "lantern.rules[0].data.x",
            "as: money",
        ),
        (
            with_value(MAPPING, {"path": "$.a", "as": "minor"}, "rules", 0, "data", "x"),
            "lantern.rules[0].data.x",
            "needs `currency`",
        ),
        (
            with_value(MAPPING, {"path": "$.a", "as": "minor", "currency": "euro"}, "rules", 0, "data", "x"),
            "lantern.rules[0].data.x.currency",
            "no currency",
        ),
        (
            with_value(MAPPING, {"path": "$.a", "each": {"b": {"path": "$["}}}, "rules", 0, "data", "x"),
            "lantern.rules[0].data.x.each.b",
            "no JSONPath",
        ),
        (with_value(MAPPING, {"$.[": 1}, "rules", 0, "when"), "lantern.rules[0].when", "no JSONPath"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_with_its_place(changed, where, what):
    with pytest.raises(BadInput) as refused:
        compile_mapping(changed, "lantern")
    assert (refused.value.where, what in refused.value.what) == (where, True), refused.value


def test_the_current_version_is_meant_where_none_is_named():
    compiled = compile_mapping(without(MAPPING, "rules", 0, "version"), "lantern")
    assert compiled.rules[0].version == 2
