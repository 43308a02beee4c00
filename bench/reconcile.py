"""Statements end to end with storage: files in Stripe's published columns are read, kept, held against the books and
their matches written down, on PostgreSQL with fsync on; beside it, in the same run, a bare COPY of the same lines into
a table of the same columns, which is as fast as storing them can be.

A tenth of a per cent of the lines has a wrong fee, so that breaks are written as well; the run must name exactly those.
The control is the same shop with one payment taken out of the books: its line must come out as a break.

    python bench/reconcile.py [--lines 500000] [--write]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime, timedelta

from gate_stage import Stage
from results import machine as this_machine
from results import save

from steward.infra.clock import FrozenClock

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
A_FILE, WRONG_EVERY = 10_000, 1_000
HEAD = (
    "automatic_payout_id,automatic_payout_effective_at,balance_transaction_id,created,available_on,currency,gross,fee,"
    "net,reporting_category,source_id,charge_id,payment_intent_id,payment_method_type,description\n"
)
BARE = """
    CREATE TABLE bare (settlement_id text, key text, number integer, type text, raw_type text, currency text,
                       gross_minor bigint, fee_minor bigint, net_minor bigint, at timestamptz, day date, refs jsonb,
                       PRIMARY KEY (settlement_id, key))
"""


def amount(number):
    return 500 + number * 7919 % 9000


def fee(number):
    return 30 + amount(number) * 29 // 1000


def major(minor):
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def charged(number):
    return fee(number) + (50 if number % WRONG_EVERY == 7 else 0)


def file_of(first, count):
    at = (START + timedelta(seconds=first // A_FILE * 3600)).strftime("%Y-%m-%d %H:%M:%S")
    payout = f"po_{first // A_FILE:05d}"
    rows = [HEAD]
    for n in range(first, first + count):
        gross, kept = amount(n), charged(n)
        rows.append(
            f"{payout},{at},txn_{n:08d},{at},{at},usd,{major(gross)},{major(kept)},{major(gross - kept)},charge,"
            f"ch_{n:08d},ch_{n:08d},pi_{n:08d},card,x\n"
        )
    return "".join(rows).encode()


def expect(stage, lines, leave_out):
    """What the log would have said of each payment; deriving it is not what is measured here."""
    stage.sql(
        """INSERT INTO expectation (side, key, provider, type, currency, gross_minor, fee_minor, at, refs, position)
           SELECT 'statement', 'stripe/payment/ch_' || lpad(n::text, 8, '0'), 'stripe', 'payment', 'USD', gross,
                  30 + gross * 29 / 1000, %s,
                  jsonb_build_array(jsonb_build_array('payment', 'ch_' || lpad(n::text, 8, '0'))), n + 1
           FROM (SELECT n, 500 + n::bigint * 7919 %% 9000 AS gross FROM generate_series(0, %s) n) numbers
           WHERE n IS DISTINCT FROM %s""",
        (START, lines - 1, leave_out),
    )


def bare(stage, lines):
    """The rate of a plain COPY of the same rows."""
    import psycopg

    with psycopg.connect(stage.owner) as connection:
        connection.execute(BARE)
        connection.commit()
        began = time.perf_counter()
        for first in range(0, lines, A_FILE):
            with connection.cursor().copy("COPY bare FROM STDIN") as copy:
                for n in range(first, min(first + A_FILE, lines)):
                    kept = charged(n)
                    refs = json.dumps([["transaction", f"txn_{n:08d}"], ["payment", f"ch_{n:08d}"]])
                    row = (f"po_{first}", f"txn_{n:08d}", n - first + 2, "payment", "charge", "USD", amount(n), kept)
                    copy.write_row((*row, amount(n) - kept, START, START.date(), refs))
            connection.commit()
        return lines / (time.perf_counter() - began)


def shop(lines, leave_out=None):
    """One shop from files to breaks: seconds of each part, and what came out."""
    stage = Stage({})
    try:
        app = stage.app()
        app.clock = FrozenClock(START + timedelta(days=3))
        expect(stage, lines, leave_out)
        contents = [(first, file_of(first, min(A_FILE, lines - first))) for first in range(0, lines, A_FILE)]
        began = time.perf_counter()
        for first, content in contents:
            app.settlement_files.take("stripe", f"{first}.csv", content, "bench")
            print(f"\r{first + A_FILE} lines in", end="", file=sys.stderr, flush=True)
        taken = time.perf_counter()
        report = app.reconciliation.run("statement", "bench")
        done = time.perf_counter()
        print(f"\r{report['matched']} matched, {report['breaks']} breaks", file=sys.stderr)
        plain = bare(stage, lines)
        app.close()
        return {
            "lines": lines,
            "take_seconds": round(taken - began, 2),
            "run_seconds": round(done - taken, 2),
            "lines_per_second": round(lines / (done - began)),
            "copy_lines_per_second": round(plain),
            "ratio_to_copy": round(lines / (done - began) / plain, 3),
            "matched": report["matched"],
            "breaks": report["breaks"],
            "conserved": report["conserved"],
        }
    finally:
        stage.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--lines", type=int, default=500_000)
    parser.add_argument("--write", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    whole = shop(options.lines)
    control = shop(20_000, leave_out=11)
    wrong = sum(n % WRONG_EVERY == 7 for n in range(options.lines))
    wrong_small = sum(n % WRONG_EVERY == 7 for n in range(20_000))
    figures = {"end_to_end": whole, "wrong_fees": wrong, "control": control, "control_wrong_fees": wrong_small}
    print(json.dumps(figures, indent=1))
    if options.write:
        save({"name": "reconcile", "machine": this_machine(), **figures})
    is_right = whole["breaks"] == wrong and whole["conserved"] and whole["matched"] == options.lines - wrong
    is_seen = control["breaks"] == wrong_small + 1
    print(f"exactly the wrong fees {is_right}, the lost payment seen {is_seen}", file=sys.stderr)
    sys.exit(0 if is_right and is_seen else 1)


if __name__ == "__main__":
    main()
