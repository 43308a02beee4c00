"""Events over HTTP beside the same statements without HTTP, and beside one commit an event; in one run.

One server process, this load client and PostgreSQL share the machine's cores. Every event has about 400 bytes of
data, is validated, deduplicated, hashed into the Merkle tree and durable before it is answered (fsync on). Each round
ends with count = max(position) = sent. The baselines write rows and leaves made beforehand: `statements` is what the
writer sends PostgreSQL and nothing else; `one commit` inserts event and key and moves the head in one statement an
event.
"""

import argparse
import hashlib
import hmac
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import http_load
import psycopg
from results import RESULTS, machine, save

from steward.contracts.payloads import VERSIONS
from steward.events.core.decode import Decoder
from steward.events.core.merkle import grow
from steward.events.core.plan import Request
from steward.events.service import EventLog
from steward.events.store import EventStore, RowFrame
from steward.events.store.frames import timestamp
from steward.infra.access import AccessKeys
from steward.infra.clock import SystemClock
from steward.infra.connect import open_database
from steward.infra.postgres import EmbeddedPostgres
from steward.infra.settings import Settings

PORT = 7191
SECRET = "whsec_bench"
_ONE = """
    WITH moved AS (UPDATE log_head SET size = size + 1 RETURNING size),
    keyed AS (INSERT INTO event_key (key, position) SELECT %s, size FROM moved
              ON CONFLICT (key) DO NOTHING RETURNING position)
    INSERT INTO event (position, source, event_id, type, subject, occurred_at, recorded_at, schema_version, data,
                       body_digest, leaf_hash)
    SELECT position, %s, %s, %s, %s, %s, now(), 1, %s, %s, %s FROM keyed
"""


def order(number, lines=2):
    return {
        "specversion": "1.0",
        "id": f"order:{number}",
        "source": "shop/bench",
        "type": "OrderPlaced",
        "subject": f"order/{number}",
        "time": "2026-01-02T03:04:05.123456Z",
        "schemaversion": 2 if ("OrderPlaced", 2) in VERSIONS else 1,
        "data": {
            "order_id": str(number),
            "currency": "GBP",
            "total_minor": 1250,
            "customer_id": f"c{number % 5000}",
            "channel": "live",
            "shipping_minor": 250,
            "lines": [
                {
                    "sku": f"MUG-{i}",
                    "quantity": 2,
                    "unit_minor": 500,
                    "total_minor": 1000,
                    "description": "A mug with a picture",
                }
                for i in range(lines)
            ],
        },
    }


class Bench:
    def __init__(self, folder):
        self.settings = Settings(home=Path(folder), database_url=None, host="127.0.0.1", port=PORT)
        self.database = open_database(self.settings)
        self.embedded = EmbeddedPostgres(self.settings.home)
        self.owner = psycopg.connect(self.embedded.start().owner_conninfo("steward"), autocommit=True)
        self.log = EventLog(self.database, SystemClock(), self.settings.home / "checkpoints.jsonl")
        self.key = AccessKeys(self.database, SystemClock()).create("bench", ["events:write"])
        self.server = None

    def wipe(self):
        self.owner.execute("SET session_replication_role = replica")
        self.owner.execute("TRUNCATE event, event_key, log_node RESTART IDENTITY CASCADE")
        self.owner.execute("UPDATE log_head SET size = 0, frontier = '{}', root = sha256('')")
        self.owner.execute("SET session_replication_role = origin")
        self.owner.execute("CHECKPOINT")

    def stored(self):
        return self.owner.execute("SELECT count(*), max(position) FROM event").fetchone()

    def serve(self):
        environment = {**os.environ, "STEWARD_HOME": str(self.settings.home), "STEWARD_PORT": str(PORT)}
        environment.pop("STEWARD_DATABASE_URL", None)
        environment["STEWARD_WEBHOOK_STRIPE"] = SECRET
        self.server = subprocess.Popen([sys.executable, "-m", "steward", "serve"], env=environment)
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz").read()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("the server did not come up")

    def http(self, bodies, events, connections):
        self.wipe()
        requests = [http_load.request_bytes("/v1/events:batch", body, self.key) for body in bodies]
        load = http_load.run(PORT, requests, connections)
        assert self.stored() == (events, events), (self.stored(), events, load.statuses)
        return load

    def acknowledgements(self, count):
        """Milliseconds from sending a signed delivery to its being stored and acknowledged, four at a time."""
        stamp = int(time.time())
        requests = []
        for number in range(count):
            thing = {"id": f"pi_{number}", "amount": 100, "amount_received": 100, "currency": "gbp", "metadata": {}}
            event = {
                "id": f"evt_{number}",
                "type": "payment_intent.succeeded",
                "created": stamp,
                "data": {"object": thing},
            }
            body = json.dumps(event).encode()
            signature = hmac.new(SECRET.encode(), b"%d.%b" % (stamp, body), hashlib.sha256).hexdigest()
            headers = (f"Stripe-Signature: t={stamp},v1={signature}",)
            requests.append(http_load.request_bytes("/v1/webhooks/stripe", body, self.key, headers))
        load = http_load.run(PORT, requests, 4)
        assert load.statuses == {200: count}, load.statuses
        return load

    def statements(self, batches):
        """The writer's own statements with everything made beforehand."""
        self.wipe()
        store, now = EventStore(), SystemClock().now()
        size, frontier, made = 0, [], []
        for batch in batches:
            frames = [RowFrame(event) for event in batch]
            recorded = timestamp(now)
            leaves = [frame.leaf(size + i, now) for i, frame in enumerate(frames, 1)]
            rows = [f.row(size + i, recorded, leaf) for i, (f, leaf) in enumerate(zip(frames, leaves, strict=True), 1)]
            size, frontier, nodes = grow(size, frontier, leaves)
            made.append((rows, [e.key for e in batch], size, frontier, nodes))
        started = time.perf_counter()
        for rows, keys, new_size, new_frontier, nodes in made:
            with self.database.transaction() as connection:
                store.lock(connection)
                store.write(connection, rows)
                store.move_head(connection, keys, new_size, new_frontier, nodes)
        seconds = time.perf_counter() - started
        assert self.stored() == (size, size)
        return seconds

    def without_http(self, batches):
        """The whole writer without HTTP and decoding."""
        self.wipe()
        started = time.perf_counter()
        for batch in batches:
            self.log.write([Request(batch)])
        return time.perf_counter() - started

    def one_commit(self, events):
        self.wipe()
        digest = b"\0" * 32
        started = time.perf_counter()
        with psycopg.connect(self.embedded.start().owner_conninfo("steward"), autocommit=True) as connection:
            for e in events:
                connection.execute(
                    _ONE,
                    (
                        e.key.hex(),
                        e.source,
                        e.id,
                        e.type,
                        e.subject,
                        e.time,
                        e.data_text.decode(),
                        e.body_digest,
                        digest,
                    ),
                )
        return time.perf_counter() - started

    def close(self):
        if self.server:
            self.server.terminate()
            self.server.wait()
        self.owner.close()
        self.database.close()
        self.embedded.stop()


def chunks(items, size):
    return [items[start : start + size] for start in range(0, len(items), size)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    arguments = parser.parse_args()
    documents = [order(number) for number in range(arguments.events)]
    bodies = [json.dumps(part, separators=(",", ":")).encode() for part in chunks(documents, 100)]
    decoder = Decoder(VERSIONS)
    events = [event for body in bodies for _, event in decoder.batch(body).events]
    rates = {"http": [], "statements": [], "without_http": [], "one_commit": []}
    latencies = []
    with tempfile.TemporaryDirectory(prefix="steward-bench-") as folder:
        Path(folder).chmod(0o711)
        bench = Bench(folder)
        try:
            bench.serve()
            for _ in range(arguments.rounds):
                load = bench.http(bodies, len(events), arguments.connections)
                rates["http"].append(len(events) / load.seconds)
                latencies.append((load.median, load.percentile(0.99)))
                rates["statements"].append(len(events) / bench.statements(chunks(events, 800)))
                rates["without_http"].append(len(events) / bench.without_http(chunks(events, 800)))
                rates["one_commit"].append(2000 / bench.one_commit(events[:2000]))
                print({name: round(found[-1]) for name, found in rates.items()}, latencies[-1], file=sys.stderr)
            acknowledged = bench.acknowledgements(2000)
        finally:
            bench.close()
    middle = {name: statistics.median(found) for name, found in rates.items()}
    document = {
        "name": "ingest",
        "machine": machine(),
        "events": arguments.events,
        "rounds": arguments.rounds,
        "bytes_a_body": round(statistics.mean(len(body) for body in bodies) / 100),
        "rates": {name: round(rate) for name, rate in middle.items()},
        "milliseconds": {
            "p50": round(statistics.median(p for p, _ in latencies)),
            "p99": round(max(p for _, p in latencies)),
        },
        "webhook_milliseconds": {
            "p50": f"{acknowledged.median:.1f}",
            "p99": f"{acknowledged.percentile(0.99):.1f}",
            "max": f"{max(acknowledged.latencies):.1f}",
        },
        "ratio": {
            "to_same_statements": f"{middle['http'] / middle['statements']:.2f}",
            "to_one_commit_each": f"{middle['http'] / middle['one_commit']:.1f}",
        },
    }
    save(document)
    print(json.dumps(document, indent=1))
    return RESULTS


if __name__ == "__main__":
    main()
