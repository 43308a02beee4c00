"""A million mutations of settlement and bank files against the readers of every format.

Own files of each format (and the samples of STEWARD_TEST_DATA, where it is set) have bytes flipped, digits changed,
lines deleted, doubled and swapped, and their ends cut. Whatever comes in, the answer is a reading, a refusal or
`BadInput`: never another error. A file that is taken is summed again by judges that share nothing with the readers
(bench/settlement_judges.py): no total it carries may fail, and the money read is the money in the file. Where a format
carries no total, the share of mutations that change money and are not noticed is published, by kind of mutation.

The control is the same readers with the check of totals switched off: the judges must catch it in every file that has
totals.
"""

import argparse
import io
import json
import multiprocessing
import os
import random
import re
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path

import settlement_judges as judges
from results import machine, save

from steward.kernel.errors import BadInput
from steward.reconciliation.readers import draft, read

ROOT = Path(__file__).parents[1]
FILES = ROOT / "tests/unit/reconciliation/readers/files"
KINDS = ("byte flipped", "digit changed", "line deleted", "line doubled", "lines swapped", "end cut")
OWN = {
    "stripe_reconciliation.csv": ("stripe", judges.stripe, False),
    "stripe_with_payout.csv": ("stripe", judges.stripe, True),
    "stripe_balance_transactions.json": ("stripe", judges.stripe_json, False),
    "paypal_stl.csv": ("paypal", judges.paypal, True),
    "paypal_trr.csv": ("paypal", judges.paypal, True),
    "adyen_settlement_details.csv": ("adyen", judges.adyen, True),
    "adyen_accounting.csv": ("adyen", None, False),
    "checkoutcom_breakdown.csv": ("checkoutcom", judges.checkout_breakdown, False),
    "checkoutcom_payouts.csv": ("checkoutcom", judges.checkout_payouts, True),
    "braintree_transactions.json": ("braintree", None, False),
    "braintree_refunds.json": ("braintree", None, False),
    "braintree_disputes.json": ("braintree", None, False),
    "shopify_transactions.json": ("shopify", judges.shopify_transactions, True),
    "shopify_payouts.json": ("shopify", judges.shopify_payouts, True),
    "tiktok_statement.csv": ("tiktok", judges.tiktok, False),
    "tiktok_statement.xlsx": ("tiktok", None, False),
    "amazon_settlement.tsv": ("amazon", judges.amazon, True),
    "amazon_settlement_eu.tsv": ("amazon", judges.amazon, True),
    "camt053.xml": ("camt", judges.camt, True),
    "camt053_v8.xml": ("camt", judges.camt, True),
    "camt052.xml": ("camt", judges.camt, False),
    "camt054.xml": ("camt", judges.camt, True),
    "mt940.sta": ("mt940", judges.mt940, True),
    "mt942.sta": ("mt940", judges.mt940, True),
    "ofx1.ofx": ("ofx", None, False),
    "ofx2.ofx": ("ofx", None, False),
    "bank.csv": ("csv", judges.bank_table, True),
    "market.csv": ("csv", judges.market_table, True),
}
"""Each own file: its reader, its judge, and whether it carries totals."""

BASES = []


def workbook(rows):
    """A workbook of one sheet with its texts in place."""
    made = io.BytesIO()
    sheet = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) + "</row>" for row in rows
    )
    parts = {
        "xl/workbook.xml": '<workbook xmlns:r="r"><sheets><sheet name="Order details" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="r1" Target="sheet1.xml"/></Relationships>',
        "xl/sheet1.xml": f"<worksheet><sheetData>{sheet}</sheetData></worksheet>",
    }
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return made.getvalue()


def money_of(reading):
    """Every movement read: what may not change unnoticed."""
    found = Counter()
    for statement in reading.statements:
        for line in statement.lines:
            if hasattr(line, "net_minor"):
                found[line.currency, line.gross_minor, line.fee_minor, line.net_minor] += 1
            else:
                found[line.currency, line.amount_minor] += 1
    return found


def sums_of(reading):
    found = Counter()
    for statement in reading.statements:
        for line in statement.lines:
            found[line.currency] += getattr(line, "net_minor", None) or getattr(line, "amount_minor", 0)
    return {currency: amount for currency, amount in found.items() if amount}


def load():
    """(name, provider, judge, has totals, bytes, mapping, money as it is) of every file that is mutated."""
    made = []
    for name, (provider, judge, totals) in OWN.items():
        if name.endswith(".xlsx"):
            text = (FILES / "tiktok_statement.csv").read_text(encoding="utf-8")
            content = workbook([line.split(",") for line in text.splitlines()])
        else:
            content = (FILES / name).read_bytes()
        mapping = FILES / f"{name.partition('.')[0]}.mapping.json"
        told = json.loads(mapping.read_text(encoding="utf-8")) if provider == "csv" else None
        reading = read(provider, content, name, told)
        assert reading.refused is None, f"{name}: {reading.refused}"
        assert not totals or reading.control_total_ok, name
        if judge:
            money, wrong = judge(content)
            assert not wrong, f"{name}: {wrong}"
            assert {c: a for c, a in money.items() if a} == sums_of(reading), f"{name}: {money}"
        made.append((name, provider, judge, totals, content, told, money_of(reading)))
    folder = os.environ.get("STEWARD_TEST_DATA")
    for path in sorted(Path(folder, "settlements").glob("*/*")) if folder else []:
        provider = path.parent.name if path.parent.name not in {"gravy", "chariot"} else "adyen"
        if path.stat().st_size < 40_000:
            made.append((f"sample {provider}", provider, None, False, path.read_bytes(), None, None))
    return made


def mutated(rng, content, kind):
    """The bytes after one mutation of this kind, or None where the file has nothing to mutate that way."""
    data = bytearray(content)
    if kind == "byte flipped":
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == "digit changed":
        places = [m.start() for m in re.finditer(rb"[0-9]", content)]
        if not places:
            return None
        place = rng.choice(places)
        data[place] = rng.choice([d for d in b"0123456789" if d != data[place]])
    elif kind == "end cut":
        del data[rng.randrange(1, len(data)) :]
    else:
        lines = content.splitlines(keepends=True)
        if len(lines) < 2:
            return None
        one, two = rng.sample(range(len(lines)), 2)
        if kind == "line deleted":
            del lines[one]
        elif kind == "line doubled":
            lines.insert(two, lines[one])
        else:
            lines[one], lines[two] = lines[two], lines[one]
        return b"".join(lines)
    return bytes(data)


def judged(judge, content, reading):
    """What the judge finds wrong with a file that was taken, or None."""
    try:
        money, wrong = judge(content)
    except Exception as error:  # noqa: BLE001 - whatever stops the judge while the reader went on is a finding
        return f"the judge cannot read it: {type(error).__name__} {error}"
    if wrong:
        return f"totals do not hold: {', '.join(map(str, wrong[:3]))}"
    found = {currency: amount for currency, amount in money.items() if amount}
    return None if found == sums_of(reading) else f"read {sums_of(reading)}, in the file {found}"


def switched_off():
    """The control's readers: totals are told and never held."""
    draft.Draft.total = lambda self, _ok, words, *_: self.controls.append(words)
    draft.Draft.count = lambda self, words, *_: self.controls.append(words)


def work(task):
    """Outcomes of some mutations: (table of counts, findings, slowest second)."""
    seed, count, off = task
    if off:
        switched_off()
    rng = random.Random(seed)
    table, findings, slowest = Counter(), [], 0.0
    own = [base for base in BASES if base[0] in OWN and (base[3] or not off)]
    samples = [] if off else [base for base in BASES if base[0] not in OWN]
    for _ in range(count):
        chosen = own if not samples or rng.random() < 0.85 else samples
        name, provider, judge, _totals, content, told, money = rng.choice(chosen)
        kind = rng.choice(KINDS)
        made = mutated(rng, content, kind)
        if made is None or made == content:
            table[name, kind, "nothing to mutate"] += 1
            continue
        began = time.perf_counter()
        try:
            reading = read(provider, made, name, told)
            outcome = "taken" if reading.refused is None else "refused"
        except BadInput:
            reading, outcome = None, "unreadable"
        except Exception as error:  # noqa: BLE001 - any other error is what this looks for
            reading, outcome = None, "crashed"
            findings.append((name, kind, f"crashed: {type(error).__name__}: {error}", made.decode("latin-1")[:20_000]))
        slowest = max(slowest, time.perf_counter() - began)
        if outcome == "taken":
            found = judged(judge, made, reading) if judge else None
            if found:
                outcome = "taken wrongly"
                findings.append((name, kind, found, made.decode("latin-1")[:20_000]))
            elif money is not None and money_of(reading) != money:
                outcome = "taken, money changed"
        table[name, kind, outcome] += 1
    return table, findings[:50], slowest, len(findings)


def run(count, seed, off=False, processes=2):
    share = 2_000
    tasks = [(seed * 1_000_003 + n, min(share, count - n * share), off) for n in range(-(-count // share))]
    table, findings, slowest, wrong = Counter(), [], 0.0, 0
    began = time.monotonic()
    with multiprocessing.get_context("fork").Pool(processes, maxtasksperchild=None) as pool:
        for done, (part, found, slow, number) in enumerate(pool.imap_unordered(work, tasks), start=1):
            table += part
            findings += found[: 50 - len(findings)] if len(findings) < 50 else []
            slowest, wrong = max(slowest, slow), wrong + number
            if done % 25 == 0 or done == len(tasks):
                rate = sum(table.values()) / (time.monotonic() - began)
                print(f"{sum(table.values()):,} mutations, {rate:,.0f}/s, {wrong} findings", file=sys.stderr)
    return table, findings, slowest, wrong


def share(table, names, kind, outcome):
    counted = [n for (name, k, o), n in table.items() if name in names and k == kind and o != "nothing to mutate"]
    hits = sum(n for (name, k, o), n in table.items() if name in names and k == kind and o == outcome)
    return round(100 * hits / sum(counted), 2) if counted else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mutations", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--keep", type=Path, help="a folder for the files of the findings")
    options = parser.parse_args()
    BASES[:] = load()
    began = time.monotonic()
    table, findings, slowest, wrong = run(options.mutations, options.seed)
    seconds = time.monotonic() - began
    print("control: the check of totals switched off", file=sys.stderr)
    off, _, _, _ = run(max(options.mutations // 25, 4_000), options.seed + 1, off=True)
    with_totals = sorted(name for name, (_, _, totals) in OWN.items() if totals)
    without = sorted(name for name, (_, _, totals) in OWN.items() if not totals)
    missed = [name for name in with_totals if not any(n == name and o == "taken wrongly" for n, _, o in off)]
    outcomes = Counter()
    for (_, _, outcome), number in table.items():
        outcomes[outcome] += number
    document = {
        "name": "settlement_fuzz",
        "machine": machine(),
        "files": len(OWN),
        "samples": len(BASES) - len(OWN),
        "mutations": sum(table.values()) - outcomes["nothing to mutate"],
        "seconds": round(seconds),
        "outcomes": dict(outcomes),
        "findings": wrong,
        "slowest_ms": round(1000 * slowest, 1),
        "taken_with_changed_money_percent": {
            "files with totals": {kind: share(table, with_totals, kind, "taken, money changed") for kind in KINDS},
            "files without totals": {kind: share(table, without, kind, "taken, money changed") for kind in KINDS},
        },
        "without_totals_by_file_percent": {
            name: {kind: share(table, [name], kind, "taken, money changed") for kind in KINDS} for name in without
        },
        "with_totals_by_file_percent": {
            name: {kind: share(table, [name], kind, "taken, money changed") for kind in KINDS} for name in with_totals
        },
        "control": {
            "what": "the check of totals switched off",
            "caught": sum(n for (_, _, o), n in off.items() if o == "taken wrongly"),
            "files_caught": len(with_totals) - len(missed),
            "files_with_totals": len(with_totals),
        },
    }
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        for place, (name, kind, what, text) in enumerate(findings):
            (options.keep / f"{place:02d}").write_text(f"{name}\n{kind}\n{what}\n{text}", encoding="utf-8")
    for name, kind, what, _ in findings[:10]:
        print(f"{name}: {kind}: {what[:300]}", file=sys.stderr)
    if options.mutations >= 100_000:
        save(document)
    print(json.dumps({k: v for k, v in document.items() if not k.endswith("by_file_percent")}, indent=1))
    if missed:
        print(f"the control was not caught in: {', '.join(missed)}", file=sys.stderr)
    return 1 if wrong or missed else 0


if __name__ == "__main__":
    sys.exit(main())
