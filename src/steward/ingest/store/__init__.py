"""Tables of ingestion: history files, people, deliveries."""

from steward.ingest.store.history import HistoryStore, Row
from steward.ingest.store.people import PeopleStore, PersonRow

__all__ = ["HistoryStore", "PeopleStore", "PersonRow", "Row"]
