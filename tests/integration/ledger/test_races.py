"""Many clients on one budget: never over the limit by a unit, and no hold ends twice."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from steward.contracts.ledger import Finish, Hold, Leg, Transfer

pytestmark = [pytest.mark.db, pytest.mark.slow]

CLIENTS = 64
BUDGET = 100_000
FAR = datetime(2100, 1, 1, tzinfo=UTC)


def legs(amount):
    return (
        Leg(account="assets:bank", currency="GBP", amount_minor=-amount),
        Leg(account="expenses:ads", currency="GBP", amount_minor=amount),
    )


class Clients:
    """Each holds, posts, voids and spends at random; all of them try to end each other's holds."""

    def __init__(self, ledger, at):
        self.ledger, self.at = ledger, at
        self.together = threading.Barrier(CLIENTS, timeout=60)
        self.held, self.ended, self.spent, self.refused = {}, [], [], []
        self.lock = threading.Lock()

    def run(self, number):
        rng = random.Random(number)
        self.together.wait()
        for turn in range(8):
            name = f"{number}-{turn}"
            choice = rng.random()
            if choice < 0.5:
                self.hold(name, rng.randint(1, 9_000))
            elif choice < 0.85:
                self.finish(rng, name)
            else:
                self.spend(name, rng.randint(1, 2_000))

    def hold(self, name, amount):
        hold = Hold(key=f"h{name}", kind="ads", expires_at=FAR, source=name, legs=legs(amount))
        if not self.took(self.ledger.hold([hold])):
            return
        with self.lock:
            self.held[hold.key] = amount

    def finish(self, rng, name):
        with self.lock:
            keys = sorted(self.held)
        if keys:
            key, how = rng.choice(keys), rng.choice(["post", "void"])
            if self.took(self.ledger.finish([Finish(key=f"f{name}", hold=key, how=how, effective_at=self.at)])):
                with self.lock:
                    self.ended.append((key, how))

    def spend(self, name, amount):
        transfer = Transfer(key=f"t{name}", kind="ads", effective_at=self.at, source=name, legs=legs(amount))
        if self.took(self.ledger.post([transfer])):
            with self.lock:
                self.spent.append(amount)

    def took(self, refused):
        with self.lock:
            self.refused += [entry.code for entry in refused]
        return not refused


def test_clients_that_race_for_one_budget(shop, make):
    ledger = shop.app.ledger
    money = Transfer(key="money", kind="opening", effective_at=make.start, source="m", legs=legs(-BUDGET))
    assert ledger.post([money]) == []
    ledger.set_limits("assets:bank", "GBP", 0, None, "owner", "the budget")
    clients = Clients(ledger, make.start)
    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(clients.run, number) for number in range(CLIENTS)]:
            done.result()
    assert set(clients.refused) >= {"below_limit"}
    assert set(clients.refused) <= {"below_limit", "hold_posted", "hold_voided"}
    ended = [key for key, _ in clients.ended]
    assert len(ended) == len(set(ended))
    posted = sum(clients.held[key] for key, how in clients.ended if how == "post")
    still_held = sum(amount for key, amount in clients.held.items() if key not in set(ended))
    bank = next(row for row in shop.app.books.books().accounts if row["code"] == "assets:bank")
    assert bank["amount_minor"] == BUDGET - posted - sum(clients.spent)
    assert bank["pending_credit_minor"] == still_held
    assert bank["amount_minor"] - bank["pending_credit_minor"] >= 0
    # The chain itself: after every single posting the floor held, whatever was pending then.
    assert (
        shop.one("SELECT min(balance_after) FROM posting JOIN account USING (account_id) WHERE code = 'assets:bank'")
        >= 0
    )
    assert shop.app.books.check().violations == []
