"""What every creator is owed, worked out under one turn, written down, and handed to the spine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Any

from psycopg import Connection

from steward.contracts.action import ActionProposal, Principal
from steward.infra.entropy import random_bytes
from steward.kernel.canonical import JsonObject
from steward.kernel.ids import derived_id, make_id, uuid7_hex
from steward.kernel.instants import unix_ms
from steward.kernel.money import Money
from steward.payouts.core.owed import Commission, Line, Owed, Terms, owed
from steward.payouts.core.statement import content, digest, reference
from steward.payouts.service.doors import Doors
from steward.payouts.service.following import KIND, fact
from steward.payouts.service.screening import Screened
from steward.payouts.store import PayoutStore, Row

PROPOSER = "cfo"
"""Whoever asks for a payout to be prepared, the sum is the books' own: the CFO agent proposes it, and people agree."""
REASONS = {
    "under_least": "less than is worth a transfer; it is carried to the next payout",
    "clawed_back": "what is taken back is more than what is owed; it is taken off the next payout",
    "on_its_way": "a payout to this creator is on its way",
    "no_payee": "nobody let an address in for this creator",
    "screening": "the name must be cleared first",
    "currency": "the rules know money of one currency alone",
    "nothing_due": "nothing is due yet",
}


@dataclass(slots=True)
class _Round:
    """One round of preparing: who asks, when, and what came of it."""

    batch: str
    by: str
    now: datetime
    payees: Mapping[str, str]
    names: Mapping[str, str]
    open: set[tuple[str, str]]
    made: list[str] = field(default_factory=list[str])
    waiting: list[JsonObject] = field(default_factory=list[JsonObject])


class Preparing:
    """Reads the log, writes payouts, proposes them."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._store = PayoutStore()

    def prepare(self, by: str, creator_id: str | None) -> tuple[str, list[str], list[JsonObject]]:
        """The batch, the payouts that were written, and who waits for what."""
        now = self._doors.clock.now()
        terms = self._terms()
        with self._doors.database.transaction() as connection:
            self._store.take_turn(connection)
            rows = self._store.commissions(connection, creator_id, now)
            elsewhere = self._store.elsewhere(connection, creator_id)
            let_in = self._store.payees(connection)
            payees = {row["party"]: row["payee"] for row in let_in}
            told = self._store.names(connection, [row["change_id"] for row in let_in])
            names = {row["party"]: told.get(row["change_id"], "") for row in let_in}
            batch = f"bat_{uuid7_hex(unix_ms(now), random_bytes(10))}"
            one = _Round(batch, by, now, payees, names, self._store.open(connection))
            settled = self._doors.settled.orders(sorted({row["order_id"] for row in rows if row["order_id"]}))
            for (creator, currency), group in groupby(rows, key=lambda r: (r["creator_id"], r["currency"])):
                commissions = [_commission(row, settled) for row in group]
                found = owed(commissions, elsewhere.get((creator, currency), 0), terms, now)
                self._each(connection, one, creator, currency, found)
        return batch, one.made, one.waiting

    def _each(self, connection: Connection[Row], one: _Round, creator: str, currency: str, found: Owed) -> None:
        screened = self._doors.screening.screen(creator, one.names.get(creator, ""))
        why = self._against(one, creator, currency, found, screened)
        if why or found.waiting:
            one.waiting.append(
                {
                    "creator_id": creator,
                    "currency": currency,
                    "due_minor": found.net_minor,
                    "code": why,
                    "reason": REASONS.get(why, ""),
                    "waiting": dict(found.waiting),
                }
            )
        if not why:
            one.made.append(self._write(connection, one, creator, currency, found, screened))

    def _against(self, one: _Round, creator: str, currency: str, found: Owed, screened: Screened) -> str:
        """Why a creator is not paid now, or nothing."""
        if (creator, currency) in one.open:
            return "on_its_way"
        if not found.lines:
            return "nothing_due"
        if found.carried:
            return found.carried
        if currency != self._doors.control.catalog.history.currency:
            return "currency"
        if creator not in one.payees:
            return "no_payee"
        return "screening" if screened.forbids else ""

    def _write(
        self, connection: Connection[Row], one: _Round, creator: str, currency: str, found: Owed, screened: Screened
    ) -> str:
        payout_id = make_id("pay", unix_ms(one.now), random_bytes(10))
        payee = one.payees[creator]
        sealed = digest(content(payout_id, creator, currency, payee, found.lines))
        values: Row = {
            "payout_id": payout_id,
            "batch_id": one.batch,
            "creator_id": creator,
            "currency": currency,
            "amount_minor": found.net_minor,
            "clawed_minor": found.clawed_minor,
            "held_back_minor": max(found.waiting.get("holdback", 0), 0),
            "payee": payee,
            "reference": reference(sealed),
            "digest": sealed,
            "screening": screened.to_json(),
            "now": one.now,
            "by": one.by,
        }
        self._store.add(connection, values, found.lines)
        data: JsonObject = {
            "payout_id": payout_id,
            "creator_id": creator,
            "currency": currency,
            "amount_minor": found.net_minor,
            "commission_ids": [line.ref for line in found.lines if line.kind == "commission"][:1000],
        }
        self._doors.events.put([fact("PayoutEligible", one.now, data)])
        return payout_id

    def propose(self) -> None:
        """Hand what was prepared to the spine. The payout names the effect, so that whoever is interrupted after it can
        do it again.
        """
        with self._doors.database.transaction() as connection:
            rows = [(row, self._store.lines(connection, row["payout_id"])) for row in self._store.unasked(connection)]
        for row, lines in rows:
            proposal = self._proposal(row, lines)
            acted = self._doors.control.act(proposal)
            action = self._doors.control.gateway.action(acted.action_id)
            is_ours = action is not None and action.proposal["params"] == proposal.params
            now = self._doors.clock.now()
            with self._doors.database.transaction() as connection:
                self._store.asked(connection, row["payout_id"], acted.action_id)
                if acted.outcome in ("refused", "shadowed") or not is_ours:
                    said = str(action.result.get("reason", "")) if action and is_ours else "its number names another"
                    self._store.end(connection, row["payout_id"], "dropped", f"{acted.outcome}: {said}", now)

    def _proposal(self, row: Row, lines: Sequence[Line]) -> ActionProposal:
        key = f"{KIND}:{row['payout_id']}"
        money = row["currency"]
        why = [
            f"{sum(line.amount_minor > 0 for line in lines)} commissions that are due",
            *([f"{Money(-row['clawed_minor'], money)} taken back of earlier ones"] if row["clawed_minor"] else []),
            *([f"{Money(row['held_back_minor'], money)} held back"] if row["held_back_minor"] else []),
            f"name: {row['screening']['detail']}",
            f"prepared by {row['prepared_by']}",
        ]
        return ActionProposal(
            id=derived_id("act", unix_ms(row["prepared_at"]), key),
            key=key,
            kind=KIND,
            params={
                "payout_id": row["payout_id"],
                "creator_id": row["creator_id"],
                "amount": {"amount_minor": row["amount_minor"], "currency": row["currency"]},
                "payee": row["payee"],
                "reference": row["reference"],
            },
            principal=Principal(id=PROPOSER),
            at=self._doors.control.gateway.now(),
            why="; ".join(why),
            evidence={"batch": row["batch_id"], "digest": bytes(row["digest"]).hex()},
        )

    def _terms(self) -> Terms:
        limits = self._doors.control.catalog.limit_facts()
        least: Any = limits["payout_least"]
        share = Fraction(str(limits["payout_holdback"]))
        return Terms(share, timedelta(days=int(limits["payout_holdback_days"])), int(least["amount_minor"]))


def _commission(row: Row, settled: set[str]) -> Commission:
    return Commission(
        row["commission_id"],
        row["earned_minor"],
        row["reversed_minor"],
        row["taken_minor"],
        row["eligible_at"],
        row["order_id"] in settled,
    )
