"""Broken rules: told once a window, alerted over real HTTP and SMTP, and whoever repeats is shut out."""

import base64
import hashlib
import hmac
import json
import socket
import threading
from datetime import timedelta

import psycopg
import pytest
from tests.integration.gateway.conftest import reserve

from steward.gateway import Alerts, channels_of
from steward.infra.vault import Vault
from steward.kernel.errors import BadInput

pytestmark = pytest.mark.db
SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes, or so").decode()


@pytest.fixture
def told(make_shop, with_limits, receiver, mail):
    """A shop with both channels, a window of an hour and a quarantine after three."""
    shop = make_shop(with_limits(quarantine_after=3))
    addresses = {
        "alert_webhook": f"http://127.0.0.1:{receiver.server_port}/hook",
        "alert_email": f"smtp://127.0.0.1:{mail.server_address[1]}?from=steward@shop.test&to=fay@shop.test",
    }
    shop.app.vault = Vault(keys={"alert_webhook": SECRET}, addresses=addresses)
    return shop


def over(shop, make, key, proposer="agent:budget-keeper"):
    """A reservation no budget bears."""
    return shop.app.control.act(reserve(key, 100, make.start, proposer=proposer))


def events_of(shop, event_type):
    shop.app.events.sequence()
    return [e.envelope.data for e in shop.app.events.read(0, [event_type], limit=100)]


def test_a_denied_rule_is_told_once_a_window(told, make):
    for n in range(2):
        assert over(told, make, f"r{n}").outcome == "refused"
    (broken,) = events_of(told, "InvariantViolated")
    assert (broken["invariant"], broken["subject"]) == ("reserve-within-budget", "agent:budget-keeper")
    assert told.rows("SELECT times FROM violation") == [(2,)]
    assert told.rows("SELECT channel, state FROM alert ORDER BY channel") == [
        ("email", "waiting"),
        ("webhook", "waiting"),
    ]
    told.clock.advance(timedelta(hours=1))
    over(told, make, "later")
    assert len(events_of(told, "InvariantViolated")) == 2
    over(told, make, "another", proposer="agent:other")
    assert len(events_of(told, "InvariantViolated")) == 3


def test_an_alert_is_signed_as_standard_webhooks_says(told, make, receiver, mail):
    over(told, make, "r1")
    assert told.app.alerts.deliver() == 2
    ((headers, body),) = receiver.received
    headers = {name.lower(): value for name, value in headers.items()}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    made = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{made}"
    assert json.loads(body)["data"]["invariant"] == "reserve-within-budget"
    (message,) = mail.received
    assert "Subject: InvariantViolated: reserve-within-budget" in message
    assert told.rows("SELECT DISTINCT state FROM alert") == [("delivered",)]
    assert told.app.alerts.deliver() == 0


def test_what_fails_is_tried_again_later_and_given_up_in_the_end(told, make, receiver, mail):
    receiver.answer, mail.refuses = 500, True
    over(told, make, "r1")
    assert told.app.alerts.deliver() == 2
    assert told.app.alerts.deliver() == 0
    told.clock.advance(timedelta(seconds=31))
    receiver.answer = 200
    assert told.app.alerts.deliver() == 2
    answers = "SELECT t.answer FROM alert_attempt t JOIN alert a USING (alert_id) WHERE channel = %s ORDER BY attempt"
    assert told.rows(answers, ["webhook"]) == [("HTTP 500",), ("HTTP 200",)]
    ids = {headers["webhook-id"] for headers, _ in receiver.received}
    assert len(ids) == 1
    for _ in range(20):
        told.clock.advance(timedelta(hours=7))
        told.app.alerts.deliver()
    assert told.rows("SELECT state, attempts FROM alert ORDER BY channel") == [("failed", 10), ("delivered", 2)]


def test_nobody_there_is_an_attempt_on_record(told, make):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    vault = Vault(keys={"alert_webhook": SECRET}, addresses={"alert_webhook": f"http://127.0.0.1:{port}/"})
    over(told, make, "r1")
    assert Alerts(told.app.database, told.clock, channels_of(vault)).deliver() == 1
    assert told.rows("SELECT answer FROM alert_attempt") == [("no answer: ConnectError",)]


def test_nothing_is_alerted_unless_it_is_configured(shop, make):
    over(shop, make, "r1")
    assert len(events_of(shop, "InvariantViolated")) == 1
    assert shop.one("SELECT count(*) FROM alert") == 0
    assert shop.app.alerts.deliver() == 0


def test_one_alert_is_delivered_by_one_of_two_workers(told, make, receiver):
    over(told, make, "r1")
    with told.app.database.transaction() as connection:
        claimed = told.app.alerts._store.claim_alert(connection, ["webhook"], told.clock.now())
        assert claimed["channel"] == "webhook"
        other = threading.Thread(target=told.app.alerts.deliver)
        other.start()
        other.join()
    assert receiver.received == []
    assert told.rows("SELECT state FROM alert WHERE channel = 'email'") == [("delivered",)]


def test_who_repeats_is_shut_out_before_anything_is_proved(told, make, monkeypatch):
    for n in range(3):
        over(told, make, f"r{n}")
    (shut,) = events_of(told, "AgentQuarantined")
    assert shut["agent"] == "agent:budget-keeper"

    def no_rule(*_args, **_more):
        raise AssertionError("a rule was read")

    monkeypatch.setattr(told.app.verifier, "recertify", no_rule)
    acted = over(told, make, "r4")
    action = told.app.gateway.action(acted.action_id)
    assert (action.outcome, action.result["code"]) == ("refused", "quarantined")
    assert told.app.proofs.of_action(acted.action_id) is None
    monkeypatch.undo()
    assert over(told, make, "r5", proposer="agent:other").outcome == "refused"
    assert told.app.figures.read()["quarantined"] == ["agent:budget-keeper"]
    told.app.events.sequence()
    assert told.app.auditor.verify().invalid == []

    (row,) = told.app.violations.quarantines()
    with pytest.raises(BadInput, match="no reason"):
        told.app.violations.lift(row["quarantine_id"], "fay", "  ")
    assert told.app.violations.lift(row["quarantine_id"], "fay", "its feed is mended") == "agent:budget-keeper"
    assert told.app.violations.quarantines() == []
    assert events_of(told, "AgentQuarantined")[1]["until"]
    told.clock.advance(timedelta(hours=1))
    action = told.app.gateway.action(over(told, make, "r6").action_id)
    assert action.result["code"] == "over_budget"
    with pytest.raises(BadInput, match="no open quarantine"):
        told.app.violations.lift(row["quarantine_id"], "fay", "again")


def test_a_kind_in_shadow_bars_the_proposer_too(told, make):
    for n in range(3):
        over(told, make, f"r{n}")
    refund = reserve("x", 1, make.start).model_copy(
        update={"kind": "refund.issue", "key": "refund.issue:C9", "params": {}}
    )
    acted = told.app.control.act(refund)
    assert told.app.gateway.action(acted.action_id).result["code"] == "quarantined"
    told.app.events.sequence()
    assert told.app.auditor.verify().invalid == []


def test_kinds_that_are_not_watched_leave_no_violation(told, make):
    refund = reserve("x", 1, make.start).model_copy(
        update={
            "kind": "refund.issue",
            "key": "refund.issue:C9",
            "params": {
                "refund_id": "C9",
                "customer_id": "1",
                "amount": {"amount_minor": 5, "currency": "GBP"},
                "to": "original_payment",
            },
        }
    )
    assert told.app.control.act(refund).outcome == "refused"
    assert told.one("SELECT count(*) FROM violation") == 0


def test_a_rule_found_broken_in_the_state_is_told_and_shuts_nobody_out(told):
    for n in range(5):
        told.app.violations.found("reserve-within-budget", f"budget/{n}", "more is held than was granted", {"free": -1})
    assert len(events_of(told, "InvariantViolated")) == 5
    assert told.app.violations.quarantines(every=True) == []


def test_a_budget_that_is_overdrawn_all_the_same_is_found(told):
    """Money taken back from a budget after it was set aside: no proposal did that."""
    from steward.contracts.ledger import Leg, Transfer

    ledger = told.app.ledger
    ledger.grant("ads", "GBP", 1000, "g", "fay", "the season")
    told.app.control.act(reserve("r1", 900, told.clock.now()))
    told.app.watch_state()
    assert events_of(told, "InvariantViolated") == []
    account = "equity:appropriated:ads"
    ledger.set_limits(account, "GBP", None, None, "fay", "she takes it back")
    legs = (
        Leg(account=account, currency="GBP", amount_minor=500),
        Leg(account="equity:retained", currency="GBP", amount_minor=-500),
    )
    back = Transfer(key="back", kind="manual", effective_at=told.clock.now(), source="fay", legs=legs)
    assert ledger.post([back]) == []
    told.app.watch_state()
    told.app.watch_state()
    (found,) = events_of(told, "InvariantViolated")
    assert (found["invariant"], found["subject"]) == ("reserve-within-budget", f"found:{account}")
    assert found["counterexample"] == {"granted_minor": 500, "held_minor": 900}
    assert told.one("SELECT count(*) FROM alert") == 2


def test_an_expired_proposal_is_refused(told, make):
    late = reserve("late", 100, make.start, expires_at=make.start)
    action = told.app.gateway.action(told.app.control.act(late).action_id)
    assert (action.outcome, action.result["code"]) == ("refused", "expired")
    refund = replace_kind(late)
    action = told.app.gateway.action(told.app.control.act(refund).action_id)
    assert action.result["code"] == "expired"


def replace_kind(proposal):
    return proposal.model_copy(update={"kind": "refund.issue", "key": "refund.issue:late", "id": "act_" + "1" * 32})


def test_a_refusal_that_is_rolled_back_leaves_no_violation_and_no_alert(told, make, monkeypatch):
    def lost(_envelopes):
        raise psycopg.OperationalError("gone")

    monkeypatch.setattr(told.app.live_line, "_events", type("Lost", (), {"put": staticmethod(lost)})())
    with pytest.raises(Exception, match="gone"):
        over(told, make, "r1")
    assert told.one("SELECT count(*) FROM violation") == told.one("SELECT count(*) FROM alert") == 0
