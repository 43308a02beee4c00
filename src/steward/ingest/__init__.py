"""Ingestion: a shop's own history becomes events, and every line is accounted for.

Promises      a file is read whole before anything is written; every line ends in an order, in a refund or in a
              list with the rule that set it aside; reading a file twice changes nothing.
Never         guesses at a line it cannot read: it refuses the file and names the lines.
Read next     core/classify.py, then service.py.
"""

from steward.ingest.core.classify import Listed, Reading
from steward.ingest.service import History, HistoryReport

__all__ = ["History", "HistoryReport", "Listed", "Reading"]
