"""A second reading of docs/concepts/ledger.md: books that do one thing after another, in dicts, as slowly as they like.

It was written without the SQL and without model.py beside it, so that the three agree only where the document is clear.
Places where the document leaves a choice are methods of their own, named in `CHOICES`.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC

LARGEST = 10**15
CHOICES = {
    "lowers": "a hold lowers an account if its legs for it sum below zero, as a transfer does",
    "is_mirror": "an account whose legs sum to zero need not be named by a reversal",
    "before": "a batch is one call, so a reversal may follow in the same transaction by another call",
    "end_body": "no legs and the legs of the whole hold are two bodies; the time of a void is part of its body",
    "ended_keys": "a void takes no transfer's key: a transfer may be posted under it",
}


def by_account(legs):
    """{(code, currency): sum}, zeros left out."""
    sums = defaultdict(int)
    for leg in legs:
        sums[leg.account, leg.currency] += leg.amount_minor
    return {account: amount for account, amount in sums.items() if amount}


def sides(legs):
    """{(code, currency): (sum of positive legs, sum of negative legs turned positive)}."""
    found = defaultdict(lambda: (0, 0))
    for leg in legs:
        debit, credit = found[leg.account, leg.currency]
        amount = leg.amount_minor
        found[leg.account, leg.currency] = (debit + max(amount, 0), credit + max(-amount, 0))
    return found


def chart_pattern(codes):
    """What an account's code must match whole: a code of the chart, its braces standing for one part."""
    return re.compile("|".join(re.sub(r"\\{\w+\\}", "[A-Za-z0-9_.-]+", re.escape(code)) for code in codes))


@dataclass
class Posted:
    """A transfer in these books; of a finished hold, with the hold's kind, source and party."""

    body: tuple
    legs: tuple
    reversed: bool = False


@dataclass
class Held:
    hold: object
    state: str = "open"  # then posted, voided or expired
    end: object = None


@dataclass
class Twin:
    """`post`, `hold` and `finish` answer [(line, code)] of what changed nothing."""

    chart: tuple
    balances: dict = field(default_factory=lambda: defaultdict(int))
    debits: dict = field(default_factory=lambda: defaultdict(int))  # pending
    credits: dict = field(default_factory=lambda: defaultdict(int))  # pending
    transfers: dict = field(default_factory=dict)
    holds: dict = field(default_factory=dict)
    ends: dict = field(default_factory=dict)
    limits: dict = field(default_factory=dict)
    closed: set = field(default_factory=set)
    periods: dict = field(default_factory=dict)

    def post(self, batch):
        before = set(self.transfers)
        return self._each(batch, lambda transfer: self._post(transfer, before))

    def hold(self, batch, now):
        return self._each(batch, lambda hold: self._hold(hold, now))

    def finish(self, batch, now):
        return self._each(batch, lambda finish: self._finish(finish, now))

    def release_expired(self, now):
        late = [held for held in self.holds.values() if held.state == "open" and held.hold.expires_at <= now]
        for held in late:
            self._end(held, "expired")
        return len(late)

    @staticmethod
    def _each(batch, action):
        answers = [(line, action(entry)) for line, entry in enumerate(batch, 1)]
        return [(line, code) for line, code in answers if code]

    # transfers

    def _post(self, transfer, before):
        body = self.transfer_body(transfer)
        if transfer.key in self.transfers:
            return "duplicate" if self.transfers[transfer.key].body == body else "conflict"
        code = (
            self._wrong_legs(transfer.legs)
            or self._closed_account(transfer.legs)
            or self._closed_period(transfer)
            or (transfer.reverses is not None and self._wrong_reversal(transfer, before))
            or self._beyond_limit(transfer.legs)
        )
        if code:
            return code
        self._write(transfer.key, body, transfer.legs)
        if transfer.reverses is not None:
            self.transfers[transfer.reverses].reversed = True
        return None

    @staticmethod
    def transfer_body(transfer):
        return (
            transfer.kind,
            transfer.source,
            transfer.effective_at,
            transfer.legs,
            transfer.reverses,
            transfer.party,
        )

    def _write(self, key, body, legs):
        self.transfers[key] = Posted(body, legs)
        for leg in legs:
            self.balances[leg.account, leg.currency] += leg.amount_minor

    def _wrong_legs(self, legs):
        if len(legs) < 2:
            return "no_legs"
        if any(leg.amount_minor == 0 for leg in legs):
            return "zero_amount"
        if any(abs(leg.amount_minor) > LARGEST for leg in legs):
            return "amount_too_large"
        if not all(self.chart_knows(leg.account) for leg in legs):
            return "unknown_account"
        for currency in {leg.currency for leg in legs}:
            if sum(leg.amount_minor for leg in legs if leg.currency == currency) != 0:
                return "unbalanced"
        return None

    def chart_knows(self, code):
        return chart_pattern(self.chart).fullmatch(code) is not None

    def _closed_account(self, legs):
        return "account_closed" if any((leg.account, leg.currency) in self.closed for leg in legs) else None

    def _closed_period(self, entry, kind=None):
        kind = kind or entry.kind
        day = entry.effective_at.astimezone(UTC).date()
        for starts_on, ends_on, state in self.periods.values():
            shut = state == "closed" or (state == "soft" and not kind.startswith("close."))
            if shut and starts_on <= day < ends_on:
                return "period_closed"
        return None

    def _wrong_reversal(self, transfer, before):
        if transfer.reverses not in before:
            return "unknown_transfer"
        original = self.transfers[transfer.reverses]
        if not self.is_mirror(transfer.legs, original.legs):
            return "not_a_reversal"
        return "already_reversed" if original.reversed else None

    @staticmethod
    def is_mirror(legs, original):
        return by_account(legs) == {account: -amount for account, amount in by_account(original).items()}

    def _beyond_limit(self, legs):
        moves = by_account(legs)
        for account, amount in moves.items():
            floor, _ = self.limits.get(account, (None, None))
            if amount < 0 and floor is not None and self.balances[account] + amount - self.credits[account] < floor:
                return "below_limit"
        for account, amount in moves.items():
            _, ceiling = self.limits.get(account, (None, None))
            if amount > 0 and ceiling is not None and self.balances[account] + amount + self.debits[account] > ceiling:
                return "above_limit"
        return None

    # holds

    def _hold(self, hold, now):
        known = self.holds.get(hold.key)
        if known:
            return "duplicate" if known.hold == hold else "conflict"
        code = self._wrong_legs(hold.legs) or self._closed_account(hold.legs)
        if not code and hold.expires_at <= now:
            code = "hold_expired"
        code = code or self._hold_beyond_limit(hold.legs)
        if code:
            return code
        self.holds[hold.key] = Held(hold)
        self._pend(hold, 1)
        return None

    def _pend(self, hold, sign):
        for account, (debit, credit) in sides(hold.legs).items():
            self.debits[account] += sign * debit
            self.credits[account] += sign * credit

    def _hold_beyond_limit(self, legs):
        found = sides(legs)
        for account, (_, credit) in found.items():
            floor, _ = self.limits.get(account, (None, None))
            left = self.balances[account] - self.credits[account] - credit
            if floor is not None and self.lowers(account, legs) and left < floor:
                return "below_limit"
        for account, (debit, _) in found.items():
            _, ceiling = self.limits.get(account, (None, None))
            most = self.balances[account] + self.debits[account] + debit
            if ceiling is not None and self.raises(account, legs) and most > ceiling:
                return "above_limit"
        return None

    @staticmethod
    def lowers(account, legs):
        return by_account(legs).get(account, 0) < 0

    @staticmethod
    def raises(account, legs):
        return by_account(legs).get(account, 0) > 0

    def _end(self, held, state, finish=None):
        self._pend(held.hold, -1)
        held.state, held.end = state, finish

    def _finish(self, finish, now):
        code = self._finish_of_the_past(finish) or self._finish_of_no_open_hold(finish, now)
        if code:
            return code
        held = self.holds[finish.hold]
        if finish.how == "void":
            self._end(held, "voided", finish)
            self.ends[finish.key] = finish
            return None
        hold = held.hold
        legs = hold.legs if finish.legs is None else finish.legs
        code = (
            (finish.legs is not None and (self._wrong_legs(legs) or self._more_than_held(legs, hold.legs)))
            or self._closed_account(legs)
            or self._closed_period(finish, hold.kind)
        )
        if code:
            return code
        self._pend(hold, -1)
        code = self._beyond_limit(legs)
        self._pend(hold, 1)
        if code:
            return code
        self._end(held, "posted", finish)
        self.ends[finish.key] = finish
        self._write(finish.key, (hold.kind, hold.source, finish.effective_at, legs, None, hold.party), legs)
        return None

    def _finish_of_the_past(self, finish):
        if finish.key in self.ends:
            return "duplicate" if self.ends[finish.key] == finish else "conflict"
        return "conflict" if finish.key in self.transfers else None

    def _finish_of_no_open_hold(self, finish, now):
        held = self.holds.get(finish.hold)
        if held is None:
            return "unknown_hold"
        if held.state in {"posted", "voided"}:
            return f"hold_{held.state}"
        return "hold_expired" if held.state == "expired" or held.hold.expires_at <= now else None

    @staticmethod
    def _more_than_held(legs, held):
        room = by_account(held)
        for account, amount in by_account(legs).items():
            most = room.get(account, 0)
            if amount * most <= 0 or abs(amount) > abs(most):
                return "more_than_held"
        return None
