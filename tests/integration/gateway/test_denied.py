"""What the database refuses whatever the gate thinks: caps stand in it again, and the application may do little."""

import psycopg
import pytest
from tests.integration.gateway.conftest import held, reserve

pytestmark = pytest.mark.db
MAY_NOT = [
    "DELETE FROM action",
    "UPDATE action SET outcome = 'executed'",
    "DELETE FROM gate_day",
    "UPDATE gate_day SET day = day + 1",
    "UPDATE gate_day SET kind = 'x'",
    "DELETE FROM violation",
    "UPDATE violation SET reason = 'nothing'",
    "UPDATE violation SET proposer = 'somebody else'",
    "DELETE FROM quarantine",
    "UPDATE quarantine SET since = since + interval '1 day'",
    "UPDATE quarantine SET proposer = 'somebody else'",
    "DELETE FROM alert",
    "UPDATE alert SET body = '{}'",
    "UPDATE alert_attempt SET answer = 'fine'",
    "DELETE FROM alert_attempt",
    "UPDATE catalog_version SET approved_by = 'fay'",
    "DELETE FROM catalog_version",
    "UPDATE catalog_approval SET approved_by = 'fay'",
    "DELETE FROM catalog_approval",
    "UPDATE balance SET pending_debit_minor = 0",
    "INSERT INTO hold_leg VALUES (1, 1, 1, -5)",
    "DELETE FROM hold_open",
    "TRUNCATE gate_day",
    "ALTER TABLE gate_day DROP CONSTRAINT gate_day_under_cap",
]


@pytest.mark.parametrize("statement", MAY_NOT)
def test_the_application_may_not(fresh, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), fresh.app.transaction() as connection:
        connection.execute(statement)


@pytest.fixture
def reserved(granted, make):
    granted.app.control.act(reserve("r1", 40000, make.start))
    return granted


def refuses(shop, error, statement):
    with pytest.raises(error), shop.app.database.transaction() as connection:
        connection.execute(statement)


def test_a_day_never_takes_more_than_its_cap(reserved):
    refuses(reserved, psycopg.errors.CheckViolation, "UPDATE gate_day SET used_minor = cap_minor + 1")


def test_a_day_never_takes_less_than_it_did(reserved):
    refuses(reserved, psycopg.errors.RestrictViolation, "UPDATE gate_day SET used_minor = used_minor - 1")


def test_a_cap_cannot_be_set_below_what_was_taken(reserved):
    refuses(reserved, psycopg.errors.CheckViolation, "UPDATE gate_day SET cap_minor = used_minor - 1")


def test_an_effect_has_an_amount(reserved):
    columns = "idempotency_key || 'x', kind, proposed_at, proposer, snapshot_id, proposal, outcome, risk, -1, result"
    refuses(
        reserved,
        psycopg.errors.CheckViolation,
        f"INSERT INTO action SELECT gen_random_uuid(), {columns} FROM action WHERE outcome = 'executed'",
    )


def test_a_gate_that_lets_everything_through_meets_the_budgets_ceiling(reserved, make, monkeypatch):
    """With every rule read as fulfilled, the books themselves keep the budget: the account has a ceiling of zero."""
    allowed = reserved.app.verifier.certify(reserve("x", 1, make.start).document(), _enough(), "2026-01-01T00:00:00Z")
    assert allowed.verdict == "ALLOW"
    monkeypatch.setattr(reserved.app.live_gate, "recheck", lambda *_args: allowed)
    with pytest.raises(Exception, match="ceiling"):
        reserved.app.control.act(reserve("r2", 60001, make.start))
    assert held(reserved) == (40000, 40000)
    assert reserved.one("SELECT count(*) FROM action") == 1


def test_a_gate_that_lets_everything_through_meets_the_days_cap(make_shop, with_limits, make, monkeypatch):
    shop = make_shop(with_limits(reserve_day={"amount_minor": 50000, "currency": "GBP"}))
    shop.app.ledger.grant("ads", "GBP", 100000, "g", "fay", "the season")
    allowed = shop.app.verifier.certify(reserve("x", 1, make.start).document(), _enough(), "2026-01-01T00:00:00Z")
    monkeypatch.setattr(shop.app.live_gate, "recheck", lambda *_args: allowed)
    with pytest.raises(psycopg.errors.CheckViolation, match="gate_day_under_cap"):
        shop.app.control.act(reserve("r1", 50001, make.start))
    assert held(shop) == (0, 0)
    assert shop.one("SELECT count(*) FROM action") == 0


def _enough():
    money = {"amount_minor": 10**9, "currency": "GBP"}
    nothing = {"amount_minor": 0, "currency": "GBP"}
    return {"budget.available": money, "budget.in_flight": nothing, "reserved.today": nothing}


def test_violations_only_become_more(granted, make):
    granted.app.control.act(reserve("r1", 100001, make.start))
    refuses(granted, psycopg.errors.RestrictViolation, "UPDATE violation SET times = times")


def test_a_quarantine_is_lifted_once_and_with_a_reason(granted):
    lift = "UPDATE quarantine SET lifted_at = now(), lifted_by = 'fay', lifted_why = "
    with granted.app.database.transaction() as connection:
        connection.execute("INSERT INTO quarantine (proposer, since, reason) VALUES ('x', now(), 'y')")
    refuses(granted, psycopg.errors.CheckViolation, f"{lift} ' '")
    refuses(granted, psycopg.errors.CheckViolation, "UPDATE quarantine SET lifted_at = now()")
    with granted.app.database.transaction() as connection:
        connection.execute(f"{lift} 'mended'")
    refuses(granted, psycopg.errors.RestrictViolation, f"{lift} 'again'")
