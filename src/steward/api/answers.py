"""What routes answer and take, as models: the OpenAPI document and the typed client are written from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

JsonObject = dict[str, Any]
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Said = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]
OutcomeWord = Literal["refused", "held", "shadowed", "receipt"]


class Taken(BaseModel):
    """A body: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Proposing(Taken):
    """What somebody wants done. Who asks is the API key, never the body. `key` names the effect that is meant: the same
    key is the same action, once; without it the Idempotency-Key does.
    """

    kind: Word
    params: JsonObject
    key: Word | None = None
    why: Annotated[str, Field(max_length=2000)] = ""
    evidence: JsonObject = {}
    expires_at: Annotated[str, Field(max_length=40)] | None = None


class Reasoned(Taken):
    """Why a person does it."""

    reason: Said


class MaybeReasoned(Taken):
    """Why a person does it, where they say."""

    reason: Annotated[str, Field(max_length=2000)] = ""


class Switching(Taken):
    """Throw a kill switch, or lift it."""

    on: bool
    reason: Said


class Answer(BaseModel):
    """The frozen shape of an answer; every key is always there."""

    model_config = ConfigDict(frozen=True)


class Rule(Answer):
    """A rule that decided: its id, what it rests on, and a sentence."""

    id: str
    basis: str
    detail: str


class ActionAnswer(Answer):
    """What became of a proposal. `reasons` are sentences; `nearest` is what would have been allowed instead."""

    id: str
    kind: str
    outcome: OutcomeWord
    state: str
    risk: str
    verdict: str
    code: str
    reasons: list[str]
    determining: list[Rule]
    errored: list[Rule]
    counterexample: JsonObject
    nearest: JsonObject
    approver: str | None
    expires_at: str | None
    is_new: bool


class ActionLine(Answer):
    """An action in a list."""

    id: str
    kind: str
    at: str
    proposer: str
    params: JsonObject
    outcome: OutcomeWord
    state: str
    risk: str
    amount_minor: int | None
    code: str
    reason: str


class ActionPage(Answer):
    items: list[ActionLine]
    next: str | None


class Step(Answer):
    """One step of an action's history."""

    model_config = ConfigDict(frozen=True, extra="allow")
    at: str
    state: str
    by: str


class Story(Answer):
    """One decision in full, from facts to proof to outcome."""

    model_config = ConfigDict(frozen=True, extra="allow")
    id: str
    kind: str
    key: str
    at: str
    state: str
    risk: str
    proposer: str
    why: str
    params: JsonObject
    facts: JsonObject
    forecast: list[JsonObject]
    verdict: str
    determining: list[Rule]
    errored: list[Rule]
    counterexample: JsonObject
    nearest: JsonObject
    bundle_digest: str
    decision: JsonObject
    outcome: JsonObject
    history: list[Step]


class CancelAnswer(Answer):
    """Whether it was called back; else `code` and `reason` say why not."""

    id: str
    is_cancelled: bool
    code: str
    reason: str


class KeyLine(Answer):
    """An API key without its secret."""

    model_config = ConfigDict(frozen=True, extra="allow")
    key_id: str
    name: str
    scopes: list[str]
    created_at: str
    revoked_at: str | None


class KeyPage(Answer):
    items: list[KeyLine]
    next: None


class VerbLine(Answer):
    verb: str
    meaning: str
    effect: bool
    risk: str
    evidence: str
    idempotency: str


class ToolLine(Answer):
    """A system outside, and what it can do."""

    id: str
    name: str
    meaning: str
    category: str
    callable: bool
    why: str
    verbs: list[VerbLine]


class ToolPage(Answer):
    items: list[ToolLine]
    next: str | None


class BudgetLine(Answer):
    """What a budget was granted, what is set aside of it, what is free; minor units."""

    code: str
    currency: str
    granted_minor: int
    held_minor: int
    free_minor: int


class BudgetPage(Answer):
    items: list[BudgetLine]
    next: None


class AlertLine(Answer):
    """Something that was told on a channel, and the last answer there."""

    alert_id: int
    channel: str
    message_id: str
    created_at: str
    state: str
    attempts: int
    answer: str | None
    body: JsonObject


class AlertPage(Answer):
    items: list[AlertLine]
    next: None


class QuarantineLine(Answer):
    """A proposer that is, or was, shut out."""

    quarantine_id: int
    proposer: str
    since: str
    reason: str
    lifted_at: str | None
    lifted_by: str | None
    lifted_why: str | None


class QuarantinePage(Answer):
    items: list[QuarantineLine]
    next: None


class CatalogAnswer(Answer):
    """The catalog in force, and the one this process runs: actions are let through only where they are the same."""

    number: int | None
    digest: str | None
    previous: str | None
    rules_digest: str | None
    reason: str
    approved_by: str
    recorded_at: str | None
    running: str


class Checkpoint(Answer):
    """Size and root of the log, signed: keep it elsewhere, and no later copy can differ unnoticed."""

    size: int
    root: str
    key: str
    signature: str


class Resolving(Taken):
    """How a break is resolved, and why."""

    how: Literal["claim", "accept"]
    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class Naming(Taken):
    """Where a party is paid: SYSTEM:ID, what she is called, and who rang the number on file."""

    address: Annotated[str, Field(min_length=3, max_length=200)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    called_by: Annotated[str, Field(max_length=200)]


class Making(Taken):
    """A key to make."""

    name: Word
    scopes: Annotated[list[Word], Field(max_length=50)] = []
    role: Literal["founder", "manager", "operator", "agent", "service"] = "service"


class KeyMade(Answer):
    """A new key. `key` is shown this once."""

    key: str
    name: str
    role: str


class Revoked(Answer):
    revoked: bool


class Deciding(MaybeReasoned):
    """A yes, and what was read before it."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class WaitingLine(Answer):
    """An action that waits for people."""

    model_config = ConfigDict(frozen=True, extra="allow")
    id: str
    kind: str
    proposer: str
    risk: str
    role: str | None
    quorum: int
    amount_minor: int | None
    currency: str | None
    params: JsonObject
    why: str
    reason: str
    args_digest: str
    opened_at: str
    deadline: str | None


class WaitingPage(Answer):
    items: list[WaitingLine]
    next: int | None


class Decision(Answer):
    """A word that counts: where the action stands now, and how many of how many agreed."""

    id: str
    state: str
    agreed: int
    quorum: int
    code: str
    reason: str


class Switch(Answer):
    """A kill switch: whether it is on, since when, by whom and why."""

    scope: str
    on: bool
    since: str
    by: str
    reason: str


class SwitchPage(Answer):
    items: list[Switch]
    next: None


class Rotated(Answer):
    """The new key, shown this once; the old one ends after the grace."""

    key: str


class Rotating(Taken):
    grace_minutes: Annotated[int, Field(ge=0, le=10080)] = 60
