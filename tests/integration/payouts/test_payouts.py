"""From commissions to a landed payout: what is owed, two people for an address, the founder for each payout, sent once
through the gateway, shown by a statement; and every way round them, as the application's SQL role too.
"""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import psycopg
import pytest
from tests.integration.payouts.people import People, fact

from steward.contracts.action import ActionProposal, Principal
from steward.infra.vault import Vault
from steward.kernel.errors import BadInput

pytestmark = pytest.mark.db
HEAD = (
    "automatic_payout_id,automatic_payout_effective_at,balance_transaction_id,created,available_on,currency,gross,fee,"
    "net,reporting_category,source_id,charge_id,payment_intent_id,payment_method_type,description\n"
)
MIA = "paypal:MIAPAYERID123"
STL = """"RH","2011/06/12 02:00:00 +0000","A","ACCOUNT1",11
"FH",1
"SH","2011/06/11 00:00:00 +0000","2011/06/11 23:59:59 +0000","ACCOUNT1"
"CH","Transaction ID","Invoice ID","PayPal Reference ID","PayPal Reference ID Type","Transaction Event Code",\
"Transaction Initiation Date","Transaction Completion Date","Transaction Debit or Credit","Gross Transaction Amount",\
"Gross Transaction Currency","Fee Debit or Credit","Fee Amount","Fee Currency","Custom Field","Consumer ID",\
"Payment Tracking ID","Store ID","Bank Reference ID","Credit Transactional Fee","Credit Promotional Fee","Credit Term"
"SB","T1","","","","T0001","2011/06/11 09:30:00 +0000","2011/06/11 09:30:00 +0000","DR",{amount},"GBP","","","",\
"{reference}","","","","","","",""
"SF","GBP",0,{amount},0,0,"CR",0,"CR",0,"CR",0,"CR",0,"CR",0,"CR",0,1
"SC",1
"RF","GBP",0,{amount},0,0,"CR",0,"CR",0,"CR",0,"CR",0,"CR",0,"CR",0,1
"RC",1
"FF",1
"""


class FakePayPal(BaseHTTPRequestHandler):
    """A fake provider that pays out: tokens, batches under their key, and what became of them."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path.endswith("/oauth2/token"):
            self.answer(200, {"access_token": "A21", "expires_in": 3600})
            return
        document = json.loads(body)
        key = document["sender_batch_header"]["sender_batch_id"]
        made = self.server.batches.setdefault(key, (f"BATCH{len(self.server.batches)}", document))
        self.server.posts += 1
        self.server.before_answer(made[0])
        self.answer(201, {"batch_header": {"payout_batch_id": made[0], "batch_status": "PENDING"}})

    def do_GET(self):
        name = self.path.rpartition("/")[2]
        found = next((doc for own, doc in self.server.batches.values() if own == name), None)
        head = {"payout_batch_id": name, "batch_status": "SUCCESS"}
        self.answer(200, {"batch_header": head, "items": [{"payout_item": item} for item in found["items"]]})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


class House(People):
    """A shop with three settled orders of a creator, people with keys, and a fake PayPal."""

    def __init__(self, shop, server):
        super().__init__(shop, server)
        self.paid = {}

    def earn(self, number, amount, *, order=None, days=1, creator="mia"):
        """A commission, due so many days from now."""
        at = self.clock.now()
        common = {"commission_id": f"c{number}", "creator_id": creator, "currency": "GBP", "amount_minor": amount}
        due = (at + timedelta(days=days)).isoformat().replace("+00:00", "Z")
        self.shop.take_in(
            fact("CommissionEarned", f"c{number}", at, order_id=order or f"o{number}", eligible_at=due, **common)
        )

    def reverse(self, number, amount):
        at = self.clock.now()
        self.shop.take_in(
            fact(
                "CommissionReversed", f"r{number}", at, commission_id=f"c{number}", creator_id="mia", currency="GBP",
                amount_minor=amount, order_id=f"o{number}",
            )
        )  # fmt: skip

    def pay(self, number, amount):
        data = {"payment_id": f"ch_{number}", "order_id": f"o{number}", "currency": "GBP", "processor": "stripe"}
        self.paid[number] = self.clock.now() + timedelta(days=1)
        self.shop.take_in(fact("PaymentCaptured", str(number), self.clock.now(), amount_minor=amount, **data))

    def settle(self, *numbers, name="payout"):
        """Stripe's statement of these payments, held against the books."""
        rows = [
            f"po_{name},2011-07-04 00:00:00,txn_{n},{at},{at},gbp,50.00,0.95,49.05,charge,ch_{n},ch_{n},,card,x\n"
            for n in numbers
            for at in (f"{self.paid[n]:%Y-%m-%d %H:%M:%S}",)
        ]
        taken = self.app.settlement_files.take("stripe", f"{name}.csv", (HEAD + "".join(rows)).encode(), "ana")
        assert taken["outcome"] == "taken"
        return self.app.reconciliation.run("statement", "ana", self.clock.now() + timedelta(days=3))

    def paypal_tells(self, payout):
        """PayPal's settlement report with this payout's movement."""
        text = STL.format(amount=payout["amount_minor"], reference=payout["reference"])
        taken = self.app.settlement_files.take("paypal", "stl.csv", text.encode(), "ana")
        assert taken["outcome"] == "taken", taken
        return self.app.reconciliation.run("statement", "ana", self.clock.now() + timedelta(days=9))

    def let_in(self, address=MIA, party="mia", name="Mia Example"):
        return super().let_in(party, address, name)


@pytest.fixture
def house(shop):
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakePayPal)
    server.batches, server.posts, server.before_answer = {}, 0, lambda _ref: None
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    keys = {"paypal_client_id": "id-of-the-app", "paypal_client_secret": "secret-of-the-app"}
    shop.app.vault = Vault(keys=keys, addresses={"paypal": f"http://127.0.0.1:{server.server_port}"})
    made = House(shop, server)
    for number in (1, 2, 3):
        made.pay(number, 5000)
        made.earn(number, 2000 + number)
    shop.clock.advance(timedelta(days=40))
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_payout_is_prepared_agreed_to_sent_once_and_shown_by_a_statement(house):
    house.settle(1, 2, 3)
    house.let_in()
    made = house.prepared()
    assert [(one["creator_id"], one["amount_minor"]) for one in made["payouts"]] == [("mia", 6006)], made
    payout = made["payouts"][0]
    assert (payout["intact"], payout["action_state"]) == (True, "awaiting_approval")
    assert len(payout["reference"]) == 35
    assert house.prepared()["payouts"] == [], "while it is on its way nothing more is prepared"
    house.send()
    assert house.server.posts == 0, "nothing leaves before somebody agrees"

    assert house.agree(payout, house.ben)["code"] == "wrong_role"
    assert house.agree(payout)["state"] == "ready"
    house.send()
    house.send()
    assert [doc["items"][0]["amount"] for _, doc in house.server.batches.values()] == [
        {"currency": "GBP", "value": "60.06"}
    ]
    item = next(iter(house.server.batches.values()))[1]["items"][0]
    assert (item["receiver"], item["note"]) == ("MIAPAYERID123", payout["reference"])
    assert (house.server.posts, house.state(payout)) == (1, "sent")
    assert [one["approvers"] for one in house.told("PayoutApproved")] == [["ana"]]
    assert [one["amount_minor"] for one in house.told("PayoutProcessed")] == [6006]
    owed = house.shop.one(
        "SELECT b.amount_minor FROM balance b JOIN account USING (account_id) WHERE code = 'liabilities:payable:creators'"
    )
    assert owed == 0
    assert house.app.books.check().violations == []

    assert house.paypal_tells(payout)["matched"] == 4, "three payments and the payout"
    house.app.payouts.follow()
    house.app.events.sequence()
    assert house.state(payout) == "landed"
    assert [one["processor"] for one in house.told("CreatorPayoutLanded")] == ["paypal"]
    house.app.effects.follow_evidence()
    assert house.app.effects.state(payout["action_id"]).state == "settled"
    assert house.app.auditor.verify().invalid == []


def test_evidence_that_is_read_before_the_answer_is_written_down_counts_once_it_is(house):
    """The statement is faster than the reply to our own request, whose reference nobody knows yet."""
    house.settle(1, 2, 3)
    house.let_in()
    payout = house.prepared()["payouts"][0]
    house.agree(payout)

    def lands(ref):
        """In another session, while the worker waits for its reply."""
        data = {"payout_id": payout["payout_id"], "creator_id": "mia", "currency": "GBP", "remote_ref": ref}
        data |= {"amount_minor": payout["amount_minor"], "processor": "paypal", "statement_ref": "line 1"}
        house.shop.take_in(fact("CreatorPayoutLanded", ref, house.clock.now(), **data))
        assert house.app.effects.follow_evidence() > 0
        assert house.app.effects.state(payout["action_id"]).state == "executing"

    house.server.before_answer = lands
    house.app.dispatcher().drain()
    house.app.events.sequence()
    assert house.app.effects.state(payout["action_id"]).state == "succeeded"
    house.app.effects.follow_evidence()
    assert house.app.effects.state(payout["action_id"]).state == "settled"
    steps = [one for one in house.app.effects.history(payout["action_id"]) if one["what"] == "step"]
    assert (steps[-1]["by"], steps[-1]["detail"].split()[0]) == ("evidence", "CreatorPayoutLanded")
    house.app.effects.follow_evidence()
    assert house.app.effects.state(payout["action_id"]).state == "settled", "and once only"
    with pytest.raises(psycopg.errors.InsufficientPrivilege), house.app.database.transaction() as connection:
        connection.execute("DELETE FROM effect_evidence")


def test_what_is_taken_back_is_netted_what_is_young_is_held_back_and_the_rest_says_why_it_waits(house):
    house.earn(9, 1000, order="o9")  # an order nobody was paid for yet
    house.settle(1, 2)
    house.clock.advance(timedelta(days=3))
    house.let_in()
    first = house.prepared()["payouts"][0]
    assert first["amount_minor"] == 4003
    house.agree(first)
    house.send()

    house.reverse(1, 2001)  # taken back after it was paid
    house.earn(4, 3001, order="o4", days=0)
    house.pay(4, 5000)
    house.settle(3, 4, name="second")
    house.clock.advance(timedelta(days=2))
    second = house.prepared()
    payout, waits = second["payouts"][0], second["waiting"][0]
    lines = {one["ref"]: one["amount_minor"] for one in payout["lines"]}
    assert lines == {"c1": -2001, "c3": 2003, "c4": 2700}, "a tenth of a young commission stays, rounded up"
    assert (payout["clawed_minor"], payout["held_back_minor"]) == (-2001, 301)
    assert waits["waiting"] == {"holdback": 301, "not_settled": 1000}
    assert payout["action_state"] == "awaiting_approval"


def test_a_no_frees_the_commissions_and_silence_is_a_no(house):
    house.settle(1, 2, 3)
    house.let_in()
    first = house.prepared()["payouts"][0]
    # Another action under its number is refused, and the end of that one does not end the payout.
    other = act(house, "other", amount={"amount_minor": 1, "currency": "GBP"}, payout_id=first["payout_id"])
    assert "payout-once" in house.app.gateway.action(other.action_id).result["determining"]
    house.send()
    assert house.state(first) == "open"
    assert house.app.payouts.reject(first["payout_id"], house.ana, "cli", "not this week")["state"] == "rejected"
    assert house.state(first) == "dropped"
    second = house.prepared()["payouts"][0]
    assert (second["amount_minor"], second["reference"] == first["reference"]) == (6006, False)
    house.clock.advance(timedelta(days=2))
    house.app.approvals.sweep()
    house.send()
    assert house.state(second) == "dropped"
    assert house.prepared()["payouts"][0]["amount_minor"] == 6006
    assert house.server.posts == 0


def test_who_asks_never_agrees_who_rang_is_somebody_else_and_an_address_rests_while_money_is_on_its_way(house):
    change = house.app.payees.change
    assert change("mia", MIA, "Mia", "fay", "fay")["outcome"] == "refused", "nobody rings for himself"
    assert change("mia", MIA, "Mia", "", "fay")["outcome"] == "refused"
    for wrong in ("mia@example.com", "bank:123", "paypal:", "paypal:a b"):
        with pytest.raises(BadInput, match="no address"):
            change("mia", wrong, "Mia", "ben", "fay")
    asked = change("mia", MIA, "Mia", "ben", "ana")
    house.read(asked["id"], house.ana)
    assert house.app.approvals.approve(asked["id"], house.ana, "cli").code == "own_proposal"
    house.read(asked["id"], house.ben)
    assert house.app.approvals.approve(asked["id"], house.ben, "cli").code == "wrong_role"
    assert house.app.payees.listed() == []

    house.settle(1, 2, 3)
    house.let_in()
    assert [(one["party"], one["payee"], one["called_by"]) for one in house.app.payees.listed()] == [
        ("mia", MIA, "ben")
    ]
    payout = house.prepared()["payouts"][0]
    stopped = change("mia", "paypal:THIEF000000", "Mia", "ben", "fay")
    assert (stopped["outcome"], stopped["code"]) == ("refused", "payment_on_its_way")
    assert house.agree(payout)["state"] == "ready"


def act(house, key, ago=0, **params):
    given = {"payout_id": key, "creator_id": "mia", "payee": MIA, "reference": "PAY1", **params}
    return house.app.control.act(
        ActionProposal(
            id=f"act_{abs(hash(key)) % 16**32:032x}",
            key=f"payout.creator:{key}",
            kind="payout.creator",
            params=given,
            principal=Principal(id="bot"),
            at=house.clock.now() - timedelta(milliseconds=ago),
        )
    )


def test_no_proposal_pays_more_than_is_settled_or_anybody_else(house):
    house.settle(1, 2)
    house.let_in()
    pound = {"currency": "GBP"}
    more = act(house, "p1", amount={"amount_minor": 4004, **pound})
    elsewhere = act(house, "p2", amount={"amount_minor": 100, **pound}, payee="paypal:THIEF000000")
    fits = act(house, "p3", amount={"amount_minor": 4003, **pound})
    twice = act(house, "p4", ago=5, amount={"amount_minor": 1, **pound})  # dated before, come second
    assert [one.outcome for one in (more, elsewhere, fits, twice)] == ["refused", "refused", "held", "refused"]
    codes = [house.app.gateway.action(one.action_id).result["code"] for one in (more, elsewhere, twice)]
    assert codes == ["before_settlement", "unknown_payee", "before_settlement"]
    named = act(house, "again", amount={"amount_minor": 0, **pound}, payout_id="p3")
    assert "payout-once" in house.app.gateway.action(named.action_id).result["determining"]
    # Agreed to and sent, it is in the books although nobody prepared it here, and is taken off what is owed.
    house.read(fits.action_id, house.ana)
    assert house.app.approvals.approve(fits.action_id, house.ana, "cli").state == "ready"
    house.send()
    assert [one["payout_id"] for one in house.told("PayoutProcessed")] == ["p3"]
    house.settle(3, name="second")
    made = house.prepared()
    assert [one["amount_minor"] for one in made["payouts"]] == [2003]
    assert {"kind": "elsewhere", "ref": "paid", "amount_minor": -4003} in made["payouts"][0]["lines"]


def test_the_application_role_cannot_let_a_payout_go(house):
    house.settle(1, 2, 3)
    house.let_in()
    payout = house.prepared()["payouts"][0]
    action = UUID(payout["action_id"][4:])
    tries = [
        ("UPDATE effect SET state = 'executing', fence = fence + 1 WHERE action_id = %s", [action]),
        ("UPDATE effect SET state = 'succeeded' WHERE action_id = %s", [action]),
        ("UPDATE effect SET quorum = 0 WHERE action_id = %s", [action]),
        ('UPDATE effect SET args = \'{"receiver": "THIEF"}\' WHERE action_id = %s', [action]),
        ("UPDATE payout SET payee = 'paypal:THIEF' WHERE payout_id = %s", [payout["payout_id"]]),
        ("UPDATE payout SET amount_minor = 1 WHERE payout_id = %s", [payout["payout_id"]]),
        ("DELETE FROM payout WHERE payout_id = %s", [payout["payout_id"]]),
        ("UPDATE payout_line SET amount_minor = 1 WHERE payout_id = %s", [payout["payout_id"]]),
        ("INSERT INTO payout_line VALUES (%s, 'commission', 'more', 5)", [payout["payout_id"]]),
        ("UPDATE gate_floor SET quorum = 0 WHERE kind = 'payout.creator'", []),
    ]
    for statement, values in tries:
        with pytest.raises(psycopg.Error), house.app.database.transaction() as connection:
            connection.execute(statement, values)
    # It may call the action ready; whoever then tries to send it is refused by the table.
    with house.app.database.transaction() as connection:
        connection.execute("UPDATE effect SET state = 'ready' WHERE action_id = %s", [action])
    with pytest.raises(psycopg.Error, match="an action goes out with 1 approvals, not 0"):
        house.send()
    assert house.server.posts == 0
    assert house.shop.one("SELECT state FROM effect WHERE action_id = %s", [action]) == "ready"


def test_lines_that_somebody_changed_are_seen_and_not_agreed_to(house, superuser):
    house.settle(1, 2, 3)
    house.let_in()
    payout = house.prepared()["payouts"][0]
    superuser.execute("UPDATE payout_line SET amount_minor = amount_minor + 1 WHERE ref = 'c1'")
    assert not house.app.payouts.show(payout["payout_id"])["intact"]
    with pytest.raises(BadInput, match="not what was prepared"):
        house.agree(payout)


def test_a_listed_name_is_not_paid(house):
    folder = house.app.settings.home / "screening"
    folder.mkdir(parents=True)
    house.settle(1, 2, 3)
    house.let_in()
    (folder / "list.txt").write_text("# people we must not pay\nEXAMPLE, Mía\n", encoding="utf-8")
    made = house.prepared()
    assert (made["payouts"], made["waiting"][0]["code"]) == ([], "screening")
    with pytest.raises(BadInput, match="called like"):
        house.app.payees.change("mia", MIA, "mia example", "ben", "fay")
    other = house.app.payees.change("mia", MIA, "Somebody Clean", "ben", "fay")  # asked for, agreed to by nobody
    assert (other["outcome"], house.app.payees.listed()[0]["name"]) == ("held", "Mia Example")
    assert house.prepared()["waiting"][0]["code"] == "screening"
    (folder / "list.txt").write_text("Somebody Else\n", encoding="utf-8")
    assert house.prepared()["payouts"][0]["screening"]["state"] == "clear"


def test_those_who_prepare_at_once_prepare_one_and_what_was_interrupted_is_carried_on(house):
    house.settle(1, 2, 3)
    house.let_in()
    found, act_once = [], type(house.app.control).act
    try:
        type(house.app.control).act = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            house.app.payouts.prepare("fay")
    finally:
        type(house.app.control).act = act_once
    assert house.shop.rows("SELECT action_id FROM payout") == [(None,)]
    people = [threading.Thread(target=lambda: found.append(house.app.payouts.prepare("fay"))) for _ in range(4)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert [one["payouts"] for one in found] == [[]] * 4
    (payout,) = house.app.payouts.listed()
    assert payout["action_state"] == "awaiting_approval"
    assert house.shop.one("SELECT count(*) FROM action WHERE kind = 'payout.creator'") == 1
