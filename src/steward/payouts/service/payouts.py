"""The door to payouts: prepared from the log, agreed to by people, sent by the gateway, shown by a statement."""

from __future__ import annotations

from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant
from steward.payouts.core.recipients import CREATOR, Who, recipient_of
from steward.payouts.core.statement import content, digest, reference
from steward.payouts.service.doors import Doors
from steward.payouts.service.following import Following
from steward.payouts.service.preparing import Preparing
from steward.payouts.store import PayoutStore, Row


class Payouts:
    """Safe to share between threads."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._store = PayoutStore()
        self._preparing = Preparing(doors)
        self._following = Following(doors)

    def prepare(self, by: str, who: Who | None = None, party: str | None = None) -> JsonObject:
        """Work out what is owed to creators and suppliers (to one kind of them, or one party), and propose a payout to
        each who can be paid: {batch, payouts, waiting}. Again, while these are on their way, it prepares nothing more.
        """
        if not by.strip():
            raise BadInput("nobody asks", fix="say who prepares payouts")
        self._doors.reconciliation.catch_up()
        self.follow()
        batch, made, waiting = self._preparing.prepare(by, who, party)
        self._preparing.propose()
        payouts = [one for name in made if (one := self.show(name)) is not None]
        return {"batch": batch if made else None, "payouts": payouts, "waiting": waiting}

    def follow(self) -> int:
        """Carry on with what was interrupted, and take in what became of payouts: how many facts were read and how many
        were seen to land.
        """
        self._preparing.propose()
        return self._following.follow() + self._following.land()

    def listed(
        self,
        state: str | None = None,
        who: Who | None = None,
        party: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[JsonObject]:
        """Payouts, newest first, each with where its action stands."""
        with self._doors.database.transaction() as connection:
            rows = self._store.listed(connection, state, who, party, limit, offset)
        states = self._doors.control.effects.states([row["action_id"] for row in rows if row["action_id"]])
        return [_shown(row, states.get(row["action_id"] or "", {})) for row in rows]

    def show(self, payout_id: str, key: str = "") -> JsonObject | None:
        """One payout with its lines, the evidence, and what people said. With a key it counts as having read it."""
        with self._doors.database.transaction() as connection:
            row = self._store.one(connection, payout_id)
            lines = self._store.lines(connection, payout_id)
        if row is None:
            return None
        caller = self._doors.access.recognise(key.strip()) if key.strip() else None
        action_id = row["action_id"] or ""
        said = self._doors.approvals.show(action_id, caller) if action_id else None
        states = self._doors.control.effects.states([action_id]) if action_id else {}
        to = recipient_of(row)
        sealed = digest(content(payout_id, row[to.party], row["currency"], row["payee"], lines, to.who))
        return {
            **_shown(row, states.get(action_id, {})),
            "lines": [{"kind": one.kind, "ref": one.ref, "amount_minor": one.amount_minor} for one in lines],
            "intact": sealed == bytes(row["digest"]) and reference(sealed) == row["reference"],
            "args_digest": said["args_digest"] if said else None,
            "approvals": said["decisions"] if said else [],
            "deadline": said["deadline"] if said else None,
        }

    def approve(self, payout_id: str, key: str, channel: str, reason: str = "") -> JsonObject:
        """A person's yes to exactly these lines, this payee and this amount; what was changed since is refused."""
        found = self._waiting(payout_id)
        if not found["intact"]:
            raise BadInput(f"{payout_id} is not what was prepared", fix="reject it, and find out who changed its lines")
        return self._doors.approvals.approve(
            str(found["action_id"]), key, channel, reason, found["args_digest"]
        ).to_json()

    def reject(self, payout_id: str, key: str, channel: str, reason: str) -> JsonObject:
        """A person's no: its commissions, or its bill, are free for the next time."""
        done = self._doors.approvals.reject(str(self._waiting(payout_id)["action_id"]), key, channel, reason)
        self._doors.events.sequence()
        self.follow()
        return done.to_json()

    def _waiting(self, payout_id: str) -> JsonObject:
        found = self.show(payout_id)
        if found is None:
            raise BadInput(f"there is no payout {payout_id!r}", fix="steward payouts list")
        if not found["action_id"]:
            raise BadInput(f"{payout_id} was not proposed yet", fix="steward payouts prepare carries on with it")
        return found


def _shown(row: Row, effect: JsonObject) -> JsonObject:
    to = recipient_of(row)
    own = (to.party,) if to is CREATOR else (to.party, "invoice_id")
    names = ("payout_id", "batch_id", *own, "currency", "amount_minor", "clawed_minor", "held_back_minor",
             "payee", "reference", "prepared_by", "action_id", "state", "why", "landed_ref", "screening")  # fmt: skip
    return {
        "who": to.who,
        **{name: row[name] for name in names},
        **({"due_at": format_instant(row["due_at"])} if row["due_at"] else {}),
        "digest": bytes(row["digest"]).hex(),
        "prepared_at": format_instant(row["prepared_at"]),
        "moved_at": format_instant(row["moved_at"]) if row["moved_at"] else None,
        "action_state": effect.get("state"),
        "needs_person": effect.get("needs_person", ""),
        "remote_ref": effect.get("remote_ref"),
    }
