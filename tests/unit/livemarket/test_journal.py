"""A served run that was killed goes on where it stood; faults of money; what the office tells and what it does not."""

import asyncio
import json
from collections import Counter

import pytest

from livemarket.faces.business import Business
from livemarket.faces.calls import Call
from livemarket.faces.clock import Clock
from livemarket.faces.desk import Desk
from livemarket.faces.journal import Journal

RUN = {"seed": 7}


class Served:
    """A desk without sockets: calls go straight to its doors."""

    def __init__(self, grown, journal=None):
        self.desk = Desk(Business(grown.fork(), Clock(0.0), 3), 7)
        self.doors = {door.face.name: door for door in self.desk.doors}
        for name, door in self.doors.items():
            door.base = f"http://{name}"
            door.face.listens(door.base)
        self.replayed = self.desk.keep(Journal(journal, RUN)) if journal else 0

    def end(self):
        self.desk.journal.close()
        return self

    def ask(self, face, method, path, document=None, **headers):
        token = {"control": "token", "stripe": "api_key", "office": "token"}[face]
        bearer = {"authorization": f"Bearer {self.doors[face].face.credentials()[token]}"}
        body = b"" if document is None else json.dumps(document).encode()
        if face == "stripe" and document is not None:
            body = "&".join(f"{k}={v}" for k, v in document.items()).encode()
        call = Call(method, path, "", bearer | headers, body, self.doors[face].base)
        return asyncio.run(self.doors[face].answer(call))

    def control(self, method, path, document=None):
        return json.loads(self.ask("control", method, f"/_livemarket/{path}", document).body)

    def go(self, seconds):
        return self.control("POST", "clock/advance", {"seconds": seconds})

    def listen(self):
        self.ask("office", "POST", "/webhooks", {"url": "http://127.0.0.1:9/"})
        return self.doors["office"].face.post

    def told(self):
        return [one.notice.document for one in self.doors["office"].face.post.log]


def charge_of(served):
    answer = json.loads(served.ask("stripe", "GET", "/v1/charges").body)
    return next(one for one in answer["data"] if one["status"] == "succeeded" and not one["amount_refunded"])


def story(served):
    """Acts of every kind that a journal has to hold."""
    served.listen()
    served.go(40_000)
    charge = charge_of(served)
    refund = {"charge": charge["id"], "amount": "100"}
    served.ask("stripe", "POST", "/v1/refunds", refund, **{"idempotency-key": "one"})
    served.control("POST", "faults", {"kind": "lost_order", "face": "stripe"})
    assert served.control("POST", "faults", {"kind": "wrong_fee", "face": "stripe", "amount": 77})["amount_minor"] == 77
    served.go(30_000)
    return refund


def test_a_killed_run_goes_on_where_it_stood(grown, tmp_path):
    first = Served(grown, tmp_path / "journal")
    refund = story(first)
    first.doors["office"].face.post.delivered("office", 3)
    first.end()
    first.desk.journal._is_open = False
    file = tmp_path / "journal"
    file.write_bytes(file.read_bytes() + b'{"face":"control","call":["POST"')  # killed while it wrote
    again = Served(grown, file)
    assert again.replayed == 6
    assert again.control("GET", "moved") == first.control("GET", "moved")
    assert again.told() == first.told()
    assert Counter(one.state for one in again.doors["office"].face.post.log)["delivered"] == 1
    answer = again.ask("stripe", "POST", "/v1/refunds", refund, **{"idempotency-key": "one"})
    assert answer.headers["idempotent-replayed"] == "true"
    assert again.go(100) == first.go(100)
    again.end()
    assert Served(grown, file).end().control("GET", "clock") == again.control("GET", "clock")


def test_without_its_journal_it_stands_elsewhere(grown, tmp_path):
    """The control: the equality above is the journal's doing."""
    first = Served(grown, tmp_path / "journal")
    story(first)
    first.end()
    assert Served(grown).control("GET", "moved") != first.control("GET", "moved")


def test_a_journal_of_another_run_is_refused(grown, tmp_path):
    Served(grown, tmp_path / "journal").end()
    with pytest.raises(ValueError, match="another run"):
        Journal(tmp_path / "journal", {"seed": 8})


def test_a_lost_order_is_settled_and_nobody_is_told(grown):
    served = Served(grown)
    served.listen()
    served.control("POST", "faults", {"kind": "lost_order", "face": "stripe"})
    served.go(80_000)
    (lost,) = served.control("GET", "moved")["wrong"]
    told = [one for one in served.told() if one["data"].get("order_id") == lost["order_id"]]
    assert "FeeCharged" not in {one["type"] for one in told}
    events = json.loads(served.ask("stripe", "GET", "/v1/events").body)["data"]
    assert lost["payment_id"] not in {one["data"]["object"]["id"] for one in events}
    lines = [one for one in served.control("GET", "moved")["lines"] if one["order"] == lost["order_id"]]
    assert [one["kind"] for one in lines] == ["charge"]


def test_a_wrong_fee_is_kept_by_the_processor_and_stands_in_its_papers(grown):
    served = Served(grown)
    served.listen()
    served.go(80_000)
    wrong = served.control("POST", "faults", {"kind": "wrong_fee", "face": "paypal", "amount": 123})
    lines = {one["order"]: one for one in served.control("GET", "moved")["lines"] if one["kind"] == "charge"}
    order = lines[wrong["order_id"]]
    plain = round(order["gross_minor"] * 0.0349) + 49
    assert abs(order["fee_minor"] - plain - 123) <= 1
    for bad in ({"face": "bank", "amount": 1}, {"face": "stripe", "amount": 0}, {"face": "stripe"}):
        assert "error" in served.control("POST", "faults", {"kind": "wrong_fee", **bad})


def test_the_office_tells_what_no_provider_tells(grown):
    served = Served(grown)
    post = served.listen()
    begun = Counter(one.notice.type for one in post.log)
    assert begun["OpeningBalancePosted"] > 8
    served.go(86_399)
    kinds = Counter((one["type"], one["data"].get("processor")) for one in served.told())
    assert kinds["PaymentCaptured", "tiktok"] > 5
    assert not {("PaymentCaptured", "stripe"), ("PaymentCaptured", "paypal"), ("FeeCharged", "paypal")} & set(kinds)
    fees = [
        one["data"] for one in served.told() if one["type"] == "FeeCharged" and one["data"]["processor"] == "stripe"
    ]
    assert all(one["payment_id"].startswith("pi_") for one in fees if one["kind"] == "processing")


def test_what_was_given_up_is_due_again(grown):
    served = Served(grown)
    post = served.listen()
    for one in post.log:
        one.state = "given up"
    post._waiting = []
    assert served.control("POST", "deliveries/again")["waiting"] == len(post.log) > 0
    assert served.control("GET", "run")["deliveries"] == {"waiting": len(post.log)}
