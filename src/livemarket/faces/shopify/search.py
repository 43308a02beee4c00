"""Which orders fit: REST's filters, and the search terms of GraphQL's `query` argument."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from livemarket.core.arrays import Flags, Ints
from livemarket.core.state import Status
from livemarket.faces.business import moment_of
from livemarket.faces.sales import SITE, Sales
from livemarket.faces.shopify import ids
from livemarket.faces.shopify.times import when
from livemarket.faces.view import View

_TERM = re.compile(r"(-?)([a-z_]+):(>=|<=|>|<|)(?:\"([^\"]*)\"|'([^']*)'|(\S+))\s*")
_COMPARED: dict[str, Callable[[Ints, int], Flags]] = {
    ">": lambda values, bound: values > bound, ">=": lambda values, bound: values >= bound,
    "<": lambda values, bound: values < bound, "<=": lambda values, bound: values <= bound,
    "": lambda values, bound: values == bound,
}  # fmt: skip
DAY_SECONDS = 86_400


class NotUnderstood(ValueError):
    """A search that this world cannot answer: better no answer than one to another question."""


def terms(text: str) -> list[tuple[bool, str, str, str]]:
    """(negated, field, comparison, value) of each term; they are joined by AND."""
    found: list[tuple[bool, str, str, str]] = []
    rest = text.strip()
    while rest:
        if rest.startswith("AND ") and found:
            rest = rest[4:].lstrip()
        match = _TERM.match(rest)
        if match is None:
            raise NotUnderstood(f"this world understands field:value terms joined by AND, not {rest!r}")
        sign, field, operator, *values = match.groups()
        found.append((bool(sign), field, operator, next(v for v in values if v is not None)))
        rest = rest[match.end() :]
    return found


class Search:
    """Filters of arrays of order rows."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._sales = Sales(view, SITE)

    def cancelled(self, rows: Ints) -> Flags:
        """Called off by now."""
        off = self._view.state.orders.at("status", rows) == Status.CANCELLED
        chosen = rows[off]
        by_now = self._sales.updated(chosen) > self._sales.paid(chosen)
        found = np.zeros(len(rows), dtype=np.bool_)
        found[np.flatnonzero(off)[by_now]] = True
        return found

    def _financial(self, rows: Ints, wanted: str) -> Flags:
        back, total = self._sales.refunded(rows), self._view.state.orders.at("total", rows)
        states = {"paid": back == 0, "refunded": back >= total, "partially_refunded": (back > 0) & (back < total)}
        return states.get(wanted, np.zeros(len(rows), dtype=np.bool_))

    def by_state(self, rows: Ints, status: str, financial: str, fulfillment: str) -> Ints:
        """REST's three kinds of status; orders of this world are never closed."""
        if status != "any":
            off = self.cancelled(rows)
            rows = rows[off] if status == "cancelled" else rows[~off] if status == "open" else rows[:0]
        if financial != "any":
            rows = rows[self._financial(rows, financial)]
        if fulfillment != "any":
            sent = self._sales.shipped(rows) >= 0
            rows = rows[sent if fulfillment in {"shipped", "fulfilled"} else ~sent]
        return rows

    def by_query(self, rows: Ints, text: str) -> Ints:
        """Orders that fit every term. Raises NotUnderstood."""
        for negated, field, operator, value in terms(text):
            fits = self._fits(rows, field, operator, value)
            rows = rows[~fits if negated else fits]
        return rows

    def _fits(self, rows: Ints, field: str, operator: str, value: str) -> Flags:
        columns = {"created_at": self._sales.paid, "processed_at": self._sales.paid, "updated_at": self._sales.updated}
        if field in columns:
            unix = when(value)
            if unix is None:
                raise NotUnderstood(f"{field} is compared with a time, not {value!r}")
            moments = columns[field](rows)
            if not operator:  # a date by itself is the whole day
                return (moments >= moment_of(unix)) & (moments < moment_of(unix) + DAY_SECONDS)
            return _COMPARED[operator](moments, moment_of(unix))
        if field in {"id", "customer_id"} and value.isdecimal():
            orders = self._view.state.orders
            if field == "customer_id":
                return orders.at("customer", rows) == ids.customer_of(int(value))
            numbers = np.array([self._sales.number(row) for row in rows.tolist()], dtype=np.int64)
            return _COMPARED[operator](numbers, int(value))
        if operator:
            raise NotUnderstood(f"{field} is not compared by {operator}")
        if field == "financial_status":
            return self._financial(rows, value.lower())
        if field == "fulfillment_status":
            sent = self._sales.shipped(rows) >= 0
            return sent if value.lower() in {"shipped", "fulfilled"} else ~sent
        if field == "status":
            off = self.cancelled(rows)
            known = {"cancelled": off, "open": ~off, "not_closed": ~off, "any": np.ones(len(rows), dtype=np.bool_)}
            return known.get(value.lower(), np.zeros(len(rows), dtype=np.bool_))
        if field == "name":
            row = self._view.named_order(value.removeprefix("#"))
            return rows == (-1 if row is None else row)
        raise NotUnderstood(f"orders are not searched by {field} in this world")
