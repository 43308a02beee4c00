"""States that show there is no theorem: built whole from a prover's point, lists included, and evaluated."""

from steward.verifier import Verifier

DOCUMENT = {
    "facts": [
        {"name": "refunds.today", "type": "money", "least": 0},
        {"name": "limit.day", "type": "money", "least": 0},
        {"name": "lines", "type": {"list": {"sku": "text", "amount": "money", "captured": "money"}}},
    ],
    "states": [{"id": "under-cap", "holds": "refunds.today <= limit.day", "why": "w"}],
    "kinds": [
        {
            "name": "refund",
            "params": {},
            "effect": {"refunds.today": "refunds.today + sum(x in lines: x.amount)"},
        }
    ],
}
WITHIN = {
    "id": "within-captured",
    "on": ["refund"],
    "require": "all(x in lines: x.amount <= x.captured) and sum(x in lines: x.amount) >= GBP 0.00",
    "otherwise": "deny",
    "why": "w",
}
CAPPED = {
    "id": "capped",
    "on": ["refund"],
    "require": "refunds.today + sum(x in lines: x.amount) <= limit.day",
    "otherwise": "deny",
    "why": "w",
}


def proved(*rules):
    with Verifier.from_documents([("rules.yaml", {**DOCUMENT, "invariants": list(rules)})]) as verifier:
        (kind,), _ = verifier.prove_catalog()
    return kind["states"][0]


def test_a_state_is_shown_whose_list_fulfils_what_is_asked_of_all_its_items():
    before = proved(WITHIN)["counterexample"]["before"]
    amounts = [(line["amount"]["amount_minor"], line["captured"]["amount_minor"]) for line in before["lines"]]
    assert amounts
    assert all(amount <= captured for amount, captured in amounts)
    refunded = before["refunds.today"]["amount_minor"] + sum(amount for amount, _ in amounts)
    assert refunded > before["limit.day"]["amount_minor"]


def test_with_the_guard_that_caps_it_nothing_is_shown_and_it_is_proved():
    state = proved(WITHIN, CAPPED)
    assert state["theorem"] == "proved"
    assert state["uses"] == ["capped"]
