"""Payouts and the bank: found by their id in any writing, by reference, by amount and window, by sums; the rest named."""

from datetime import UTC, date, datetime

import pytest

from steward.contracts.settlement import BankLine, Expected, Statement
from steward.kernel.errors import BadInput
from steward.reconciliation.core.bank import reconcile_bank
from steward.reconciliation.core.calendars import Window

SENT = datetime(2026, 3, 4, 8, tzinfo=UTC)
AS_OF = datetime(2026, 4, 1, tzinfo=UTC)
WINDOWS = [Window("bank", latest=3)]


def payout(key, amount, at=SENT, refs=None, kind="payout"):
    refs = (("payout", f"po_stripe_{key}"),) if refs is None else refs
    return Expected(key, kind, "USD", -amount, 0, at, refs)


def entry(key, amount, text="", day=date(2026, 3, 5), **more):
    return BankLine(1, key, "USD", amount, day, day, text=text, **more)


def run(entries, moves, as_of=AS_OF):
    return reconcile_bank([Statement("b1", "bank", "main", "USD", tuple(entries))], moves, WINDOWS, as_of)


def test_a_payout_is_found_by_its_id_in_the_text():
    result = run([entry("b", 50_000, "STRIPE POSTRIPE0001 TRANSFER")], [payout("0001", 50_000)])
    assert [(m.rule, m.items[0].side, m.items[1].key) for m in result.matches] == [("exact_id", "bank", "0001")]


def test_another_amount_under_its_id_is_an_amount_break():
    result = run([entry("b", 49_000, "po_stripe_0001")], [payout("0001", 50_000)])
    assert [(b.type, b.amount_minor) for b in result.breaks] == [("amount", -1_000)]


def test_a_lone_amount_in_the_window_is_a_match_and_two_equal_payouts_need_two_entries():
    assert [m.rule for m in run([entry("b", 50_000)], [payout("0001", 50_000)]).matches] == ["cutoff_window"]
    assert run([entry("b", 50_000)], [payout("0001", 50_000), payout("0002", 50_000)]).matches == ()


def test_one_entry_for_several_payouts_needs_sums_beyond_chance():
    large = [payout("0001", 4_000_000), payout("0002", 5_000_100), payout("0003", 2_000_007)]
    (match,) = run([entry("b", 9_000_100)], large).matches
    assert (match.rule, [item.key for item in match.items]) == ("sum", ["bank/b1/b", "0001", "0002"])
    small = [payout("0001", 4_000), payout("0002", 5_001), payout("0003", 2_007)]
    assert run([entry("b", 9_001)], small).matches == ()


def test_a_payout_is_open_then_late_or_missing():
    assert run([], [payout("0001", 5)], as_of=datetime(2026, 3, 9, tzinfo=UTC)).notes["open"] == 1
    assert [b.type for b in run([], [payout("0001", 5)]).breaks] == ["missing"]
    late = run([entry("b", 50_000, "po_stripe_0001", day=date(2026, 3, 20))], [payout("0001", 50_000)])
    assert [(b.type, b.amount_minor) for b in late.breaks] == [("late", 0)]


def test_money_taken_back_by_a_payouts_name_is_a_negative_payout():
    result = run([entry("b", -700, refs=(("payout", "po_x"),)), entry("c", -90, "COFFEE")], [])
    assert [(b.type, b.amount_minor) for b in result.breaks] == [("missing", -90), ("negative_payout", -700)]
    expected = run([entry("b", -700, "po_stripe_0009")], [payout("0009", -700)])
    assert len(expected.matches) == 1


def test_what_the_bank_calls_pending_stays_open():
    result = run([entry("b", 50_000, "po_stripe_0001", pending=True)], [payout("0001", 50_000)], SENT)
    assert [item.side for item in result.open] == ["books", "bank"]
    assert result.report.conserved


def test_a_providers_statement_is_not_a_banks():
    from steward.contracts.settlement import StatementLine

    line = StatementLine(1, "l", "payment", "", "USD", 1, 0, 1, SENT, None)
    with pytest.raises(BadInput):
        run([line], [])
