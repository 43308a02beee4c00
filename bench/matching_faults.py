"""Fourteen kinds of fault, two hundred each, put into the rows or the books of a year; and which items each touches."""

import random
from dataclasses import replace
from datetime import timedelta

from matching_data import Row, parted
from msgspec.structs import replace as altered

from steward.reconciliation.core.breaks import BREAKS

EACH = 200


class Injector:
    """Spoils rows that are due, each at most once."""

    def __init__(self, made, seed):
        self.made, self.pick = made, random.Random(seed)
        due = made.as_of - timedelta(days=25)
        self.free = [n for n, row in enumerate(made.rows) if not row.fault and row.line.at < due]
        self.pick.shuffle(self.free)
        self.removed, self.added, self.faults = set(), [], []

    def rows(self, count, wanted):
        """Places of `count` rows that were not spoilt, of those wanted."""
        chosen = [n for n in self.free if wanted(self.made.rows[n])][:count]
        assert len(chosen) == count, "not enough rows of this kind"
        gone = set(chosen)
        self.free = [n for n in self.free if n not in gone]
        return chosen

    def named(self, fault, row, *more, books=True):
        """One fault: the items whose break must bear its name."""
        keys = {f"{row.provider}/{row.payout:06d}/{line.key}" for line in (row.line, *more)}
        self.faults.append((fault, frozenset(keys | (set(row.truth) if books else set()))))

    def change(self, n, fault, **changes):
        row = self.made.rows[n]
        line = altered(row.line, **changes)
        line = altered(line, net_minor=line.gross_minor - line.fee_minor)
        self.made.rows[n] = replace(row, line=line, fault=fault)
        self.named(fault, self.made.rows[n])

    def add(self, row, fault, **changes):
        line = altered(row.line, key=f"x{len(self.added)}-{fault}", **changes)
        line = altered(line, net_minor=line.gross_minor - line.fee_minor)
        made = Row(row.provider, row.payout, line, (), fault)
        self.added.append(made)
        return made


def kind(*types):
    return lambda row: row.line.type in types


def off(pick, least=2):
    return pick.choice((-1, 1)) * pick.randrange(least, 900)


def missing(spoil):
    for n in spoil.rows(EACH // 2, kind("payment", "refund")):
        spoil.removed.add(n)
        spoil.faults.append(("missing", frozenset(spoil.made.rows[n].truth)))
    for n in spoil.rows(EACH - EACH // 2, kind("payment")):  # an order that the books lost
        row = spoil.made.rows[n]
        del spoil.made.moves[row.truth[0]]
        spoil.made.rows[n] = replace(row, truth=(), fault="missing")
        spoil.named("missing", row, books=False)


def duplicate(spoil):
    for n in spoil.rows(EACH, kind("payment", "refund", "dispute")):
        row = spoil.made.rows[n]
        spoil.made.rows[n] = replace(row, fault="duplicate")
        again = spoil.add(row, "duplicate", at=row.line.at + timedelta(minutes=7))
        spoil.added[-1] = replace(again, truth=row.truth)
        spoil.faults.append(("duplicate", frozenset(f"{r.provider}/{r.payout:06d}/{r.line.key}" for r in (row, again))))


def amount(spoil):
    for n in spoil.rows(EACH, kind("payment", "refund", "dispute")):
        spoil.change(n, "amount", gross_minor=spoil.made.rows[n].line.gross_minor + off(spoil.pick))


def fee(spoil):
    for n in spoil.rows(EACH, kind("payment")):
        spoil.change(n, "fee", fee_minor=spoil.made.rows[n].line.fee_minor + off(spoil.pick))


def fx(spoil):
    for n in spoil.rows(EACH, lambda row: row.line.type == "conversion" and row.line.currency == "USD"):
        spoil.change(n, "fx", gross_minor=spoil.made.rows[n].line.gross_minor + off(spoil.pick, 3))


def date(spoil):
    for n in spoil.rows(EACH, kind("payment", "refund", "dispute")):
        line = spoil.made.rows[n].line
        spoil.change(n, "date", day=line.at.date() - timedelta(days=spoil.pick.randrange(1, 9)))


def late(spoil):
    for n in spoil.rows(EACH, kind("payment", "refund", "dispute")):
        spoil.change(n, "late", day=spoil.made.rows[n].line.at.date() + timedelta(days=spoil.pick.randrange(12, 40)))


def orphan_refund(spoil):
    for number, n in enumerate(spoil.rows(EACH, kind("payment"))):
        row = spoil.made.rows[n]
        spoil.made.rows[n] = replace(row, fault="beside")
        order = row.line.refs[-1] if number % 2 else ("order", f"lm9999{spoil.pick.randrange(16**14):014x}")
        refs = (("transaction", f"txn_zz{number:06d}{spoil.pick.randrange(10**9):09d}"), order)
        gross = -row.line.gross_minor * spoil.pick.randrange(30, 100) // 100
        added = spoil.add(
            row, "orphan_refund", type="refund", raw_type="refund", gross_minor=gross, fee_minor=0, refs=refs
        )
        spoil.named("orphan_refund", added)


def unknown_type(spoil):
    for n in spoil.rows(EACH, kind("payment", "refund", "dispute")):
        spoil.change(n, "unknown_type", type="unknown", raw_type=f"T9{spoil.pick.randrange(100):02d}")


def reserve(spoil):
    for n in spoil.rows(EACH // 2, kind("reserve_hold", "reserve_release")):
        spoil.change(n, "reserve", gross_minor=spoil.made.rows[n].line.gross_minor + off(spoil.pick))
    for number, n in enumerate(spoil.rows(EACH - EACH // 2, kind("payment"))):
        row = spoil.made.rows[n]
        spoil.made.rows[n] = replace(row, fault="beside")
        refs = (("transaction", f"rsv-zz{number:06d}{spoil.pick.randrange(10**9):09d}"),)
        gross, name = -spoil.pick.randrange(5_000, 90_000), "reserve_hold"
        added = spoil.add(row, "reserve", type=name, raw_type=name, gross_minor=gross, fee_minor=0, refs=refs)
        spoil.named("reserve", added)


def currency(spoil):
    for n in spoil.rows(EACH, kind("payment", "refund", "dispute")):
        spoil.change(n, "currency", currency=spoil.pick.choice(("EUR", "GBP", "CAD")))


def split(spoil):
    for n in spoil.rows(EACH, lambda row: row.line.type == "payment" and row.line.gross_minor > 1_000):
        row = spoil.made.rows[n]
        first, rest = parted(row.line, row.line.gross_minor * spoil.pick.randrange(20, 60) // 100)
        second, _ = parted(rest, rest.gross_minor * spoil.pick.randrange(40, 80) // 100)  # the last part never comes
        spoil.made.rows[n] = replace(row, line=first, fault="split")
        spoil.added.append(replace(row, line=second, fault="split"))
        spoil.named("split", spoil.made.rows[n], second)


def negative_payout(spoil):
    for number, n in enumerate(spoil.rows(EACH, kind("payment"))):
        row = spoil.made.rows[n]
        spoil.made.rows[n] = replace(row, fault="beside")
        gross, refs = spoil.pick.randrange(1_000, 500_000), (("payout", f"po_zz_{number:09d}"),)
        more = {"type": "payout", "raw_type": "payout", "gross_minor": gross, "fee_minor": 0, "refs": refs}
        spoil.named("negative_payout", spoil.add(row, "negative_payout", **more))


def chargeback(spoil):
    for number, n in enumerate(spoil.rows(EACH, kind("payment"))):
        row = spoil.made.rows[n]
        spoil.made.rows[n] = replace(row, fault="beside")
        own = (("transaction", f"txn_yy{number:06d}{spoil.pick.randrange(10**9):09d}"),)
        refs = own + tuple(ref for ref in row.line.refs if ref[0] in {"payment", "order"})
        more = {"type": "dispute", "raw_type": "dispute", "gross_minor": -row.line.gross_minor, "fee_minor": 1_500}
        spoil.named("chargeback", spoil.add(row, "chargeback", refs=refs, **more))


KINDS = { "fx": fx, "reserve": reserve, "missing": missing, "duplicate": duplicate, "amount": amount, "fee": fee,
"date": date, "late": late, "orphan_refund": orphan_refund, "unknown_type": unknown_type, "currency": currency,
"split": split, "negative_payout": negative_payout, "chargeback": chargeback }  # fmt: skip


def spoilt(made, seed=14):
    """A copy of the year with every fault in it."""
    assert set(KINDS) == set(BREAKS)
    copy = replace(made, rows=list(made.rows), moves=dict(made.moves), faults=[])
    spoil = Injector(copy, seed)
    for inject in KINDS.values():
        inject(spoil)
    copy.rows = [row for n, row in enumerate(copy.rows) if n not in spoil.removed] + spoil.added
    copy.faults = spoil.faults
    return copy
