"""One example for each rule that accepts and for each of the fourteen breaks."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace as altered

from steward.contracts.settlement import Expected, FeeTerms, FxTerms, Statement, StatementLine
from steward.kernel.errors import BadInput
from steward.reconciliation.core import conserve
from steward.reconciliation.core.breaks import BREAKS, SUGGESTIONS
from steward.reconciliation.core.calendars import Window
from steward.reconciliation.core.cascade import fingerprint, reconcile

AT = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
AS_OF = datetime(2026, 4, 1, tzinfo=UTC)
WINDOWS = [Window("stripe", latest=2, seconds=300)]
TERMS = [
    FeeTerms("stripe", "payment", "USD", 29_000, 30),
    FxTerms("stripe", "EUR", "USD", "1.1", 20_000),
]


def move(key="e1", kind="payment", gross=10_000, fee=320, at=AT, refs=None, **more):
    refs = (("payment", f"pi_{key}"), ("order", f"order-{key}")) if refs is None else refs
    return Expected(key, kind, more.pop("currency", "USD"), gross, fee, at, refs, **more)


def line(key="l1", kind="payment", gross=10_000, fee=320, at=AT, refs=None, **more):
    refs = (("payment", f"pi_{key}"), ("order", f"order-{key}")) if refs is None else refs
    raw, currency = more.pop("raw_type", kind), more.pop("currency", "USD")
    day = more.pop("day", at.date() if at else None)
    return StatementLine(1, key, kind, raw, currency, gross, fee, gross - fee, at, day, refs)


def run(lines, moves, as_of=AS_OF, windows=WINDOWS, terms=TERMS):
    return reconcile([Statement("s1", "stripe", "acct", "USD", tuple(lines))], moves, terms, windows, as_of)


def told(result):
    return [(m.rule, m.rounding_minor) for m in result.matches], [b.type for b in result.breaks]


def only(result):
    assert result.matches == ()
    (one,) = result.breaks
    return one


SAME = (("payment", "pi_0123456789"), ("order", "1001"))


def test_the_same_id_and_the_same_money_is_a_match():
    result = run([line(refs=SAME)], [move(refs=SAME)])
    assert told(result) == ([("exact_id", 0)], [])
    (match,) = result.matches
    assert match.confidence == 1000
    assert match.evidence == {"id": "payment", "money": "equal"}
    assert [(item.side, item.key, item.amount_minor) for item in match.items] == [
        ("statement", "stripe/s1/l1", 9_680),
        ("books", "e1", 9_680),
    ]
    assert result.report.matched == result.report.lines == result.report.expected == 1


@pytest.mark.parametrize(("fee", "rounding"), [(320, 0), (321, -1), (319, 1)])
def test_a_fee_the_books_do_not_know_is_recomputed_to_a_minor_unit(fee, rounding):
    result = run([line(refs=SAME, fee=fee)], [move(refs=SAME, fee=None)])
    assert told(result) == ([("schedule", rounding)], [])
    assert result.report.rounding_minor == ({"USD": rounding} if rounding else {})


@pytest.mark.parametrize("fee", [318, 322, 0])
def test_two_minor_units_off_the_contract_are_a_fee_break(fee):
    found = only(run([line(refs=SAME, fee=fee)], [move(refs=SAME, fee=None)]))
    assert (found.type, found.amount_minor) == ("fee", 320 - fee)


def test_a_fee_that_books_know_is_not_rounded_without_a_contract():
    assert only(run([line(refs=SAME, fee=321)], [move(refs=SAME)], terms=[])).type == "fee"
    assert only(run([line(refs=SAME, fee=321)], [move(refs=SAME, fee=None)], terms=[])).type == "fee"


@pytest.mark.parametrize(("gross", "wanted"), [(10_780, "schedule"), (10_781, "schedule"), (10_782, "fx")])
def test_a_conversion_is_recomputed_at_the_contracted_rate(gross, wanted):
    refs = (("transaction", "txn_0123456789"),)
    bought = move(kind="conversion", gross=10_780, fee=0, refs=refs, origin_currency="EUR", origin_minor=10_000)
    result = run([line(kind="conversion", gross=gross, fee=0, refs=refs)], [bought])
    if wanted == "fx":
        assert (only(result).type, only(result).amount_minor) == ("fx", 2)
        assert only(result).evidence["contracted_minor"] == 10_780
    else:
        assert len(result.matches) == 1
        assert result.matches[0].rounding_minor == gross - 10_780


def test_a_reference_with_type_and_amount_is_a_match_unless_an_id_contradicts():
    told_by_order = (("order", "1001"),)
    assert told(run([line(refs=told_by_order)], [move(refs=SAME)])) == ([("composite_key", 0)], [])
    other = (("order", "1001"), ("payment", "pi_9999999999"))
    assert run([line(refs=other)], [move(refs=SAME)]).matches == ()


def test_a_repeated_line_is_a_duplicate_of_the_earlier():
    again = altered(line("l2", refs=SAME), at=AT + timedelta(seconds=5))
    result = run([again, line(refs=SAME)], [move(refs=SAME)])
    assert told(result) == ([("exact_id", 0)], ["duplicate"])
    assert result.matches[0].items[0].key == "stripe/s1/l1"
    assert result.breaks[0].amount_minor == 9_680
    by_order = (("order", "1001"),)
    result = run([line("l1", refs=by_order), line("l2", refs=by_order)], [move(refs=SAME)])
    assert told(result) == ([("composite_key", 0)], ["duplicate"])


def test_a_lone_line_in_the_window_of_a_lone_movement_is_a_match():
    assert told(run([line(refs=())], [move(refs=SAME)])) == ([("cutoff_window", 0)], [])
    assert run([line(refs=())], [move(refs=SAME)], windows=[]).matches == ()
    assert run([line(refs=(), at=AT + timedelta(seconds=301))], [move(refs=SAME)]).matches == ()


def test_a_line_that_names_another_movement_takes_no_movement_by_its_amount():
    foreign = (("payment", "pi_zzzzzzzzzz"), ("order", "1001x99"))
    result = run([line(refs=foreign)], [move(refs=SAME)])
    assert told(result) == ([], ["missing", "missing"])


def test_a_damaged_id_is_no_reason_against_a_match_and_none_for_it():
    damaged = (("payment", "pi_0123465789"),)
    assert told(run([line(refs=damaged)], [move(refs=SAME)])) == ([("cutoff_window", 0)], [])
    two = [move("e1", refs=SAME), move("e2", refs=(("payment", "pi_abcdefghij"),))]
    result = run([line(refs=damaged)], two)
    assert result.matches == ()
    (proposal,) = [p for b in result.breaks for p in b.proposals if p.rule == "fuzzy"]
    assert [item.key for item in proposal.items] == ["stripe/s1/l1", "e1"]


def test_equals_that_cannot_be_told_apart_are_matched_as_a_set():
    moves = [move("e1", at=AT), move("e2", at=AT + timedelta(seconds=20))]
    lines = [line("l1", refs=()), line("l2", refs=(), at=AT + timedelta(seconds=20))]
    (match,) = run(lines, moves).matches
    assert match.rule == "assignment"
    assert len(match.items) == 4
    assert run(lines[:1], moves).matches == ()
    assert run(lines, moves[:1]).matches == ()


def test_instants_that_are_far_apart_tell_equals_apart():
    moves = [move("e1", at=AT), move("e2", at=AT + timedelta(seconds=200))]
    lines = [line("l1", refs=()), line("l2", refs=(), at=AT + timedelta(seconds=201))]
    result = run(lines, moves)
    assert [m.rule for m in result.matches] == ["assignment", "assignment"]
    assert [m.items[1].key for m in result.matches] == ["e1", "e2"]
    assert result.matches[0].evidence["next_best_seconds_more"] >= 60


def test_parts_that_add_up_are_a_sum_and_parts_that_do_not_are_a_split():
    parts = [line("l1", gross=6_000, fee=200, refs=SAME), line("l2", gross=4_000, fee=120, refs=SAME)]
    assert told(run(parts, [move(refs=SAME)])) == ([("sum", 0)], [])
    short = [parts[0], line("l2", gross=3_000, fee=120, refs=SAME)]
    found = only(run(short, [move(refs=SAME)]))
    assert (found.type, found.amount_minor) == ("split", -1_000)


def test_one_line_for_several_movements_of_its_reference():
    refs = (("reference", "day-64"),)
    moves = [move("e1", gross=700, fee=0, refs=refs), move("e2", gross=400, fee=0, refs=refs)]
    assert told(run([line(gross=1_100, fee=0, refs=refs)], moves)) == ([("sum", 0)], [])


def test_what_may_still_come_is_open_and_no_break():
    result = run([], [move()], as_of=AT + timedelta(days=2))
    assert told(result) == ([], [])
    assert (result.notes["open"], [item.key for item in result.open]) == (1, ["e1"])
    assert only(run([], [move()], as_of=AT + timedelta(days=3))).type == "missing"


def test_a_weekend_and_a_holiday_put_off_what_is_due():
    friday = datetime(2026, 3, 6, 12, tzinfo=UTC)
    assert run([], [move(at=friday)], as_of=datetime(2026, 3, 10, 12, tzinfo=UTC)).notes["open"] == 1
    assert run([], [move(at=friday)], as_of=datetime(2026, 3, 11, 12, tzinfo=UTC)).notes["open"] == 0
    rest = [replace(WINDOWS[0], holidays=frozenset({date(2026, 3, 9)}))]
    assert run([], [move(at=friday)], as_of=datetime(2026, 3, 11, 12, tzinfo=UTC), windows=rest).notes["open"] == 1


BROKEN = {
    "missing": ([], [move(refs=SAME)], -9_680),
    "amount": ([line(refs=SAME, gross=9_000)], [move(refs=SAME)], -1_000),
    "fee": ([line(refs=SAME, fee=400)], [move(refs=SAME)], -80),
    "fx": ([line(kind="conversion", gross=500, fee=0, refs=())], [], 500),
    "date": ([line(refs=SAME, day=date(2026, 3, 3))], [move(refs=SAME)], 0),
    "late": ([line(refs=SAME, day=date(2026, 3, 9))], [move(refs=SAME)], 0),
    "orphan_refund": ([line(kind="refund", gross=-500, fee=0)], [], -500),
    "unknown_type": ([line(kind="unknown", raw_type="zebra", refs=SAME)], [move(refs=SAME)], 0),
    "reserve": ([line(kind="reserve_hold", gross=-500, fee=0, refs=())], [], -500),
    "currency": ([line(refs=SAME, currency="EUR")], [move(refs=SAME)], 9_680),
    "negative_payout": ([line(kind="payout", gross=700, fee=0, refs=(("payout", "po_1"),))], [], 700),
    "chargeback": ([line(kind="dispute", gross=-900, fee=1_500, refs=())], [], -2_400),
}


@pytest.mark.parametrize("name", BROKEN)
def test_every_break_has_its_name_and_its_money(name):
    lines, moves, amount = BROKEN[name]
    found = only(run(lines, moves))
    assert (found.type, found.amount_minor) == (name, amount)
    assert len(found.keys) == len(lines) + len(moves)
    assert found.suggestion == SUGGESTIONS[name]


def test_every_break_is_defined_and_suggested_and_shown_here():
    from steward.reconciliation.core import breaks

    assert set(BROKEN) | {"duplicate", "split"} == set(BREAKS) == set(SUGGESTIONS)
    assert all(f"\n{name} " in breaks.__doc__ for name in BREAKS)


def test_a_lost_line_and_a_wrong_fee_are_exactly_those_breaks():
    kept = [line(f"l{i}", refs=(("payment", f"pi_000000000{i}"),)) for i in range(1, 5)]
    moves = [move(f"e{i}", refs=(("payment", f"pi_000000000{i}"),)) for i in range(5)]
    kept[2] = altered(kept[2], fee_minor=420, net_minor=9_580)
    result = run(kept, moves)
    assert [(b.type, b.amount_minor) for b in result.breaks] == [("fee", -100), ("missing", -9_680)]
    assert len(result.matches) == 3


def test_the_cutoff_puts_an_evening_into_the_next_day():
    from datetime import time

    berlin = [Window("stripe", zone="Europe/Berlin", cutoff=time(18), latest=0)]
    evening = datetime(2026, 3, 4, 17, 30, tzinfo=UTC)  # 18:30 there
    late = run([line(refs=SAME, at=evening, day=date(2026, 3, 5))], [move(refs=SAME, at=evening)], windows=berlin)
    assert told(late) == ([("exact_id", 0)], [])
    soon = run([line(refs=SAME, at=evening, day=date(2026, 3, 4))], [move(refs=SAME, at=evening)], windows=berlin)
    assert told(soon) == ([], ["date"])


def test_what_cannot_be_understood_is_refused():
    with pytest.raises(BadInput, match="same key"):
        run([line(), line()], [])
    with pytest.raises(BadInput, match="net"):
        run([altered(line(), net_minor=1)], [])
    with pytest.raises(BadInput, match="two terms"):
        run([line()], [], terms=[*TERMS, TERMS[0]])
    with pytest.raises(BadInput, match="two windows"):
        run([line()], [], windows=[*WINDOWS, *WINDOWS])
    with pytest.raises(BadInput, match="time zone"):
        run([line()], [], windows=[Window("stripe", zone="Mars/Base")])
    with pytest.raises(BadInput, match="several providers"):
        reconcile(
            [Statement("a", "stripe", "", "USD", (line(),)), Statement("b", "paypal", "", "USD", (line(),))],
            [move()], [], [], AS_OF,
        )  # fmt: skip


def test_a_dropped_break_breaks_conservation():
    result = run([line(refs=SAME), line("l2", kind="refund", gross=-5, fee=0)], [move(refs=SAME)])
    came_in = {
        "statement": {"USD": {"stripe/s1/l1": 9_680, "stripe/s1/l2": -5}},
        "books": {"USD": {"e1": 9_680}},
    }
    conserve.check(came_in, result.matches, result.breaks, result.open)
    with pytest.raises(conserve.NotConserved, match="in no match"):
        conserve.check(came_in, result.matches, [], result.open)
    with pytest.raises(conserve.NotConserved, match="twice"):
        conserve.check(came_in, [*result.matches, *result.matches], result.breaks, result.open)
    with pytest.raises(conserve.NotConserved, match="did not come in"):
        conserve.check({"statement": came_in["statement"]}, result.matches, result.breaks, result.open)
    other = {"books": came_in["books"], "statement": {"EUR": came_in["statement"]["USD"]}}
    with pytest.raises(conserve.NotConserved, match="became"):
        conserve.check(other, result.matches, result.breaks, result.open)
    out = altered(result.matches[0], rounding_minor=1)
    with pytest.raises(conserve.NotConserved, match="is out by 0"):
        conserve.check(came_in, [out], result.breaks, result.open)


def test_fingerprints_are_of_the_result():
    one, other = run([line(refs=SAME)], [move(refs=SAME)]), run([line(refs=SAME, fee=321)], [move(refs=SAME)])
    assert fingerprint(one) == fingerprint(run([line(refs=SAME)], [move(refs=SAME)])) != fingerprint(other)
