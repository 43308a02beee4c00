"""A full audit of the books from their rows alone: chains, sums, digests, and what the events say they should be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from steward.contracts.ledger import BatchDigest, Leg, Transfer, Violation
from steward.ledger.core.transfer import batch_digest, body_digest, digest_of, is_balanced, row_digest

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredBooks:
    """Every row of the ledger as read; `postings` in chain order, `transfers` in posted order."""

    balances: list[Row]
    postings: list[Row]
    transfers: list[Row]


def transfer_name(row: Row) -> str:
    return f"tfr_{row['transfer_id'].hex}"


def audit_chains(books: StoredBooks) -> Iterable[Violation]:
    """Each account's postings are versions 1..n with running balances, and its balance row is the last."""
    running: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in books.postings:
        version, balance = running[row["account_id"]]
        name = f"{row['code']} {row['currency']} version {row['version']}"
        if row["version"] != version + 1:
            yield Violation(where="posting", row=name, what=f"expected version {version + 1}")
        if row["balance_after"] != balance + row["amount_minor"]:
            yield Violation(where="posting", row=name, what=f"balance after is not {balance + row['amount_minor']}")
        running[row["account_id"]] = (row["version"], row["balance_after"])
    for row in books.balances:
        if (row["version"], row["amount_minor"]) != running[row["account_id"]]:
            yield Violation(
                where="balance",
                row=f"{row['code']} {row['currency']}",
                what="is not what its last posting left",
            )


def legs_by_transfer(books: StoredBooks) -> dict[str, list[Leg]]:
    lines: dict[str, list[Row]] = defaultdict(list)
    for row in books.postings:
        lines[transfer_name(row)].append(row)
    return {
        name: [
            Leg(account=row["code"], currency=row["currency"], amount_minor=row["amount_minor"])
            for row in sorted(rows, key=lambda row: row["line"])
        ]
        for name, rows in lines.items()
    }


def audit_transfers(books: StoredBooks) -> Iterable[Violation]:
    """Each transfer balances and is what its digests say; postings belong to transfers and are numbered 1..n."""
    legs = legs_by_transfer(books)
    numbers: dict[str, list[int]] = defaultdict(list)
    for row in books.postings:
        numbers[transfer_name(row)].append(row["line"])
    known: set[str] = set()
    for row in books.transfers:
        name = transfer_name(row)
        known.add(name)
        own = legs.get(name, [])
        if not own or not is_balanced(own):
            yield Violation(where="transfer", row=name, what="its postings do not sum to zero per currency")
        if sorted(numbers[name]) != list(range(1, len(own) + 1)):
            yield Violation(where="posting", row=name, what="its lines are not numbered 1..n")
        body = body_digest(row["idempotency_key"], row["kind"], row["source"], row["effective_at"], own)
        if body != bytes(row["body_digest"]):
            yield Violation(where="transfer", row=name, what="body digest differs from its columns and postings")
        stored = row_digest(name, body, row["recorded_at"], row["batch"], row["batch_line"])
        if stored != bytes(row["row_digest"]):
            yield Violation(where="transfer", row=name, what="row digest differs from its columns")
    for name in sorted(set(legs) - known):
        yield Violation(where="posting", row=name, what="belongs to no transfer")


def audit_batches(books: StoredBooks, anchored: Mapping[str, BatchDigest]) -> Iterable[Violation]:
    """Each batch is the one whose digest stands in the event log, and the other way round."""
    batches: dict[str, list[bytes]] = defaultdict(list)
    for row in books.transfers:
        batches[row["batch"]].append(bytes(row["row_digest"]))
    for name, digests in batches.items():
        anchor = anchored.get(name)
        if anchor is None:
            yield Violation(where="transfer", row=f"batch {name}", what="has no digest in the event log")
        elif anchor != BatchDigest(transfers=len(digests), digest=batch_digest(digests)):
            yield Violation(where="transfer", row=f"batch {name}", what="differs from its digest in the event log")
    for name in sorted(set(anchored) - set(batches)):
        yield Violation(where="transfer", row=f"batch {name}", what="stands in the event log and not in the books")


def audit_sources(books: StoredBooks, expected: Iterable[Transfer]) -> Iterable[Violation]:
    """Every money event up to the ledger's checkpoint has exactly the transfer its posting rule makes, and no
    transfer lacks its event.
    """
    stored = {row["idempotency_key"]: bytes(row["body_digest"]) for row in books.transfers}
    due: set[str] = set()
    for transfer in expected:
        due.add(transfer.key)
        if transfer.key not in stored:
            yield Violation(where="transfer", row=transfer.key, what="its event was read and never posted")
        elif stored[transfer.key] != digest_of(transfer):
            yield Violation(where="transfer", row=transfer.key, what="differs from what its event and rule say")
    for key in sorted(set(stored) - due):
        yield Violation(where="transfer", row=key, what="no event in the log explains it")
