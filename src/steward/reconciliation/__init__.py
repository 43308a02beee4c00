"""Statements of providers and banks, held against the books; bills of vendors, held against contracts and facts.

Promises: every minor unit ends in one match or one named break; integers only; a file whose totals do not hold is
    refused whole; equal input gives equal matches; weak evidence is proposed and never accepted.
Never: edits a posting, or decides whether money should move (gateway).
Read next: contracts/settlement.py, readers/__init__.py, core/__init__.py.
"""

from steward.reconciliation.readers import PROVIDERS
from steward.reconciliation.service import FACTS, Invoices, Reconciliation, Settled, SettlementFiles, WatchedFolder

__all__ = ["FACTS", "PROVIDERS", "Invoices", "Reconciliation", "Settled", "SettlementFiles", "WatchedFolder"]
