"""What becomes of each event of a group of requests, given what the log holds: decided before anything is written.

The writer holds the lock on the log's head while this runs, so what it decides is what happens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from steward.events.core.entry import Prepared

Status = Literal["stored", "duplicate", "conflict", "wrong_version", "withheld"]


class Outcome(NamedTuple):
    """What became of one event. `position` is where it, or what stands in its way, is; `detail` says more."""

    status: Status
    position: int
    detail: str = ""


class Known(NamedTuple):
    """What the log holds under a key."""

    position: int
    body_digest: bytes


@dataclass(slots=True)
class Request:
    """Events that came together. `atomic`: either every one of them is stored (or was already), or none."""

    events: Sequence[Prepared]
    atomic: bool = False


@dataclass(slots=True)
class Plan:
    """`fresh` in the order of their positions; `outcomes` by request and event; `conflicts` to be kept aside."""

    fresh: list[Prepared] = field(default_factory=list[Prepared])
    outcomes: list[list[Outcome]] = field(default_factory=list[list[Outcome]])
    conflicts: list[tuple[Prepared, int]] = field(default_factory=list[tuple[Prepared, int]])


@dataclass(slots=True)
class _Ledger:
    """Known keys and stream sizes as they stand after the events planned so far."""

    known: dict[bytes, Known]
    streams: dict[str, int]
    size: int


def plan(requests: Sequence[Request], known: Mapping[bytes, Known], streams: Mapping[str, int], size: int) -> Plan:
    """Decide every event. `known` has the keys that the log holds, `streams` how many events each stream with an
    expected version holds, `size` how many events the log has.
    """
    result = Plan()
    state = _Ledger(dict(known), dict(streams), size)
    for request in requests:
        before = _Ledger(dict(state.known), dict(state.streams), state.size) if request.atomic else state
        fresh: list[Prepared] = []
        outcomes = [_decide(event, state, fresh) for event in request.events]
        if request.atomic and any(o.status in {"conflict", "wrong_version"} for o in outcomes):
            outcomes = [_withheld(outcome, before.size) for outcome in outcomes]
            state = before
        else:
            result.fresh += fresh
        result.outcomes.append(outcomes)
        result.conflicts += [
            (event, outcome.position)
            for event, outcome in zip(request.events, outcomes, strict=True)
            if outcome.status == "conflict"
        ]
    return result


def _withheld(outcome: Outcome, size: int) -> Outcome:
    """The outcome in a request that is not stored: nothing may point at a position that was only planned."""
    if outcome.position <= size and outcome.status != "stored":
        return outcome
    if outcome.status == "conflict":
        return Outcome("conflict", 0, "another event of this request has this id and another body")
    return Outcome("withheld", 0)


def _decide(event: Prepared, state: _Ledger, fresh: list[Prepared]) -> Outcome:
    stored = state.known.get(event.key)
    if stored is not None:
        if stored.body_digest == event.body_digest:
            return Outcome("duplicate", stored.position)
        return Outcome("conflict", stored.position, "this id from this source has another body in the log")
    if event.expected_version is not None and state.streams[event.subject] != event.expected_version:
        return Outcome(
            "wrong_version",
            0,
            f"stream {event.subject} has {state.streams[event.subject]} events, not {event.expected_version}",
        )
    state.size += 1
    state.known[event.key] = Known(state.size, event.body_digest)
    if event.subject in state.streams:
        state.streams[event.subject] += 1
    fresh.append(event)
    return Outcome("stored", state.size)
