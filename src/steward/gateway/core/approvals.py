"""Who may decide an action that waits for people, and whether now. The database holds 1 to 5 against the key shown.

1  not waiting      it was decided, expired, or never asked for anybody     not_waiting
2  time             silence until the deadline is a no                       too_late
3  role             the level asks for a manager or a founder; no agent      wrong_role
4  four eyes        nobody decides what he proposed                          own_proposal
5  once             a person decides an action once                          decided_before
6  reading time     what cannot be called back is read first                 read_first
7  fatigue          so many approvals an hour, then somebody else            tired

Rejecting asks for 1 to 5 only: a no is never too quick.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_RANK = {"manager": 1, "founder": 2}

MEANING = {
    "unknown_key": "the key is unknown, revoked or over",
    "not_waiting": "it does not wait for anybody",
    "too_late": "its time is over: silence was a no",
    "wrong_role": "this role does not decide it",
    "own_proposal": "nobody decides what he proposed",
    "decided_before": "this person decided it before",
    "read_first": "it cannot be called back: read it first (approvals show), then decide",
    "tired": "this person approved as much as one should in an hour; somebody else, or later",
    "changed": "its arguments, the rules or the tool are not those that were shown",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """An action that waits, as far as deciding depends on it."""

    state: str
    risk: str
    role: str | None
    proposer: str
    deadline: datetime | None


@dataclass(frozen=True, slots=True)
class Person:
    """Who decides, and what she did before."""

    name: str
    role: str
    has_decided: bool = False
    looked_at: datetime | None = None
    approved_within_hour: int = 0


def refuses(asked: Asked, person: Person, now: datetime, *, says_yes: bool, reading: timedelta, hourly: int) -> str:
    """The code of the first thing that stands against it; nothing where nothing does."""
    if asked.state != "awaiting_approval":
        return "not_waiting"
    if asked.deadline is not None and now >= asked.deadline:
        return "too_late"
    if _RANK.get(person.role, 0) < _RANK.get(asked.role or "founder", 2):
        return "wrong_role"
    if person.name == asked.proposer:
        return "own_proposal"
    if person.has_decided:
        return "decided_before"
    if not says_yes:
        return ""
    if asked.risk == "L3" and (person.looked_at is None or now - person.looked_at < reading):
        return "read_first"
    return "tired" if person.approved_within_hour >= hourly else ""
