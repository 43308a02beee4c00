"""A provider that settles a sale net of the refunds given before: one line, one match, one break; and repeated lines."""

from datetime import UTC, date, datetime, timedelta

import pytest

from steward.contracts.settlement import Expected, NettingTerms, Statement, StatementLine
from steward.reconciliation.core.calendars import Window
from steward.reconciliation.core.cascade import fingerprint, reconcile
from steward.reconciliation.core.leftover import left_of

SOLD = datetime(2026, 3, 2, 12, tzinfo=UTC)
SETTLED = datetime(2026, 3, 12, 2, tzinfo=UTC)
WINDOWS = [Window("market", latest=20)]


def sale(order="o1", gross=5_000, fee=300):
    return Expected(f"pay-{order}", "payment", "USD", gross, fee, SOLD, (("payment", f"tt_{order}"), ("order", order)))


def refund(number=1, order="o1", amount=1_000, at=SOLD + timedelta(days=3)):
    refs = (("order", order),)
    return Expected(f"ref-{order}-{number}", "refund", "USD", -amount, 0, at, refs)


def told(order="o1", gross=4_000, fee=300, kind="payment", key="", at=SETTLED):
    refs = (("transaction", f"t-{key or order}"), ("order", order))
    return StatementLine(1, key or order, kind, kind, "USD", gross, fee, gross - fee, at, at.date(), refs)


def run(lines, moves, *, nets=True, as_of=date(2026, 3, 20)):
    statements = [Statement("s1", "market", "", "USD", tuple(lines))]
    at = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    return reconcile(statements, moves, [NettingTerms("market")] if nets else [], WINDOWS, at)


def outcome(result):
    return [m.rule for m in result.matches], [(b.type, b.amount_minor, len(b.keys)) for b in result.breaks]


def test_a_sale_less_its_refunds_is_one_match():
    result = run([told()], [sale(), refund()])
    assert outcome(result) == (["netted"], [])
    assert [(i.side, i.amount_minor) for i in result.matches[0].items] == [
        ("statement", 3_700), ("books", 4_700), ("books", -1_000)
    ]  # fmt: skip
    assert outcome(run([told(gross=0, fee=0)], [sale(fee=None), refund(amount=5_000)])) == (["netted"], [])
    assert outcome(run([told(gross=3_500)], [sale(), refund(), refund(2, amount=500)])) == (["netted"], [])


def test_where_no_contract_says_so_nothing_is_netted():
    rules, breaks = outcome(run([told()], [sale(), refund()], nets=False))
    assert (rules, [name for name, _, _ in breaks]) == ([], ["amount"])


def test_a_refund_with_a_line_of_its_own_is_not_netted_as_well():
    later = refund(at=SETTLED + timedelta(days=1))
    own = told(gross=-1_000, fee=0, kind="refund", key="r1", at=SETTLED + timedelta(days=1))
    assert outcome(run([told(gross=5_000), own], [sale(), later])) == (["composite_key", "composite_key"], [])
    assert outcome(run([told(gross=5_000)], [sale(), later])) == (["composite_key"], []), "its line may still come"


@pytest.mark.parametrize(
    ("line", "name", "off"), [(told(gross=3_900), "amount", -100), (told(fee=350), "fee", -50)]
)  # fmt: skip
def test_a_netted_line_that_differs_is_one_break_with_all_it_tells(line, name, off):
    assert outcome(run([line], [sale(), refund()])) == ([], [(name, off, 3)])


def test_a_netted_line_that_is_told_twice_is_a_match_and_a_duplicate():
    again = StatementLine(2, "o1#2", "payment", "payment", "USD", 4_000, 300, 3_700, SETTLED, SETTLED.date(),
                          told().refs)  # fmt: skip
    assert outcome(run([told(), again], [sale(), refund()])) == (["netted"], [("duplicate", 3_700, 1)])
    half = [told(gross=2_500, fee=150), told(gross=2_500, fee=150, key="o1#2")]
    assert "netted" not in outcome(run(half, [sale(), refund()]))[0]


@pytest.mark.parametrize("turned", [False, True])
def test_a_netted_line_that_never_comes_is_one_break(turned):
    moves = [refund(), sale()] if turned else [sale(), refund()]
    result = run([told("o2", 900, 0)], [*moves, sale("o2", 900, 0)], as_of=date(2026, 6, 1))
    assert outcome(result) == (["composite_key"], [("missing", -3_700, 2)])
    early = run([told("o2", 900, 0)], [*moves, sale("o2", 900, 0)])
    assert (outcome(early)[1], len(early.open)) == ([], 2), "it is not due yet"


def test_order_changes_nothing():
    lines = [told(), told("o2", 4_000), told("o3", 3_000)]
    moves = [sale(), refund(), sale("o2"), refund(1, "o2"), sale("o3"), refund(1, "o3"), refund(2, "o3", 1_000)]
    assert fingerprint(run(lines, moves)) == fingerprint(run(lines[::-1], moves[::-1]))


def test_a_charge_told_again_does_not_hide_which_charge_is_which():
    def charge(key, at):
        refs = (("transaction", f"t-{key.partition('#')[0]}"), ("payment", "p1"))
        return StatementLine(1, key, "fee", "fee", "USD", 0, 1_500, -1_500, at, at.date(), refs)

    moves = [
        Expected(name, "fee", "USD", 0, 1_500, at, (("payment", "p1"),))
        for name, at in (("opened", SOLD), ("countered", SOLD + timedelta(days=5)))
    ]
    lines = [charge("a", SOLD), charge("a#2", SOLD), charge("b", SOLD + timedelta(days=5))]
    assert outcome(run(lines, moves)) == (["composite_key"] * 2, [("duplicate", -1_500, 1)])


def test_what_is_left_of_a_statement_is_counted_by_line():
    statements = [Statement("s1", "market", "", "USD", (told(), told("o9", 700, 0)))]
    result = reconcile(statements, [sale(), refund()], [NettingTerms("market")], WINDOWS, SETTLED + timedelta(days=9))
    assert left_of(statements, result) == [{"provider": "market", "statement": "s1", "mismatches": 1, "waiting": 0}]
    assert left_of(statements, run([told()], [sale(), refund()])) == []
