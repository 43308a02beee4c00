"""Who is told what waits: over real HTTP and SMTP, once a channel, with a link that shows and decides nothing."""

import json
from datetime import timedelta
from email import message_from_string
from email.policy import default

import pytest
from tests.integration.gateway.conftest import reserve

from steward.contracts.event import Envelope
from steward.gateway import Alerts, channels_of
from steward.gateway.core.links import Link
from steward.infra.vault import Vault

pytestmark = pytest.mark.db


@pytest.fixture
def told(shop, receiver, mail):
    """A shop with a budget whose people are told by e-mail and in Slack."""
    hook = f"http://127.0.0.1:{receiver.server_port}/services/T0/B0/secret"
    address = f"smtp://127.0.0.1:{mail.server_address[1]}?from=steward@shop.test&to=fay@shop.test"
    addresses = {"alert_email": address, "pages": "https://steward.shop.test/"}
    shop.app.vault = Vault(keys={"alert_slack": hook}, addresses=addresses)
    assert shop.app.ledger.grant("ads", "GBP", 300000, "g1", "fay", "the season") == []
    return shop


def deliver(shop):
    made = shop.app.way_out.notices.tell()
    Alerts(shop.app.database, shop.clock, channels_of(shop.app.vault)).deliver()
    return made


def held(shop, key, why="<b>Friday & more</b>"):
    acted = shop.app.control.act(reserve(key, 120000, shop.clock.now(), why=why))
    assert acted.outcome == "held"
    return acted.action_id


def test_each_channel_is_told_once_with_a_link_that_names_the_action(told, receiver, mail):
    action = held(told, "r1")
    assert deliver(told) == 2
    assert deliver(told) == 0
    ((_, body),) = receiver.received
    (letter,) = mail.received
    text = json.loads(body)["text"]
    assert "spend.reserve GBP 1,200.00: a manager decides" in text
    assert "&lt;b&gt;Friday &amp; more&lt;/b&gt;" in text
    assert "<b>" not in text
    assert "Subject: ApprovalAsked: spend.reserve GBP 1,200.00: a manager decides" in letter
    token = text.partition("/approvals/")[2].partition("|")[0]
    assert f"https://steward.shop.test/approvals/{token}" in message_from_string(letter, policy=default).get_content()
    link = told.app.way_out.notices.read(token)
    assert isinstance(link, Link)
    assert link.action_id == action


def test_the_next_role_is_told_when_it_may_decide_as_well(told, receiver):
    action = held(told, "r1")
    deliver(told)
    told.clock.advance(timedelta(hours=23))
    told.app.approvals.sweep()
    escalated = told.one("SELECT escalated_to FROM effect")
    assert deliver(told) == (2 if escalated else 0)
    assert escalated == "founder"
    assert "a founder decides" in json.loads(receiver.received[-1][1])["text"]
    told.clock.advance(timedelta(days=30))
    told.app.approvals.sweep()
    assert told.app.effects.state(action).state == "expired"
    assert deliver(told) == 0, "nobody is asked for what is over"


def test_what_only_a_person_can_say_is_told(told, receiver, superuser):
    held(told, "r1")
    superuser.execute("UPDATE effect SET state = 'unknown', needs_person = 'no answer, and no way to look'")
    assert deliver(told) == 2
    text = json.loads(receiver.received[-1][1])["text"]
    assert "did it happen?" in text
    assert "no answer, and no way to look" in text
    assert "/approvals/" not in text


def test_a_channel_that_fails_is_tried_again(told, receiver):
    receiver.answer = 500
    held(told, "r1")
    deliver(told)
    receiver.answer = 200
    told.clock.advance(timedelta(hours=1))
    Alerts(told.app.database, told.clock, channels_of(told.app.vault)).deliver()
    assert len(receiver.received) == 2
    states = {(row["channel"], row["state"]) for row in told.app.alerts.listed(10)}
    assert ("slack", "delivered") in states


def test_new_breaks_are_told_in_one_message(told, receiver):
    def mismatch(number, code):
        data = {"mismatch_id": f"m{number}", "settlement_id": "stripe/po_1", "code": code, "currency": "GBP"}
        return Envelope(
            id=f"m{number}", source="steward/reconciliation", type="ReconciliationMismatch", subject=f"break/{number}",
            time=told.clock.now(), data=data | {"expected_minor": 0, "actual_minor": -100 * number},
        )  # fmt: skip

    told.app.events.append([mismatch(1, "fee"), mismatch(2, "missing"), mismatch(3, "fee")])
    assert told.app.way_out.notices.tell_mismatches() == 3
    assert told.app.way_out.notices.tell_mismatches() == 0
    Alerts(told.app.database, told.clock, channels_of(told.app.vault)).deliver()
    ((_, body),) = receiver.received
    text = json.loads(body)["text"]
    assert "3 new breaks, GBP 6.00 in question" in text
    assert "2 fee, 1 missing" in text
