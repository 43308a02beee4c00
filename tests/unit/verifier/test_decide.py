"""Verdicts on small catalogs: each rule of `steward verify decide`, one test."""

import copy
import json

import pytest

from steward.kernel.canonical import digest_hex
from steward.kernel.errors import CatalogError
from steward.verifier import Verifier

NOW = "2026-01-01T00:00:00Z"


def gbp(minor):
    return {"amount_minor": minor, "currency": "GBP"}


DOCUMENT = {
    "facts": [
        {"name": "paid", "type": "money"},
        {"name": "spent", "type": "money"},
        {"name": "rate", "type": "decimal"},
        {"name": "count", "type": "int"},
        {"name": "wait", "type": "duration"},
        {"name": "due", "type": "time"},
        {"name": "open", "type": "bool"},
        {"name": "status", "type": {"enum": ["paid", "void"]}},
        {"name": "tags", "type": {"set": "text"}},
        {"name": "items", "type": {"list": {"sku": "text", "price": "money", "due": "time"}}},
        {"name": "limit.cap", "type": "money"},
    ],
    "kinds": [
        {"name": "pay", "params": {"amount": "money", "to": "text"}},
        {"name": "idle", "params": {}},
    ],
}


def rule(require, otherwise="deny", **more):
    return {
        "id": more.pop("id", "rule"),
        True: ["pay"],
        "require": require,
        "otherwise": otherwise,
        "why": "because",
        **more,
    }


def verifier(*rules, limits=None):
    return Verifier.from_documents([("rules.yaml", {**DOCUMENT, "invariants": list(rules)})], limits)


def action(**more):
    params = {"amount": gbp(500), "to": "x", **more.pop("params", {})}
    return {"id": "a1", "kind": "pay", "params": params, "principal": {"id": "p", "roles": ["clerk"]}, **more}


def decide(require, facts=None, otherwise="deny", act=None, now=NOW, **more):
    with verifier(rule(require, otherwise, **more)) as judge:
        found = judge.certify(action() if act is None else act, facts or {}, now)
        assert judge.check(found.bundle).valid
        assert judge.check(json.dumps(found.bundle)).valid
        assert judge.rebuild(found.bundle).valid, judge.rebuild(found.bundle).reason
        again = judge.certify(found.bundle["action"], found.bundle["facts"], found.bundle["now"])
        assert again == found
        return found


@pytest.mark.parametrize(
    ("require", "verdict"),
    [
        ("action.amount <= GBP 5.00", "ALLOW"),
        ("action.amount < GBP 5", "DENY"),
        ("action.amount > 0", "ALLOW"),
        ("action.amount <= EUR 5.00", "DENY"),
        ("GBP 5.00 <= EUR 5.00", "TYPE"),
        ("action.amount + 1 > GBP 5.00", "TYPE"),
        ("action.amount * action.amount > GBP 1.00", "TYPE"),
        ("action.amount / GBP 2.00 = 2.5", "ALLOW"),
        ("action.amount * 0.5 = GBP 2.50", "ALLOW"),
        ('"clerk" in principal.roles and action.to in {"x", "y"}', "ALLOW"),
        ('action.to not in ["x"]', "DENY"),
        ('action.kind = "pay" and principal.id = "p"', "ALLOW"),
        ("1 / 0 > 1", "DENY"),
        ("not (1 / 0 > 1)", "DENY"),
        ("1 / 0 > 1 or true", "ALLOW"),
        ("if action.amount > GBP 1.00 then 1 < 2 else 2 < 1", "ALLOW"),
        ("abs(-3) = 3 and floor(-0.5) = -1 and min(1, 2, 3) = 1 and max(24h, 1d) = 24h", "ALLOW"),
        ('matches(action.to, "^X$")', "ALLOW"),
        ('matches(action.to, "(x")', "TYPE"),
        ("GBP 0.001 > 0", "TYPE"),
        ("30d = 720h", "ALLOW"),
        ("now - now < 1s", "ALLOW"),
        ("true implies false", "DENY"),
        ("false implies false implies false", "ALLOW"),
        ("1 < 2 < 3", "TYPE"),
        ("action.amont > GBP 1.00", "TYPE"),
        ("action.amount == GBP 1.00", "TYPE"),
        ("total(x in items: x.price) > GBP 1.00", "TYPE"),
        ('status = "payd"', "TYPE"),
        ("now - 30d", "TYPE"),
        ("0.1 + 0.2 = 0.3", "ALLOW"),
    ],
)
def test_ground_formulas(require, verdict):
    if verdict == "TYPE":
        with pytest.raises(CatalogError) as caught:
            verifier(rule(require))
        assert "rules.yaml rule require line 1, column" in caught.value.where
    else:
        assert decide(require).verdict == verdict


def test_a_typo_comes_with_a_suggestion():
    with pytest.raises(CatalogError, match=r"did you mean action\.amount"):
        verifier(rule("action.amont > GBP 1.00"))
    with pytest.raises(CatalogError, match="line 2, column 5"):
        verifier(rule("true\nand +"))


ITEM = {"sku": "S1", "price": gbp(200), "due": "2026-01-02T00:00:00Z"}


@pytest.mark.parametrize(
    ("require", "facts", "verdict"),
    [
        ("all(x in items: x.price <= GBP 2.00)", {"items": [ITEM]}, "ALLOW"),
        ("all(x in items: x.price < GBP 2.00)", {"items": [ITEM]}, "DENY"),
        ("all(x in items: x.price < GBP 2.00)", {"items": []}, "ALLOW"),
        ("any(x in items: x.due - now <= 24h)", {"items": [ITEM]}, "ALLOW"),
        ("sum(x in items: x.price) + GBP 1.00 = GBP 1.00", {"items": []}, "ALLOW"),
        ("sum(x in items: x.price) = action.amount", {"items": [ITEM, ITEM]}, "DENY"),
        ('count(x in items: x.sku = "S1") = 2', {"items": [ITEM, ITEM]}, "ALLOW"),
        ("min(x in items: x.price) >= GBP 1.00", {"items": []}, "DENY"),
        ("not (max(x in items: x.price) >= GBP 1.00)", {"items": []}, "DENY"),
        ("all(x in items: x.price > 0)", {"items": [{"sku": "S1"}]}, "ESCALATE"),
        ("all(x in items: x.price > 0)", {"items": [{**ITEM, "price": None}]}, "ESCALATE"),
        ("paid <= spent", {"paid": gbp(1), "spent": {"amount_minor": 1, "currency": "EUR"}}, "DENY"),
        ("not (paid <= spent)", {"paid": gbp(1), "spent": {"amount_minor": 1, "currency": "EUR"}}, "DENY"),
        ("paid <= spent", {"paid": gbp(1)}, "ESCALATE"),
        ("paid <= spent", {"paid": None, "spent": gbp(1)}, "ESCALATE"),
        ("count > 0", {"count": "5"}, "ESCALATE"),
        ("count > 0", {"count": True}, "ESCALATE"),
        ("count > 0", {"count": 5.0}, "ESCALATE"),
        ("rate > 0", {"rate": "3/20"}, "ALLOW"),
        ("rate > 0", {"rate": "1/0"}, "ESCALATE"),
        ("rate > 0", {"rate": 1}, "ALLOW"),
        ("paid > 0", {"paid": {"amount_minor": 1.5, "currency": "GBP"}}, "ESCALATE"),
        ("wait <= 24h", {"wait": "PT23H59M"}, "ALLOW"),
        ("wait <= 24h", {"wait": "25h"}, "DENY"),
        ("due >= now", {"due": "2026-01-01T01:00:00+02:00"}, "DENY"),
        ("open", {"open": True}, "ALLOW"),
        ("open", {"open": 1}, "ESCALATE"),
        ('status = "paid"', {"status": "void"}, "DENY"),
        ('status = "paid"', {"status": "lost"}, "ESCALATE"),
        ('"vip" in tags', {"tags": ["vip"]}, "ALLOW"),
        ('any(t in tags: matches(t, "v.p"))', {"tags": ["V\u200bIP"]}, "ALLOW"),
    ],
)
def test_formulas_over_facts(require, facts, verdict):
    assert decide(require, facts).verdict == verdict


def test_an_endless_sum_and_a_deep_formula_are_refused_politely():
    for long in ("1 < " + " + ".join(["1"] * 400), "(" * 200 + "true" + ")" * 200, "not " * 300 + "true"):
        with pytest.raises(CatalogError, match=r"levels|deep"):
            verifier(rule(long))


def test_more_work_than_a_rule_may_take_escalates():
    many = [ITEM] * 1_000
    found = decide("all(x in items: all(y in items: x.price = y.price))", {"items": many})
    assert found.verdict == "ESCALATE"
    assert decide("all(x in items: x.price > 0)", {"items": [ITEM] * 1_001}).verdict == "ESCALATE"


def test_a_bundle_cannot_hide_that_a_rule_fails():
    with verifier(rule("spent <= GBP 4.00")) as judge:
        bundle = judge.certify(action(), {"spent": {"low": gbp(0), "high": gbp(500)}}, NOW).bundle
        assert bundle["verdict"] == "DENY"
        softer = copy.deepcopy(bundle)
        softer["findings"][0]["status"] = "unproved"
        softer["verdict"], softer["witness"] = "ESCALATE", {}
        assert judge.check(sealed(softer)).valid
        assert "it fails" in judge.rebuild(sealed(softer)).reason


def test_five_hundred_payments_in_flight_are_still_one_certificate():
    flight = {"spent": {"any_subset_of": [gbp(i % 7 + 1) for i in range(500)]}}
    found = decide("spent + action.amount <= GBP 25.01", flight)
    assert found.verdict == "ALLOW"
    assert len(json.dumps(found.bundle["certificates"])) < 16_000
    assert decide("spent + action.amount <= GBP 24.00", flight).verdict == "DENY"


def test_a_missing_now_escalates():
    assert decide("now > now - 1d", now="").verdict == "ESCALATE"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [("1 < 2", "ALLOW"), ("2 < 1", "ESCALATE"), ("1 / 0 = 1", "ESCALATE"), ("paid > 0", "ESCALATE")],
)
def test_an_escalate_rule_never_denies(status, verdict):
    assert decide(status, otherwise="escalate").verdict == verdict


def test_a_deny_outweighs_everything_missing():
    with verifier(rule("paid > 0", id="a"), rule("2 < 1", id="b"), rule("2 < 1", "escalate", id="c")) as judge:
        found = judge.certify(action(), {}, NOW)
    assert found.verdict == "DENY"
    assert [reason.id for reason in found.determining] == ["b"]
    assert [reason.id for reason in found.errored] == ["a"]


def test_when_decides_whether_a_rule_applies():
    assert decide("2 < 1", when="action.amount > GBP 9.00").verdict == "ALLOW"
    assert decide("paid > 0", when="action.amount > GBP 9.00").verdict == "ALLOW"
    assert decide("2 < 1", when="action.amount > GBP 4.00").verdict == "DENY"
    assert decide("2 < 1", when="1 / 0 = 1").verdict == "DENY"
    assert decide("1 < 2", when="paid > 0").verdict == "ESCALATE"


@pytest.mark.parametrize(
    "broken",
    [
        {},
        [],
        "pay",
        action(kind="unknown"),
        action(kind="idle", params={}),
        {**action(), "kind": "idle", "params": {}},
        action(principal={"id": "p"}),
        action(principal={"id": "", "roles": []}),
        action(principal={"id": "p", "roles": "manager"}),
        action(params={"amount": None}),
        action(params={"amount": 5}),
        action(params={"amount": {"amount_minor": 5.0, "currency": "GBP"}}),
        action(params={"amount": {"low": gbp(1), "high": gbp(2)}}),
        action(params={"extra": 1}),
        action(id=None),
        {**action(), "more": 1},
    ],
)
def test_a_malformed_unknown_or_uncovered_action_is_denied(broken):
    found = decide("true", act=broken)
    assert found.verdict == "DENY"
    assert found.determining
    assert found.findings == ()


@pytest.mark.parametrize(
    ("require", "facts", "verdict"),
    [
        ("spent + action.amount <= GBP 10.00", {"spent": {"low": gbp(0), "high": gbp(500)}}, "ALLOW"),
        ("spent + action.amount <= GBP 10.00", {"spent": {"low": gbp(0), "high": gbp(501)}}, "DENY"),
        ("spent + action.amount <= GBP 10.00", {"spent": {"any_subset_of": [gbp(900), gbp(-500), gbp(-300)]}}, "DENY"),
        ("spent + action.amount <= GBP 10.00", {"spent": {"any_subset_of": [gbp(400), gbp(100), gbp(-300)]}}, "ALLOW"),
        ("spent + action.amount <= GBP 10.00", {"spent": {"any_subset_of": []}}, "ALLOW"),
        ("spent + action.amount <= GBP 10.00", {"spent": {"low": gbp(2), "high": gbp(1)}}, "ESCALATE"),
        ("spent != GBP 3.00", {"spent": {"any_subset_of": [gbp(200), gbp(200)]}}, "ALLOW"),
        ("spent != GBP 4.00", {"spent": {"any_subset_of": [gbp(200), gbp(200)]}}, "DENY"),
        ("1 / rate > 0", {"rate": {"low": "0", "high": "2"}}, "DENY"),
        ("1 / rate >= 1/2", {"rate": {"low": "1/3", "high": "2"}}, "ALLOW"),
        (
            "paid / spent >= 2",
            {"paid": {"low": gbp(400), "high": gbp(900)}, "spent": {"low": gbp(1), "high": gbp(200)}},
            "ALLOW",
        ),
        ("rate * rate >= 0", {"rate": {"low": "-1", "high": "2"}}, "ALLOW"),
        ("rate * rate * rate <= 8", {"rate": {"low": "-1", "high": "2"}}, "ALLOW"),
        ("rate * rate * rate * rate * rate <= 32", {"rate": {"low": "-1", "high": "2"}}, "ESCALATE"),
        ("abs(rate) <= 2 and max(rate, 0) >= 0", {"rate": {"low": "-1", "high": "2"}}, "ALLOW"),
        ("floor(count / 2) * 2 <= count", {"count": {"low": 0, "high": 9}}, "ALLOW"),
        ("2 * count != 3", {"count": {"low": 0, "high": 9}}, "ALLOW"),
        ("count in {1, 2, 3}", {"count": {"low": 1, "high": 3}}, "ALLOW"),
        ("count in {1, 3}", {"count": {"low": 1, "high": 3}}, "DENY"),
        ("wait <= 48h", {"wait": {"low": "24h", "high": "2d"}}, "ALLOW"),
        ("if rate > 1 then rate * 2 > 2 else rate <= 1", {"rate": {"low": "0", "high": "9"}}, "ALLOW"),
        ("open", {"open": {"low": False, "high": True}}, "ESCALATE"),
        ("spent >= 0", {"spent": {"low": gbp(0), "high": {"amount_minor": 1, "currency": "EUR"}}}, "ESCALATE"),
    ],
)
def test_rules_over_uncertain_facts(require, facts, verdict):
    found = decide(require, facts)
    assert found.verdict == verdict, found.findings
    if verdict == "DENY":
        assert found.determining[0].basis == "evaluated"
        assert found.counterexample


def test_an_uncertain_allow_carries_its_certificate():
    found = decide(
        "spent + action.amount <= limit.cap", {"spent": {"low": gbp(0), "high": gbp(9)}, "limit.cap": gbp(600)}
    )
    assert found.findings[0].basis == "certificate"
    assert len(found.bundle["certificates"]) == 1


def test_limits_outweigh_facts_and_are_bound():
    with verifier(rule("action.amount <= limit.cap"), limits={"cap": gbp(100)}) as judge:
        assert judge.certify(action(), {"limit.cap": gbp(900)}, NOW).verdict == "DENY"
    with verifier(rule("action.amount <= limit.cap")) as lax:
        lenient = lax.certify(action(), {"limit.cap": gbp(900)}, NOW)
    assert lenient.verdict == "ALLOW"
    with verifier(rule("action.amount <= limit.cap"), limits={"cap": gbp(100)}) as judge:
        assert "limit.cap" in judge.rebuild(lenient.bundle).reason


def sealed(bundle):
    """A bundle whose every digest the attacker computed again."""
    for obligation, certificate in zip(bundle["obligations"], bundle["certificates"], strict=True):
        obligation["digest"] = digest_hex({k: v for k, v in obligation.items() if k != "digest"})
        certificate["obligation_digest"] = obligation["digest"]
    bundle["digest"] = digest_hex({k: v for k, v in bundle.items() if k != "digest"})
    return bundle


def test_every_single_change_is_refused_by_the_checker_or_the_gate():
    facts = {"spent": {"any_subset_of": [gbp(100), gbp(200)]}, "limit.cap": gbp(900)}
    with verifier(rule("spent + action.amount <= limit.cap")) as judge:
        bundle = judge.certify(action(), facts, NOW).bundle
        assert judge.rebuild(bundle, facts).valid
        moved = judge.rebuild(bundle, {**facts, "limit.cap": gbp(901)})
        assert "limit.cap" in moved.reason
        for name, change in {
            "catalog_digest": "0" * 64,
            "now": "2027-01-01T00:00:00Z",
            "verdict": "DENY",
            "witness": {"rule": {}},
            "facts": {**facts, "limit.cap": gbp(901)},
            "action": action(params={"amount": gbp(501)}),
            "findings": [],
        }.items():
            other = {**copy.deepcopy(bundle), name: change}
            assert not judge.check(other).valid
            if name not in ("now", "witness"):
                assert not judge.rebuild(sealed(other)).valid
        for index in range(len(bundle["obligations"][0]["hypotheses"])):
            other = copy.deepcopy(bundle)
            other["obligations"][0]["hypotheses"][index][1][0][0] += "1"
            assert "obligation rule" in judge.check(other).reason
            assert not judge.rebuild(sealed(other)).valid
        other = copy.deepcopy(bundle)
        other["obligations"][0]["goal"][1][0][0] = "999"
        assert "obligation rule" in judge.check(other).reason
        assert "obligation rule" in judge.rebuild(sealed(other)).reason
        for index in range(len(bundle["certificates"][0]["tree"][1])):
            other = copy.deepcopy(bundle)
            term = other["certificates"][0]["tree"][1][index]
            term[-1] = term[-1] + "1"
            assert "obligation rule" in judge.check(other).reason
            assert "obligation rule" in judge.check(sealed(other)).reason


@pytest.mark.parametrize(
    "nonsense", [None, 5, "", "{", [], {}, {"format": "steward-bundle/1"}, "[" * 10_000, '{"a": 1.5}']
)
def test_nonsense_is_no_bundle(nonsense):
    with verifier(rule("true")) as judge:
        assert not judge.check(nonsense).valid
        assert not judge.rebuild(nonsense).valid


def test_the_sentence_names_the_element_at_fault():
    bad = {**ITEM, "sku": "S2", "price": gbp(300)}
    found = decide("all(x in items: x.price <= GBP 2.00)", {"items": [ITEM, bad]})
    assert "items[1].price GBP 3.00 is more than GBP 2.00" in found.determining[0].detail
    assert found.counterexample["items[1].sku"] == "S2"


@pytest.mark.parametrize(
    ("require", "sentence"),
    [
        ('action.to = "y"', 'action.to "x" is not "y"'),
        ("not (action.amount <= GBP 9.00)", "action.amount GBP 5.00 is at most GBP 9.00"),
        (
            "action.amount > GBP 1.00 implies 2 * action.amount <= GBP 9.00",
            "2 * action.amount GBP 5.00 = GBP 10.00 is more than GBP 9.00",
        ),
        ("not (action.amount < GBP 1.00 implies 2 < 1)", "action.amount GBP 5.00 is not less than GBP 1.00"),
        ('"boss" in principal.roles', '"boss" is not in principal.roles'),
        ("1 / (action.amount / GBP 5.00 - 1) > 0", "undefined: division by zero"),
        (
            "if action.amount > 0 then action.amount > GBP 7.00 else true",
            "action.amount GBP 5.00 is not more than GBP 7.00",
        ),
    ],
)
def test_sentences_a_person_reads(require, sentence):
    assert sentence in decide(require).determining[0].detail


@pytest.mark.parametrize(
    "spec",
    [
        "enum{paid, void}",
        {"enum": ["paid", "void"]},
        "set{text}",
        "list{sku: text, price: money}",
        {"list": {"a": "enum{x, y}"}},
    ],
)
def test_types_as_yaml_writes_them(spec):
    Verifier.from_documents([("a.yaml", {"facts": [{"name": "x", "type": spec}]})]).close()


def test_catalog_errors_name_their_place():
    for broken, where in [
        ({**rule("true"), True: ["pays"]}, "rules.yaml rule"),
        ({**rule("true"), "otherwise": "warn"}, "rules.yaml rule"),
        ({**rule("true"), "requires": "x"}, "rules.yaml rule"),
        ({**rule("true"), "why": ""}, "rules.yaml rule"),
        (rule(None), "rules.yaml rule require"),
    ]:
        with pytest.raises(CatalogError) as caught:
            verifier(broken)
        assert caught.value.where.startswith(where)
    with pytest.raises(CatalogError, match="twice"):
        Verifier.from_documents([("a.yaml", {"facts": [{"name": "x", "type": "int"}, {"name": "x", "type": "text"}]})])
    with pytest.raises(CatalogError, match="not a type"):
        Verifier.from_documents([("a.yaml", {"facts": [{"name": "x", "type": "float"}]})])


def test_self_test_runs_examples_and_wants_both_kinds():
    wrong = rule("action.amount > GBP 1.00", examples=[{"action": {"amount": gbp(50), "to": "x"}, "verdict": "ALLOW"}])
    with verifier(wrong) as judge:
        told = judge.self_test()
    assert [entry["where"] for entry in told] == ["rules.yaml rule", "rules.yaml rule examples[0]"]
    assert "comes out DENY" in told[1]["what"]
