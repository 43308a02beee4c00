"""One decision in full, from facts to proof to outcome: what the console's pages and `action show` print."""

from __future__ import annotations

from typing import Any, cast

from steward.control.act import Control
from steward.gateway import ActionRecord
from steward.kernel.canonical import JsonObject, parse_json
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant
from steward.kernel.money import Money


def story_of(control: Control, action_id: str) -> JsonObject | None:
    """Everything stored about one action, as one JSON document; None where there is no such action."""
    action = control.gateway.action(action_id)
    if action is None:
        return None
    proof = control.proofs.of_action(action.id) or {}
    decision = control.policy.of_action(action.id) or {}
    answer: JsonObject = proof.get("answer", {})
    bundle: JsonObject = parse_json(proof["bundle"]) if proof else {}
    effect = control.effects.state(action.id)
    history: list[JsonObject] = control.effects.history(action.id) if effect else _settled(action)
    history += [
        {"at": format_instant(event.envelope.time), "state": "cancelled", "by": event.envelope.data["cancelled_by"]}
        for event in control.events.read(types=["ActionCancelled"], subject=f"action/{action.id}")
        if effect is None
    ]
    return {
        "id": action.id,
        "kind": action.kind,
        "key": action.key,
        "at": format_instant(action.at),
        "state": effect.state if effect else action.outcome,
        "effect": effect.to_json() if effect else {},
        "risk": action.risk,
        "proposer": action.proposer,
        "why": action.proposal.get("why", ""),
        "params": action.proposal["params"],
        "evidence": action.proposal.get("evidence", {}),
        "snapshot_id": action.snapshot_id,
        "facts": bundle.get("facts", {}),
        "forecast": [_forecast(row) for row in control.world_model.of_action(action.id)],
        "verdict": proof.get("verdict", ""),
        "determining": answer.get("determining", []),
        "errored": answer.get("errored", []),
        "counterexample": answer.get("counterexample", {}),
        "nearest": _nearest(control, proof, bundle),
        "findings": answer.get("findings", []),
        "obligations": bundle.get("obligations", []),
        "certificates": bundle.get("certificates", []),
        "bundle_digest": bytes(proof["bundle_digest"]).hex() if proof else "",
        "decision": decision.get("record", {}),
        "outcome": action.result,
        "history": history,
    }


def _settled(action: ActionRecord) -> list[JsonObject]:
    """The history of what never was to go outside: proposed, and what became of it at once."""
    at = format_instant(action.at)
    return [
        {"at": at, "state": "proposed", "by": action.proposer},
        {"at": at, "state": action.outcome, "by": "gateway"},
    ]


def summary(story: JsonObject) -> list[str]:
    """What matters of an action in a few lines: what became of it, why, and what would have been allowed instead."""
    lines = [f"{story['id']}  {story['kind']}  {story['state']}  {story['verdict']}".rstrip()]
    lines += [f"  {name}: {shown(value)}" for name, value in story["params"].items()]
    lines += [f"  {one['id']} ({one['basis']}): {one['detail']}" for one in (*story["determining"], *story["errored"])]
    lines += [f"  counterexample {name} = {shown(value)}" for name, value in story["counterexample"].items()]
    lines += [f"  nearest allowed {name} = {shown(value)}" for name, value in story["nearest"].items()]
    lines += [_line(one) for one in story["history"]]
    return lines


def _line(one: JsonObject) -> str:
    """One entry of a history: a step, or an attempt with what it was answered."""
    if one.get("what") == "attempt":
        said = one["outcome"] or "no answer"
        status = f" {one['status']}" if one["status"] else ""
        return f"  {one['at']} {one['purpose']} {one['n']}: {said}{status} {one['detail'] or ''}".rstrip()
    detail = f": {one['detail']}" if one.get("detail") else ""
    return f"  {one['at']} {one['state']} by {one['by']}{detail}"


def _nearest(control: Control, proof: JsonObject, bundle: JsonObject) -> JsonObject:
    """What would have been allowed instead of a denied action, looked for under the rules in force now."""
    if proof.get("verdict") != "DENY" or not bundle.get("findings"):
        return {}
    return control.verifier.certify(bundle["action"], bundle["facts"], bundle["now"], suggests=True).nearest


def _forecast(row: JsonObject) -> JsonObject:
    return {
        "option": row["option"],
        "quantity": row["quantity"],
        "low": row["low"],
        "mid": row["mid"],
        "high": row["high"],
        "level": row["level"],
        "horizon_end": format_instant(row["horizon_end"]),
        "actual": row["actual"],
        "no_change": row["baseline"],
    }


def shown(value: Any) -> str:
    """A value as a person reads it: money in major units, intervals as ranges, the rest as text."""
    if isinstance(value, dict):
        entry = cast("dict[str, Any]", value)
        if set(entry) == {"amount_minor", "currency"}:
            try:
                return str(Money(entry["amount_minor"], entry["currency"]))
            except BadInput:  # a refused proposal may hold anything
                return f"{entry['amount_minor']} {entry['currency']}"
        if set(entry) == {"low", "high"}:
            return f"{shown(entry['low'])} to {shown(entry['high'])}"
        if set(entry) == {"any_subset_of"}:
            return f"any subset of {len(entry['any_subset_of'])} in flight"
        return ", ".join(f"{name} {shown(part)}" for name, part in entry.items())
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return "; ".join(shown(item) for item in items) or "none"
    return str(cast("object", value))
