"""Ingestion: what comes from outside becomes events, and every line and delivery is accounted for.

Promises      a history file is read whole before anything is written; every line ends in an order, in a refund or in
              a list with the rule that set it aside; of a request, every event is stored, recognised or refused with
              its place and reason; what is said about people never reaches the log.
Never         guesses at what it cannot read: it refuses and names the place.
Read next     core/classify.py, then service/ingestor.py.
"""

from steward.ingest.core.classify import Listed, Reading
from steward.ingest.service import History, HistoryReport, Ingestor, Pending, People, Taken

__all__ = ["History", "HistoryReport", "Ingestor", "Listed", "Pending", "People", "Reading", "Taken"]
