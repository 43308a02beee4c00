"""Clients at once, in any order Hypothesis thinks of: what they are told and what is left must be what some order of
their calls, one after another, would have told and left (linearizability, Herlihy and Wing 1990). STEWARD_LONG=1 thinks of twelve times as many.
"""

import copy
import importlib.util
import itertools
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from steward.contracts.ledger import Finish, Hold, Leg, Transfer

pytestmark = [pytest.mark.db, pytest.mark.slow]

FAR = datetime(2100, 1, 1, tzinfo=UTC)
MODEL = Path(__file__).parents[2] / "oracles" / "ledger" / "model.py"
AT_ONCE = 4


def load_model():
    spec = importlib.util.spec_from_file_location("ledger_oracle_model", MODEL)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


model = load_model()
amounts = st.integers(-60, 60)
names = st.sampled_from("abcd")
calls = st.one_of(
    st.tuples(st.just("post"), names, amounts),
    st.tuples(st.just("hold"), names, amounts),
    st.tuples(st.just("finish"), names, names, st.sampled_from(["post", "void"]), st.none() | amounts),
)


class Clients(RuleBasedStateMachine):
    """Every example has accounts and keys of its own in the same books."""

    shop, at, examples = None, None, itertools.count(1)
    ceiling_by_hand, disagreements = 90, None

    @initialize(floor=st.integers(-80, 0))
    def open(self, floor):
        number = next(self.examples)
        self.prefix = f"e{number}-"
        self.accounts = (f"assets:clearing:x{number}", f"expenses:fees:x{number}")
        self.books = model.Books(set(self.accounts))
        self.books.limits[self.accounts[0], "GBP"] = (floor, self.ceiling_by_hand)
        self.shop.app.ledger.set_limits(self.accounts[0], "GBP", floor, 90, "test", "test")

    def legs(self, amount):
        first, second = self.accounts
        return (
            Leg(account=first, currency="GBP", amount_minor=amount),
            Leg(account=second, currency="GBP", amount_minor=-amount),
        )

    def made(self, call):
        """(method, argument) of a call."""
        what, name, *rest = call
        key = f"{self.prefix}{name}"
        if what == "post":
            return what, [Transfer(key=f"t{key}", kind="t", effective_at=self.at, source="s", legs=self.legs(rest[0]))]
        if what == "hold":
            return what, [Hold(key=f"h{key}", kind="t", expires_at=FAR, source="s", legs=self.legs(rest[0]))]
        hold, how, amount = rest
        legs = None if amount is None or how == "void" else self.legs(amount)
        return what, [Finish(key=f"f{key}", hold=f"h{self.prefix}{hold}", how=how, effective_at=self.at, legs=legs)]

    def by_hand(self, books, what, argument):
        return books.post(argument) if what == "post" else getattr(books, what)(argument, self.shop.clock.now())

    @rule(batch=st.lists(calls, min_size=1, max_size=AT_ONCE))
    def at_once(self, batch):
        made = [self.made(call) for call in batch]
        together = threading.Barrier(len(made), timeout=60)

        def client(one):
            together.wait()
            return [(entry.line, entry.code) for entry in getattr(self.shop.app.ledger, one[0])(one[1])]

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answered = list(pool.map(client, made))
        left = self.left()
        for order in itertools.permutations(range(len(made))):
            books = copy.deepcopy(self.books)
            told = {place: self.by_hand(books, *made[place]) for place in order}
            own = [(books.balances[a, "GBP"], books.pending[a, "GBP"]) for a in self.accounts]
            if all(told[place] == answered[place] for place in told) and own == left:
                self.books = books
                return
        self.disagreements.append(made)
        raise AssertionError(f"no order of {made} answers {answered} and leaves {left}")

    def left(self):
        found = {
            row["code"]: (row["amount_minor"], [row["pending_debit_minor"], row["pending_credit_minor"]])
            for row in self.shop.app.books.books().accounts
        }
        return [found.get(account, (0, [0, 0])) for account in self.accounts]


LIMITS = settings(
    max_examples=150 if os.environ.get("STEWARD_LONG") else 12,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.generate],
)


def machine(shop, make, **more):
    return type("OwnClients", (Clients,), {"shop": shop, "at": make.start, "disagreements": [], **more})


def test_clients_at_once_are_as_clients_in_some_order(shop, make):
    run_state_machine_as_test(machine(shop, make), settings=LIMITS)
    assert shop.app.books.check().violations == []


def test_books_that_forget_a_limit_disagree_in_every_order(shop, make):
    """The control: books kept by hand without the ceiling. What fails once need not fail the same way again."""
    forgetful = machine(shop, make, ceiling_by_hand=None)
    with pytest.raises((AssertionError, Flaky)):
        run_state_machine_as_test(forgetful, settings=LIMITS)
    assert forgetful.disagreements
