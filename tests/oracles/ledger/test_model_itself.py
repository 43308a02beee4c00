"""The twin on examples worked out by hand from docs/concepts/ledger.md, and what its random batches reach."""

import importlib.util
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from steward.contracts.ledger import Finish, Hold, Leg, Transfer

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
BANK, SALES, ADS = ("assets:bank", "GBP"), ("income:sales", "GBP"), ("expenses:ads", "GBP")
CHART = (BANK[0], SALES[0], ADS[0], "liabilities:payable:creators", "assets:clearing:{processor}", "fx:{currency}")


def load(name):
    spec = importlib.util.spec_from_file_location(f"twin_itself_{name}", Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


Twin, Batches = load("twin").Twin, load("batches").Batches


def legs(*moves):
    return tuple(Leg(account=a, currency=c, amount_minor=n) for (a, c), n in moves)


def pair(amount, debit=BANK, credit=SALES):
    return legs((debit, amount), (credit, -amount))


def transfer(key, own=None, **more):
    return Transfer(**{"key": key, "kind": "k", "effective_at": NOW, "source": "s", "legs": own or pair(10), **more})


def hold(key, own=None, hours=1):
    return Hold(
        key=key, kind="k", expires_at=NOW + timedelta(hours=hours), source="s", legs=own or pair(-10), party="p"
    )


def finish(key, of, how="post", own=None):
    return Finish(key=key, hold=of, how=how, effective_at=NOW, legs=own)


@pytest.fixture
def books():
    return Twin(CHART)


def code(answers):
    return [code for _, code in answers]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (legs((BANK, 5)), "no_legs"),
        (legs((BANK, 0), (SALES, 10**16)), "zero_amount"),
        (legs((BANK, 10**15 + 1), (("nowhere", "GBP"), 1)), "amount_too_large"),
        (legs((("assets:clearing:", "GBP"), 1), (SALES, 1)), "unknown_account"),
        (legs((BANK, 1), (("assets:bank", "EUR"), -1)), "unbalanced"),
        (pair(10**15), None),
        (legs((("assets:clearing:x.y-z", "GBP"), 1), (SALES, -1)), None),
    ],
)
def test_the_first_fault_of_legs_names_the_code(books, wrong, expected):
    assert code(books.post([transfer("t", wrong)])) == ([expected] if expected else [])
    assert code(books.hold([hold("h", wrong)], NOW)) == ([expected] if expected else [])


def test_one_key_is_one_body(books):
    assert books.post([transfer("t"), transfer("t"), transfer("t", party="p")]) == [(2, "duplicate"), (3, "conflict")]
    assert code(books.post([transfer("t", pair(10)[::-1])])) == ["conflict"]
    # A key that changed nothing is free.
    assert books.post([transfer("u", legs((BANK, 1))), transfer("u")]) == [(1, "no_legs")]


def test_limits_look_once_after_all_legs_and_only_at_the_side_moved_to(books):
    books.limits[BANK] = (0, 15)
    there_and_back = legs((BANK, -100), (BANK, 110), (SALES, -10))
    assert books.post([transfer("t", there_and_back)]) == []
    assert code(books.post([transfer("up", pair(6))])) == ["above_limit"]
    books.limits[BANK] = (50, 60)
    assert books.post([transfer("back", pair(5))]) == []  # still below its floor, and moving towards it
    assert code(books.post([transfer("on", pair(-1))])) == ["below_limit"]


def test_a_floor_stands_before_a_ceiling(books):
    books.limits.update({BANK: (None, 5), SALES: (-5, None)})
    assert code(books.post([transfer("t")])) == ["below_limit"]


def test_a_reversal_is_of_what_stood_before_and_happens_once(books):
    own = transfer("a", pair(-10), reverses="t")
    assert code(books.post([transfer("t"), own])) == ["unknown_transfer"]
    wrong, again = transfer("w", pair(-9), reverses="t"), transfer("b", pair(-10), reverses="t")
    assert code(books.post([wrong, own, again, wrong])) == ["not_a_reversal", "already_reversed", "not_a_reversal"]
    assert books.post([transfer("c", pair(10), reverses="a")]) == []  # a reversal may be reversed
    assert books.balances[BANK] == 10


def test_a_soft_period_takes_closing_entries_and_ends_the_day_before(books):
    books.periods["march"] = (date(2026, 3, 1), date(2026, 3, 16), "soft")
    close = transfer("c", kind="close.month")
    after = transfer("a", effective_at=datetime(2026, 3, 16, tzinfo=UTC))
    assert books.post([transfer("t"), close, transfer("x", kind="closed"), after]) == [
        (1, "period_closed"),
        (3, "period_closed"),
    ]
    books.periods["march"] = (date(2026, 3, 1), date(2026, 3, 16), "closed")
    assert code(books.post([transfer("d", kind="close.month")])) == ["period_closed"]


def test_what_is_held_counts_until_it_ends(books):
    books.post([transfer("t", pair(100))])
    books.limits[BANK] = (0, None)
    assert books.hold([hold("h", pair(-60)), hold("i", pair(-60))], NOW) == [(2, "below_limit")]
    assert code(books.post([transfer("u", pair(-41))])) == ["below_limit"]
    ends = [
        finish("f", "h", own=pair(-61)),
        finish("f", "h", own=pair(1)),
        finish("f", "h", own=pair(-1, credit=ADS)),
        finish("f", "h", own=pair(-20)),
        finish("f", "h", own=pair(-20)),
        finish("f", "h"),
        finish("g", "h", "void"),
        finish("t", "h"),
        finish("g", "none"),
    ]
    more, done = ["more_than_held"] * 3, ["duplicate", "conflict", "hold_posted", "conflict", "unknown_hold"]
    assert code(books.finish(ends, NOW)) == more + done
    assert (books.balances[BANK], books.credits[BANK], books.debits[SALES]) == (80, 0, 0)


def test_an_expired_hold_counts_until_it_is_released(books):
    assert code(books.hold([hold("late", hours=0), hold("h")], NOW)) == ["hold_expired"]
    then = NOW + timedelta(hours=1)
    assert code(books.finish([finish("f", "h", "void")], then)) == ["hold_expired"]
    assert (books.credits[BANK], books.release_expired(then), books.release_expired(then)) == (10, 1, 0)
    assert books.credits[BANK] == 0
    assert code(books.finish([finish("f", "h")], NOW)) == ["hold_expired"]


def test_a_closed_account_lets_go_of_what_it_holds(books):
    books.hold([hold("h"), hold("i")], NOW)
    books.closed.add(BANK)
    assert books.finish([finish("f", "h"), finish("g", "i", "void")], NOW) == [(1, "account_closed")]
    assert code(books.hold([hold("j", hours=-1)], NOW)) == ["account_closed"]


def test_random_batches_reach_every_code_often_and_amounts_are_sums(books):
    codes, sizes, done = Counter(), Counter(), 0
    for what, argument in (made := Batches(3, books)):
        if what in {"post", "hold", "finish"}:
            answered = books.post(argument) if what == "post" else getattr(books, what)(argument, made.now)
            codes.update(f"{what} {code}" for _, code in answered)
            sizes[what] += len(argument) - len(answered)
            done += len(argument)
        elif what == "release":
            books.release_expired(made.now)
        elif what == "limits":
            books.limits[argument[:2]] = argument[2:]
        elif what == "period":
            books.periods[argument[0]] = argument[1:]
        if done >= 12_000:
            break
    shared = (
        "duplicate conflict no_legs zero_amount amount_too_large unknown_account unbalanced below_limit above_limit"
    )
    own = {
        "post": "period_closed unknown_transfer not_a_reversal already_reversed",
        "hold": "hold_expired",
        "finish": "unknown_hold hold_posted hold_voided hold_expired more_than_held period_closed",
    }
    rare = {f"{what} {code}": codes[f"{what} {code}"] for what in own for code in f"{shared} {own[what]}".split()}
    assert {code: seen for code, seen in rare.items() if seen < 3} == {}
    assert min(sizes.values()) > 300
    standing = [held.hold for held in books.holds.values() if held.state == "open"]
    for account in books.balances:
        posted = [
            n.amount_minor for t in books.transfers.values() for n in t.legs if (n.account, n.currency) == account
        ]
        held = [n.amount_minor for h in standing for n in h.legs if (n.account, n.currency) == account]
        assert books.balances[account] == sum(posted)
        assert books.debits[account] == sum(n for n in held if n > 0)
        assert books.credits[account] == -sum(n for n in held if n < 0)
