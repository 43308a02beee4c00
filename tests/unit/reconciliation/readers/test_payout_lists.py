"""Lists of payouts: one line each, under the file's own name, so that they never stand in for a payout's own statement."""

from steward.reconciliation.readers import read

STRIPE = """payout_id,effective_at,currency,gross,fee,net,reporting_category,balance_transaction_id,description
po_A1,2026-03-04 00:00:00,usd,-79.35,0.00,-79.35,payout,txn_9,STRIPE PAYOUT
po_A2,2026-03-05 00:00:00,usd,-10.00,0.10,-10.10,payout,txn_10,STRIPE PAYOUT
po_A1,2026-03-06 00:00:00,usd,79.35,0.00,79.35,payout_reversal,txn_11,STRIPE PAYOUT FAILURE
"""


def test_stripe_payouts_are_lines_of_one_list():
    reading = read("stripe", STRIPE.encode(), "payouts-march.csv")
    assert (reading.refused, reading.format, reading.verified) == (None, "stripe payouts itemised", False)
    statement = reading.statements[0]
    assert (len(reading.statements), statement.id, statement.payout_id) == (1, "payouts-march USD", None)
    assert [(x.type, x.net_minor, dict(x.refs)["payout"]) for x in statement.lines] == [
        ("payout", -7935, "po_A1"),
        ("payout", -1010, "po_A2"),
        ("payout_reversal", 7935, "po_A1"),
    ]


def test_a_payout_in_a_balance_report_has_no_statement_of_its_own():
    text = STRIPE.replace("payout_id,", "source_id,")
    statement = read("stripe", text.encode(), "balance-march.csv").statements[0]
    assert (statement.id, statement.payout_id) == ("balance-march USD", None)
    assert ("payout", "po_A1") in statement.lines[0].refs


def test_other_lists_of_payouts(own):
    for name in ("shopify_payouts.json", "checkoutcom_payouts.csv"):
        (statement,) = own(name).statements
        assert statement.payout_id is None
        assert {line.type for line in statement.lines} == {"payout", "payout_reversal"}
        assert all(dict(line.refs)["payout"] == line.key for line in statement.lines)
