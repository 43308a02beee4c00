"""The audit of invoices on six simulated weeks: every fault that livemarket put into bills is found as exactly that
dispute, line and amount, and a copy of the same weeks without faults gives none.

Livemarket knows nothing of the auditor: it bills what it shipped, received, spent and settled, and writes down what it
spoilt. What was left out or billed below its price is no claim: it has to come out as a note. Commissions that
were left out are not noted (a sale may never be settled); the figures count them apart.

Two controls must fail in the same run: an auditor that looks at each bill alone cannot see what was billed again in a
later one, and one with a price a cent too low raises alarms on the clean copy.

    python bench/invoice_audit.py [--days 42] [--errors 40000] [--write]
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from results import machine as this_machine
from results import save

HERE = str(Path(__file__).resolve().parent)  # last of all: a harness here has the name livemarket
sys.path = [path for path in sys.path if str(Path(path or ".").resolve()) != HERE] + [HERE]

from gate_stage import Stage

from livemarket import catalog
from livemarket.core.step import step, warmed_up
from livemarket.files.run import Shell
from steward.catalog import load_contracts
from steward.contracts.event import Envelope, RecordedEvent
from steward.contracts.invoice import Billed
from steward.infra.clock import FrozenClock
from steward.reconciliation.core.billable import TYPES, facts_of
from steward.reconciliation.core.invoices import audit
from steward.reconciliation.readers.bills import read_bill
from steward.reconciliation.store.bills import BillStore, line_key

NAMED = {
    "rate": "invoice_overcharge", "twice": "invoice_twice", "again": "invoice_twice", "invented": "invoice_unordered",
    "service": "invoice_service", "currency": "invoice_currency", "units": "invoice_quantity",
    "unit_price": "invoice_price", "sum": "invoice_sum",
}  # fmt: skip
NOTED = {"missing": "unbilled", "under": "under"}


def lived(folder, seed, days, errors, shop="small"):
    """One world written down twice: with faults in its papers, and without."""
    world = warmed_up(catalog.setting(shop), seed, keep=True)
    shells = [Shell(world, seed, folder / name, ppm) for name, ppm in (("spoilt", errors), ("clean", 0))]
    for number in range(days):
        today = world.day
        happened = step(world)
        for shell in shells:
            shell.day(world, today, happened, last=number == days - 1)
    for shell in shells:
        shell.end(world)
    return folder / "spoilt", folder / "clean"


def facts(out):
    """What the log would derive from the run's events."""
    made = []
    with (out / "events.jsonl").open(encoding="utf-8") as lines:
        for number, text in enumerate(lines, 1):
            told = json.loads(text)
            if told["type"] in TYPES:
                names = ("id", "source", "type", "subject", "data", "schemaversion")
                envelope = Envelope(time=datetime.fromisoformat(told["time"]), **{name: told[name] for name in names})
                event = RecordedEvent.model_construct(position=number, envelope=envelope)
                made += facts_of(event)
    return made


def bills(out, book):
    """Every line of every bill of the run, as the database would have it."""
    made = []
    for path in sorted((out / "invoices").rglob("*.csv")):
        contract = book.named(path.parent.name)
        reading = read_bill(path.read_bytes(), path.name, book.bills[contract.bill], contract.name)
        if reading.refused:
            raise SystemExit(f"{path.name} is refused: {reading.refused[0]}")
        for one in reading.invoices:
            made += [
                Billed(line_key(one.vendor, one.number, 1, line.number), one.vendor, one.number, one.issued, line)
                for line in one.lines
            ]
    return made


def truth(out, lines):
    """What has to be disputed: line -> (name, amount, currency); and what has to be noted: (kind, vendor) counted."""
    vendors = {one.invoice: one.vendor for one in lines}
    claims, notes, faults = {}, Counter(), Counter()
    for text in (out / "truth" / "faults.jsonl").read_text(encoding="utf-8").splitlines():
        one = json.loads(text)
        path = Path(one["file"])
        if path.parts[0] != "invoices":
            continue
        faults[one["fault"]] += 1
        if one["fault"] in NOTED:
            notes[NOTED[one["fault"]], path.parent.name] += 1
        else:
            key = line_key(vendors[path.stem], path.stem, 1, one["line"])
            claims[key] = (NAMED[one["fault"]], one["over_minor"], one["currency"])
    return claims, notes, faults


def judged(lines, book, known, as_of):
    """The audit, as the truth tells it."""
    began = time.perf_counter()
    made = audit(lines, book, known, as_of)
    seconds = time.perf_counter() - began
    claims = {one.key: (one.type, one.amount_minor, one.currency) for one in made.claims}
    contracts = {one.vendor: book.of(one.vendor).name for one in made.notes}
    notes = Counter((one.type, contracts[one.vendor]) for one in made.notes)
    return claims, notes, made, seconds


def stored(out, known, as_of):
    """Files in and audited with storage, on PostgreSQL with fsync on: the disputes the database holds, and figures."""
    stage = Stage({})
    try:
        app = stage.app()
        app.clock = FrozenClock(datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC))
        store = BillStore()
        with app.database.transaction() as connection:  # deriving them from the log is not what is measured here
            store.put_facts(connection, list(enumerate(known, 1)))
        began = time.perf_counter()
        lines = 0
        for path in sorted((out / "invoices").rglob("*.csv")):
            lines += app.invoices.take(path.parent.name, path.name, path.read_bytes(), "bench")["lines"]
        taken = time.perf_counter()
        report = app.invoices.audit("bench")
        done = time.perf_counter()
        with app.database.transaction() as connection:
            claims = store.open_claims(connection)
        found = {row["key"]: (row["type"], row["amount_minor"], row["currency"]) for row in claims}
        app.close()
        return found, {
            "take_seconds": round(taken - began, 2),
            "audit_seconds": round(done - taken, 2),
            "lines_per_second": round(lines / (done - began)),
            "breaks": report["breaks"],
            "conserved": report["conserved"],
        }
    finally:
        stage.close()


def compared(wanted, found):
    """Found exactly, found under another name or amount, not found, and alarms about what is right."""
    exact = sum(found.get(key) == told for key, told in wanted.items())
    missed = sum(key not in found for key in wanted)
    return {
        "injected": len(wanted),
        "exact": exact,
        "named_otherwise": len(wanted) - exact - missed,
        "missed": missed,
        "false_alarms": len(found.keys() - wanted.keys()),
    }


def alone(lines, book, known, as_of):
    """The control: each bill by itself."""
    by_bill = {}
    for one in lines:
        by_bill.setdefault((one.vendor, one.invoice), []).append(one)
    found = {}
    for own in by_bill.values():
        found |= judged(own, book, known, as_of)[0]
    return found


def cheaper(book):
    """The control: a contract in which packing costs a cent less."""
    document = book.model_dump(mode="json")
    document["contracts"][0]["services"][0]["unit_minor"] -= 1
    return type(book).model_validate(document)


def measured(spoilt, clean, as_of, storage=None):
    """Everything about two copies of the same weeks; `storage` puts it through a database too."""
    book = load_contracts()
    lines, known = bills(spoilt, book), facts(spoilt)
    wanted, noted, faults = truth(spoilt, lines)
    claims, notes, made, seconds = judged(lines, book, known, as_of)
    kept, told = storage(spoilt, known, as_of) if storage else (claims, {})
    clean_lines, clean_facts = bills(clean, book), facts(clean)
    clean_claims, clean_notes, _, _ = judged(clean_lines, book, clean_facts, as_of)
    unseen = ("unbilled", "tiktok_shop")
    return {
        "lines": len(lines),
        "facts": len(known),
        "audit_seconds": round(seconds, 2),
        "lines_per_second": round(len(lines) / seconds),
        "faults": dict(sorted(faults.items())),
        "found": compared(wanted, claims),
        "with_storage": {**told, **compared(wanted, kept)},
        "reclaim_minor": sum(one.amount_minor for one in made.claims if one.currency == "USD"),
        "injected_minor": sum(amount for _, amount, currency in wanted.values() if currency == "USD"),
        "notes_wanted": sum(count for kind, count in noted.items() if kind != unseen),
        "notes_right": sum(min(count, notes[kind]) for kind, count in noted.items() if kind != unseen),
        "notes_beyond": sum((notes - noted).values()),
        "commissions_left_out_and_not_noted": noted[unseen],
        "on_trust": sum(one.on_trust for one in made.judged),
        "clean_lines": len(clean_lines),
        "clean_alarms": len(clean_claims),
        "clean_notes": sum(clean_notes.values()),
        "control_each_bill_alone": compared(wanted, alone(lines, book, known, as_of)),
        "control_price_a_cent_low": len(judged(clean_lines, cheaper(book), clean_facts, as_of)[0]),
    }


def is_right(made):
    """Whether the auditor did what it says, and the controls did not."""
    found = made["found"]
    kept = made["with_storage"]
    whole = found["injected"] == found["exact"] == kept["exact"] > 0
    whole = whole and not found["false_alarms"] and not kept["false_alarms"]
    clean = not made["clean_alarms"] and not made["clean_notes"]
    noted = made["notes_right"] == made["notes_wanted"] and not made["notes_beyond"]
    controls = made["control_each_bill_alone"]["missed"] > 0 and made["control_price_a_cent_low"] > 0
    return whole and clean and noted and made["reclaim_minor"] == made["injected_minor"], controls


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--days", type=int, default=42)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--shop", default="medium")
    parser.add_argument("--errors", type=int, default=40_000)
    parser.add_argument("--write", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="steward-invoices-"))
    try:
        spoilt, clean = lived(folder, options.seed, options.days, options.errors, options.shop)
        as_of = date(2026, 1, 5) + timedelta(days=options.days)
        figures = measured(spoilt, clean, as_of, stored)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures, indent=1))
    right, controls = is_right(figures)
    if options.write and right and controls:
        save({"name": "invoice_audit", "machine": this_machine(), "days": options.days, **figures})
    print(f"every fault and nothing else {right}, the controls fail {controls}", file=sys.stderr)
    sys.exit(0 if right and controls else 1)


if __name__ == "__main__":
    main()
