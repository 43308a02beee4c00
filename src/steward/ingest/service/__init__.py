"""Ingestion's services: history files, events over HTTP, people."""

from steward.ingest.service.history import History, HistoryReport
from steward.ingest.service.ingestor import Ingestor, Pending, Taken
from steward.ingest.service.people import People
from steward.ingest.service.webhooks import Receipt, Webhooks

__all__ = ["History", "HistoryReport", "Ingestor", "Pending", "People", "Receipt", "Taken", "Webhooks"]
