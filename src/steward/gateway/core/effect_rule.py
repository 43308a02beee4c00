"""From a verb's description to the rule its effects follow, and from an answer to what it says about the effect."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

from steward.contracts.tool import Rate, ToolSpec, VerbSpec
from steward.gateway.core.machine import Rule, Said, Standing

_MARGIN = timedelta(seconds=2)
_UNDECIDED = frozenset({401, 403, 404, 407, 408, 425})
"""Refusals of the door, not of the request: they say nothing about an earlier attempt under the same key."""


def rule_of(tool: ToolSpec, verb: VerbSpec) -> Rule:
    """A lease outlasts the request it covers: connecting and answering each within the verb's time, and a margin. What
    was sent may arrive as late as that, so looking for it earlier proves nothing.
    """
    how = verb.idempotency
    return Rule(
        mode=how.mode if how else "none",
        key_life=timedelta(hours=how.hours if how else 0),
        settle=timedelta(seconds=max(how.settle_seconds, 2 * verb.timeout_seconds) if how else 0),
        lease=timedelta(seconds=2 * verb.timeout_seconds) + _MARGIN,
        first_wait=timedelta(seconds=tool.retry.first_seconds),
        most_wait=timedelta(seconds=tool.retry.most_seconds),
        attempts=tool.retry.attempts,
    )


def said(kind: str, status: int | None, was: Standing) -> Said:
    """What an answer says about an effect. `kind` is how it was read: ok, refused, again, unknown."""
    if kind == "refused" and was.is_unanswered and status in _UNDECIDED:
        return "again"
    if kind in ("ok", "refused", "again"):
        return kind
    return "unknown"


def micro_rate(rate: Rate) -> int:
    """Millionths of a token a second, rounded down."""
    return int(Fraction(rate.per_second) * 1_000_000)


def wait_for_token(rate: Rate, level_micro: int) -> timedelta:
    """How long until a bucket at this level holds a whole token."""
    missing = max(0, 1_000_000 - level_micro)
    return timedelta(microseconds=-(-missing * 1_000_000 // max(1, micro_rate(rate))))
