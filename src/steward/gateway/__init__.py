"""The gateway: the only way out. What reaches outside is in shadow: requests are built and not sent. A live kind takes
effect in our own books, in the transaction that re-checked its certificates on facts it locked.

Promises      nothing passes without evidence the gate itself has rebuilt and re-checked; the same key is the same
              action, once; refusals carry a code, a sentence and the rules that decided.
Never         chooses (policy) or proves (verifier); sends anything while a kind is in shadow.
Read next     core/admit.py, then service.py.
"""

from steward.gateway.service import (
    ActionRecord,
    Alerts,
    Gateway,
    LiveGate,
    Mounts,
    Reading,
    Room,
    Versions,
    Violations,
    channels_of,
)

__all__ = [
    "ActionRecord",
    "Alerts",
    "Gateway",
    "LiveGate",
    "Mounts",
    "Reading",
    "Room",
    "Versions",
    "Violations",
    "channels_of",
]
