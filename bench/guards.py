"""Deletes each guard of the catalog in turn: a theorem of its kind must then fail, with a state that shows why.

A guard is a rule that denies. For every kind and guard a catalog without that guard on that kind is made. Theorems that
do not use it are checked against that catalog with the certificate they have; the others are proved again, if they can
be. A theorem that fails comes with a state and an action; here they are read back from their JSON and evaluated: every
rule named holds before, the state rule does not hold after, and the deleted guard, where all its facts are shown, is
not true. A guard counts as `confirmed` with such a state, as `only unproved` where the prover gave up and showed none.

Only guards that the dead-rule analysis lists (`implied` or `unused`) may be deleted without a theorem failing.

Controls, in the same run. Deleting a listed guard leaves every theorem standing. And a harness that calls everything
needed would show nothing: in each kind the first confirmed guard is put in twice, and deleting one of the two must
leave every theorem standing, so that a list made before is found to be wrong.

Run: python bench/guards.py [--kind KIND ...] [--seconds 3]. Prints JSON; exits 1 if a guard that is not listed is not
needed, a listed one is, a shown state is wrong, or a control does not come out.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from results import machine, save

from steward.cli.rules import open_rules
from steward.verifier.core.counterexample import truth
from steward.verifier.core.evaluate import Evaluator, Undecided, Undefined
from steward.verifier.core.rules import Catalog
from steward.verifier.core.theorems import checked, guards, hypotheses, question
from steward.verifier.core.values import read_value
from steward.verifier.provers.client import Prover
from steward.verifier.provers.counter import counterexample
from steward.verifier.service.analysis import dead_rules
from steward.verifier.service.proving import Attempt, attempt, disproved

COPY = "copy of "


@dataclass
class Deleted:
    """What came of deleting one guard on one kind."""

    kind: str
    guard: str
    failed: list[str] = field(default_factory=list)
    confirmed: str = ""
    shown: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def stands(self) -> bool:
        return not self.failed


def without(catalog: Catalog, kind: str, guard: str) -> Catalog:
    """The catalog with a guard gone from one kind."""
    kept = [
        replace(rule, on=tuple(name for name in rule.on if name != kind)) if rule.id == guard else rule
        for rule in catalog.invariants
    ]
    return replace(catalog, invariants=tuple(kept))


def doubled(catalog: Catalog, kind: str, guard: str) -> Catalog:
    """The catalog with a guard put in twice on one kind, under another id."""
    rule = next(rule for rule in catalog.invariants if rule.id == guard)
    return replace(catalog, invariants=(*catalog.invariants, replace(rule, id=COPY + guard, on=(kind,))))


def deleted(catalog: Catalog, kind: str, guard: str, kept: tuple[Attempt, ...], prover: Prover) -> Deleted:
    """Every theorem of the kind without the guard, until one fails with a state that is confirmed."""
    less = without(catalog, kind, guard)
    found = Deleted(kind, guard)
    using: list[Attempt] = []
    for one in kept:
        if one.theorem is None:
            found.wrong.append(f"{one.state.id} is not proved with the guard")
        elif guard in one.theorem.uses:
            using.append(one)
        elif checked(less, kind, one.state, one.theorem.to_json()) is None:
            found.wrong.append(f"{one.state.id} does not use the guard and is refused without it")
    for again in chain((modelled(less, one, prover.seconds) for one in using), _attempts(less, using, prover)):
        if again is None or again.theorem is not None:
            continue
        found.failed.append(again.state.id)
        if again.counterexample:
            reason = refuted(catalog, less, kind, guard, again)
            if not reason:
                found.confirmed, found.shown = again.state.id, again.counterexample
                break
            found.wrong.append(f"{again.state.id}: {reason}")
    return found


def _attempts(less: Catalog, using: list[Attempt], prover: Prover) -> Iterator[Attempt]:
    """The same theorems asked of the prover, one by one: only as far as somebody looks."""
    for one in using:
        yield attempt(less, one.kind, one.state, prover)


def modelled(less: Catalog, one: Attempt, seconds: float) -> Attempt | None:
    """A state found without looking for a proof first, which there should not be; None if none is shown."""
    asked = question(less, one.kind, one.state)
    point = counterexample(asked.obligation, time.monotonic() + seconds)
    sentence, shown = disproved(less, asked, point)
    return Attempt(one.kind, one.state, None, sentence, shown) if shown else None


def refuted(catalog: Catalog, less: Catalog, kind: str, guard: str, shown: Attempt) -> str:
    """Why a shown state does not show that the theorem fails, evaluated from its JSON; empty if it does."""
    scope = catalog.scope(kind)
    values = {name: read_value(value, scope[name]) for name, value in shown.counterexample["before"].items()}
    values["action.kind"] = kind
    state = shown.state
    given = hypotheses(less, kind)
    for name in question(less, kind, state).uses:
        if truth(given[name], values) is not True:
            return f"{name} does not hold before"
    rule = next(rule for rule in guards(catalog, kind) if rule.id == guard)
    if rule.reads() <= set(values) and truth(rule.rule, values) is True:
        return "the deleted guard is true there"
    try:
        effect = {f: node for f, node in less.effects[kind].items() if f in state.reads()}
        after = {**values, **{f: Evaluator(dict(values)).value(node) for f, node in effect.items()}}
    except (Undefined, Undecided):
        return ""  # an effect without a value keeps nothing
    return f"{state.id} holds after" if truth(state.holds, after) is True else ""


def run_kind(catalog: Catalog, kind: str, kept: tuple[Attempt, ...], prover: Prover) -> dict[str, Any]:
    listed = dead_rules(catalog, kind, kept, prover)
    implied = [entry["rule"] for entry in listed["implied"]]
    dead = {*implied, *listed["unused"]}
    found = [deleted(catalog, kind, rule.id, kept, prover) for rule in guards(catalog, kind)]
    control: dict[str, Any] = {}
    first = next((one.guard for one in found if one.confirmed), None)
    if first is not None:
        twice = doubled(catalog, kind, first)
        again = tuple(attempt(twice, kind, state, prover) for state in twice.touched(kind))
        control = {"guard": first, "stands": deleted(twice, kind, first, again, prover).stands}
    return {
        "kind": kind,
        "implied": implied,
        "unused": listed["unused"],
        "confirmed": [{"guard": o.guard, "state": o.confirmed} for o in found if o.confirmed],
        "only_unproved": [o.guard for o in found if o.failed and not o.confirmed],
        "not_listed_and_not_needed": [o.guard for o in found if o.stands and o.guard not in dead],
        "listed_and_needed": [o.guard for o in found if not o.stands and o.guard in dead],
        "wrong": [f"{o.guard}: {why}" for o in found for why in o.wrong],
        "control_doubled": control,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", action="append", default=[])
    parser.add_argument("--seconds", type=float, default=3.0, help="time box of one obligation")
    arguments = parser.parse_args()
    started = time.monotonic()
    with open_rules(None).verifier() as verifier:
        catalog: Catalog = verifier.catalog
        prover = Prover(arguments.seconds)
        try:
            prover.warm()
            kinds: list[dict[str, Any]] = []
            for kind in arguments.kind or catalog.kinds:
                kinds.append(run_kind(catalog, kind, verifier.theorems.of(kind, prover), prover))
                print(f"{kind}: {len(kinds[-1]['confirmed'])} confirmed", file=sys.stderr)
        finally:
            prover.close()
    document = summary(kinds, round(time.monotonic() - started))
    if not arguments.kind:
        save(document)
    print(json.dumps(document, indent=1))
    return 0 if document["passed"] else 1


def summary(kinds: list[dict[str, Any]], seconds: int) -> dict[str, Any]:
    keys = ("confirmed", "only_unproved", "not_listed_and_not_needed", "listed_and_needed", "wrong")
    counts = {key: sum(len(kind[key]) for kind in kinds) for key in keys}
    dead = sum(len({*kind["implied"], *kind["unused"]}) for kind in kinds)
    doubles = [kind["control_doubled"]["stands"] for kind in kinds if kind["control_doubled"]]
    held = not any(counts[key] for key in ("not_listed_and_not_needed", "listed_and_needed", "wrong"))
    return {
        "name": "guards",
        "machine": machine(),
        "seconds": seconds,
        "deletions": counts["confirmed"] + counts["only_unproved"] + _standing(kinds),
        "listed_dead": dead,
        **counts,
        "control_doubled": {"kinds": len(doubles), "found_not_needed": sum(doubles)},
        "passed": held and bool(doubles) and all(doubles),
        "kinds": kinds,
    }


def _standing(kinds: list[dict[str, Any]]) -> int:
    """Deletions that left every theorem standing."""
    listed = sum(len({*k["implied"], *k["unused"]} - set(k["listed_and_needed"])) for k in kinds)
    return listed + sum(len(k["not_listed_and_not_needed"]) for k in kinds)


if __name__ == "__main__":
    sys.exit(main())
