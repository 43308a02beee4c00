"""Who decides, what stops and what a day may take, on a real database; and the same tried as the application's SQL role."""

import hashlib
import threading
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from steward.contracts.action import Refused
from steward.gateway.core.holding import Money
from steward.kernel.errors import BadInput

pytestmark = pytest.mark.db


def judged(recheck, take_effect):
    """Somebody who says this of every action."""
    return lambda: SimpleNamespace(recheck=recheck, take_effect=take_effect)


ACTION = """
    INSERT INTO action (action_id, idempotency_key, kind, proposed_at, proposer, snapshot_id, proposal, outcome, risk,
                        amount_minor, result)
    VALUES (%(id)s, %(id)s::text, 'a.kind', %(now)s, 'bot', %(id)s, '{}', 'held', %(risk)s, 5, '{}')
"""
EFFECT = """
    INSERT INTO effect (action_id, kind, proposer, department, stage, tool, verb, mode, args, args_digest, policy_version,
                        tool_version, risk, amount_minor, currency, quorum, role, deadline, opened_at, state, due_at,
                        changed_at)
    VALUES (%(id)s, 'a.kind', %(by)s, 'ops', 'shadow', 'desk', 'change_payee', 'none', '{"a": 1}', %(digest)s,
            %(policy)s, %(digest)s, %(risk)s, 5, 'GBP', %(quorum)s, %(role)s, %(end)s, %(now)s, 'awaiting_approval',
            %(now)s, %(now)s)
"""
DIGEST = hashlib.sha256(b"these").digest()


class House:
    """A shop with people and their keys."""

    def __init__(self, shop):
        self.shop, self.app, self.clock = shop, shop.app, shop.clock
        self.founder = self.app.access.create("ana", (), "founder")
        self.manager = self.app.access.create("ben", (), "manager", by=self.founder)
        self.second = self.app.access.create("eve", (), "founder", by=self.founder)
        self.agent = self.app.access.create("bot", (), "agent")

    def waits(self, risk="L2", role="manager", quorum=1, by="bot", hours=24):
        now, uuid = self.clock.now(), uuid4()
        values = {"id": uuid, "now": now, "risk": risk, "role": role, "quorum": quorum, "by": by, "digest": DIGEST}
        values["policy"] = bytes.fromhex(self.app.catalog.digest)
        with psycopg.connect(self.shop.owner) as connection:
            connection.execute(ACTION, values)
            connection.execute(EFFECT, values | {"end": now + timedelta(hours=hours)})
        return f"act_{uuid.hex}"

    def read(self, action, key):
        """Look at it, and take the time to."""
        self.app.approvals.show(action, self.app.access.recognise(key))
        self.clock.advance(timedelta(seconds=60))

    def state(self, action):
        return self.shop.one("SELECT state FROM effect WHERE action_id = %s", [UUID(action[4:])])


@pytest.fixture
def house(shop):
    made = House(shop)
    made.app.approvals._judge = judged(
        lambda _action: "", made.app.control.take_effect
    )  # the rules are asked in other tests
    return made


def test_a_manager_decides_l2_once_and_nobody_his_own(house):
    action = house.waits()
    assert house.app.approvals.approve(action, house.agent, "api").code == "wrong_role"
    assert house.app.approvals.approve(action, "stw_no_key", "api").code == "unknown_key"
    assert house.app.approvals.approve(action, house.manager, "cli", digest="0" * 64).code == "changed"
    done = house.app.approvals.approve(action, house.manager, "cli", "seen")
    assert (done.code, done.state, house.state(action)) == ("", "shadowed", "shadowed")
    assert house.app.approvals.approve(action, house.founder, "cli").code == "not_waiting"
    own = house.waits(by="ben")
    assert house.app.approvals.approve(own, house.manager, "cli").code == "own_proposal"
    assert house.app.approvals.reject(own, house.founder, "cli", "no").state == "rejected"


def test_two_people_agree_to_a_new_payee_after_reading(house):
    action = house.waits("L3", "founder", 2)
    assert house.app.approvals.approve(action, house.manager, "cli").code == "wrong_role"
    assert house.app.approvals.approve(action, house.founder, "cli").code == "read_first"
    house.read(action, house.founder)
    first = house.app.approvals.approve(action, house.founder, "cli")
    assert (first.code, first.state, first.agreed, first.quorum) == ("", "awaiting_approval", 1, 2)
    assert house.app.approvals.approve(action, house.founder, "cli").code == "decided_before"
    house.read(action, house.second)
    assert house.app.approvals.approve(action, house.second, "cli").state == "shadowed"


def test_other_rules_by_now_void_what_was_asked(house):
    action = house.waits()
    house.app.approvals._policy = bytes(32)
    assert house.app.approvals.approve(action, house.manager, "cli").code == "changed"
    assert house.app.approvals.reject(action, house.manager, "cli", "ask anew").state == "rejected"


def test_silence_is_a_no_and_the_next_role_is_told_once(house):
    action = house.waits(hours=24)
    house.clock.advance(timedelta(hours=5))
    assert house.app.approvals.sweep() == 1
    assert house.app.approvals.sweep() == 0
    house.clock.advance(timedelta(hours=20))
    assert house.app.approvals.approve(action, house.manager, "cli").code == "too_late"
    house.app.approvals.sweep()
    assert house.state(action) == "expired"


def test_rules_that_say_no_by_now_end_it(house):
    action = house.waits()
    house.app.approvals._judge = judged(lambda _action: "the payment was refunded meanwhile", lambda _action: ("", ""))
    done = house.app.approvals.approve(action, house.manager, "cli")
    assert (done.code, done.state) == ("no_longer_allowed", "rejected")
    house.app.events.sequence()
    [told] = house.app.events.read(types=["ActionRejected"])
    assert told.envelope.data["approver"] == "rules"


def test_nobody_approves_without_end(house):
    most = house.app.catalog.limit("approvals_hour")
    codes = [house.app.approvals.approve(house.waits(), house.manager, "cli").code for _ in range(most + 1)]
    assert codes == [""] * most + ["tired"]
    house.clock.advance(timedelta(minutes=61))
    assert house.app.approvals.approve(house.waits(), house.manager, "cli").code == ""


def test_nor_with_many_hands_at_once(house):
    most = house.app.catalog.limit("approvals_hour")
    for _ in range(most - 1):
        house.app.approvals.approve(house.waits(), house.manager, "cli")
    waiting, codes = [house.waits() for _ in range(6)], []
    threads = [
        threading.Thread(target=lambda a=a: codes.append(house.app.approvals.approve(a, house.manager, "api").code))
        for a in waiting
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["", *["tired"] * 5]


def test_only_a_founder_makes_people(house):
    for maker in ("", house.manager, house.agent):
        with pytest.raises(BadInput, match="founder"):
            house.app.access.create("mallory", (), "founder", by=maker)
    with pytest.raises(BadInput, match="for people"):
        house.app.access.create("bot2", ("approvals:decide",), "agent")
    fresh = house.app.access.rotate(house.manager, timedelta(0))
    house.clock.advance(timedelta(seconds=3))
    assert house.app.access.recognise(house.manager) is None
    assert house.app.access.recognise(fresh).role == "manager"


@pytest.mark.parametrize(
    "attempt",
    [
        """INSERT INTO approval (action_id, args_digest, policy_version, tool_version, decision, person, role, key_id,
           channel, decided_at, expires_at) SELECT action_id, args_digest, policy_version, tool_version, 'approve',
           'ana', 'founder', 'k', 'sql', now(), now() FROM effect""",
        """INSERT INTO api_key (key_id, name, digest, scopes, created_at, role)
           VALUES ('k', 'mallory', sha256('x'), '{approvals:decide}', now(), 'founder')""",
        "UPDATE api_key SET role = 'founder'",
        "UPDATE effect SET state = 'ready'",
        "UPDATE effect SET state = 'executing', fence = 1, owner = 'x', lease_until = now(), first_sent_at = now()",
        "UPDATE effect SET args = '{}'",
        "UPDATE effect SET quorum = 0",
        "UPDATE effect SET deadline = deadline + interval '1 day'",
        "UPDATE api_key SET revoked_at = NULL WHERE revoked_at IS NOT NULL",
        """INSERT INTO effect SELECT (jsonb_populate_record(e, '{"quorum": 0, "role": null, "state": "ready",
           "stage": "live", "risk": "L3", "action_id": "00000000-0000-7000-8000-000000000001"}')).* FROM effect e""",
        "DELETE FROM effect",
        "DELETE FROM approval",
        "UPDATE effect SET kind = 'x'",
        "DELETE FROM kill_switch",
        "INSERT INTO kill_switch VALUES ('all', false, now(), 'x', 'x')",
        "UPDATE kill_switch SET is_on = false",
        "DELETE FROM gate_floor",
        "INSERT INTO gate_clock (reason) VALUES ('x')",
    ],
)
def test_the_application_role_cannot_help_itself(house, attempt):
    house.waits()
    house.app.access.revoke(house.second.split("_")[1])
    refused = (
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.RestrictViolation,
        psycopg.errors.CheckViolation,
    )
    with pytest.raises(refused), house.app.database.transaction() as connection:
        connection.execute(attempt)


def test_a_wrong_secret_decides_nothing(house):
    action = house.waits()
    forged = f"{house.founder[:-4]}0000"
    assert house.app.approvals.approve(action, forged, "cli").code == "unknown_key"
    call = "SELECT gate_decide(%s, %s, %s, %s, 'approve', %s, %s, 'sql', '', now())"
    values = [UUID(action[4:]), DIGEST, DIGEST, DIGEST, house.founder.split("_")[1], "0" * 64]
    with house.app.database.transaction() as connection:
        row = connection.execute(call, values).fetchone()
    assert next(iter(row.values())) == "unknown_key"


def test_each_scope_stops_what_it_names(house):
    kills = house.app.kills
    asked = ("payment.refund", "stripe", "bot", "ops")
    for scope in ("all", "kind:payment.refund", "tool:stripe", "agent:bot", "department:ops"):
        assert kills.throw(scope, "ana", "test")
        assert not kills.throw(scope, "ana", "again")
        assert kills.stops(*asked) == scope
        assert kills.lift(scope, "ana", "mended", house.founder)  # in the same instant of this clock
        assert kills.stops(*asked) is None
    assert kills.throw("tool:paypal", "ana", "test")
    assert kills.stops(*asked) is None
    with pytest.raises(BadInput, match="scope"):
        kills.throw("everything", "ana", "test")


def test_a_day_takes_no_more_than_its_cap_whoever_asks_at_once(house):
    caps, now = house.app.caps, house.clock.now()
    caps.set("kind:k", "GBP", 1000, "ana", "a day")
    admitted, refused = [], []

    def ask(name):
        for number in range(5):
            action = f"act_{uuid4().hex}"
            with house.app.database.transaction():
                made = caps.reserve(action, Money(100, "GBP"), ["all", "kind:k"], now)
            (refused if isinstance(made, Refused) else admitted).append((name, number, made))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(admitted), len(refused)) == (10, 30)
    assert {made.code for _, _, made in refused} == {"over_budget"}
    [row] = caps.listed()
    assert row["today_minor"] == 1000
    caps.void(admitted[0][2])
    caps.settle(admitted[1][2])
    assert caps.listed()[0]["today_minor"] == 900  # what happened still counts for its day
    tomorrow = now + timedelta(days=1)
    assert not isinstance(caps.reserve("act_" + "1" * 32, Money(1000, "GBP"), ["kind:k"], tomorrow), Refused)


@pytest.mark.parametrize("amount", [0, -5000])
def test_less_than_nothing_makes_no_room(house, amount):
    house.app.caps.set("kind:k", "GBP", 1000, "ana", "a day")
    made = house.app.caps.reserve("act_" + "4" * 32, Money(amount, "GBP"), ["kind:k"], house.clock.now())
    assert made.code == "amount_not_positive"
    assert house.app.caps.listed()[0]["today_minor"] == 0


def test_looking_first_and_writing_later_goes_over(house):
    """The control of the test above: the same eight threads, with a table and a look."""
    with psycopg.connect(house.shop.owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE naive (n bigint)")
    together = threading.Barrier(8)

    def ask():
        with psycopg.connect(house.shop.owner, autocommit=True) as connection:
            for _ in range(5):
                together.wait()
                used = connection.execute("SELECT coalesce(sum(n), 0) FROM naive").fetchone()[0]
                together.wait()
                if used + 100 <= 1000:
                    connection.execute("INSERT INTO naive VALUES (100)")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert house.shop.one("SELECT sum(n) FROM naive") > 1000


def test_a_budget_of_a_kind_is_drawn_on_and_spent(house):
    assert house.app.ledger.grant("kind.k", "GBP", 500, "g1", "ana", "this month") == []
    caps, now = house.app.caps, house.clock.now()
    held = caps.reserve("act_" + "2" * 32, Money(400, "GBP"), ["kind:k"], now)
    over = caps.reserve("act_" + "3" * 32, Money(200, "GBP"), ["kind:k"], now)
    assert isinstance(over, Refused)
    caps.settle(held)
    [budget] = house.app.ledger.budgets()
    assert (budget["granted_minor"], budget["held_minor"]) == (100, 0)
    assert house.app.auditor is not None


def test_the_databases_floor_is_what_the_catalog_asks_for_at_least(house, catalog):
    wanted = {k.kind: (k.risk, k.approvals) for k in catalog.kinds if k.risk in ("L2", "L3")}
    assert {kind: (risk, quorum) for kind, risk, quorum in house.shop.rows("SELECT * FROM gate_floor")} == wanted


def test_a_kind_with_a_floor_cannot_be_opened_below_it(house):
    house.waits()
    one = "'00000000-0000-7000-8000-000000000001'::uuid"
    for kind, more in (
        ("payout.creator", {"risk": "L2"}),
        ("payout.creator", {"risk": "L3", "role": "manager"}),
        ("payee.change", {"risk": "L3", "role": "founder", "quorum": 1}),
    ):
        said = {"kind": kind, **more}
        with (
            pytest.raises(psycopg.errors.RestrictViolation, match="asks for more people"),
            house.app.database.transaction() as connection,
        ):
            connection.execute(
                f"INSERT INTO effect SELECT (jsonb_populate_record(e, %s || jsonb_build_object('action_id', {one}))).* "
                "FROM effect e",
                [Jsonb(said)],
            )


def test_without_a_managers_key_nothing_is_let_go_on_once_there_is_one(house):
    kills = house.app.kills
    assert kills.throw("all", "anybody", "stop")
    for key in ("", house.agent, "stw_no_key"):
        with pytest.raises(BadInput, match="manager"):
            kills.lift("all", "anybody", "go on", key)
    assert kills.active()
    assert kills.lift("all", "ben", "go on", house.manager)


def test_the_database_judges_by_its_own_clock_where_nobody_said_otherwise(house):
    action = house.waits(hours=24)
    house.shop.rows("DELETE FROM gate_clock RETURNING 1")
    assert house.app.approvals.approve(action, house.manager, "cli").code == "too_late", "years after the test's clock"
