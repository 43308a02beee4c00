"""`steward catalog explain` and `steward catalog format`: rules in plain English, formulas in their one form."""

from __future__ import annotations

from pathlib import Path

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.cli.rules import open_rules
from steward.cli.store import catalog
from steward.kernel.errors import BadInput

__all__ = ["catalog"]


@catalog.command()
@click.argument("name")
@click.option(
    "--catalog", "folder", type=click.Path(path_type=Path), help="A catalog's folder; the shipped one if none."
)
@json_option
@report_errors
def explain(name: str, folder: Path | None, as_json: bool) -> None:
    """Say in plain English what a rule, a state rule or a kind of action means.

    Example: steward catalog explain daily-refund-cap
    """
    from steward.verifier import Describer, told

    rules = open_rules(folder)
    verifier = rules.verifier()
    found = Describer(verifier.catalog, rules.limits, verifier.theorems.stored, rules.documents).describe(name)
    emit(found, as_json, told(found))


@catalog.command("format")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 if a formula is not in its form.")
@json_option
@report_errors
def format_command(folder: Path, only_check: bool, as_json: bool) -> None:
    """Write every formula of a catalog in its canonical form; nothing else in the files changes.

    Example: steward catalog format rules/ --check
    """
    from steward.catalog import rewritten
    from steward.verifier import canonical

    files = sorted(file for part in ("", "actions", "invariants") for file in (folder / part).glob("*.yaml"))
    if not files:
        raise BadInput("holds no YAML file", where=str(folder), fix="name the folder of a catalog")
    changes: list[dict[str, str | int]] = []
    written: list[tuple[Path, str]] = []
    for file in files:
        try:
            text = file.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"cannot be read: {error}", where=str(file)) from error
        where = file.relative_to(folder).as_posix()
        after, places = rewritten(text, where, canonical)
        changes += [{"file": where, "line": place.line, "rule": place.rule, "key": place.key} for place in places]
        written += [(file, after)] if places else []
    if not only_check:
        for file, text in written:
            file.write_bytes(text.encode())
    verb = "would be written" if only_check else "written"
    lines = [f"{one['file']} line {one['line']}: {one['rule']} {one['key']}" for one in changes]
    emit(
        {"changed": changes, "checked": len(files)},
        as_json,
        "\n".join([*lines, f"{len(changes)} formulas {verb} anew"]),
    )
    answer(not (only_check and changes))
