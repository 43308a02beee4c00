"""Any single change of a multiplier, a hypothesis or the goal is refused, also when digests are computed again."""

import copy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steward.kernel.canonical import digest_hex
from steward.verifier import Verifier

NOW = "2026-01-01T00:00:00Z"
MONEY = {"spent": "money", "price": "money", "cost": "money", "cap": "money"}
DOCUMENT = {
    "facts": [*({"name": name, "type": kind} for name, kind in MONEY.items()), {"name": "demand", "type": "int"}],
    "kinds": [{"name": "act", "params": {}}],
    "invariants": [
        {"id": "cap", "on": ["act"], "require": "spent <= cap", "otherwise": "deny", "why": "w"},
        {
            "id": "margin",
            "on": ["act"],
            "require": "(price - cost) * demand >= 0.3 * price * demand",
            "otherwise": "deny",
            "why": "w",
        },
    ],
}
ACTION = {"id": "a", "kind": "act", "params": {}, "principal": {"id": "p", "roles": []}}
JUDGE = Verifier.from_documents([("laws.yaml", DOCUMENT)])


def gbp(minor):
    return {"amount_minor": minor, "currency": "GBP"}


@st.composite
def bundles(draw):
    parts = draw(st.lists(st.integers(-50, 100), min_size=1, max_size=5))
    price = draw(st.integers(100, 2_000))
    cost = price * 7 // 10 - draw(st.integers(0, 50))
    low = draw(st.integers(0, 20))
    facts = {
        "spent": {"any_subset_of": [gbp(part) for part in parts]},
        "cap": gbp(sum(part for part in parts if part > 0) + draw(st.integers(0, 9))),
        "price": {"low": gbp(price), "high": gbp(price + draw(st.integers(1, 99)))},
        "cost": gbp(cost),
        "demand": {"low": low, "high": low + draw(st.integers(1, 300))},
    }
    return JUDGE.certify(ACTION, facts, NOW).bundle


def sealed(bundle):
    for obligation, certificate in zip(bundle["obligations"], bundle["certificates"], strict=True):
        obligation["digest"] = digest_hex({k: v for k, v in obligation.items() if k != "digest"})
        certificate["obligation_digest"] = obligation["digest"]
    bundle["digest"] = digest_hex({k: v for k, v in bundle.items() if k != "digest"})
    return bundle


def numbers(node, path=()):
    """Paths of every number in a formula."""
    if isinstance(node, list):
        for index, part in enumerate(node):
            yield from numbers(part, (*path, index))
    elif isinstance(node, str) and node.lstrip("-")[:1].isdigit():
        yield path


def replaced(root, path, value):
    for step in path[:-1]:
        root = root[step]
    root[path[-1]] = value


values = st.fractions(-1000, 1000, max_denominator=12).map(str)


@given(bundles(), st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_changed_multiplier_is_refused(bundle, data):
    assert JUDGE.rebuild(bundle).valid
    which = data.draw(st.integers(0, len(bundle["certificates"]) - 1))
    term = data.draw(st.sampled_from(bundle["certificates"][which]["tree"][1]))
    term[-1] = data.draw(values.filter(lambda text: text != term[-1]))
    assert not JUDGE.check(bundle).valid
    answer = JUDGE.check(sealed(bundle))
    assert not answer.valid
    assert f"obligation {bundle['obligations'][which]['invariant']}" in answer.reason


@given(bundles(), st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_changed_hypothesis_or_goal_is_refused(bundle, data):
    which = data.draw(st.integers(0, len(bundle["obligations"]) - 1))
    obligation = bundle["obligations"][which]
    where = data.draw(st.sampled_from(["hypotheses", "goal"]))
    path = data.draw(st.sampled_from(list(numbers(obligation[where]))))
    original = copy.deepcopy(obligation[where])
    replaced(obligation[where], path, data.draw(values.filter(lambda text: text != "0")))
    if obligation[where] == original:
        return
    answer = JUDGE.check(bundle)
    assert not answer.valid
    assert f"obligation {obligation['invariant']}" in answer.reason
    answer = JUDGE.rebuild(sealed(bundle))
    assert not answer.valid
    assert f"obligation {obligation['invariant']}" in answer.reason


@given(bundles(), st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_dropped_or_added_hypothesis_is_refused(bundle, data):
    hypotheses = data.draw(st.sampled_from(bundle["obligations"]))["hypotheses"]
    if data.draw(st.booleans()):
        hypotheses.pop(data.draw(st.integers(0, len(hypotheses) - 1)))
    else:
        hypotheses.append([">=", [["1"]]])
    assert not JUDGE.check(bundle).valid
    assert not JUDGE.rebuild(sealed(bundle)).valid


def teardown_module():
    JUDGE.close()
