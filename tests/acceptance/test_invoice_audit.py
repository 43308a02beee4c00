"""livemarket's bills through the commands: every fault it put in is exactly that break, a copy without faults gives none, and
the controls fail.
"""

import shutil
import sys
from collections import Counter
from datetime import date
from importlib import import_module
from pathlib import Path

import pytest

pytestmark = [pytest.mark.db, pytest.mark.slow]
AS_OF = date(2026, 1, 28)


@pytest.fixture(scope="module")
def bench():
    folder = str(Path(__file__).parents[2] / "bench")
    sys.path.append(folder)
    try:
        yield import_module("invoice_audit")
    finally:
        sys.path.remove(folder)


@pytest.fixture(scope="module")
def weeks(bench, tmp_path_factory):
    """(with faults, without), of as many days as give three weekly bills."""
    return bench.lived(tmp_path_factory.mktemp("bills"), 11, 15, 60_000)


def test_every_fault_is_found_as_itself_and_a_clean_copy_gives_none(bench, weeks):
    figures = bench.measured(*weeks, AS_OF)
    assert bench.is_right(figures) == (True, True), figures
    assert {"rate", "twice", "again", "invented", "service", "currency"} <= set(figures["faults"])


def test_the_commands_say_the_same_and_a_person_settles_one(bench, weeks, make_shop, tmp_path):
    spoilt = weeks[0]
    shop = make_shop()

    def ask(*words, code=0):
        return shop.json(*words, code=code, here=True)

    events = tmp_path / "events.jsonl"
    wanted = tuple(f'"type":"{kind}"' for kind in bench.TYPES)
    with (spoilt / "events.jsonl").open(encoding="utf-8") as lines:
        events.write_text("".join(line for line in lines if any(kind in line for kind in wanted)), encoding="utf-8")
    assert ask("events", "ingest", events)["rejected"] == []
    for folder in sorted((spoilt / "invoices").iterdir()):
        made = ask("invoices", "import", *sorted(folder.iterdir()), "--vendor", folder.name)
        assert {one["outcome"] for one in made["files"]} == {"taken"}
        assert {one["control_total_ok"] for one in made["files"]} == {True if folder.name == "tiktok_ads" else None}

    report = ask("invoices", "audit", "--as-of", "2026-01-28T00:00:00Z")
    claims, notes, _ = bench.truth(spoilt, bench.bills(spoilt, bench.load_contracts()))
    found = {
        one["items"][0]["key"]: (one["type"], one["amount_minor"], one["currency"])
        for one in ask("breaks", "--limit", "10000")["breaks"]
    }
    assert found == claims
    assert report["conserved"]
    assert report["breaks"] == len(claims)
    assert report["notes"]["under"] == sum(count for (kind, _), count in notes.items() if kind == "under")
    reclaim = Counter()
    for _, amount, currency in claims.values():
        reclaim[currency] += amount
    assert report["reclaim_minor"] == dict(sorted(reclaim.items()))

    listed = ask("invoices", "list", "--limit", "1000")["items"]
    assert sum(one["open_breaks"] for one in listed) == len(claims)
    told = ask("invoices", "claim", "warehouse-3pl")
    assert told["claims"] == sum(key.startswith("warehouse-3pl/") for key in claims)
    # A person settles one; what is wrong with a file is told by line, and its content changes nothing.
    one = next(one for one in ask("breaks", "--type", "invoice_twice")["breaks"])
    ask("breaks", "resolve", one["id"], "--how", "claim", "--by", "ana", "--reason", "billed twice")
    assert ask("invoices", "audit", "--as-of", "2026-01-28T00:00:00Z")["settled"] == 1
    damaged = tmp_path / "damaged.csv"
    shutil.copy(next((spoilt / "invoices/warehouse-3pl").iterdir()), damaged)
    damaged.write_text(damaged.read_text(encoding="utf-8").replace("6.00", "6,00", 1), encoding="utf-8")
    refused = ask("invoices", "import", damaged, "--vendor", "warehouse-3pl", code=1)["files"][0]
    assert refused["rejected"][0]["line"] > 1
    assert ask("invoices", "list", "--refused")["items"][0]["name"] == "damaged.csv"
