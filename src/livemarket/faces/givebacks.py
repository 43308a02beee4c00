"""A refund by request, for any face: whether it can be, and the refund it became."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from livemarket.core.acts import Verb
from livemarket.faces.business import Business
from livemarket.faces.view import View


class Why(Enum):
    """Why no money goes back."""

    FAILED = "the payment failed"
    DISPUTED = "the payment is disputed"
    NOTHING_LEFT = "everything was given back already"
    TOO_MUCH = "more than is left"
    TOO_LITTLE = "less than one minor unit"
    NOT_NOW = "not now"


@dataclass(frozen=True, slots=True)
class Given:
    """A refund that was made, by its row, or why there is none."""

    refund: int = -1
    why: Why | None = None


def left(view: View, row: int) -> int:
    """What could still be given back of an order."""
    return max(view.order("total", row) - view.refunded(row, view.now), 0)


def give_back(business: Business, view: View, row: int, amount: int) -> Given:
    """Refund an order now. A dispute that is open or lost stands in the way; a refund never exceeds what is left."""
    case = view.case_of(row, view.now)
    if view.failed(row):
        return Given(why=Why.FAILED)
    if case is not None:
        closed = view.case_moment(case, "closed", view.now) is not None
        if not closed or not view.cell("cases", "won", case):
            return Given(why=Why.DISPUTED)
    if left(view, row) <= 0:
        return Given(why=Why.NOTHING_LEFT)
    if amount <= 0:
        return Given(why=Why.TOO_LITTLE)
    if amount > left(view, row):
        return Given(why=Why.TOO_MUCH)
    moment = business.act(Verb.REFUND, row, amount)
    made = None if moment is None else view.refund_at(row, moment)
    return Given(why=Why.NOT_NOW) if made is None else Given(refund=made)
