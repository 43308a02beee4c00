"""Bills into the database, audited into breaks: kept once, superseded with a trace, resolved by rule with the posting that
the books allow, told of once; and nobody changes a line, whoever writes.
"""

from datetime import timedelta

import psycopg
import pytest

from steward.contracts.event import Envelope
from steward.kernel.errors import BadInput

pytestmark = pytest.mark.db
HEAD = "invoice_id,service_date,order_id,service,amount,currency\n"
DAY = "2011-05-03"


def event(event_type, name, at, **data):
    return Envelope(
        id=f"{event_type}/{name}", source="shop", type=event_type, subject=f"order/{name}", time=at, data=data
    )


def bill(*rows, number="w1"):
    """(order, service, amount) each."""
    text = "".join(f"{number},{DAY},{order},{service},{amount},USD\n" for order, service, amount in rows)
    return (HEAD + text).encode()


RIGHT = (("o1", "pick_pack", "3.00"), ("o1", "parcel", "6.00"), ("o2", "pick_pack", "3.00"))
WRONG = (*RIGHT, ("o2", "parcel", "7.50"), ("o2", "pick_pack", "3.00"), ("o9", "parcel", "6.00"))


@pytest.fixture
def desk(shop):
    """A shop that sent two orders on the day the bill is about."""
    shop.clock.advance(timedelta(days=1))
    at = shop.clock.now()
    facts = [
        event("OrderPlaced", f"o{n}", at, order_id=f"o{n}", currency="USD", total_minor=5000, lines=[]) for n in (1, 2)
    ]
    facts += [event("OrderFulfilled", f"o{n}", at, order_id=f"o{n}", fulfilment_id=f"f{n}") for n in (1, 2)]
    shop.app.events.append(facts)
    shop.app.events.sequence()
    shop.clock.advance(timedelta(days=7))
    return shop


def take(shop, *rows, number="w1", name="bill.csv", vendor="warehouse-3pl"):
    return shop.app.invoices.take(vendor, name, bill(*rows, number=number), "ana")


def booked(shop, amount, number="w1"):
    data = {"invoice_id": number, "provider": "warehouse-3pl", "currency": "USD", "amount_minor": amount}
    shop.take_in(event("ThirdPartyInvoiceReceived", number, shop.clock.now(), service="fulfilment", **data))


def breaks(shop, state="open"):
    return {one["type"]: one for one in shop.app.reconciliation.breaks(state)}


def test_a_right_bill_is_agreed_the_same_file_a_no_op_and_another_number_billed_twice(desk):
    made = take(desk, *RIGHT)
    assert (made["outcome"], made["lines"], made["totals"]) == ("taken", 3, {"USD": 1200})
    assert take(desk, *RIGHT)["outcome"] == "known"
    report = desk.app.invoices.audit("ana")
    assert (report["lines"], report["breaks"], report["conserved"]) == (3, 0, True)
    assert (report["billed_minor"], report["agreed_minor"], report["disputed_minor"]) == (
        {"USD": 1200},
        {"USD": 1200},
        {"USD": 0},
    )
    assert desk.one("SELECT count(*) FROM invoice_line") == 3
    # The same under another number is billed twice.
    take(desk, *RIGHT, number="w2")
    report = desk.app.invoices.audit("ana")
    assert (report["by_type"], report["reclaim_minor"]) == ({"invoice_twice": 3}, {"USD": 1200})
    assert {one["items"][0]["key"].split("/")[1] for one in desk.app.reconciliation.breaks()} == {"w2"}


def test_each_wrong_line_is_a_break_with_its_money_and_words_told_once_and_over_when_it_is_right(desk):
    take(desk, *WRONG)
    report = desk.app.invoices.audit("ana")
    assert report["by_type"] == {"invoice_overcharge": 1, "invoice_twice": 1, "invoice_unordered": 1}
    assert report["reclaim_minor"] == {"USD": 150 + 300 + 600}
    found = breaks(desk)
    assert {name: one["amount_minor"] for name, one in found.items()} == {
        "invoice_overcharge": 150, "invoice_twice": 300, "invoice_unordered": 600,
    }  # fmt: skip
    one = found["invoice_overcharge"]
    assert (one["side"], one["provider"], one["items"][0]["key"]) == ("invoice", "warehouse-3pl", "warehouse-3pl/w1/5")
    assert one["suggestion"].startswith(
        "claim USD 1.50 back from warehouse-3pl: line 5 of w1 bills USD 7.50 for parcel o2"
    )
    (listed,) = desk.app.invoices.listed()
    assert (listed["number"], listed["open_breaks"], listed["reclaim"]) == ("w1", 3, {"USD": 1050})
    assert listed["booked_minor"] is None
    assert desk.app.invoices.claim("warehouse-3pl")["totals"] == {"USD": 1050}
    desk.app.events.sequence()
    told = [e.envelope.data for e in desk.app.events.read(types=["ReconciliationMismatch"])]
    assert sorted((one["code"], one["actual_minor"] - one["expected_minor"]) for one in told) == [
        ("invoice_overcharge", 150), ("invoice_twice", 300), ("invoice_unordered", 600),
    ]  # fmt: skip
    again = desk.app.invoices.audit("ana")
    assert again["breaks"] == 3
    desk.app.events.sequence()
    assert len(desk.app.events.read(types=["ReconciliationMismatch"])) == 3, "what is known is not told again"
    # What happened later ends the break; every run is kept.
    desk.app.events.append([event("OrderFulfilled", "o9", desk.clock.now(), order_id="o9", fulfilment_id="f9")])
    desk.app.events.sequence()
    assert desk.app.invoices.audit("ana")["breaks"] == 2
    (over,) = desk.app.reconciliation.breaks("gone")
    assert (over["type"], over["ended"]) == ("invoice_unordered", "no audit finds it any more")
    assert desk.one("SELECT count(*) FROM recon_run WHERE side = 'invoice'") == 3


def test_a_claim_gives_back_what_the_books_hold_too_much_once_and_what_is_accepted_nothing(desk):
    booked(desk, 2850)
    take(desk, *WRONG)
    desk.app.invoices.audit("ana")
    one = breaks(desk)["invoice_twice"]
    assert [(way["how"], (way["posting"] or {}).get("amount_minor")) for way in one["ways"]] == [
        ("claim", 300),
        ("accept", None),
    ]
    done = desk.app.reconciliation.resolve(one["id"], "claim", "ana", "billed twice")
    assert done["posting"] == {
        "debit": "liabilities:payable:suppliers", "credit": "expenses:fulfilment", "amount_minor": 300, "currency": "USD",
    }  # fmt: skip
    desk.app.events.sequence()
    desk.app.money_events.post_pending()
    rows = desk.rows(
        "SELECT a.code, b.amount_minor FROM balance b JOIN account a USING (account_id) WHERE a.currency = 'USD'"
    )
    balances = dict(rows)
    assert (balances["expenses:fulfilment"], balances["liabilities:payable:suppliers"]) == (2550, -2550)
    assert desk.app.books.check().violations == []
    report = desk.app.invoices.audit("ana")
    assert (report["breaks"], report["settled"], report["conserved"]) == (2, 1, True)
    posts = {one["type"]: one["ways"][0]["posting"]["amount_minor"] for one in breaks(desk).values()}
    assert posts == {"invoice_overcharge": 150, "invoice_unordered": 600}
    # What is accepted posts nothing, and is not raised again either.
    (listed,) = desk.app.invoices.listed("warehouse-3pl")
    assert (listed["booked_minor"], listed["booked_currency"], listed["totals"]) == (2850, "USD", {"USD": 2850})
    accepted = breaks(desk)["invoice_overcharge"]["id"]
    assert desk.app.reconciliation.resolve(accepted, "accept", "ana", "the price rose")["posting"] is None
    assert desk.app.invoices.audit("ana")["settled"] == 2
    assert set(breaks(desk)) == {"invoice_unordered"}


def test_a_bill_that_the_books_hold_at_less_posts_less(desk):
    """The books are told later what is owed: the dispute is the same and told once, its posting another."""
    take(desk, *WRONG)
    desk.app.invoices.audit("ana")
    assert {way["posting"] is None for one in breaks(desk).values() for way in one["ways"]} == {True}
    booked(desk, 2000)
    desk.app.invoices.audit("ana")
    posts = {one["type"]: (one["ways"][0]["posting"] or {}).get("amount_minor", 0) for one in breaks(desk).values()}
    assert posts == {"invoice_overcharge": 150, "invoice_twice": 50, "invoice_unordered": 0}
    desk.app.events.sequence()
    assert len(desk.app.events.read(types=["ReconciliationMismatch"])) == 3


def test_a_corrected_bill_takes_the_place_of_the_one_before_with_a_trace(desk):
    first = take(desk, *WRONG)
    desk.app.invoices.audit("ana")
    second = take(desk, *RIGHT, ("o2", "parcel", "6.00"), name="corrected.csv")
    (made,) = second["invoices"]
    assert (made["outcome"], made["supersedes"]) == ("corrected", first["invoices"][0]["id"])
    assert desk.app.invoices.audit("ana")["breaks"] == 0
    assert len(desk.app.reconciliation.breaks("gone")) == 3
    (listed,) = desk.app.invoices.listed()
    assert (listed["version"], listed["open_breaks"]) == (2, 0)
    assert desk.one("SELECT count(*) FROM invoice WHERE superseded_by IS NOT NULL") == 1
    assert take(desk, *RIGHT, ("o2", "parcel", "6.00"), name="other.csv")["outcome"] == "known"
    renamed = HEAD.encode() + b"\n" + bill(*RIGHT, ("o2", "parcel", "6.00"))[len(HEAD) :]
    moved = desk.app.invoices.take("warehouse-3pl", "moved.csv", renamed, "ana")
    assert moved["invoices"][0]["outcome"] == "known", "the same lines elsewhere in a file say nothing new"


def test_what_is_refused_is_kept_with_its_line_and_reason_and_nobody_changes_what_is_kept(desk):
    made = take(desk, ("o1", "pick_pack", "three"))
    assert (made["outcome"], made["rejected"][0]["line"]) == ("refused", 2)
    assert desk.one("SELECT count(*) FROM invoice") == 0
    (refused,) = desk.app.invoices.refused()
    assert (refused["vendor"], refused["refused_line"]) == ("warehouse-3pl", 2)
    kept = [path for path in (desk.app.settings.home / "invoice-files").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in kept] == [bill(("o1", "pick_pack", "three"))]
    # Nobody without a contract, nobody else's bill.
    with pytest.raises(BadInput, match="no contract"):
        take(desk, *RIGHT, vendor="globex")
    with pytest.raises(BadInput, match="mapping"):
        desk.app.invoices.take("warehouse-3pl", "x.csv", b"a\n1\n", "ana", {"nonsense": 1})
    head = "invoice_id,invoice_date,due_date,supplier_id,purchase_order_id,sku,quantity,unit_price,amount,currency\n"
    content = (head + f"i1,{DAY},{DAY},supplier-03,po-7,MUG,1,2.50,2.50,USD\n").encode()
    assert desk.app.invoices.take("supplier-04", "a.csv", content, "ana")["rejected"][0]["reason"].startswith(
        "the bill is of"
    )
    assert desk.app.invoices.take("supplier-03", "a.csv", content, "ana")["outcome"] == "taken"
    other = content.replace(b"supplier-03", b"somebody")
    assert desk.app.invoices.take("suppliers", "b.csv", other, "ana")["outcome"] == "refused"
    # The application's role changes no line, no bill and no file.
    for attempt in (
        "UPDATE invoice_line SET amount_minor = 0",
        "DELETE FROM invoice_line",
        "UPDATE invoice SET totals = '{}'",
        "DELETE FROM invoice",
        "UPDATE invoice_file SET vendor = 'x'",
        "DELETE FROM invoice_file",
    ):
        wrong = (psycopg.errors.InsufficientPrivilege, psycopg.errors.RestrictViolation)
        with pytest.raises(wrong), desk.app.database.transaction() as connection:
            connection.execute(attempt)
