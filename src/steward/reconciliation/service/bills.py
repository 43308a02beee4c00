"""Bills in, and their audit: what is disputed becomes a break with the amount to reclaim.

An audit is a pure function of the lines in force, of what happened, and of the contracts. Its disputes are held against
the breaks that are there: equal ones stay, others are over, new ones are written and told of once. What a person
resolved is not raised again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple
from datetime import datetime
from pathlib import Path

from psycopg import Connection

from steward.contracts.event import Envelope, RecordedEvent
from steward.contracts.invoice import Audited, BillMapping, BillReading, Claim, ContractBook, Invoice, VendorContract
from steward.contracts.settlement import Rejected
from steward.events import EventLog
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.infra.entropy import random_bytes
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.ids import derived_id, make_id
from steward.kernel.instants import format_instant, unix_ms
from steward.reconciliation.core.billable import TYPES, facts_of
from steward.reconciliation.core.claims import allotted, letter, words
from steward.reconciliation.core.invoices import audit
from steward.reconciliation.readers.bills import bill_mapping, read_bill
from steward.reconciliation.service.files import SOURCE, texts
from steward.reconciliation.service.keeping import keep_file
from steward.reconciliation.store import BillStore, ResultStore, Row

SIDE = "invoice"
READER = "invoices"
_BATCH = 2000
_MOST_BYTES = 64 << 20
_MOST_NOTED = 200


class Invoices:
    """The door of bills. `kept` is the folder of every file that ever came in, by digest."""

    def __init__(
        self, database: Database, clock: Clock, events: EventLog, book: Callable[[], ContractBook], kept: Path
    ) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._book = book
        self._kept = kept
        self._store = BillStore()
        self._results = ResultStore()

    def take(self, vendor: str, name: str, content: bytes, by: str, mapping: JsonObject | None = None) -> JsonObject:
        """Read a file and keep its invoices. `vendor` is a vendor, or a contract whose bills say who sends them. The
        same content again is a no-op; an invoice that comes again with other lines takes the place of the one before.
        `outcome` is taken, known or refused; `BadInput` where there is no contract, or the file cannot be read at all.
        """
        if len(content) > _MOST_BYTES:
            raise BadInput(f"the file has {len(content)} bytes", where=name, fix=f"at most {_MOST_BYTES}")
        contract, columns = self._terms(vendor, mapping)
        digest = hashlib.sha256(content).digest()
        with self._db.transaction() as connection:
            known = self._store.known(connection, digest)
        if known is not None:
            return {**_empty(name), "file": known["file_id"], "control_total_ok": known["control_total_ok"]}
        keep_file(self._kept, digest.hex(), content)
        reading = _of_vendor(read_bill(content, name, columns, vendor), contract, vendor)
        now = self._clock.now()
        values = _file_row(reading, vendor, name, content, digest, by, now)
        with self._db.transaction() as connection:
            self._results.take_turn(connection)
            self._store.add_file(connection, values)
            written = [self._write(connection, one, values["file_id"], now) for one in reading.invoices]
        return {**_told(reading, name), "file": values["file_id"], "invoices": written}

    def _terms(self, vendor: str, mapping: JsonObject | None) -> tuple[VendorContract, BillMapping]:
        book = self._book()
        contract = book.named(vendor) or book.of(vendor)
        if contract is None:
            known = ", ".join(one.name for one in book.contracts) or "none"
            fix = f"write it in contracts.yaml; there are {known}"
            raise BadInput(f"there is no contract with {vendor!r}", fix=fix)
        if mapping is not None:
            return contract, bill_mapping(mapping)
        if contract.bill is None:
            raise BadInput(f"the contract {contract.name} does not say how its bills are read", fix="give --mapping")
        return contract, book.bills[contract.bill]

    def _write(self, connection: Connection[Row], invoice: Invoice, file_id: str, now: datetime) -> JsonObject:
        digest = _lines_digest(invoice)
        old = self._store.in_force(connection, invoice.vendor, invoice.number)
        if old is not None and bytes(old["lines_digest"]) == digest:
            return {"id": old["invoice_id"], "invoice": invoice.number, "vendor": invoice.vendor, "outcome": "known"}
        invoice_id = make_id("ivc", unix_ms(now), random_bytes(10))
        if old is not None:
            self._store.supersede(connection, old["invoice_id"], invoice_id, now)
        row: Row = {
            "invoice_id": invoice_id,
            "file_id": file_id,
            "vendor": invoice.vendor,
            "number": invoice.number,
            "version": 1 if old is None else old["version"] + 1,
            "issued": invoice.issued,
            "due": invoice.due,
            "totals": _totals([invoice]),
            "lines": len(invoice.lines),
            "lines_digest": digest,
            "now": now,
        }
        self._store.add(connection, row, invoice)
        said = "new" if old is None else "corrected"
        more = {} if old is None else {"supersedes": old["invoice_id"]}
        told = {"id": invoice_id, "invoice": invoice.number, "vendor": invoice.vendor, "outcome": said}
        return {**told, "lines": len(invoice.lines), **more}

    def listed(self, vendor: str | None = None, limit: int = 100) -> list[JsonObject]:
        """Invoices in force, newest first, with the money of their open breaks."""
        with self._db.transaction() as connection:
            return texts(self._store.listed(connection, vendor, limit))

    def refused(self, limit: int = 100) -> list[JsonObject]:
        """Files that were refused, newest first, with the reason."""
        with self._db.transaction() as connection:
            return texts(self._store.refused(connection, limit))

    def claim(self, vendor: str) -> JsonObject:
        """All that is open with a vendor, as a text to send."""
        with self._db.transaction() as connection:
            return letter(vendor, self._store.open_claims(connection, vendor))

    def catch_up(self) -> int:
        """Derive what may be billed from new events; how many were read."""
        total = 0
        while read := self._events.follow(READER, TYPES, _BATCH, self._learn):
            total += read
        return total

    def _learn(self, events: list[RecordedEvent]) -> None:
        facts = [(event.position, fact) for event in events for fact in facts_of(event)]
        if facts:
            with self._db.transaction() as connection:
                self._store.put_facts(connection, facts)

    def audit(self, by: str, as_of: datetime | None = None) -> JsonObject:
        """Recompute every line in force; the report. Nothing is kept unless all of it conserves."""
        self.catch_up()
        now = self._clock.now()
        moment = as_of or now
        with self._db.transaction() as connection:
            self._results.take_turn(connection)
            lines, facts = self._store.lines(connection), self._store.facts(connection, moment)
            made = audit(lines, self._book(), facts, moment.date())
            settled = self._store.settled(connection)
            posts = allotted(lines, made, [one for one in facts if one.kind == "booked"], settled)
            found = [(one, posts[one.key]) for one in made.claims if one.key in posts]
            run_id = make_id("run", unix_ms(now), random_bytes(10))
            self._keep(connection, found, run_id, now)
            self._store.mark_audited(connection, run_id, now)
            report = {"run": run_id, "as_of": format_instant(moment), "settled": len(made.claims) - len(found)}
            report |= _report(made, len({(one.vendor, one.invoice) for one in lines}), [one for one, _ in found])
            values = {"run_id": run_id, "side": SIDE, "as_of": moment, "now": now, "by": by, "report": report}
            self._results.add_run(connection, values)
        return report

    def _keep(
        self, connection: Connection[Row], found: Sequence[tuple[Claim, int]], run_id: str, now: datetime
    ) -> None:
        rows = [_break_row(claim, posts) for claim, posts in found]
        before = self._store.open_claims(connection)
        items = [item for row in rows for item in row.pop("items")]
        made = self._results.put_breaks(connection, SIDE, rows, items, run_id, now)
        over = sorted({one["break_id"] for one in before} - {row["break_id"] for row in rows})
        self._results.end_breaks(connection, over, run_id, "no audit finds it any more", now)
        told = {(one["type"], one["key"]) for one in before}
        fresh = [
            _mismatch(row["break_id"], claim, row["suggestion"], now)
            for row, (claim, _) in zip(rows, found, strict=True)
            if row["break_id"] in made and (claim.type, claim.key) not in told
        ]
        self._events.put(fresh)


def _of_vendor(reading: BillReading, contract: VendorContract, vendor: str) -> BillReading:
    """A bill of somebody else is refused, and so is one that says nowhere whose it is."""
    wrong = [one for one in reading.invoices if not contract.covers(one.vendor)]
    wrong += [one for one in reading.invoices if vendor not in (contract.name, one.vendor)]
    if not wrong:
        return reading
    first = wrong[0]
    reason = f"the bill is of {first.vendor!r}, not of {vendor!r}"
    refused = (Rejected(first.lines[0].number, reason),)
    return BillReading(reading.format, (), reading.control_total_ok, reading.controls, (), refused)


def _file_row(
    reading: BillReading, vendor: str, name: str, content: bytes, digest: bytes, by: str, now: datetime
) -> Row:
    first = next(iter(reading.refused), None)
    return {
        "file_id": make_id("fil", unix_ms(now), random_bytes(10)),
        "vendor": vendor,
        "format": reading.format,
        "name": Path(name).name[:200],
        "digest": digest,
        "bytes": len(content),
        "now": now,
        "by": by,
        "control_total_ok": reading.control_total_ok,
        "controls": list(reading.controls)[:200],
        "rejected": [asdict(one) for one in (*reading.refused, *reading.skipped)][:1000],
        "refused": first.reason[:1000] if first else "",
        "refused_line": first.line if first else None,
    }


def _lines_digest(invoice: Invoice) -> bytes:
    """SHA-256 over the lines, wherever they stand in their file: whether an invoice says something new."""
    whole = hashlib.sha256(repr((invoice.issued, invoice.due)).encode())
    for line in invoice.lines:
        whole.update(repr(astuple(line)[1:]).encode())
    return whole.digest()


def _totals(invoices: Sequence[Invoice]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for invoice in invoices:
        for line in invoice.lines:
            totals[line.currency] = totals.get(line.currency, 0) + line.amount_minor
    return dict(sorted(totals.items()))


def _empty(name: str) -> JsonObject:
    return {"name": name, "outcome": "known", "lines": 0, "totals": {}, "rejected": [], "invoices": []}


def _told(reading: BillReading, name: str) -> JsonObject:
    return {
        "name": name,
        "outcome": "refused" if reading.refused else "taken",
        "lines": sum(len(one.lines) for one in reading.invoices),
        "totals": _totals(reading.invoices),
        "control_total_ok": reading.control_total_ok,
        "controls": list(reading.controls),
        "rejected": [asdict(one) for one in (*reading.refused, *reading.skipped)],
    }


def _report(made: Audited, invoices: int, claims: Sequence[Claim]) -> JsonObject:
    """Sums by currency. The audit itself raises for a line that is not conserved; here the sums are held together."""
    sums: dict[str, dict[str, int]] = {name: {} for name in ("billed", "agreed", "disputed", "rounding", "reclaim")}

    def add(name: str, currency: str, amount: int) -> None:
        sums[name][currency] = sums[name].get(currency, 0) + amount

    for one in made.judged:
        add("billed", one.currency, one.amount_minor)
        add("agreed", one.currency, one.agreed_minor)
        add("disputed", one.currency, one.disputed_minor)
        if one.rounding_minor:
            add("rounding", one.currency, one.rounding_minor)
    by_type: dict[str, int] = {}
    for claim in claims:
        add("reclaim", claim.currency, claim.amount_minor)
        by_type[claim.type] = by_type.get(claim.type, 0) + 1
    return {
        "invoices": invoices,
        "lines": len(made.judged),
        "on_trust": sum(one.on_trust for one in made.judged),
        "breaks": len(claims),
        "by_type": dict(sorted(by_type.items())),
        **{f"{name}_minor": dict(sorted(amounts.items())) for name, amounts in sums.items()},
        "notes": {kind: sum(one.type == kind for one in made.notes) for kind in ("under", "unbilled")},
        "noted": [asdict(one) for one in made.notes[:_MOST_NOTED]],
        "conserved": all(
            amount == sums["agreed"][currency] + sums["disputed"][currency]
            for currency, amount in sums["billed"].items()
        ),
    }


def _break_row(claim: Claim, posts: int) -> JsonObject:
    """A dispute as its tables have it. Its id names its money too: a dispute over another amount is another one."""
    break_id = derived_id("brk", 0, "|".join([SIDE, claim.type, claim.key, str(claim.amount_minor), str(posts)]))
    item = {"break_id": break_id, "item_side": claim.side, "key": claim.key, "currency": claim.currency}
    return {
        "break_id": break_id,
        "type": claim.type,
        "provider": claim.vendor,
        "currency": claim.currency,
        "amount_minor": claim.amount_minor,
        "evidence": {"vendor": claim.vendor, "invoice": claim.invoice, **claim.evidence, "posts_minor": posts},
        "suggestion": words(claim),
        "proposals": [],
        "items": [{**item, "amount_minor": claim.amount_minor}],
    }


def _mismatch(break_id: str, claim: Claim, suggestion: str, now: datetime) -> Envelope:
    data: JsonObject = {
        "mismatch_id": break_id,
        "settlement_id": f"{claim.vendor}/{claim.invoice}"[:200],
        "code": claim.type,
        "currency": claim.currency,
        "expected_minor": int(claim.evidence["agreed_minor"]),
        "actual_minor": int(claim.evidence["agreed_minor"]) + claim.amount_minor,
        "reason": suggestion[:500],
    }
    return Envelope(
        id=f"ReconciliationMismatch:{break_id}:{format_instant(now)}",
        source=SOURCE,
        type="ReconciliationMismatch",
        subject=f"break/{break_id}",
        time=now,
        data=data,
    )
