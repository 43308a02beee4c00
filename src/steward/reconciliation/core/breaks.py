"""The fourteen breaks: what was left over or does not agree, by name.

missing            one side has the money and the other does not: a movement of the books that no line told until its
                   window was over, or a line of a payment, payout, transfer or adjustment that the books do not know
duplicate          a line tells again what another line has told
amount             both name the same movement, with different gross amounts
fee                same gross amount, another fee than the books know or the contract allows; or a charge nobody knows
fx                 a converted amount that is not the contracted rate's, or a conversion nobody knows
date               same money, dated before the provider's cutoff allows: it belongs to another day
orphan_refund      a refund, or its return, that the books do not know
unknown_type       a line whose type is unknown, or is not the type the books have under the same id
reserve            money held back or released that the books do not expect, or expect otherwise
currency           both name the same movement, in different currencies
split              several lines name one movement, or one line several, and do not add up to it
late               same money, dated after its settlement window
negative_payout    a payout that takes money from us, not expected
chargeback         a dispute, or its return, that the books do not know

A movement whose line may still come inside its window is no break. It is open, and counted in the notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, get_args

from steward.contracts.base import JsonObject
from steward.contracts.settlement import Break, BreakType, LineType, Match, MatchItem

BREAKS: Final[tuple[BreakType, ...]] = get_args(BreakType)

SUGGESTIONS: Final[dict[BreakType, str]] = {
    "missing": "Ask the provider for the line, or record the movement that the books lack with its own document.",
    "duplicate": "Ask the provider to take the second line back; until then book it as owed by the provider.",
    "amount": "Compare with the provider's receipt; book the difference as owed, or correct the fact it came from.",
    "fee": "Recompute with the contract; reclaim what was charged beyond it, or book the fee that is right.",
    "fx": "Compare with the contracted rate of the day; reclaim the difference, or book an exchange loss.",
    "date": "Book it on the day the cutoff gives, and ask the provider which clock it uses.",
    "orphan_refund": "Find who ordered the refund; record it with its order, or dispute it with the provider.",
    "unknown_type": "Read the provider's description of the word, and map it; book nothing before that.",
    "reserve": "Compare with the reserve terms; book the hold or the release, or reclaim what is held beyond them.",
    "currency": "Ask in which currency the movement was settled; record a conversion if there was one.",
    "split": "Wait for the remaining part, or confirm which parts belong to the movement.",
    "late": "Accept the delay; where it repeats, hold the provider to its settlement time.",
    "negative_payout": "Make sure the account can bear it; find the refunds and disputes that led to it.",
    "chargeback": "Record the dispute and answer it before its deadline.",
}

UNEXPECTED: Final[dict[LineType, BreakType]] = {
    "payment": "missing",
    "refund": "orphan_refund",
    "refund_reversal": "orphan_refund",
    "dispute": "chargeback",
    "dispute_reversal": "chargeback",
    "fee": "fee",
    "tax": "fee",
    "reserve_hold": "reserve",
    "reserve_release": "reserve",
    "payout": "missing",
    "payout_reversal": "missing",
    "conversion": "fx",
    "transfer": "missing",
    "adjustment": "missing",
    "unknown": "unknown_type",
}
"""How a line is called that the books do not know, by its type."""

DIFFERENT: Final[dict[LineType, BreakType]] = {
    "conversion": "fx",
    "reserve_hold": "reserve",
    "reserve_release": "reserve",
    "fee": "fee",
    "tax": "fee",
}
"""How another gross amount is called; `amount` for every other type."""


def broken(
    name: BreakType,
    currency: str,
    items: Sequence[MatchItem],
    evidence: JsonObject,
    proposals: Sequence[Match] = (),
) -> Break:
    """A break of these items: the money in question is what the outside says beyond the books, in `currency`."""
    amount = sum(
        item.amount_minor if item.side != "books" else -item.amount_minor
        for item in items
        if (item.currency or currency) == currency
    )
    return Break(name, currency, amount, tuple(items), evidence, SUGGESTIONS[name], tuple(proposals))
