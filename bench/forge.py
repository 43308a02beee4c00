"""Forges certificates against the trusted checker and lets Z3 and cvc5 judge every one it accepts.

Each pair is an obligation and a tree made by an attacker who knows the rules: multipliers solved without minding
their signs, honest certificates with one number changed, honest certificates of another goal, cuts of variables
that are not whole, splits with a branch left out. Two figures matter: false accepts must be zero, and the same
attack must catch the controls, which are this very checker with one rule weakened on purpose.

Run: python bench/forge.py [--pairs 1000000] [--seed 20260101] [--workers 2]. Prints JSON; exits 1 on a false accept,
when the judges disagree or when a control is not caught.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import time
import types
from fractions import Fraction
from pathlib import Path
from typing import Any

import cvc5
import z3
from results import machine, save

from steward.verifier.core import check
from steward.verifier.core.polynomials import atom, constant, plus, variable
from steward.verifier.provers.box import box_leaf
from steward.verifier.provers.context import Context, opened
from steward.verifier.provers.counter import to_z3
from steward.verifier.provers.linear import Program, _solved

WEAKENED = {
    "negative multipliers": {'require(scale > 0 or (scale != 0 and "=" in words)': "require(scale != 0"},
    "cuts of real variables": {'self.variables[n] == "int" for m in poly': "n in self.variables for m in poly"},
    "any constant": {"constant <= 0 and strict - constant == common": "strict - constant != 0"},
    "missing branches": {
        "len(branches) == len(parts)": "len(branches) >= 1",
        "zip(parts, branches, strict=True)": "zip(parts, branches)",
    },
}
JUDGE_MS = 5_000
ATTACKS = 6
SHARD = 10_000  # pairs of one seed; shards run side by side and a run is the same with any number of workers
ERRORS = (check.Refused, ValueError, TypeError, KeyError, IndexError, RecursionError)


class Judge:
    """The word of Z3 and of cvc5 on an obligation, remembered: (Z3's, cvc5's), None where one cannot say."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[bool | None, bool | None]] = {}

    def words(self, obligation: dict[str, Any]) -> tuple[bool | None, bool | None]:
        key = json.dumps(obligation)
        if key not in self.known:
            self.known[key] = by_z3(obligation), by_cvc5(obligation)
        return self.known[key]


def by_z3(obligation: dict[str, Any]) -> bool | None:
    names = {n: (z3.Int if s == "int" else z3.Real)(n) for n, s in obligation["variables"].items()}
    solver = z3.Solver()
    solver.set("timeout", JUDGE_MS)
    for hypothesis in obligation["hypotheses"]:
        solver.add(to_z3(hypothesis, names))
    solver.add(z3.Not(to_z3(obligation["goal"], names)))
    return {"unsat": True, "sat": False}.get(str(solver.check()))


def by_cvc5(obligation: dict[str, Any]) -> bool | None:
    terms = cvc5.TermManager()
    solver = cvc5.Solver(terms)
    solver.setOption("tlimit-per", str(JUDGE_MS))
    solver.setLogic("QF_NIRA")
    real = {"int": terms.getIntegerSort(), "real": terms.getRealSort()}
    names = {n: terms.mkConst(real[sort], n) for n, sort in obligation["variables"].items()}
    reals = {n: terms.mkTerm(cvc5.Kind.TO_REAL, t) if t.getSort().isInteger() else t for n, t in names.items()}
    for hypothesis in obligation["hypotheses"]:
        solver.assertFormula(to_cvc5(terms, hypothesis, reals))
    solver.assertFormula(terms.mkTerm(cvc5.Kind.NOT, to_cvc5(terms, obligation["goal"], reals)))
    found = solver.checkSat()
    return True if found.isUnsat() else False if found.isSat() else None


def to_cvc5(terms: Any, formula: Any, names: dict[str, Any]) -> Any:
    word, *parts = formula
    if word in ("and", "or"):
        if not parts:
            return terms.mkBoolean(word == "and")
        inner = [to_cvc5(terms, part, names) for part in parts]
        return inner[0] if len(inner) == 1 else terms.mkTerm(getattr(cvc5.Kind, word.upper()), *inner)
    summed = terms.mkReal(0)
    for coefficient, *monomial in parts[0]:
        product = terms.mkReal(coefficient)
        for name in monomial:
            product = terms.mkTerm(cvc5.Kind.MULT, product, names[name])
        summed = terms.mkTerm(cvc5.Kind.ADD, summed, product)
    kind = {">=": cvc5.Kind.GEQ, ">": cvc5.Kind.GT, "=": cvc5.Kind.EQUAL}[word]
    return terms.mkTerm(kind, summed, terms.mkReal(0))


class Forger:
    """Obligations and forged trees, all from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.honest: list[Any] = []
        self.mine: list[Any] = []
        self.made = 0

    def obligation(self) -> dict[str, Any]:
        pick = self.random
        variables = {"n": "int", "x": "real", "y": pick.choice(["int", "real"])}
        hypotheses = []
        for name in variables:
            low = pick.randint(-2, 2)
            high = low + pick.randint(1, 4)
            hypotheses.append(atom(">=", plus(variable(name), constant(low), -1)))
            hypotheses.append(atom(">=", plus(constant(high), variable(name), -1)))
        if pick.random() < 0.2:
            hypotheses.append(["or", self.atom(), self.atom()])
        return {"variables": variables, "hypotheses": hypotheses, "goal": self.goal()}

    def goal(self) -> Any:
        shape = self.random.random()
        if shape < 0.7:
            return self.atom()
        if shape < 0.85:
            name, k = self.random.choice("nxy"), self.random.randint(-1, 3)
            below = atom(">=", plus(constant(k), variable(name), -1))
            return ["or", below, atom(">=", plus(variable(name), constant(k + 1), -1))]
        return [self.random.choice(["and", "or"]), self.atom(), self.atom()]

    def atom(self) -> Any:
        monomials = self.random.sample([("n",), ("n", "x"), ("x",), ("x", "y"), ("y",)], self.random.randint(1, 2))
        poly = {monomial: Fraction(self.random.choice([-3, -2, -1, 1, 2, 3])) for monomial in monomials}
        poly |= constant(self.random.randint(-8, 14))
        return atom(self.random.choice([">=", ">=", ">", "="]), poly)

    def leaf(self, context: Context) -> Any:
        """Multipliers that cancel every monomial on a few terms, whatever their signs."""
        products = self.random.random() < 0.5
        if self.random.random() < 0.3:
            found = box_leaf(context)
            if found is not None:
                return ["F", found]
        program = Program(context, products=products)
        columns = list(range(len(program.columns)))
        support = self.random.sample(columns, min(len(columns), self.random.randint(2, 7)))
        goal = [c for c in columns if max(program.indices[c]) >= 6]
        scales = _solved(program, sorted({*support, *self.random.sample(goal, min(1, len(goal)))})) or {}
        terms = sorted((len(program.indices[c]), program.indices[c], v) for c, v in scales.items() if v)
        return ["F", [[*indices, str(value)] for _, indices, value in terms]]

    def tree(self, context: Context, depth: int = 0) -> Any:
        waiting = context.disjunctions()
        shape = self.random.random()
        if waiting and depth < 3 and shape < 0.9:
            index = self.random.choice(waiting)
            parts = context.entries[index][1:]
            branches = [self.tree(context.under(part, index), depth + 1) for part in parts]
            return ["S", index, branches if self.random.random() < 0.8 else branches[:1]]
        if depth < 2 and shape > 0.75 - 0.2 * depth and (depth or shape > 0.85):
            name, k = self.random.choice("nxy"), self.random.randint(-1, 3)
            rule = self.random.choice("CCP")
            below = atom(">=" if rule == "C" else ">", plus(constant(k), variable(name), -1))
            above = atom(">=", plus(variable(name), constant(k + (rule == "C")), -1))
            sides = [self.tree(context.under(side), depth + 1) for side in (below, above)]
            return [rule, [["1", name]], str(k), *sides]
        return self.leaf(context)

    def gap(self, context: Context) -> Any:
        """The proof that no whole number lies inside a gap, for whatever variable the gap is in."""
        last = context.atoms[-1][2]
        names = [monomial[0] for monomial in last if monomial]
        if len(names) != 1:
            return self.tree(context)
        k = -min(p.get((), Fraction(0)) for _, _, p in context.atoms[-2:])
        below = atom(">=", plus(constant(k), variable(names[0]), -1))
        above = atom(">=", plus(variable(names[0]), constant(k + 1), -1))
        sides = [box_leaf(context.under(side)) for side in (below, above)]
        return ["C", [["1", names[0]]], str(k), *(["F", side or []] for side in sides)]

    def changed(self, tree: Any) -> Any:
        """An honest tree with one number, index or branch changed."""
        tree = json.loads(json.dumps(tree))
        node = tree
        while node[0] != "F":
            choices = node[2] if node[0] == "S" else node[3:]
            if not choices:
                return tree
            node = self.random.choice(choices)
        if node[1]:
            term = self.random.choice(node[1])
            place = self.random.randrange(len(term))
            number = Fraction(self.random.randint(-9, 9), self.random.randint(1, 4))
            term[place] = str(number) if place == len(term) - 1 else self.random.randint(0, 8)
        return tree

    def pair(self) -> tuple[dict[str, Any], Any]:
        """Each obligation is attacked ATTACKS times: by trees made for it, and by those with a part changed."""
        if self.made % ATTACKS == 0:
            self.target = self.obligation()
            self.context = opened(self.target, 600.0)
            self.mine = []
        self.made += 1
        return self.target, self.forged()

    def forged(self) -> Any:
        shape = self.random.random()
        if shape < 0.1:
            return self.gap(self.context)
        if shape < 0.25 and self.honest:
            tree = self.random.choice(self.honest)
            return tree if self.random.random() < 0.3 else self.changed(tree)
        if shape < 0.6 and self.mine:
            return self.changed(self.random.choice(self.mine))
        tree = self.tree(self.context)
        self.mine.append(tree)
        return tree


def weakened(changes: dict[str, str]) -> types.ModuleType:
    """The checker's own source with one rule weakened."""
    source = Path(check.__file__).read_text(encoding="utf-8")
    for old, new in changes.items():
        if source.count(old) != 1:
            raise SystemExit(f"the control does not apply any more: {old}")
        source = source.replace(old, new)
    module = types.ModuleType("weakened_check")
    exec(compile(source, "weakened_check", "exec"), module.__dict__)
    return module


def attack(module: Any, seed: int, pairs: int, judge: Judge, *, stop: bool) -> dict[str, Any]:
    """Accepts and false accepts over `pairs`; with `stop` the first false accept ends it."""
    forger = Forger(seed)
    refused = (module.Refused, *ERRORS)
    figures = {"pairs": 0, "accepted": 0, "false_accepts": 0, "disagreements": 0, "unjudged_z3": 0, "unjudged_cvc5": 0}
    worst = 0.0
    for _ in range(pairs):
        obligation, tree = forger.pair()
        figures["pairs"] += 1
        start = time.perf_counter()
        try:
            module.check_obligation(obligation, tree)
        except refused:
            continue
        finally:
            worst = max(worst, time.perf_counter() - start)
        figures["accepted"] += 1
        if len(forger.honest) < 500:
            forger.honest.append(tree)
        said = judge.words(obligation)
        figures["unjudged_z3"] += said[0] is None
        figures["unjudged_cvc5"] += said[1] is None
        figures["disagreements"] += set(said) == {True, False}
        figures["false_accepts"] += False in said
        if stop and False in said:
            break
    return {**figures, "slowest_check_ms": round(worst * 1000, 2)}


def shard(job: tuple[int, int]) -> dict[str, Any]:
    """One shard against the checker, with a judge of its own."""
    return attack(check, *job, Judge(), stop=False)


def summed(parts: list[dict[str, Any]]) -> dict[str, Any]:
    whole = {name: sum(part[name] for part in parts) for name in parts[0] if name != "slowest_check_ms"}
    return {**whole, "slowest_check_ms": max(part["slowest_check_ms"] for part in parts)}


def main() -> int:
    parser = argparse.ArgumentParser(description="Forged certificates against the checker; prints JSON figures.")
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=20_260_101)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    start = time.perf_counter()
    jobs = [
        (options.seed + number, min(SHARD, options.pairs - low))
        for number, low in enumerate(range(0, options.pairs, SHARD))
    ]
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        figures = summed(pool.map(shard, jobs, chunksize=1))
    judge = Judge()
    controls = {
        name: attack(weakened(changes), options.seed, SHARD, judge, stop=True) for name, changes in WEAKENED.items()
    }
    caught = {name: found["false_accepts"] > 0 for name, found in controls.items()}
    report = {
        "name": "forge",
        "seed": options.seed,
        "figures": figures,
        "judges": {"z3": z3.get_version_string(), "cvc5": cvc5.__version__},
        "controls": {name: {"caught": caught[name], "pairs": found["pairs"]} for name, found in controls.items()},
        "seconds": round(time.perf_counter() - start, 1),
    }
    report["machine"] = machine()
    save(report)
    print(json.dumps(report, indent=1))
    sound = figures["false_accepts"] == 0 == figures["disagreements"] and figures["accepted"] > 0
    return 0 if sound and all(caught.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
