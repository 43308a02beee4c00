"""The ledger's tables."""

from steward.ledger.store.reading import LedgerReader, total_of
from steward.ledger.store.reports import ReportReader
from steward.ledger.store.tables import (
    AccountIds,
    LedgerStore,
    Packed,
    Row,
    Standing,
    Written,
    pack_finishes,
    pack_holds,
    pack_transfers,
)

__all__ = [
    "AccountIds",
    "LedgerReader",
    "LedgerStore",
    "Packed",
    "ReportReader",
    "Row",
    "Standing",
    "Written",
    "pack_finishes",
    "pack_holds",
    "pack_transfers",
    "total_of",
]
