"""The nearest parameters certify, and on a small lattice nothing nearer does: by a twin that tries every value."""

import itertools
import operator

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from tests.laws.verifier.test_refinement_laws import InProcess

from steward.verifier import Verifier

CALM = [HealthCheck.too_slow, HealthCheck.filter_too_much]
NOW = "2026-01-01T00:00:00Z"
OPERATORS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
REACH = 60
small = st.integers(-3, 3)
atoms = st.tuples(st.just("atom"), small, small, small, st.integers(-9, 9), st.sampled_from(sorted(OPERATORS)))
trees = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or", "implies"]), inner, inner), st.tuples(st.just("not"), inner)
    ),
    max_leaves=4,
)
rules = st.lists(st.tuples(trees, st.sampled_from(["deny", "deny", "escalate"])), min_size=1, max_size=3)
points = st.tuples(st.integers(-8, 8), st.integers(-8, 8))
ground = st.integers(-4, 4).map(lambda value: (value, value))
ranges = st.tuples(st.integers(-4, 4), st.integers(0, 3)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def text(tree):
    if tree[0] == "atom":
        _, x, y, fact, number, sign = tree
        return f"{x} * action.x + {y} * action.y + {fact} * stock {sign} {number}"
    if tree[0] == "not":
        return f"not ({text(tree[1])})"
    return f"({text(tree[1])}) {tree[0]} ({text(tree[2])})"


def holds(tree, x, y, fact):
    """The twin's own reading of a rule."""
    match tree:
        case "atom", a, b, c, number, sign:
            return OPERATORS[sign](a * x + b * y + c * fact, number)
        case "not", inner:
            return not holds(inner, x, y, fact)
        case "and", one, other:
            return holds(one, x, y, fact) and holds(other, x, y, fact)
        case "or", one, other:
            return holds(one, x, y, fact) or holds(other, x, y, fact)
        case _, one, other:
            return not holds(one, x, y, fact) or holds(other, x, y, fact)


def verifier_of(written):
    document = {
        "facts": [{"name": "stock", "type": "int"}],
        "kinds": [{"name": "act", "params": {"x": "int", "y": "int"}}],
        "invariants": [
            {"id": f"r{n}", "on": ["act"], "require": text(tree), "otherwise": word, "why": "w"}
            for n, (tree, word) in enumerate(written)
        ],
    }
    return Verifier.from_documents([("laws", document)], prover=InProcess())


def verdict_at(verifier, point, facts, *, suggests=False):
    params = dict(zip("xy", point, strict=True))
    action = {"id": "a", "kind": "act", "params": params, "principal": {"id": "p", "roles": []}}
    return verifier.certify(action, facts, NOW, suggests=suggests)


def moves(point):
    """Every change of one parameter, nearest first."""
    for step in range(1, REACH + 1):
        for index, sign in itertools.product((0, 1), (-1, 1)):
            moved = list(point)
            moved[index] += sign * step
            yield step, tuple(moved)


def facts_of(ends):
    low, high = ends
    return {"stock": low if low == high else {"low": low, "high": high}}


def moved(point, nearest):
    return tuple(nearest.get(name, value) for name, value in zip("xy", point, strict=True))


@given(rules, points, ground)
@settings(max_examples=120, deadline=None, suppress_health_check=CALM)
def test_with_known_facts_nothing_nearer_is_allowed(written, point, ends):
    verifier = verifier_of(written)
    verdict = verdict_at(verifier, point, facts_of(ends), suggests=True)
    assert verdict.verdict == "DENY" or verdict.nearest == {}
    if verdict.verdict != "DENY":
        return
    right = (s for s, at in moves(point) if all(holds(tree, *at, ends[0]) for tree, _ in written))
    wanted = next(right, None)
    event("nothing would be allowed" if wanted is None else f"{min(wanted, 5)} or more away")
    assert bool(verdict.nearest) == (wanted is not None)
    if verdict.nearest:
        found = moved(point, verdict.nearest)
        assert len(verdict.nearest) == 1
        assert verdict_at(verifier, found, facts_of(ends)).verdict == "ALLOW"
        assert sum(abs(one - other) for one, other in zip(found, point, strict=True)) == wanted


@given(rules, points, ranges)
@settings(max_examples=60, deadline=None, suppress_health_check=CALM)
def test_with_uncertain_facts_it_certifies_and_nothing_nearer_does(written, point, ends):
    verifier = verifier_of(written)
    verdict = verdict_at(verifier, point, facts_of(ends), suggests=True)
    if verdict.verdict != "DENY":
        return
    values = range(ends[0], ends[1] + 1)
    found = moved(point, verdict.nearest)
    distance = sum(abs(one - other) for one, other in zip(found, point, strict=True)) or REACH
    event("suggested" if verdict.nearest else "nothing suggested")
    if verdict.nearest:
        assert verdict_at(verifier, found, facts_of(ends)).verdict == "ALLOW"
        assert all(holds(tree, *found, value) for tree, _ in written for value in values)
    nearer = (at for step, at in moves(point) if step < distance)
    hopeful = (at for at in nearer if all(holds(tree, *at, value) for tree, _ in written for value in values))
    for at in itertools.islice(hopeful, 5):
        assert verdict_at(verifier, at, facts_of(ends)).verdict != "ALLOW", at


def test_the_twin_notices_a_suggestion_that_is_not_the_nearest(monkeypatch):
    """Control: a search that skips the edge of a rule suggests something farther away."""
    written, point, ends = [(("atom", 1, 0, 0, 3, "<="), "deny")], (8, 0), (0, 0)
    verifier = verifier_of(written)
    assert verdict_at(verifier, point, facts_of(ends), suggests=True).nearest == {"x": 3}
    monkeypatch.setattr("steward.verifier.service.nearest.floor", lambda root: int(root) - 2)
    monkeypatch.setattr("steward.verifier.service.nearest.ceil", lambda root: int(root) + 2)
    farther = verdict_at(verifier, point, facts_of(ends), suggests=True).nearest
    assert farther != {"x": 3}
    wanted = next(s for s, at in moves(point) if all(holds(tree, *at, 0) for tree, _ in written))
    assert abs(farther["x"] - point[0]) > wanted
