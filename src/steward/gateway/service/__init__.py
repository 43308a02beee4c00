"""The gateway's services: one gate for what is in shadow, one for what takes effect, and what they read and write."""

from steward.gateway.service.alerts import Alerts, channels_of
from steward.gateway.service.approvals import Approvals
from steward.gateway.service.caps import Caps
from steward.gateway.service.dispatch import Dispatcher
from steward.gateway.service.effects import Effects
from steward.gateway.service.gateway import Gateway
from steward.gateway.service.kills import KillSwitches
from steward.gateway.service.listing import ActionList
from steward.gateway.service.live import LiveGate
from steward.gateway.service.mounts import Mounts
from steward.gateway.service.records import ActionRecord
from steward.gateway.service.seat import Room
from steward.gateway.service.tools import Tools
from steward.gateway.service.versions import Reading, Versions
from steward.gateway.service.violations import Violations
from steward.gateway.service.way_out import WayOut
from steward.gateway.service.workbench import Workbench

__all__ = [
    "ActionList",
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
