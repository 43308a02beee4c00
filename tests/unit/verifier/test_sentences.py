"""Rules in plain English: examples a person read, and every shipped rule without syntax left over."""

import re

import pytest

from steward.catalog import load_catalog
from steward.kernel.errors import BadInput
from steward.verifier.core.catalog import read_catalog
from steward.verifier.core.describe import Describer, told
from steward.verifier.core.formula import parse
from steward.verifier.core.sentences import English

EXAMPLES = [
    ("a.b + 1 <= limit.c", "A b plus 1 is at most the limit “c” (now 3)."),
    ("not (x or y) and z", "It is not so that (x is true, or y is true), and z is true."),
    ("(a + b) * c >= a - (b - c)", "(A plus b) times c is at least a minus (b minus c)."),
    ("a implies b and c", "If a is true, then b is true, and c is true."),
    (
        "all(p in purchases: p.amount <= GBP 1200.50)",
        "For every purchase in purchases, the purchase's amount is at most GBP 1,200.50.",
    ),
    (
        "any(s in order.slots: s.n > 0) or x",
        "(For at least one slot in order slots, the slot's n is more than 0), or x is true.",
    ),
    (
        "count(p in people: p != principal.id) >= 2",
        "The number of people for which the person is not whoever acts is at least 2.",
    ),
    ("now - a <= 36h", "The present time minus a is at most 36 hours."),
    ("abs(a - b) <= 0.15 * b", "The distance between a and b is at most 0.15 times b."),
    ('action.to in {"a", "b"}', "The action's to is one of “a” and “b”."),
    ('"owner" in principal.roles', "Whoever acts is an owner."),
    ('action.reason != ""', "The action's reason is not empty."),
    ("(if a then 1 else 0) = min(b, c)", "(1 if a is true, and otherwise 0) is the least of b and c."),
    ("sum(x in xs: max(y in ys: y.n)) = 0", "The sum of the greatest of the y's n over all ys over all xs is 0."),
]


@pytest.fixture(scope="module")
def describer():
    shipped = load_catalog()
    catalog, troubles = read_catalog(shipped.documents)
    assert not troubles
    return Describer(catalog, shipped.limit_facts(), {}, shipped.documents)


@pytest.mark.parametrize(("formula", "sentence"), EXAMPLES)
def test_a_formula_reads_as_a_sentence(formula, sentence):
    assert English({"limit.c": "3"}.get).sentence(parse(formula)) == sentence


def sentences(found):
    yield from [found["sentence"]] if "sentence" in found else []
    yield from found.get("effect", ())
    yield from (rule["sentence"] for rule in found.get("rules", ()))


def test_no_shipped_rule_leaves_syntax_over_and_each_reads_the_same_twice(describer):
    names = describer.names()
    assert len(names) > 200
    for name in names:
        found = describer.describe(name)
        assert told(found) == told(describer.describe(name))
        for text in sentences(found):
            bare = re.sub(r"“[^”]*”", "", text)
            assert not re.search(r"[<>=*/{}_+]|\w\.[a-z]|\blimit\.|\bimplies\b", bare), (name, text)


def test_uncertain_facts_say_what_they_range_over(describer):
    cap = {fact["name"]: fact["uncertain"] for fact in describer.describe("daily-refund-cap")["facts"]}
    assert "any subset" in cap["refunds.in_flight"]
    assert cap["refunds.today"] == ""
    floor = {fact["name"]: fact["uncertain"] for fact in describer.describe("margin-floor")["facts"]}
    assert "interval" in floor["demand"]


def test_limits_stand_in_words(describer):
    assert "GBP 3,000.00" in describer.describe("daily-refund-cap")["sentence"]


def test_an_effect_says_what_grows_and_what_stays(describer):
    effect = describer.describe("refund.issue")["effect"]
    assert effect[0] == "refunds in flight grows by the action's amount"
    assert any("it stays as it is" in line for line in effect)


def test_an_unknown_name_suggests_the_nearest(describer):
    with pytest.raises(BadInput, match="margin-flor") as refused:
        describer.describe("margin-flor")
    assert refused.value.fix == "did you mean margin-floor?"
