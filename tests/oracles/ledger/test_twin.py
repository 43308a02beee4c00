"""The ledger on PostgreSQL, the twin, and the books kept by hand: three readings of one document, batch by batch.

STEWARD_LONG=1 runs a hundred thousand operations.
"""

import importlib.util
import os
import sys
from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from steward.bootstrap import App
from steward.catalog import load_catalog
from steward.infra.clock import FrozenClock
from steward.infra.settings import Settings

ORACLES = Path(__file__).parent
OPERATIONS = 100_000 if os.environ.get("STEWARD_LONG") else 6_000
LEGS = {"no_legs", "zero_amount", "amount_too_large", "unknown_account", "unbalanced"}
SHARED = {"duplicate", "conflict", "account_closed", "below_limit", "above_limit", *LEGS}
CODES = {
    "post": {"period_closed", "unknown_transfer", "not_a_reversal", "already_reversed", *SHARED},
    "hold": {"hold_expired", *SHARED},
    "finish": {
        "unknown_hold", "hold_posted", "hold_voided", "hold_expired", "more_than_held", "period_closed", *SHARED,
    },
}  # fmt: skip


def load(name):
    spec = importlib.util.spec_from_file_location(f"ledger_oracle_{name}", ORACLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


twin, batches, model = load("twin"), load("batches"), load("model")


class Engine:
    """The ledger, answering as the twin does."""

    def __init__(self, app):
        self.ledger, self.books = app.ledger, app.books

    def do(self, what, argument, _now):
        if what in CODES:
            return [(entry.line, entry.code) for entry in getattr(self.ledger, what)(argument)]
        if what == "release":
            return self.ledger.release_expired()
        if what != "clock":
            set_it = {"limits": "set_limits", "closed": "set_closed", "period": "set_period"}[what]
            getattr(self.ledger, set_it)(*argument, "owner", "a reason")
        return None

    def amounts(self):
        rows = self.books.books().accounts
        names = ("amount_minor", "pending_debit_minor", "pending_credit_minor")
        found = {(row["code"], row["currency"]): tuple(row[name] for name in names) for row in rows}
        return {account: held for account, held in found.items() if any(held)}


class Twin:
    def __init__(self, chart, books=twin.Twin):
        self.books = books(chart)

    def do(self, what, argument, now):
        books = self.books
        if what in CODES:
            return books.post(argument) if what == "post" else getattr(books, what)(argument, now)
        if what == "release":
            return books.release_expired(now)
        if what == "limits":
            books.limits[argument[:2]] = argument[2:]
        elif what == "closed":
            (books.closed.add if argument[2] else books.closed.discard)(argument[:2])
        elif what == "period":
            books.periods[argument[0]] = argument[1:]
        return None

    def amounts(self):
        books = self.books
        accounts = {*books.balances, *books.debits, *books.credits}
        found = {a: (books.balances[a], books.debits[a], books.credits[a]) for a in accounts}
        return {account: held for account, held in found.items() if any(held)}


class ByHand(Twin):
    """model.py, which is given the accounts it knows."""

    def __init__(self, _chart):
        known = {*batches.PLAIN, *(f"fx:{currency}" for currency in batches.CURRENCIES)}
        self.books = model.Books(known)

    def amounts(self):
        found = {a: (n, *self.books.pending[a]) for a, n in list(self.books.balances.items())}
        found |= {a: (self.books.balances[a], *held) for a, held in list(self.books.pending.items())}
        return {account: held for account, held in found.items() if any(held)}


def compare(chart, other, seed, operations, clock=None, books=twin.Twin):
    """Codes by operation; the other answers as the twin does, batch by batch, and has the same amounts."""
    own = Twin(chart, books)
    made, codes, done = batches.Batches(seed, own.books), {what: Counter() for what in CODES}, 0
    if clock:
        clock.advance(made.now - clock.now())
    for turn, (what, argument) in zip(count(), made, strict=False):
        if what == "clock" and clock:
            clock.advance(argument - clock.now())
        where = f"seed {seed}, turn {turn}: {what}"
        expected, answered = own.do(what, argument, made.now), other.do(what, argument, made.now)
        assert answered == expected, (where, first_difference(argument, answered, expected))
        if what in CODES:
            codes[what].update(code for _, code in expected)
            codes[what]["posted"] += len(argument) - len(expected)
            done += len(argument)
        assert other.amounts() == own.amounts(), where
        if done >= operations:
            return codes
    raise AssertionError("batches do not end")


def first_difference(argument, answered, expected):
    if not isinstance(answered, list):
        return answered, expected
    line = min(line for line, _ in set(answered) ^ set(expected))
    return line, dict(answered).get(line), dict(expected).get(line), argument[line - 1]


@pytest.fixture(scope="module")
def catalog():
    return load_catalog()


@pytest.fixture(scope="module")
def chart(catalog):
    return tuple(account.code for account in catalog.chart)


@pytest.fixture
def app(fresh, catalog, tmp_path):
    settings = Settings(home=tmp_path / "home", database_url=None, host="127.0.0.1", port=0)
    return App(settings, fresh.app, catalog, FrozenClock(batches.START))


@pytest.mark.db
@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_the_ledger_answers_as_the_twin_does(app, chart, seed):
    codes = compare(chart, Engine(app), seed, OPERATIONS, app.clock)
    for what, expected in CODES.items():
        assert expected - set(codes[what]) == set(), (what, codes[what])
        assert set(codes[what]) - expected == {"posted"}
    assert app.books.check().violations == []
    app.ledger.fold(1)
    assert app.books.check().violations == []


def test_books_kept_by_hand_answer_as_the_twin_does(chart):
    compare(chart, ByHand(chart), 7, OPERATIONS)


class Forgetful(twin.Twin):
    """The control: limits that do not see what is held."""

    def _beyond_limit(self, legs):
        held = self.debits, self.credits
        self.debits, self.credits = type(self.debits)(int), type(self.credits)(int)
        try:
            return super()._beyond_limit(legs)
        finally:
            self.debits, self.credits = held


@pytest.mark.db
@pytest.mark.slow
def test_a_twin_with_a_wrong_rule_disagrees(app, chart):
    with pytest.raises(AssertionError, match="_limit"):
        compare(chart, Engine(app), 1, OPERATIONS, app.clock, Forgetful)
