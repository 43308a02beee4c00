"""A full audit from rows alone: every digest computed again, every batch beside its anchor in the event log."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from steward.contracts.ledger import Anchor, Leg, Transfer, Violation
from steward.kernel.instants import format_instant
from steward.ledger.core.transfer import (
    digest_of,
    hold_body,
    is_balanced,
    key_bytes,
    legs_text,
    microseconds,
    row_digest,
    transfer_body,
    transfer_id,
)

Row = Mapping[str, Any]


@dataclass(slots=True)
class _Content:
    """What a batch's digest covers so far."""

    hash: Any = field(default_factory=hashlib.sha256)
    rows: int = 0

    def add(self, piece: bytes) -> None:
        self.hash.update(piece)
        self.rows += 1


@dataclass(slots=True)
class Audit:
    """Feed it transfers, then holds, then the other rows, then batches, each in their order; take violations from
    each call.
    """

    transfers: int = 0
    postings: int = 0
    _batches: dict[int, _Content] = field(default_factory=dict[int, _Content])
    _bodies: dict[bytes, tuple[bytes, datetime]] = field(default_factory=dict[bytes, tuple[bytes, datetime]])

    def transfer(self, row: Row) -> Iterator[Violation]:
        """One transfer: balanced, its lines 1..n, its postings on its day, its body digest."""
        self.transfers += 1
        key = row["key"].bytes
        name = transfer_id(row["effective_at"], key)
        legs = _legs(row)
        self.postings += len(legs)
        if len(legs) < 2 or not is_balanced(legs):
            yield Violation(where="transfer", row=name, what="its postings do not sum to zero per currency")
        if list(row["lines"]) != list(range(1, len(legs) + 1)):
            yield Violation(where="posting", row=name, what="its lines are not numbered 1..n")
        if not row["days_fit"]:
            yield Violation(where="posting", row=name, what="stands on another day than it happened")
        if (row["reverses"] is None) != (row["reverses_key"] is None):
            yield Violation(where="transfer", row=name, what="reverses a transfer that does not exist")
        reverses = row["reverses_key"].bytes if row["reverses_key"] is not None else None
        effective = microseconds(row["effective_at"])
        body = transfer_body(row["kind"], row["source"], effective, reverses, row["party"], legs_text(legs))
        if body != bytes(row["body_digest"]):
            yield Violation(where="transfer", row=name, what="its digest differs from its columns and postings")
        self._bodies[key] = (bytes(row["body_digest"]), row["effective_at"])
        self._content(row).add(key + bytes(row["body_digest"]))

    def hold(self, row: Row) -> Iterator[Violation]:
        """One hold, likewise."""
        key = row["key"].bytes
        legs = _legs(row)
        name = f"hold {row['hold_no']}"
        if len(legs) < 2 or not is_balanced(legs):
            yield Violation(where="hold_leg", row=name, what="its legs do not sum to zero per currency")
        if list(row["lines"]) != list(range(1, len(legs) + 1)):
            yield Violation(where="hold_leg", row=name, what="its lines are not numbered 1..n")
        body = hold_body(row["kind"], row["source"], microseconds(row["expires_at"]), row["party"], legs_text(legs))
        if body != bytes(row["body_digest"]):
            yield Violation(where="hold", row=name, what="its digest differs from its columns and legs")
        self._content(row).add(key + bytes(row["body_digest"]))

    def other(self, row: Row) -> None:
        """A row of any other table, as the columns its digest covers."""
        self._content(row).add(row_digest(*row["columns"]))

    def batches(self, rows: Iterable[Row], anchors: Mapping[int, Anchor]) -> Iterator[Violation]:
        """Each batch holds the rows it was sealed with, and is the one whose digest stands in the event log."""
        seen: set[int] = set()
        for row in rows:
            number, name = row["batch_id"], f"batch {row['batch_id']}"
            seen.add(number)
            content = self._batches.get(number, _Content())
            if (content.rows, content.hash.digest()) != (row["rows"], bytes(row["digest"])):
                yield Violation(where="ledger_batch", row=name, what="is not what its rows make it")
            stored = Anchor(
                batch_id=number, rows=row["rows"], recorded_at=row["recorded_at"], digest=bytes(row["digest"]).hex()
            )
            if number not in anchors:
                yield Violation(where="ledger_batch", row=name, what="has no anchor in the event log")
            elif anchors[number] != stored:
                yield Violation(
                    where="ledger_batch",
                    row=name,
                    what=f"differs from its anchor in the event log, of {format_instant(anchors[number].recorded_at)}",
                )
        for number in sorted(set(self._batches) - seen):
            yield Violation(where="ledger_batch", row=f"batch {number}", what="has rows and does not exist")
        for number in sorted(set(anchors) - seen):
            yield Violation(
                where="ledger_batch", row=f"batch {number}", what="stands in the event log and not in the books"
            )

    def source(self, transfer: Transfer, after_periods: Collection[datetime]) -> Iterator[Violation]:
        """What an event's rule makes is what is posted, at its own time or, where its period was shut, at one of the
        instants `after_periods`.
        """
        body, at = self._bodies.get(key_bytes(transfer.key), (None, transfer.effective_at))
        if at > transfer.effective_at and at in after_periods:
            transfer = transfer.model_copy(update={"effective_at": at})
        if body is None:
            yield Violation(where="transfer", row=transfer.source, what="its event was read and never posted")
        elif body != digest_of(transfer):
            yield Violation(where="transfer", row=transfer.source, what="differs from what its event and rule say")

    def _content(self, row: Row) -> _Content:
        return self._batches.setdefault(row["batch_id"], _Content())


def _legs(row: Row) -> list[Leg]:
    """A leg of an account that does not exist is left out: the row is found wanting all the same."""
    return [
        Leg(account=code, currency=currency, amount_minor=amount)
        for code, currency, amount in zip(row["codes"], row["currencies"], row["amounts"], strict=True)
        if code is not None
    ]
