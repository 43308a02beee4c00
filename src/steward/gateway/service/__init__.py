"""The gateway's services: one gate for what is in shadow, one for what takes effect, and what they read and write."""

from steward.gateway.adapters.auth import Authorizer
from steward.gateway.adapters.tokens import TokenStore
from steward.gateway.adapters.wire import Wire
from steward.gateway.core.draft import draft as drafted
from steward.gateway.service.alerts import Alerts, channels_of
from steward.gateway.service.approvals import Approvals, Decided
from steward.gateway.service.caps import Caps
from steward.gateway.service.departures import Departures
from steward.gateway.service.dispatch import Dispatcher
from steward.gateway.service.effects import Changed, Effects, EffectView
from steward.gateway.service.gateway import Gateway
from steward.gateway.service.kills import KillSwitches
from steward.gateway.service.lint import book_of, route_problems, tool_problems
from steward.gateway.service.listing import ActionList
from steward.gateway.service.live import LiveGate
from steward.gateway.service.mounts import Mounts
from steward.gateway.service.moves import Mover
from steward.gateway.service.outside import Outside
from steward.gateway.service.records import ActionRecord
from steward.gateway.service.seat import Room
from steward.gateway.service.tools import Tools
from steward.gateway.service.versions import Reading, Versions
from steward.gateway.service.violations import Violations

__all__ = [
    "ActionList",
    "ActionRecord",
    "Alerts",
    "Approvals",
    "Authorizer",
    "Caps",
    "Changed",
    "Decided",
    "Departures",
    "Dispatcher",
    "EffectView",
    "Effects",
    "Gateway",
    "KillSwitches",
    "LiveGate",
    "Mounts",
    "Mover",
    "Outside",
    "Reading",
    "Room",
    "TokenStore",
    "Tools",
    "Versions",
    "Violations",
    "Wire",
    "book_of",
    "channels_of",
    "drafted",
    "route_problems",
    "tool_problems",
]
