"""Action kinds and the tools they reach: who decides, at which risk, through which request."""

from __future__ import annotations

from typing import Literal

from steward.contracts.action import RiskLevel
from steward.contracts.base import Contract, Ratio


class RiskStep(Contract):
    """From the first step whose limit the amount exceeds, the level; steps stand highest first."""

    amount_above: str
    level: RiskLevel


class ActionKind(Contract):
    """A kind of action: the facts its rules read and who offers them, its verb, its risk, its stage.

    `exploration` is the probability of doing nothing instead of an admissible proposal; only reversible kinds may.
    """

    kind: str
    meaning: str
    verb: str
    amount: str | None
    facts: dict[str, Literal["state", "gateway", "world_model", "catalog"]]
    risk: RiskLevel
    risk_steps: tuple[RiskStep, ...] = ()
    stage: Literal["shadow"]
    exploration: Ratio
    reversible: bool
    why: str


class VerbSpec(Contract):
    """One thing a tool can do: the request it sends. `body` maps request fields to parameter paths."""

    verb: str
    method: Literal["POST", "PUT"]
    path: str
    body: dict[str, str]
    idempotency_header: str


class ToolSpec(Contract):
    """A system with effects."""

    tool: str
    meaning: str
    verbs: tuple[VerbSpec, ...]


class RiskPolicy(Contract):
    """A level, who approves it, and after how many hours an unanswered request is rejected."""

    level: RiskLevel
    approver: str | None
    expires_hours: int
    meaning: str


class Limit(Contract):
    """A number the business set: every limit has a name, an owner and a reason."""

    name: str
    value: int | Ratio | dict[str, int | str]
    owner: str
    why: str


class AgentSpec(Contract):
    """Who proposes: front matter of its Markdown file; the body is its brief."""

    name: str
    department: str
    reports_to: str
    proposes: tuple[str, ...]
    trigger: str
    kpi: str
    brief: str = ""
