"""The gateway: the only way out. A kind in shadow has its request built and nothing sent; a live one takes effect in
our own books at once, or goes outside through a tool: approved, budgeted, once.

Promises      nothing passes without evidence the gate itself has rebuilt and re-checked; the same key is the same
              action, once; an effect whose answer never came is sent again only where that cannot double it; refusals
              carry a code, a sentence and the rules that decided.
Never         chooses (policy) or proves (verifier); sends anything while a kind is in shadow, a kill switch is on, or
              an approval is missing.
Read next     core/admit.py and core/machine.py, then service/dispatch.py.
"""

from steward.gateway.service import (
    ActionRecord,
    Alerts,
    Approvals,
    Caps,
    Dispatcher,
    Effects,
    Gateway,
    KillSwitches,
    LiveGate,
    Mounts,
    Reading,
    Room,
    Tools,
    Versions,
    Violations,
    WayOut,
    Workbench,
    channels_of,
)

__all__ = [
    "ActionRecord",
    "Alerts",
    "Approvals",
    "Caps",
    "Dispatcher",
    "Effects",
    "Gateway",
    "KillSwitches",
    "LiveGate",
    "Mounts",
    "Reading",
    "Room",
    "Tools",
    "Versions",
    "Violations",
    "WayOut",
    "Workbench",
    "channels_of",
]
