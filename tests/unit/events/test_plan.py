"""What becomes of each event of a group of requests, by examples: decided before anything is written."""

from datetime import UTC, datetime

import pytest

from steward.events.core.entry import Prepared, digest_of, event_key
from steward.events.core.plan import Known, Request, plan

AT = datetime(2026, 1, 1, tzinfo=UTC)


def event(name, body="1", *, stream=None, expected=None):
    subject = stream or f"order/{name}"
    text = b'{"n":"%b"}' % body.encode()
    return Prepared(
        id=name,
        source="shop",
        type="OrderPlaced",
        subject=subject,
        time=AT,
        schemaversion=1,
        correlationid=None,
        causationid=None,
        data_text=text,
        body_digest=digest_of("OrderPlaced", subject, AT, text),
        key=event_key("shop", name),
        expected_version=expected,
    )


def known(*events):
    return {each.key: Known(position, each.body_digest) for position, each in enumerate(events, start=1)}


def made(requests, held=(), streams=None):
    return plan(requests, known(*held), streams or {}, len(held))


def statuses(result):
    return [[outcome.status for outcome in outcomes] for outcomes in result.outcomes]


def positions(result):
    return [[outcome.position for outcome in outcomes] for outcomes in result.outcomes]


def test_nothing_makes_nothing():
    assert made([]).outcomes == []
    result = made([Request([]), Request([], atomic=True)])
    assert (result.fresh, result.outcomes, result.conflicts) == ([], [[], []], [])


def test_new_events_take_the_next_positions():
    a, b, c = event("a"), event("b"), event("c")
    result = made([Request([a, b]), Request([c])], held=[event("x"), event("y")])
    assert result.fresh == [a, b, c]
    assert positions(result) == [[3, 4], [5]]
    assert statuses(result) == [["stored", "stored"], ["stored"]]


def test_what_the_log_holds_is_a_duplicate_at_its_position():
    result = made([Request([event("b"), event("c")])], held=[event("a"), event("b")])
    assert statuses(result) == [["duplicate", "stored"]]
    assert positions(result) == [[2, 3]]
    assert [each.id for each in result.fresh] == ["c"]


def test_the_same_event_twice_in_a_request_is_stored_once():
    result = made([Request([event("a"), event("a"), event("b")])])
    assert statuses(result) == [["stored", "duplicate", "stored"]]
    assert positions(result) == [[1, 1, 2]]


def test_the_same_event_in_two_requests_of_a_group_is_stored_once():
    result = made([Request([event("a")]), Request([event("a"), event("b")])])
    assert statuses(result) == [["stored"], ["duplicate", "stored"]]
    assert positions(result) == [[1], [1, 2]]
    assert len(result.fresh) == 2


def test_another_body_is_a_conflict_with_what_the_log_holds():
    other = event("a", "2")
    result = made([Request([other, event("b")])], held=[event("a")])
    assert statuses(result) == [["conflict", "stored"]]
    assert positions(result) == [[1, 2]]
    assert result.conflicts == [(other, 1)]
    assert "another body" in result.outcomes[0][0].detail


def test_another_body_is_a_conflict_with_what_came_before_it_in_the_request():
    other = event("a", "2")
    result = made([Request([event("a"), other])])
    assert statuses(result) == [["stored", "conflict"]]
    assert result.conflicts == [(other, 1)]


def test_a_conflict_with_what_came_in_an_earlier_request_of_the_group():
    other = event("a", "2")
    result = made([Request([event("a")]), Request([other])])
    assert statuses(result) == [["stored"], ["conflict"]]
    assert result.conflicts == [(other, 1)]


# Expected versions


def test_a_stream_of_the_expected_version_takes_the_event_and_grows():
    a, b = event("a", stream="order/1", expected=0), event("b", stream="order/1", expected=1)
    result = made([Request([a, b])], streams={"order/1": 0})
    assert statuses(result) == [["stored", "stored"]]


def test_events_without_an_expectation_count_too():
    a, b = event("a", stream="order/1"), event("b", stream="order/1", expected=1)
    result = made([Request([a, b])], streams={"order/1": 0})
    assert statuses(result) == [["stored", "stored"]]


@pytest.mark.parametrize("expected", [0, 1, 3, 99])
def test_a_stream_of_another_version_refuses(expected):
    late = event("a", stream="order/1", expected=expected)
    result = made([Request([late, event("b")])], streams={"order/1": 2})
    assert statuses(result) == [["wrong_version", "stored"]]
    assert positions(result) == [[0, 1]]
    assert result.outcomes[0][0].detail == f"stream order/1 has 2 events, not {expected}"
    assert result.conflicts == []


def test_of_two_that_expect_the_same_the_first_wins():
    first, second = event("a", stream="s/1", expected=0), event("b", stream="s/1", expected=0)
    result = made([Request([first]), Request([second])], streams={"s/1": 0})
    assert statuses(result) == [["stored"], ["wrong_version"]]


def test_a_redelivery_is_a_duplicate_whatever_the_stream_holds_now():
    again = event("a", stream="s/1", expected=0)
    result = made([Request([again])], held=[again], streams={"s/1": 1})
    assert statuses(result) == [["duplicate"]]


# All or none


def test_an_atomic_request_that_is_good_lands_whole():
    result = made([Request([event("a"), event("b"), event("c")], atomic=True)], held=[event("b")])
    assert statuses(result) == [["stored", "duplicate", "stored"]]
    assert positions(result) == [[2, 1, 3]]
    assert [each.id for each in result.fresh] == ["a", "c"]


def test_a_conflict_withholds_the_whole_atomic_request():
    other = event("x", "2")
    result = made([Request([event("a"), other, event("b")], atomic=True)], held=[event("x")])
    assert statuses(result) == [["withheld", "conflict", "withheld"]]
    assert positions(result) == [[0, 1, 0]]
    assert result.fresh == []
    assert result.conflicts == [(other, 1)]  # what was sent under a taken name is kept all the same


def test_a_wrong_version_withholds_the_whole_atomic_request():
    late = event("a", stream="s/1", expected=5)
    result = made([Request([event("b"), late], atomic=True)], streams={"s/1": 2})
    assert statuses(result) == [["withheld", "wrong_version"]]
    assert result.fresh == []


def test_what_was_there_before_stays_a_duplicate_in_an_atomic_request_that_fails():
    result = made([Request([event("x"), event("y", "2"), event("a")], atomic=True)], held=[event("x"), event("y")])
    assert statuses(result) == [["duplicate", "conflict", "withheld"]]
    assert positions(result) == [[1, 2, 0]]


def test_an_atomic_request_that_fails_leaves_no_trace_for_the_next_one():
    failing = Request([event("a", stream="s/1"), event("x", "2")], atomic=True)
    after = Request([event("b", stream="s/1", expected=0), event("a", stream="s/1"), event("c")])
    result = made([failing, after], held=[event("x")], streams={"s/1": 0})
    assert statuses(result) == [["withheld", "conflict"], ["stored", "stored", "stored"]]
    assert positions(result) == [[0, 1], [2, 3, 4]]
    assert [each.id for each in result.fresh] == ["b", "a", "c"]


def test_the_version_a_failed_atomic_request_raised_falls_back():
    failing = Request([event("a", stream="s/1", expected=0), event("b", stream="s/1", expected=9)], atomic=True)
    result = made([failing, Request([event("c", stream="s/1", expected=0)])], streams={"s/1": 0})
    assert statuses(result) == [["withheld", "wrong_version"], ["stored"]]


def test_one_request_that_is_not_atomic_keeps_what_a_failed_one_after_it_saw():
    first = Request([event("a")])
    failing = Request([event("a"), event("b"), event("x", "2")], atomic=True)
    result = made([first, failing, Request([event("b")])], held=[event("x")])
    assert statuses(result) == [["stored"], ["duplicate", "withheld", "conflict"], ["stored"]]
    assert positions(result) == [[2], [2, 0, 1], [3]]


def test_positions_are_dense_over_a_mixed_group():
    requests = [
        Request([event("a"), event("a"), event("b", "2")]),
        Request([event("c"), event("b", "3")], atomic=True),
        Request([event("d"), event("a"), event("e", stream="s/1", expected=7)]),
        Request([event("c"), event("f"), event("g", stream="s/1", expected=0)], atomic=True),
        Request([event("h")]),
    ]
    result = made(requests, held=[event("b")], streams={"s/1": 0})
    stored = [outcome.position for outcomes in result.outcomes for outcome in outcomes if outcome.status == "stored"]
    assert stored == list(range(2, 2 + len(result.fresh)))
    assert [each.id for each in result.fresh] == ["a", "d", "c", "f", "g", "h"]


def test_what_was_handed_in_is_not_changed():
    held, streams = known(event("a")), {"s/1": 0}
    plan([Request([event("b", stream="s/1", expected=0), event("c")])], held, streams, 1)
    assert held == known(event("a"))
    assert streams == {"s/1": 0}
