"""Every fact that is a query, on real events: what it says, that it says nothing of what is still to come, and that
what is unknown is left out.
"""

from datetime import timedelta

import pytest

from steward.contracts.event import Envelope
from steward.state import FACTS

pytestmark = pytest.mark.db

GBP = {"currency": "GBP"}
DAY = timedelta(days=1)
ORDER = {"order_id": "o1", "customer_id": "17850", "sku": "MUG"}


def gbp(minor):
    return {"amount_minor": minor, **GBP}


@pytest.fixture
def tell(shop, make):
    """Put events into the log: (type, days after the first, data), the subject as the stream of the thing."""
    told = []

    def put(*events, subject="x/1"):
        envelopes = []
        for event_type, days, data in events:
            told.append(event_type)
            at = make.start + days * DAY
            stream = f"order/{data['order_id']}" if event_type in STREAM and "order_id" in data else subject
            key = f"{event_type}:{len(told)}"
            envelopes.append(Envelope(id=key, source=make.source, type=event_type, subject=stream, time=at, data=data))
        shop.take_in(*envelopes)

    return put


STREAM = ("OrderPlaced", "PaymentCaptured", "OrderCancelled", "OrderFulfilled", "OrderDelivered")


@pytest.fixture
def ask(shop, make):
    def fact(name, params, days=30, evidence=None):
        at = make.start + days * DAY
        return shop.app.state.fact(name, params, evidence or {}, at, shop.app.state.snapshot(at))

    return fact


def order(order_id, total, **more):
    lines = [{"sku": "MUG", "quantity": 2, "total_minor": total}]
    return {"order_id": order_id, "channel": "web", "total_minor": total, "lines": lines, "customer_id": "17850", **GBP, **more}  # fmt: skip


def test_an_order_s_money(tell, ask):
    tell(
        ("OrderPlaced", 0, order("o1", 3000)),
        ("PaymentCaptured", 0, {"payment_id": "p1", "order_id": "o1", "amount_minor": 3000, **GBP}),
        ("RefundProcessed", 2, {"refund_id": "r1", "order_id": "o1", "amount_minor": 400, **GBP}),
        ("RefundProcessed", 3, {"refund_id": "r2", "customer_id": "17850", "amount_minor": 300, "lines": [{"sku": "MUG", "quantity": 1, "total_minor": 300}], **GBP}),
        ("DisputeOpened", 4, {"dispute_id": "d1", "order_id": "o1", "amount_minor": 500, "reason": "x", "evidence_due_at": "2011-06-01T00:00:00Z", **GBP}),
        ("DisputeOpened", 4, {"dispute_id": "d2", "payment_id": "p1", "amount_minor": 70, "reason": "x", **GBP}),
        ("DisputeResolved", 5, {"dispute_id": "d2", "outcome": "won", "amount_minor": 70, **GBP}),
        ("StoreCreditIssued", 6, {"credit_id": "c1", "customer_id": "17850", "order_id": "o1", "amount_minor": 50, **GBP}),
        ("StoreCreditIssued", 6, {"credit_id": "c2", "customer_id": "17850", "order_id": "o1", "refund_id": "r1", "amount_minor": 400, **GBP}),
        ("EvidenceSubmitted", 7, {"dispute_id": "d1"}),
    )  # fmt: skip
    found = {name: ask(f"order.{name}", ORDER) for name in ("captured", "refunded", "disputed", "credited", "total")}
    assert found == {"captured": gbp(3000), "refunded": gbp(700), "disputed": gbp(500), "credited": gbp(50), "total": gbp(3000)}  # fmt: skip
    assert ask("order.refunded", ORDER, 3) == gbp(400)  # the second came at that instant, which is too late
    assert ask("order.disputed", ORDER, 4.5) == gbp(570)  # nothing was won by then
    assert ask("order.captured", {**ORDER, "order_id": "o2"}) == gbp(0)
    assert ask("order.total", {**ORDER, "order_id": "o2"}) is None
    assert ask("customer.credited_in_window", ORDER) == gbp(50)
    assert ask("customer.credited_in_window", ORDER, 50) == gbp(0)
    assert ask("customer.refunded_in_window", ORDER) == gbp(300)  # the other names no customer
    assert ask("dispute.due", {"dispute_id": "d1"}) == "2011-06-01T00:00:00Z"
    assert ask("dispute.due", {"dispute_id": "d2"}) is None
    assert [ask("dispute.evidence_sent", {"dispute_id": name}) for name in ("d1", "d2")] == [1, 0]


def test_what_a_payment_took_and_what_of_it_went_back(tell, ask):
    tell(
        ("PaymentCaptured", 0, {"payment_id": "p1", "order_id": "o1", "amount_minor": 3000, **GBP}),
        ("RefundProcessed", 2, {"refund_id": "r1", "payment_id": "p1", "order_id": "o1", "amount_minor": 400, **GBP}),
        ("RefundProcessed", 2, {"refund_id": "r2", "payment_id": "p9", "order_id": "o1", "amount_minor": 1, **GBP}),
        ("DisputeOpened", 4, {"dispute_id": "d1", "payment_id": "p1", "amount_minor": 500, "reason": "x", **GBP}),
        ("DisputeOpened", 4, {"dispute_id": "d2", "payment_id": "p1", "amount_minor": 70, "reason": "x", **GBP}),
        ("DisputeResolved", 5, {"dispute_id": "d2", "outcome": "won", "amount_minor": 70, **GBP}),
    )
    one = {"payment_id": "p1"}
    assert ask("payment.captured", one) == gbp(3000)
    assert ask("payment.refunded", one) == gbp(900)
    assert ask("payment.refunded", one, 4.5) == gbp(970)  # nothing was won by then
    assert ask("payment.captured", {"payment_id": "p2"}) is None  # of what was never taken nothing goes back
    assert ask("payment.refunded", {"payment_id": "p2"}) is None


def test_two_currencies_have_no_sum(tell, ask):
    tell(
        ("PaymentCaptured", 0, {"payment_id": "p1", "order_id": "o1", "amount_minor": 3000, **GBP}),
        ("PaymentCaptured", 0, {"payment_id": "p2", "order_id": "o1", "amount_minor": 3000, "currency": "EUR"}),
    )
    assert ask("order.captured", ORDER) is None


def test_refunds_see_the_disputes_of_the_orders_they_fall_on(tell, ask):
    tell(
        ("OrderPlaced", 0, order("o1", 2000)),
        ("DisputeOpened", 1, {"dispute_id": "d1", "order_id": "o1", "amount_minor": 1500, "reason": "x", **GBP}),
        (
            "StoreCreditIssued",
            1,
            {"credit_id": "c1", "customer_id": "17850", "order_id": "o1", "amount_minor": 30, **GBP},
        ),
    )
    evidence = {"lines": [{"sku": "MUG", "quantity": 1, "total_minor": 1000}]}
    found = ask("refund.orders", {"customer_id": "17850"}, evidence=evidence)
    assert found == [{"order_id": "o1", "amount": gbp(1000), "refunded": gbp(0), "disputed": gbp(1500), "credited": gbp(30), "captured": gbp(2000)}]  # fmt: skip
    assert ask("refund.orders", {"customer_id": "nobody"}, evidence=evidence) == []


def test_who_shares_a_device_or_an_address(tell, ask):
    tell(
        ("OrderPlaced", 28, order("o1", 1000, device_id="d1", address_id="a1")),
        ("OrderPlaced", 29.5, order("o2", 1000, device_id="d1", customer_id="2")),
        ("OrderPlaced", 29.6, order("o3", 1000, address_id="a1", customer_id="3")),
        ("RefundProcessed", 29.7, {"refund_id": "r1", "customer_id": "2", "amount_minor": 1, **GBP}),
        ("RefundProcessed", 29.8, {"refund_id": "r2", "customer_id": "17850", "amount_minor": 1, **GBP}),
    )
    assert ask("customer.shared", ORDER) == [{"by": "address", "refunds": 1}, {"by": "device", "refunds": 2}]
    assert ask("customer.shared", {"customer_id": "nobody"}) == []
    assert ask("order.same_device", {"order_id": "o2"}) == 1  # the other is older than a day
    assert ask("order.same_device", {"order_id": "o3"}) is None
    assert ask("order.same_address", {"order_id": "o3"}) == 1
    assert ask("customer.orders_before", {"order_id": "o9", "customer_id": "17850"}) == 1


def test_what_became_of_an_order(tell, ask):
    tell(("OrderPlaced", 0, order("o1", 1000)), ("OrderPlaced", 0, order("o2", 1000)))
    assert [ask("order.parcels", ORDER), ask("order.cancelled", ORDER), ask("order.units", ORDER)] == [0, False, 2]
    tell(("OrderFulfilled", 1, {"order_id": "o1"}), ("OrderCancelled", 1, {"order_id": "o2"}))
    assert ask("order.parcels", ORDER) == 1
    assert [ask("order.pieces", ORDER), ask("order.failed_payments", ORDER)] == [2, 0]
    tell(("PaymentFailed", 1, {"payment_id": "p", "order_id": "o1", "code": "declined"}))
    assert ask("order.failed_payments", ORDER) == 1
    assert ask("order.cancelled", {"order_id": "o2"}) is True


def test_what_campaigns_may_spend(tell, ask):
    campaign = {"campaign_id": "c1"}
    budget = {"platform": "tiktok", **GBP}
    tell(
        ("CampaignLaunched", 0, {"campaign_id": "c1", "daily_budget_minor": 5000, **budget}),
        ("CampaignLaunched", 0, {"campaign_id": "c2", "daily_budget_minor": 4000, **budget}),
        ("CampaignLaunched", 0, {"campaign_id": "c3", "daily_budget_minor": 3000, "ends_at": "2011-05-10T00:00:00Z", **budget}),
        ("AdSetScaled", 1, {"ad_set_id": "c2", "daily_budget_minor": 6000, **GBP}),
        ("AdSpendCharged", 29, {"charge_id": "1", "platform": "tiktok", "campaign_id": "c1", "amount_minor": 900, **GBP}),
        ("AdSpendCharged", 29.9, {"charge_id": "2", "platform": "tiktok", "campaign_id": "c2", "amount_minor": 700, **GBP}),
    )  # fmt: skip
    assert ask("ads.campaign_budget", campaign) == gbp(5000)
    assert ask("ads.campaign_budget", {"campaign_id": "c9"}) is None
    assert ask("ads.other_budgets", campaign) == gbp(6000)  # the third has ended
    assert ask("ads.spend", campaign) == gbp(900)
    assert ask("ads.spend_day", campaign, 29.5) == {"low": gbp(0), "high": gbp(6000)}
    assert ask("ads.spend_day", campaign) == {"low": gbp(700), "high": gbp(6000)}
    tell(
        ("AdSetPaused", 2, {"ad_set_id": "c1"}), ("CampaignLaunched", 2, {"campaign_id": "c4", "platform": "x", **GBP})
    )
    assert ask("ads.campaign_budget", campaign) == gbp(0)
    assert ask("ads.other_budgets", campaign) is None  # one without a budget may spend anything
    assert ask("ads.spend_day", campaign) is None


def test_what_suppliers_are_ordered_and_paid(tell, ask):
    paying = {"invoice_id": "i1", "supplier_id": "acme", "sku": "MUG"}
    lines = [{"sku": "MUG", "quantity": 100, "total_minor": 6000}]
    tell(
        ("SupplierQuoted", 0, {"quote_id": "q1", "supplier_id": "acme", "sku": "MUG", "unit_minor": 70, "valid_until": "2011-07-01T00:00:00Z", **GBP}),
        ("SupplierQuoted", 1, {"quote_id": "q2", "supplier_id": "acme", "sku": "MUG", "unit_minor": 60, **GBP}),
        ("PurchaseOrderPlaced", 2, {"purchase_order_id": "po1", "supplier_id": "acme", "total_minor": 6000, "lines": lines, **GBP}),
        ("InboundReceived", 3, {"inbound_id": "in1", "purchase_order_id": "po1", "lines": [{"sku": "MUG", "quantity": 30}]}),
        ("SupplierInvoiceReceived", 4, {"invoice_id": "i1", "supplier_id": "acme", "amount_minor": 2000, "purchase_order_id": "po1", **GBP}),
        ("SupplierInvoiceReceived", 4, {"invoice_id": "i2", "supplier_id": "acme", "amount_minor": 5000, "purchase_order_id": "po1", **GBP}),
        ("SupplierInvoiceReceived", 4, {"invoice_id": "i3", "supplier_id": "acme", "amount_minor": 9, **GBP}),
        ("SupplierPaid", 5, {"payment_id": "s1", "supplier_id": "acme", "invoice_id": "i1", "amount_minor": 500, **GBP}),
        ("SupplierPaid", 5, {"payment_id": "s2", "supplier_id": "acme", "invoice_id": "i2", "amount_minor": 4500, **GBP}),
    )  # fmt: skip
    assert ask("quote.unit", paying) == gbp(60)
    assert ask("quote.until", paying) is None
    assert ask("quote.until", paying, 0.5) == "2011-07-01T00:00:00Z"
    assert ask("orders.open", paying) == gbp(0)
    assert ask("orders.open", paying, 3) == gbp(6000)
    assert ask("stock.on_order", paying) == 70
    assert [ask(f"invoice.{name}", paying) for name in ("amount", "paid", "ordered")] == [
        gbp(2000),
        gbp(500),
        gbp(1500),
    ]
    assert ask("invoice.amount", {**paying, "supplier_id": "other"}) is None
    assert ask("invoice.ordered", {**paying, "invoice_id": "i3"}) is None


def test_where_money_goes_is_the_last_change_that_was_carried_out(tell, ask):
    def change(name, payee):
        params = {"change_id": name, "party": "acme", "payee": payee, "called_by": "ana"}
        return {"action_id": name, "kind": "payee.change", "params": params, "proposer": "x", "snapshot_id": "s"}

    asked = change("a2", "d2")["params"]
    tell(("ActionProposed", 0, change("a1", "d1")), ("ActionProposed", 1, change("a2", "d2")))
    assert [ask("payee.digest", {"supplier_id": "acme"}), ask("payee.changed_at", {"supplier_id": "acme"})] == [
        "",
        None,
    ]
    assert [ask("approvals.people", asked), ask("approvals.at", asked)] == [[], None]
    tell(
        ("ActionExecuted", 2, {"action_id": "a1", "verb": "v"}),
        ("ActionApproved", 3, {"action_id": "a2", "approver": "ben"}),
        ("ActionApproved", 4, {"action_id": "a2", "approver": "ana"}),
    )
    assert ask("payee.digest", {"creator_id": "acme"}) == "d1"
    assert ask("payee.changed_at", {"party": "acme"}) == "2011-05-04T09:00:00.000000Z"
    assert ask("approvals.people", asked) == ["ana", "ben"]
    assert ask("approvals.people", {**asked, "payee": "d3"}) == []  # an approval is of exactly these parameters
    assert ask("approvals.at", asked) == "2011-05-06T09:00:00.000000Z"


def test_what_a_creator_may_be_paid(tell, ask):
    mia = {"creator_id": "mia"}
    tell(
        ("CreatorOnboarded", 0, {"creator_id": "mia", "commission_rate": "0.15"}),
        ("CommissionEarned", 0, {"commission_id": "c1", "amount_minor": 500, "order_id": "o1", "eligible_at": "2011-05-20T00:00:00Z", **mia, **GBP}),
        ("CommissionEarned", 0, {"commission_id": "c2", "amount_minor": 300, "order_id": "o2", "eligible_at": "2011-07-01T00:00:00Z", **mia, **GBP}),
        ("CommissionEarned", 0, {"commission_id": "c3", "amount_minor": 200, **mia, **GBP}),
        ("CommissionReversed", 1, {"commission_id": "c1", "amount_minor": 100, **mia, **GBP}),
        ("PayoutProcessed", 2, {"payout_id": "p1", "amount_minor": 50, **mia, **GBP}),
        ("SampleSent", 10, {"sample_id": "m1", "sku": "MUG", "cost_minor": 900, **mia, **GBP}),
    )  # fmt: skip
    assert ask("creator.matured", mia) == gbp(350)
    assert ask("creator.matured", mia, 10) == gbp(-50)
    assert ask("creator.recent", mia) == gbp(400), "c1 became due on day 18, within the holdback's days"
    assert ask("creator.recent", mia, 10) == gbp(0)
    assert [ask("creator.rate", mia), ask("creator.rate_since", mia)] == ["0.15", "2011-05-02T09:00:00.000000Z"]
    assert ask("creator.rate", {"creator_id": "new"}) is None
    assert [ask("samples.month", mia, days) for days in (20, 40)] == [gbp(900), gbp(0)]


def test_what_is_on_hand_and_promised(tell, ask):
    mug = {"sku": "MUG", "channel": "tiktok", "listing_id": "l1"}
    assert ask("stock.on_hand", mug) is None
    tell(
        ("OrderPlaced", 0, order("o1", 1000)),
        ("StockAdjusted", 1, {"sku": "MUG", "delta": 0, "on_hand": 40}),
        ("StockReplenished", 2, {"sku": "MUG", "quantity": 10}),
        ("StockAdjusted", 3, {"sku": "MUG", "delta": -4}),
        ("OrderPlaced", 4, order("o2", 1000)),
        ("OrderFulfilled", 5, {"order_id": "o1", "lines": [{"sku": "MUG", "quantity": 1}]}),
        ("DefectReported", 6, {"defect_id": "d1", "sku": "MUG", "quantity": 3}),
        ("ListingBanned", 6, {"listing_id": "l0", "channel": "tiktok", "sku": "MUG", "reason": "x"}),
        ("ListingBanned", 6, {"listing_id": "l0", "channel": "ebay", "sku": "MUG", "reason": "x"}),
    )
    assert ask("stock.on_hand", mug) == {"low": 34, "high": 50}
    assert ask("stock.promised", mug) == 3
    assert [ask("sku.defects", mug), ask("listing.bans", mug)] == [3, 1]
    tell(("OrderCancelled", 7, {"order_id": "o2"}), ("StockOut", 8, {"sku": "MUG"}))
    assert ask("stock.on_hand", mug) == {"low": 0, "high": 0}
    assert ask("stock.promised", mug) == 1


def test_a_show_s_checklist(tell, ask):
    show = {"show_id": "s1", "sku": "MUG"}
    assert [ask("show.slots", show), ask("show.starts_at", show), ask("kill.tested_at", show)] == [None, None, None]
    tell(
        ("LiveShowScheduled", 0, {"show_id": "s1", "starts_at": "2011-06-01T18:00:00Z", "skus": ["MUG"]}),
        ("KillSwitchThrown", 1, {"scope": "all", "on": True, "by": "fay", "reason": "test"}),
        ("KillSwitchThrown", 2, {"scope": "all", "on": False, "by": "fay", "reason": "test"}),
        ("StockAdjusted", 20, {"sku": "MUG", "delta": 0, "on_hand": 40}),
    )
    assert ask("show.starts_at", show) == "2011-06-01T18:00:00Z"
    assert ask("show.slots", show) is None  # nobody ever paid a price for it
    tell(("OrderPlaced", 21, order("o1", 1000)))
    assert ask("show.slots", show) == [{"sku": "MUG", "available": 36, "price": gbp(500)}]
    assert ask("kill.tested_at", show) == "2011-05-04T09:00:00.000000Z"
    assert [ask("show.starts", show), ask("sku.live_shows", show)] == [0, 0]
    tell(("LiveShowStarted", 22, {"show_id": "s1"}))
    assert [ask("show.starts", show), ask("sku.live_shows", show)] == [1, 1]
    tell(("LiveShowEnded", 23, {"show_id": "s1"}))
    assert ask("sku.live_shows", show) == 0


def test_what_was_said_and_loosened(tell, ask):
    reply = {"ticket_id": "t1", "action_id": "a0"}
    proposed = {"action_id": "a1", "kind": "reply.send", "params": {"ticket_id": "t1"}, "proposer": "x", "snapshot_id": "s"}  # fmt: skip
    tell(
        ("ActionProposed", 0, proposed),
        ("ActionShadowed", 0, {"action_id": "a1", "risk": "L1", "amount_minor": None, "verb": "v", "request_digest": "0" * 64}),
        ("PolicyUpdated", 0, {"policy": "p", "version": "1", "loosens": True}),
        ("PolicyUpdated", 1, {"policy": "p", "version": "2"}),
    )  # fmt: skip
    assert [ask("ticket.replies", reply), ask("reply.action_done", reply)] == [1, False]
    tell(("ActionExecuted", 1, {"action_id": "a0", "verb": "v"}))
    assert ask("reply.action_done", reply) is True
    assert [ask("policy.loosened", {}, days) for days in (30, 100)] == [1, 0]


def test_every_fact_is_asked_for_here_or_beside():
    from pathlib import Path

    text = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("test_*.py"))
    parts = {"order.captured", "order.refunded", "order.disputed", "order.credited", "order.total"}
    parts |= {"invoice.amount", "invoice.paid", "invoice.ordered"}
    assert {name for name in FACTS - parts if f'"{name}"' not in text} == set()
