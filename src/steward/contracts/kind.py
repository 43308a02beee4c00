"""Action kinds: who decides, at which risk, and which port they leave through."""

from __future__ import annotations

from typing import Literal

from steward.contracts.action import RiskLevel
from steward.contracts.base import Contract, Json, JsonObject, Ratio

FactOwner = Literal["state", "gateway", "ledger", "reconciliation", "world_model"]
"""Who can be asked for a fact."""


class RiskStep(Contract):
    """From the first step whose limit the amount exceeds, the level; steps stand highest first."""

    amount_above: str
    level: RiskLevel


class Witness(Contract):
    """One action with its facts that must come out ALLOW, so that the catalog does not forbid everything."""

    facts: JsonObject
    action: JsonObject
    now: str


class HoldRule(Contract):
    """What a live kind does to the books: its amount is held on `debit` against `credit` (accounts that may name text
    parameters in braces) for `hours`. `day_cap` names the limit on what a day may take, whatever became of it.
    """

    debit: str
    credit: str
    hours: int
    day_cap: str


class Settles(Contract):
    """Which event shows that an effect happened: one whose `fields` hold the other side's reference, or what the
    argument `arg` of the verb was.
    """

    event: str
    fields: tuple[str, ...]
    arg: str = ""


class ActionKind(Contract):
    """A kind of action: its parameters and their types, the facts its rules read and who offers them, what it does to
    the facts, its verb, its risk, its stage.

    `effect` gives the value of a fact after the action; a kind that changes none says why in `no_effect`. `approvals`
    is how many people must agree where anybody must. `exploration` is the probability of doing nothing instead of an
    admissible proposal; only reversible kinds may. A refusal by a rule of a kind under `watch` is a violation: an
    event, an alert, a count towards quarantine. In stage `live` an action takes effect: through an internal verb at
    once, as a hold in our own books, or as an entry of a `registry`, which only people let be made and which is read
    from the log; else through the tool its route names, and `settles` says what shows that it did.
    """

    kind: str
    meaning: str
    verb: str
    amount: str | None
    params: dict[str, Json]
    facts: dict[str, FactOwner]
    effect: dict[str, str] = {}
    no_effect: str = ""
    witness: Witness
    risk: RiskLevel
    risk_steps: tuple[RiskStep, ...] = ()
    approvals: int = 1
    stage: Literal["shadow", "live"]
    hold: HoldRule | None = None
    registry: str = ""
    settles: Settles | None = None
    watch: bool = True
    exploration: Ratio
    reversible: bool
    why: str


class RiskPolicy(Contract):
    """A level, who approves it, who may as well after `escalate_hours`, and after how many hours silence means no."""

    level: RiskLevel
    approver: str | None
    escalate_to: str | None = None
    escalate_hours: int | None = None
    expires_hours: int
    expiry: Literal["reject"] = "reject"
    meaning: str
    examples: tuple[str, ...] = ()


class Role(Contract):
    """A role a person may have; `approves` are the levels it decides. No agent ever holds one that approves any."""

    role: str
    meaning: str
    approves: tuple[RiskLevel, ...]


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
