"""People decide: what waits for them, their yes and no under their own key, and what silence means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

from psycopg import Connection

from steward.catalog import Catalog
from steward.contracts.event import Envelope
from steward.events import EventLog
from steward.gateway.core import machine
from steward.gateway.core.approvals import MEANING, Asked, Person, refuses
from steward.gateway.core.machine import Illegal, Moved, Standing
from steward.gateway.service.departures import INSIDE
from steward.gateway.service.moves import SOURCE, Ending, Mover
from steward.gateway.store import EffectStore, Row, standing_of
from steward.gateway.store.approvals import ApprovalStore
from steward.infra.access import AccessKeys, Caller, split_key
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput, Conflict
from steward.kernel.instants import format_instant

Word = Literal["approve", "reject"]
_OURS = machine.Rule("native")
_AT_ONCE = 200
_TRIES = 20
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a person's word: `code` is empty where it counts; `state` is where the action stands now."""

    action_id: str
    state: str
    agreed: int = 0
    quorum: int = 0
    code: str = ""
    detail: str = ""

    def to_json(self) -> JsonObject:
        return {
            "id": self.action_id,
            "state": self.state,
            "agreed": self.agreed,
            "quorum": self.quorum,
            "code": self.code,
            "reason": self.detail,
        }


class Judge(Protocol):
    """Asks an action's rules on what is true now."""

    def recheck(self, action_id: str) -> str:
        """Why it may not go out by now, or nothing; outside any transaction of ours."""
        ...

    def take_effect(self, action_id: str) -> tuple[str, str]:
        """Have one of our own books take effect in the caller's transaction, if its rules still let it: why not, and
        the key of the hold or the name of the register. `Conflict` where what stands in the books moved since
        `recheck`.
        """
        ...


class Approvals:
    """The only way from waiting to ready."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventLog,
        catalog: Catalog,
        access: AccessKeys,
        mover: Mover,
        judge: Callable[[], Judge],
    ) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._access = access
        self._mover = mover
        self._judge = judge
        self._policy = bytes.fromhex(catalog.digest)
        limits = catalog.limit_facts()
        self._reading = timedelta(seconds=int(limits["approval_reading_seconds"]))
        self._hourly = int(limits["approvals_hour"])
        self._escalations = [
            (policy.level, policy.approver, policy.escalate_to, timedelta(hours=policy.escalate_hours or 0))
            for policy in catalog.risk
            if policy.approver and policy.escalate_to
        ]
        self._effects = EffectStore()
        self._store = ApprovalStore()

    def waiting(self, role: str | None = None, limit: int = 100, offset: int = 0) -> list[JsonObject]:
        """What waits for people, the most urgent first."""
        with self._db.transaction() as connection:
            return [_shown(row) for row in self._store.waiting(connection, role, limit, offset)]

    def show(self, action_id: str, caller: Caller | None = None) -> JsonObject | None:
        """One action with what people said about it. Who is named has looked at it from now on."""
        uuid = _uuid(action_id)
        if uuid is None:
            return None
        with self._db.transaction() as connection:
            row = self._effects.one(connection, uuid)
            if row is None:
                return None
            if caller is not None and row["state"] == "awaiting_approval":
                self._store.look(connection, uuid, caller.name, self._clock.now())
            said = self._store.of(connection, uuid)
        told = [{**one, "decided_at": format_instant(one["decided_at"])} for one in said]
        return {**_shown(row), "state": row["state"], "decisions": told}

    def like(self, action_id: str, limit: int = 50) -> list[str]:
        """Actions that wait and are like this one, itself among them: same kind, tool and level, and not larger."""
        uuid = _uuid(action_id)
        if uuid is None:
            return []
        with self._db.transaction() as connection:
            return [f"act_{one.hex}" for one in self._store.like(connection, uuid, limit)]

    def approve(self, action_id: str, key: str, channel: str, reason: str = "", digest: str | None = None) -> Decided:
        """A person's yes to exactly these arguments, under these rules and this tool. With enough of them the rules are
        asked anew, and the action goes its way. `digest`, where it is given, is what the person was shown.
        """
        return self._decide("approve", action_id, key, channel, reason, digest)

    def reject(self, action_id: str, key: str, channel: str, reason: str = "") -> Decided:
        """A person's no, which ends it."""
        return self._decide("reject", action_id, key, channel, reason, None)

    def _decide(self, word: Word, action_id: str, key: str, channel: str, reason: str, digest: str | None) -> Decided:
        uuid, caller = _uuid(action_id), self._access.recognise(key.strip())
        if uuid is None:
            raise BadInput(f"there is no action {action_id!r}", fix="steward approvals list shows what waits")
        if caller is None:
            return Decided(action_id, "", code="unknown_key", detail=MEANING["unknown_key"])
        with self._db.transaction() as connection:
            self._store.take_turn(connection, caller.name)
            row = self._effects.one(connection, uuid, lock=True)
            if row is None:
                raise BadInput(f"{action_id} waits for nobody", fix="steward approvals list shows what waits")
            code = self._stands_against(connection, row, caller, word, digest)
            code = code or self._written(connection, row, word, key, channel, reason)
            if code:
                return Decided(action_id, row["state"], 0, row["quorum"], code, MEANING.get(code, code))
            self._access.used(caller, f"{word} {action_id}", channel)
            self._events.put([self._told(row, caller.name, caller.role, word, reason)])
            agreed = self._store.agreed(connection, uuid)
            if word == "reject":
                return self._moved(connection, row, machine.reject(standing_of(row)), caller.name, reason, agreed)
            if agreed < row["quorum"]:
                return Decided(action_id, row["state"], agreed, row["quorum"])
        return self._release(action_id, uuid, caller.name)

    def _stands_against(
        self, connection: Connection[Row], row: Row, caller: Caller, word: Word, digest: str | None
    ) -> str:
        now = self._clock.now()
        said = self._store.of(connection, row["action_id"])
        person = Person(
            caller.name,
            caller.role if "approvals:decide" in caller.scopes else "",
            any(one["person"] == caller.name for one in said),
            self._store.looked_at(connection, row["action_id"], caller.name),
            self._store.approved_since(connection, caller.name, now - _HOUR),
        )
        asked = Asked(row["state"], row["risk"], row["role"], row["proposer"], row["deadline"])
        code = refuses(asked, person, now, says_yes=word == "approve", reading=self._reading, hourly=self._hourly)
        if not code and word == "approve":
            is_other = digest is not None and digest != bytes(row["args_digest"]).hex()
            if is_other or bytes(row["policy_version"]) != self._policy:
                return "changed"
        return code

    def _written(self, connection: Connection[Row], row: Row, word: Word, key: str, channel: str, reason: str) -> str:
        parts = split_key(key)
        if parts is None:
            return "unknown_key"
        values = {name: row[name] for name in ("action_id", "args_digest", "policy_version", "tool_version")}
        values |= {"decision": word, "key_id": parts[0], "secret": parts[1], "channel": channel}
        return self._store.decide(connection, values | {"reason": reason[:1000], "now": self._clock.now()})

    def _release(self, action_id: str, uuid: UUID, by: str) -> Decided:
        """Enough people agreed: the rules are asked on what is true now, then it goes its way. What moved meanwhile is
        asked again.
        """
        for _ in range(_TRIES - 1):
            try:
                return self._release_once(action_id, uuid, by)
            except Conflict:
                continue
        return self._release_once(action_id, uuid, by)

    def _release_once(self, action_id: str, uuid: UUID, by: str) -> Decided:
        why = self._judge().recheck(action_id)
        with self._db.transaction() as connection:
            row = self._effects.one(connection, uuid, lock=True)
            if row is None:
                raise AssertionError("an effect is never deleted")
            agreed, now = self._store.agreed(connection, uuid), self._clock.now()
            was = standing_of(row)
            moved = machine.agree(was, agreed, now)
            hold = ""
            if row["tool"] == INSIDE and not why and isinstance(moved, Standing) and moved.state == "ready":
                why, hold = self._judge().take_effect(action_id)
            moved = machine.reject(was) if why else moved
            done = self._moved(connection, row, moved, "rules" if why else by, why, agreed)
            if hold and not why and isinstance(moved, Standing):
                return replace(done, state=self._done_inside(connection, row, moved, hold, now))
            if not why or done.code:
                return done
            self._events.put([self._told(row, "rules", "", "reject", why)])
            return replace(done, code="no_longer_allowed")

    def _done_inside(self, connection: Connection[Row], row: Row, ready: Standing, hold: str, now: datetime) -> str:
        """Write down what took effect in our own books in this transaction; the state it is in then."""
        taken = machine.take(ready, _OURS, INSIDE, now)
        done = taken if isinstance(taken, Illegal) else machine.answered(taken, _OURS, taken.fence, "ok", now)
        if not isinstance(taken, Standing) or not isinstance(done, Standing):
            raise Conflict("what people agreed to could not be done", where=f"act_{row['action_id'].hex}")
        self._mover.write(connection, [Ending(row, ready, taken)], now, INSIDE)
        detail = f"stands in our books as {hold}"
        self._mover.write(connection, [Ending(row, taken, done, detail, {"remote_ref": hold})], now, INSIDE)
        return done.state

    def release_agreed(self) -> int:
        """Carry on with what enough people agreed to and nobody moved: whoever should have was interrupted."""
        with self._db.transaction() as connection:
            agreed = self._store.agreed_waiting(connection, _AT_ONCE)
        released = 0
        for uuid in agreed:
            try:
                self._release(f"act_{uuid.hex}", uuid, "gateway")
            except Conflict:  # it waits as it did and is asked again next time: it must not hold up the others
                continue
            released += 1
        return released

    def _moved(self, connection: Connection[Row], row: Row, moved: Moved, by: str, detail: str, agreed: int) -> Decided:
        action_id = f"act_{row['action_id'].hex}"
        if isinstance(moved, Illegal):
            return Decided(action_id, row["state"], agreed, row["quorum"], "not_waiting", moved.why)
        now = self._clock.now()
        more: Row = {"checked_at": now} if moved.state == "ready" else {}
        self._mover.write(connection, [Ending(row, standing_of(row), moved, detail, more)], now, by)
        return Decided(action_id, moved.state, agreed, row["quorum"], detail=detail)

    def sweep(self) -> int:
        """End what nobody approved in time, and let the next role decide what waited too long for the first; how many
        actions that was.
        """
        now = self._clock.now()
        with self._db.transaction() as connection:
            ends: list[Ending] = []
            for row in self._store.overdue(connection, now, _AT_ONCE):
                was = standing_of(row)
                new = machine.expire(was, now)
                if not isinstance(new, Illegal):
                    ends.append(Ending(row, was, new, "nobody approved it in time"))
            self._mover.write(connection, ends, now, "time")
            raised = [
                {
                    "action_id": str(row["action_id"]),
                    "state": "awaiting_approval",
                    "at": format_instant(now),
                    "by": "time",
                    "fence": row["fence"],
                    "detail": f"a {second} may decide it as well",
                }
                for level, first, second, wait in self._escalations
                for row in self._raised(connection, level, first, second, now - wait)
            ]
            if raised:
                self._effects.add_steps(connection, raised)
        return len(ends) + len(raised) + self.release_agreed()

    def _raised(
        self, connection: Connection[Row], level: str, first: str | None, second: str | None, before: datetime
    ) -> Sequence[Row]:
        """The first role keeps its say: only the notice goes on."""
        return self._store.escalate(connection, level, first or "", second or "", before)

    def _told(self, row: Row, approver: str, role: str, word: Word, reason: str) -> Envelope:
        action_id = f"act_{row['action_id'].hex}"
        name = "ActionApproved" if word == "approve" else "ActionRejected"
        data: JsonObject = {
            "action_id": action_id,
            "approver": approver,
            "args_digest": bytes(row["args_digest"]).hex(),
        }
        if word == "approve":
            data["role"] = role
            if row["deadline"]:
                data["expires_at"] = format_instant(row["deadline"])
        if reason:
            data["reason"] = reason[:500]
        return Envelope(
            id=f"{name}:{action_id}:{approver}"[:500],
            source=SOURCE,
            type=name,
            subject=f"action/{action_id}",
            time=self._clock.now(),
            correlationid=action_id,
            data=data,
        )


def _shown(row: Row) -> JsonObject:
    """A waiting action as people see it."""
    shown: JsonObject = {
        name: row[name]
        for name in (
            "kind",
            "proposer",
            "stage",
            "tool",
            "verb",
            "risk",
            "role",
            "quorum",
            "amount_minor",
            "currency",
            "args",
            "reason",
        )
    }  # fmt: skip - one row of names
    proposal: JsonObject = row.get("proposal") or {}
    return {
        "id": f"act_{row['action_id'].hex}",
        **shown,
        "params": proposal.get("params", {}),
        "why": proposal.get("why", ""),
        "args_digest": bytes(row["args_digest"]).hex(),
        "opened_at": format_instant(row["opened_at"]),
        "deadline": format_instant(row["deadline"]) if row["deadline"] else None,
    }


def _uuid(action_id: str) -> UUID | None:
    try:
        return UUID(action_id.removeprefix("act_"))
    except ValueError:
        return None
