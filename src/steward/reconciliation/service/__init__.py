"""Files in, bills against contracts, statements against the books, what people say about what is left."""

from steward.reconciliation.service.bills import Invoices
from steward.reconciliation.service.files import SettlementFiles
from steward.reconciliation.service.folder import WatchedFolder
from steward.reconciliation.service.reconciling import Reconciliation

__all__ = ["Invoices", "Reconciliation", "SettlementFiles", "WatchedFolder"]
