"""What is owed, worked out under one turn, written down, and handed to the spine."""

from __future__ import annotations

from collections.abc import Sequence

from steward.contracts.action import ActionProposal, Principal
from steward.kernel.canonical import JsonObject
from steward.kernel.ids import derived_id
from steward.kernel.instants import format_instant, unix_ms
from steward.kernel.money import Money
from steward.payouts.core.owed import Line
from steward.payouts.core.recipients import CREATOR, Who, recipient_of
from steward.payouts.service.creators import pay_creators
from steward.payouts.service.doors import Doors
from steward.payouts.service.round import begin
from steward.payouts.service.suppliers import pay_suppliers, standing_of
from steward.payouts.store import PayoutStore, Row

PROPOSER = "cfo"
"""Whoever asks for a payout to be prepared, the sum is the books' own: the CFO agent proposes it, and people agree."""


class Preparing:
    """Reads the log, writes payouts, proposes them."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._store = PayoutStore()

    def prepare(self, by: str, who: Who | None, party: str | None) -> tuple[str, list[str], list[JsonObject]]:
        """The batch, the payouts that were written, and who waits for what."""
        with self._doors.database.transaction() as connection:
            one = begin(self._doors, self._store, connection, by)
            if who in (None, "creator"):
                pay_creators(one, party)
            if who in (None, "supplier"):
                pay_suppliers(one, party)
        return one.batch, one.made, one.waiting

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
        to = recipient_of(row)
        key = f"{to.kind}:{row['payout_id']}"
        why = _why_creator(row, lines) if to is CREATOR else self._why_supplier(row)
        return ActionProposal(
            id=derived_id("act", unix_ms(row["prepared_at"]), key),
            key=key,
            kind=to.kind,
            params={
                to.number: row["payout_id"],
                **({} if to is CREATOR else {"invoice_id": row["invoice_id"]}),
                to.party: row[to.party],
                "amount": {"amount_minor": row["amount_minor"], "currency": row["currency"]},
                "payee": row["payee"],
                "reference": row["reference"],
            },
            principal=Principal(id=PROPOSER),
            at=self._doors.control.gateway.now(),
            why="; ".join([*why, f"name: {row['screening']['detail']}", f"prepared by {row['prepared_by']}"]),
            evidence={"batch": row["batch_id"], "digest": bytes(row["digest"]).hex()},
        )

    def _why_supplier(self, row: Row) -> list[str]:
        now = self._doors.clock.now()
        found = standing_of(self._doors.control, row["supplier_id"], row["invoice_id"], now)
        kept = found.disputed_minor
        return [
            f"bill {row['invoice_id']} of {row['supplier_id']}, due {format_instant(row['due_at'])[:10]}",
            *([f"{Money(kept, row['currency'])} of it in dispute or claimed, and not paid"] if kept else []),
            *(["nobody can audit it: no contract says what may be billed"] if found.is_audited is None else []),
        ]


def _why_creator(row: Row, lines: Sequence[Line]) -> list[str]:
    money = row["currency"]
    return [
        f"{sum(line.amount_minor > 0 for line in lines)} commissions that are due",
        *([f"{Money(-row['clawed_minor'], money)} taken back of earlier ones"] if row["clawed_minor"] else []),
        *([f"{Money(row['held_back_minor'], money)} held back"] if row["held_back_minor"] else []),
    ]
