"""What becomes of an action that goes outside: every move there is, and what each asks for. Pure, small and dull.

    awaiting_approval -> ready | shadowed | rejected | expired | cancelled
    ready             -> executing | expired | cancelled | failed
    executing         -> succeeded | failed | unknown | ready (nothing was sent, or it was turned away)
    unknown           -> executing (native key) | probing | succeeded, failed, settled (a person, or evidence)
    probing           -> succeeded | ready | failed | unknown
    succeeded         -> settled | compensating;   settled -> compensating;   compensating -> compensated

Proposed, verified and reserved are steps of the transaction that admits an action: nothing waits between them, so they
stand in its history and never in a row. The table in the database knows the same moves and refuses all others.

A fence is a number that grows whenever somebody takes an action up. Whoever holds an older one can neither send nor
record: two can never both act on one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

State = Literal[
    "awaiting_approval",
    "ready",
    "executing",
    "succeeded",
    "failed",
    "unknown",
    "probing",
    "settled",
    "compensating",
    "compensated",
    "cancelled",
    "expired",
    "rejected",
    "shadowed",
]  # fmt: skip - one table of states
ENDED = frozenset({"failed", "settled", "compensated", "cancelled", "expired", "rejected", "shadowed"})
"""States nothing follows by itself (`settled` may still be taken back)."""

FREES = frozenset({"failed", "cancelled", "expired", "rejected", "shadowed", "compensated"})
"""States in which what was set aside for the action is free again."""

SPENDS = frozenset({"succeeded", "settled", "compensating"})
"""States in which it is spent."""

Said = Literal["ok", "refused", "again", "unknown"]
Seen = Literal["found", "missing", "unclear"]


@dataclass(frozen=True, slots=True)
class Rule:
    """The effect rule of a verb, with its waits. `key_life` is how long the other side remembers a native key."""

    mode: Literal["native", "probe", "none"]
    key_life: timedelta = timedelta(0)
    settle: timedelta = timedelta(0)
    lease: timedelta = timedelta(seconds=30)
    first_wait: timedelta = timedelta(seconds=1)
    most_wait: timedelta = timedelta(seconds=60)
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an action stands: everything its next move depends on. `needs_person` says why nobody else may move it.
    `is_unanswered`: something was sent whose answer nobody has; it may still arrive until `doubt_until`.
    """

    state: State
    stage: Literal["shadow", "live"]
    quorum: int
    due_at: datetime
    deadline: datetime | None = None
    fence: int = 0
    owner: str | None = None
    lease_until: datetime | None = None
    attempts: int = 0
    probes: int = 0
    first_sent_at: datetime | None = None
    last_sent_at: datetime | None = None
    is_unanswered: bool = False
    doubt_until: datetime | None = None
    refused: str = ""
    needs_person: str = ""


@dataclass(frozen=True, slots=True)
class Illegal:
    """A move that is not made, and why. Nothing changed."""

    why: str


Moved = Standing | Illegal


def agree(was: Standing, agreed: int, now: datetime) -> Moved:
    """Enough people said yes to exactly these arguments: `agreed` counts different ones, none of them the proposer."""
    if was.state != "awaiting_approval":
        return Illegal(f"it is {was.state}")
    if was.deadline is not None and now >= was.deadline:
        return Illegal("it is too late: silence was a no")
    if agreed < was.quorum:
        return Illegal(f"{agreed} of {was.quorum} agreed")
    return replace(was, state="ready" if was.stage == "live" else "shadowed", due_at=now)


def reject(was: Standing) -> Moved:
    """Somebody who may said no, or the rules do by now."""
    return replace(was, state="rejected") if was.state == "awaiting_approval" else Illegal(f"it is {was.state}")


def expire(was: Standing, now: datetime) -> Moved:
    """Its time is over before anything was sent."""
    if was.deadline is None or now < was.deadline:
        return Illegal("its time is not over")
    if was.state == "awaiting_approval" or (was.state == "ready" and not was.is_unanswered):
        return replace(was, state="expired")
    return Illegal(f"it is {was.state}")


def cancel(was: Standing) -> Moved:
    """Call it back: only what was surely not sent."""
    if was.state == "awaiting_approval" or (was.state == "ready" and not was.is_unanswered):
        return replace(was, state="cancelled")
    return Illegal(f"it is {was.state}: what was sent cannot be called back")


def take(was: Standing, rule: Rule, owner: str, now: datetime) -> Moved:
    """Take an action up: to send it, to send it again, or to look whether it happened. The new standing says which:
    `executing`, `probing`, `compensating`; or `unknown`, with a person needed, where nobody may do either.
    """
    if was.needs_person:
        return Illegal("it waits for a person")
    if was.due_at > now:
        return Illegal("it is not due")
    if was.lease_until is not None and was.lease_until > now:
        return Illegal("somebody has it")
    held = replace(was, fence=was.fence + 1, owner=owner, lease_until=now + rule.lease)
    if was.state == "ready":
        if was.deadline is not None and now >= was.deadline and not was.is_unanswered:
            return Illegal("its time is over")
        return _sending(replace(held, first_sent_at=None), now)  # nothing that was sent before was applied
    if was.state in ("executing", "unknown"):
        if was.state == "executing":  # whoever sent it is gone, and what was sent may arrive until the lease ended
            held = replace(held, is_unanswered=True, doubt_until=was.lease_until)
        return _again(held, rule, now)
    if was.state == "probing":
        return replace(held, probes=was.probes + 1)
    if was.state == "compensating":
        return replace(held, attempts=was.attempts + 1, last_sent_at=now)
    return Illegal(f"it is {was.state}")


def may_send(now: Standing, fence: int, at: datetime) -> bool:
    """The last look before the first byte: still ours, still in time."""
    return (
        now.state in ("executing", "compensating")
        and now.fence == fence
        and now.lease_until is not None
        and at < now.lease_until
    )


def answered(was: Standing, rule: Rule, fence: int, said: Said, now: datetime, wait: timedelta | None = None) -> Moved:
    """What came back of a send. `again`: nothing was applied, and it may be tried later (after `wait`, if the other
    side said so). `unknown`: it may have been applied.
    """
    if was.state != "executing" or was.fence != fence:
        return Illegal("somebody else has it by now")
    freed = replace(was, owner=None, lease_until=None)
    if said == "ok":
        return replace(freed, state="succeeded", is_unanswered=False)
    if said == "again":
        due = now + max(wait or timedelta(0), backoff(rule, was.attempts))
        if was.is_unanswered:  # an earlier one may still have been applied
            return replace(freed, state="unknown", due_at=due)
        return replace(freed, state="ready", due_at=due)
    if said == "refused":
        if was.is_unanswered and rule.mode == "probe":  # perhaps because the first one did arrive
            return replace(freed, state="unknown", due_at=now, refused="refused")
        if _may_still_arrive(was):  # the refusal is of this one; ask again once the other cannot come any more
            return replace(freed, state="unknown", due_at=max(now, was.doubt_until or now))
        return replace(freed, state="failed", is_unanswered=False)
    lost = replace(
        freed,
        state="unknown",
        is_unanswered=True,
        doubt_until=was.lease_until,
        due_at=now + backoff(rule, was.attempts),
    )
    if rule.mode == "none":
        return replace(lost, needs_person="no answer came, and nothing tells whether it happened")
    if rule.mode == "probe":
        return replace(lost, due_at=now + min(rule.settle, backoff(rule, was.attempts)))
    return lost


def looked(was: Standing, rule: Rule, fence: int, seen: Seen, looked_at: datetime, now: datetime) -> Moved:
    """What looking for our reference showed. Missing counts if the look began once the other side had had its time to
    show it: what was seen early and is written down late proves nothing.
    """
    if was.state != "probing" or was.fence != fence:
        return Illegal("somebody else has it by now")
    freed = replace(was, owner=None, lease_until=None)
    if seen == "found":
        return replace(freed, state="succeeded", is_unanswered=False, refused="")
    if seen == "unclear":
        return replace(freed, state="unknown", due_at=now + backoff(rule, was.probes))
    shown = (was.last_sent_at or now) + rule.settle
    if looked_at < shown:
        return replace(freed, state="unknown", due_at=max(shown, now))
    if was.refused:
        return replace(freed, state="failed", is_unanswered=False)
    return replace(freed, state="ready", is_unanswered=False, due_at=now)


def undone(was: Standing, rule: Rule, fence: int, said: Said, now: datetime) -> Moved:
    """What came back of taking an effect back."""
    if was.state != "compensating" or was.fence != fence:
        return Illegal("somebody else has it by now")
    freed = replace(was, owner=None, lease_until=None)
    if said == "ok":
        return replace(freed, state="compensated")
    if said == "again" or (said == "unknown" and rule.mode == "native"):
        return replace(freed, due_at=now + backoff(rule, was.attempts))
    return replace(freed, needs_person="taking it back was refused, or nothing tells whether it happened")


def compensate(was: Standing, now: datetime) -> Moved:
    """Begin to take an effect back."""
    if was.state not in ("succeeded", "settled"):
        return Illegal(f"it is {was.state}: there is nothing to take back")
    return replace(was, state="compensating", due_at=now, attempts=0, owner=None, lease_until=None)


def resolve(was: Standing, *, happened: bool) -> Moved:
    """A person looked at the other side and says what is so there."""
    if was.state == "compensating" and was.needs_person:
        return replace(was, state="compensated", needs_person="") if happened else replace(was, needs_person="")
    if was.state != "unknown":
        return Illegal(f"it is {was.state}")
    if was.lease_until is not None:
        return Illegal("somebody has it")
    return replace(was, state="settled" if happened else "failed", needs_person="", is_unanswered=False)


def settle(was: Standing) -> Moved:
    """Evidence from outside (a webhook, a settlement file) shows that it happened."""
    if was.state in ("succeeded", "unknown") and was.lease_until is None:
        return replace(was, state="settled", needs_person="", is_unanswered=False)
    return Illegal(f"it is {was.state}")


def give_up(was: Standing, why: str) -> Moved:
    """It cannot be carried out as it is described now: what was surely not sent fails, the rest is for a person."""
    if was.state == "ready":
        return replace(was, state="failed")
    if was.state in ENDED:
        return Illegal(f"it is {was.state}")
    return replace(was, needs_person=why[:500])


def backoff(rule: Rule, tries: int) -> timedelta:
    """Doubled each time, up to the most; after `attempts` tries always the most."""
    if tries >= rule.attempts:
        return rule.most_wait
    return min(rule.most_wait, rule.first_wait * (1 << max(0, tries - 1)))


def _may_still_arrive(was: Standing) -> bool:
    """Whether an earlier request could come after the one that was just answered."""
    if not was.is_unanswered or was.doubt_until is None or was.last_sent_at is None:
        return False
    return was.last_sent_at < was.doubt_until


def _sending(held: Standing, now: datetime) -> Standing:
    return replace(
        held, state="executing", attempts=held.attempts + 1, first_sent_at=held.first_sent_at or now, last_sent_at=now
    )


def _again(held: Standing, rule: Rule, now: datetime) -> Standing:
    """After a send whose answer nobody has: the same key while it is remembered, a look, or a person."""
    if rule.mode == "native":
        # The key must still be known when the request arrives, which is within the lease.
        if held.first_sent_at is not None and now + rule.lease < held.first_sent_at + rule.key_life:
            return _sending(held, now)
        why = "no answer came while its key was remembered"
    elif rule.mode == "probe":
        return replace(held, state="probing", probes=held.probes + 1)
    else:
        why = "no answer came, and nothing tells whether it happened"
    return replace(held, state="unknown", owner=None, lease_until=None, needs_person=why)
