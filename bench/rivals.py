"""One ground rule, evaluated by ours, Cedar, Rego, three CEL bindings and plain Python, each at its best.

Six conditions over whole numbers, text and a set of roles. Every engine has the rule parsed or compiled beforehand and
gets the facts of each call as plain Python values; answers at 64 points must be those of plain Python. Rounds are
interleaved; figures are medians of processor time, so that a neighbour on the machine counts less. What a call of ours
includes is said in its row.

Run: python bench/rivals.py [--calls 1000] [--rounds 5], after `make rivals`. Exits 1 if an engine answers otherwise.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version

from exports import InProcess
from results import RESULTS, ROOT, machine, save

from steward.verifier import Verifier
from steward.verifier.core.decide import situation
from steward.verifier.core.evaluate import Evaluator

SIDE = ROOT / ".venv-rivals" / "bin" / "python"
RULE = (
    "action.amount > 0 and order.refunded + action.amount <= order.captured and action.to = 'original_payment'"
    " and customer.count + 1 <= limits.count and refunds.today + action.amount <= limits.day"
    ' and ("manager" in principal.roles or action.amount <= limits.manager)'
)
PLAIN = (
    "amount > 0 and refunded + amount <= captured and to == 'original_payment' and count + 1 <= limit_count"
    " and today + amount <= limit_day and ('manager' in roles or amount <= limit_manager)"
)
NOW = "2026-11-26T12:00:00Z"
FACTS = {
    "order.refunded": "refunded",
    "order.captured": "captured",
    "refunds.today": "today",
    "limits.day": "limit_day",
    "limits.manager": "limit_manager",
}
PYTHON = "plain Python, compiled code"
VERDICT = "ours: a verdict with its proof bundle (action and facts read, rule, digests)"
READ = "ours: action and facts read from JSON, exact evaluation"
EVALUATED = "ours: exact evaluation of facts already read"


def points(seed=20_261_126, count=64):
    pick = random.Random(seed)
    return [
        {
            "amount": pick.randint(0, 12_000),
            "refunded": pick.randint(0, 4_000),
            "captured": pick.randint(4_000, 20_000),
            "to": pick.choice(["original_payment"] * 7 + ["GB33BUKB20201555555555"]),
            "count": pick.randint(0, 3),
            "limit_count": 3,
            "today": pick.randint(0, 290_000),
            "limit_day": 300_000,
            "limit_manager": 10_000,
            "roles": pick.choice([["agent"], ["agent", "manager"]]),
        }
        for _ in range(count)
    ]


def verifier():
    money = [{"name": name, "type": "money"} for name in FACTS]
    counts = [{"name": name, "type": "int"} for name in ("customer.count", "limits.count")]
    document = {
        "facts": [*money, *counts],
        "kinds": [{"name": "refund.issue", "params": {"amount": "money", "to": "text"}}],
        "invariants": [
            {"id": "rule", "on": ["refund.issue"], "require": RULE, "otherwise": "deny", "why": "the benchmark's rule"}
        ],
    }
    return Verifier.from_documents([("rule.yaml", document)], prover=InProcess())


def gbp(minor):
    return {"amount_minor": minor, "currency": "GBP"}


def in_our_words(point):
    facts = {name: gbp(point[key]) for name, key in FACTS.items()}
    facts |= {"customer.count": point["count"], "limits.count": point["limit_count"]}
    principal = {"id": "agent:returns", "roles": point["roles"]}
    params = {"amount": gbp(point["amount"]), "to": point["to"]}
    return {"id": "act_1", "kind": "refund.issue", "params": params, "principal": principal}, facts


def ours(given):
    """Callables by name, each over the number of a point."""
    catalog = given.catalog
    node = catalog.invariants[0].rule
    asked = [in_our_words(point) for point in points()]
    read = [situation(catalog, action, facts, NOW).values for action, facts in asked]
    code, everywhere = compile(PLAIN, "rule", "eval"), {"__builtins__": {}}
    plain = points()
    return {
        EVALUATED: lambda i: Evaluator(read[i]).truth(node),
        READ: lambda i: Evaluator(situation(catalog, *asked[i], NOW).values).truth(node),
        VERDICT: lambda i: given.certify(*asked[i], NOW).verdict == "ALLOW",
        PYTHON: lambda i: eval(code, everywhere, plain[i]),
    }


def timed(run, calls, count):
    start = time.process_time()
    for number in range(calls):
        run(number % count)
    return (time.process_time() - start) / calls * 1e6


def theirs(calls):
    asked = json.dumps({"mode": "time", "points": points(), "calls": calls})
    side = ROOT / "bench" / "rivals_side.py"
    done = subprocess.run([str(SIDE), str(side)], input=asked, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def versions():
    listed = "import importlib.metadata as m, json; print(json.dumps({n: m.version(n) for n in %r}))"
    names = ["cedarpy", "cel-expr-python", "cel-python", "common-expression-language", "regopy"]
    done = subprocess.run([str(SIDE), "-c", listed % names], capture_output=True, text=True, check=True)
    try:
        own = version("steward-os")
    except PackageNotFoundError:
        own = ""
    return {"steward-os": own, **json.loads(done.stdout)}


def plotted(figures):
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "steward"
    import matplotlib.pyplot as plt

    rows = sorted(figures.items(), key=lambda item: -item[1]["us"])
    figure, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
    colours = ["#4477aa" if name.startswith("ours") else "#bbbbbb" for name, _ in rows]
    bars = axes.barh([name for name, _ in rows], [row["us"] for _, row in rows], color=colours)
    axes.bar_label(bars, labels=[f"{row['us']:.1f}" for _, row in rows], padding=3)
    axes.set_xscale("log")
    axes.set_xlabel("microseconds an evaluation, logarithmic")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(RESULTS / "rivals.svg", metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description="One ground rule by several engines; prints JSON figures.")
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not SIDE.exists():
        sys.exit("make rivals first: the engines live in an environment of their own")
    expected = [bool(eval(PLAIN, {"__builtins__": {}}, point)) for point in points()]
    with verifier() as given:
        runs = ours(given)
        answers = {name: [run(i) is True for i in range(len(expected))] for name, run in runs.items()}
        rounds = []
        for _ in range(options.rounds):
            found = {name: timed(run, options.calls, len(expected)) for name, run in runs.items()}
            side = theirs(options.calls)
            answers |= {name: row["answers"] for name, row in side.items()}
            rounds.append({**found, **{name: row["us"] for name, row in side.items()}})
    wrong = [name for name, said in answers.items() if said != expected]
    medians = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    figures = {
        name: {
            "us": round(us, 2),
            "times_plain_python": round(us / medians[PYTHON], 1),
            "to_ours": round(medians[READ] / us, 3),
        }
        for name, us in sorted(medians.items(), key=lambda item: item[1])
    }
    document = {
        "name": "rivals",
        "rule": RULE,
        "figures": figures,
        "answers_differ": wrong,
        "allowed": sum(expected),
        "points": len(expected),
        "calls": options.calls,
        "rounds": options.rounds,
        "versions": versions(),
        "machine": machine(),
    }
    save(document)
    plotted(figures)
    print(json.dumps(document, indent=1))
    return 1 if wrong or not 0 < sum(expected) < len(expected) else 0


if __name__ == "__main__":
    sys.exit(main())
