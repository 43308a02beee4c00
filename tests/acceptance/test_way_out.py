"""From a captured payment to money given back at a processor: refused, held, agreed to by a person, sent once; all through
the command line and real HTTP against livemarket, whose replies get lost on request.
"""

import json

import httpx
import pytest

pytestmark = [pytest.mark.db, pytest.mark.slow]


def written(home, text):
    """Whether a text stands anywhere in a shop's folder: logs, the files of its database and its journal among them."""
    return any(text.encode() in path.read_bytes() for path in home.rglob("*") if path.is_file())


class Door:
    """A shop whose payments were taken by livemarket's Stripe face."""

    def __init__(self, shop, world):
        self.shop, self.world = shop, world
        face = world.faces["stripe"]
        shop.env["STEWARD_ADDRESS_STRIPE"] = face["url"]
        shop.env["STEWARD_KEY_STRIPE_SECRET"] = face["api_key"]
        self.founder = self.ask("keys", "create", "--name", "ana", "--role", "founder")["key"]

    def ask(self, *words, code=0):
        """A command in this process: there are many."""
        return self.shop.json(*words, code=code, here=True)

    def captured(self, charge, path):
        """The event of a charge, as its webhook would bring it."""
        event = {
            "specversion": "1.0",
            "id": charge["id"],
            "source": "stripe/test",
            "type": "PaymentCaptured",
            "time": "2026-01-05T00:00:00Z",
            "subject": f"order/{charge['id']}",
            "data": {
                "payment_id": charge["payment_intent"],
                "order_id": charge["id"],
                "processor": "stripe",
                "currency": "USD",
                "amount_minor": charge["amount"],
            },
        }  # fmt: skip - an envelope reads best in few lines
        path.write_text(json.dumps(event), encoding="utf-8")
        assert self.ask("events", "ingest", path)["accepted"] == 1

    def propose(self, path, key, payment, amount, code=0):
        params = {
            "refund_id": key,
            "payment_id": payment,
            "processor": "stripe",
            "reason": "damaged",
            "amount": {"amount_minor": amount, "currency": "USD"},
        }  # fmt: skip - the same
        document = {"key": key, "kind": "payment.refund", "params": params, "principal": {"id": "returns-refunds"}}
        path.write_text(json.dumps(document), encoding="utf-8")
        return self.ask("action", "propose", path, code=code)

    def as_founder(self, *words, code=0):
        self.shop.env["STEWARD_API_KEY"] = self.founder
        try:
            return self.ask(*words, code=code)
        finally:
            del self.shop.env["STEWARD_API_KEY"]


@pytest.fixture(scope="module")
def world():
    """livemarket, three days in."""
    import importlib.util
    from pathlib import Path

    spec = importlib.util.spec_from_file_location("world", Path(__file__).parent / "livemarket" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shop = module.Shop(7, 30).ready()
    shop.control.post("/_livemarket/clock/advance", json={"seconds": 3 * 86_400 + 40_000}).raise_for_status()
    yield shop
    shop.process.terminate()
    shop.process.wait()
    shop.process.stdout.close()
    shop.process.stderr.close()
    for client in (shop.control, shop.plain, shop.bank):
        client.close()


def refunds_of(world, charge):
    return world.plain.get("/v1/refunds", params={"charge": charge["id"], "limit": 100}).json()["data"]


def test_refused_held_agreed_and_sent_once(make_shop, world, tmp_path):
    door = Door(make_shop(), world)
    page = world.plain.get("/v1/charges", params={"limit": 100}).json()["data"]
    charge = next(c for c in page if c["status"] == "succeeded" and not c["amount_refunded"] and c["amount"] > 2_000)
    file, payment = tmp_path / "one.json", charge["payment_intent"]
    unknown = door.propose(file, "r0", payment, 100)  # nobody told us of the payment: a person has to decide
    assert unknown["state"] == "held"
    door.captured(charge, tmp_path / "event.json")

    refused = door.propose(file, "r1", payment, charge["amount"] + 1, code=1)
    assert (refused["state"], refused["verdict"]) == ("refused", "DENY")

    # A small one goes by itself; its first answer gets lost, and it is asked for again under its key.
    sent = door.propose(file, "r2", payment, 700)
    assert sent["state"] == "receipt"
    fault = {"kind": "lose_reply", "face": "stripe", "path": "/v1/refunds", "count": 1}
    world.control.post("/_livemarket/faults", json=fault).raise_for_status()
    door.ask("action", "send")
    for _ in range(40):
        if (seen := door.ask("action", "show", sent["id"]))["state"] == "succeeded":
            break
        door.ask("action", "send")
    assert seen["state"] == "succeeded"
    assert [r["amount"] for r in refunds_of(world, charge)] == [700]
    tries = [one for one in seen["history"] if one.get("what") == "attempt"]
    assert [one["outcome"] for one in tries] == ["unknown", "ok"]
    assert seen["effect"]["confirmed"] == "as asked"

    # A stop is a stop; what was proposed meanwhile is refused, and it says why.
    assert door.ask("kill", "on", "--scope", "tool:stripe", "--reason", "looks wrong")["active"]
    stopped = door.propose(file, "r3", payment, 10, code=1)
    assert stopped["result"]["code"] == "stopped"
    assert door.shop.here("kill", "off", "--scope", "tool:stripe").returncode == 2  # without a manager's key
    door.as_founder("kill", "off", "--scope", "tool:stripe", "--reason", "mended")

    # What waits for people needs a person's key, and what she agreed to is checked again.
    large = door.as_founder("approvals", "list")["items"]
    assert [item["id"] for item in large] == [unknown["id"]]
    nobody = door.shop.run("approvals", "approve", unknown["id"])
    assert nobody.returncode == 2
    agent = door.ask("keys", "create", "--name", "bot", "--role", "agent")["key"]
    door.shop.env["STEWARD_API_KEY"] = agent
    assert door.ask("approvals", "approve", unknown["id"], code=1)["code"] == "wrong_role"
    assert door.shop.here("kill", "off", "--scope", "all").returncode == 2  # nor does an agent let things go on
    del door.shop.env["STEWARD_API_KEY"]
    agreed = door.as_founder("approvals", "approve", unknown["id"], "--reason", "I asked the bank")
    assert agreed["state"] == "ready"
    door.ask("action", "send")
    assert sorted(r["amount"] for r in refunds_of(world, charge)) == [100, 700]
    again = door.as_founder("approvals", "approve", unknown["id"], code=1)
    assert again["code"] == "not_waiting"

    told = door.ask("events", "tail", "--limit", "1000")
    assert {"ActionApproved", "ActionExecuted", "ActionUnknown", "KillSwitchThrown"} <= {
        event["envelope"]["type"] for event in told["items"]
    }
    assert door.ask("audit", "verify")["invalid"] == []
    secret = world.faces["stripe"]["api_key"]
    assert secret not in json.dumps(told) + json.dumps(seen)
    assert written(door.shop.home, payment), "the scan sees what is written: rows, logs, the database's own journal"
    assert not written(door.shop.home, secret)
    with httpx.Client() as client:  # the world is still there: nothing of this killed it
        assert client.get(f"{world.faces['stripe']['url']}/v1/balance").status_code == 401
