"""Random operations on the books, seeded, that reach every code."""

import random
from datetime import UTC, date, datetime, timedelta

from steward.contracts.ledger import Finish, Hold, Leg, Transfer

START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
ACCOUNTS = ["assets:bank", "assets:clearing:stripe", "income:sales", "expenses:ads"]
MONTHS = [("2026-01", date(2026, 1, 1), date(2026, 2, 1)), ("2026-02", date(2026, 2, 1), date(2026, 3, 1))]


class Operations:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.number = 0
        self.now = START
        self.transfers, self.holds, self.finishes = [], [], []

    def key(self, letter):
        self.number += 1
        return f"{letter}{self.number}"

    def legs(self, most=200):
        """Balanced in each of its currencies, mostly."""
        legs = []
        for currency in self.rng.sample(["GBP", "EUR"], self.rng.choice([1, 1, 1, 2])):
            amounts = [
                self.rng.choice([-1, 1]) * self.rng.randint(1, most) for _ in range(self.rng.choice([1, 1, 2, 3]))
            ]
            accounts = [*ACCOUNTS, f"fx:{currency}"]
            legs += [(self.rng.choice(accounts), currency, amount) for amount in amounts]
            if sum(amounts):
                legs.append((self.rng.choice(accounts), currency, -sum(amounts)))
        spoil = self.rng.random()
        if spoil < 0.02:
            legs.append((self.rng.choice(ACCOUNTS), "GBP", self.rng.randint(1, 5)))
        elif spoil < 0.04:
            legs += [("assets:nothing", "GBP", 5), ("assets:bank", "GBP", -5)]
        elif spoil < 0.06:
            legs += [("assets:bank", "GBP", 0)]
        elif spoil < 0.07:
            legs += [("assets:bank", "GBP", 10**15 + 1), ("income:sales", "GBP", -(10**15) - 1)]
        elif spoil < 0.09:
            legs = legs[:1]
        self.rng.shuffle(legs)
        return tuple(Leg(account=a, currency=c, amount_minor=n) for a, c, n in legs)

    def at(self):
        return START + timedelta(hours=self.rng.randrange(-24 * 20, 24 * 50))

    def transfer(self):
        chance = self.rng.random()
        if self.transfers and chance < 0.12:
            return self.rng.choice(self.transfers)  # once more
        if self.transfers and chance < 0.16:
            return self.rng.choice(self.transfers).model_copy(update={"source": f"other {self.rng.randrange(99)}"})
        if self.transfers and chance < 0.28:
            original = self.rng.choice(self.transfers)
            legs = tuple(leg.model_copy(update={"amount_minor": -leg.amount_minor}) for leg in original.legs)
            if self.rng.random() < 0.2:
                legs = self.legs()
            reverses = original.key if self.rng.random() < 0.9 else "nothing"
            return self.new_transfer(legs, reverses)
        return self.new_transfer(self.legs())

    def new_transfer(self, legs, reverses=None):
        made = Transfer(
            key=self.key("t"), kind=self.rng.choice(["sale", "sale", "close.accrual"]), effective_at=self.at(),
            source=f"shop {self.number}", legs=legs, reverses=reverses, party=self.rng.choice([None, "acme"]),
        )  # fmt: skip
        self.transfers.append(made)
        return made

    def hold(self):
        if self.holds and self.rng.random() < 0.15:
            known = self.rng.choice(self.holds)
            return known if self.rng.random() < 0.6 else known.model_copy(update={"source": "other"})
        made = Hold(
            key=self.key("h"), kind=self.rng.choice(["ads", "close.ads"]), source=f"hold {self.number}", legs=self.legs(),
            expires_at=self.now + timedelta(minutes=self.rng.choice([-5, 0, 30, 90, 90, 600, 600])),
        )  # fmt: skip
        self.holds.append(made)
        return made

    def finish(self):
        chance = self.rng.random()
        if self.finishes and chance < 0.1:
            return self.rng.choice(self.finishes)
        if self.finishes and chance < 0.15:
            return self.rng.choice(self.finishes).model_copy(update={"effective_at": self.at()})
        hold = self.rng.choice(self.holds[-40:]) if self.holds and chance < 0.95 else None
        part = None
        if hold is not None and self.rng.random() < 0.5:
            share = self.rng.choice([1, 2, 2, 3])
            part = tuple(
                leg.model_copy(update={"amount_minor": (leg.amount_minor * self.rng.choice([1, 1, 1, 2])) // share})
                for leg in hold.legs
            )
            if sum(leg.amount_minor for leg in part) and len(part) == 2 and self.rng.random() < 0.8:
                part = (part[0], part[1].model_copy(update={"amount_minor": -part[0].amount_minor}))
        taken = self.transfers[-1].key if self.transfers and self.rng.random() < 0.03 else self.key("f")
        made = Finish(
            key=taken, hold=hold.key if hold else "nothing", how=self.rng.choice(["post", "post", "void"]),
            effective_at=self.at(), legs=part,
        )  # fmt: skip
        self.finishes.append(made)
        return made

    def next(self):
        """One operation as (name, argument)."""
        name = self.rng.choices(
            ["post", "hold", "finish", "limits", "closed", "period", "clock"], [50, 18, 18, 4, 5, 3, 6]
        )[0]
        size = self.rng.choice([1, 1, 2, 5, 20, 60])
        if name in {"post", "hold", "finish"}:
            make = {"post": self.transfer, "hold": self.hold, "finish": self.finish}[name]
            return name, [make() for _ in range(size)]
        account = (self.rng.choice(ACCOUNTS), self.rng.choice(["GBP", "EUR"]))
        if name == "limits":
            floor = self.rng.choice([None, -500, -2000])
            return name, (*account, floor, self.rng.choice([None, 500, 2000]))
        if name == "closed":
            return name, (*account, self.rng.random() < 0.12)
        if name == "period":
            return name, (*self.rng.choice(MONTHS), self.rng.choice(["open", "open", "soft", "closed"]))
        self.now += timedelta(minutes=self.rng.choice([1, 20, 60]))
        return name, self.now
