"""Files in, bills against contracts, statements against the books, what is left, what others may build on it."""

from steward.reconciliation.service.bills import Invoices
from steward.reconciliation.service.files import SettlementFiles
from steward.reconciliation.service.folder import WatchedFolder
from steward.reconciliation.service.reconciling import Reconciliation
from steward.reconciliation.service.settled import FACTS, Settled

__all__ = ["FACTS", "Invoices", "Reconciliation", "Settled", "SettlementFiles", "WatchedFolder"]
