"""The ledger's services: posting, holding, reading, auditing, closing."""

from steward.ledger.service.books import Bookkeeping, Books, LedgerReport
from steward.ledger.service.closing import Closing
from steward.ledger.service.facts import FACTS, MoneyFacts
from steward.ledger.service.ledger import Ledger
from steward.ledger.service.postings import MoneyEvents, Unposted
from steward.ledger.service.reports import Reports
from steward.ledger.service.writer import LedgerWriter

__all__ = [
    "FACTS",
    "Bookkeeping",
    "Books",
    "Closing",
    "Ledger",
    "LedgerReport",
    "LedgerWriter",
    "MoneyEvents",
    "MoneyFacts",
    "Reports",
    "Unposted",
]
