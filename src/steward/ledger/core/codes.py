"""Why an entry changed nothing: the codes in the order in which the first that applies is given."""

from __future__ import annotations

MEANING = {
    "duplicate": "it is posted already, with this body",
    "conflict": "its key is taken by something else",
    "unknown_hold": "there is no such hold",
    "hold_posted": "the hold was posted before",
    "hold_voided": "the hold was voided before",
    "no_legs": "it has fewer than two legs",
    "zero_amount": "a leg is zero",
    "amount_too_large": "a leg is beyond 10^15 minor units",
    "unknown_account": "a leg names an account that the chart does not have",
    "unbalanced": "its legs do not sum to zero in every currency",
    "more_than_held": "it moves an account by more than the hold has for it, or the other way",
    "account_closed": "a leg names a closed account",
    "hold_expired": "the hold's time is over",
    "period_closed": "its effective date lies in a closed period",
    "unknown_transfer": "what it reverses was not posted before",
    "not_a_reversal": "its legs are not the original's with the sign turned",
    "already_reversed": "the original was reversed before",
    "below_limit": "an account would end below its floor",
    "above_limit": "an account would end above its ceiling",
}
