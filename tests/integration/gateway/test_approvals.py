"""Deciding on a real database where it is awkward: one person with two keys, a word that was interrupted, a live action
moved by plain SQL, what the log is told.
"""

import hashlib
import threading
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import psycopg
import pytest

from steward.kernel.errors import BadInput

pytestmark = pytest.mark.db


def judged(recheck, take_effect):
    """Somebody who says this of every action."""
    return lambda: SimpleNamespace(recheck=recheck, take_effect=take_effect)


DIGEST = hashlib.sha256(b"these").digest()
ACTION = """
    INSERT INTO action (action_id, idempotency_key, kind, proposed_at, proposer, snapshot_id, proposal, outcome, risk,
                        amount_minor, result)
    VALUES (%(id)s, %(id)s::text, 'a.kind', %(now)s, %(by)s, %(id)s, '{}', 'held', %(risk)s, 5, '{}')
"""
EFFECT = """
    INSERT INTO effect (action_id, kind, proposer, department, stage, tool, verb, mode, args, args_digest, policy_version,
                        tool_version, risk, amount_minor, currency, quorum, role, deadline, opened_at, state, due_at,
                        changed_at)
    VALUES (%(id)s, 'a.kind', %(by)s, 'ops', %(stage)s, 'desk', 'change_payee', 'none', '{"a": 1}', %(digest)s,
            %(policy)s, %(digest)s, %(risk)s, 5, 'GBP', %(quorum)s, %(role)s, %(end)s, %(now)s, 'awaiting_approval',
            %(now)s, %(now)s)
"""
SEND = """
    UPDATE effect SET state = 'executing', fence = 1, owner = 'x', lease_until = now(), first_sent_at = now()
    WHERE action_id = %s
"""


class Desk:
    """Approvals with people and their keys, and actions that wait for them."""

    def __init__(self, shop):
        self.shop, self.clock, self.approvals = shop, shop.clock, shop.app.approvals
        self.access = shop.app.access
        self.founder = self.access.create("ana", (), "founder")
        self.second = self.access.create("eve", (), "founder", by=self.founder)
        self.manager = self.access.create("ben", (), "manager", by=self.founder)
        self.asked = []
        self.says = ""
        self.approvals._judge = judged(self._recheck, shop.app.control.take_effect)

    def _recheck(self, action):
        self.asked.append(action)
        return self.says

    def waits(self, quorum=1, *, stage="live", risk="L2", role="manager", by="bot", hours=24):
        now, uuid = self.clock.now(), uuid4()
        values = {"id": uuid, "now": now, "by": by, "risk": risk, "role": role, "quorum": quorum, "stage": stage}
        end = None if hours is None else now + timedelta(hours=hours)
        with self.shop.app.database.transaction() as connection:
            connection.execute(
                EFFECT, values | {"end": end, "digest": DIGEST, "policy": bytes.fromhex(self.shop.app.catalog.digest)}
            )  # its action may come after it
            connection.execute(ACTION, values)
        return f"act_{uuid.hex}"

    def yes(self, action, key, **more):
        return self.approvals.approve(action, key, "cli", **more)

    def no(self, action, key, reason="no"):
        return self.approvals.reject(action, key, "cli", reason)

    def state(self, action):
        return self.shop.one("SELECT state FROM effect WHERE action_id = %s", [UUID(action[4:])])

    def told(self, action):
        self.shop.app.events.sequence()
        rows = self.shop.rows("SELECT type, data FROM event WHERE subject = %s ORDER BY type", [f"action/{action}"])
        return dict(rows)

    def sql(self, statement, action):
        with self.shop.app.database.transaction() as connection:
            return connection.execute(statement, [UUID(action[4:])]).rowcount


@pytest.fixture
def desk(shop):
    return Desk(shop)


def test_one_person_with_two_keys_is_one_person(desk):
    other = desk.access.create("ben", (), "manager", by=desk.founder)
    action = desk.waits(2)
    assert desk.yes(action, desk.manager).agreed == 1
    assert desk.yes(action, other).code == "decided_before"
    assert desk.no(action, other).code == "decided_before"
    assert (desk.state(action), desk.asked) == ("awaiting_approval", [])
    assert desk.yes(action, desk.founder).state == "ready"
    assert desk.asked == [action]


def test_the_same_person_four_times_at_once_counts_once(desk):
    action, together, found = desk.waits(2), threading.Barrier(4), []

    def say(key):
        together.wait()
        found.append(desk.yes(action, key))

    threads = [threading.Thread(target=say, args=(key,)) for key in [desk.manager] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.code for one in found) == ["", "decided_before", "decided_before", "decided_before"]
    assert desk.state(action) == "awaiting_approval"
    assert desk.yes(action, desk.founder).state == "ready"
    steps = desk.shop.one("SELECT count(*) FROM effect_step WHERE action_id = %s", [UUID(action[4:])])
    assert steps == 1


def test_proposers_and_keys_without_the_scope_decide_nothing_by_plain_sql_either(desk):
    weak = desk.access.create("kim", ("events:read",), "manager", by=desk.founder)
    agent = desk.access.create("bot", (), "agent")
    own, action = desk.waits(by="ben"), desk.waits(risk="L3", role="founder")
    call = "SELECT gate_decide(%s, %s, %s, %s, 'approve', %s, %s, 'sql', '', %s) AS why"

    def straight(on, key, digest=DIGEST, later=timedelta(0)):
        _, key_id, secret = key.split("_")
        policy = bytes.fromhex(desk.shop.app.catalog.digest)
        values = [UUID(on[4:]), digest, policy, DIGEST, key_id, secret, desk.clock.now() + later]
        with desk.shop.app.database.transaction() as connection:
            return connection.execute(call, values).fetchone()["why"]

    assert straight(own, desk.manager) == "own_proposal"
    assert [straight(action, key) for key in (weak, agent, desk.manager)] == ["wrong_role"] * 3
    assert straight(action, desk.founder, hashlib.sha256(b"others").digest()) == "changed"
    assert straight(action, desk.founder, later=timedelta(hours=24)) == "too_late"
    assert straight(f"act_{uuid4().hex}", desk.founder) == "not_waiting"
    assert desk.shop.one("SELECT count(*) FROM approval") == 0
    assert straight(action, desk.founder) == ""
    assert straight(action, desk.founder) == "decided_before"


def test_a_live_action_goes_out_with_its_approvals_only_whoever_moves_it(desk):
    action = desk.waits(2)
    desk.yes(action, desk.manager)
    assert desk.sql("UPDATE effect SET state = 'ready' WHERE action_id = %s", action) == 1
    with pytest.raises(psycopg.errors.RestrictViolation, match="2 approvals, not 1"):
        desk.sql(SEND, action)
    agreed = desk.waits(2)
    desk.yes(agreed, desk.manager)
    desk.yes(agreed, desk.founder)
    assert desk.sql(SEND, agreed) == 1  # the control: the same statement, with both


def test_a_no_does_not_count_as_a_yes(desk):
    action = desk.waits(2)
    desk.yes(action, desk.manager)
    assert desk.no(action, desk.founder).state == "rejected"
    with pytest.raises(psycopg.errors.RestrictViolation, match="rejected to ready"):
        desk.sql("UPDATE effect SET state = 'ready' WHERE action_id = %s", action)
    assert desk.yes(action, desk.second).code == "not_waiting"


def test_the_log_is_told_who_agreed_in_which_role_with_a_deadline_or_without(desk):
    timed, open_ended = desk.waits(), desk.waits(hours=None)
    for action in (timed, open_ended):
        desk.yes(action, desk.manager, reason="seen")
    first, second = desk.told(timed)["ActionApproved"], desk.told(open_ended)["ActionApproved"]
    assert [one["role"] for one in (first, second)] == ["manager", "manager"]
    assert ("expires_at" in first, "expires_at" in second) == (True, False)
    action = desk.waits()
    desk.no(action, desk.founder, "not now")
    said = desk.told(action)["ActionRejected"]
    assert (said["approver"], said["reason"]) == ("ana", "not now")


def test_what_was_agreed_to_and_interrupted_is_carried_on(desk):
    action = desk.waits()

    def dies(_action):
        raise RuntimeError("the process died")

    desk.approvals._judge = judged(dies, desk.shop.app.control.take_effect)
    with pytest.raises(RuntimeError):
        desk.yes(action, desk.manager)
    assert desk.state(action) == "awaiting_approval"
    desk.approvals._judge = judged(desk._recheck, desk.shop.app.control.take_effect)
    assert desk.approvals.sweep() == 1
    assert (desk.state(action), desk.asked) == ("ready", [action])
    assert desk.approvals.sweep() == 0


def test_a_recheck_says_no_to_the_second_yes_and_whose_name_it_is_does_not_matter(desk):
    rules = desk.access.create("rules", (), "manager", by=desk.founder)
    done = desk.yes(desk.waits(), rules)
    assert (done.code, done.state) == ("", "ready")
    action = desk.waits(2)
    desk.says = "the cap is used up"
    assert desk.yes(action, rules).code == ""
    done = desk.yes(action, desk.founder)
    assert (done.code, done.state, done.detail) == ("no_longer_allowed", "rejected", "the cap is used up")


def test_silence_is_a_no_that_the_log_is_told_once(desk):
    action = desk.waits(hours=1)
    desk.clock.advance(timedelta(hours=1))
    assert desk.no(action, desk.manager).code == "too_late"
    assert desk.approvals.sweep() == 1
    assert desk.approvals.sweep() == 0
    assert set(desk.told(action)) == {"ActionExpired"}


def test_the_reading_time_begins_with_the_first_look_and_a_no_needs_none(desk):
    reading = timedelta(seconds=int(desk.shop.app.catalog.limit("approval_reading_seconds")))
    action, other = desk.waits(risk="L3", role="founder"), desk.waits(risk="L3", role="founder")
    desk.approvals.show(action)  # by nobody in particular
    desk.clock.advance(reading)
    assert desk.yes(action, desk.founder).code == "read_first"
    desk.approvals.show(action, desk.access.recognise(desk.founder))
    desk.clock.advance(reading - timedelta(microseconds=1))
    assert desk.yes(action, desk.founder).code == "read_first"
    desk.approvals.show(action, desk.access.recognise(desk.founder))  # looking again does not begin anew
    desk.clock.advance(timedelta(microseconds=1))
    assert desk.yes(action, desk.second).code == "read_first"  # hers is another
    assert desk.yes(action, desk.founder).state == "ready"
    assert desk.no(other, desk.founder).state == "rejected"


def test_escalation_leaves_one_step_and_the_first_role_its_say(desk):
    action = desk.waits(hours=48)
    desk.clock.advance(timedelta(hours=24))
    assert [desk.approvals.sweep() for _ in range(3)] == [1, 0, 0]
    steps = desk.shop.rows("SELECT state, by, detail FROM effect_step WHERE action_id = %s", [UUID(action[4:])])
    assert steps == [("awaiting_approval", "time", "a founder may decide it as well")]
    assert desk.yes(action, desk.manager).state == "ready"


def test_an_action_nobody_proposed_is_bad_input(desk):
    for name in ("act_nonsense", f"act_{uuid4().hex}"):
        with pytest.raises(BadInput):
            desk.yes(name, desk.founder)
