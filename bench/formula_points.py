"""A million random points of random formulas: evaluator, compiled form and Z3 must say the same, undefined included.

Every formula is typed, over whole numbers, ratios, money in two currencies and a list. The evaluator walks its tree;
the compiled form are the polynomials that certificates are about (`obligations.Compiler`), at the point's values; Z3
gets the tree by a translation of its own here, which shares no code with either. Points are few and round on purpose,
so that denominators vanish, ties happen and currencies clash.

The controls are this very evaluator with one rule broken on purpose; each must disagree.

Run: python bench/formula_points.py [--points 1000000] [--seed 20261126]. Prints JSON; exits 1 on a mismatch, or if a
control is not caught.
"""

import argparse
import json
import math
import multiprocessing
import random
import sys
import time
import types
from fractions import Fraction
from functools import cache
from pathlib import Path

import z3
from results import machine, save

from steward.verifier.core import evaluate
from steward.verifier.core.evaluate import Undecided
from steward.verifier.core.obligations import Compiler
from steward.verifier.core.polynomials import from_json, true_at, value_at
from steward.verifier.core.syntax import Apply, Braces, Choose, Fold, Literal, Reference
from steward.verifier.core.types import DECIMAL, INT, MONEY, TEXT, Type
from steward.verifier.core.units import type_of
from steward.verifier.core.values import Amount, Uncertain

POINTS_EACH = 50
SHARD = 500  # formulas of one seed
KINDS = {"n": INT, "k": INT, "x": DECIMAL, "y": DECIMAL, "m": MONEY, "w": MONEY}
GROUND = {"g": INT, "c": MONEY, "e": MONEY}
LIST = Type("list", item=Type("record", fields=(("q", INT), ("p", MONEY), ("s", TEXT))))
SCOPE = {**KINDS, **GROUND, "items": LIST}
UNITS = {"": 0, "GBP": 1, "EUR": 2}
BROKEN = {
    "division by zero is zero": {'raise Undefined("division by zero")': "return Fraction(0)"},
    "not of undefined is true": {"return None if inner is None else not inner": "return not inner"},
    "floor rounds to zero": {"exact(math.floor(size))": "exact(int(size))"},
    "at least is more than": {'">=": operator.ge': '">=": operator.gt'},
    "currencies add up": {'raise Undefined(f"amounts in': 'return next(iter(units)) or (f"amounts in'},
    "or stops at undefined": {
        "return wins if left is wins else": "return None if left is None else wins if left is wins else"
    },
}


class Author:
    """Random typed formulas."""

    def __init__(self, pick):
        self.pick = pick

    def truth(self, depth):
        shape = self.pick.random()
        if depth <= 0 or shape < 0.35:
            return self.compared(depth)
        if shape < 0.6:
            return Apply(self.pick.choice(["and", "or", "implies"]), (self.truth(depth - 1), self.truth(depth - 1)))
        if shape < 0.7:
            return Apply("not", (self.truth(depth - 1),))
        if shape < 0.78:
            return Choose(self.truth(depth - 1), self.truth(depth - 1), self.truth(depth - 1))
        if shape < 0.84:
            return Apply(self.pick.choice(["=", "!="]), (self.truth(depth - 1), self.truth(depth - 1)))
        if shape < 0.92:
            return Fold(self.pick.choice(["all", "any"]), "i", Reference("items"), self.item_truth())
        return Apply(
            "in", (self.number(depth - 1), Braces(tuple(self.number(0) for _ in range(self.pick.randint(1, 3)))))
        )

    def item_truth(self):
        one = Apply(self.pick.choice(["<=", ">", "="]), (Reference("i.q"), self.number(0)))
        other = Apply(self.pick.choice(["<=", ">="]), (Reference("i.p"), self.money(0)))
        return self.pick.choice([one, other, Apply(self.pick.choice(["and", "or"]), (one, other))])

    def compared(self, depth):
        side = self.pick.choice([self.number, self.number, self.money])
        return Apply(self.pick.choice(["=", "!=", "<", "<=", ">", ">="]), (side(depth - 1), side(depth - 1)))

    def number(self, depth):
        shape = self.pick.random()
        if depth <= 0 or shape < 0.25:
            name = self.pick.choice(["n", "k", "x", "y", "g", ""])
            return (
                Reference(name)
                if name
                else Literal("number", Fraction(self.pick.randint(0, 6), self.pick.choice([1, 1, 2])))
            )
        if shape < 0.6:
            return Apply(self.pick.choice(["+", "-", "*", "/"]), (self.number(depth - 1), self.number(depth - 1)))
        if shape < 0.7:
            return Apply(self.pick.choice(["min", "max"]), (self.number(depth - 1), self.number(depth - 1)))
        if shape < 0.78:
            return Apply(self.pick.choice(["abs", "-", "floor"]), (self.number(depth - 1),))
        if shape < 0.84:
            return Choose(self.truth(depth - 1), self.number(depth - 1), self.number(depth - 1))
        if shape < 0.92:
            return Apply("/", (self.money(depth - 1), self.money(depth - 1)))
        if shape < 0.96:
            return Fold("count", "i", Reference("items"), self.item_truth())
        body = Apply("*", (Reference("i.q"), self.number(0)))
        return Fold(self.pick.choice(["sum", "min", "max"]), "i", Reference("items"), body)

    def money(self, depth):
        shape = self.pick.random()
        if depth <= 0 or shape < 0.4:
            name = self.pick.choice(["m", "w", "c", "c", "m", "e", ""])
            return Reference(name) if name else Literal("GBP", Fraction(self.pick.randint(0, 4)))
        if shape < 0.6:
            return Apply(self.pick.choice(["+", "-"]), (self.money(depth - 1), self.money(depth - 1)))
        if shape < 0.75:
            return Apply(self.pick.choice(["*", "/"]), (self.money(depth - 1), self.number(depth - 1)))
        if shape < 0.85:
            return Apply(self.pick.choice(["min", "max"]), (self.money(depth - 1), self.money(depth - 1)))
        if shape < 0.93:
            return Choose(self.truth(depth - 1), self.money(depth - 1), self.money(depth - 1))
        return Fold(self.pick.choice(["sum", "min", "max"]), "i", Reference("items"), Reference("i.p"))


def amounts(pick):
    """The ground facts of a formula: numbers, two currencies, a list that may be empty or mixed."""
    rows = [
        {
            "q": Fraction(pick.randint(-2, 3)),
            "p": Amount(Fraction(pick.randint(-2, 4)), pick.choice(["GBP", "GBP", "GBP", "EUR"])),
            "s": "a",
        }
        for _ in range(pick.choice([0, 1, 2, 3]))
    ]
    return {
        "g": Fraction(pick.randint(-3, 3)),
        "c": Amount(Fraction(pick.randint(-3, 5)), "GBP"),
        "e": Amount(Fraction(pick.randint(-3, 5)), "EUR"),
        "items": tuple(rows),
    }


def uncertain():
    return {
        name: Uncertain(kind, Fraction(-4), Fraction(4), currency="GBP" if kind == MONEY else "")
        for name, kind in KINDS.items()
    }


def point(pick):
    """Values of the uncertain facts: small, often whole, often zero."""
    return {
        name: Fraction(pick.randint(-3, 3))
        if kind != DECIMAL
        else Fraction(pick.randint(-6, 6), pick.choice([1, 2, 3]))
        for name, kind in KINDS.items()
    }


class Told:
    """A value for Z3: the term, where it is defined, and its currency as a number."""

    def __init__(self, term, defined, unit):
        self.term, self.defined, self.unit = term, defined, unit


def clash(a, b):
    return z3.And(a.unit != 0, b.unit != 0, a.unit != b.unit)


class Translator:
    """The tree as Z3 terms, by its meaning: (true, false) of a truth, a `Told` of a value."""

    def __init__(self, ground, terms):
        self.ground, self.terms, self.bound = ground, terms, {}

    def truth(self, node):
        match node:
            case Literal():
                return z3.BoolVal(node.value), z3.BoolVal(not node.value)
            case Apply(op="not"):
                yes, no = self.truth(node.args[0])
                return no, yes
            case Apply(op="and" | "or" | "implies"):
                (a, not_a), (b, not_b) = map(self.truth, node.args)
                if node.op == "implies":
                    a, not_a = not_a, a
                return (z3.And(a, b), z3.Or(not_a, not_b)) if node.op == "and" else (z3.Or(a, b), z3.And(not_a, not_b))
            case Choose():
                (c, not_c), (a, not_a), (b, not_b) = map(self.truth, (node.condition, node.yes, node.no))
                return z3.Or(z3.And(c, a), z3.And(not_c, b)), z3.Or(z3.And(c, not_a), z3.And(not_c, not_b))
            case Fold():
                parts = self.each(node, self.truth)
                yes, no = [p[0] for p in parts], [p[1] for p in parts]
                return (z3.And(yes), z3.Or(no)) if node.op == "all" else (z3.Or(yes), z3.And(no))
            case Apply(op="in"):
                value, found = self.value(node.args[0]), [self.value(item) for item in node.args[1].items]
                defined = z3.And(value.defined, *(z3.And(i.defined, z3.Not(clash(value, i))) for i in found))
                equal = z3.Or([value.term == item.term for item in found])
                return z3.And(defined, equal), z3.And(defined, z3.Not(equal))
            case Apply() if is_truth(node.args[0]):
                (a, not_a), (b, not_b) = map(self.truth, node.args)
                defined, equal = z3.And(z3.Or(a, not_a), z3.Or(b, not_b)), a == b
                same = equal if node.op == "=" else z3.Not(equal)
                return z3.And(defined, same), z3.And(defined, z3.Not(same))
            case _:
                a, b = map(self.value, node.args)
                defined = z3.And(a.defined, b.defined, z3.Not(clash(a, b)))
                holds = {
                    "=": a.term == b.term,
                    "!=": a.term != b.term,
                    "<": a.term < b.term,
                    "<=": a.term <= b.term,
                    ">": a.term > b.term,
                    ">=": a.term >= b.term,
                }[node.op]
                return z3.And(defined, holds), z3.And(defined, z3.Not(holds))

    def each(self, node, function):
        found = []
        for item in self.ground["items"]:
            self.bound = item
            found.append(function(node.body))
        self.bound = {}
        return found

    def value(self, node):
        match node:
            case Literal():
                unit = UNITS.get(node.kind, 0)
                return told(node.value, unit)
            case Reference():
                if node.name in self.terms:
                    return Told(self.terms[node.name], z3.BoolVal(True), z3.IntVal(int(KINDS[node.name] == MONEY)))
                plain = self.bound[node.name[2:]] if node.name.startswith("i.") else self.ground[node.name]
                return told(plain.minor, UNITS[plain.currency]) if isinstance(plain, Amount) else told(plain, 0)
            case Choose():
                (c, not_c), a, b = self.truth(node.condition), self.value(node.yes), self.value(node.no)
                defined = z3.Or(z3.And(c, a.defined), z3.And(not_c, b.defined))
                return Told(z3.If(c, a.term, b.term), defined, z3.If(c, a.unit, b.unit))
            case Fold(op="count"):
                parts = self.each(node, self.truth)
                defined = z3.And([z3.Or(yes, no) for yes, no in parts])
                return Told(
                    z3.Sum([z3.RealVal(0), *(z3.If(yes, z3.RealVal(1), z3.RealVal(0)) for yes, _ in parts)]),
                    defined,
                    z3.IntVal(0),
                )
            case Fold():
                parts = self.each(node, self.value)
                if not parts:
                    return (
                        told(Fraction(0), 0)
                        if node.op == "sum"
                        else Told(z3.RealVal(0), z3.BoolVal(False), z3.IntVal(0))
                    )
                return self.joined(node.op if node.op != "sum" else "+", parts)
            case Apply(op="abs" | "floor"):
                a = self.value(node.args[0])
                term = z3.If(a.term >= 0, a.term, -a.term) if node.op == "abs" else z3.ToReal(z3.ToInt(a.term))
                return Told(term, a.defined, a.unit)
            case Apply(op="-") if len(node.args) == 1:
                a = self.value(node.args[0])
                return Told(-a.term, a.defined, a.unit)
            case _:
                return self.joined(node.op, [self.value(arg) for arg in node.args])

    def joined(self, op, parts):
        whole = parts[0]
        for part in parts[1:]:
            unit = z3.If(whole.unit != 0, whole.unit, part.unit)
            defined = z3.And(whole.defined, part.defined, z3.Not(clash(whole, part)))
            a, b = whole.term, part.term
            if op == "/":
                defined = z3.And(defined, b != 0)
                unit = z3.If(z3.And(whole.unit != 0, part.unit != 0), z3.IntVal(0), unit)
            term = {
                "+": lambda a=a, b=b: a + b,
                "-": lambda a=a, b=b: a - b,
                "*": lambda a=a, b=b: a * b,
                "/": lambda a=a, b=b: a / b,
                "min": lambda a=a, b=b: z3.If(a <= b, a, b),
                "max": lambda a=a, b=b: z3.If(a >= b, a, b),
            }[op]()
            whole = Told(term, defined, unit)
        return whole


def told(value, unit):
    return Told(z3.RealVal(str(value)), z3.BoolVal(True), z3.IntVal(unit))


def is_truth(node):
    match node:
        case Apply():
            return node.op in ("and", "or", "implies", "not", "in", "=", "!=", "<", "<=", ">", ">=")
        case Fold():
            return node.op in ("all", "any")
        case Choose():
            return is_truth(node.yes)
        case Literal():
            return node.kind == "bool"
        case _:
            return False


def with_floors(compiler, values):
    """The point with every fresh whole variable of a floor given the one value its hypothesis allows."""
    whole = dict(values)
    for name in compiler.variables:
        if name.startswith("floor#"):
            gap = next(poly for poly in atoms(compiler.hypotheses) if any(name in monomial for monomial in poly))
            low = value_at(gap, {**whole, name: Fraction(0)})
            step = low - value_at(gap, {**whole, name: Fraction(1)})
            whole[name] = Fraction(math.floor(Fraction(low) / step)) if step > 0 else Fraction(0)
    return whole


def atoms(formulas):
    for formula in formulas:
        if formula[0] in ("and", "or"):
            yield from atoms(formula[1:])
        elif formula[0] == ">=":
            yield from_json(formula[1])


@cache
def exact_z3(value):
    return z3.RealVal(str(value))


def three(yes, no):
    return True if yes else False if no else None


def shard(job):
    """Some formulas at some points: how often each answer was given, and what differs."""
    seed, low, formulas, broken = job
    evaluator = evaluate if not broken else broken_evaluator(BROKEN[broken])
    figures = {"formulas": 0, "too_large": 0, "points": 0, "true": 0, "false": 0, "undefined": 0, "mismatches": 0}
    first, terms = [], {name: z3.Real(name) for name in KINDS}
    for number in range(low, low + formulas):
        pick = random.Random(f"{seed}/{number}")
        node, ground = Author(pick).truth(pick.randint(1, 4)), amounts(pick)
        type_of(node, SCOPE)
        try:
            compiler = Compiler(ground, uncertain())
            yes, no = compiler.truth(node)
        except Undecided:
            figures["too_large"] += 1
            continue
        figures["formulas"] += 1
        z3_yes, z3_no = Translator(ground, terms).truth(node)
        z3_both = z3.simplify(z3.If(z3_yes, z3.IntVal(1), z3.If(z3_no, z3.IntVal(0), z3.IntVal(2))))
        for _ in range(POINTS_EACH):
            values = point(pick)
            exact = {n: Amount(v, "GBP") if KINDS[n] == MONEY else v for n, v in values.items()}
            said = evaluator.Evaluator({**ground, **exact}).truth(node)
            at = with_floors(compiler, values)
            compiled = three(true_at(yes, at), true_at(no, at))
            place = [(terms[n], exact_z3(v)) for n, v in values.items()]
            judged = (False, True, None)[z3.simplify(z3.substitute(z3_both, *place)).as_long()]
            figures["points"] += 1
            figures[{True: "true", False: "false", None: "undefined"}[said]] += 1
            if not said == compiled == judged:
                figures["mismatches"] += 1
                shown = {n: str(v) for n, v in values.items()}
                first.append(f"formula {number} at {shown}: {said}, compiled {compiled}, Z3 {judged}")
    return {**figures, "first": first[:3]}


def broken_evaluator(changes):
    source = Path(evaluate.__file__).read_text(encoding="utf-8")
    for old, new in changes.items():
        if source.count(old) != 1:
            raise ValueError(f"the control does not apply any more: {old}")
        source = source.replace(old, new)
    module = types.ModuleType("broken_evaluate")
    exec(compile(source, "broken_evaluate", "exec"), module.__dict__)
    return module


def summed(parts):
    whole = {key: sum(part[key] for part in parts) for key in parts[0] if key != "first"}
    return {**whole, "first": [line for part in parts for line in part["first"]][:5]}


def main():
    parser = argparse.ArgumentParser(
        description="Evaluator, compiled form and Z3 at random points; prints JSON figures."
    )
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=20_261_126)
    options = parser.parse_args()
    start = time.perf_counter()
    jobs, low, figures = [], 0, []
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        while sum(part["points"] for part in figures) < options.points:
            left = options.points - sum(part["points"] for part in figures)
            wanted = max(2, math.ceil(left / POINTS_EACH / SHARD))
            jobs = [
                (options.seed, low + i * SHARD, min(SHARD, math.ceil(left / POINTS_EACH)), "") for i in range(wanted)
            ]
            low += wanted * SHARD
            figures += pool.map(shard, jobs, chunksize=1)
        controls = pool.map(shard, [(options.seed, 0, 400, name) for name in BROKEN], chunksize=1)
    document = {
        "name": "formula_points",
        "seed": options.seed,
        "figures": summed(figures),
        "controls": {
            name: {"points": found["points"], "mismatches": found["mismatches"]}
            for name, found in zip(BROKEN, controls, strict=True)
        },
        "seconds": round(time.perf_counter() - start, 1),
        "machine": machine(),
    }
    save(document)
    print(json.dumps(document, indent=1))
    caught = all(found["mismatches"] for found in controls)
    return 0 if document["figures"]["mismatches"] == 0 and caught else 1


if __name__ == "__main__":
    sys.exit(main())
