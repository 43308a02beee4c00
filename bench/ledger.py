"""The ledger at speed: batches beside a bare COPY of the same rows, single callers beside one commit each, and balances
at any date over millions of postings beside adding them all up.

In place while it is measured: an open and a closed period, thousands of open holds, rates, and two in a hundred
transfers with four legs in two currencies. The ceiling is COPY of the rows the books hold afterwards into twins of
their tables with the same columns, checks and indexes, in the same commits.
"""

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import count
from pathlib import Path

import psycopg
from results import RESULTS, machine, save

from steward.contracts.ledger import Account, Hold, Leg, Transfer
from steward.events import EventLog
from steward.infra.clock import SystemClock
from steward.infra.db import Database
from steward.infra.migrate import migrate
from steward.infra.postgres import EmbeddedPostgres
from steward.ledger import Bookkeeping, Ledger, LedgerWriter

SIZE = 5000
START = datetime(2026, 1, 1, tzinfo=UTC)
CHART = [
    Account(code="assets:clearing:{processor}", normal="debit", meaning="."),
    Account(code="income:{what}", normal="credit", meaning="."),
    Account(code="fx:{currency}", normal="debit", meaning="."),
]
TABLES = {
    "transfer": "transfer_no, batch_id, effective_at, reverses, key, kind, source, party, body_digest",
    "posting": "version, transfer_no, amount_minor, balance_after, account_id, effective_on, line",
}
RECOMPUTED = """
    SELECT a.code, a.currency, coalesce(sum(p.amount_minor) FILTER (WHERE p.amount_minor > 0), 0)::bigint,
           coalesce(-sum(p.amount_minor) FILTER (WHERE p.amount_minor < 0), 0)::bigint
    FROM account a LEFT JOIN posting p ON p.account_id = a.account_id AND p.effective_on < %s
    GROUP BY a.code, a.currency ORDER BY a.code, a.currency
"""


class Bench:
    def __init__(self, seed):
        self.home = Path(tempfile.mkdtemp(prefix="steward-bench-"))
        self.home.chmod(0o711)
        self.embedded = EmbeddedPostgres(self.home)
        server = self.embedded.start()
        with psycopg.connect(server.owner_conninfo("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE steward")
        migrate(server.owner_conninfo("steward"))
        self.owner = psycopg.connect(server.owner_conninfo("steward"), autocommit=True)
        self.database = Database(server.app_conninfo("steward"))
        self.log = EventLog(self.database, SystemClock(), self.home / "checkpoints.jsonl")
        self.ledger = Ledger(self.database, SystemClock(), self.log, CHART)
        self.books = Bookkeeping(self.database, self.log, None)
        self.rng = random.Random(seed)
        self.numbers = count(1)
        self.copied = 0
        for table in TABLES:
            self.owner.execute(f"CREATE TABLE {table}_twin (LIKE {table} INCLUDING ALL)")

    def furnish(self):
        self.ledger.set_period("2025", date(2025, 1, 1), date(2026, 1, 1), "closed", "bench", "in place")
        self.ledger.set_period("2026", date(2026, 1, 1), date(2028, 1, 1), "open", "bench", "in place")
        self.ledger.set_rate("USD", "GBP", date(2026, 1, 1), Fraction(3, 4), "bench")
        until = datetime(2100, 1, 1, tzinfo=UTC)
        for _ in range(2):
            holds = [
                Hold(
                    key=f"h{next(self.numbers)}",
                    kind="hold",
                    expires_at=until,
                    source="bench",
                    legs=self.legs(self.rng.randrange(500), 100),
                )
                for _ in range(1000)
            ]
            assert not self.ledger.hold(holds)

    def legs(self, account, amount):
        return (
            Leg(account=f"assets:clearing:p{account}", currency="GBP", amount_minor=amount),
            Leg(account=f"income:s{account % 100}", currency="GBP", amount_minor=-amount),
        )

    def transfer(self, account=None, days=1):
        number = next(self.numbers)
        chosen = self.rng.randrange(500) if account is None else account
        amount = self.rng.randrange(1, 100_000)
        legs = self.legs(chosen, amount)
        if number % 50 == 0:
            legs += (
                Leg(account="fx:USD", currency="USD", amount_minor=amount),
                Leg(account=f"assets:clearing:p{chosen}", currency="USD", amount_minor=-amount),
            )
        at = START + timedelta(seconds=self.rng.randrange(86_400 * days))
        return Transfer(
            key=f"k{number}", kind="capture", effective_at=at, source=f"bench/shop payment:{number}", legs=legs
        )

    def batches(self, how_many, account=None, days=1):
        return [[self.transfer(account, days) for _ in range(SIZE)] for _ in range(how_many)]

    def post(self, batches):
        """Two callers, so that one batch is made ready while the other is posted; transfers a second."""
        waiting, gate = iter(batches), threading.Lock()

        def work():
            while True:
                with gate:
                    batch = next(waiting, None)
                if batch is None:
                    return
                assert not self.ledger.post(batch)

        started = time.perf_counter()
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(work) for _ in range(2)]:
                done.result()
        return len(batches) * SIZE / (time.perf_counter() - started)

    def copy(self):
        """COPY of everything posted since the last COPY, as it is stored, into the twins, which so hold what the books
        hold; transfers a second.
        """
        low, last = self.copied, self.owner.execute("SELECT max(transfer_no) FROM transfer").fetchone()[0]
        parts, self.copied = [], last
        while low < last:
            high = min(low + SIZE, last)
            parts.append({table: self.binary(table, columns, low, high) for table, columns in TABLES.items()})
            low = high
        seconds = 0.0
        for part in parts:
            started = time.perf_counter()
            with self.owner.transaction():
                for table, rows in part.items():
                    with self.owner.cursor().copy(
                        f"COPY {table}_twin ({TABLES[table]}) FROM STDIN (FORMAT binary)"
                    ) as copy:
                        copy.write(rows)
            seconds += time.perf_counter() - started
        return len(parts) * SIZE / seconds

    def binary(self, table, columns, low, high):
        where = f"WHERE transfer_no > {low} AND transfer_no <= {high} ORDER BY "
        where += "transfer_no" if table == "transfer" else "account_id, version"
        with self.owner.cursor().copy(
            f"COPY (SELECT {columns} FROM {table} {where}) TO STDOUT (FORMAT binary)"
        ) as copy:
            return b"".join(copy)

    def singles(self, callers, each, post):
        """Callers on one hot account, a transfer a call; calls a second and latencies in milliseconds."""
        work = [[self.transfer(7) for _ in range(each)] for _ in range(callers)]
        ready, latencies = threading.Barrier(callers + 1), []

        def call(transfers):
            own = []
            ready.wait()
            for transfer in transfers:
                started = time.perf_counter()
                assert not post([transfer])
                own.append((time.perf_counter() - started) * 1000)
            latencies.extend(own)

        with ThreadPoolExecutor(callers) as pool:
            done = [pool.submit(call, transfers) for transfers in work]
            ready.wait()
            started = time.perf_counter()
            for one in done:
                one.result()
            seconds = time.perf_counter() - started
        latencies.sort()
        return callers * each / seconds, latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)]

    def close(self):
        self.owner.close()
        self.database.close()
        self.embedded.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def speed(bench, rounds, how_many):
    """Cold, hot and COPY, interleaved."""
    rates = {"cold": [], "hot": [], "copy": []}
    for number in range(rounds + 1):
        cold, hot = bench.batches(how_many), bench.batches(how_many, account=7)
        found = {"hot": bench.post(hot), "cold": bench.post(cold), "copy": bench.copy()}
        if number:  # the first round fills caches and files
            for name, rate in found.items():
                rates[name].append(rate)
        print({name: round(rate) for name, rate in found.items()}, file=sys.stderr)
    return {name: round(statistics.median(found)) for name, found in rates.items()}


def callers(bench, each):
    """64 callers one by one, and 64 through the writer."""
    alone, p50_alone, p99_alone = bench.singles(64, max(4, each // 20), bench.ledger.post)
    writer = LedgerWriter(bench.ledger)
    try:
        bench.singles(64, 5, writer.post)
        together, p50, p99 = bench.singles(64, each, writer.post)
    finally:
        writer.close()
    return {
        "one_by_one": {"a_second": round(alone), "p50_ms": f"{p50_alone:.1f}", "p99_ms": f"{p99_alone:.1f}"},
        "coalesced": {"a_second": round(together), "p50_ms": f"{p50:.1f}", "p99_ms": f"{p99:.1f}"},
        "ratio": f"{together / alone:.1f}",
    }


def any_date(bench, entries, asked):
    """Fill to `entries` postings over two years, fold, and ask for the trial balance at random dates."""
    while (have := bench.owner.execute("SELECT count(*) FROM posting").fetchone()[0]) < entries:
        bench.post(bench.batches(10, days=730))
        bench.ledger.fold(200_000)
        print(f"{have:,} postings", end="\r", file=sys.stderr)
    bench.ledger.fold()
    bench.owner.execute("ANALYZE")
    milliseconds, equal = [], True
    for number in range(asked):
        day = date(2026, 1, 1) + timedelta(days=bench.rng.randrange(740))
        started = time.perf_counter()
        rows = bench.books.span(None, day)
        milliseconds.append((time.perf_counter() - started) * 1000)
        if number < 5:
            again = bench.owner.execute(RECOMPUTED, (day,)).fetchall()
            equal &= [(t.code, t.currency, t.debit_minor, t.credit_minor) for t in rows] == again
    started = time.perf_counter()
    bench.owner.execute(RECOMPUTED, (date(2027, 1, 1),)).fetchall()
    recomputed = (time.perf_counter() - started) * 1000
    milliseconds.sort()
    sizes = "pg_total_relation_size('transfer') + pg_total_relation_size('posting')"
    transfers, size = bench.owner.execute(f"SELECT count(*), {sizes} FROM transfer").fetchone()
    return {
        "postings": bench.owner.execute("SELECT count(*) FROM posting").fetchone()[0],
        "accounts": bench.owner.execute("SELECT count(*) FROM account").fetchone()[0],
        "asked": asked,
        "p50_ms": f"{milliseconds[len(milliseconds) // 2]:.1f}",
        "p99_ms": f"{milliseconds[int(len(milliseconds) * 0.99)]:.1f}",
        "recomputed_ms": round(recomputed),
        "equal": equal,
        "bytes_a_transfer": round(size / transfers),
    }


def plot(document):
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    ratios = {
        "batches over 500 accounts / COPY": (float(document["ratio"]["cold_to_copy"]), 0.45),
        "batches on one account / COPY": (float(document["ratio"]["hot_to_copy"]), 0.45),
        "one account / 500 accounts": (float(document["ratio"]["hot_to_cold"]), 0.9),
    }
    figure, axes = plt.subplots(figsize=(7, 2.2), layout="constrained")
    found = [ratio for ratio, _ in ratios.values()]
    bars = axes.barh(list(ratios), found, color="#2563eb")
    axes.bar_label(bars, [f"{ratio:.2f}" for ratio in found], padding=4)
    for place, (_, aim) in enumerate(ratios.values()):
        axes.plot([aim, aim], [place - 0.4, place + 0.4], color="#b91c1c", linewidth=2)
    axes.set_xlabel("ratio within the run; red: what was aimed at")
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(RESULTS / "ledger.svg", metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=10, help="batches of 5,000 a round")
    parser.add_argument("--each", type=int, default=400, help="calls of each single caller")
    parser.add_argument("--entries", type=int, default=5_000_000)
    parser.add_argument("--asked", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--no-save", action="store_true")
    arguments = parser.parse_args()
    sys.setswitchinterval(0.0005)  # as the server does
    bench = Bench(arguments.seed)
    try:
        bench.furnish()
        rates = speed(bench, arguments.rounds, arguments.batches)
        single = callers(bench, arguments.each)
        print(json.dumps(single), file=sys.stderr)
        dates = any_date(bench, arguments.entries, arguments.asked) if arguments.entries else {}
    finally:
        bench.close()
    document = {
        "name": "ledger",
        "machine": machine(),
        "seed": arguments.seed,
        "transfers_a_second": rates,
        "ratio": {
            "cold_to_copy": f"{rates['cold'] / rates['copy']:.2f}",
            "hot_to_copy": f"{rates['hot'] / rates['copy']:.2f}",
            "hot_to_cold": f"{rates['hot'] / rates['cold']:.2f}",
        },
        "single_callers": single,
        "any_date": dates,
    }
    if not arguments.no_save:
        save(document)
        plot(document)
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
