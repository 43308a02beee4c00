"""First figures: events ingested and transfers posted beside COPY in the same run, and decisions down the spine.

Each figure is the median of interleaved rounds on one embedded PostgreSQL with fsync on; COPY writes the same rows
into tables with the same columns and indexes, committing as often, and nothing else: no digests, no deduplication, no
balance, no chain. It is the ceiling, not a rival.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import psycopg
from results import RESULTS, SAMPLE, machine, save

from steward.bootstrap import App
from steward.catalog import load_catalog
from steward.infra.clock import SystemClock
from steward.infra.connect import open_database
from steward.infra.postgres import EmbeddedPostgres
from steward.infra.settings import Settings

EVENT_BATCH = 2000
TRANSFER_BATCH = 5000


def timed(function):
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def batches(items, size):
    return [items[start : start + size] for start in range(0, len(items), size)]


class Bench:
    """One home, one server; every round works on tables it truncates first, as the owner."""

    def __init__(self, folder):
        settings = Settings(home=Path(folder), database_url=None, host="127.0.0.1", port=0)
        self.app = App(settings, open_database(settings), load_catalog(), SystemClock())
        self.embedded = EmbeddedPostgres(settings.home)
        self.owner = psycopg.connect(self.embedded.start().owner_conninfo("steward"), autocommit=True)
        self.reading, _ = self.app.history.read(SAMPLE)

    def wipe(self):
        self.owner.execute("SET session_replication_role = replica")
        self.owner.execute(
            "TRUNCATE event, event_key, log_node, event_outbox, "
            "checkpoint, account, balance, transfer, posting, sale, sale_line, refund, "
            "refund_link, snapshot, forecast, forecast_settlement, proof_bundle, decision, action "
            "RESTART IDENTITY CASCADE"
        )
        self.owner.execute("UPDATE log_head SET size = 0, frontier = '{}', root = sha256('')")
        self.owner.execute("SET session_replication_role = origin")

    def ingest(self):
        self.wipe()
        parts = batches(self.reading.envelopes, EVENT_BATCH)
        return timed(lambda: [self.app.events.append(part) for part in parts])

    def copy_of(self, tables):
        """The rows of `tables` as COPY text, and empty twins with the same indexes and no triggers."""
        texts = {}
        for table in tables:
            self.owner.execute(f"DROP TABLE IF EXISTS {table}_twin")
            self.owner.execute(f"CREATE TABLE {table}_twin (LIKE {table} INCLUDING ALL)")
            columns = [
                row[0]
                for row in self.owner.execute(
                    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
                    (table,),
                )
            ]
            with self.owner.cursor().copy(f"COPY (SELECT {', '.join(columns)} FROM {table}) TO STDOUT") as copy:
                texts[table] = b"".join(copy).splitlines(keepends=True)
        return texts

    def copy_in(self, texts, size):
        """COPY the rows into the twins, committing after every `size` rows of the first table."""
        steps = -(-len(next(iter(texts.values()))) // size)
        with psycopg.connect(self.embedded.start().owner_conninfo("steward")) as connection:

            def run():
                for step in range(steps):
                    for table, rows in texts.items():
                        share = -(-len(rows) // steps)
                        with connection.cursor().copy(f"COPY {table}_twin FROM STDIN") as copy:
                            copy.write(b"".join(rows[step * share : (step + 1) * share]))
                    connection.commit()

            return timed(run)

    def post(self):
        money = [event for event in self.reading.envelopes if event.type in self.app.money_events.types]
        transfers = [transfer for event in money if (transfer := self.app.money_events.transfer_of(event))]
        self.wipe()
        parts = batches(transfers, TRANSFER_BATCH)
        seconds = timed(lambda: [self.app.ledger.post(part) for part in parts])
        return seconds, len(transfers)

    def decide(self, most):
        """Refund proposals of the last days down the whole spine, one commit each; beside a bare one-row commit."""
        self.wipe()
        self.app.events.append(self.reading.envelopes)
        self.app.state.catch_up()
        last = self.reading.envelopes[-1].time
        from steward.agents.core.refunds import propose_refund
        from steward.kernel.instants import WEEK

        requests = self.app.state.refunds_between(last - 4 * WEEK, last)[:most]
        proposals = [propose_refund(request, request["occurred_at"]) for request in requests]
        self.app.verifier.warm()
        self.app.control.act(proposals[0])
        seconds = timed(lambda: [self.app.control.act(proposal) for proposal in proposals[1:]])
        self.owner.execute("CREATE TABLE IF NOT EXISTS bare (n int)")
        bare = timed(lambda: [self.owner.execute("INSERT INTO bare VALUES (1)") for _ in proposals[1:]])
        return seconds, bare, len(proposals) - 1

    def close(self):
        self.owner.close()
        self.app.close()
        self.embedded.stop()


def plot(document):
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    names = ["events ingested", "transfers posted", "decisions"]
    ratios = [float(document[key]["ratio"]) for key in ("ingest", "post", "decide")]
    figure, axes = plt.subplots(figsize=(7, 2.4), layout="constrained")
    bars = axes.barh(names, ratios, color="#2563eb")
    axes.bar_label(bars, [f"{ratio:.2f}" for ratio in ratios], padding=4)
    axes.axvline(1, color="#71717a", linestyle="--", linewidth=1)
    axes.set_xlabel("ratio to the baseline of the same run (COPY, COPY, one bare commit); dashed: the baseline")
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(RESULTS / "first_figures.svg", metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--decisions", type=int, default=200)
    arguments = parser.parse_args()
    rows = {"ingest": [], "post": [], "decide": []}
    with tempfile.TemporaryDirectory(prefix="steward-bench-") as folder:
        Path(folder).chmod(0o711)
        bench = Bench(folder)
        try:
            events = len(bench.reading.envelopes)
            for _ in range(arguments.rounds):
                seconds = bench.ingest()
                ceiling = bench.copy_in(bench.copy_of(["event"]), EVENT_BATCH)
                rows["ingest"].append((events / seconds, events / ceiling))
                seconds, transfers = bench.post()
                ceiling = bench.copy_in(bench.copy_of(["transfer", "posting"]), TRANSFER_BATCH)
                rows["post"].append((transfers / seconds, transfers / ceiling))
                seconds, bare, decisions = bench.decide(arguments.decisions)
                rows["decide"].append((decisions / seconds, decisions / bare))
        finally:
            bench.close()
    document = {"name": "first_figures", "machine": machine(), "rounds": arguments.rounds}
    for key, unit in (("ingest", "events/s"), ("post", "transfers/s"), ("decide", "decisions/s")):
        document[key] = {
            "unit": unit,
            "ours": round(statistics.median(ours for ours, _ in rows[key])),
            "baseline": round(statistics.median(base for _, base in rows[key])),
            "ratio": f"{statistics.median(ours / base for ours, base in rows[key]):.3f}",
        }
    save(document)
    plot(document)
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
