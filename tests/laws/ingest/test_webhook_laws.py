"""Whatever a stranger sends gets an answer: no document makes a mapping raise, no header makes a check raise."""

import contextlib
import json
import string
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steward.contracts.event import Envelope
from steward.contracts.payloads import VERSIONS
from steward.ingest.core.webhooks import (
    MAPPINGS,
    Ignored,
    RawDelivery,
    Unreadable,
    Unverified,
    Verified,
    apply_mapping,
    compile_mapping,
    delivery_key,
    parse_document,
    schemes,
    verify,
)
from steward.ingest.core.webhooks.model import Missing, Part
from steward.kernel.canonical import canonical_bytes
from steward.kernel.errors import BadInput
from steward.kernel.money import exponent

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SCHEMES = schemes(list)
GOLDEN = Path(__file__).parents[2] / "contracts" / "webhooks"
BODIES = {
    path: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(GOLDEN.glob("*/*.json"))
    if isinstance(json.loads(path.read_text(encoding="utf-8"))["expected"], list)
}
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["12.50", "-1", "1e400", "USD", "JPY", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "\x00"]
    ),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.integers(-(10**20), 10**20), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=12,
)
TOPICS = st.sampled_from(
    ["orders/create", "orders/paid", "refunds/create", "fulfillments/create", "disputes/create", "order.shipped", ""]
)
MAPPING = compile_mapping(
    {
        "source": "own",
        "signature": "standard",
        "rules": [
            {
                "event": "OrderPlaced",
                "id": "order:{$.id}",
                "subject": "order/{$.id}",
                "time": "$.at",
                "data": {
                    "order_id": {"path": "$.id", "as": "id"},
                    "currency": {"path": "$.currency", "as": "currency"},
                    "total_minor": {"path": "$..total", "as": "minor", "currency": "$.currency"},
                    "channel": "own",
                },
            }
        ],
    },
    "own",
)


def is_an_answer(found):
    if isinstance(found, Ignored | Unreadable):
        return True
    for envelope in found:
        assert isinstance(envelope, Envelope)
        VERSIONS[envelope.type, envelope.schemaversion].model_validate_json(canonical_bytes(envelope.data))
    return bool(found)


@pytest.mark.parametrize("provider", sorted(MAPPINGS))
@given(document=st.dictionaries(st.text(max_size=8), JSON, max_size=5), topic=TOPICS)
@settings(max_examples=60)
def test_no_document_makes_a_mapping_raise(provider, document, topic):
    headers = {"x-shopify-topic": topic, "x-webhook-topic": topic, "webhook-id": topic}
    found = MAPPINGS[provider](document, headers)
    assert is_an_answer(found)
    assert MAPPINGS[provider](document, headers) == found
    assert is_an_answer(apply_mapping(MAPPING, document))


def places(value, path=()):
    """Every place of a document."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def replaced(value, path, other):
    if not path:
        return other
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = replaced(value[path[0]], path[1:], other)
    return copied


@pytest.mark.parametrize("path", BODIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_a_real_delivery_with_one_part_changed_is_answered_too(path, data):
    case = BODIES[path]
    document = parse_document(json.dumps(case["body"]).encode())
    where = data.draw(st.sampled_from([place for place in places(document) if place]))
    changed = replaced(document, where, data.draw(JSON))
    assert is_an_answer(MAPPINGS[path.parent.name](changed, case["headers"]))


HEADERS = st.sampled_from(
    [
        "stripe-signature",
        "x-shopify-hmac-sha256",
        "authorization",
        "x-hmac-signature",
        "x-hmac-signature-v2",
        "x-timestamp",
        "x-path",
        "x-zendesk-webhook-signature",
        "x-zendesk-webhook-signature-timestamp",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "svix-id",
        "svix-timestamp",
        "svix-signature",
        "paypal-transmission-id",
        "paypal-transmission-time",
        "paypal-transmission-sig",
        "paypal-cert-url",
        "paypal-auth-algo",
        "x-shopify-event-id",
        "x-shopify-topic",
    ]
)
VALUES = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(), max_size=6),
    st.sampled_from(["t=1772366400,v1=ab", "1772366400", "v1,AAAA v1,", "SHA256withRSA", "https://api.paypal.com/c"]),
    st.sampled_from(["https://[", "https://a.paypal.com:99999/", "Tue, 99 Foo", "0001-01-01T00:00:00+23:59", "\ud800"]),
)


@given(
    headers=st.dictionaries(HEADERS, VALUES, max_size=8),
    body=st.binary(max_size=60),
    path=st.text(max_size=20),
    secrets=st.lists(st.one_of(st.text(max_size=12), st.just("whsec_AAAA"), st.just("a:b")), max_size=3),
    certificate=st.binary(max_size=20),
)
@settings(max_examples=400)
def test_no_header_makes_a_check_raise_and_nothing_unsigned_is_believed(headers, body, path, secrets, certificate):
    delivery = RawDelivery("POST", path, headers, body, certificate)
    for provider, scheme in SCHEMES.items():
        found = verify(scheme, delivery, secrets, NOW)
        assert isinstance(found, Unverified) or (isinstance(found, Verified) and provider == "gorgias")
        key = delivery_key(provider, delivery)
        assert 0 < len(key) <= 256
        assert key.isprintable()
        key.encode()
        assert key == delivery_key(provider, delivery)


@given(st.binary(max_size=80))
def test_a_body_is_read_or_refused(body):
    with contextlib.suppress(BadInput):
        assert isinstance(parse_document(body), dict)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_what_is_read_can_be_stored(document):
    read = parse_document(json.dumps(document).encode())
    text = json.dumps(read, ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text.replace("\\\\", "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"1",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": [{"b": 1, "b": 1}]}',
        b'{"a":' * 70 + b"1" + b"}" * 70,
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a": "\xff"}',
    ],
)
def test_a_body_with_a_trap_is_refused(body):
    with pytest.raises(BadInput):
        parse_document(body)


def test_decimals_stay_what_was_written():
    assert parse_document(b'{"a": 0.10, "b": 1e2, "c": 5}') == {"a": "0.10", "b": "1e2", "c": 5}


@given(
    whole=st.integers(0, 10**12),
    part=st.text(string.digits, max_size=6),
    sign=st.sampled_from(["", "-"]),
    currency=st.sampled_from(["GBP", "JPY", "KWD", "CLF"]),
)
def test_an_amount_is_exact_or_no_amount(whole, part, sign, currency):
    text = f"{sign}{whole}.{part}" if part else f"{sign}{whole}"
    exact = Fraction(text) * 10 ** exponent(currency)
    try:
        minor = Part(text).minor(currency)
    except Missing:
        assert exact.denominator != 1 or abs(exact) > 10**15
    else:
        assert minor == exact


@pytest.mark.parametrize(
    "value", ["1e2", "1,5", "", " 1", "1.", ".5", "+1", "0x1", "\u0661", None, True, [], "1_0", 1.5]
)
def test_what_is_no_amount_is_refused(value):
    with pytest.raises(Missing):
        Part(value).minor("GBP")


@given(
    first=st.sampled_from(["orders/create", "orders/paid"]),
    second=st.sampled_from(["orders/create", "orders/paid"]),
)
def test_one_event_under_two_topics_is_two_deliveries(first, second):
    keys = [
        delivery_key("shopify", RawDelivery("POST", "", {"x-shopify-event-id": "e", "x-shopify-topic": topic}, b"{}"))
        for topic in (first, second)
    ]
    assert (keys[0] == keys[1]) == (first == second)
