"""What every creator is owed, as payouts."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from itertools import groupby
from typing import Any

from steward.payouts.core.owed import Commission, Owed, Terms, owed
from steward.payouts.core.recipients import CREATOR
from steward.payouts.service.following import fact
from steward.payouts.service.round import Round
from steward.payouts.service.screening import Screened
from steward.payouts.store import Row


def pay_creators(one: Round, creator_id: str | None) -> None:
    """Work out what every creator (or one) is owed; write a payout for each who can be paid."""
    limits = one.doors.control.catalog.limit_facts()
    least: Any = limits["payout_least"]
    share = Fraction(str(limits["payout_holdback"]))
    terms = Terms(share, timedelta(days=int(limits["payout_holdback_days"])), int(least["amount_minor"]))
    rows = one.store.commissions(one.connection, creator_id, one.now)
    elsewhere = one.store.elsewhere(one.connection, creator_id)
    settled = one.doors.settled.orders(sorted({row["order_id"] for row in rows if row["order_id"]}))
    for (creator, currency), group in groupby(rows, key=lambda r: (r["creator_id"], r["currency"])):
        commissions = [_commission(row, settled) for row in group]
        found = owed(commissions, elsewhere.get((creator, currency), 0), terms, one.now)
        screened = one.screen(creator)
        why = _against(one, creator, currency, found, screened)
        if why or found.waiting:
            one.wait(CREATOR, creator, currency, found.net_minor, why, {str(k): n for k, n in found.waiting.items()})
        if not why:
            _write(one, creator, currency, found, screened)


def _against(one: Round, creator: str, currency: str, found: Owed, screened: Screened) -> str:
    """Why a creator is not paid now, or nothing."""
    if ("creator", creator, currency) in one.open:
        return "on_its_way"
    if not found.lines:
        return "nothing_due"
    return found.carried or one.against(creator, currency, screened)


def _write(one: Round, creator: str, currency: str, found: Owed, screened: Screened) -> None:
    kept: Row = {
        "clawed_minor": found.clawed_minor,
        "held_back_minor": max(found.waiting.get("holdback", 0), 0),
    }
    payout_id = one.write(CREATOR, creator, currency, found.lines, screened, kept)
    told = {
        "payout_id": payout_id,
        "creator_id": creator,
        "currency": currency,
        "amount_minor": found.net_minor,
        "commission_ids": [line.ref for line in found.lines if line.kind == "commission"][:1000],
    }
    one.doors.events.put([fact("PayoutEligible", CREATOR, one.now, told)])


def _commission(row: Row, settled: set[str]) -> Commission:
    return Commission(
        row["commission_id"],
        row["earned_minor"],
        row["reversed_minor"],
        row["taken_minor"],
        row["eligible_at"],
        row["order_id"] in settled,
    )
