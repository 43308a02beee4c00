"""The books beside the ones kept by hand, operation by operation."""

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import pytest

pytestmark = [pytest.mark.db, pytest.mark.slow]

ORACLES = Path(__file__).parents[2] / "oracles" / "ledger"


def load(name):
    spec = importlib.util.spec_from_file_location(f"ledger_oracle_{name}", ORACLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


model, operations = load("model"), load("operations")
KNOWN = {*operations.ACCOUNTS, "fx:GBP", "fx:EUR"}
EVERY_CODE = {
    "duplicate", "conflict", "no_legs", "zero_amount", "amount_too_large", "unknown_account", "unbalanced", "account_closed",
    "period_closed", "unknown_transfer", "not_a_reversal", "already_reversed", "below_limit", "above_limit", "hold_expired",
    "unknown_hold", "hold_posted", "hold_voided", "more_than_held",
}  # fmt: skip


def step(ledger, clock, books, name, argument):
    """Do one operation on both; what each answered."""
    if name in {"post", "hold", "finish"}:
        answered = [(entry.line, entry.code) for entry in getattr(ledger, name)(argument)]
        by_hand = books.post(argument) if name == "post" else getattr(books, name)(argument, clock.now())
        return answered, by_hand
    if name == "limits":
        code, currency, floor, ceiling = argument
        ledger.set_limits(code, currency, floor, ceiling, "test", "test")
        books.limits[code, currency] = (floor, ceiling)
    elif name == "closed":
        code, currency, closed = argument
        ledger.set_closed(code, currency, closed, "test", "test")
        (books.closed.add if closed else books.closed.discard)((code, currency))
    elif name == "period":
        ledger.set_period(*argument, "test", "test")
        books.periods[argument[0]] = argument[1:]
    else:
        clock.advance(argument - clock.now())
        return ledger.release_expired(), books.release_expired(clock.now())
    return None, None


def run(shop, seed, entries):
    """Codes seen in `entries` operations; every answer and every balance equal."""
    made, books, codes, done = operations.Operations(seed), model.Books(KNOWN), Counter(), 0
    shop.clock.advance(made.now - shop.clock.now())
    while done < entries:
        name, argument = made.next()
        answered, by_hand = step(shop.app.ledger, shop.clock, books, name, argument)
        assert answered == by_hand, (name, argument)
        if isinstance(answered, list):
            codes.update(code for _, code in answered)
            done += len(argument)
        rows = shop.app.books.books().accounts
        for row in rows:
            account = (row["code"], row["currency"])
            stored = (row["amount_minor"], [row["pending_debit_minor"], row["pending_credit_minor"]])
            assert stored == (books.balances[account], books.pending[account]), (name, account)
    return codes


def test_random_operations_agree_with_books_kept_by_hand(shop):
    codes = run(shop, 2, 8000)
    assert EVERY_CODE - set(codes) == set()
    shop.app.ledger.fold(1)
    assert shop.app.books.check().violations == []


def test_books_kept_by_a_wrong_rule_disagree(shop, monkeypatch):
    """The control: limits that forget what is pending."""
    honest = model.Books.limit_code

    def forgetful(self, legs, *, posts=True, released=()):
        pending, self.pending = self.pending, model.defaultdict(lambda: [0, 0])
        try:
            return honest(self, legs, posts=posts, released=())
        finally:
            self.pending = pending

    monkeypatch.setattr(model.Books, "limit_code", forgetful)
    with pytest.raises(AssertionError):
        run(shop, 1, 4000)
