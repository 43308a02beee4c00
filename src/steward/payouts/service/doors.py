"""What payouts are made with: the doors of the packages below."""

from __future__ import annotations

from dataclasses import dataclass

from steward.control import Control
from steward.events import EventLog
from steward.gateway import Approvals
from steward.infra.access import AccessKeys
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.payouts.service.screening import Screener
from steward.reconciliation import Reconciliation, Settled


@dataclass(frozen=True, slots=True)
class Doors:
    """Wired once in bootstrap.py."""

    database: Database
    clock: Clock
    events: EventLog
    control: Control
    approvals: Approvals
    access: AccessKeys
    reconciliation: Reconciliation
    settled: Settled
    screening: Screener
