"""Random batches, by seed, that aim at every code: the twin tells what is posted and held, so that the rarer answers
(a second reversal, a partial post of too much, a limit reached to the unit) are not left to luck.
"""

import random
from datetime import UTC, date, datetime, timedelta

from steward.contracts.ledger import Finish, Hold, Leg, Transfer

START = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)
PLAIN = (
    "assets:bank",
    "assets:clearing:stripe",
    "assets:clearing:paypal",
    "income:sales",
    "expenses:ads",
    "liabilities:payable:creators",
)
CURRENCIES = ("GBP", "EUR", "USD")
UNKNOWN = ("assets:nowhere", "assets:bank:vault", "assets", "fx", "")
MONTHS = tuple((f"2026-{n:02}", date(2026, n, 1), date(2026, n + 1, 1)) for n in range(1, 6))
STATES = ("open", "soft", "closed")
TOO_LARGE = (10**15 + 1, -(10**15) - 1, 10**18, 2**63 - 2, 1 - 2**63)


class Batches:
    """Iterates (what to do, its argument): `post`, `hold` and `finish` a list, `limits`, `closed` and `period` the
    arguments of those changes, `clock` the new now, and `release` None.
    """

    def __init__(self, seed, twin):
        self.rng, self.twin, self.now, self.made = random.Random(seed), twin, START, 0

    def __iter__(self):
        makers = {
            self.posts: 36,
            self.new_holds: 16,
            self.finishes: 30,
            self.limits: 10,
            self.closed: 5,
            self.period: 6,
            self.clock: 4,
            self.release: 3,
        }
        while True:
            yield self.rng.choices(list(makers), list(makers.values()))[0]()

    def size(self):
        luck = self.rng.random()
        if luck < 0.006:
            return 1000
        return self.rng.randint(1, 8) if luck < 0.75 else self.rng.randint(1, 200)

    def chance(self, one_in):
        return self.rng.randrange(one_in) == 0

    def key(self):
        self.made += 1
        return f"k{self.made}"

    # what the books are made of

    def amount(self):
        return self.rng.choice((self.rng.randint(1, 9), self.rng.randint(1, 900), self.rng.randint(1, 20_000)))

    def legs(self):
        """Balanced; of two legs mostly, at times of several, of one account twice, or of two currencies."""
        currency = self.rng.choice(CURRENCIES)
        if self.chance(6):
            other = self.rng.choice([c for c in CURRENCIES if c != currency])
            given, taken = self.amount(), self.amount()
            moves = [
                (self.rng.choice(PLAIN), currency, -given),
                (f"fx:{currency}", currency, given),
                (f"fx:{other}", other, -taken),
                (self.rng.choice(PLAIN), other, taken),
            ]
        else:
            amounts = [self.amount() * self.rng.choice((1, -1)) for _ in range(self.rng.choice((1, 1, 1, 2, 3, 5)))]
            amounts.append(-sum(amounts) or 1)
            if sum(amounts):
                amounts.append(-sum(amounts))
            names = [self.rng.choice(PLAIN) for _ in amounts]
            moves = [(name, currency, amount) for name, amount in zip(names, amounts, strict=True)]
        self.rng.shuffle(moves)
        return tuple(Leg(account=a, currency=c, amount_minor=n) for a, c, n in moves)

    def spoilt(self, legs):
        """Legs with one thing wrong, at times with two."""
        legs, place = list(legs), self.rng.randrange(len(legs))
        for fault in self.rng.sample(("short", "zero", "large", "unknown", "unbalanced"), 1 + self.chance(4)):
            place = min(place, len(legs) - 1)
            if fault == "short":
                legs = legs[: self.rng.randint(0, 1)]
            if not legs:
                break
            change = {
                "short": {},
                "zero": {"amount_minor": 0},
                "large": {"amount_minor": self.rng.choice(TOO_LARGE)},
                "unknown": {"account": self.rng.choice(UNKNOWN)},
                "unbalanced": {"amount_minor": legs[min(place, len(legs) - 1)].amount_minor + 1},
            }[fault]
            place = min(place, len(legs) - 1)
            legs[place] = legs[place].model_copy(update=change)
        return tuple(legs)

    def maybe_spoilt(self, legs):
        return self.spoilt(legs) if self.chance(14) else legs

    def at(self):
        """Mostly near now, at times anywhere in the months that open and close."""
        back = self.rng.randint(0, 5 * 86_400) if self.rng.random() < 0.6 else self.rng.randint(0, 75 * 86_400)
        return self.now - timedelta(seconds=back)

    def kind(self):
        return self.rng.choice(("sale", "payout", "close.month", "closed"))

    def party(self):
        return self.rng.choice((None, None, "ann", "bob"))

    def some(self, found):
        """One of a dict's keys, the newer ones more often."""
        keys = list(found)
        if not keys:
            return None
        return keys[-1 - int(len(keys) * self.rng.random() ** 3) % len(keys)]

    # batches

    def posts(self):
        batch = []
        for _ in range(self.size()):
            luck = self.rng.random()
            if luck < 0.06 and batch:
                batch.append(self.again(self.rng.choice(batch)))
            elif luck < 0.12 and self.twin.transfers:
                batch.append(self.again(self.posted(self.some(self.twin.transfers))))
            elif luck < 0.22:
                batch.append(self.reversal(batch))
            else:
                batch.append(self.transfer(self.maybe_spoilt(self.legs())))
        return "post", batch

    def transfer(self, legs, reverses=None):
        return Transfer(
            key=self.key(),
            kind=self.kind(),
            effective_at=self.at(),
            source=f"source {self.rng.randrange(4)}",
            legs=legs,
            reverses=reverses,
            party=self.party(),
        )

    def posted(self, key):
        kind, source, at, legs, reverses, party = self.twin.transfers[key].body
        return Transfer(key=key, kind=kind, effective_at=at, source=source, legs=legs, reverses=reverses, party=party)

    def again(self, entry):
        """The same entry, or one that differs in a single part of its body."""
        if self.rng.random() < 0.5:
            return entry
        changes = {
            "kind": entry.kind + "x",
            "source": entry.source + "x",
            "legs": entry.legs[::-1],
            "party": "carl" if entry.party is None else None,
        }
        if isinstance(entry, Hold):
            changes["expires_at"] = entry.expires_at + timedelta(microseconds=1)
        else:
            changes["effective_at"] = entry.effective_at + timedelta(microseconds=1)
            changes["reverses"] = self.some(self.twin.transfers) if entry.reverses is None else None
        name = self.rng.choice(sorted(changes))
        return entry.model_copy(update={name: changes[name]})

    def reversal(self, batch):
        """Of something posted, mostly; at times of an unknown key, of one in this batch, of something undone."""
        luck = self.rng.random()
        done = [entry.reverses for entry in batch if entry.reverses]
        if luck < 0.15 or not self.twin.transfers:
            return self.transfer(self.legs(), reverses=self.rng.choice(batch).key if batch else "nothing")
        undone = [key for key in list(self.twin.transfers)[-400:] if self.twin.transfers[key].reversed]
        if luck < 0.35 and (done or undone):
            key = self.rng.choice([key for key in [*done, *undone] if key in self.twin.transfers] or [self.newest()])
        else:
            key = self.some(self.twin.transfers)
        return self.transfer(self.mirror(self.twin.transfers[key].legs), reverses=key)

    def newest(self):
        return next(reversed(self.twin.transfers))

    def mirror(self, legs):
        """The legs turned: as they are, shuffled, with two of one account made one, or wrong."""
        turned = [leg.model_copy(update={"amount_minor": -leg.amount_minor}) for leg in legs]
        luck = self.rng.random()
        if luck < 0.15:
            return tuple(legs)
        if luck < 0.3:
            return tuple(leg.model_copy(update={"amount_minor": 2 * leg.amount_minor}) for leg in turned)
        if luck < 0.5:
            sums = {}
            for leg in turned:
                sums[leg.account, leg.currency] = sums.get((leg.account, leg.currency), 0) + leg.amount_minor
            turned = [Leg(account=a, currency=c, amount_minor=n) for (a, c), n in sums.items() if n]
        self.rng.shuffle(turned)
        return tuple(turned)

    def new_holds(self):
        batch = []
        for _ in range(self.size()):
            luck = self.rng.random()
            if luck < 0.06 and batch:
                batch.append(self.again(self.rng.choice(batch)))
            elif luck < 0.12 and self.twin.holds:
                batch.append(self.again(self.twin.holds[self.some(self.twin.holds)].hold))
            else:
                hours = self.rng.choice((-1, 0, 1, 6, 48, 400))
                batch.append(
                    Hold(
                        key=self.key(),
                        kind=self.kind(),
                        expires_at=self.now + timedelta(hours=hours),
                        source=f"source {self.rng.randrange(4)}",
                        legs=self.maybe_spoilt(self.legs()),
                        party=self.party(),
                    )
                )
        return "hold", batch

    def finishes(self):
        standing = {key: held for key, held in self.twin.holds.items() if held.state == "open"}
        batch = []
        for _ in range(min(self.size(), 2 * len(standing) + 5)):
            luck = self.rng.random()
            if luck < 0.06 and batch:
                batch.append(self.other_end(self.rng.choice(batch)))
            elif luck < 0.12 and self.twin.ends:
                batch.append(self.other_end(self.twin.ends[self.some(self.twin.ends)]))
            elif luck < 0.2 and self.twin.holds:
                batch.append(self.end(self.some(self.twin.holds)))
            elif standing and luck < 0.97:
                batch.append(self.end(self.rng.choice(list(standing))))
            else:
                batch.append(self.end("nothing"))
        return "finish", batch

    def end(self, hold):
        how = "post" if self.rng.random() < 0.7 else "void"
        legs = None
        if how == "post" and hold in self.twin.holds and self.rng.random() < 0.6:
            legs = self.part(self.twin.holds[hold].hold.legs)
            legs = self.spoilt(legs) if self.chance(7) else legs
        key = self.some(self.twin.transfers) if self.twin.transfers and self.chance(40) else self.key()
        return Finish(key=key, hold=hold, how=how, effective_at=self.at(), legs=legs)

    def other_end(self, finish):
        """The same end, or one that differs in a single part of its body."""
        if self.rng.random() < 0.5:
            return finish
        changes = {
            "hold": self.some(self.twin.holds) or "nothing",
            "how": "void" if finish.how == "post" else "post",
            "effective_at": finish.effective_at + timedelta(microseconds=1),
        }
        if finish.how == "void" or finish.legs is not None:
            changes["legs"] = None
        name = self.rng.choice(sorted(changes))
        return finish.model_copy(update={name: changes[name], **({"legs": None} if name == "how" else {})})

    def part(self, legs):
        """A smaller move between two accounts of the hold, the whole, a unit too much, or the other way."""
        luck = self.rng.random()
        if luck < 0.2 or len(legs) > 2:
            scale = self.rng.choice((1, 1, 2, -1))
            return tuple(leg.model_copy(update={"amount_minor": leg.amount_minor * scale}) for leg in legs)
        first, second = legs
        most = abs(first.amount_minor)
        amount = self.rng.choice((1, most, most + 1, self.rng.randint(1, most), -most))
        sign = 1 if first.amount_minor > 0 else -1
        return (
            first.model_copy(update={"amount_minor": sign * amount}),
            second.model_copy(update={"amount_minor": -sign * amount}),
        )

    # changes

    def account(self):
        return self.rng.choice(PLAIN), self.rng.choice(CURRENCIES)

    def limits(self):
        """Near what the account has now, at times beyond it already, at times none."""
        account = self.account()
        low = self.twin.balances[account] - self.twin.credits[account]
        high = self.twin.balances[account] + self.twin.debits[account]
        floor = None if self.chance(3) else low - self.rng.choice((0, self.rng.randint(-8_000, 30_000)))
        ceiling = None if self.chance(3) else high + self.rng.choice((0, self.rng.randint(-8_000, 30_000)))
        if floor is not None and ceiling is not None and floor > ceiling:
            floor, ceiling = ceiling, floor
        return "limits", (*account, floor, ceiling)

    def closed(self):
        if self.twin.closed and not self.chance(3):
            return "closed", (*self.rng.choice(sorted(self.twin.closed)), False)
        return "closed", (*self.account(), not self.chance(4))

    def period(self):
        """What is shut opens again soon: a whole run behind closed doors shows little."""
        shut = [month for month in MONTHS if self.twin.periods.get(month[0], ("", "", "open"))[2] != "open"]
        if shut and not self.chance(3):
            return "period", (*self.rng.choice(shut), "open")
        return "period", (*self.rng.choice(MONTHS), self.rng.choice(STATES))

    def clock(self):
        self.now += timedelta(minutes=self.rng.choice((1, 30, 120, 600)))
        return "clock", self.now

    def release(self):
        return "release", None
