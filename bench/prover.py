"""How many obligations the provers prove, how fast, how large the certificates are and how long the checker takes.

Obligations: every theorem of the shipped catalog, every obligation its rules' own examples and witnesses raise, the
same with their numbers changed, and random linear ones over reals and whole numbers. Z3 says which are valid. A proof
counts once the checker accepts it. Theorems are asked with every rule that may matter and kept with those they use; the
kept ones are what is checked later. Prove times are on the wall clock, of a warm process with its pipe. Check times are
of the processor, since a check neither waits nor shares; the wall clock stands beside them.

Controls: no obligation that Z3 refutes may be proved, and the search without integer cuts must prove fewer.

Run: python bench/prover.py [--random 500] [--seed 20260101]. Prints JSON; exits 1 when a bar or a control is missed.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from fractions import Fraction
from typing import Any

import z3
from forge import by_z3
from results import RESULTS, machine, save

from steward.cli.rules import open_rules
from steward.verifier import Verifier
from steward.verifier.core import check
from steward.verifier.core.polynomials import atom, constant
from steward.verifier.core.theorems import question
from steward.verifier.provers import search
from steward.verifier.provers.client import Prover

SECONDS, CHECKS, FEW = 2.0, 20, 10
BARS = {"catalog": Fraction(1), "random": Fraction(99, 100), "prove_ms": 50, "check_us": 250, "bytes": 256}
Obligation = dict[str, Any]


class Judge:
    """The word of Z3 on whether an obligation is valid, remembered; None where it cannot say."""

    def __init__(self) -> None:
        self.known: dict[str, bool | None] = {}

    def valid(self, obligation: Obligation) -> bool | None:
        key = json.dumps(obligation)
        if key not in self.known:
            self.known[key] = by_z3(obligation)
        return self.known[key]


class Recorder:
    """A prover that keeps what it is asked."""

    def __init__(self, prover: Prover) -> None:
        self.prover, self.asked = prover, []

    def ask(self, obligation: Obligation, seconds: float | None = None) -> dict[str, Any]:
        self.asked.append(obligation)
        return self.prover.ask(obligation, seconds)

    def close(self) -> None:
        self.prover.close()


def catalog_obligations(prover: Prover) -> dict[str, list[Obligation]]:
    """The theorems with every rule that has to do with them, and what the rules' own examples ask."""
    rules = open_rules(None)
    verifier = rules.verifier()
    catalog = verifier.catalog
    asked = [question(catalog, kind, state).obligation for kind in catalog.kinds for state in catalog.touched(kind)]
    stored = [theorem.obligation for theorem in verifier.theorems.stored.values()]
    recorder = Recorder(prover)
    tested = Verifier(catalog, rules.limits, recorder, verifier.theorems)
    tested.self_test()
    return {"theorems asked": asked, "theorems kept": stored, "examples": recorder.asked}


def moved(pick: random.Random, formula: Any) -> Any:
    """A formula with every constant moved by up to a quarter of itself."""
    if formula[0] in ("and", "or"):
        return [formula[0], *(moved(pick, part) for part in formula[1:])]
    terms = [
        [str(Fraction(term[0]) + round(Fraction(term[0]) * pick.randint(-25, 25) / 100)), *term[1:]]
        if len(term) == 1
        else term
        for term in formula[1]
    ]
    return [formula[0], [term for term in terms if Fraction(term[0])]]


def varied(pick: random.Random, given: list[Obligation], count: int) -> list[Obligation]:
    """Instances of the given obligations with other numbers."""
    found = []
    for _ in range(count):
        one = pick.choice(given)
        hypotheses = [moved(pick, hypothesis) for hypothesis in one["hypotheses"]]
        found.append({**one, "hypotheses": hypotheses, "goal": moved(pick, one["goal"])})
    return found


def row(pick: random.Random, names: list[str], span: int) -> dict[Any, Fraction]:
    chosen = pick.sample(names, pick.randint(1, min(3, len(names))))
    poly = {(name,): Fraction(pick.choice([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5])) for name in sorted(chosen)}
    return {**poly, **constant(pick.randint(-span, span))}


def linear(pick: random.Random, sort: str) -> Obligation:
    """A random linear obligation: rows over two to six variables, often boxed, now and then with alternatives."""
    names = [f"x{number}" for number in range(pick.randint(2, 6))]
    hypotheses: list[Any] = []
    if pick.random() < 0.7:
        for name in names:
            low = pick.randint(-10, 5)
            high = low + pick.randint(0, 12)
            hypotheses.append(atom(">=", {(name,): Fraction(1), **constant(-low)}))
            hypotheses.append(atom(">=", {(name,): Fraction(-1), **constant(high)}))
    for _ in range(pick.randint(1, 5)):
        kind = pick.choice([">=", ">=", ">=", ">", "="])
        hypotheses.append(atom(kind, row(pick, names, 12)))
    if pick.random() < 0.3:
        hypotheses.append(["or", atom(">=", row(pick, names, 12)), atom(">=", row(pick, names, 12))])
    goal = atom(pick.choice([">=", ">=", ">"]), row(pick, names, 60))
    if pick.random() < 0.2:
        goal = [pick.choice(["and", "or"]), goal, atom(">=", row(pick, names, 60))]
    return {"variables": dict.fromkeys(names, sort), "hypotheses": hypotheses, "goal": goal}


def sampled(pick: random.Random, sort: str, judge: Judge, count: int) -> list[Obligation]:
    """As many valid random obligations as asked for, with the invalid ones met on the way (at most as many)."""
    valid: list[Obligation] = []
    invalid: list[Obligation] = []
    while len(valid) < count:
        one = linear(pick, sort)
        answer = judge.valid(one)
        if answer:
            valid.append(one)
        elif answer is False and len(invalid) < count // 2:
            invalid.append(one)
    return [*valid, *invalid]


def accepted(obligation: Obligation, answer: dict[str, Any]) -> bool:
    if answer["status"] != "proved":
        return False
    try:
        check.check_obligation(obligation, answer["tree"])
    except check.Refused:
        return False
    return True


class Measured:
    """Figures of one set of obligations."""

    def __init__(self) -> None:
        self.valid = self.proved = self.invalid = self.false = self.unjudged = 0
        self.prove_ms: list[float] = []
        self.check_us: list[float] = []
        self.wall_us: list[float] = []
        self.bytes: list[int] = []
        self.missed: list[Obligation] = []

    def add(self, obligation: Obligation, judge: Judge, prover: Prover) -> None:
        valid = judge.valid(obligation)
        start = time.perf_counter()
        answer = prover.ask(obligation)
        spent = (time.perf_counter() - start) * 1000
        proved = accepted(obligation, answer)
        self.unjudged += valid is None
        self.invalid += valid is False
        self.false += valid is False and proved
        if valid or (valid is None and proved):
            self.valid += 1
            self.proved += proved
            self.prove_ms.append(spent)
            self.missed += [] if proved else [obligation]
        if proved:
            self.bytes.append(len(json.dumps(answer["tree"], separators=(",", ":"))))
            if len(obligation["variables"]) <= FEW:
                for _ in range(CHECKS):
                    wall, start = time.perf_counter(), time.thread_time()
                    check.check_obligation(obligation, answer["tree"])
                    self.check_us.append((time.thread_time() - start) * 1e6)
                    self.wall_us.append((time.perf_counter() - wall) * 1e6)

    def figures(self) -> dict[str, Any]:
        return {
            "valid": self.valid,
            "proved": self.proved,
            "share": f"{self.proved / self.valid:.4f}" if self.valid else "none",
            "refuted_by_z3": self.invalid,
            "falsely_proved": self.false,
            "not_judged_by_z3": self.unjudged,
            "prove_ms": {
                "p50": part(self.prove_ms, 50),
                "p95": part(self.prove_ms, 95),
                "max": part(self.prove_ms, 100),
            },
            "check_us": {"p50": part(self.check_us, 50), "p99": part(self.check_us, 99)},
            "check_wall_us": {"p50": part(self.wall_us, 50), "p99": part(self.wall_us, 99)},
            "certificate_bytes": {"median": part(self.bytes, 50), "p95": part(self.bytes, 95)},
        }


def part(values: list[Any], percent: int) -> float:
    """The value that `percent` of a hundred do not exceed."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 2) if ordered else 0


def without_cuts(sets: dict[str, list[Obligation]], judge: Judge) -> dict[str, int]:
    """How many of the valid whole-number obligations are proved with and without cuts, in this process."""
    asked = [one for one in sets["random integers"] if judge.valid(one)]
    found = {}
    for name, most in (("with", search.CUTS_MAX), ("without", 0)):
        before, search.CUTS_MAX = search.CUTS_MAX, most
        found[name] = sum(accepted(one, search.answer(one, SECONDS)) for one in asked)
        search.CUTS_MAX = before
    return found


def plot(sets: dict[str, dict[str, Any]]) -> str:
    """Bars of the p95 prove time of each set, with the bar it must stay under."""
    widest = max(BARS["prove_ms"], *(found["prove_ms"]["p95"] for found in sets.values()))
    lines = []
    for number, (name, found) in enumerate(sets.items()):
        top, width = 30 + 28 * number, 320 * found["prove_ms"]["p95"] / widest
        lines.append(f'<text x="8" y="{top + 13}">{name}</text>')
        lines.append(f'<rect x="150" y="{top}" width="{width:.1f}" height="18" fill="#4477aa"/>')
        lines.append(f'<text x="{156 + width:.1f}" y="{top + 13}">{found["prove_ms"]["p95"]}</text>')
    height = 40 + 28 * len(sets)
    limit = 150 + 320 * BARS["prove_ms"] / widest
    lines.append(f'<line x1="{limit:.1f}" y1="24" x2="{limit:.1f}" y2="{height - 8}" stroke="#aa3333"/>')
    title = '<text x="8" y="16">prove time, p95 in ms; the line is the bar</text>'
    style = 'font-family="sans-serif" font-size="12"'
    body = "\n".join([title, *lines])
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="540" height="{height}" {style}>\n{body}\n</svg>\n'


def main() -> int:
    parser = argparse.ArgumentParser(description="Provers and checker on the catalog's and random obligations.")
    parser.add_argument("--random", type=int, default=500)
    parser.add_argument("--seed", type=int, default=20_260_101)
    options = parser.parse_args()
    z3.set_param("smt.random_seed", 0)
    pick, judge, prover = random.Random(options.seed), Judge(), Prover(SECONDS)
    prover.warm()
    sets = catalog_obligations(prover)
    sets["instances"] = varied(pick, sets["examples"], options.random)
    sets["random reals"] = sampled(pick, "real", judge, options.random)
    sets["random integers"] = sampled(pick, "int", judge, options.random)
    every = {name: Measured() for name in sets}
    for name, obligations in sets.items():
        for obligation in obligations:
            every[name].add(obligation, judge, prover)
    prover.close()
    figures = {name: found.figures() for name, found in every.items()}
    control = without_cuts(sets, judge)
    kept = [found for name, found in every.items() if name != "theorems asked"]
    whole = {
        "prove_ms_p95": part([ms for found in every.values() for ms in found.prove_ms], 95),
        "check_us_p99": part([us for found in kept for us in found.check_us], 99),
        "check_wall_us_p99": part([us for found in kept for us in found.wall_us], 99),
        "certificate_bytes_median": part([size for found in every.values() for size in found.bytes], 50),
    }
    catalog = [every[name] for name in ("theorems asked", "theorems kept", "examples", "instances")]
    linears = [every[name] for name in ("random reals", "random integers")]
    reached = {
        "catalog proved": all(found.proved == found.valid for found in catalog),
        "random proved": sum(f.proved for f in linears) >= BARS["random"] * sum(f.valid for f in linears),
        "prove p95": whole["prove_ms_p95"] <= BARS["prove_ms"],
        "check p99": whole["check_us_p99"] <= BARS["check_us"],
        "median certificate": whole["certificate_bytes_median"] <= BARS["bytes"],
        "nothing false": not any(found.false for found in every.values()),
        "control without cuts proves fewer": control["without"] < control["with"],
    }
    report = {"name": "prover", "seed": options.seed, "sets": figures, "whole": whole, "control": control}
    report |= {"reached": reached, "machine": machine()}
    save(report)
    (RESULTS / "prover.svg").write_text(plot(figures), encoding="utf-8")
    missed = [one for found in every.values() for one in found.missed][:3]
    print(json.dumps({**report, "missed": missed}, indent=1))
    return 0 if all(reached.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
