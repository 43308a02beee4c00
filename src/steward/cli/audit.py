"""`steward audit` and `steward action`: what was decided, and whether it still stands as written."""

from __future__ import annotations

import json

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.kernel.errors import BadInput


@click.group()
def audit() -> None:
    """The audit trail.

    Example: steward audit verify --json
    """


@audit.command()
@json_option
@report_errors
def verify(as_json: bool) -> None:
    """Check the log, then every decision, action and proof bundle against it; re-check every certificate.

    Example: steward audit verify
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        report = app.auditor.verify()
    invalid = [violation.model_dump() for violation in report.invalid]
    document = {
        "size": report.size,
        "root": report.root,
        "decisions": report.decisions,
        "certificates": report.certificates,
        "invalid": invalid,
        "consistent": report.consistent,
    }
    lines = [f"{v['where']} {v['row']}: {v['what']}" for v in invalid]
    summary = f"{report.size} events, {report.decisions} decisions, {report.certificates} certificates re-checked"
    verdict = "all as written" if not invalid else f"{len(invalid)} rows are NOT as written"
    emit(document, as_json, "\n".join([*lines, f"{summary}, root {report.root}: {verdict}"]))
    answer(not invalid)


@click.group()
def action() -> None:
    """Proposed actions and what became of them.

    Example: steward action list --outcome refused
    """


@action.command("list")
@click.option("--kind")
@click.option("--outcome", type=click.Choice(["shadowed", "held", "refused"]))
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 5000))
@json_option
@report_errors
def list_actions(kind: str | None, outcome: str | None, limit: int, as_json: bool) -> None:
    """Actions, newest first.

    Example: steward action list --kind refund.issue --outcome held
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        found = app.gateway.actions(kind, outcome, limit)
    items = [
        {
            "id": a.id,
            "kind": a.kind,
            "at": a.proposal["at"],
            "outcome": a.outcome,
            "risk": a.risk,
            "result": a.result,
        }
        for a in found
    ]
    lines = [
        f"{a.id}  {a.proposal['at']}  {a.kind:<13} {a.outcome:<9} {a.result.get('code', a.result.get('approver', ''))}"
        for a in found
    ]
    emit({"items": items, "next": None}, as_json, "\n".join(lines))


@action.command()
@click.argument("action_id")
@json_option
@report_errors
def show(action_id: str, as_json: bool) -> None:
    """One decision in full: facts, options, forecast, proof, draw, outcome.

    Example: steward action show act_0193...
    """
    from steward.bootstrap import open_app
    from steward.control import story_of

    with open_app() as app:
        story = story_of(app.control, action_id)
    if story is None:
        raise BadInput(f"there is no action {action_id!r}", fix="steward action list shows them")
    emit(story, as_json, json.dumps(story, indent=2, ensure_ascii=False))
