"""Tables of ingestion: history files, people, deliveries."""

from steward.ingest.store.deliveries import DeliveryStore, NewDelivery
from steward.ingest.store.history import HistoryStore, Row
from steward.ingest.store.people import PeopleStore, PersonRow

__all__ = ["DeliveryStore", "HistoryStore", "NewDelivery", "PeopleStore", "PersonRow", "Row"]
