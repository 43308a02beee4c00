"""`steward verify`: verdicts on any catalog folder, and proof bundles re-checked; no database."""

from __future__ import annotations

from pathlib import Path

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.cli.rules import (
    DEAD_RULES,
    book_text,
    dead_rules_text,
    open_rules,
    read_json,
    shipped_theorems,
    warned,
)
from steward.kernel.canonical import JsonObject, canonical_text, parse_json
from steward.kernel.errors import BadInput


@click.group()
def verify() -> None:
    """Decide an action against a catalog of rules, or re-check a proof bundle.

    Example: steward verify check bundle.json
    """


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
    verifier = open_rules(folder).verifier(with_book=False)
    try:
        facts = read_json(facts_file)
        unknown = sorted(set(facts) - {"now", "facts"})
        if unknown or not isinstance(facts.get("now"), str) or not isinstance(facts.get("facts"), dict):
            raise BadInput('needs exactly "now" (a time) and "facts" (an object)', where=str(facts_file))
        verdict = verifier.certify(read_json(action_file), facts["facts"], facts["now"], suggests=True)
    finally:
        verifier.close()
    document = verdict.model_dump(mode="json")
    lines = [
        verdict.verdict,
        *(f"  {r.id} ({r.basis}): {r.detail}" for r in (*verdict.determining, *verdict.errored)),
    ]
    lines += [f"  counterexample {name} = {value}" for name, value in verdict.counterexample.items()]
    lines += [f"  nearest allowed {name} = {value}" for name, value in verdict.nearest.items()]
    lines += [f"  given that {sentence}" for sentence in verdict.assumptions]
    emit(document, as_json, "\n".join(lines))
    answer(verdict.verdict == "ALLOW")


@verify.command("prove-catalog")
@click.option("--catalog", "folder", type=click.Path(path_type=Path), help="A folder of *.yaml; else the shipped one.")
@click.option("--write", is_flag=True, help="Keep them, and which guards do nothing, beside the catalog.")
@click.option("--check", is_flag=True, help="Only re-check the theorems that lie beside the catalog: no prover.")
@json_option
@report_errors
def prove_catalog(folder: Path | None, write: bool, check: bool, as_json: bool) -> None:
    """Prove that each kind of action keeps every state rule it touches, for all states. Exit 1 if a theorem is missing.

    A missing theorem comes with a state and an action that pass every guard and break the rule. Guards that do nothing
    are warned of, from the file that --write keeps; with --check that file must be about this very catalog.

    Example: steward verify prove-catalog --json
    """
    rules = open_rules(folder)
    with rules.verifier(with_book=check or write) as verifier:
        if not check:
            verifier.warm()
        kinds, nothing = verifier.prove_catalog(stored_only=check, afresh=not check)
        if write:
            rules.theorems.write_text(book_text(verifier.theorems.book()), encoding="utf-8")
            rules.dead_rules.write_text(dead_rules_text(verifier.dead_rules_book(rules.dead_rules_book)), "utf-8")
        digest, dead = verifier.catalog_digest, rules.dead_rules_book
        warnings = verifier.warnings(dead)
    count = sum(state["theorem"] == "proved" for kind in kinds for state in kind["states"])
    stale = [one["what"] for one in warnings if one["where"] == DEAD_RULES] if check and dead is not None else []
    document = {"warnings": warnings, "kinds": kinds, "nothing_to_prove": nothing, "theorems": count, "digest": digest}
    lines = [*(line for kind in kinds for line in _told(kind)), *warned(warnings)]
    missing = [kind["kind"] for kind in kinds if kind["theorem"] is None]
    lines.append(f"{count} theorems of {len(kinds)} kinds, missing for {len(missing)}; catalog {digest}")
    emit(document, as_json, "\n".join(lines))
    answer(not missing and not stale)


def _told(kind: JsonObject) -> list[str]:
    lines: list[str] = []
    for state in kind["states"]:
        if state["theorem"] == "proved":
            from_what = f" from {', '.join(state['uses'])}" if state["uses"] else ""
            size = f"{state['certificate_bytes']} bytes, {state['ms']} ms"
            lines.append(f"{kind['kind']} keeps {state['state']}{from_what} ({size})")
            continue
        lines.append(f"{kind['kind']} may break {state['state']}: {state['why']}")
        for part, values in state.get("counterexample", {}).items():
            lines += [f"  {part} {name} = {value}" for name, value in values.items()]
    return lines


@verify.command("check")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--theorems", "books", type=click.Path(path_type=Path), multiple=True, help="Files of theorems it names.")
@json_option
@report_errors
def check_bundle(bundle: Path, books: tuple[Path, ...], as_json: bool) -> None:
    """Re-check a proof bundle with the checker alone.

    Theorems the bundle only names are looked up, and checked, in the shipped file and in those given.

    Example: steward verify check bundle.json
    """
    from steward.verifier import check_bundle as checked_by_checker

    document = read_json(bundle)
    named = document.get("theorems")
    known = _known_theorems(books) if isinstance(named, list) and named else {}
    valid, reason = checked_by_checker(document, known)
    emit({"valid": valid, "reason": reason}, as_json, "valid" if valid else f"NOT valid: {reason}")
    answer(valid)


def _known_theorems(books: tuple[Path, ...]) -> dict[str, str]:
    from steward.verifier import checked_theorems

    shipped = shipped_theorems()
    known: dict[str, str] = {}
    for path in (*((shipped,) if shipped.is_file() else ()), *books):
        known |= checked_theorems(read_json(path), str(path))
    return known


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
