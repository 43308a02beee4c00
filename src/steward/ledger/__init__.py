"""The ledger: money moved, twice written.

Promises      every transfer balances per currency; posting twice is posting once; nothing is ever edited; an
              account's postings are an unbroken chain of versions.
Never         decides whether money should move (gateway) or whether it did (reconciliation).
Read next     core/rules.py, then service.py.
"""

from steward.ledger.core.rules import RuleProblem, prove_rule
from steward.ledger.service import Books, Ledger, LedgerReport

__all__ = ["Books", "Ledger", "LedgerReport", "RuleProblem", "prove_rule"]
