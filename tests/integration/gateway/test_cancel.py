"""What a live action set aside is called back: through the books' own void, once, and the log knows."""

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from click.testing import CliRunner
from tests.integration.gateway.conftest import held, reserve

from steward.cli.main import main
from steward.control import story_of
from steward.kernel.errors import BadInput

pytestmark = pytest.mark.db


@pytest.fixture
def command(granted, monkeypatch):
    """The command line over the test's shop."""

    @contextmanager
    def open_app():
        yield granted.app

    monkeypatch.setattr("steward.bootstrap.open_app", open_app)
    return lambda *words: CliRunner().invoke(main, ["action", *words])


def cancelled(shop):
    return [event.envelope for event in shop.app.events.read(types=["ActionCancelled"])]


def test_a_cancelled_reservation_is_free_again_and_the_log_says_who(granted, make, command):
    acted = granted.app.control.act(reserve("r1", 90000, make.start))
    assert granted.app.control.act(reserve("r2", 90000, make.start)).outcome == "refused"
    done = command("cancel", acted.action_id, "--by", "fay", "--reason", "the show is off")
    assert (done.exit_code, done.stdout) == (0, "hold:spend.reserve:r1 is void\n")
    assert held(granted) == (0, 0)
    assert granted.app.control.act(reserve("r3", 90000, make.start)).outcome == "executed"
    (told,) = cancelled(granted)
    assert told.data == {"action_id": acted.action_id, "cancelled_by": "fay", "reason": "the show is off"}
    assert (told.subject, told.correlationid) == (f"action/{acted.action_id}", acted.action_id)
    assert granted.app.gateway.action(acted.action_id).outcome == "executed"
    assert story_of(granted.app.control, acted.action_id)["history"][-1]["state"] == "cancelled"
    assert granted.one("SELECT used_minor FROM gate_day") == 180000, "days count upwards only"
    granted.app.events.sequence()
    assert granted.app.auditor.verify().invalid == []
    assert granted.app.books.check().violations == []


def test_it_is_cancelled_once_however_many_try(granted, make):
    acted = granted.app.control.act(reserve("r1", 40000, make.start))
    found = []
    tries = [
        threading.Thread(
            target=lambda n=n: found.append(granted.app.cancellations.cancel(acted.action_id, f"p{n}", "off"))
        )
        for n in range(4)
    ]
    for one in tries:
        one.start()
    for one in tries:
        one.join()
    assert sorted(one.code for one in found) == ["", "hold_voided", "hold_voided", "hold_voided"]
    granted.app.events.sequence()
    assert len(cancelled(granted)) == 1
    assert held(granted) == (0, 0)


def test_what_is_over_or_set_nothing_aside_is_not_cancelled(granted, make, command):
    late = granted.app.control.act(reserve("r1", 40000, make.start)).action_id
    refused = granted.app.control.act(reserve("r2", 90000000, make.start)).action_id
    granted.clock.advance(timedelta(days=40))
    for action, code in ((late, "hold_expired"), (refused, "no_hold")):
        found = command("cancel", action, "--by", "fay", "--reason", "off")
        assert found.exit_code == 1
        assert f"({code})" in found.stdout
    assert cancelled(granted) == []
    assert command("cancel", "act_nothing", "--by", "fay", "--reason", "off").exit_code == 2
    with pytest.raises(BadInput):
        granted.app.cancellations.cancel(late, "fay", "  ")


def test_an_effect_and_its_fact_come_together(granted, make, monkeypatch):
    """Control: where the fact cannot be written, the hold stays."""
    acted = granted.app.control.act(reserve("r1", 40000, make.start))

    put = granted.app.events.put

    def broken(envelopes):
        if envelopes[0].type == "ActionCancelled":
            assert held(granted) == (40000, 40000), "nobody outside sees half of it"
            raise OSError("the disk is full")
        put(envelopes)

    monkeypatch.setattr(granted.app.events, "put", broken)
    with pytest.raises(OSError, match="full"):
        granted.app.cancellations.cancel(acted.action_id, "fay", "off")
    assert held(granted) == (40000, 40000)


def test_a_refusal_is_shown_with_the_nearest_that_would_be_allowed(granted, make, command):
    refused = granted.app.control.act(reserve("r1", 150000, make.start))
    text = command("show", refused.action_id).stdout
    assert text.startswith(f"{refused.action_id}  spend.reserve  refused  DENY\n")
    assert "\n  nearest allowed amount = GBP 1,000.00\n" in text
    assert command("show", refused.action_id, "--json").stdout.startswith("{")
