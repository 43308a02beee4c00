"""`steward db` and `steward catalog`."""

from __future__ import annotations

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.cli.rules import warned


@click.group()
def db() -> None:
    """The database: migrate, status, stop.

    Example: steward db status --json
    """


@db.command()
@json_option
@report_errors
def migrate(as_json: bool) -> None:
    """Start the database if needed and bring its schema up to date.

    Example: steward db migrate
    """
    from steward.infra.connect import database_status, open_database
    from steward.infra.settings import load_settings

    settings = load_settings()
    open_database(settings).close()
    status = database_status(settings)
    emit(status, as_json, f"schema version {status['version']}, nothing pending")


@db.command()
@json_option
@report_errors
def status(as_json: bool) -> None:
    """Where the database is, whether it runs, its schema version and what is pending.

    Example: steward db status --json
    """
    from steward.infra.connect import database_status
    from steward.infra.settings import load_settings

    found = database_status(load_settings())
    emit(found, as_json, "\n".join(f"{name}: {value}" for name, value in found.items()))


@db.command()
@json_option
@report_errors
def stop(as_json: bool) -> None:
    """Stop the embedded server. A server of your own is left alone.

    Example: steward db stop
    """
    from steward.infra.connect import stop_database
    from steward.infra.settings import load_settings

    stopped = stop_database(load_settings())
    emit({"stopped": stopped}, as_json, "stopped" if stopped else "was not running")


@click.group()
def catalog() -> None:
    """The catalog: the business as data.

    Example: steward catalog check
    """


@catalog.command()
@json_option
@report_errors
def check(as_json: bool) -> None:
    """Check every link, prove every posting rule, run every invariant's own examples; warn of rules that do nothing.

    Example: steward catalog check --json
    """
    from steward.checking import check_catalog

    found = check_catalog()
    problems = [f"{e['where']}: {e['what']}. {e['fix']}" for e in found["errors"]]
    lines = [*problems, *warned(found["warnings"])]
    counts = ", ".join(f"{count} {name}" for name, count in found["counts"].items())
    emit(found, as_json, "\n".join([*lines, f"{counts}: {len(problems)} problems, digest {found['digest']}"]))
    answer(not found["errors"])


@catalog.command()
@json_option
@report_errors
def versions(as_json: bool) -> None:
    """Every version that was ever in force, who approved it and why; the newest is in force.

    Example: steward catalog versions --json
    """
    from steward.bootstrap import open_app
    from steward.kernel.instants import format_instant

    with open_app() as app:
        rows = app.versions.all()
        running = app.catalog.digest
    items = [{**row, "recorded_at": format_instant(row["recorded_at"])} for row in rows]
    lines = [
        f"{r['number']:>4}  {r['digest'][:12]}  {r['recorded_at'][:19]}  {r['approved_by']}: {r['reason']}"
        for r in items
    ]
    emit({"items": items, "running": running}, as_json, "\n".join([*lines, f"this process runs {running[:12]}"]))
    answer(bool(rows) and rows[0]["digest"] == running)


@catalog.command()
@click.argument("name")
@json_option
@report_errors
def key(name: str, as_json: bool) -> None:
    """Make a signing key for a person who approves catalogs; it lies under STEWARD_HOME/keys/approvers.

    Example: steward catalog key fay
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        key_id = app.versions.make_key(name)
    emit({"name": name, "key_id": key_id}, as_json, f"{name} signs with key {key_id}")


@catalog.command()
@click.option("--as", "name", required=True, help="Whose key signs.")
@json_option
@report_errors
def approve(name: str, as_json: bool) -> None:
    """Sign that the running catalog (STEWARD_CATALOG, or the shipped one) may follow the one in force.

    Example: steward catalog approve --as fay
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        row = app.versions.approve(name)
    shown = {name: row[name] for name in ("digest", "previous", "approved_by", "key_id", "signature")}
    emit(shown, as_json, f"{name} signed {row['digest'][:12]} after {row['previous'][:12]}")


@catalog.command()
@click.option("--by", help="Who activates it. Without it, only what would happen is shown.")
@click.option("--reason", default="", help="Why the catalog changes.")
@click.option("--despite-failing", is_flag=True, help="Although actions under way would not pass under it.")
@json_option
@report_errors
def activate(by: str | None, reason: str, *, despite_failing: bool, as_json: bool) -> None:
    """Bring the running catalog (STEWARD_CATALOG, or the shipped one) into force: check it, decide again what is under
    way, show how it differs in strictness, demand a signature.

    Example: steward catalog activate --by owner --reason "a higher cap for the season"
    """
    from dataclasses import asdict

    from steward.bootstrap import open_app
    from steward.checking import check_catalog

    errors = check_catalog()["errors"]
    if errors:
        emit({"errors": errors}, as_json, "\n".join(f"{e['where']}: {e['what']}. {e['fix']}" for e in errors))
        answer(not errors)
    with open_app() as app:
        found = (
            app.versions.preview() if by is None else app.versions.activate(by, reason, despite_failing=despite_failing)
        )
        app.events.sequence()
    lines = [
        f"{entry['action']} {entry['kind']}: {entry['verdict']} ({', '.join(entry['rules'])})"
        for entry in found.failing
    ]
    lines += [
        f"not as strict: {entry['kind']} {entry['rule']}: {entry.get('why') or 'values the new rules pass break it'}"
        for entry in found.refinement or ()
        if not entry["holds"]
    ]
    compared = "not compared" if found.refinement is None else f"{len(found.refinement)} rules compared"
    lines.append(f"{found.under_way} actions under way, {len(found.failing)} would not pass; {compared}")
    lines.append(f"signed by {', '.join(found.approved_by) or 'nobody'}")
    lines.append(found.why_not or (f"version {found.version} is in force" if found.version else "nothing is changed"))
    emit(asdict(found), as_json, "\n".join(lines))
    answer(by is None or (found.version is not None and not found.why_not))
