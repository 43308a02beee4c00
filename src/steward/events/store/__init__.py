"""The log's tables and its published checkpoints."""

from steward.events.store.checkpoints import CheckpointFile, Published
from steward.events.store.frames import RowFrame
from steward.events.store.tables import EventStore, Head, Row, envelope_of

__all__ = ["CheckpointFile", "EventStore", "Head", "Published", "Row", "RowFrame", "envelope_of"]
