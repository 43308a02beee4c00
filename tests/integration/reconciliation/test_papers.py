"""A simulated business from its first morning: its events, its settlement files and its bank, and nothing is left over;
with errors in the papers each of them is one break. `make livemarket-breaks` does this at length.
"""

import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from livemarket.cli import main
from steward.cli.events import bounded_lines
from steward.cli.output import Phases
from steward.infra.clock import SystemClock

pytestmark = [pytest.mark.db, pytest.mark.slow]
DAYS = 24


def lived(folder, errors):
    words = [
        "run",
        "--days",
        str(DAYS),
        "--seed",
        "11",
        "--newborn",
        "--errors",
        str(errors),
        "--out",
        str(folder),
        "--json",
    ]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def taken_in(shop, folder, summary):
    """The books at the end of the last day, with every paper."""
    end = datetime.fromisoformat(summary["first_date"]).replace(tzinfo=UTC) + timedelta(days=DAYS)
    shop.clock.advance(end - shop.clock.now())
    with Phases(SystemClock().monotonic).phase("ingest") as step:
        events = io.BytesIO((folder / "events.jsonl").read_bytes())
        assert shop.app.ingestor.take_lines(bounded_lines(events), step).rejected == []
    shop.app.events.sequence()
    for path in [*folder.glob("settlements/*/*.csv"), *folder.glob("bank/*.xml")]:
        provider = path.parent.name if path.suffix == ".csv" else "camt"
        assert shop.app.settlement_files.take(provider, path.name, path.read_bytes(), "ana")["outcome"] == "taken"
    reports = [shop.app.reconciliation.run(side, "ana") for side in ("statement", "bank")]
    assert all(report["conserved"] for report in reports)
    return reports


def test_clean_papers_leave_nothing_over(shop, tmp_path):
    folder = tmp_path / "shop"
    statement, bank = taken_in(shop, folder, lived(folder, 0))
    assert shop.app.reconciliation.breaks() == []
    assert statement["matched"] == statement["lines"] > 300
    assert statement["by_rule"]["netted"] > 0, "orders that were refunded before the marketplace settled them"
    assert bank["matched"] == bank["lines"] > 10
    shop.app.events.sequence()
    said = [one.envelope.data for one in shop.app.events.read(types=["SettlementReconciled"], limit=1000)]
    assert sum(one["matched"] for one in said) == statement["lines"] + bank["lines"]
    assert {one["mismatches"] for one in said} == {0}


def test_each_error_in_the_papers_is_one_break(shop, tmp_path):
    folder = tmp_path / "shop"
    taken_in(shop, folder, lived(folder, 30_000))
    told = [json.loads(line) for line in (folder / "truth/faults.jsonl").read_text(encoding="utf-8").splitlines()]
    lines = Counter(
        one["fault"] for one in told if one["file"].startswith("settlements/") and one["fault"] != "missing"
    )
    found = Counter(one["type"] for one in shop.app.reconciliation.breaks())
    del found["missing"]  # most are not due yet: the benchmark waits for them
    assert sum(lines.values()) > 5
    assert found == lines
