"""From a supplier's bill to a landed payment: audited, due, undisputed, agreed to, sent once through the bank, shown by its
statement; and every way round that: unaudited, disputed, twice, to somebody else, by an agent, by the application's SQL role.
"""

import json
import shutil
import threading
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID, uuid5

import psycopg
import pytest
from tests.integration.conftest import T0, Shop
from tests.integration.payouts.people import People, fact
from tests.integration.reconciliation.test_reconciling import camt

from steward.bootstrap import App
from steward.contracts.action import ActionProposal, Principal
from steward.infra.clock import FrozenClock
from steward.infra.settings import Settings
from steward.infra.vault import Vault
from steward.kernel.canonical import digest_hex

pytestmark = pytest.mark.db
CATALOG = Path(__file__).parents[3] / "src/steward/catalog"
ACCOUNT = "11111111-2222-4333-8444-555555555555"
SPACE = UUID(ACCOUNT)
SUPPLIER = "supplier-03"
ADDRESS = f"mercury:{uuid5(SPACE, SUPPLIER)}"
HEAD = "invoice_id,invoice_date,due_date,supplier_id,purchase_order_id,sku,quantity,unit_price,amount,currency\n"
DAY = "2011-05-03"
WEEKS = 14


class FakeMercury(BaseHTTPRequestHandler):
    """A fake bank with Mercury's paths: an account, transfers under their key, and what became of each."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])), parse_float=Decimal)
        self.server.posts += 1
        key = asked["idempotencyKey"]
        again = key in self.server.sent
        one = self.server.sent.setdefault(key, {"id": str(uuid5(SPACE, key)), **asked})
        self.answer(409 if again else 200, one)

    def do_GET(self):
        name = self.path.rpartition("/")[2]
        if name == ACCOUNT:
            self.reply(200, json.dumps({"id": ACCOUNT, "status": "active", "availableBalance": 1, "currentBalance": 1}))
            return
        self.answer(200, next(one for one in self.server.sent.values() if one["id"] == name))

    def answer(self, status, one):
        told = {
            "id": one["id"],
            "status": "sent",
            "counterpartyId": one["recipientId"],
            "externalMemo": one["externalMemo"],
        }
        self.reply(status, json.dumps(told)[:-1] + f', "amount": -{one["amount"]}}}')

    def reply(self, status, text):
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        """Say nothing."""


class House(People):
    """A shop in dollars that ordered a hundred mugs at three dollars and got them, people with keys, and a fake bank."""

    def __init__(self, shop, server):
        super().__init__(shop, server)
        at, usd = self.clock.now(), {"currency": "USD"}
        of = {"supplier_id": SUPPLIER, "purchase_order_id": "po1", **usd}
        mugs = {"sku": "MUG", "quantity": 100}
        self.shop.take_in(
            fact(
                "OpeningBalancePosted",
                "bank",
                at,
                account="assets:bank",
                amount_minor=10_000_000,
                as_of=text(at),
                **usd,
            ),
            fact("PurchaseOrderPlaced", "po1", at, total_minor=30_000, lines=[{**mugs, "total_minor": 30_000}], **of),
            fact("InboundReceived", "in1", at, inbound_id="in1", lines=[mugs], cost_minor=30_000, **of),
        )
        self.let_in()
        for week in range(1, WEEKS + 1):  # the books know the pace of cash
            self.clock.advance(timedelta(weeks=1))
            sale = {"debit": "assets:bank", "credit": "income:sales", "reason": "cash", "corrects": f"brk_{week}"}
            at, own = self.clock.now(), {"adjustment_id": f"a{week}", "amount_minor": 100}
            self.shop.take_in(fact("AccountAdjusted", f"a{week}", at, **own, **sale, **usd))
        self.clock.advance(timedelta(minutes=1))

    def let_in(self, party=SUPPLIER, address=ADDRESS, name="Mugs and Sons"):
        return super().let_in(party, address, name)

    def bill(self, number, amount, due=0, **more):
        """A bill comes into the books."""
        at = self.clock.now()
        data = {"invoice_id": number, "supplier_id": SUPPLIER, "currency": "USD", "purchase_order_id": "po1"}
        data |= {"amount_minor": amount, "due_at": text(at + timedelta(days=due)), **more}
        self.shop.take_in(fact("SupplierInvoiceReceived", f"{data['supplier_id']}-{number}", at, **data))
        self.clock.advance(timedelta(minutes=1))

    def paper(self, number, quantity, amount, name="bill.csv"):
        """The bill itself, line by line."""
        row = f"{number},{DAY},{DAY},{SUPPLIER},po1,MUG,{quantity},3.00,{amount},USD\n"
        taken = self.app.invoices.take(SUPPLIER, name, (HEAD + row).encode(), "ana")
        assert taken["outcome"] == "taken", taken

    def audit(self):
        return self.app.invoices.audit("ana")

    def waits(self):
        made = self.prepared()
        assert made["payouts"] == []
        return [(one["invoice_id"], one["code"], one["waiting"]) for one in made["waiting"]]

    def pay(self, payout, key=None):
        assert self.agree(payout, key or self.ben)["state"] == "ready"
        self.send()

    def act(self, key, amount, **params):
        """An action that an agent proposes by itself."""
        given = {"payment_id": key, "invoice_id": "i1", "supplier_id": SUPPLIER, "payee": ADDRESS, "reference": "PAY1"}
        made = self.app.control.act(
            ActionProposal(
                id=f"act_{digest_hex(key)[:32]}",
                key=f"supplier.pay:{key}",
                kind="supplier.pay",
                params={**given, "amount": {"amount_minor": amount, "currency": "USD"}, **params},
                principal=Principal(id="bot"),
                at=self.clock.now(),
            )
        )
        return self.app.gateway.action(made.action_id)


def text(at):
    return at.isoformat().replace("+00:00", "Z")


@pytest.fixture(scope="module")
def dollars(tmp_path_factory):
    """The shipped catalog for a business whose money is dollars, as Mercury's is."""
    from steward.catalog import load_catalog

    folder = tmp_path_factory.mktemp("dollars") / "catalog"
    shutil.copytree(CATALOG, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", "*.gz"))
    for file in [*folder.rglob("*.yaml"), folder / "theorems.json", folder / "dead_rules.json"]:
        if file.name != "reconciliation.yaml":  # it has both
            file.write_text(file.read_text(encoding="utf-8").replace("GBP", "USD"), encoding="utf-8")
    return load_catalog(folder)


@pytest.fixture(scope="module")
def prover(dollars):
    from steward.checking import build_verifier

    with build_verifier(dollars) as made:
        yield made


@pytest.fixture
def house(fresh, tmp_path, dollars, prover):
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeMercury)
    server.sent, server.posts = {}, 0
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    clock = FrozenClock(T0)
    shop = Shop(App(Settings(tmp_path / "home", None, "127.0.0.1", 0), fresh.app, dollars, clock), clock, fresh.owner)
    shop.app.verifier = prover
    shop.app.vault = Vault(
        keys={"mercury_token": "token-of-the-shop"},
        addresses={"mercury": f"http://127.0.0.1:{server.server_port}"},
        settings={"mercury_account_id": ACCOUNT},
    )
    assert shop.app.tools.check("mercury").passed
    yield House(shop, server)
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_due_audited_bill_is_prepared_agreed_to_sent_once_shown_by_the_bank_and_settled(house):
    house.bill("i1", 15_000)
    assert house.waits() == [("i1", "not_audited", {"not_audited": 15_000})]
    house.paper("i1", 50, "150.00")
    assert house.audit()["breaks"] == 0
    made = house.prepared()
    (payout,) = made["payouts"]
    assert (payout["who"], payout["supplier_id"], payout["invoice_id"]) == ("supplier", SUPPLIER, "i1")
    assert (payout["amount_minor"], payout["intact"], payout["action_state"]) == (15_000, True, "awaiting_approval")
    action = house.app.gateway.action(payout["action_id"])
    assert (action.result["risk"], action.result["approver"]) == ("L2", "manager")
    assert action.result["reason"].startswith("L2"), "no rule but the level asks for a person"
    assert house.waits() == []
    house.send()
    assert house.server.posts == 0, "nothing leaves before somebody agrees"

    # Nobody pays the same bill again, the rest of it, or anything under this number.
    assert house.act("p2", 1).result["code"] == "over_invoice"
    assert "payment-once" in house.act("p3", 1, payment_id=payout["payout_id"]).result["determining"]
    house.pay(payout)
    house.send()
    (sent,) = house.server.sent.values()
    assert (sent["recipientId"], sent["externalMemo"]) == (ADDRESS.partition(":")[2], payout["reference"])
    assert (house.server.posts, sent["amount"], house.state(payout)) == (1, 150, "sent")
    (paid,) = house.told("SupplierPaid")
    assert (paid["payment_id"], paid["invoice_id"], paid["amount_minor"]) == (payout["payout_id"], "i1", 15_000)
    owed = house.shop.one(
        "SELECT b.amount_minor FROM balance b JOIN account USING (account_id) WHERE code = 'liabilities:payable:suppliers'"
    )
    assert owed == 0
    assert house.waits() == [], "a bill that is paid is not owed"
    assert house.act("p4", 1).result["code"] == "over_invoice"

    day = f"{house.clock.now():%Y-%m-%d}"
    paper = camt(-15_000, payout["reference"], day, "s1", 20_000)
    assert house.app.settlement_files.take("camt", "bank.xml", paper, "ana")["outcome"] == "taken"
    run = house.app.reconciliation.run("bank", "ana", house.clock.now() + timedelta(days=1))
    assert (run["matched"], run["breaks"], run["conserved"]) == (1, 0, True)
    house.send()
    assert house.state(payout) == "landed"
    assert [one["invoice_id"] for one in house.told("SupplierPaymentLanded")] == ["i1"]
    house.app.effects.follow_evidence()
    assert house.app.effects.state(payout["action_id"]).state == "settled"
    assert house.app.books.check().violations == []
    assert house.app.auditor.verify().invalid == []


def test_of_a_disputed_bill_the_undisputed_part_is_paid_and_the_rest_when_the_dispute_is_settled(house):
    house.bill("i1", 27_000)
    house.paper("i1", 80, "270.00")  # eighty mugs at three dollars are 240
    house.audit()
    one = house.prepared()
    (payout,) = one["payouts"]
    assert (payout["amount_minor"], one["waiting"][0]["waiting"]) == (24_000, {"disputed": 3_000})
    assert house.act("p1", 1).result["code"] == "in_dispute"
    house.pay(payout)
    assert house.state(payout) == "sent"
    assert house.waits() == [("i1", "disputed", {"disputed": 3_000})]
    # What is claimed stays here for good; what is accepted is owed.
    (found,) = house.app.reconciliation.breaks()
    house.app.reconciliation.resolve(found["id"], "claim", "ana", "thirty dollars too many")
    house.audit()
    assert house.waits() == [("i1", "disputed", {"disputed": 3_000})]
    assert house.act("p2", 1).result["code"] == "in_dispute"
    house.bill("i2", 3_300)
    house.paper("i2", 10, "33.00")
    house.audit()
    (found,) = house.app.reconciliation.breaks()
    house.app.reconciliation.resolve(found["id"], "accept", "ana", "they are nicer than we thought")
    assert [one["amount_minor"] for one in house.prepared()["payouts"]] == [3_300]


def test_tax_of_what_is_in_dispute_and_what_the_bill_does_not_say_is_not_paid_and_a_correction_is_audited_anew(house):
    house.bill("i1", 12_000, tax_minor=2_000)
    house.paper("i1", 30, "93.01")  # the books hold 100.00, the bill says 93.01, three times thirty are 90.00
    house.audit()
    disputed = house.app.settled.fact("invoice.disputed", {"supplier_id": SUPPLIER, "invoice_id": "i1"})
    assert disputed == {"amount_minor": 1_200, "currency": "USD"}, "10.00 and a fifth of it"
    house.paper("i1", 30, "90.00", "corrected.csv")
    assert house.waits() == [("i1", "not_audited", {"not_audited": 12_000})]
    house.audit()
    (payout,) = house.prepared()["payouts"]
    assert payout["amount_minor"] == 10_800
    # What was prepared on a bill that was corrected meanwhile does not go out, whoever agrees.
    house.paper("i1", 30, "89.00", "again.csv")
    done = house.agree(payout, house.ben)
    assert (done["state"], done["code"]) == ("rejected", "no_longer_allowed"), done
    house.send()
    assert house.server.posts == 0
    assert house.state(payout) == "dropped"


def test_a_bill_that_could_be_audited_is_refused_before_and_one_that_nobody_can_is_a_persons(house):
    house.bill("i1", 15_000)
    assert house.act("p1", 100).result["code"] == "not_audited"
    house.bill("x1", 300_000, supplier_id="acme", purchase_order_id=None)
    assert [one[:2] for one in house.waits()] == [("i1", "not_audited"), ("x1", "no_payee")]
    house.let_in("acme", f"mercury:{uuid5(SPACE, 'acme')}")
    house.clock.advance(timedelta(days=31))
    made_up = {"invoice_id": "x2", "supplier_id": "acme", "payee": f"mercury:{uuid5(SPACE, 'acme')}"}
    assert house.act("p2", 100, **made_up).result["code"] == "not_audited", "the books know no such bill"
    (payout,) = house.prepared()["payouts"]
    action = house.app.gateway.action(payout["action_id"])
    assert (action.outcome, action.result["risk"]) == ("held", "L3")
    assert "invoice.audited" in action.result["reason"]
    assert "nobody can audit it" in house.app.approvals.show(action.id)["why"]
    assert house.agree(payout, house.ben)["code"] == "wrong_role", "above payment_founder the founder decides"
    house.pay(payout, house.ana)
    assert house.state(payout) == "sent"


def test_bills_are_paid_when_they_are_due_the_oldest_first_and_payments_by_hand_are_taken_off(house):
    house.bill("late", 3_000, due=20)
    house.bill("soon", 6_000, due=6)
    house.bill("now", 9_000, due=-3)
    for number, quantity, amount in (("late", 10, "30.00"), ("soon", 20, "60.00"), ("now", 30, "90.00")):
        house.paper(number, quantity, amount)
    assert house.audit()["breaks"] == 0
    by_hand = {"supplier_id": SUPPLIER, "currency": "USD", "amount_minor": 1_000}
    house.shop.take_in(fact("SupplierPaid", "h1", house.clock.now(), payment_id="h1", **by_hand))
    house.shop.take_in(fact("SupplierPaid", "h2", house.clock.now(), payment_id="h2", invoice_id="soon", **by_hand))
    made = house.prepared()
    assert [(one["invoice_id"], one["amount_minor"]) for one in made["payouts"]] == [("now", 8_000), ("soon", 5_000)]
    assert [(one["invoice_id"], one["waiting"]) for one in made["waiting"]] == [("late", {"not_due": 3_000})]
    rows = house.shop.rows(
        "SELECT proposal->'params'->>'invoice_id' FROM action WHERE kind = 'supplier.pay' ORDER BY ctid"
    )
    assert rows == [("now",), ("soon",)], "money that is short pays the longest due"
    assert [one["payout_id"] for one in house.app.payouts.listed(who="supplier", party=SUPPLIER)]
    assert house.app.payouts.listed(who="creator") == []
    # A no frees the bill.
    assert house.app.payouts.reject(made["payouts"][0]["payout_id"], house.ben, "cli", "later")["state"] == "rejected"
    assert [one["invoice_id"] for one in house.prepared(who="supplier")["payouts"]] == ["now"]


def test_money_that_is_short_pays_the_longest_due_and_more_than_was_ordered_waits(house):
    """Nothing is proposed that the rules would refuse: refusals are violations of whoever proposes."""
    for number, quantity, amount, due in (("a", 30, 9_000, -3), ("b", 40, 12_000, -2), ("c", 10, 3_000, -1)):
        house.bill(number, amount, due=due)
        house.paper(number, quantity, f"{amount // 100}.00")
    house.bill("d", 31_000)
    house.paper("d", 20, "60.00")
    house.audit()
    free = house.app.money.fact("cash.free", {}, house.clock.now())["amount_minor"]
    house.app.ledger.set_limits("assets:bank", "USD", free - 10_000, None, "ana", "kept for refunds")
    made = house.prepared()
    assert [(one["invoice_id"], one["amount_minor"]) for one in made["payouts"]] == [("a", 9_000)]
    waits = {one["invoice_id"]: one["code"] for one in made["waiting"]}
    assert waits == {"b": "reserve", "c": "reserve", "d": "reserve"}
    by_hand = {"supplier_id": SUPPLIER, "currency": "USD", "amount_minor": 25_000, "invoice_id": "z"}
    house.app.ledger.set_limits("assets:bank", "USD", free - 36_000, None, "ana", "less is kept")
    house.bill("z", 25_000)
    house.shop.take_in(fact("SupplierPaid", "h1", house.clock.now(), payment_id="h1", **by_hand))
    house.clock.advance(timedelta(minutes=1))
    waits = {one["invoice_id"]: one["code"] for one in house.prepared()["waiting"]}
    assert waits == {"b": "over_order", "c": "reserve", "d": "over_order"}, "the order leaves room for fifty dollars"
    assert house.told("InvariantViolated") == []


def test_nobody_is_paid_elsewhere_and_no_agent_and_no_sql_of_ours_lets_a_payment_go(house):
    house.bill("i1", 15_000)
    house.paper("i1", 50, "150.00")
    house.audit()
    thief = f"mercury:{uuid5(SPACE, 'thief')}"
    assert house.act("p1", 100, payee=thief).result["code"] == "unknown_payee"
    assert "pay-confirmed-details" in house.act("p2", 100, supplier_id="acme").result["determining"]
    (payout,) = house.prepared()["payouts"]
    stopped = house.app.payees.change(SUPPLIER, thief, "Mugs and Sons", "ben", "fay")
    assert (stopped["outcome"], stopped["code"]) == ("refused", "payment_on_its_way")
    assert house.agree(payout, house.bot)["code"] == "wrong_role"
    uuid = UUID(payout["action_id"][4:])
    for statement, values in [
        ("UPDATE effect SET state = 'executing', fence = fence + 1 WHERE action_id = %s", [uuid]),
        ("UPDATE effect SET quorum = 0 WHERE action_id = %s", [uuid]),
        ("UPDATE payout SET payee = 'mercury:thief' WHERE payout_id = %s", [payout["payout_id"]]),
        ("UPDATE payout SET invoice_id = 'i2' WHERE payout_id = %s", [payout["payout_id"]]),
        ("UPDATE payout_line SET amount_minor = 1 WHERE payout_id = %s", [payout["payout_id"]]),
        ("DELETE FROM invoice_audited", []),
        ("UPDATE gate_floor SET quorum = 0 WHERE kind = 'supplier.pay'", []),
    ]:
        with pytest.raises(psycopg.Error), house.app.database.transaction() as connection:
            connection.execute(statement, values)
    with house.app.database.transaction() as connection:
        connection.execute("UPDATE effect SET state = 'ready' WHERE action_id = %s", [uuid])
    with pytest.raises(psycopg.Error, match="an action goes out with 1 approvals, not 0"):
        house.send()
    assert house.server.posts == 0
