"""Ingestion: what comes from outside becomes events, and every line and delivery is accounted for.

Promises      a history file is read whole before anything is written; every line ends in an order, in a refund or in
              a list with the rule that set it aside; of a request, every event is stored, recognised or refused with
              its place and reason; what is said about people never reaches the log.
Never         guesses at what it cannot read: it refuses and names the place.
Read next     core/classify.py, then service/ingestor.py.
"""

from steward.ingest.adapters import Providers
from steward.ingest.core.classify import Reading
from steward.ingest.core.webhooks import RawDelivery, compile_mapping
from steward.ingest.service import History, Ingestor, People, Taken, Webhooks

__all__ = [
    "History",
    "Ingestor",
    "People",
    "Providers",
    "RawDelivery",
    "Reading",
    "Taken",
    "Webhooks",
    "compile_mapping",
]
