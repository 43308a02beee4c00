"""Admission: from verdict, risk and stage to an outcome, in one fixed order. The enforcement point's whole logic.

1  certificate   the evidence does not check                 refused  bad_certificate
2  DENY          a rule is broken                            refused  the rule's code, or its id
3  nothing       the policy drew "nothing"                   shadowed (an empty request)
4  ESCALATE      missing, unproved, or for a person          held
5  approval      the level of risk asks for a person         held
6  stage shadow  the request is built and validated          shadowed
7  stage live    an internal verb: it takes effect now       executed
8  stage live    a verb outside: on its way                  receipt
9  otherwise     no stage lets it out                        refused  unknown_stage
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from steward.contracts.action import Executed, Held, Outcome, Receipt, Refused, RiskLevel, Shadowed
from steward.contracts.kind import ActionKind, RiskPolicy
from steward.contracts.proof import Checked, Verdict
from steward.kernel.canonical import JsonObject

_ORDER: tuple[RiskLevel, ...] = ("L0", "L1", "L2", "L3")


@dataclass(frozen=True, slots=True)
class Admission:
    """Everything the gate looks at, fetched by the service."""

    verdict: Verdict
    checked: Checked
    chose_nothing: bool
    risk: RiskPolicy
    verb: str
    request: JsonObject
    refusal_codes: dict[str, str]
    at: datetime
    stage: str = "shadow"
    is_internal: bool = False
    leaves: bool = False


def risk_of(kind: ActionKind, amount_minor: int | None, limits: dict[str, int]) -> RiskLevel:
    """The level of an action, from its kind and its amount; a proposer cannot choose it."""
    if amount_minor is not None:
        for step in kind.risk_steps:
            if amount_minor > limits[step.amount_above]:
                return step.level if _ORDER.index(step.level) > _ORDER.index(kind.risk) else kind.risk
    return kind.risk


def admit(case: Admission) -> Outcome:
    verdict = case.verdict
    if not case.checked.valid:
        return Refused(code="bad_certificate", reason=case.checked.reason)
    reasons = (*verdict.determining, *verdict.errored)
    if verdict.verdict == "DENY":
        return Refused(
            code=_code([reason.id for reason in reasons], case.refusal_codes),
            reason="; ".join(reason.detail for reason in reasons) or "refused",
            determining=tuple(reason.id for reason in reasons),
        )
    if case.chose_nothing and verdict.verdict == "ALLOW":
        return Shadowed(verb="none", request={})
    if verdict.verdict == "ESCALATE":
        return _held(case, "; ".join(reason.detail for reason in reasons) or "for a person to decide")
    if case.risk.approver is not None:
        return _held(case, f"{case.risk.level}: {case.risk.meaning}")
    if case.stage == "shadow":
        return Shadowed(verb=case.verb, request=case.request)
    if case.stage == "live" and case.is_internal:
        return Executed(verb=case.verb, request=case.request)
    if case.stage == "live" and case.leaves:
        return Receipt(verb=case.verb, request=case.request)
    return Refused(code="unknown_stage", reason="no stage allows this kind")


def _code(determining: Sequence[str], codes: dict[str, str]) -> str:
    """The refusal code of the first deciding rule that declares one; else the first rule's id."""
    for rule in determining:
        if rule in codes:
            return codes[rule]
    return determining[0] if determining else "refused"


def _held(case: Admission, reason: str) -> Held:
    """Held for the level's approver; an escalation below L2 still needs at least a manager."""
    approver = case.risk.approver or "manager"
    level: RiskLevel = case.risk.level if case.risk.approver else "L2"
    return Held(
        risk=level,
        approver=approver,
        reason=reason,
        expires_at=case.at + timedelta(hours=case.risk.expires_hours or 24),
    )
