"""Asks the prover and believes the checker: theorems of a catalog, and states that show there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, cast

from steward.verifier.core.check import Refused, canonical, check_obligation
from steward.verifier.core.counterexample import CURRENCY, Picture, truth, within
from steward.verifier.core.evaluate import Evaluator, Undecided, Undefined
from steward.verifier.core.explain import explain
from steward.verifier.core.rules import Catalog, Invariant, State
from steward.verifier.core.syntax import Node
from steward.verifier.core.theorems import Question, Theorem, hypotheses, question, used
from steward.verifier.core.values import Value
from steward.verifier.provers.refit import Asked

_REFUSED = (Refused, ValueError, TypeError, KeyError, IndexError, RecursionError)


@dataclass(frozen=True, slots=True)
class Found:
    """A checked tree, or the point at which the prover says the obligation fails, or neither and why."""

    tree: Any = None
    point: dict[str, Fraction] | None = None
    why: str = ""
    microseconds: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of proving that a kind keeps a state rule."""

    kind: str
    state: State
    theorem: Theorem | None
    why: str = ""
    counterexample: dict[str, Any] = field(default_factory=dict[str, Any])
    microseconds: int = 0

    def to_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"state": self.state.id, "theorem": "missing", "why": self.why}
        if self.theorem is not None:
            size = len(canonical(self.theorem.tree).encode())
            said = {"state": self.state.id, "theorem": "proved", "uses": list(self.theorem.uses)}
            said |= {"obligation_digest": self.theorem.digest, "certificate_bytes": size}
        elif self.counterexample:
            said["counterexample"] = self.counterexample
        return {**said, "ms": -(-self.microseconds // 1000)}


def found(prover: Asked, obligation: dict[str, Any]) -> Found:
    """The prover's answer, of which a tree is kept only if the checker accepts it."""
    answer = prover.ask(obligation)
    spent = answer.get("us")
    spent = spent if isinstance(spent, int) else 0
    if answer.get("status") == "proved":
        try:
            check_obligation(obligation, answer.get("tree"))
        except _REFUSED:
            return Found(why="the checker refused what the prover found", microseconds=spent)
        return Found(tree=answer["tree"], microseconds=spent)
    return Found(point=_point(answer.get("point")), why=str(answer.get("why") or ""), microseconds=spent)


def _point(value: Any) -> dict[str, Fraction] | None:
    if not isinstance(value, dict):
        return None
    try:
        return {str(name): Fraction(str(number)) for name, number in cast("dict[Any, Any]", value).items()}
    except (ValueError, ZeroDivisionError):
        return None


def attempt(catalog: Catalog, kind: str, state: State, prover: Asked, without: Iterable[str] = ()) -> Attempt:
    """Prove that `kind` keeps `state` (not using the rules in `without`), and keep the rules the proof needs."""
    try:
        asked = question(catalog, kind, state)
        if set(without) & set(asked.uses):
            asked = question(catalog, kind, state, [name for name in asked.uses if name not in set(without)])
    except Undecided as undecided:
        return Attempt(kind, state, None, f"not decided: {undecided}")
    answer = found(prover, asked.obligation)
    if answer.tree is None:
        sentence, shown = disproved(catalog, asked, answer.point)
        return Attempt(kind, state, None, sentence or answer.why or _VAGUE, shown, answer.microseconds)
    theorem = Theorem(kind, state.id, asked.uses, asked.obligation, answer.tree)
    return _smallest(catalog, state, theorem, prover, answer.microseconds)


def _smallest(catalog: Catalog, state: State, theorem: Theorem, prover: Asked, spent: int) -> Attempt:
    """The theorem from the rules its proof names, less each that it can do without: a smaller thing to check."""
    needed = used(theorem.obligation, theorem.tree)
    names = [name for number, name in enumerate(theorem.uses) if number in needed]
    if len(names) == len(theorem.uses) == 1:
        return Attempt(theorem.kind, state, theorem, microseconds=spent)
    for dropped in (set(theorem.uses) - set(names), *({name} for name in names)):
        rest = [name for name in theorem.uses if name not in dropped]
        if len(rest) == len(theorem.uses):
            continue
        smaller = question(catalog, theorem.kind, state, rest)
        answer = found(prover, smaller.obligation)
        if answer.tree is not None:
            theorem = Theorem(theorem.kind, state.id, smaller.uses, smaller.obligation, answer.tree)
            spent = answer.microseconds
    return Attempt(theorem.kind, state, theorem, microseconds=spent)


_VAGUE = "no certificate was found, and no state that shows there is none"


def disproved(catalog: Catalog, asked: Question, point: dict[str, Fraction] | None) -> tuple[str, dict[str, Any]]:
    """A state and an action that pass every guard and break the state rule, in words; empty if none is shown.

    The point is only a suggestion: bounds, state rules, guards and the state afterwards are evaluated exactly.
    """
    if point is None:
        return "", {}
    scope = catalog.scope(asked.kind)
    picture = Picture(asked.kind, scope, catalog.bounds, asked.currency or CURRENCY)
    picture.paint(asked.meanings, asked.words, point)
    given = hypotheses(catalog, asked.kind)
    taken = [given[name] for name in asked.uses]
    if not within(picture.values, catalog.bounds, scope) or any(truth(n, picture.values) is not True for n in taken):
        return "", {}
    effect = {f: node for f, node in catalog.effects.get(asked.kind, {}).items() if f in asked.state.reads()}
    later = afterwards(picture.values, effect)
    if later is not None and truth(asked.state.holds, later) is True:
        return "", {}
    before = picture.shown([*taken, *effect.values(), asked.state.holds])
    if later is None:
        return "the effect has no value", {"before": before, "after": {}}
    picture.values = later
    shown = {name: value for name, value in picture.shown([asked.state.holds]).items() if name in effect}
    told = explain(as_rule(asked.kind, asked.state), later, scope)
    return f"afterwards {told.sentence}", {"before": before, "after": shown}


def afterwards(values: dict[str, Value], effect: dict[str, Node]) -> dict[str, Value] | None:
    """The state after an action, or None where the effect has no value."""
    try:
        return {**values, **{fact: Evaluator(dict(values)).value(node) for fact, node in effect.items()}}
    except (Undefined, Undecided):
        return None


def as_rule(kind: str, state: State) -> Invariant:
    """A state rule as a rule on one kind: what findings and explanations are about."""
    return Invariant(state.id, (kind,), None, state.holds, "escalate", state.why, title=state.title, owner=state.owner)
