"""The decoder in C against the contracts it was compiled from: it lets nothing through that they refuse, raises at
nothing, and prepares what the plain way prepares.
"""

import json
import types
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from steward.contracts.event import Envelope
from steward.contracts.payloads import VERSIONS
from steward.events import Decoder, EventLog, Request
from steward.events.core.entry import entry_leaf, event_key, leaf_of, prepare
from steward.infra.clock import FrozenClock
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant

DECODER = Decoder(VERSIONS)
KINDS = sorted(VERSIONS)
AT = "2026-01-01T00:00:00Z"
GOOD = {"id": "a", "source": "s", "type": "StockOut", "subject": "sku/1", "time": AT, "data": {"sku": "M"}}

# Values


def text(least=0, most=30):
    """Any text PostgreSQL can hold: no NUL and no half of a surrogate pair."""
    letters = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
    return st.text(
        st.one_of(st.sampled_from('ab"\\/\x1f\x7f \u00fc\u2028\U0001f600'), letters), min_size=least, max_size=most
    )


NAMES = st.text(
    st.one_of(st.sampled_from("abc/:-"), st.characters(exclude_categories=["Cs", "Cc"])), min_size=1, max_size=20
)
KEYS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
INSTANTS = st.datetimes(
    datetime(1, 1, 3),  # noqa: DTZ001 - Hypothesis puts the zone in
    datetime(9999, 12, 28),  # noqa: DTZ001 - same
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))]),
)
PATTERNS = {
    r"^[A-Z]{3}$": st.text("ABCXYZ", min_size=3, max_size=3),
    r"^[0-9a-f]{64}$": st.text("0123456789abcdef", min_size=64, max_size=64),
    r"^-?\d{1,40}(\.\d{1,40}|/\d{1,40})?$": st.from_regex(r"-?[0-9]{1,6}(\.[0-9]{1,6}|/[0-9]{1,6})?", fullmatch=True),
}


def flat(constraints):
    for item in constraints:
        if isinstance(item, FieldInfo):
            yield from flat(item.metadata)
        elif isinstance(item, annotated_types.GroupedMetadata):
            yield from flat(item)
        else:
            yield item


def values(kind, constraints=()):
    """JSON values that fit an annotation."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return values(arguments[0], [*arguments[1:], *constraints])
    if origin in {Union, types.UnionType}:
        return st.one_of(*(values(each, constraints) for each in arguments))
    if origin in {tuple, list}:
        return st.lists(values(arguments[0]), max_size=3)
    if origin is dict or kind is dict:
        return st.dictionaries(KEYS, JSON, max_size=3)
    if origin is Literal:
        return st.sampled_from(arguments)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return payloads(kind)
    return _scalars(kind, list(flat(constraints)))


def _scalars(kind, constraints):
    bound = {type(each).__name__: each for each in constraints}
    if kind is types.NoneType:
        return st.none()
    if kind is bool:
        return st.booleans()
    if kind is int:
        low = bound["Ge"].ge if "Ge" in bound else -(2**63)
        high = bound["Le"].le if "Le" in bound else 2**63 - 1
        return st.one_of(st.integers(low, high), st.sampled_from([low, high]))
    if kind is str:
        pattern = next((each.pattern for each in constraints if getattr(each, "pattern", None)), None)
        if pattern:
            return PATTERNS[pattern]
        least = bound["MinLen"].min_length if "MinLen" in bound else 0
        most = bound["MaxLen"].max_length if "MaxLen" in bound else 30
        return st.one_of(text(least, min(most, 30)), *([st.just("\u00fc" * most)] if most <= 256 else []))
    if kind is datetime:
        return INSTANTS.map(lambda at: at.isoformat())
    if kind is Any:
        return JSON
    raise AssertionError(f"no values for {kind}")


@cache
def payloads(model):
    fields = model.model_fields.items()
    made = {name: values(field.annotation, field.metadata) for name, field in fields}
    return st.fixed_dictionaries(
        {name: made[name] for name, field in fields if field.is_required()},
        optional={name: made[name] for name, field in fields if not field.is_required()},
    )


NO_NUMBERS = [None, True, False, 1.5, 1.0, 1e300]
NUMBERS = [0, -1, 1, 2**53, 2**63, 2**64, -(2**70), 10**15, 10**15 + 1]
NAMELESS = ["", " ", "0", "1", "x" * 257, "\u00fc" * 2000, "\u00fc" * 2001, "\x00", "a\x00b"]
NO_CODES = ["gbp", "GBPX", "G\u0411P", "\u0661\u0662", "1/2/3", "0.", "-", "1e5", "f" * 64, "F" * 64, "f" * 63]
NESTED = [[], {}, [[]], [{}], {"": {}}]
TIMES = [
    AT,
    "2026-01-01",
    "2026-01-01T00:00:00",
    "2026-01-01 00:00:00z",
    "2026-01-01T25:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-01T00:00:00.123456Z",
    "2026-01-01T00:00:60Z",
    "2026-01-01T00:00:00+24:00",
    "1700000000",
]
JUNK = st.one_of(st.sampled_from([*NO_NUMBERS, *NUMBERS, *NAMELESS, *NO_CODES, *NESTED, *TIMES]), JSON)


def places(value, path=()):
    """Every place inside a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def put(value, path, junk):
    """The value with another one at a place."""
    if not path:
        return junk
    head, *rest = path
    if isinstance(value, dict):
        return {**value, head: put(value[head], rest, junk)}
    return [put(item, rest, junk) if index == head else item for index, item in enumerate(value)]


@st.composite
def slightly_broken(draw, model):
    """A fitting payload with one thing changed: a key gone, a key more, or another value somewhere."""
    data = draw(payloads(model))
    change = draw(st.sampled_from(["drop", "add", "replace", "replace", "replace"]))
    if change == "drop" and data:
        gone = draw(st.sampled_from(sorted(data)))
        return {key: value for key, value in data.items() if key != gone}
    if change == "add":
        name = draw(st.one_of(st.sampled_from(sorted(model.model_fields)), KEYS))
        return {**data, name: draw(JUNK)}
    return put(data, draw(st.sampled_from(list(places(data)))), draw(JUNK))


def document(data, kind=("StockOut", 1), **more):
    return {**GOOD, "type": kind[0], "schemaversion": kind[1], "data": data, **more}


def encoded(value, *, ascii_only=False):
    return json.dumps(value, ensure_ascii=ascii_only).encode()


# What the decoder accepts, the contracts accept


@st.composite
def fitting(draw):
    kind = draw(st.sampled_from(KINDS))
    return kind, draw(payloads(VERSIONS[kind]))


@st.composite
def broken(draw):
    kind = draw(st.sampled_from(KINDS))
    return kind, draw(slightly_broken(VERSIONS[kind]))


def assert_agrees(kind, data, body):
    """One direction of the law; returns whether the event was taken."""
    decoded = DECODER.single(body)
    assert len(decoded.events) + len(decoded.rejected) == 1
    if decoded.rejected:
        refused = decoded.rejected[0]
        assert refused.index == 0
        assert refused.path.startswith("$")
        assert refused.code
        assert refused.detail
        return False
    (_, event) = decoded.events[0]
    VERSIONS[kind].model_validate_json(encoded(data), strict=True)
    assert event == prepare(Envelope.model_validate_json(body))
    return True


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[0]}-{kind[1]}")
@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_payload_that_fits_its_contract_is_taken(kind, data):
    payload = data.draw(payloads(VERSIONS[kind]))
    VERSIONS[kind].model_validate_json(encoded(payload), strict=True)
    assert assert_agrees(kind, payload, encoded(document(payload, kind)))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[0]}-{kind[1]}")
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_the_decoder_lets_through_its_contract_lets_through(kind, data):
    payload = data.draw(slightly_broken(VERSIONS[kind]))
    assert_agrees(kind, payload, encoded(document(payload, kind)))


@settings(max_examples=150)
@given(
    event_id=NAMES,
    source=NAMES,
    subject=NAMES,
    at=INSTANTS,
    correlation=st.none() | NAMES,
    causation=st.none() | NAMES,
    ascii_only=st.booleans(),
    indent=st.none() | st.integers(0, 3),
)
def test_an_envelope_is_prepared_as_the_plain_way_prepares_it(
    event_id, source, subject, at, correlation, causation, ascii_only, indent
):
    whole = document({"sku": "M", "note": "\u00fc"}, id=event_id, source=source, subject=subject)
    whole |= {"time": at.isoformat(), "correlationid": correlation, "causationid": causation}
    body = json.dumps(whole, ensure_ascii=ascii_only, indent=indent).encode()
    decoded = DECODER.single(body)
    assert decoded.rejected == []
    event = decoded.events[0][1]
    assert event == prepare(Envelope.model_validate_json(body))
    assert (event.id, event.source, event.subject, event.time) == (event_id, source, subject, at)
    assert event.key == event_key(source, event_id)
    assert event.time.tzinfo is UTC


@settings(max_examples=150)
@given(
    field=st.sampled_from([*GOOD, "schemaversion", "expectedversion", "specversion", "datacontenttype", "more"]),
    junk=JUNK,
)
def test_what_the_decoder_lets_through_in_an_envelope_the_contract_lets_through(field, junk):
    whole = {**GOOD, field: junk}
    decoded = DECODER.single(encoded(whole))
    if decoded.events:
        kept = {key: value for key, value in whole.items() if key in Envelope.model_fields}
        assert decoded.events[0][1] == prepare(
            Envelope.model_validate_json(encoded(kept)), whole.get("expectedversion")
        )


@pytest.mark.parametrize("missing", ["id", "source", "type", "subject", "time", "data"])
def test_every_attribute_is_required(missing):
    decoded = DECODER.single(encoded({key: value for key, value in GOOD.items() if key != missing}))
    assert decoded.events == []
    assert missing in decoded.rejected[0].detail


# Nothing raises


@settings(max_examples=200)
@given(
    st.one_of(
        st.binary(max_size=60),
        text().map(str.encode),
        JSON.map(encoded),
        st.text('[]{}",:\\u0 -1e.', max_size=30).map(str.encode),
    )
)
def test_no_bytes_raise(body):
    decoded = DECODER.single(body)
    assert len(decoded.events) + len(decoded.rejected) == 1
    try:
        many = DECODER.batch(body)
    except BadInput:
        assert body.strip() != b"[]"
    else:
        assert many.events == []
        assert [item.index for item in many.rejected] == list(range(len(many.rejected)))


@settings(max_examples=200)
@given(
    broken(),
    st.integers(0, 300),
    st.sampled_from([b"", b"\xff", b"\x00", b'"', b"{", b"\\", b"\\ud800", b"1e999", b"[["]),
    st.booleans(),
)
def test_no_bytes_cut_out_of_or_put_into_an_event_raise(made, at, inserted, cut):
    kind, data = made
    body = encoded(document(data, kind))
    at = min(at, len(body))
    body = body[:at] + inserted + body[at + cut :]
    decoded = DECODER.single(body)
    assert len(decoded.events) + len(decoded.rejected) == 1
    try:
        many = DECODER.batch(b"[" + body + b"]")
    except BadInput:
        assert decoded.rejected
    else:
        assert [event for _, event in many.events] == [event for _, event in decoded.events]


# One bad event does not spoil the others


BAD = st.one_of(
    st.sampled_from([1, None, "x", [], {}, {**GOOD, "id": ""}, {**GOOD, "data": {}}, {**GOOD, "type": "Imagined"}])
    | st.sampled_from(
        [{**GOOD, "time": "today"}, {**GOOD, "more": 1}, {**GOOD, "schemaversion": 99}, {**GOOD, "data": []}]
    )
    | st.sampled_from(
        [{**GOOD, "data": {"sku": "M", "x": 1.5}}, {**GOOD, "data": {"sku": "M", "x": "\x00"}}, {**GOOD, "id": "a\n"}]
    )
)


@settings(max_examples=100)
@given(st.lists(st.one_of(fitting().map(lambda made: (True, made)), BAD.map(lambda bad: (False, bad))), max_size=8))
def test_in_a_batch_every_good_event_is_decoded_and_every_bad_one_listed(made):
    items = [document(each[1], each[0], id=f"e{index}") if good else each for index, (good, each) in enumerate(made)]
    decoded = DECODER.batch(encoded(items))
    goods = [index for index, (good, _) in enumerate(made) if good]
    assert [index for index, _ in decoded.events] == goods
    assert sorted(item.index for item in decoded.rejected) == [i for i in range(len(made)) if i not in goods]
    for index, event in decoded.events:
        assert event == DECODER.single(encoded(items[index])).events[0][1]


# What is refused by name


def refusal(body):
    decoded = DECODER.single(body)
    assert decoded.events == []
    return decoded.rejected[0]


def with_raw(raw):
    return encoded({**GOOD, "data": "HERE"}).replace(b'"HERE"', raw)


@pytest.mark.parametrize(
    ("raw", "code", "named"),
    [
        (b'{"sku":"M","sku":"N"}', "repeated_key", "sku"),
        (b'{"sku":"M","sku":"M"}', "repeated_key", "sku"),
        (b'{ "sku" : "M" , "x" : [ { "y" : 1 , "y" : 1 } ] }', "repeated_key", "y"),
        (b'{"sku":"M","a":1,"\\u0061":2}', "repeated_key", "a"),
        (b'{"sku":"M","":1,"":2}', "repeated_key", "''"),
        (b'{"sku":"M","x":1.5}', "invalid_data", "1.5"),
        (b'{"sku":"M","x":[{"y":1e5}]}', "invalid_data", "1e5"),
        (b'{"sku":"M","x":1.0}', "invalid_data", "1.0"),
        (b'{"sku":"M","x":-0.0}', "invalid_data", "-0.0"),
        (b'{"sku":"M","x":"a\\u0000b"}', "no_canonical_form", "NUL"),
        (b'{"sku":"M","\\u0000":1}', "no_canonical_form", "NUL"),
        (b'{"sku":"M","\xf0\x9f\x98\x80":1}', "no_canonical_form", "basic plane"),
        (b'{"sku":"M","x":{"\\ud83d\\ude00":1}}', "no_canonical_form", "basic plane"),
        (b'{"sku":1}', "invalid_data", "string"),
        (b'{"sku":""}', "invalid_data", "character"),
        (b"{}", "invalid_data", "required"),
        (b"[]", "invalid_data", "object"),
        (b"null", "invalid_data", "object"),
    ],
)
def test_data_that_cannot_be_kept_is_refused_by_name(raw, code, named):
    refused = refusal(with_raw(raw))
    assert (refused.code, refused.path[:6]) == (code, "$.data")
    assert named.lower() in refused.detail.lower()


@pytest.mark.parametrize(
    "raw",
    [
        b'{"sku":"\\ud800"}',
        b'{"sku":"\xed\xa0\x80"}',
        b'{"sku":"\xff"}',
        b'{"sku":"M","x":NaN}',
        b'{"sku":"M","x":Infinity}',
        b'{"sku":"M","x":' + b"9" * 5000 + b"}",
        b'{"sku":"M","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"sku":"M","x":' + b'{"y":' * 100_000 + b"1" + b"}" * 100_001,
        b'{"sku":"M"',
        b"",
    ],
)
def test_what_is_not_json_or_far_too_deep_is_refused(raw):
    assert refusal(with_raw(raw)).detail


@pytest.mark.parametrize(
    "raw",
    [
        b'{"sku":"M","x":"\\\\u0000"}',
        b'{"sku":"M","x":-0}',
        b'{"sku":"\xf0\x9f\x98\x80"}',
        b'{"sku":"M","x":{"y":1},"z":{"y":1}}',
    ],
)
def test_what_only_looks_wrong_is_taken(raw):
    assert len(DECODER.single(with_raw(raw)).events) == 1


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**30, 10**300])
def test_a_huge_integer_is_kept_exactly_or_refused(number):
    decoded = DECODER.single(with_raw(b'{"sku":"M","x":%d}' % number))
    for _, event in decoded.events:
        assert event.data_text == b'{"sku":"M","x":%d}' % number


# The leaf, and the row


@st.composite
def envelopes(draw):
    return Envelope.model_construct(
        id=draw(NAMES),
        source=draw(NAMES),
        type=draw(NAMES),
        subject=draw(NAMES),
        time=draw(st.datetimes(timezones=st.just(UTC))),
        data=draw(st.dictionaries(KEYS, JSON, max_size=4)),
        schemaversion=draw(st.integers(1, 2**31 - 1)),
        correlationid=draw(st.none() | NAMES),
        causationid=draw(st.none() | NAMES),
    )


@given(envelopes(), st.integers(1, 2**62), st.datetimes(timezones=st.just(UTC)))
def test_the_leaf_made_in_c_is_the_leaf_as_it_is_defined(envelope, position, recorded_at):
    event = prepare(envelope)
    assert leaf_of(event, position, recorded_at) == entry_leaf(envelope, event.body_digest, position, recorded_at)


@pytest.mark.db
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(envelopes(), min_size=1, max_size=5, unique_by=lambda e: (e.source, e.id)))
def test_a_row_comes_back_as_it_was_written(shared_database, tmp_path, written):
    at = datetime(2026, 1, 1, microsecond=1, tzinfo=UTC)
    log = EventLog(shared_database, FrozenClock(at), tmp_path / "checkpoints.jsonl")
    with shared_database.rolled_back() as connection:
        (outcomes,) = log.write([Request([prepare(envelope) for envelope in written])])
        assert [outcome.status for outcome in outcomes] == ["stored"] * len(written)
        read = log.read(as_stored=True)
        assert [event.envelope.model_dump() for event in read] == [envelope.model_dump() for envelope in written]
        assert {format_instant(event.recorded_at) for event in read} == {format_instant(at)}
        rows = connection.execute("SELECT position, leaf_hash, body_digest FROM event ORDER BY position").fetchall()
        for row, envelope in zip(rows, written, strict=True):
            digest = prepare(envelope).body_digest
            assert row["body_digest"] == digest
            assert row["leaf_hash"] == entry_leaf(envelope, digest, row["position"], at)
        assert log.verify().violations == []
