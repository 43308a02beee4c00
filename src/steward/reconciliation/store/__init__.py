"""The tables of reconciliation."""

from steward.reconciliation.store.bills import BillStore
from steward.reconciliation.store.results import ResultStore
from steward.reconciliation.store.statements import Row, StatementStore

__all__ = ["BillStore", "ResultStore", "Row", "StatementStore"]
