"""The event log: everything that happened, once, in order, for ever.

Promises      positions are dense from 1; (source, id) is stored once; the same key with another body is kept as a
              conflict; every row is a leaf of one RFC 9162 Merkle tree; nothing is edited.
Never         decides what an event means (ledger, state) or whether it may happen (gateway).
Read next     core/merkle.py, then service.py.
"""

from steward.events.core.merkle import EMPTY_ROOT
from steward.events.service import EventLog, LogReport

__all__ = ["EMPTY_ROOT", "EventLog", "LogReport"]
