"""The published grammar and the parser read the same language: same trees, same refusals."""

import random
import re
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark, Transformer, Tree
from lark.exceptions import LarkError, VisitError
from tests.laws.verifier.test_formula_laws import formulas

from steward.catalog import load_catalog, places
from steward.kernel.errors import BadInput
from steward.verifier.core.formula import parse
from steward.verifier.core.printer import show
from steward.verifier.core.syntax import Apply, Braces, Choose, Fold, Reference

GRAMMAR = (files("steward.verifier.core") / "grammar.lark").read_text(encoding="utf-8")


class Trees(Transformer):
    """Lark's tree as ours. Leaves are words, read by the parser that knows units."""

    def start(self, found):
        return found[0]

    def literal(self, found):
        return parse(str(found[0]))

    def reference(self, found):
        return Reference(str(found[0]))

    def choose(self, found):
        return Choose(*found)

    def implies(self, found):
        return Apply("implies", tuple(found))

    def disjoined(self, found):
        return Apply("or", tuple(found))

    def conjoined(self, found):
        return Apply("and", tuple(found))

    def negated(self, found):
        return Apply("not", tuple(found))

    def minus(self, found):
        return Apply("-", (found[1],))

    def within(self, found):
        return Apply("in", tuple(found))

    def without(self, found):
        return Apply("not", (Apply("in", tuple(found)),))

    def compared(self, found):
        return Apply(str(found[1]), (found[0], found[2]))

    def braces(self, found):
        return Braces(tuple(item for item in found if item is not None))

    def fold(self, found):
        return Fold(str(found[0]), str(found[1]), found[2], found[3])

    def call(self, found):
        return Apply(str(found[0]), tuple(found[1:]))


def reader(grammar=GRAMMAR):
    return Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=True)


LARK = reader()


def by_lark(text, lark=LARK):
    """The tree by the grammar, or None where it refuses."""
    try:
        found = Trees().transform(lark.parse(text))
    except VisitError as error:
        if not isinstance(error.orig_exc, BadInput):
            raise
        return None
    except LarkError:
        return None
    assert not isinstance(found, Tree)
    return found


def by_hand(text):
    try:
        return parse(text)
    except BadInput:
        return None


def shipped():
    root = files("steward.catalog")
    for folder in ("actions", "invariants"):
        for file in sorted((root / folder).iterdir(), key=lambda entry: entry.name):
            if file.name.endswith(".yaml"):
                yield from (place.text for place in places(file.read_text(encoding="utf-8"), file.name))


@given(formulas)
@settings(max_examples=300, deadline=None)
def test_generated_formulas_read_the_same(node):
    text = show(node)
    assert by_lark(text) == by_hand(text) == node


def test_the_shipped_catalog_reads_the_same():
    texts = list(shipped())
    assert len(texts) > 200
    assert load_catalog().kinds
    for text in texts:
        assert by_lark(text) == parse(text), text


PIECES = ["and", "or", "not", "in", "=", "<=", "!=", "(", ")", "{", "}", ",", ":", "-", "*", "if", "then", "else", "x"]
PIECES += [
    "1",
    "0.5",
    "24h",
    "GBP 12.50",
    "GBP",
    '"t"',
    "true",
    "min",
    "all",
    "a.b",
    "now",
    "implies",
    "!",
    "%",
    ".",
    "#",
    "&",
]


def mutated(text, pick):
    words = re.findall(r'"[^"]*"|[\w.]+|\s+|[^\w\s]', text)
    for _ in range(pick.randint(1, 2)):
        at = pick.randrange(len(words) + 1)
        shape = pick.random()
        if shape < 0.4:
            words.insert(at, pick.choice(PIECES))
        elif shape < 0.7 and words:
            del words[min(at, len(words) - 1)]
        elif words:
            words[min(at, len(words) - 1)] = pick.choice(PIECES)
    return "".join(words) if pick.random() < 0.5 else " ".join(words)


def disagreements(lark, pick, count):
    texts = [text for text in shipped() if len(text) < 200]
    found, refused = [], 0
    for _ in range(count):
        text = mutated(pick.choice(texts), pick)
        hand = by_hand(text)
        refused += hand is None
        if by_lark(text, lark) != hand:
            found.append(text)
    return found, refused


def test_mutated_texts_are_refused_by_both_or_read_the_same():
    found, refused = disagreements(LARK, random.Random(7), 3_000)
    assert found == []
    assert refused > 1_000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"not" negation', '"not" comparison'),
        ('disjunction "or" conjunction', 'conjunction "or" disjunction'),
        ('ANY: "any"', 'ANY: "some"'),
    ],
)
def test_a_grammar_that_differs_is_noticed(old, new):
    assert GRAMMAR.count(old) == 1
    changed = reader(GRAMMAR.replace(old, new))
    samples = ["not not a", "a or b or c", "any(x in xs: x)"]
    assert any(by_lark(text, changed) != by_hand(text) for text in samples)


@given(st.text(alphabet="ab.1 =<>(){}[],:-+*/\"'GBPin#\\\n", max_size=14))
@settings(max_examples=500, deadline=None)
def test_any_text_is_read_alike(text):
    assert by_lark(text) == by_hand(text)


MIN_MAX = [
    ("min(x in xs, y)", None),
    ("max(x in xs: x.a)", "a fold"),
    ("max(x in xs + ys: x)", "a fold"),
    ("min(x in {1, 2} and y, z)", None),
    ("min((x in xs), y)", "a call"),
    ("min(x in min(y in ys: y): max((x in xs), z))", "a fold"),
    ("min(a.b in xs, y)", "a call"),
    ("min(now in xs, y)", "a call"),
    ("min(true in xs, y)", "a call"),
    ("min(x not in xs, y)", "a call"),
    ("min(a.b in xs: 1)", None),
    ("min(now in xs: 1)", None),
    ("min(min in xs: 1)", None),
    ("min((x in xs): x)", None),
    ("min(x in xs and y: x)", None),
    ("min(x in xs)", None),
    ("min(x not in xs: x)", None),
    ("min(not in xs: x)", None),
    ("min(x in xs: x, y)", None),
    ("min(x in xs, y: z)", None),
    ("sum(x in xs, y)", None),
    ("abs(x in xs)", "a call"),
    ("abs(x in xs: x)", None),
]


@pytest.mark.parametrize(("text", "read"), MIN_MAX)
def test_min_and_max_of_a_membership_and_over_a_list_are_told_apart(text, read):
    found = by_hand(text)
    assert by_lark(text) == found
    assert {Fold: "a fold", Apply: "a call"}.get(type(found)) == read


pieces = st.lists(st.sampled_from(["min(", "max(", "sum(", "x", " in ", "xs", ":", ",", ")", "(", " and ", "not "]))


@given(pieces.map("".join))
@settings(max_examples=1_500, deadline=None)
def test_any_pieces_of_min_and_max_are_read_alike(text):
    assert by_lark(text) == by_hand(text)
