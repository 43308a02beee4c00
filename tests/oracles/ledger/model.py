"""The books as one would keep them by hand: one operation after another, dicts and plain loops, from
docs/concepts/ledger.md alone.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC

MOST = 10**15


def body(entry):
    return entry.model_copy(update={"key": ""})


def nets(legs):
    """Sum of the legs by account."""
    found = defaultdict(int)
    for leg in legs:
        found[leg.account, leg.currency] += leg.amount_minor
    return found


def sides(legs):
    """Pending debits and credits by account."""
    found = defaultdict(lambda: [0, 0])
    for leg in legs:
        found[leg.account, leg.currency][leg.amount_minor < 0] += abs(leg.amount_minor)
    return found


@dataclass
class Books:
    known: set  # codes that the chart has
    transfers: dict = field(default_factory=dict)  # key -> transfer
    reversed: set = field(default_factory=set)
    holds: dict = field(default_factory=dict)
    ends: dict = field(default_factory=dict)  # key of the end -> its body
    ended: dict = field(default_factory=dict)  # key of the hold -> posted, voided, expired
    balances: dict = field(default_factory=lambda: defaultdict(int))
    pending: dict = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    limits: dict = field(default_factory=dict)
    closed: set = field(default_factory=set)
    periods: dict = field(default_factory=dict)  # name -> (starts, ends, state)

    def post(self, batch):
        before = set(self.transfers)
        return [code for line, entry in enumerate(batch, 1) if (code := (line, self.post_one(entry, before)))[1]]

    def post_one(self, transfer, before):
        if transfer.key in self.transfers:
            return "duplicate" if body(self.transfers[transfer.key]) == body(transfer) else "conflict"
        code = self.legs_code(transfer.legs)
        code = code or self.closed_code(transfer.legs) or self.period_code(transfer.effective_at, transfer.kind)
        code = code or self.reversal_code(transfer, before) or self.limit_code(transfer.legs)
        if not code:
            self.write(transfer)
        return code

    def write(self, transfer):
        self.transfers[transfer.key] = transfer
        if transfer.reverses:
            self.reversed.add(transfer.reverses)
        for leg in transfer.legs:
            self.balances[leg.account, leg.currency] += leg.amount_minor

    def legs_code(self, legs):
        if len(legs) < 2:
            return "no_legs"
        if any(leg.amount_minor == 0 for leg in legs):
            return "zero_amount"
        if any(abs(leg.amount_minor) > MOST for leg in legs):
            return "amount_too_large"
        if any(leg.account not in self.known for leg in legs):
            return "unknown_account"
        totals = defaultdict(int)
        for leg in legs:
            totals[leg.currency] += leg.amount_minor
        return "unbalanced" if any(totals.values()) else ""

    def closed_code(self, legs):
        return "account_closed" if any((leg.account, leg.currency) in self.closed for leg in legs) else ""

    def period_code(self, at, kind):
        day = at.astimezone(UTC).date()
        for starts, ends, state in self.periods.values():
            shut = state == "closed" or (state == "soft" and not kind.startswith("close."))
            if starts <= day < ends and shut:
                return "period_closed"
        return ""

    def reversal_code(self, transfer, before):
        if transfer.reverses is None:
            return ""
        if transfer.reverses not in before:
            return "unknown_transfer"
        original, own = nets(self.transfers[transfer.reverses].legs), nets(transfer.legs)
        if any(original[name] + own[name] for name in {*original, *own}):
            return "not_a_reversal"
        return "already_reversed" if transfer.reverses in self.reversed else ""

    def limit_code(self, legs, *, posts=True, released=()):
        """What limit would be broken if these legs were posted (or held), with `released` legs no longer pending."""
        moved, own, gone = nets(legs), sides(legs), sides(released)
        codes = set()
        for name, net in moved.items():
            floor, ceiling = self.limits.get(name, (None, None))
            amount = self.balances[name] + (net if posts else 0)
            debited = self.pending[name][0] - gone[name][0] + (0 if posts else own[name][0])
            credited = self.pending[name][1] - gone[name][1] + (0 if posts else own[name][1])
            if net < 0 and floor is not None and amount - credited < floor:
                codes.add("below_limit")
            if net > 0 and ceiling is not None and amount + debited > ceiling:
                codes.add("above_limit")
        return "below_limit" if "below_limit" in codes else "above_limit" if codes else ""

    def hold(self, batch, now):
        return [code for line, entry in enumerate(batch, 1) if (code := (line, self.hold_one(entry, now)))[1]]

    def hold_one(self, hold, now):
        if hold.key in self.holds:
            return "duplicate" if body(self.holds[hold.key]) == body(hold) else "conflict"
        code = self.legs_code(hold.legs) or self.closed_code(hold.legs)
        code = code or ("hold_expired" if hold.expires_at <= now else "") or self.limit_code(hold.legs, posts=False)
        if not code:
            self.holds[hold.key] = hold
            for name, (debit, credit) in sides(hold.legs).items():
                self.pending[name][0] += debit
                self.pending[name][1] += credit
        return code

    def finish(self, batch, now):
        return [code for line, entry in enumerate(batch, 1) if (code := (line, self.finish_one(entry, now)))[1]]

    def finish_one(self, finish, now):
        if finish.key in self.ends:
            return "duplicate" if self.ends[finish.key] == body(finish) else "conflict"
        if finish.key in self.transfers:
            return "conflict"
        if finish.hold not in self.holds:
            return "unknown_hold"
        if finish.hold in self.ended:
            return f"hold_{self.ended[finish.hold]}"
        hold = self.holds[finish.hold]
        if hold.expires_at <= now:
            return "hold_expired"
        if finish.how == "void":
            self.end(finish, "voided")
            return ""
        legs = hold.legs if finish.legs is None else finish.legs
        code = self.legs_code(legs) or self.more_code(legs, hold.legs) or self.closed_code(legs)
        code = code or self.period_code(finish.effective_at, hold.kind) or self.limit_code(legs, released=hold.legs)
        if not code:
            self.end(finish, "posted")
            from steward.contracts.ledger import Transfer

            self.write(
                Transfer(
                    key=finish.key, kind=hold.kind, effective_at=finish.effective_at, source=hold.source, legs=legs,
                    party=hold.party,
                )
            )  # fmt: skip
        return code

    def more_code(self, legs, held):
        wanted, have = nets(legs), nets(held)
        for name, net in wanted.items():
            low, high = min(have[name], 0), max(have[name], 0)
            if not low <= net <= high:
                return "more_than_held"
        return ""

    def end(self, finish, how):
        self.ends[finish.key] = body(finish)
        self.release(finish.hold, how)

    def release(self, key, how):
        self.ended[key] = how
        for name, (debit, credit) in sides(self.holds[key].legs).items():
            self.pending[name][0] -= debit
            self.pending[name][1] -= credit

    def release_expired(self, now):
        due = [key for key, hold in self.holds.items() if key not in self.ended and hold.expires_at <= now]
        for key in due:
            self.release(key, "expired")
        return len(due)
