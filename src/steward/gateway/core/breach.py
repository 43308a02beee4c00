"""Which rules a denied action ran into: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from steward.contracts.action import ActionProposal
from steward.contracts.proof import Verdict
from steward.kernel.canonical import JsonObject

_MOST = 500


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule, who ran into it, and values that show it where there are some."""

    invariant: str
    by: str
    reason: str
    action_id: str | None
    values: JsonObject = field(default_factory=dict[str, Any])


def breaches_of(proposal: ActionProposal, verdict: Verdict) -> list[Breach]:
    """The `deny` rules that are false or undefined. What was refused before any rule has none: it is only malformed."""
    if verdict.verdict != "DENY":
        return []
    return [
        Breach(
            invariant=finding.id,
            by=proposal.principal.id,
            reason=(finding.detail or f"{finding.id} {finding.status}")[:_MOST],
            action_id=proposal.id,
            values=verdict.counterexample,
        )
        for finding in verdict.findings
        if finding.otherwise == "deny" and finding.status in ("fails", "undefined")
    ]


def gathered(breaches: Sequence[Breach]) -> list[JsonObject]:
    """One row for each rule and proposer, with how often and the first action."""
    rows: dict[tuple[str, str], JsonObject] = {}
    for breach in breaches:
        first = {
            "invariant": breach.invariant,
            "proposer": breach.by,
            "times": 0,
            "first_action": None if breach.action_id is None else breach.action_id[4:],
            "reason": breach.reason,
        }
        rows.setdefault((breach.by, breach.invariant), first)["times"] += 1
    return list(rows.values())
