"""`steward`: the commands of the whole system."""

from __future__ import annotations

import click

from steward.cli import (
    approvals,
    audit,
    authoring,
    closing,
    demo,
    effects,
    events,
    gate,
    invoices,
    limits,
    mcp,
    payouts,
    people,
    reports,
    schedules,
    settlements,
    store,
    tools,
    verify,
    web,
    webhooks,
    wording,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Run a live-shopping business, and prove that each act is safe.

    STEWARD_HOME is the data folder; STEWARD_DATABASE_URL a PostgreSQL server instead of the embedded one.

    Example: steward demo --once --json
    """


main.add_command(demo.demo)
main.add_command(web.up)
main.add_command(web.serve)
main.add_command(web.work)
main.add_command(schedules.schedules)
main.add_command(store.db)
for part in (authoring, wording):  # one group, filled by modules
    main.add_command(part.catalog)
main.add_command(events.events)
main.add_command(people.keys)
main.add_command(people.people)
main.add_command(webhooks.webhooks)
main.add_command(mcp.mcp)
main.add_command(tools.tools)
for part in (limits, reports, closing):  # one group, filled by three modules
    main.add_command(part.ledger)
main.add_command(verify.verify)
main.add_command(audit.audit)
main.add_command(audit.action)
for command in (effects.open_, effects.resolve, effects.undo, effects.send):
    audit.action.add_command(command)
main.add_command(gate.quarantine)
main.add_command(gate.alerts)
main.add_command(gate.budget)
main.add_command(approvals.approvals)
main.add_command(approvals.kill)
main.add_command(approvals.cap)
main.add_command(settlements.settlement)
main.add_command(settlements.reconcile)
main.add_command(settlements.breaks)
main.add_command(payouts.payouts)
main.add_command(invoices.invoices)
