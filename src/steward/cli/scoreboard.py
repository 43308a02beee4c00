"""The demo's figures, as JSON keys and as text a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steward.control import shown, story_of
from steward.kernel.money import Money

if TYPE_CHECKING:
    from steward.bootstrap import App


def scoreboard(app: App, document: dict[str, Any]) -> str:
    currency = app.catalog.history.currency
    lines = ["", "What came in"]
    sold, back = (Money(document[key], currency) for key in ("order_value_minor", "refund_value_minor"))
    lines += [
        f"  {document['orders']:>8,} orders, {document['units']:,} units, {sold}",
        f"  {document['refunds']:>8,} refunds, {back}",
    ]
    lines += [
        f"  {row['documents']:>8,} listed as {row['rule']}: {row['lines']} lines worth "
        + f"{Money(row['value_minor'], row['currency'])}, kept and not posted"
        for row in document["listed"]
    ]
    if document["conflicts"]:
        lines += [f"  {document['conflicts']:>8,} deliveries with a taken id and another body: kept aside"]
    trial = ", ".join(str(Money(amount, code)) for code, amount in document["trial_balance"].items())
    lines += ["", "The books", f"  {document['transfers']:>8,} transfers, trial balance {trial or 'empty'}"]
    lines += ["", "Decisions"]
    lines += [
        f"  {document['proposals']:>8,} proposals: {document['certified']:,} certified, "
        + f"{document['refused']:,} refused, {document['held']:,} held for a person, "
        + f"{document['shadowed']:,} in shadow"
    ]
    lines += [f"  {row['actions']:>8,} {row['kind']} {row['outcome']}" for row in document["by_kind"]]
    lines += [f"  {row['actions']:>8,} {row['kind']} refused as {row['code']}" for row in document["refusals"]]
    lines += ["", "Forecasts against what happened (total absolute error; no change in brackets)"]
    lines += [
        f"  {row['quantity']:<18} {row['settled']:>5,} settled, error {row['error']:,} "
        + f"[{row['no_change_error'] or 0:,}], {row['covered']} inside their {row['level']} interval"
        for row in document["forecasts"]
    ]
    lines += ["", "Taken on trust", *(f"  - {text}" for text in document["assumptions"])]
    lines += ["", f"The log: {document['audit_size']:,} events, root {document['audit_root']}"]
    lines += ["Seconds: " + ", ".join(f"{name} {ms / 1000:.2f}" for name, ms in document["milliseconds"].items())]
    return "\n".join([*lines, *one_decision(app)])


def one_decision(app: App) -> list[str]:
    """One decision in full: a refusal with a counterexample if there is one, else the newest."""
    chosen = next(
        (a for a in app.gateway.actions("price.set", "refused", 20) if a.result.get("code")),
        next(iter(app.gateway.actions(limit=1)), None),
    )
    story = story_of(app.control, chosen.id) if chosen else None
    if story is None:
        return []
    lines = [
        "",
        f"One decision in full: {story['id']}",
        f"  {story['kind']} at {story['at']} by {story['proposer']}",
    ]
    lines += [f"  why        {story['why']}", f"  params     {shown(story['params'])}"]
    lines += [f"  fact       {name} = {shown(value)}" for name, value in story["facts"].items()]
    lines += [
        f"  forecast   {f['option']}: {f['quantity']} {f['low']}..{f['mid']}..{f['high']} ({f['level']})"
        for f in story["forecast"]
    ]
    lines += [f"  rule       {f['id']}: {f['status']} ({f['basis']}) {f['detail']}" for f in story["findings"]]
    lines += [f"  verdict    {story['verdict']}"]
    lines += [f"  counterexample {name} = {shown(value)}" for name, value in story["counterexample"].items()]
    decision = story["decision"]
    lines += [
        f"  draw       {decision['chosen']} with propensity {decision['propensity']} ({decision['policy_version']})"
    ]
    outcome = story["outcome"]
    lines += [
        f"  outcome    {outcome['outcome']} {outcome.get('code') or outcome.get('verb') or outcome.get('approver')}"
    ]
    lines += [f"  proof      sha256 {story['bundle_digest']}"]
    return lines
