"""A hundred thousand random operations on the ledger beside books kept by hand: every answer and every balance.

The books kept by hand are tests/oracles/ledger/model.py, plain, from docs/concepts/ledger.md. The control is
the same books with one rule forgotten (limits that do not count what is held): they must come to disagree.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psycopg
from results import ROOT, machine, save

from steward.catalog import load_catalog
from steward.events import EventLog
from steward.infra.clock import FrozenClock
from steward.infra.db import Database
from steward.infra.migrate import migrate
from steward.infra.postgres import EmbeddedPostgres
from steward.ledger import Bookkeeping, Ledger, MoneyEvents

sys.path[:0] = [str(ROOT / "tests/oracles/ledger")]
import model
import operations

KNOWN = {*operations.ACCOUNTS, "fx:GBP", "fx:EUR"}


class Forgetful(model.Books):
    """The control."""

    def limit_code(self, legs, *, posts=True, released=()):  # noqa: ARG002 - what it forgets
        pending, self.pending = self.pending, model.defaultdict(lambda: [0, 0])
        try:
            return super().limit_code(legs, posts=posts, released=())
        finally:
            self.pending = pending


class Side:
    """The ledger on a database of its own."""

    def __init__(self, embedded, name):
        server = embedded.start()
        with psycopg.connect(server.owner_conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        migrate(server.owner_conninfo(name))
        self.database = Database(server.app_conninfo(name))
        self.clock = FrozenClock(operations.START)
        catalog = load_catalog()
        log = EventLog(self.database, self.clock, embedded.files.data.parent / f"{name}.jsonl")
        self.ledger = Ledger(self.database, self.clock, log, catalog.chart)
        money = MoneyEvents(self.database, self.clock, log, self.ledger, catalog.postings)
        self.books = Bookkeeping(self.database, log, money)

    def do(self, books, name, argument):
        if name in {"post", "hold", "finish"}:
            answered = [(entry.line, entry.code) for entry in getattr(self.ledger, name)(argument)]
            return answered, books.post(argument) if name == "post" else getattr(books, name)(
                argument, self.clock.now()
            )
        if name == "limits":
            self.ledger.set_limits(*argument, "bench", "bench")
            books.limits[argument[:2]] = argument[2:]
        elif name == "closed":
            self.ledger.set_closed(*argument, "bench", "bench")
            (books.closed.add if argument[2] else books.closed.discard)(argument[:2])
        elif name == "period":
            self.ledger.set_period(*argument, "bench", "bench")
            books.periods[argument[0]] = argument[1:]
        else:
            self.clock.advance(argument - self.clock.now())
            return self.ledger.release_expired(), books.release_expired(self.clock.now())
        return None, None

    def run(self, books, seed, entries):
        """(operations done, codes, what disagreed first or '')."""
        made, codes, done = operations.Operations(seed), Counter(), 0
        while done < entries:
            name, argument = made.next()
            answered, by_hand = self.do(books, name, argument)
            if answered != by_hand:
                return done, codes, f"{name}: {answered} and by hand {by_hand}"
            if isinstance(answered, list):
                codes.update(code for _, code in answered)
                done += len(argument)
            for row in self.books.books().accounts:
                account = (row["code"], row["currency"])
                stored = (row["amount_minor"], [row["pending_debit_minor"], row["pending_credit_minor"]])
                if stored != (books.balances[account], books.pending[account]):
                    return done, codes, f"{name}: {account} holds {stored}"
            if sys.stderr.isatty():
                print(f"{done:,} of {entries:,}", end="\r", file=sys.stderr)
        return done, codes, ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--no-save", action="store_true")
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="steward-bench-"))
    home.chmod(0o711)
    embedded = EmbeddedPostgres(home)
    try:
        started = time.perf_counter()
        side = Side(embedded, "honest")
        done, codes, wrong = side.run(model.Books(KNOWN), arguments.seed, arguments.operations)
        violations = side.books.check().violations
        seconds = time.perf_counter() - started
        control = Side(embedded, "control").run(Forgetful(KNOWN), arguments.seed, arguments.operations)
    finally:
        embedded.stop()
        shutil.rmtree(home, ignore_errors=True)
    document = {
        "name": "ledger_model",
        "machine": machine(),
        "seed": arguments.seed,
        "operations": done,
        "seconds": round(seconds),
        "codes": dict(sorted(codes.items())),
        "mismatch": wrong,
        "violations": len(violations),
        "control": {"operations_before_it_disagreed": control[0], "disagreed": bool(control[2])},
    }
    if not arguments.no_save:
        save(document)
    print(json.dumps(document, indent=1))
    sys.exit(1 if wrong or violations or not control[2] else 0)


if __name__ == "__main__":
    main()
