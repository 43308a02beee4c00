"""Report runs: the itemised payout reconciliation, from the same lines and with the same errors as the files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livemarket.faces.business import moment_of, unix
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.stripe.account import Account, Report
from livemarket.faces.stripe.lists import Refused, hashed, only, whole
from livemarket.faces.stripe.objects import STRIPE
from livemarket.files import settlements
from livemarket.files.faults import Budget

TYPE = "payout_reconciliation.itemized.5"
Action = Callable[[Call, dict[str, Any]], Answer]


def table(till: Account) -> list[tuple[str, str, Action]]:
    """Method, path, action."""
    return [
        ("POST", "/v1/reporting/report_runs", lambda call, form: _run(till, call, form)),
        ("GET", "/v1/reporting/report_runs/{id}", lambda call, _: answered(200, _shown(_found(till, call), call))),
        ("GET", "/v1/files/{id}", lambda call, _: answered(200, _file(_found(till, call), call))),
        ("GET", "/v1/files/{id}/contents", lambda call, _: _contents(till, call)),
    ]


def _found(till: Account, call: Call) -> Report:
    key = call.found["id"]
    report = till.files.get(key.removeprefix("frr_").removeprefix("file_"))
    if report is None:
        raise Refused(404, f"No such object: '{key}'", "resource_missing", "id")
    return report


def _run(till: Account, call: Call, form: dict[str, Any]) -> Answer:
    only(form, frozenset({"report_type", "parameters"}))
    if form.get("report_type") != TYPE:
        raise Refused(400, f"This world has one report: {TYPE}.", "", "report_type")
    asked = hashed(form, "parameters")
    only(asked, frozenset({"interval_start", "interval_end", "currency"}))
    start, end = whole(asked, "interval_start"), whole(asked, "interval_end")
    if start is None or end is None or start >= end:
        raise Refused(
            400, "interval_start and interval_end are needed, in this order.", "parameter_missing", "parameters"
        )
    view, budget = till.view, Budget(till.business.seed, till.business.error_ppm)
    rows = [row for row in view.payouts(STRIPE)[::-1] if moment_of(start) <= view.payout_moment(row) < moment_of(end)]
    texts = [settlements.made(view.world, row, budget)[1].splitlines(keepends=True) for row in rows]
    header = ",".join(settlements.STRIPE) + "\n"
    text = header + "".join("".join(lines[1:]) for lines in texts)
    number = len(till.files) + 1
    report = Report(number, unix(view.now), {"interval_start": start, "interval_end": end}, text)
    till.files[f"{number:06d}"] = report
    return answered(200, _shown(report, call))


def _file(report: Report, call: Call) -> dict[str, Any]:
    key = f"file_{report.number:06d}"
    return {
        "id": key, "object": "file", "created": report.created, "expires_at": None, "filename": f"{key}.csv",
        "links": {"object": "list", "data": [], "has_more": False, "url": f"/v1/file_links?file={key}"},
        "purpose": "finance_report_run", "size": len(report.text), "title": TYPE, "type": "csv",
        "url": f"{call.base}/v1/files/{key}/contents",
    }  # fmt: skip


def _shown(report: Report, call: Call) -> dict[str, Any]:
    return {
        "id": f"frr_{report.number:06d}", "object": "reporting.report_run", "created": report.created, "error": None,
        "livemode": False, "parameters": report.parameters, "report_type": TYPE, "result": _file(report, call),
        "status": "succeeded", "succeeded_at": report.created,
    }  # fmt: skip


def _contents(till: Account, call: Call) -> Answer:
    return Answer(200, _found(till, call).text.encode(), {"content-type": "text/csv"})
