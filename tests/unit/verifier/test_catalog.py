"""What a catalog may say beyond its rules: bounds, state rules, effects and witnesses; and how it is told it is wrong."""

import copy

import pytest

from steward.verifier import Verifier
from steward.verifier.core.catalog import read_catalog

DOCUMENT = {
    "facts": [
        {"name": "order.captured", "type": "money", "least": 0},
        {"name": "order.refunded", "type": "money", "least": 0, "most": 10**9},
        {"name": "order.status", "type": {"enum": ["open", "refunded"]}},
        {"name": "order.skus", "type": {"set": "text"}},
    ],
    "states": [{"id": "within", "holds": "order.refunded <= order.captured", "why": "nobody gets more than they paid"}],
    "kinds": [
        {
            "name": "refund",
            "params": {"amount": "money"},
            "effect": {
                "order.refunded": "order.refunded + action.amount",
                "order.status": 'if action.amount > 0 then "refunded" else order.status',
            },
            "witness": {"facts": {}, "action": {"amount": {"amount_minor": 1, "currency": "GBP"}}},
        }
    ],
    "invariants": [
        {
            "id": "guard",
            "on": ["refund"],
            "require": "order.refunded + action.amount <= order.captured",
            "otherwise": "deny",
            "why": "w",
            "owner": "operations",
            "severity": "high",
        }
    ],
}


def changed(*path_and_value):
    *path, value = path_and_value
    document = copy.deepcopy(DOCUMENT)
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


def read(document):
    return read_catalog([("rules.yaml", document)])


def test_the_new_keys_are_read_and_typed():
    catalog, troubles = read(DOCUMENT)
    assert troubles == []
    assert catalog.bounds == {"order.captured": (0, None), "order.refunded": (0, 10**9)}
    assert [state.id for state in catalog.touched("refund")] == ["within"]
    assert set(catalog.effects["refund"]) == {"order.refunded", "order.status"}
    assert catalog.invariants[0].owner == "operations"


@pytest.mark.parametrize(
    "path",
    [
        ("facts", 0, "least", 1),
        ("facts", 1, "most", 10**8),
        ("states", 0, "holds", "order.refunded < order.captured"),
        ("kinds", 0, "effect", "order.refunded", "order.refunded"),
        ("kinds", 0, "witness", "action", "amount", "amount_minor", 2),
        ("invariants", 0, "severity", "low"),
    ],
)
def test_the_digest_covers_each_of_them(path):
    other, troubles = read(changed(*path))
    assert troubles == []
    assert other.digest != read(DOCUMENT)[0].digest


def test_a_catalog_without_them_keeps_its_digest():
    plain = {key: copy.deepcopy(DOCUMENT[key]) for key in ("facts", "kinds", "invariants")}
    for fact in plain["facts"]:
        fact.pop("least", None)
        fact.pop("most", None)
    plain["kinds"] = [{"name": "refund", "params": {"amount": "money"}}]
    plain["invariants"][0] = {k: v for k, v in plain["invariants"][0].items() if k not in ("owner", "severity")}
    digest = read(plain)[0].digest
    assert digest == "0bc03734b3c34cda63c8bae0c0dda1e39e909c4d1a435dfbb45e93621ee1a65e"


WRONG = [
    (("facts", 0, "least", "0.5"), "rules.yaml order.captured least", "is not int", "minor units"),
    (("facts", 2, "least", 0), "rules.yaml order.status least", "has no least", "int, decimal, money, duration"),
    (("facts", 1, "least", 10**10), "rules.yaml order.refunded", "is more than most", "exchange"),
    (("facts", 0, "leest", 0), "rules.yaml order.captured", "unknown key 'leest'", "did you mean least?"),
    (("states", 0, "holds", "order.refunded <="), "rules.yaml within holds line 1, column 18", "missing", ""),
    (
        ("states", 0, "holds", "order.refund <= order.captured"),
        "rules.yaml within holds line 1, column 1",
        "not declared",
        "did you mean order.refunded?",
    ),
    (("states", 0, "holds", "action.amount > 0"), "rules.yaml within holds line 1, column 1", "not declared", ""),
    (
        ("states", 0, "holds", "order.refunded + order.captured"),
        "rules.yaml within holds",
        "is money, not true or false",
        "",
    ),
    (("states", 0, "why", ""), "rules.yaml within", "says no why", ""),
    (("states", 0, "id", "guard"), "rules.yaml guard", "exists already", ""),
    (
        ("kinds", 0, "effect", {"order.refundd": "order.refunded"}),
        "rules.yaml refund effect order.refundd",
        "no declared fact",
        "did you mean order.refunded?",
    ),
    (("kinds", 0, "effect", {"order.skus": "order.skus"}), "effect order.skus", "is a set", "single values"),
    (
        ("kinds", 0, "effect", {"order.refunded": "1"}),
        "rules.yaml refund effect order.refunded",
        "the formula is int, not money",
        "",
    ),
    (
        ("kinds", 0, "effect", {"order.status": '"opne"'}),
        "rules.yaml refund effect order.status line 1, column 1",
        "is no word",
        "did you mean 'open'?",
    ),
    (
        ("kinds", 0, "effect", {"order.refunded": "order.refunded +\n  action.amuont"}),
        "rules.yaml refund effect order.refunded line 2, column 3",
        "not declared",
        "did you mean action.amount?",
    ),
    (("kinds", 0, "effect", ["x"]), "rules.yaml refund effect", "is not an object", ""),
    (("kinds", 0, "witness", "x"), "rules.yaml refund witness", "is not an object", ""),
    (("kinds", 0, "witness", {"fcts": {}}), "rules.yaml refund witness", "unknown key", "did you mean facts?"),
    (("invariants", 0, "severity", "hgih"), "rules.yaml guard", "severity is 'hgih'", "high"),
]


@pytest.mark.parametrize(("path", "where", "what", "fix"), WRONG)
def test_what_is_wrong_is_told_with_its_place_and_a_way_out(path, where, what, fix):
    _, troubles = read(changed(*path))
    assert any(where in t["where"] and what in t["what"] and fix in t["fix"] for t in troubles), troubles


@pytest.mark.parametrize(
    ("refunded", "verdict"),
    [
        ({"amount_minor": 0, "currency": "GBP"}, "ALLOW"),
        ({"amount_minor": -1, "currency": "GBP"}, "ESCALATE"),
        ({"amount_minor": 10**9 + 1, "currency": "GBP"}, "ESCALATE"),
        ({"low": {"amount_minor": -1, "currency": "GBP"}, "high": {"amount_minor": 1, "currency": "GBP"}}, "ESCALATE"),
    ],
)
def test_a_fact_outside_its_bounds_is_no_fact(refunded, verdict):
    facts = {"order.captured": {"amount_minor": 10**10, "currency": "GBP"}, "order.refunded": refunded}
    params = {"amount": {"amount_minor": 1, "currency": "GBP"}}
    action = {"id": "a", "kind": "refund", "params": params, "principal": {"id": "p", "roles": []}}
    with Verifier.from_documents([("rules.yaml", DOCUMENT)]) as verifier:
        found = verifier.certify(action, facts, "2026-01-01T00:00:00Z")
    assert found.verdict == verdict
    assert verdict == "ALLOW" or "order.refunded" in found.errored[0].detail
