"""What is walked, what a ticket asks for, and how the end is judged."""

from datetime import UTC, datetime, timedelta

import pytest

from livemarket import catalog
from steward.demonstration import Plan
from steward.demonstration.people import Wish, refund_of, wish_in, wish_of
from steward.demonstration.truth import judged

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)


def test_steps_reach_the_end_in_order_and_papers_come_once_a_day():
    steps = Plan(lead_days=7, days=2).steps(BEGIN)
    assert [one.until for one in steps] == sorted({one.until for one in steps})
    assert steps[-1].until == BEGIN + timedelta(days=9)
    assert [one.is_business for one in steps].count(True) == 48
    assert [one.until for one in steps if one.brings_papers] == [BEGIN + timedelta(days=n, hours=9) for n in (7, 8)]
    assert Plan(lead_days=2, days=1, last_hours=10).steps(BEGIN)[-1].until == BEGIN + timedelta(days=2, hours=10)
    large = Plan(lead_days=0, days=1, step_hours=12).steps(BEGIN)
    assert [(one.until.hour, one.brings_papers) for one in large] == [(12, True), (0, False)]
    assert [one.goes_wrong for one in Plan(is_wrong=True).steps(BEGIN)].count(True) == 1


def test_the_words_of_the_world_are_understood():
    """Every text that a customer of livemarket writes is a wish or none, by what it is about."""
    texts = catalog.tickets()
    found = {kind: {wish_of(text) for text in texts[kind]} for kind in texts}
    assert found["damaged"] == {"damaged"}
    assert found["return_help"] == {"returned"}
    assert found["product"] == {None, "not_as_shown"}
    assert found["change"] == {None, "cancelled"}
    assert found["where_is_it"] == {None}


def test_a_refund_is_of_the_whole_payment_and_names_its_wish():
    payment = {"payment_id": "pi_1", "processor": "stripe", "amount_minor": 4200, "currency": "USD", "order_id": "o"}
    made = refund_of(Wish("ticket-9", "o", "damaged", "ticket 9: Broken"), payment)
    assert made["params"] == {
        "refund_id": "ticket-9", "payment_id": "pi_1", "processor": "stripe", "reason": "damaged",
        "amount": {"amount_minor": 4200, "currency": "USD"},
    }  # fmt: skip


def test_who_sends_goods_back_is_paid_when_they_came():
    request = {"refund_id": "ref-1", "order_id": "o", "reason": "returned"}
    assert wish_in("RefundRequested", request) is None
    assert wish_in("RefundRequested", request | {"reason": "keep_it"}).reason == "keep_it"
    goods = {"return_id": "ret-1", "order_id": "o", "condition": "as_new"}
    assert wish_in("ReturnReceived", goods).name == "ret-1"
    assert wish_in("ReturnReceived", goods | {"condition": "empty"}) is None


def fault(kind, order, **more):
    return {"fault": kind, "provider": "stripe", "payment_id": f"pi_{order}", "order_id": order, **more}


def broken(kind, key):
    return {"type": kind, "items": [{"key": key}]}


def moved(*wrong, **position):
    lines = [
        {
            "provider": "stripe",
            "kind": "charge",
            "order": f["order_id"],
            "gross_minor": 1000,
            "fee_minor": 59,
            "payout": "po_1",
        }
        for f in wrong
    ]
    return {"wrong": list(wrong), "lines": lines, "position": position or None}


FEE, LOST = fault("wrong_fee", "lm01", amount_minor=77), fault("lost_order", "lm02")
TOLD = frozenset({"po_1"})


def test_a_fault_explains_its_break_and_no_other():
    found = judged(
        [broken("fee", "stripe/payment/pi_lm01"), broken("missing", "stripe/x/ch_lm02")], moved(FEE, LOST), {}, TOLD
    )
    assert found.holds
    assert len(found.explained) == 2


@pytest.mark.parametrize(
    "left",
    [
        broken("amount", "stripe/payment/pi_lm01"),  # another name than the fault's
        broken("fee", "stripe/payment/pi_lm02"),  # another payment
        broken("fee", "stripe/payment/pi_lm03"),
    ],
)
def test_a_break_that_no_fault_is_behind_is_unexplained_and_the_fault_unseen(left):
    found = judged([left], moved(FEE), {}, TOLD)
    assert not found.holds
    assert (len(found.unexplained), len(found.unseen)) == (1, 1)


def test_a_second_break_of_one_fault_is_one_too_many():
    twice = [broken("fee", "stripe/payment/pi_lm01")] * 2
    assert len(judged(twice, moved(FEE), {}, TOLD).unexplained) == 1


def test_a_fault_that_no_statement_told_of_yet_is_not_missed():
    assert judged([], moved(FEE), {}, frozenset()).holds


def test_books_are_what_the_world_owns_but_for_its_faults():
    account = "assets:clearing:stripe"
    world = moved(FEE, LOST, **{account: 9_000, "liabilities:tax": -5})
    books = 9_000 + 77 - (1000 - 59)  # the contract's fee was booked, and of the lost payment nothing
    assert judged([], world, {account: books}, frozenset()).differences == {}
    assert judged([], world, {account: 9_000}, frozenset()).differences == {account: (9_000, books)}
