"""`steward webhooks`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from steward.cli.output import answer, emit, json_option, report_errors


@click.group()
def webhooks() -> None:
    """Webhooks in: providers, deliveries, retry, poll and compare.

    Example: steward webhooks providers
    """


@webhooks.command()
@json_option
@report_errors
def providers(as_json: bool) -> None:
    """Every provider there is a mapping for: its signature scheme, and how many secrets are set.

    Example: steward webhooks providers
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        found = app.webhooks.providers()
    lines = [
        f"{row['provider']:<20} {row['scheme']:<12} {'time signed' if row['signs_time'] else 'no time signed':<15}"
        f"{'' if row['documented'] else ' not documented: secret path, fetched again '}"
        f" {row['secrets'] or 'no'} secrets"
        for row in found
    ]
    emit({"items": found}, as_json, "\n".join(lines))


@webhooks.command()
@click.option("--state", type=click.Choice(["received", "done", "ignored", "failed", "refused", "erased"]))
@click.option("--provider", help="Only this one.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10000))
@json_option
@report_errors
def deliveries(state: str | None, provider: str | None, limit: int, as_json: bool) -> None:
    """What came in and what became of it, newest first.

    Example: steward webhooks deliveries --state failed
    """
    from steward.bootstrap import open_app
    from steward.kernel.instants import format_instant

    with open_app() as app:
        rows = app.webhooks.deliveries(state, provider, limit)
    found = [{**row, "received_at": format_instant(row["received_at"])} for row in rows]
    lines = [
        f"{r['delivery_id']:>8}  {r['received_at'][:19]}  {r['provider']:<12} {r['state']:<9} {r['reason'] or ''}"
        for r in found
    ]
    emit({"items": found}, as_json, "\n".join(lines) or "none")


@webhooks.command()
@click.option("--provider", help="Only this one.")
@json_option
@report_errors
def retry(provider: str | None, as_json: bool) -> None:
    """Try failed deliveries again, after a mapping, a key or a secret was mended.

    Example: steward webhooks retry --provider gorgias
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        tried = app.webhooks.retry(provider)
        failed = len(app.webhooks.deliveries("failed", provider, 10000))
    emit({"tried": tried, "failed": failed}, as_json, f"{tried} tried again, {failed} still fail")
    answer(not failed)


@webhooks.command()
@click.argument("provider")
@click.option("--since", required=True, type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"]), help="UTC.")
@json_option
@report_errors
def poll(provider: str, since: datetime, as_json: bool) -> None:
    """Read the provider's own list since an instant, and take in every fact that never came.

    Example: steward webhooks poll stripe --since 2026-11-01
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        found = app.webhooks.compare(provider, since.replace(tzinfo=UTC))
    emit(found, as_json, f"{found['facts']} facts listed, {found['missing']} were missing and are taken in")
    answer(not found["unreadable"])
