"""Calls back what a live action set aside: its hold is void, and the log says who did it and why.

The action stays what it was: it did take effect, and its evidence stands. What it counted of its day stays counted,
since days only count upwards.
"""

from __future__ import annotations

from dataclasses import dataclass

from steward.contracts.event import Envelope
from steward.contracts.ledger import Finish
from steward.events import EventLog
from steward.gateway import ActionRecord, Effects, Gateway
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.kernel.errors import BadInput
from steward.ledger import Ledger

SOURCE = "steward/control"
_AGAIN = ("duplicate", "conflict")


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What came of it: `code` is empty where the hold is void now; else nothing changed, and `detail` says why."""

    action_id: str
    hold: str
    code: str = ""
    detail: str = ""


class Cancellations:
    """Ends holds before their time."""

    def __init__(
        self, database: Database, clock: Clock, events: EventLog, ledger: Ledger, gateway: Gateway, effects: Effects
    ) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._ledger = ledger
        self._gateway = gateway
        self._effects = effects

    def cancel(self, action_id: str, by: str, reason: str) -> Cancelled:
        """Void the hold of an action and put the fact into the log, in one transaction. `BadInput` where there is no
        such action or nobody says who and why.
        """
        if not by.strip() or not reason.strip():
            raise BadInput("nobody, or no reason, is given", fix="say who cancels and why")
        with self._db.transaction():
            action = self._gateway.action(action_id)
            if action is None:
                raise BadInput(f"there is no action {action_id!r}", fix="steward action list shows them")
            found = self._void(action)
            if not found.code:
                self._events.put([self._told(action, by, reason)])
        return found

    def _void(self, action: ActionRecord) -> Cancelled:
        hold = action.result.get("hold") if action.outcome == "executed" else self._effects.hold_inside(action.id)
        if not isinstance(hold, str) or not hold:
            return Cancelled(action.id, "", "no_hold", f"it is {action.outcome} and set no money aside")
        # Key and body derive from the hold alone, so that whoever comes second finds that it is void already.
        finish = Finish(key=f"cancel:{hold}", hold=hold, how="void", effective_at=action.at)
        refused = self._ledger.finish([finish])
        if not refused:
            return Cancelled(action.id, hold)
        code = "hold_voided" if refused[0].code in _AGAIN else refused[0].code
        detail = "it was cancelled before" if code == "hold_voided" else refused[0].detail
        return Cancelled(action.id, hold, code, detail)

    def _told(self, action: ActionRecord, by: str, reason: str) -> Envelope:
        return Envelope(
            id=f"ActionCancelled:{action.key}",
            source=SOURCE,
            type="ActionCancelled",
            subject=f"action/{action.id}",
            time=self._clock.now(),
            correlationid=action.id,
            causationid=f"ActionExecuted:{action.key}",
            data={"action_id": action.id, "cancelled_by": by, "reason": reason},
        )
