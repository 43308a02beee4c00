"""Which ids stand in each of Stripe's lists, newest first, with their dates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from livemarket.core.arrays import Ints
from livemarket.faces.business import DAY, unix
from livemarket.faces.stripe.account import Account
from livemarket.faces.stripe.forms import listed
from livemarket.faces.stripe.objects import STRIPE
from livemarket.faces.view import PAID_AFTER
from livemarket.files import names

Dated = list[tuple[str, int]]


def table(till: Account) -> dict[str, Callable[[dict[str, Any]], Dated]]:
    """One function for each list."""
    return {
        "charges": lambda form: _orders(till, form, "ch"), "payment_intents": lambda form: _orders(till, form, "pi"),
        "refunds": lambda form: _refunds(till, form), "disputes": lambda form: _disputes(till, form),
        "payouts": lambda form: _payouts(till, form), "balance_transactions": lambda form: _transactions(till, form),
        "customers": lambda form: _customers(till, form), "events": lambda form: _events(till, form),
        "transfers": lambda _: [],  # no connected accounts in this world
    }  # fmt: skip


def _orders(till: Account, form: dict[str, Any], prefix: str) -> Dated:
    view, orders = till.view, till.view.state.orders
    rows: Ints = view.paid_orders(STRIPE)
    if "customer" in form:
        wanted = {f"cus_{names.customer(n)}": n for n in view.customers(STRIPE)}.get(str(form["customer"]))
        rows = rows[orders["customer"][rows] == wanted] if wanted is not None else rows[:0]
    if "payment_intent" in form:
        row = view.named_order(str(form["payment_intent"]).removeprefix("pi_"))
        rows = rows[rows == (-1 if row is None else row)]
    dates = orders["day"][rows] * DAY + orders["second"][rows] + PAID_AFTER
    found = zip(names.order_ids(view.world, rows), dates.tolist(), strict=True)
    return [(f"{prefix}_{name}", unix(moment)) for name, moment in found]


def _about(till: Account, form: dict[str, Any]) -> int | None:
    """The order that `charge` or `payment_intent` names; -1 if it names none, None if nothing was asked."""
    for name, prefix in (("charge", "ch_"), ("payment_intent", "pi_")):
        if name in form:
            row = till.view.named_order(str(form[name]).removeprefix(prefix))
            return -1 if row is None else row
    return None


def _refunds(till: Account, form: dict[str, Any]) -> Dated:
    view, about = till.view, _about(till, form)
    rows = view.refunds(STRIPE) if about is None else view.refunds_of(about, view.now)[::-1]
    return [(till.objects.refund_id(row), unix(view.moment(view.state.refunds, row))) for row in rows]


def _disputes(till: Account, form: dict[str, Any]) -> Dated:
    view, about = till.view, _about(till, form)
    cases = [c for c in view.cases(STRIPE) if about is None or view.cell("cases", "order", c) == about]
    ids = names.order_ids(view.world, view.state.cases.at("order", np.array(cases, dtype=np.int64)))
    return [(f"dp_{name}", unix(view.moment(view.state.cases, c))) for name, c in zip(ids, cases, strict=True)]


def _payouts(till: Account, form: dict[str, Any]) -> Dated:
    view = till.view
    rows = [(till.objects.payout_id(row), row) for row in view.payouts(STRIPE)]
    if "status" in form:
        rows = [(key, row) for key, row in rows if till.objects.payout(row, view.now)["status"] == form["status"]]
    return [(key, unix(view.payout_moment(row))) for key, row in rows]


def _transactions(till: Account, form: dict[str, Any]) -> Dated:
    view, objects = till.view, till.objects
    payouts = {objects.payout_id(row): row for row in view.payouts(STRIPE)}
    lines = view.lines(STRIPE)
    if "payout" in form:
        wanted = payouts.get(str(form["payout"]), -2)
        lines = [line for line in lines if view.cell("lines", "payout", line) == wanted]
        payouts = {key: row for key, row in payouts.items() if row == wanted}
    keys = names.line_keys(view.world, np.array(lines, dtype=np.int64))
    made = [
        (names.transaction(key), unix(view.moment(view.state.lines, n))) for key, n in zip(keys, lines, strict=True)
    ]
    made += [(f"txn_{key}", unix(view.payout_moment(row))) for key, row in payouts.items()]
    for name in ("type", "source"):
        if name in form:
            made = [(key, date) for key, date in made if till.known(key)[name] == form[name]]
    return sorted(made, key=lambda pair: (-pair[1], pair[0]))


def _customers(till: Account, form: dict[str, Any]) -> Dated:
    if "email" in form:  # nobody here has one
        return []
    return [(f"cus_{names.customer(n)}", unix(born)) for n, born in till.view.customers(STRIPE).items()]


def _events(till: Account, form: dict[str, Any]) -> Dated:
    wanted = listed(form.get("types")) or listed(form.get("type"))
    made = [(key, int(e["created"])) for key, e in till.events.items() if not wanted or e["type"] in wanted]
    return made[::-1]
