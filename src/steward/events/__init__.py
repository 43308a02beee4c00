"""The event log: everything that happened, once, in order, for ever.

Promises      positions are dense from 1; (source, id) is stored once; the same key with another body is kept as a
              conflict; every row is a leaf of one RFC 9162 Merkle tree; nothing is edited.
Never         decides what an event means (ledger, state) or whether it may happen (gateway).
Read next     core/entry.py and core/plan.py, then service/log.py.
"""

from steward.events.core.decode import Decoded, Decoder, Rejected
from steward.events.core.entry import Prepared
from steward.events.core.plan import Request
from steward.events.service import BatchWriter, EventLog, LogReport, Sequencer

__all__ = [
    "BatchWriter",
    "Decoded",
    "Decoder",
    "EventLog",
    "LogReport",
    "Prepared",
    "Rejected",
    "Request",
    "Sequencer",
]
