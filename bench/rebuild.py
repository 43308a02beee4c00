"""A log of millions of events: bytes an event, one aggregate over all of it, and every shipped read model rebuilt.

The events are a shop's mix (orders in both versions, payments, refunds, parcels, viewers), written by two processes
through the log's own writer. The aggregate reads every row: events, last position and money by type, through the
upcaster. The rebuild forgets the read models and derives them again, set-based; they must come out as they were when
they followed the log live. The last 20,000 events are written after the first catch-up and followed live.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from order import open_log
from results import machine, save

from steward.contracts.payloads import VERSIONS
from steward.events.core.decode import Decoder
from steward.events.core.plan import Request
from steward.infra.postgres import EmbeddedPostgres
from steward.state import State

BATCH = 2000
_AGGREGATE = """
    SELECT type, count(*), max(position),
           sum(coalesce((upcast_event(type, schema_version, data)->>'total_minor')::bigint,
                        (data->>'amount_minor')::bigint, 0))
    FROM event GROUP BY type ORDER BY type
"""
_SIZE = """
    SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c
    WHERE c.relkind = 'r' AND (c.relname ~ '^event_[0-9]+$' OR c.relname IN ('event_key', 'log_node'))
"""
_MODELS = {
    "sale": "order_id, customer_id, total_minor, units, currency, occurred_at, position",
    "sale_line": "order_id, line, sku, customer_id, quantity, total_minor, currency, occurred_at, position",
    "refund": "refund_id, customer_id, amount_minor, currency, lines, occurred_at, position",
    "refund_link": "refund_id, part, order_id, line, sku, quantity, amount_minor, occurred_at, position",
}


def _customer(number):
    """Five orders a customer in ten million events, about what the shipped history of a real shop has."""
    return f"c{(number // 20 * 6 + number % 20) * 7919 % 600_000}"


def event(number):
    """The kind of event follows from its number; a refund is for an order some thousand events ago."""
    kind, order = number % 20, number - number % 20
    seconds = number // 50
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    time_text = at.isoformat().replace("+00:00", "Z")
    made = {
        "id": f"e:{number}",
        "source": "shop/bench",
        "time": time_text,
        "subject": f"order/{number}",
        "schemaversion": 1,
    }
    if kind < 6:
        lines = [
            {"sku": f"SKU-{(number * 7 + i) % 900}", "quantity": 1 + i, "total_minor": 900 * (1 + i)} for i in range(2)
        ]
        data = {
            "order_id": str(number),
            "currency": "GBP",
            "total_minor": 2700,
            "lines": lines,
            "customer_id": _customer(number),
        }
        if kind < 4:
            made["schemaversion"], data["channel"] = 2, "live"
        return made | {"type": "OrderPlaced", "data": data}
    if kind < 12:
        return made | {
            "type": "PaymentCaptured",
            "data": {
                "payment_id": f"p{number}",
                "order_id": str(order + kind - 6),
                "currency": "GBP",
                "amount_minor": 2700,
                "processor": "stripe",
            },
        }
    if kind == 12:
        bought = max(0, order - 4000)
        return made | {
            "type": "RefundProcessed",
            "data": {
                "refund_id": f"r{number}",
                "currency": "GBP",
                "amount_minor": 900,
                "customer_id": _customer(bought),
                "lines": [{"sku": f"SKU-{bought * 7 % 900}", "quantity": 1, "total_minor": 900}],
            },
        }
    if kind < 17:
        return made | {
            "type": "ShipmentScanned",
            "data": {
                "shipment_id": f"s{number}",
                "tracking_code": f"TRK{number:012d}",
                "carrier": "royal_mail",
                "status": "in_transit",
            },
        }
    return made | {"type": "ViewerJoined", "data": {"show_id": f"show{number // 5000}", "viewers": number % 700}}


def writer(home, first, last, done):
    database, log = open_log(home)
    decoder = Decoder(VERSIONS)
    for start in range(first, last, BATCH):
        body = json.dumps([event(n) for n in range(start, min(start + BATCH, last))]).encode()
        decoded = decoder.batch(body)
        assert not decoded.rejected, decoded.rejected[:3]
        log.write([Request([e for _, e in decoded.events])])
        done.value += len(decoded.events)
    database.close()


def fill(home, first, last, writers=2):
    """Write a range of events; each process takes every other stretch, so that the order is roughly that of time."""
    counters = [multiprocessing.Value("q", 0) for _ in range(writers)]
    started = time.perf_counter()
    middle = (first + last) // 2
    ranges = [(first, middle), (middle, last)] if writers == 2 else [(first, last)]
    processes = [
        multiprocessing.Process(target=writer, args=(home, low, high, counter))
        for (low, high), counter in zip(ranges, counters, strict=True)
    ]
    for process in processes:
        process.start()
    while any(process.is_alive() for process in processes):
        for process in processes:
            process.join(5)
        written = sum(counter.value for counter in counters)
        print(f"\r{written:,} written, {written / (time.perf_counter() - started):,.0f}/s", end="", file=sys.stderr)
    print(file=sys.stderr)
    assert all(process.exitcode == 0 for process in processes)
    return time.perf_counter() - started


def fingerprints(owner):
    """A digest of each read model's rows."""
    return {
        table: owner.execute(
            f"SELECT count(*), sum(hashtextextended(({columns})::text, 7)::numeric) FROM {table}"
        ).fetchone()
        for table, columns in _MODELS.items()
    }


def timed(function):
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=10_000_000)
    arguments = parser.parse_args()
    live = min(20_000, arguments.events // 5)
    with tempfile.TemporaryDirectory(prefix="steward-bench-") as folder:
        Path(folder).chmod(0o711)
        embedded = EmbeddedPostgres(Path(folder))
        database, log = open_log(folder)
        owner = psycopg.connect(embedded.start().owner_conninfo("steward"), autocommit=True)
        state = State(database, log, "GBP")
        try:
            seconds = fill(folder, 0, arguments.events - live)
            size = owner.execute(_SIZE).fetchone()[0] / (arguments.events - live)
            print(f"{size:.0f} bytes an event", file=sys.stderr)
            state.rebuild()
            live_seconds = fill(folder, arguments.events - live, arguments.events, 1) + timed(state.catch_up)
            before = fingerprints(owner)
            owner.execute("VACUUM ANALYZE")
            aggregate = min(timed(lambda: owner.execute(_AGGREGATE).fetchall()) for _ in range(3))
            rebuild = min(timed(state.rebuild) for _ in range(2))
            same = fingerprints(owner) == before
        finally:
            owner.close()
            database.close()
            embedded.stop()
    document = {
        "name": "rebuild",
        "machine": machine(),
        "events": arguments.events,
        "written_per_second": round((arguments.events - live) / seconds),
        "bytes_an_event": round(size),
        "aggregate_events_per_second": round(arguments.events / aggregate),
        "rebuild_events_per_second": round(arguments.events / rebuild),
        "rows": {table: found[0] for table, found in before.items()},
        "followed_live": live,
        "live_seconds": f"{live_seconds:.1f}",
        "rebuilt_equals_live": same,
    }
    save(document)
    print(json.dumps(document, indent=1))
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
