"""`steward verify`: verdicts on any catalog folder, and proof bundles re-checked; no database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.kernel.canonical import canonical_text, parse_json
from steward.kernel.errors import BadInput


@click.group()
def verify() -> None:
    """Decide an action against a catalog of rules, or re-check a proof bundle.

    Example: steward verify check bundle.json
    """


def _json_file(path: Path) -> dict[str, Any]:
    try:
        document = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot be read: {error}", where=str(path)) from error
    except BadInput as error:
        raise BadInput(error.what, where=str(path), fix=error.fix) from error
    if not isinstance(document, dict):
        raise BadInput("is not a JSON object", where=str(path))
    return document  # pyright: ignore[reportUnknownVariableType]


@verify.command()
@click.option("--catalog", "folder", type=click.Path(path_type=Path), required=True, help="A folder of *.yaml.")
@click.option("--facts", "facts_file", type=click.Path(path_type=Path), required=True)
@click.option("--action", "action_file", type=click.Path(path_type=Path), required=True)
@json_option
@report_errors
def decide(folder: Path, facts_file: Path, action_file: Path, as_json: bool) -> None:
    """A verdict with its reasons and evidence. Exit 0 only for ALLOW.

    Example: steward verify decide --catalog rules/ --facts facts.json --action action.json
    """
    from steward.catalog import read_yaml_folder
    from steward.verifier import Verifier

    verifier = Verifier.from_documents(read_yaml_folder(folder), None)
    try:
        facts = _json_file(facts_file)
        unknown = sorted(set(facts) - {"now", "facts"})
        if unknown or not isinstance(facts.get("now"), str) or not isinstance(facts.get("facts"), dict):
            raise BadInput('needs exactly "now" (a time) and "facts" (an object)', where=str(facts_file))
        verdict = verifier.certify(_json_file(action_file), facts["facts"], facts["now"])
    finally:
        verifier.close()
    document = verdict.model_dump(mode="json")
    lines = [
        verdict.verdict,
        *(f"  {r.id} ({r.basis}): {r.detail}" for r in (*verdict.determining, *verdict.errored)),
    ]
    lines += [f"  counterexample {name} = {value}" for name, value in verdict.counterexample.items()]
    emit(document, as_json, "\n".join(lines))
    answer(verdict.verdict == "ALLOW")


@verify.command("check")
@click.argument("bundle", type=click.Path(path_type=Path))
@json_option
@report_errors
def check_bundle(bundle: Path, as_json: bool) -> None:
    """Re-check a proof bundle with the checker alone.

    Example: steward verify check bundle.json
    """
    from steward.verifier import check_bundle as checked_by_checker

    valid, reason = checked_by_checker(_json_file(bundle))
    emit({"valid": valid, "reason": reason}, as_json, "valid" if valid else f"NOT valid: {reason}")
    answer(valid)


@verify.command()
@click.argument("action_id")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@report_errors
def bundle(action_id: str, output: Path) -> None:
    """Write the stored proof bundle of an action to a file, byte for byte.

    Example: steward verify bundle act_0193... -o bundle.json
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        action = app.gateway.action(action_id)
        row = app.proofs.of_action(action.id) if action else None
    if row is None:
        raise BadInput(f"there is no action {action_id!r}", fix="steward action list shows them")
    output.write_text(row["bundle"], encoding="utf-8")
    click.echo(f"{len(canonical_text(parse_json(row['bundle'])))} characters written to {output}")
