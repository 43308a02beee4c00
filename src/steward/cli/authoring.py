"""`steward catalog dead-rules, refine`: what the owner of rules asks while writing them."""

from __future__ import annotations

from pathlib import Path

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.cli.rules import open_rules
from steward.cli.store import catalog
from steward.kernel.errors import BadInput

__all__ = ["catalog"]
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@catalog.command("dead-rules")
@click.option("--catalog", "folder", type=_FOLDER, help="A folder of rules; else the shipped catalog.")
@click.option("--kind", "kinds", multiple=True, help="Only these kinds of action.")
@click.option("--afresh", is_flag=True, help="Look again, whatever is kept beside the catalog.")
@json_option
@report_errors
def dead_rules(folder: Path | None, kinds: tuple[str, ...], *, afresh: bool, as_json: bool) -> None:
    """Guards that other guards imply, with certificate, and guards that no theorem needs.

    Neither is an error: a rule nobody needs for a theorem may still be what the business wants of each action. What
    `steward verify prove-catalog --write` kept of this very catalog is told from there.

    Example: steward catalog dead-rules --kind refund.issue
    """
    rules = open_rules(folder)
    with rules.verifier() as verifier:
        known = verifier.catalog.kinds
        for kind in kinds:
            if kind not in known:
                raise BadInput(f"there is no kind {kind!r}", fix=f"there are {', '.join(known)}")
        held = {} if afresh else verifier.known_dead_rules(rules.dead_rules_book)
        if set(kinds or known) - set(held):
            verifier.warm()
        found = [held.get(kind) or verifier.dead_rules(kind) for kind in kinds or known]
    lines: list[str] = []
    for entry in found:
        lines += [f"{entry['kind']}: {one['rule']} is implied by {', '.join(one['by'])}" for one in entry["implied"]]
        lines += [f"{entry['kind']}: no theorem needs {name}" for name in entry["unused"]]
    emit({"kinds": found}, as_json, "\n".join(lines) or "every guard is needed by a theorem")


@catalog.command()
@click.argument("old", type=_FOLDER)
@click.argument("new", type=_FOLDER)
@json_option
@report_errors
def refine(old: Path, new: Path, as_json: bool) -> None:
    """Whether the rules in NEW are at least as strict as those in OLD. Exit 1 where they are not.

    Each rule of OLD is proved from the rules of NEW, or shown broken by an action and facts of which NEW, evaluated
    whole, says less than OLD.

    Example: steward catalog refine rules-v7/ rules-v8/
    """
    with open_rules(old).verifier() as before, open_rules(new).verifier() as verifier:
        verifier.warm()
        found = verifier.refines(before)
    loose = [entry for entry in found if not entry["holds"]]
    lines: list[str] = []
    for entry in loose:
        lines.append(f"{entry['kind']} {entry['rule']}: {entry['why']}".replace("  ", " "))
        if "new" in entry:
            lines.append(f"  the new version says {entry['new']}, the old one {entry['old']}, of:")
        lines += [f"  {name} = {value}" for name, value in entry.get("counterexample", {}).items()]
    proved = len(found) - len(loose)
    lines.append(f"{proved} of {len(found)} rules proved from the new version")
    emit({"refines": not loose, "rules": found}, as_json, "\n".join(lines))
    answer(not loose)
