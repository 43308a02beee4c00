"""One round of preparing: who may be paid where, what was written, and who waits for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from psycopg import Connection

from steward.infra.entropy import random_bytes
from steward.kernel.canonical import JsonObject
from steward.kernel.ids import make_id, uuid7_hex
from steward.kernel.instants import unix_ms
from steward.payouts.core.owed import Line
from steward.payouts.core.recipients import Recipient, Who
from steward.payouts.core.statement import content, digest, reference
from steward.payouts.service.doors import Doors
from steward.payouts.service.screening import Screened
from steward.payouts.store import PayoutStore, Row

REASONS = {
    "under_least": "less than is worth a transfer; it is carried to the next payout",
    "clawed_back": "what is taken back is more than what is owed; it is taken off the next payout",
    "on_its_way": "a payment of the same is on its way",
    "no_payee": "nobody let an address in",
    "not_a_bank": "suppliers are paid from the bank alone",
    "screening": "the name must be cleared first",
    "currency": "the rules know money of one currency alone",
    "nothing_due": "nothing is due yet",
    "not_due": "it is not due yet",
    "not_audited": "no audit judged the bill as it stands; import it, and audit",
    "over_order": "it is more than its purchase order leaves room for",
    "reserve": "the bank would hold less than its reserve",
    "disputed": "what is left of it is in dispute or was claimed",
}


@dataclass(slots=True)
class Round:
    """`open` is what is on its way: creators by currency, suppliers by bill."""

    doors: Doors
    store: PayoutStore
    connection: Connection[Row]
    batch: str
    by: str
    now: datetime
    payees: Mapping[str, str]
    names: Mapping[str, str]
    open: set[tuple[Who, str, str]]
    made: list[str] = field(default_factory=list[str])
    waiting: list[JsonObject] = field(default_factory=list[JsonObject])

    def against(self, party: str, currency: str, screened: Screened) -> str:
        """Why a party that is owed something can be paid nothing now, or nothing."""
        if currency != self.doors.control.catalog.history.currency:
            return "currency"
        if party not in self.payees:
            return "no_payee"
        return "screening" if screened.forbids else ""

    def screen(self, party: str) -> Screened:
        """Hold the party's name against the lists."""
        return self.doors.screening.screen(party, self.names.get(party, ""))

    def wait(
        self, to: Recipient, party: str, currency: str, due_minor: int, why: str, waiting: Mapping[str, int],
        more: JsonObject | None = None,
    ) -> None:  # fmt: skip
        """Say what somebody is not paid now, and why."""
        self.waiting.append(
            {
                "who": to.who,
                to.party: party,
                **(more or {}),
                "currency": currency,
                "due_minor": due_minor,
                "code": why,
                "reason": REASONS.get(why, ""),
                "waiting": dict(waiting),
            }
        )

    def write(
        self, to: Recipient, party: str, currency: str, lines: Sequence[Line], screened: Screened, more: Row
    ) -> str:
        """Write a payout with its lines, sealed; its number. `more` are the columns that not everybody has."""
        payout_id = make_id("pay", unix_ms(self.now), random_bytes(10))
        payee = self.payees[party]
        sealed = digest(content(payout_id, party, currency, payee, lines, to.who))
        values: Row = {
            "payout_id": payout_id,
            "batch_id": self.batch,
            "creator_id": None,
            "supplier_id": None,
            "invoice_id": None,
            "due_at": None,
            "currency": currency,
            "amount_minor": sum(line.amount_minor for line in lines),
            "clawed_minor": 0,
            "held_back_minor": 0,
            "payee": payee,
            "reference": reference(sealed),
            "digest": sealed,
            "screening": screened.to_json(),
            "now": self.now,
            "by": self.by,
            to.party: party,
            **more,
        }
        self.store.add(self.connection, values, lines)
        self.made.append(payout_id)
        return payout_id


def begin(doors: Doors, store: PayoutStore, connection: Connection[Row], by: str) -> Round:
    """A round, alone at it to the end of the caller's transaction."""
    store.take_turn(connection)
    now = doors.clock.now()
    let_in = store.payees(connection)
    told = store.names(connection, [row["change_id"] for row in let_in])
    return Round(
        doors=doors,
        store=store,
        connection=connection,
        batch=f"bat_{uuid7_hex(unix_ms(now), random_bytes(10))}",
        by=by,
        now=now,
        payees={row["party"]: row["payee"] for row in let_in},
        names={row["party"]: told.get(row["change_id"], "") for row in let_in},
        open=store.open(connection),
    )
