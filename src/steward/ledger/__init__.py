"""The ledger: money moved, twice written.

Promises      every transfer balances per currency; posting twice is posting once; nothing is ever edited; an
              account's postings are an unbroken chain of versions; no limit is passed, whoever posts at once.
Never         decides whether money should move (gateway) or whether it did (reconciliation).
Read next     docs/concepts/ledger.md, core/transfer.py, then service/ledger.py.
"""

from steward.ledger.core.rules import prove_rules
from steward.ledger.service import (
    FACTS,
    Bookkeeping,
    Closing,
    Ledger,
    LedgerWriter,
    MoneyEvents,
    MoneyFacts,
    Reports,
)

__all__ = [
    "FACTS",
    "Bookkeeping",
    "Closing",
    "Ledger",
    "LedgerWriter",
    "MoneyEvents",
    "MoneyFacts",
    "Reports",
    "prove_rules",
]
