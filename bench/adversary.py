"""An adversary against the catalog: a million actions chosen to get past the guards, from states it may push about.

A world is the facts that a kind's guards, effect and state rules read. It starts at the kind's witness. At each step
the surroundings may move any fact, as long as every state rule stays true; then the adversary proposes an action. Its
numbers are taken from where rules turn: sums and differences of the facts and limits of the moment, and one more or
less. What every `deny` rule lets through takes effect, and every state rule the effect touches must be true afterwards.

The control is the same adversary against the same catalog with one guard removed: it must bring some state rule down.
"""

import argparse
import json
import multiprocessing
import random
import sys
import time
from fractions import Fraction

from results import machine, save

from steward.catalog import load_catalog
from steward.checking import build_verifier
from steward.verifier.core.evaluate import Evaluator, Undecided, Undefined
from steward.verifier.core.syntax import Literal, children
from steward.verifier.core.theorems import after, guards, related_rules
from steward.verifier.core.units import reads
from steward.verifier.core.values import Amount, Uncertain, read_fact, read_value

NOW = "2026-01-01T00:00:00Z"
ROLES = ("manager", "founder", "operator")
MOVES_BEFORE_RESTART = 200


def size_of(value):
    return value.minor if isinstance(value, Amount) else value


def is_number(value):
    return isinstance(value, Fraction | Amount) and not isinstance(value, bool)


class World:
    """One kind's facts, and the rules over them as syntax trees."""

    def __init__(self, catalog, kind, currency, limits, without=None):
        self.kind, self.catalog, self.currency = kind, catalog, currency
        self.guards = [rule for rule in guards(catalog, kind) if rule.id != without]
        self.effect = catalog.effects[kind]
        touched = catalog.touched(kind)
        everything = {state.id: state.holds for state in catalog.states}
        named = set()
        for state in touched:
            named |= set(related_rules(after(catalog, kind, state), everything)) | {state.id}
        self.states = {name: everything[name] for name in everything if name in named}
        self.touched = {state.id: state.holds for state in touched}
        formulas = [*(rule.rule for rule in self.guards), *self.effect.values(), *self.states.values()]
        self.names = set(self.effect).union(*(reads(formula) for formula in formulas))
        self.words = sorted({w for formula in formulas for w in words_of(formula)})
        self.spans = sorted({s for formula in formulas for s in spans_of(formula)})
        self.limits = {
            name: read_value(value, catalog.facts[name]) for name, value in limits.items() if name in catalog.facts
        }
        self.start = self.witnessed(catalog.witnesses[kind])

    def witnessed(self, witness):
        given = {**witness.get("facts", {})}
        values = {
            "action.kind": self.kind,
            "action.id": "a",
            "now": read_value(witness.get("now", NOW), self.catalog.scope(self.kind)["now"]),
        }
        action = witness["action"]
        who = action.get("principal") or {"id": "example", "roles": []}
        values |= {"principal.id": who["id"], "principal.roles": frozenset(who["roles"])}
        for name, kind in self.catalog.kinds[self.kind].items():
            values[f"action.{name}"] = read_value((action.get("params") or action)[name], kind)
        for name in sorted(self.names - set(values)):
            kind = self.catalog.facts[name]
            if name in self.limits:
                values[name] = self.limits[name]
            elif name in given:
                value = read_fact(given[name], kind)
                if isinstance(value, Uncertain):
                    value = self.number(kind, sum(value.parts, Fraction(0)) if value.is_subset else value.low)
                values[name] = value
            else:
                values[name] = self.neutral(name, kind)
        return values

    def number(self, kind, size):
        return Amount(size, self.currency) if kind.name == "money" else size

    def neutral(self, name, kind):
        least = self.catalog.bounds.get(name, (None, None))[0]
        if kind.name in ("int", "decimal", "money", "duration", "time"):
            return self.number(kind, least if least is not None else Fraction(0))
        return {"bool": False, "text": "", "enum": kind.words[0] if kind.words else "", "set": frozenset(), "list": []}[
            kind.name
        ]

    def is_within(self, name, value):
        low, high = self.catalog.bounds.get(name, (None, None))
        return not is_number(value) or (
            (low is None or size_of(value) >= low) and (high is None or size_of(value) <= high)
        )

    def hold(self, rules, values):
        return next((name for name, node in rules.items() if not true(node, values)), None)


def true(node, values):
    try:
        return Evaluator(dict(values)).truth(node) is True
    except (Undecided, Undefined):
        return False


def words_of(node):
    if isinstance(node, Literal):
        return {node.value} if isinstance(node.value, str) else set()
    return set().union(*(words_of(child) for child in children(node)))


def spans_of(node):
    if isinstance(node, Literal):
        return {node.value} if node.kind == "duration" else set()
    return set().union(*(spans_of(child) for child in children(node)))


class Adversary:
    def __init__(self, world, rng):
        self.world, self.rng = world, rng
        self.values = dict(world.start)
        self.moves = 0

    def settle(self, tries=5000):
        """Give the facts that the witness says nothing of values under which every state rule is true."""
        world = self.world
        given = set(world.catalog.witnesses[world.kind].get("facts", {}))
        for _ in range(tries):
            broken = world.hold(world.states, self.values)
            if broken is None:
                break
            open_facts = sorted(
                n for n in reads(world.states[broken]) - given if not n.startswith("limit.") and n != "now"
            )
            name = self.rng.choice(open_facts) if open_facts else None
            if name is None:
                break
            moved = self.value(world.catalog.facts[name], self.values[name])
            if world.is_within(name, moved):
                self.values[name] = moved
        world.start = dict(self.values)
        return world.hold(world.states, self.values)

    def pool(self, kind):
        """Sizes where a rule over numbers of this type may turn."""
        rng = self.rng
        sizes = [size_of(v) for name, v in self.values.items() if is_number(v) and self.type_of(name) == kind.name]
        found = rng.choice(sizes) if sizes else Fraction(0)
        for _ in range(rng.choice((0, 0, 1, 2, 3))):
            other = rng.choice(sizes) if sizes else Fraction(0)
            if rng.random() < 0.25:
                ratios = [v for name, v in self.values.items() if self.type_of(name) == "decimal"]
                other = other * rng.choice(ratios) if ratios else other
            found += rng.choice((1, -1)) * other
        found += rng.choice((0, 0, 0, 1, -1))
        if rng.random() < 0.05:
            found = rng.choice((Fraction(0), Fraction(-1), Fraction(1), Fraction(10**9), -found))
        return found if kind.name in ("decimal", "duration", "time") else Fraction(found.__floor__())

    def type_of(self, name):
        kind = (
            self.world.catalog.scope(self.world.kind).get(name)
            if name not in self.world.catalog.facts
            else self.world.catalog.facts[name]
        )
        return kind.name if kind else ""

    def value(self, kind, old):
        rng, world = self.rng, self.world
        match kind.name:
            case "time":
                shift = rng.choice([Fraction(0), *world.spans]) + rng.choice((0, 1, -1))
                return self.values["now"] + rng.choice((1, -1)) * shift
            case "int" | "decimal" | "money" | "duration":
                return world.number(kind, self.pool(kind))
            case "bool":
                return rng.random() < 0.5
            case "enum":
                return rng.choice(kind.words)
            case "text":
                texts = [v for v in self.values.values() if isinstance(v, str)]
                return rng.choice([*world.words, *texts, "", "somebody else"])
            case "set":
                texts = [v for v in self.values.values() if isinstance(v, str)]
                return (
                    frozenset(rng.sample(sorted({*world.words, *texts, "other"}), rng.randrange(3)))
                    if kind.item.name in ("text", "enum")
                    else old
                )
            case "list":
                return self.listed(kind, list(old))
            case _:
                return old

    def listed(self, kind, items):
        rng = self.rng
        if items and rng.random() < 0.3:
            items.pop(rng.randrange(len(items)))
        if kind.item.name == "record" and rng.random() < 0.6:
            old = (
                dict(rng.choice(items))
                if items
                else {name: self.world.neutral("", field) for name, field in kind.item.fields}
            )
            name, field = rng.choice(kind.item.fields)
            old[name] = self.value(field, old[name])
            items.append(old)
        return items[:6]

    def surroundings(self):
        """Anything outside may move, but not so that the state was wrong before the action."""
        rng, world = self.rng, self.world
        names = sorted(n for n in world.names if not n.startswith(("action.", "principal.", "limit.")) and n != "now")
        before = dict(self.values)
        for _ in range(rng.choice((1, 1, 2, 4))):
            name = rng.choice(names)
            moved = self.value(world.catalog.facts[name], self.values[name])
            if world.is_within(name, moved):
                self.values[name] = moved
        if world.hold(world.states, self.values) is not None:
            self.values = before

    def propose(self):
        rng, world = self.rng, self.world
        for name, kind in world.catalog.kinds[world.kind].items():
            if rng.random() < 0.5:
                self.values[f"action.{name}"] = self.value(kind, self.values[f"action.{name}"])
            elif rng.random() < 0.3:
                self.values[f"action.{name}"] = world.start[f"action.{name}"]
        if rng.random() < 0.1:
            self.values["principal.roles"] = frozenset(rng.sample(ROLES, rng.randrange(len(ROLES) + 1)))

    def step(self):
        """(let through, the state rule brought down or None)."""
        rng, world = self.rng, self.world
        self.moves += 1
        if self.moves % MOVES_BEFORE_RESTART == 0:
            self.values = dict(world.start)
        if rng.random() < 0.4:
            self.surroundings()
        self.propose()
        if any(not true(rule.rule, self.values) for rule in world.guards):
            return False, None
        try:
            evaluator = Evaluator(dict(self.values))
            changed = {
                name: evaluator.truth(node) if world.catalog.facts[name].name == "bool" else evaluator.value(node)
                for name, node in world.effect.items()
            }
        except (Undecided, Undefined) as error:
            return True, f"the effect is undefined: {error}"
        before = self.values
        self.values = {**before, **changed}
        broken = world.hold(world.touched, self.values)
        if broken is not None:
            self.values = dict(world.start)
        return True, broken


def play(job):
    """(kind, guard left out, attempts, let through, state rule brought down, after how many attempts)."""
    kind, without, attempts, seed = job
    catalog, currency, limits = LOADED
    world = World(catalog, kind, currency, limits, without)
    adversary = Adversary(world, random.Random(f"{seed} {kind} {without}"))
    if wrong := adversary.settle():
        return kind, without, 0, 0, f"the start breaks {wrong}", 0
    passed = 0
    for number in range(1, attempts + 1):
        through, broken = adversary.step()
        passed += through
        if broken is not None:
            return kind, without, number, passed, broken, number
    return kind, without, attempts, passed, None, attempts


def load():
    catalog = load_catalog()
    verifier = build_verifier(catalog)
    try:
        return verifier.catalog, catalog.history.currency, dict(verifier.limits)
    finally:
        verifier.close()


LOADED = load()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--actions", type=int, default=1_000_000)
    parser.add_argument("--control-actions", type=int, default=20_000, help="at the most, for each guard removed")
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--no-save", action="store_true")
    arguments = parser.parse_args()
    catalog = LOADED[0]
    kinds = sorted(kind for kind in catalog.kinds if catalog.touched(kind))
    share = -(-arguments.actions // len(kinds))
    started = time.perf_counter()
    with multiprocessing.Pool(2) as pool:
        real, control = [], []
        jobs = [(kind, None, share, arguments.seed) for kind in kinds]
        for found in pool.imap_unordered(play, jobs):
            real.append(found)
            print(
                f"{found[0]}: {found[2]:,} actions, {found[3]:,} let through, {found[4] or 'no state rule broken'}",
                file=sys.stderr,
            )
        jobs = [
            (kind, rule.id, arguments.control_actions, arguments.seed)
            for kind in kinds
            for rule in guards(catalog, kind)
        ]
        for found in pool.imap_unordered(play, jobs):
            control.append(found)
            print(f"{found[0]} without {found[1]}: {found[4] or 'nothing'} after {found[5]:,}", file=sys.stderr)
    broken = [found for found in real if found[4] is not None]
    reached = [found for found in control if found[4] is not None]
    document = {
        "name": "adversary",
        "machine": machine(),
        "seed": arguments.seed,
        "kinds": len(kinds),
        "actions": sum(found[2] for found in real),
        "let_through": sum(found[3] for found in real),
        "state_rules_broken": [{"kind": f[0], "what": f[4], "after": f[5]} for f in broken],
        "control": {
            "guards_removed": len(control),
            "broke_a_state_rule": len(reached),
            "did_not": sorted(f"{f[0]} {f[1]}" for f in control if f[4] is None),
        },
        "seconds": round(time.perf_counter() - started),
    }
    if not arguments.no_save:
        save(document)
    print(json.dumps(document, indent=1))
    sys.exit(1 if broken or not reached else 0)


if __name__ == "__main__":
    main()
