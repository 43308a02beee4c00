"""What the log says of each action, in order: proposed, decided on evidence, and an outcome the verdict permits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# What may become of an action. Those that do something need a verdict of ALLOW, or a person's yes to an ESCALATE.
EFFECTS = frozenset({"ActionShadowed", "ActionExecuted", "ActionSettled", "ActionCompensated"})
ENDS = frozenset({"ActionRefused", "ActionHeld", "ActionUnknown", *EFFECTS})
PERSONS = frozenset({"ActionApproved", "ActionRejected", "ActionExpired", "ActionCancelled", "ActionFailed"})
KNOWN = frozenset({"ActionProposed", "DecisionMade", *ENDS, *PERSONS})
OFTEN = frozenset({"ActionApproved", "ActionUnknown"})
"""Told more than once: several people agree, several attempts go unanswered."""
OURS = "steward/"


@dataclass(slots=True)
class Told:
    """One action so far."""

    proposed: dict[str, Any]
    time: str
    verdict: str = ""
    ended: bool = False
    approved: bool = False
    seen: str = ""


class Stories:
    """Every action of the log. Each method returns what is wrong, or nothing."""

    def __init__(self) -> None:
        self.told: dict[str, Told] = {}
        self.approved_effects = 0

    def proposed(self, event: dict[str, Any]) -> str:
        name = event["data"].get("action_id")
        if type(name) is not str or name in self.told:
            return "proposed twice, or without an id"
        self.told[name] = Told(event["data"], event["time"])
        return ""

    def decided(self, event: dict[str, Any], bundle: dict[str, Any] | None) -> str:
        """A decision and its evidence, which must be of the very action that was proposed."""
        told = self.told.get(str(event["data"].get("action_id")))
        if told is None:
            return "decided and never proposed"
        if told.verdict:
            return "decided twice"
        told.verdict = str(event["data"].get("verdict"))
        proposed, told.proposed = told.proposed, {}
        if bundle is None:
            return ""
        if bundle["verdict"] != told.verdict:
            return f"the log says {told.verdict}, the evidence {bundle['verdict']}"
        action: Any = bundle["action"]
        try:
            said = (action["id"], action["kind"], action["params"], action["principal"]["id"], bundle["now"])
        except (KeyError, TypeError):
            return "the evidence is of no action"
        logged = (proposed["action_id"], proposed.get("kind"), proposed.get("params"), proposed.get("proposer"))
        return "" if said == (*logged, told.time) else "the evidence is of another action than was proposed"

    def ended(self, event: dict[str, Any]) -> str:
        """What became of an action, against what its verdict permits."""
        kind, told = event["type"], self.told.get(str(event["data"].get("action_id")))
        if told is None or not told.verdict:
            return f"{kind} without a decision"
        told.ended = True
        if f" {kind}" in told.seen and kind not in OFTEN:
            return f"{kind} twice"
        told.seen += f" {kind}"
        told.approved = told.approved or kind == "ActionApproved"
        if told.verdict == "DENY" and kind not in ("ActionRefused", "ActionExpired", "ActionCancelled"):
            return f"{kind} of an action that was denied"
        if kind in EFFECTS and told.verdict != "ALLOW":
            if not told.approved:
                return f"{kind} without an ALLOW and without an approval"
            self.approved_effects += 1
        return ""

    @property
    def waiting(self) -> int:
        """Actions that had not come to an end when the export was made."""
        return sum(not told.ended for told in self.told.values())
