"""A proposal from outside, taken down the spine and answered in one document: what became of it, why, and what would
have been allowed instead. HTTP and MCP give the same answer.
"""

from __future__ import annotations

from typing import Any, cast

from steward.contracts.tool import ToolSpec
from steward.control.act import Control
from steward.control.proposing import proposal_of
from steward.control.story import story_of
from steward.gateway import ActionRecord
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput, Conflict

MOST_TEXT = 2000
MOST_KEY = 200
MOST_DEPTH = 16


class KeyReused(Conflict):
    """A key names one effect; this one names another already."""

    code = "key_reused"


def ask(control: Control, document: JsonObject, principal: str) -> JsonObject:
    """Propose as `principal`, whoever the document says it is from; see `answer_of`. The same key with the same
    parameters is the same action; with others it is `KeyReused`.
    """
    check_text(document)
    proposal = proposal_of({**document, "principal": {"id": principal}}, control.gateway.now(), "")
    acted = control.act(proposal)
    action = control.gateway.action(acted.action_id)
    if action is not None and not acted.is_new and action.proposal["params"] != proposal.params:
        raise KeyReused(
            f"the key {document['key']!r} names {acted.action_id}, which has other parameters",
            fix="a new effect has a new key",
        )
    return {**answer_of(control, acted.action_id), "is_new": acted.is_new}


def check_text(value: Any, depth: int = 0) -> None:
    """`BadInput` where a value is nested too deep, or holds a text no database keeps."""
    if depth > MOST_DEPTH:
        raise BadInput(f"is nested deeper than {MOST_DEPTH} levels")
    if isinstance(value, float):
        raise BadInput(f"{value} is not an integer", fix="write ratios as text, money in minor units")
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise BadInput("a text holds a NUL character or half of a surrogate pair")
    elif isinstance(value, dict):
        for key, part in cast("dict[str, Any]", value).items():
            check_text(key, depth)
            check_text(part, depth + 1)
    elif isinstance(value, list):
        for part in cast("list[Any]", value):
            check_text(part, depth + 1)


def answer_of(control: Control, action_id: str) -> JsonObject:
    """What became of an action: `outcome` is refused, held, shadowed or receipt; `reasons` are sentences."""
    story = story_of(control, action_id)
    if story is None:
        raise Conflict(f"there is no action {action_id}")
    result: JsonObject = story["outcome"]
    rules = [*story["determining"], *story["errored"]]
    return {
        "id": story["id"],
        "kind": story["kind"],
        "outcome": outcome_of(result["outcome"]),
        "state": story["state"],
        "risk": story["risk"],
        "verdict": story["verdict"],
        "code": result.get("code", ""),
        "reasons": [text for text in (result.get("reason", ""), *(_sentence(rule) for rule in rules)) if text],
        "determining": story["determining"],
        "errored": story["errored"],
        "counterexample": story["counterexample"],
        "nearest": story["nearest"],
        "approver": result.get("approver"),
        "expires_at": result.get("expires_at"),
    }


def outcome_of(stored: str) -> str:
    """The word the outside knows: what takes effect is a receipt."""
    return "receipt" if stored == "executed" else stored


def line_of(action: ActionRecord, state: str) -> JsonObject:
    """An action in a list."""
    return {
        "id": action.id,
        "kind": action.kind,
        "at": action.proposal["at"],
        "proposer": action.proposer,
        "params": action.proposal["params"],
        "outcome": outcome_of(action.outcome),
        "state": state,
        "risk": action.risk,
        "amount_minor": action.amount_minor,
        "code": action.result.get("code", ""),
        "reason": action.result.get("reason", ""),
    }


def tool_line(tool: ToolSpec) -> JsonObject:
    """A system outside in a list."""
    return {
        "id": tool.tool,
        "name": tool.name,
        "meaning": tool.meaning,
        "category": tool.category,
        "callable": tool.callable,
        "why": tool.why,
        "verbs": [
            {
                "verb": verb.verb,
                "meaning": verb.meaning,
                "effect": verb.effect,
                "risk": verb.risk,
                "evidence": verb.evidence.level,
                "idempotency": verb.idempotency.mode if verb.idempotency else "",
            }
            for verb in tool.verbs
        ],
    }


def _sentence(rule: dict[str, Any]) -> str:
    return f"{rule['id']} ({rule['basis']}): {rule['detail']}"
