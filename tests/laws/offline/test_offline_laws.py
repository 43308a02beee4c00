"""What the one file computes is what the log and the verifier compute."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.catalog import load_catalog
from steward.checking import build_verifier
from steward.contracts.event import Envelope, RecordedEvent
from steward.control.export import line_of
from steward.events.core.entry import body_digest, entry_leaf
from steward.kernel.canonical import canonical_bytes, digest_hex
from steward.offline.history import read_canonical, read_event
from steward.offline.replay import catalog_of
from steward.offline.wording import _PLAIN, Wording
from steward.verifier.core.check import Refused
from steward.verifier.core.patterns import compiled, normalised

text = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=20)
times = st.integers(0, 10**15).map(lambda n: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(microseconds=n))
scalars = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | text
keys = st.text(st.characters(min_codepoint=1, max_codepoint=0xD7FF), max_size=8)
data = st.dictionaries(
    keys,
    st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)),
    max_size=5,
)
envelopes = st.builds(
    Envelope.model_construct,
    id=text,
    source=text,
    type=text,
    subject=text,
    time=times,
    data=data,
    schemaversion=st.integers(1, 9),
    correlationid=st.none() | text,
    causationid=st.none() | text,
)


@given(envelopes, st.integers(1, 10**9), times)
@settings(max_examples=200, deadline=None)
def test_an_exported_line_has_the_leaf_of_the_log(envelope, position, recorded_at):
    line = canonical_bytes(
        line_of(RecordedEvent.model_construct(position=position, recorded_at=recorded_at, envelope=envelope))
    )
    event, leaf = read_event(line)
    assert leaf == entry_leaf(envelope, body_digest(envelope), position, recorded_at)
    assert event["data"] == envelope.data


@given(st.integers(0, 400), st.integers(1, 255))
@settings(max_examples=200, deadline=None)
def test_a_changed_byte_of_a_line_changes_its_leaf_or_is_refused(place, flip):
    envelope = Envelope(
        id="a", source="s", type="T", subject="t/1", time=datetime(2026, 1, 1, tzinfo=UTC), data={"n": 1}
    )
    line = bytearray(canonical_bytes(line_of(RecordedEvent(position=1, recorded_at=envelope.time, envelope=envelope))))
    honest = read_event(bytes(line))[1]
    line[place % len(line)] ^= flip
    with suppress(Refused):
        assert read_event(bytes(line))[1] != honest


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b'{"a":1.0}',
        b'{"a":1, "b":2}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":NaN}',
        b'{"a":"\\u0061"}',
        b'{"a":-0}',
        b"\xff",
        b'{"a":"\\ud800"}',
        b'{"a":' + b"[" * 5000,
    ],
)
def test_a_line_has_one_form(line):
    with pytest.raises(Refused):
        read_event(line)
    if line not in (b"{}", b"[]"):
        with pytest.raises(Refused):
            read_canonical(line)


def test_the_catalog_reads_back_from_its_document():
    catalog = load_catalog()
    with build_verifier(catalog) as verifier:
        document, own = verifier.catalog_document, verifier.catalog
        assert digest_hex(document) == verifier.catalog_digest
    read = catalog_of(document, digest_hex(document))
    assert (read.facts, read.bounds, read.effects) == (own.facts, own.bounds, own.effects)
    assert [(rule.id, rule.rule, rule.otherwise, rule.reads()) for rule in read.invariants] == [
        (rule.id, rule.rule, rule.otherwise, rule.reads()) for rule in own.invariants
    ]
    assert [set(rule.on) for rule in read.invariants] == [set(rule.on) for rule in own.invariants]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"facts": {}, "kinds": {}, "invariants": [{}]},
        {"facts": {"a": "float"}, "kinds": {}, "invariants": []},
        [],
        None,
    ],
)
def test_a_catalog_that_says_nothing_is_refused(broken):
    with pytest.raises(Refused):
        catalog_of(broken, "")


PATTERNS = [
    "cure",
    "cure|heal",
    "^(?:buy|sell)$",
    r"\bfree\b",
    r"100%|guaranteed",
    r"colou?r",
    "[abc]d",
    r"v1\.0",
    "a-b|c d",
]


@given(st.sampled_from(PATTERNS), st.text("curehalbysfgnt oliv10.%-\u200bÄßﬁ", max_size=12))
@settings(max_examples=400, deadline=None)
def test_a_plain_pattern_means_the_same_without_re2(pattern, text):
    wording = Wording()
    expected = compiled(pattern).search(normalised(text)) is not None
    assert wording.matches(text, pattern) == expected
    assert (wording.rerun, wording.asked) == (1, [])


@pytest.mark.parametrize("pattern", ["(a+)+$", "a*", "a{2}", ".", "(?i)a", r"\pL", "a+", "(?P<n>a)", r"\x41", "[^a]"])
def test_a_pattern_that_is_not_plain_is_not_run(pattern):
    wording = Wording()
    assert _PLAIN.fullmatch(pattern) is None
    assert wording.matches("a" * 40 + "!", pattern) is False
    assert len(wording.asked) == 1
