"""What the API answers, as frozen records. Keys they do not know are kept in `raw` and break nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, TypeVar, cast

JsonObject = dict[str, Any]
Record = TypeVar("Record")


def record(kind: type[Record], document: JsonObject) -> Record:
    """A document as a record; a missing key is a `KeyError`, since every key of an answer is always there."""
    names = [field.name for field in fields(cast("Any", kind)) if field.name != "raw"]
    return cast("Callable[..., Record]", kind)(**{name: document[name] for name in names}, raw=document)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that decided."""

    id: str
    basis: str
    detail: str


@dataclass(frozen=True, slots=True)
class Action:
    """What became of a proposal. `outcome` is refused, held, shadowed or receipt; `reasons` are sentences; `nearest` is
    what would have been allowed instead.
    """

    id: str
    kind: str
    outcome: str
    state: str
    risk: str
    verdict: str
    code: str
    reasons: list[str]
    nearest: JsonObject
    counterexample: JsonObject
    approver: str | None
    expires_at: str | None
    is_new: bool
    raw: JsonObject

    @property
    def determining(self) -> list[Rule]:
        return [Rule(one["id"], one["basis"], one["detail"]) for one in self.raw["determining"]]


@dataclass(frozen=True, slots=True)
class ActionLine:
    """An action in a list."""

    id: str
    kind: str
    at: str
    proposer: str
    params: JsonObject
    outcome: str
    state: str
    risk: str
    amount_minor: int | None
    code: str
    reason: str
    raw: JsonObject


@dataclass(frozen=True, slots=True)
class Story:
    """One action in full."""

    id: str
    kind: str
    at: str
    state: str
    proposer: str
    params: JsonObject
    facts: JsonObject
    verdict: str
    outcome: JsonObject
    history: list[JsonObject]
    raw: JsonObject


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Whether an action was called back; else why not."""

    id: str
    is_cancelled: bool
    code: str
    reason: str
    raw: JsonObject


@dataclass(frozen=True, slots=True)
class Waiting:
    """An action that waits for people of `role`, `quorum` of them; `args_digest` is what a yes binds to."""

    id: str
    kind: str
    proposer: str
    role: str | None
    quorum: int
    params: JsonObject
    args_digest: str
    deadline: str | None
    raw: JsonObject


@dataclass(frozen=True, slots=True)
class Decided:
    """A person's word that counts: where the action stands now."""

    id: str
    state: str
    agreed: int
    quorum: int
    raw: JsonObject


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """What a kill switch is, since when, by whom and why."""

    scope: str
    on: bool
    since: str
    by: str
    reason: str
    raw: JsonObject


@dataclass(frozen=True, slots=True)
class Budget:
    """Minor units."""

    code: str
    currency: str
    granted_minor: int
    held_minor: int
    free_minor: int
    raw: JsonObject


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of events that were sent; `rejected` has an entry for each that was not stored."""

    accepted: int
    duplicates: int
    rejected: list[JsonObject]
    raw: JsonObject
