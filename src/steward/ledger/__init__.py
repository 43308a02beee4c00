"""The ledger: money moved, twice written.

Promises      every transfer balances per currency; posting twice is posting once; nothing is ever edited; an
              account's postings are an unbroken chain of versions; no limit is passed, whoever posts at once.
Never         decides whether money should move (gateway) or whether it did (reconciliation).
Read next     docs/concepts/ledger.md, core/transfer.py, then service/ledger.py.
"""

from steward.ledger.core.rules import RuleProblem, prove_rules
from steward.ledger.service import Bookkeeping, Closing, Ledger, LedgerReport, LedgerWriter, MoneyEvents, Reports

__all__ = [
    "Bookkeeping",
    "Closing",
    "Ledger",
    "LedgerReport",
    "LedgerWriter",
    "MoneyEvents",
    "Reports",
    "RuleProblem",
    "prove_rules",
]
