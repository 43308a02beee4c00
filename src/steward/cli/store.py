"""`steward db` and `steward catalog`."""

from __future__ import annotations

import click

from steward.cli.output import answer, emit, json_option, report_errors


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
    """Check every link, prove every posting rule, run every invariant's own examples.

    Example: steward catalog check --json
    """
    from steward.bootstrap import check_catalog

    found = check_catalog()
    lines = [f"{e['where']}: {e['what']}. {e['fix']}" for e in found["errors"]]
    counts = ", ".join(f"{count} {name}" for name, count in found["counts"].items())
    emit(found, as_json, "\n".join([*lines, f"{counts}: {len(lines)} problems, digest {found['digest']}"]))
    answer(not found["errors"])
