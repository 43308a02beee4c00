"""What becomes of a rule that cannot be decided: undefined, too large, null, missing, of another type.

Two tables. First, ours: every type of fact, given every malformed value there is a place for; nothing of it may be
allowed, and the same rule with a well-formed value must be, so that no refusal is empty. Second, cases in which a guard
must refuse, written for Cedar, Rego and CEL as their users write them, run by the engines themselves: where one says
"allowed" it fails open.

Run: python bench/fail_closed.py, after `make rivals`. Prints JSON; exits 1 if ours allows a case or refuses a
well-formed one, or if an engine (the controls: these cases must be able to fail) allows none.
"""

import json
import subprocess
import sys

from exports import InProcess
from results import ROOT, machine, save

from steward.verifier import Verifier

SIDE = ROOT / ".venv-rivals" / "bin" / "python"
NOW = "2026-11-26T12:00:00Z"
HUGE, I64 = 10**40, 2**63 - 1


def gbp(minor, currency="GBP"):
    return {"amount_minor": minor, "currency": currency}


# type: (a rule that holds of any value, a well-formed value, malformed values)
NOBODY = [None, [], {}, {"value": 1}, "", [None]]
TYPES = {
    "bool": ("f = f", True, [*NOBODY, 0, 1, "true", "false", 1.0]),
    "int": ("f = f", 3, [*NOBODY, True, "3", "3.0", 3.0, 3.5, HUGE, -HUGE, "1e9", "NaN", "Infinity"]),
    "decimal": ("f = f", "0.15", [*NOBODY, True, 0.15, "0.15 ", ".15", "1e-1", "1/0", "NaN", "-inf", HUGE, "1_000"]),
    "money": (
        "f = f",
        gbp(5),
        [
            *NOBODY,
            5,
            "GBP 5.00",
            gbp(5.0),
            gbp("5"),
            gbp(None),
            gbp(True),
            gbp(HUGE),
            gbp(5, "gbp"),
            gbp(5, "POUND"),
            gbp(5, None),
            {"amount_minor": 5},
            {**gbp(5), "rate": 1},
        ],
    ),
    "text": ("f = f", "a", [None, [], {}, 1, True, "x" * 100_001]),
    "time": ("f = f", NOW, [*NOBODY, 0, "2026-11-26", "2026-11-26T12:00:00", "2026-13-01T00:00:00Z", "now", True]),
    "duration": ("f = f", "24h", [*NOBODY, 24, "24", "24 h", "1y", "-", True]),
    "enum{paid, open}": ("f = f", "paid", [*NOBODY, "Paid", "paid ", "closed", 0, True]),
    "set{text}": ('"a" in f', ["a"], [None, {}, "a", 1, [1], [None], [["a"]], ["a", None]]),
    "list{sku: text, n: int}": (
        "all(i in f: i.n = i.n)",
        [{"sku": "a", "n": 1}],
        [
            None,
            {},
            "a",
            [None],
            [{}],
            [{"sku": "a"}],
            [{"sku": "a", "n": None}],
            [{"sku": "a", "n": "1"}],
            [{"sku": "a", "n": 1.0}],
            [{"sku": "a", "n": 1}] * 1_001,
        ],
    ),
}
UNCERTAIN = [
    {"low": 1},
    {"low": 2, "high": 1},
    {"low": None, "high": 1},
    {"low": 1, "high": None},
    {"low": 1.0, "high": 2.0},
    {"low": 1, "high": 2, "mean": 1},
    {"any_subset_of": None},
    {"any_subset_of": [None]},
    {"any_subset_of": [1, "2"]},
    {"any_subset_of": 3},
]
# formulas that have no value at these facts, in both polarities and in every place
UNDEFINED = {
    "division by zero": "1 / (n - n) > 0",
    "the same, denied": "not (1 / (n - n) > 0)",
    "the same in an unless": "1 / (n - n) > 0 implies n < 0",
    "the same on either side": "1 / (n - n) > 0 or 1 / (n - n) <= 0",
    "the same, equal to itself": "1 / (n - n) = 1 / (n - n)",
    "the same under a floor": "floor(1 / (n - n)) >= 0 or n < 0",
    "the same as a condition": "(if 1 / (n - n) > 0 then n else n) = n",
    "least of an empty list": "min(i in none: i) <= n",
    "the same, denied ": "not (min(i in none: i) <= n)",
    "two currencies compared": "m <= e",
    "the same, denied  ": "not (m <= e)",
    "two currencies added": "m + e > m or n < 0",
    "two currencies counted": "count(i in mixed: i <= m) >= 0",
    "an interval that may be zero": "1 / u > 0",
    "the same, denied   ": "not (1 / u < 0)",
}
GROUND = {
    "n": 3,
    "m": gbp(5),
    "e": gbp(5, "EUR"),
    "none": [],
    "mixed": [gbp(1), gbp(1, "EUR")],
    "u": {"low": 0, "high": 2},
}
GROUND_TYPES = {
    "n": "int",
    "m": "money",
    "e": "money",
    "none": {"list": "int"},
    "mixed": {"list": "money"},
    "u": "decimal",
}


def verdict(kinds, rule, facts):
    """Of an action that only this rule covers."""
    document = {
        "facts": [{"name": name, "type": kind} for name, kind in kinds.items()],
        "kinds": [{"name": "act", "params": {}}],
        "invariants": [{"id": "rule", "on": ["act"], "require": rule, "otherwise": "deny", "why": "the case"}],
    }
    action = {"id": "a", "kind": "act", "params": {}, "principal": {"id": "p", "roles": []}}
    with Verifier.from_documents([("case.yaml", document)], prover=InProcess()) as given:
        return given.certify(action, facts, NOW).verdict


def ours():
    """(cases, those allowed, well-formed twins refused, verdicts counted)."""
    allowed, refused, counted = [], [], {}

    def case(label, said, *, wanted_open=False):
        counted[said] = counted.get(said, 0) + (not wanted_open)
        if wanted_open != (said == "ALLOW"):
            (refused if wanted_open else allowed).append(label)

    for kind, (rule, good, bad) in TYPES.items():
        case(f"{kind} {good!r}", verdict({"f": kind}, rule, {"f": good}), wanted_open=True)
        case(f"{kind} missing", verdict({"f": kind}, rule, {}))
        for value in bad:
            case(f"{kind} {str(value)[:40]}", verdict({"f": kind}, rule, {"f": value}))
    case("an interval", verdict({"f": "int"}, "f = f", {"f": {"low": 1, "high": 2}}), wanted_open=True)
    for value in UNCERTAIN:
        case(f"int {value}", verdict({"f": "int"}, "f = f", {"f": value}))
    case("n is n", verdict(GROUND_TYPES, "n = n and m <= m and u >= 0", GROUND), wanted_open=True)
    for label, rule in UNDEFINED.items():
        case(label, verdict(GROUND_TYPES, rule, GROUND))
    return sum(counted.values()), allowed, refused, counted


REGO = "package refund\nimport rego.v1\ndefault allow := false\n"
OVER_CAP = "deny if input.amount > input.cap\nallow if not deny\n"
NO_MORE = "{ context.amount > context.cap };"
FORBID = "permit(principal, action, resource); forbid(principal, action, resource) when "

RIVALS = [
    {
        "name": "the cap is missing, and a second way in is open",
        "facts": {"amount": 500, "staff": True},
        "ours": (
            {"f": "int", "amount": "int", "staff": "bool"},
            "amount <= f or staff",
            {"amount": 500, "staff": True},
        ),
        "cel": "amount <= cap || staff",
        "cedar": FORBID + NO_MORE,
        "rego": REGO + OVER_CAP,
    },
    {
        "name": "a sum beyond 64 bits, over the cap",
        "facts": {"amount": I64, "refunded": I64, "captured": 100},
        "ours": (
            {"amount": "int", "refunded": "int", "captured": "int"},
            "not (amount + refunded <= captured) implies false",
            {"amount": I64, "refunded": I64, "captured": 100},
        ),
        "cel": "amount + refunded <= captured",
        "cedar": FORBID + "{ context.amount + context.refunded > context.captured };",
        "rego": REGO + "allow if input.amount + input.refunded <= input.captured\n",
    },
    {
        "name": "one penny over a cap beyond 53 bits",
        "facts": {"amount": 2**53 + 1, "cap": 2**53},
        "ours": ({"amount": "int", "cap": "int"}, "amount <= cap", {"amount": 2**53 + 1, "cap": 2**53}),
        "cel": "amount <= cap",
        "cedar": "permit(principal, action, resource) when { context.amount <= context.cap };",
        "rego": REGO + "allow if input.amount <= input.cap\n",
    },
    {
        "name": "0.7 and 0.1 must stay under 0.8",
        "facts": {"a": 0.7, "b": 0.1, "cap": 0.8},
        "ours": (
            {"a": "decimal", "b": "decimal", "cap": "decimal"},
            "a + b < cap",
            {"a": "0.7", "b": "0.1", "cap": "0.8"},
        ),
        "cel": "a + b < cap",
        "rego": REGO + "allow if input.a + input.b < input.cap\n",
    },
    {
        "name": "a third of ten must be at most three",
        "facts": {"amount": 10, "parts": 3, "cap": 3},
        "ours": (
            {"amount": "int", "parts": "int", "cap": "int"},
            "amount / parts <= cap",
            {"amount": 10, "parts": 3, "cap": 3},
        ),
        "cel": "amount / parts <= cap",
        "rego": REGO + "allow if input.amount / input.parts <= input.cap\n",
    },
    {
        "name": "the cap comes as text",
        "facts": {"amount": 500, "cap": "100"},
        "ours": ({"amount": "int", "cap": "int"}, "amount <= cap", {"amount": 500, "cap": "100"}),
        "cel": "amount <= cap",
        "cedar": "permit(principal, action, resource) when { context.amount <= context.cap };",
        "rego": REGO + "allow if input.amount <= input.cap\n",
    },
    {
        "name": "amount and cap both come as text",
        "facts": {"amount": "1000", "cap": "200"},
        "ours": ({"amount": "int", "cap": "int"}, "amount <= cap", {"amount": "1000", "cap": "200"}),
        "cel": "amount <= cap",
        "cedar": "permit(principal, action, resource) when { context.amount <= context.cap };",
        "rego": REGO + "allow if input.amount <= input.cap\n",
    },
    {
        "name": "the floor is null",
        "facts": {"margin": 0, "floor": None},
        "ours": ({"margin": "int", "floor": "int"}, "margin >= floor", {"margin": 0, "floor": None}),
        "cel": "margin >= floor",
        "cedar": "permit(principal, action, resource) when { context.margin >= context.floor };",
        "rego": REGO + "allow if input.margin >= input.floor\n",
    },
    {
        "name": "division by zero inside a forbidding rule",
        "facts": {"spend": 900, "orders": 0},
        "ours": ({"spend": "int", "orders": "int"}, "not (spend / orders > 50)", {"spend": 900, "orders": 0}),
        "cel": "!(spend / orders > 50)",
        "rego": REGO + "deny if input.spend / input.orders > 50\nallow if not deny\n",
    },
    {
        "name": "the sum of two currencies",
        "facts": {"gbp": 100, "eur": 100, "cap": 500},
        "ours": (
            {"gbp": "money", "eur": "money", "cap": "money"},
            "gbp + eur <= cap",
            {"gbp": gbp(100), "eur": gbp(100, "EUR"), "cap": gbp(500)},
        ),
        "cel": "gbp + eur <= cap",
        "cedar": "permit(principal, action, resource) when { context.gbp + context.eur <= context.cap };",
        "rego": REGO + "allow if input.gbp + input.eur <= input.cap\n",
    },
]


def main():
    if not SIDE.exists():
        sys.exit("make rivals first: the engines live in an environment of their own")
    cases, allowed, refused, counted = ours()
    asked = json.dumps({"mode": "cases", "cases": [{k: v for k, v in case.items() if k != "ours"} for case in RIVALS]})
    side = ROOT / "bench" / "rivals_side.py"
    done = subprocess.run([str(SIDE), str(side)], input=asked, capture_output=True, text=True, check=True)
    table = {}
    for case, said in zip(RIVALS, json.loads(done.stdout), strict=True):
        mine = verdict(*case["ours"])
        allowed += [case["name"]] if mine == "ALLOW" else []
        table[case["name"]] = {"ours": mine, **said}
    engines = {name for row in table.values() for name in row if name != "ours"}
    opened = {engine: sum(row.get(engine) == "allowed" for row in table.values()) for engine in sorted(engines)}
    document = {
        "name": "fail_closed",
        "figures": {
            "cases": cases,
            "verdicts": counted,
            "allowed": allowed,
            "well_formed_refused": refused,
            "rival_cases": len(table),
            "rivals_that_allowed": opened,
        },
        "table": table,
        "machine": machine(),
    }
    save(document)
    print(json.dumps(document, indent=1))
    return 1 if allowed or refused or not all(opened.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
