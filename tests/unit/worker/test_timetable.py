"""What runs when: times that recur, the catalog's schedules and the functions behind them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.catalog import check_schedules, load_catalog, load_schedules
from steward.contracts.schedule import Job
from steward.infra.cron import check_cron, due, ticks
from steward.kernel.errors import BadInput, CatalogError
from steward.worker.jobs import JOBS

CATALOG = load_catalog()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(1_577_836_800_000_000, 1_893_456_000_000_000).map(lambda us: EPOCH + timedelta(microseconds=us))
CRONS = st.sampled_from(["0 * * * *", "*/17 * * * *", "15 2 * * *", "0 0 1 * *", "30 9 * * 1-5"])


def at(text):
    return datetime.fromisoformat(text)


def test_every_scheduled_job_has_a_function_and_every_function_a_name():
    assert set(JOBS) == set(get_args(Job))
    assert {schedule.job for schedule in load_schedules()} <= set(JOBS)
    assert list(check_schedules(CATALOG)) == []


def test_an_hour_has_its_tick_and_the_end_belongs_to_it():
    found = list(ticks("0 * * * *", "UTC", at("2026-11-27T07:00:00+00:00"), at("2026-11-27T09:00:00+00:00")))
    assert found == [at("2026-11-27T08:00:00+00:00"), at("2026-11-27T09:00:00+00:00")]


def test_a_day_of_a_zone_follows_its_clocks():
    found = list(ticks("0 2 * * *", "Europe/London", at("2026-10-24T00:00:00+00:00"), at("2026-10-26T12:00:00+00:00")))
    assert found == [at("2026-10-24T01:00:00+00:00"), at("2026-10-25T02:00:00+00:00"), at("2026-10-26T02:00:00+00:00")]


@settings(deadline=None, max_examples=50)
@given(CRONS, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=1)), st.floats(0, 1))
def test_looking_twice_sees_what_looking_once_does(cron, after, span, share):
    until, between = after + span, after + span * share
    once = list(ticks(cron, "UTC", after, until))
    assert once == [*ticks(cron, "UTC", after, between), *ticks(cron, "UTC", between, until)]
    assert once == sorted(set(once))
    assert all(after < tick <= until for tick in once)


@settings(deadline=None, max_examples=50)
@given(CRONS, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=1)), st.integers(1, 9), st.booleans())
def test_bit_by_bit_everything_missed_is_made_up_for(cron, after, span, most, is_every):
    now, through, wanted = after + span, after, []
    while True:
        found, reached = due(cron, "UTC", through, now, is_every=is_every, most=most)
        wanted += found
        if reached == through:
            break
        through = reached
    missed = list(ticks(cron, "UTC", after, now))
    assert wanted == (missed if is_every else missed[-1:])
    assert through == (missed[-1] if missed else after)


@pytest.mark.parametrize("cron", ["", "hourly", "* * * *", "61 * * * *", "0 0 31 13 *", "0 0 30 2 *", "* * * * * * *"])
def test_what_does_not_recur_is_refused(cron):
    with pytest.raises(BadInput, match="no time that recurs"):
        check_cron(cron, "UTC")


@pytest.mark.parametrize("zone", ["", "Europe/Atlantis", "../etc/passwd", "\0"])
def test_a_zone_that_is_none_is_refused(zone):
    with pytest.raises(BadInput, match="no time zone"):
        check_cron("0 * * * *", zone)


def write(folder, **changes):
    good = {"name": "a", "job": "snapshot", "cron": "0 * * * *", "missed": "every", "why": "so"}
    entries = [good, {**good, "name": "b", **changes}]
    (folder / "schedules.yaml").write_text(yaml.safe_dump(entries, sort_keys=False), encoding="utf-8")
    return replace(CATALOG, root=folder)


def test_schedules_that_are_wrong_are_found_at_their_line(tmp_path):
    found = list(check_schedules(write(tmp_path, cron="0 25 * * *")))
    assert [problem["where"] for problem in found] == ["schedules.yaml line 6"]
    assert "b: '0 25 * * *' is no time that recurs" in found[0]["what"]
    assert "stands twice" in next(check_schedules(write(tmp_path, name="a")))["what"]
    assert "no time zone" in next(check_schedules(write(tmp_path, zone="Mars")))["what"]


def test_a_job_nobody_can_do_is_refused_at_its_line(tmp_path):
    write(tmp_path, job="dance")
    with pytest.raises(CatalogError, match=r"schedules.yaml line 7 job"):
        load_schedules(tmp_path)


def test_a_catalog_without_schedules_has_the_shipped_ones(tmp_path):
    assert load_schedules(tmp_path) == load_schedules()
