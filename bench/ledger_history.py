"""A shop's real history as books: what hledger, ledger-cli and bean-check say of them, and a thousand changed cells.

The whole file goes through the log and the posting rules. Each outside tool must accept the export, hledger's own sums
must be ours, and one changed digit must be refused. Then, over the books of a slice of it (with limits, holds, periods
and rates), one cell after another is changed behind the guards and `ledger check` must see it. The control is an
auditor who looks at the sums alone: every transfer balances, every balance is its postings'. It must miss some.
"""

import argparse
import csv
import gzip
import io
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import psycopg
from psycopg import sql
from results import SAMPLE, machine, save

from steward.bootstrap import App
from steward.catalog import load_catalog
from steward.contracts.ledger import Finish, Hold, Leg
from steward.infra.clock import SystemClock
from steward.infra.db import Database
from steward.infra.migrate import migrate
from steward.infra.postgres import EmbeddedPostgres
from steward.infra.settings import Settings

TOOLS = {
    "hledger": ("hledger", ["hledger", "-f", "{}", "check"]),
    "ledger": ("ledger", ["ledger", "-f", "{}", "bal", "--no-color"]),
    "beancount": ("beancount", [str(Path(sys.executable).with_name("bean-check")), "{}"]),
}
TABLES = (
    "account", "account_change", "balance", "transfer", "posting", "hold", "hold_leg", "hold_end", "hold_open",
    "period_change", "fx_rate", "ledger_batch", "posting_fold", "posting_day", "posting_month",
)  # fmt: skip
SUMS = """
    SELECT EXISTS (SELECT FROM posting p JOIN account a USING (account_id)
                   GROUP BY p.transfer_no, a.currency HAVING sum(p.amount_minor) <> 0)
        OR EXISTS (SELECT FROM balance b LEFT JOIN posting p USING (account_id)
                   GROUP BY b.account_id, b.amount_minor HAVING b.amount_minor <> coalesce(sum(p.amount_minor), 0))
"""
FAR = datetime(2100, 1, 1, tzinfo=UTC)


@contextmanager
def shop():
    """An application over a database of its own, and a connection of the database's owner."""
    home = Path(tempfile.mkdtemp(prefix="steward-bench-"))
    home.chmod(0o711)
    embedded = EmbeddedPostgres(home)
    server = embedded.start()
    with psycopg.connect(server.owner_conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE steward")
    migrate(server.owner_conninfo("steward"))
    settings = Settings(home=home, database_url=None, host="127.0.0.1", port=0)
    app = App(settings, Database(server.app_conninfo("steward")), load_catalog(), SystemClock())
    owner = psycopg.connect(server.owner_conninfo("steward"), autocommit=True)
    try:
        yield app, owner
    finally:
        owner.close()
        app.database.close()
        embedded.stop()
        shutil.rmtree(home, ignore_errors=True)


def take_in(app, path):
    reading, sha256 = app.history.read(path)
    app.history.write(reading, sha256, path.name, lambda _n: None)
    app.events.sequence()
    app.money_events.post_pending()
    app.events.sequence()


def run(command, file):
    started = time.perf_counter()
    done = subprocess.run(
        [part.format(file) for part in command], capture_output=True, text=True, check=False, timeout=600
    )
    return {"exit": done.returncode, "seconds": f"{time.perf_counter() - started:.1f}", "said": done.stderr[-400:]}


def hledger_sums(file):
    """hledger's own balances, in hundredths, by account."""
    listed = subprocess.run(
        ["hledger", "-f", str(file), "bal", "-O", "csv", "--flat", "-N", "-c", "1000.00 GBP"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found = {}
    for row in csv.DictReader(io.StringIO(listed)):
        number = row["balance"].replace(",", "").replace("GBP", "").replace('"', "").strip()
        found[row["account"]] = round(Fraction(number) * 100)
    return found


def whole_history(path, folder):
    with shop() as (app, _owner):
        started = time.perf_counter()
        take_in(app, path)
        seconds = time.perf_counter() - started
        transfers, _ = app.books.totals()
        report, unposted = app.books.check(), len(app.money_events.unposted())
        own = {a["code"]: a["amount_minor"] for a in app.books.books().accounts if a["amount_minor"]}
        tools = {}
        for form, (name, command) in TOOLS.items():
            file = folder / f"books.{name}"
            file.write_text("".join(line + "\n" for line in app.books.journal(form)), encoding="utf-8")
            tools[name] = run(command, file)
            print(name, tools[name], file=sys.stderr)
        equal = {code: amount for code, amount in hledger_sums(folder / "books.hledger").items() if amount} == own
        text = (folder / "books.hledger").read_text(encoding="utf-8")
        at = text.rindex("=")
        digit = next(i for i in range(at, len(text)) if text[i].isdigit())
        (folder / "wrong.hledger").write_text(text[:digit] + str((int(text[digit]) + 1) % 10) + text[digit + 1 :])
        control = run(TOOLS["hledger"][1], folder / "wrong.hledger")
    return {
        "transfers": transfers,
        "postings": report.postings,
        "violations": len(report.violations),
        "unposted": unposted,
        "seconds": round(seconds),
        "tools": tools,
        "hledger_sums_are_ours": equal,
        "one_wrong_digit_refused": control["exit"] != 0,
    }


def slice_of(path, folder, orders):
    """The header and the first lines of so many invoices."""
    opener = gzip.open if path.suffix == ".gz" else open
    kept, seen = [], set()
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        kept.append(next(file))
        for line in file:
            seen.add(line.split(",", 1)[0])
            if len(seen) > orders:
                break
            kept.append(line)
    small = folder / "slice.csv"
    small.write_text("".join(kept), encoding="utf-8", newline="")
    return small


def furnish(app):
    """Something in every table."""
    ledger, day = app.ledger, date(2010, 1, 1)
    ledger.set_limits("assets:bank", "GBP", -(10**12), None, "bench", "in place")
    ledger.set_closed("expenses:samples", "GBP", True, "bench", "in place")
    ledger.set_period("2009", date(2009, 1, 1), day, "closed", "bench", "in place")
    ledger.set_rate("USD", "GBP", day, Fraction(3, 4), "bench")
    legs = (
        Leg(account="assets:bank", currency="GBP", amount_minor=-100),
        Leg(account="expenses:ads", currency="GBP", amount_minor=100),
    )
    holds = [Hold(key=f"h{n}", kind="ads", expires_at=FAR, source="bench", legs=legs, party="p") for n in range(30)]
    assert not ledger.hold(holds)
    ends = [
        Finish(
            key=f"e{n}", hold=f"h{n}", how="post" if n % 2 else "void", effective_at=datetime(2011, 1, 1, tzinfo=UTC)
        )
        for n in range(20)
    ]
    assert not ledger.finish(ends)
    ledger.fold(1)
    app.events.sequence()


def other(rng, value):
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + rng.choice([-1, 1, 2, 10])
        case str():
            return value + rng.choice("xyz") if len(value) != 3 else value[::-1]
        case bytes():
            at = rng.randrange(len(value))
            return value[:at] + bytes([value[at] ^ 1 << rng.randrange(8)]) + value[at + 1 :]
        case uuid.UUID():
            return uuid.UUID(int=value.int ^ 1 << rng.randrange(128))
        case datetime():
            return value + timedelta(microseconds=rng.choice([-1, 1, 1000]))
        case date():
            return value + timedelta(days=rng.choice([-1, 1]))
        case _:
            return 7


def mutations(path, folder, count, orders, seed):
    rng, seen, unseen, stopped, by_sums = random.Random(seed), Counter(), [], 0, 0
    with shop() as (app, owner):
        take_in(app, slice_of(path, folder, orders))
        furnish(app)
        assert not app.books.check().violations
        owner.execute("SET session_replication_role = replica")
        cells = [(t, c.name) for t in TABLES for c in owner.execute(f"SELECT * FROM {t} LIMIT 0").description]
        while sum(seen.values()) + len(unseen) < count:
            table, column = rng.choice(cells)
            name, cell = sql.Identifier(table), sql.Identifier(column)
            rows = owner.execute(sql.SQL("SELECT ctid::text, {} FROM {}").format(cell, name)).fetchall()
            ctid, old = rng.choice(rows)
            update = sql.SQL("UPDATE {} SET {} = %s WHERE ctid = %s RETURNING ctid::text").format(name, cell)
            try:
                moved = owner.execute(update, (other(rng, old), ctid)).fetchone()[0]
            except (psycopg.IntegrityError, psycopg.errors.GeneratedAlways, psycopg.errors.DatatypeMismatch):
                stopped += 1
                continue
            if app.books.check().violations:
                seen[table] += 1
            else:
                unseen.append(f"{table}.{column}")
            by_sums += owner.execute(SUMS).fetchone()[0]
            owner.execute(update, (old, moved))
            print(f"{sum(seen.values()):,} of {count:,} seen", end="\r", file=sys.stderr)
        assert not app.books.check().violations
        transfers, _ = app.books.totals()
    return {
        "transfers": transfers,
        "changed": count,
        "seen": sum(seen.values()),
        "unseen": unseen,
        "by_table": dict(sorted(seen.items())),
        "stopped_by_a_constraint": stopped,
        "control_by_sums_alone_saw": by_sums,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=SAMPLE, help="a history file; the shipped one without it")
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--orders", type=int, default=150, help="invoices of the slice that is tampered with")
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--no-save", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="steward-history-"))
    try:
        document = {
            "name": "ledger_history",
            "machine": machine(),
            "seed": arguments.seed,
            "history": whole_history(arguments.data, folder),
            "mutations": mutations(arguments.data, folder, arguments.mutations, arguments.orders, arguments.seed),
        }
    finally:
        shutil.rmtree(folder)
    if not arguments.no_save:
        save(document)
    print(json.dumps(document, indent=1))
    found = document["mutations"]
    history = document["history"]
    failed = [name for name, tool in history["tools"].items() if tool["exit"] != 0]
    sound = not failed and not found["unseen"] and found["control_by_sums_alone_saw"] < found["changed"]
    sound &= history["hledger_sums_are_ours"] and history["one_wrong_digit_refused"] and not history["violations"]
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
