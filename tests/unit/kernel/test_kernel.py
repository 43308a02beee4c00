from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest

from steward.kernel.canonical import canonical_text, digest_hex, parse_json
from steward.kernel.errors import BadInput, StewardError
from steward.kernel.ids import derived_id, is_id, make_id, uuid7_hex
from steward.kernel.instants import floor_day, floor_hour, format_instant, parse_instant
from steward.kernel.money import Money, round_half_even


def test_money_of_two_currencies_does_not_mix():
    with pytest.raises(BadInput, match="GBP with EUR"):
        Money(1, "GBP") + Money(1, "EUR")


@pytest.mark.parametrize("amount", [1.5, "1", True, None])
def test_money_is_an_integer(amount):
    with pytest.raises(BadInput):
        Money(amount, "GBP")


@pytest.mark.parametrize("currency", ["gbp", "GB", "GBPX", "G1P", "£££"])
def test_a_currency_is_three_capitals(currency):
    with pytest.raises(BadInput):
        Money(1, currency)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(123456, "GBP"), "GBP 1,234.56"),
        (Money(-5, "GBP"), "GBP -0.05"),
        (Money(500, "JPY"), "JPY 500"),
        (Money(1234, "KWD"), "KWD 1.234"),
    ],
)
def test_money_reads_in_major_units(money, text):
    assert str(money) == text


@pytest.mark.parametrize(
    ("value", "whole"), [("0.5", 0), ("1.5", 2), ("2.5", 2), ("-0.5", 0), ("-1.5", -2), ("2.51", 3)]
)
def test_ties_go_to_even(value, whole):
    assert round_half_even(Decimal(value)) == whole
    assert round_half_even(Fraction(value)) == whole


def test_allocation_gives_the_odd_pennies_to_the_largest_remainders():
    assert [part.amount_minor for part in Money(100, "GBP").allocate([1, 1, 1])] == [34, 33, 33]


def test_a_uuid7_says_its_version_variant_and_time():
    value = int(uuid7_hex(1_700_000_000_123, b"\xff" * 16), 16)
    assert (value >> 76) & 0xF == 7
    assert (value >> 62) & 0x3 == 2
    assert value >> 80 == 1_700_000_000_123


def test_a_derived_id_is_the_same_at_every_attempt():
    assert derived_id("act", 5, "k") == derived_id("act", 5, "k") != derived_id("act", 5, "l")


def test_ids_of_one_kind_are_not_ids_of_another():
    assert is_id(make_id("act", 1, bytes(10)), "act")
    assert not is_id(make_id("act", 1, bytes(10)), "evt")


def test_an_instant_without_an_offset_is_no_instant():
    with pytest.raises(BadInput, match="Z"):
        parse_instant("2026-01-01T00:00:00")


def test_instants_end_in_z_whatever_zone_they_came_in():
    there = datetime(2026, 1, 1, 5, tzinfo=timezone(timedelta(hours=5)))
    assert format_instant(there) == "2026-01-01T00:00:00Z"
    assert parse_instant("2026-01-01T05:00:00+05:00") == datetime(2026, 1, 1, tzinfo=UTC)


def test_hours_and_days_are_floored():
    at = datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=UTC)
    assert (floor_hour(at).hour, floor_hour(at).minute) == (5, 0)
    assert floor_day(at) == datetime(2026, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), Decimal(1), b"x", {1: "a"}, {"k": [0, {"x": 0.5}]}, {"\U0001f600": 1}]
)
def test_what_is_inexact_has_no_canonical_form(value):
    with pytest.raises(BadInput):
        canonical_text(value)


def test_a_refusal_names_the_path():
    with pytest.raises(BadInput, match=r"k\[1\]\.x"):
        canonical_text({"k": [0, {"x": 0.5}]})


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(BadInput, match="surrogate"):
        digest_hex({"k": "\ud800"})


@pytest.mark.parametrize("text", ["1.5", '{"a":1,"a":2}', "NaN", "[1", "[" * 100_000])
def test_json_that_is_not_exact_or_not_json_is_refused(text):
    with pytest.raises(BadInput):
        parse_json(text)


def test_an_error_says_where_what_and_what_to_do():
    assert str(StewardError("it broke", where="here", fix="mend it")) == "here: it broke. mend it"
