"""`steward audit` and `steward action`: what was decided, and whether it still stands as written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from steward.cli.output import Phases, answer, emit, json_option, report_errors
from steward.kernel.canonical import parse_json
from steward.kernel.errors import BadInput
from steward.offline import PROGRAM, read_outside

if TYPE_CHECKING:
    from steward.contracts.ledger import Violation
    from steward.events import EventLog

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group()
def audit() -> None:
    """The audit trail.

    Example: steward audit verify --json
    """


@audit.command()
@click.option(
    "--checkpoint", type=_FILE, help="Checkpoints you kept elsewhere, JSON lines; else those of STEWARD_HOME."
)
@click.option("--key", type=_FILE, help="Public keys you kept; else those of STEWARD_HOME.")
@click.option("--export", "folder", type=_FOLDER, help="An exported history instead of the database.")
@json_option
@report_errors
def verify(checkpoint: Path | None, key: Path | None, folder: Path | None, as_json: bool) -> None:
    """Check the log, then every decision, action and proof bundle against it; re-check every certificate.

    With --export the exported files are checked by the one-file program, as an auditor would, and no database is read.

    Example: steward audit verify --export history --checkpoint kept.jsonl --key kept.pub
    """
    from steward.infra.settings import load_settings

    home = load_settings().home
    key = key or home / "keys" / "log.ed25519.pub"
    if folder is not None:
        _verify_export(folder, checkpoint or home / "checkpoints.jsonl", key, as_json)
    from steward.bootstrap import open_app

    with open_app() as app:
        report = app.auditor.verify()
        if checkpoint is not None:
            report.invalid += _against(app.events, read_outside(checkpoint, key))
    invalid = [violation.model_dump() for violation in report.invalid]
    document = {
        "size": report.size,
        "root": report.root,
        "decisions": report.decisions,
        "certificates": report.certificates,
        "invalid": invalid,
        "consistent": report.consistent and not any(v["where"] == "checkpoint" for v in invalid),
    }
    lines = [f"{v['where']} {v['row']}: {v['what']}" for v in invalid]
    summary = f"{report.size} events, {report.decisions} decisions, {report.certificates} certificates re-checked"
    verdict = "all as written" if not invalid else f"{len(invalid)} rows are NOT as written"
    emit(document, as_json, "\n".join([*lines, f"{summary}, root {report.root}: {verdict}"]))
    answer(not invalid)


def _against(events: EventLog, checkpoints: list[tuple[int, str]]) -> list[Violation]:
    """What the log says other than checkpoints kept outside."""
    from steward.contracts.ledger import Violation

    size = events.head()["size"]
    found: list[Violation] = []
    for expected, root in checkpoints:
        if expected > size:
            what = f"{expected} events were signed for, the log has {size}"
        elif expected and events.proof(1, expected)["root"] != root:
            what = "the events up to here are not those signed for"
        else:
            continue
        found.append(Violation(where="checkpoint", row=f"size {expected}", what=what))
    return found


def _verify_export(folder: Path, checkpoint: Path, key: Path, as_json: bool) -> NoReturn:
    """Run the one-file program in a process of its own, with the standard library alone."""
    command = [sys.executable, "-I", str(PROGRAM), str(folder), "--checkpoint", str(checkpoint), "--key", str(key)]
    command += ["--json"] if as_json else []
    sys.exit(subprocess.run(command, check=False).returncode)  # noqa: S603 - our own file, paths the caller named


@audit.command()
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
@report_errors
def export(folder: Path, as_json: bool) -> None:
    """Write the whole history for an auditor, with the program that re-proves it.

    The folder holds the log, the evidence of every decision, the catalogs and a signed checkpoint. Keep the checkpoint
    and the public key elsewhere: an export is only worth what it is compared with.

    Example: steward audit export history
    """
    from steward.bootstrap import open_app
    from steward.infra.settings import load_settings

    with open_app() as app, Phases(app.clock.monotonic).phase("export") as progress:
        written = app.exporter.write(folder, progress)
    home = load_settings().home
    lines = (
        f"{written['size']} events and {written['decisions']} decisions in {folder}, root {written['root']}",
        f"keep elsewhere: {folder / 'checkpoint.json'} and {home / 'keys' / 'log.ed25519.pub'}",
        f"then: python3 steward-verify.py {folder} --checkpoint KEPT --key KEPT",
    )
    emit({"folder": str(folder), **written}, as_json, "\n".join(lines))


@click.group()
def action() -> None:
    """Proposed actions and what became of them.

    Example: steward action list --outcome refused
    """


@action.command("list")
@click.option("--kind")
@click.option("--outcome", type=click.Choice(["shadowed", "held", "refused", "executed", "receipt"]))
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
    """One decision: what became of it, why, the nearest that would have been allowed; then all of it as JSON.

    Example: steward action show act_0193...
    """
    from steward.bootstrap import open_app
    from steward.control import story_of, summary

    with open_app() as app:
        story = story_of(app.control, action_id)
    if story is None:
        raise BadInput(f"there is no action {action_id!r}", fix="steward action list shows them")
    emit(story, as_json, "\n".join([*summary(story), "", json.dumps(story, indent=2, ensure_ascii=False)]))


@action.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@report_errors
def propose(file: Path, as_json: bool) -> None:
    """Take an action down the spine like any agent's. FILE is JSON: key, kind, params, principal, and optionally why,
    evidence and expires_at. The same key is the same action, once. Exit 0 unless it is refused.

    Example: steward action propose reserve.json
    """
    from steward.bootstrap import open_app
    from steward.control import proposal_of

    try:
        document = parse_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot be read: {error}", where=str(file)) from error
    with open_app() as app:
        acted = app.control.act(proposal_of(document, app.clock.now(), str(file)))
        app.events.sequence()
        found = app.gateway.action(acted.action_id)
        proof = app.proofs.of_action(acted.action_id)
    result = found.result if found else {}
    shown = {
        "id": acted.action_id,
        "state": acted.outcome,
        "is_new": acted.is_new,
        "verdict": proof["verdict"] if proof else None,
        "result": result,
    }
    emit(
        shown, as_json, f"{acted.action_id} {acted.outcome} {result.get('code') or result.get('reason') or ''}".rstrip()
    )
    answer(acted.outcome != "refused")


@action.command()
@click.argument("action_id")
@click.option("--by", required=True, help="Who calls it back.")
@click.option("--reason", required=True, help="Why.")
@json_option
@report_errors
def cancel(action_id: str, by: str, reason: str, *, as_json: bool) -> None:
    """Call an action back: one on its way outside while it was surely not sent; else the money it set aside is free
    again before its time. The log keeps who did it and why. Exit 1 where there is nothing to call back.

    Example: steward action cancel act_0193... --by owner --reason "the show is off"
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        if app.effects.state(action_id) is not None:
            changed = app.effects.cancel(action_id, by, reason)
            app.events.sequence()
            document = {"id": action_id, "hold": "", "is_cancelled": not changed.why, "code": "", "reason": changed.why}
            emit(document, as_json, f"{action_id} is {changed.state}" + (f": {changed.why}" if changed.why else ""))
            answer(not changed.why)
        found = app.cancellations.cancel(action_id, by, reason)
        app.events.sequence()
    document = {"id": found.action_id, "hold": found.hold, "is_cancelled": not found.code}
    document |= {"code": found.code, "reason": found.detail}
    text = f"{found.hold} is void" if not found.code else f"{found.action_id}: {found.detail} ({found.code})"
    emit(document, as_json, text)
    answer(not found.code)
