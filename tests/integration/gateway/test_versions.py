"""Versions of the catalog: a signed chain, what is under way decided again, and a gate that knows which is in force."""

from dataclasses import replace

import psycopg
import pytest
from tests.integration.gateway.conftest import held, reserve

from steward.catalog import catalog_of, load_catalog
from steward.kernel.canonical import parse_json
from steward.kernel.errors import BadInput

pytestmark = pytest.mark.db


@pytest.fixture
def next_shop(granted, make_shop, with_limits):
    """The same business, run with another catalog: no day may take more than 500.00."""
    granted.app.versions.bootstrap()
    return make_shop(with_limits(reserve_day={"amount_minor": 50000, "currency": "GBP"}))


def test_the_first_start_takes_its_catalog_as_version_one(granted):
    (row,) = granted.app.versions.all()
    assert (row["number"], row["previous"], row["approved_by"]) == (1, None, "bootstrap")
    assert row["digest"] == granted.app.catalog.digest
    assert granted.app.versions.barred() is None
    granted.app.versions.bootstrap()
    assert len(granted.app.versions.all()) == 1


def test_a_stored_version_reads_back_as_the_catalog_it_was():
    catalog = load_catalog()
    assert catalog_of(parse_json(catalog.text)).digest == catalog.digest


def test_a_catalog_that_is_not_in_force_lets_nothing_through(granted, next_shop, make):
    action = next_shop.app.gateway.action(next_shop.app.control.act(reserve("r1", 100, make.start)).action_id)
    assert (action.outcome, action.result["code"]) == ("refused", "catalog_not_active")
    refund = reserve("x", 1, make.start).model_copy(update={"kind": "refund.issue", "key": "refund.issue:C9"})
    action = next_shop.app.gateway.action(next_shop.app.control.act(refund).action_id)
    assert action.result["code"] == "catalog_not_active"
    assert held(granted) == (0, 0)


def test_nobody_activates_what_nobody_signed(next_shop):
    found = next_shop.app.versions.activate("fay", "a lower cap")
    assert (found.version, "nobody signed" in found.why_not) == (None, True)
    with pytest.raises(BadInput, match="has no key"):
        next_shop.app.versions.approve("fay")


def test_a_signed_version_comes_into_force_and_the_log_says_so(granted, next_shop, make):
    granted.app.control.act(reserve("r1", 10000, make.start))
    granted.app.control.act(reserve("r2", 10000, make.start))
    next_shop.app.versions.make_key("fay")
    next_shop.app.versions.approve("fay")
    found = next_shop.app.versions.activate("ana", "a lower cap")
    assert (found.version, found.failing, found.under_way) == (2, [], 2)
    assert granted.app.gateway.barred(reserve("r3", 1, make.start)).code == "catalog_not_active"
    assert next_shop.app.control.act(reserve("r3", 10000, make.start)).outcome == "executed"
    next_shop.app.events.sequence()
    (told,) = [e.envelope.data for e in next_shop.app.events.read(0, ["PolicyUpdated"], limit=10)]
    assert (told["version"], told["previous"], told["digest"]) == ("2", "1", next_shop.app.catalog.digest)
    assert told["loosens"] is False, "every old rule follows from the new ones"
    # What was decided under version 1 is audited under version 1, by a process that runs version 2.
    report = next_shop.app.auditor.verify()
    assert (report.invalid, report.decisions) == ([], 3)


def test_what_is_under_way_and_would_fail_is_shown_and_stops_it(granted, next_shop, make):
    acted = granted.app.control.act(reserve("r1", 60000, make.start))
    next_shop.app.versions.make_key("fay")
    next_shop.app.versions.approve("fay")
    found = next_shop.app.versions.activate("ana", "a lower cap")
    assert found.version is None
    assert [(one["action"], one["rules"]) for one in found.failing] == [(acted.action_id, ["reserve-day-cap"])]
    found = next_shop.app.versions.activate("ana", "a lower cap", despite_failing=True)
    assert found.version == 2


def test_a_signature_on_other_digests_is_none(next_shop, fresh):
    versions = next_shop.app.versions
    versions.make_key("fay")
    row = versions.approve("fay")
    with psycopg.connect(fresh.owner, autocommit=True) as connection:
        connection.execute("ALTER TABLE catalog_approval DISABLE TRIGGER USER")
        connection.execute("UPDATE catalog_approval SET signature = %s", ["A" * 86 + "=="])
    assert versions.activate("ana", "a lower cap").version is None
    assert row["signature"] != "A" * 86 + "=="


def test_of_two_that_activate_at_once_one_does(next_shop, make_shop, with_limits):
    """The second one's previous version is no longer in force: its signature is on another chain."""
    other = make_shop(with_limits(reserve_day={"amount_minor": 40000, "currency": "GBP"}))
    for shop in (next_shop, other):
        shop.app.versions.make_key("fay")
        shop.app.versions.approve("fay")
    assert next_shop.app.versions.activate("ana", "one").version == 2
    found = other.app.versions.activate("ana", "two")
    assert found.version is None
    assert "nobody signed" in found.why_not


@pytest.mark.parametrize(
    "change",
    [
        "digest = sha256('x')",
        "previous = sha256('x')",
        "number = 3",
        "document = document || ' '",
        "signature = NULL",
        "approved_by = ' '",
    ],
)
def test_the_table_itself_refuses_a_broken_chain(next_shop, fresh, change):
    versions = next_shop.app.versions
    versions.make_key("fay")
    versions.approve("fay")
    assert versions.activate("ana", "a lower cap").version == 2
    column, value = change.split(" = ")
    columns = [
        "number",
        "digest",
        "previous",
        "rules_digest",
        "theorem_digest",
        "document",
        "reason",
        "approved_by",
        "key_id",
        "signature",
        "recorded_at",
    ]
    with psycopg.connect(fresh.owner) as connection:
        connection.execute("CREATE TEMP TABLE copy AS SELECT * FROM catalog_version WHERE number = 2")
        connection.execute("ALTER TABLE catalog_version DISABLE TRIGGER catalog_version_is_append_only")
        connection.execute("DELETE FROM catalog_version WHERE number = 2")
        connection.execute(f"UPDATE copy SET {column} = {value}")
        with pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.NotNullViolation)):
            connection.execute(f"INSERT INTO catalog_version SELECT {', '.join(columns)} FROM copy")


def test_a_name_that_is_a_path_is_no_key(next_shop):
    with pytest.raises(BadInput, match="cannot name a key"):
        next_shop.app.versions.make_key("../people")


def test_a_higher_cap_loosens_and_the_values_that_show_it_are_told(granted, make_shop, with_limits):
    granted.app.versions.bootstrap()
    looser = make_shop(with_limits(reserve_day={"amount_minor": 90_000_000, "currency": "GBP"}))
    looser.app.versions.make_key("fay")
    looser.app.versions.approve("fay")
    found = looser.app.versions.activate("ana", "a higher cap")
    assert {entry["rule"] for entry in found.refinement if not entry["holds"]} == {"reserve-day-cap"}
    (entry,) = [entry for entry in found.refinement if not entry["holds"]]
    assert entry["counterexample"], "values that the new version passes and the old one stops"
    looser.app.events.sequence()
    (told,) = [e.envelope.data for e in looser.app.events.read(0, ["PolicyUpdated"], limit=10)]
    assert told["loosens"] is True


def test_replacing_the_catalog_object_does_not_fool_the_gate(granted, make):
    granted.app.versions._catalog = replace(granted.app.catalog, limits=granted.app.catalog.limits[:-1])
    acted = granted.app.control.act(reserve("r1", 100, make.start))
    assert granted.app.gateway.action(acted.action_id).result["code"] == "catalog_not_active"
