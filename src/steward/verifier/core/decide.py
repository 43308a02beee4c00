"""Applies rules to one action: what is evaluated, what must be proved, and the words of the verdict.

An action that is malformed, of an unknown kind or covered by no rule is denied before any rule is read. A
rule that reads a missing, null or wrongly typed fact is `missing`; a rule over ground facts is evaluated; a
rule that reads an uncertain fact becomes a `Question` for the prover.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, cast

from steward.kernel.errors import BadInput
from steward.verifier.core.evaluate import Evaluator, Undecided, size_of
from steward.verifier.core.explain import Explanation, explain
from steward.verifier.core.obligations import digested, obligation
from steward.verifier.core.polynomials import exact
from steward.verifier.core.rules import Bounds, Catalog, Invariant
from steward.verifier.core.types import TIME, Type
from steward.verifier.core.units import reads
from steward.verifier.core.values import Uncertain, Value, certain, plain_number, read_fact, read_value

_ACTION = {"id", "kind", "params", "principal"}
_TEXT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Situation:
    """An action and its facts, read: ground values, uncertain facts, and why the rest cannot be used."""

    kind: str
    scope: dict[str, Type]
    values: dict[str, Value]
    uncertain: dict[str, Uncertain]
    unusable: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one rule said, and the values that show it when it is not fulfilled."""

    invariant: Invariant
    status: str
    basis: str = "evaluated"
    detail: str = ""
    counterexample: dict[str, Any] = field(default_factory=dict[str, Any])
    witness: dict[str, Any] = field(default_factory=dict[str, Any])

    def finding(self) -> dict[str, str]:
        rule = self.invariant
        named = {"id": rule.id, "basis": self.basis, "status": self.status}
        return {**named, "otherwise": rule.otherwise, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Question:
    """A rule that must hold for every value of uncertain facts. `content` is the obligation without its digest."""

    invariant: Invariant
    content: dict[str, Any]

    @property
    def obligation(self) -> dict[str, Any]:
        return digested(self.content)


def malformed(catalog: Catalog, action: Any) -> tuple[str, str] | None:
    """(id, sentence) of why an action is refused before any rule, or None."""
    if not isinstance(action, dict) or set(cast("dict[str, Any]", action)) != _ACTION:
        return "malformed-action", "an action has exactly id, kind, params and principal"
    entry = cast("dict[str, Any]", action)
    principal, params, kind = entry["principal"], entry["params"], entry["kind"]
    if not isinstance(principal, dict) or set(cast("dict[str, Any]", principal)) != {"id", "roles"}:
        return "malformed-action", "a principal has exactly id and roles"
    who, roles = cast("dict[str, Any]", principal)["id"], cast("dict[str, Any]", principal)["roles"]
    if not isinstance(roles, list | tuple) or not all(_is_name(role) for role in cast("list[Any]", roles)):
        return "malformed-action", "principal.roles is a list of text"
    if not _is_name(who) or not _is_name(entry["id"]) or not _is_name(kind):
        return "malformed-action", "id, kind and principal.id are text and not empty"
    if kind not in catalog.kinds:
        return "unknown-kind", f"{kind!r} is not a kind of action in this catalog"
    wrong = _wrong_params(catalog.kinds[kind], params)
    if wrong:
        return "malformed-action", wrong
    if not catalog.covering(kind):
        return "uncovered-kind", f"no invariant covers {kind}, so nothing of it is allowed"
    return None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _TEXT_MAX


def _wrong_params(kinds: dict[str, Type], params: Any) -> str:
    if not isinstance(params, dict):
        return "params is not an object"
    given = cast("dict[str, Any]", params)
    for name in given:
        if name not in kinds:
            return f"params has no {name!r}; it has {', '.join(kinds) or 'nothing'}"
    for name, kind in kinds.items():
        if name not in given:
            return f"params.{name} is missing"
        try:
            read_value(given[name], kind)
        except BadInput as error:
            return f"params.{name}: {error.what}"
    return ""


def situation(catalog: Catalog, action: dict[str, Any], facts: dict[str, Any], now: str) -> Situation:
    """Reads a well-formed action and the facts its rules name. Facts nobody reads are not looked at."""
    kind = action["kind"]
    plan = catalog.plan(kind)
    principal = action["principal"]
    found = Situation(kind, plan.scope, {}, {}, {})
    found.values.update({"action.kind": kind, "action.id": action["id"], "principal.id": principal["id"]})
    found.values["principal.roles"] = frozenset(principal["roles"])
    for name, value in action["params"].items():
        found.values[f"action.{name}"] = read_value(value, catalog.kinds[kind][name])
    for name in plan.wanted:
        if name in found.values:
            continue
        if name not in facts and name != "now":
            found.unusable[name] = f"{name} is missing"
            continue
        try:
            value = read_value(now, TIME) if name == "now" else read_fact(facts[name], catalog.facts[name])
        except BadInput as error:
            found.unusable[name] = f"{name}: {error.what}"
            continue
        outside = _outside(value, catalog.bounds[name]) if name in catalog.bounds else ""
        if outside:
            found.unusable[name] = f"{name}: {outside}"
            continue
        (found.uncertain if isinstance(value, Uncertain) else found.values)[name] = value
    return found


def _outside(value: Value, bounds: Bounds) -> str:
    """Why a fact cannot be what it is said to be: theorems take its bounds as true, so nothing outside them passes."""
    least, most = bounds
    low, high = (value.low, value.high) if isinstance(value, Uncertain) else (size_of(value), size_of(value))
    if least is not None and low < least:
        return f"{plain_number(low)} is less than its least, {plain_number(least)}"
    if most is not None and high > most:
        return f"{plain_number(high)} is more than its most, {plain_number(most)}"
    return ""


def examine(rule: Invariant, given: Situation) -> Answer | Question:
    """What `rule` says of the situation: an answer, or what must be proved first."""
    if rule.when is not None:
        condition = reads(rule.when)
        unusable = _unusable(condition, given)
        if unusable:
            return Answer(rule, "missing", detail=unusable)
        if condition.isdisjoint(given.uncertain) and _skips(rule, given):
            return Answer(rule, "skipped", detail="its condition does not apply")
    named = rule.named
    unusable = _unusable(named, given)
    if unusable:
        return Answer(rule, "missing", detail=unusable)
    uncertain = {name: fact for name, fact in given.uncertain.items() if name in named} if given.uncertain else {}
    try:
        if uncertain:
            return Question(rule, obligation(rule.id, rule.rule, given.values, uncertain))
        return evaluated(rule, given.values, given.scope)
    except Undecided as undecided:
        return Answer(rule, "unproved", detail=f"not decided: {undecided}")


def _unusable(named: frozenset[str], given: Situation) -> str:
    if named.isdisjoint(given.unusable):
        return ""
    return "; ".join(given.unusable[name] for name in sorted(named) if name in given.unusable)


def _skips(rule: Invariant, given: Situation) -> bool:
    try:
        return Evaluator(dict(given.values)).truth(cast("Any", rule.when)) is False
    except Undecided:
        return False


def evaluated(rule: Invariant, values: dict[str, Value], scope: dict[str, Type]) -> Answer:
    """The rule over ground values: holds, fails or undefined, explained unless it holds."""
    evaluator = Evaluator(dict(values))
    found = evaluator.truth(rule.rule)
    if found is True:
        return Answer(rule, "holds", "evaluated")
    told: Explanation = explain(rule, values, scope)
    if found is False:
        return Answer(rule, "fails", "evaluated", told.sentence, told.counterexample)
    why = evaluator.reasons[-1] if evaluator.reasons else "it has no value"
    return Answer(rule, "undefined", "evaluated", f"undefined: {why}", told.counterexample)


def at_witness(rule: Invariant, given: Situation, witness: dict[str, Any]) -> Answer | None:
    """The rule where uncertain facts take the witness' values, or None when the witness shows nothing.

    A witness is {fact: "number"} for an interval and {fact: [0, 1, ...]} for a subset, one digit for each
    part.
    """
    values = dict(given.values)
    for name, fact in given.uncertain.items():
        if name not in rule.reads():
            continue
        value = taken(fact, witness.get(name))
        if value is None:
            return None
        values[name] = certain(fact, value)
    try:
        answer = evaluated(rule, values, given.scope)
    except Undecided:
        return None
    if answer.status == "holds":
        return None
    return Answer(rule, answer.status, "evaluated", answer.detail, answer.counterexample, witness)


def ends(rule: Invariant, given: Situation) -> list[dict[str, Any]]:
    """Two witnesses worth trying on any rule: every uncertain fact at its least, and at its greatest."""
    facts = {name: fact for name, fact in given.uncertain.items() if name in rule.reads()}
    return [
        {
            name: [int((part < 0) == least) for part in fact.parts]
            if fact.is_subset
            else str(fact.low if least else fact.high)
            for name, fact in facts.items()
        }
        for least in (True, False)
    ]


def taken(fact: Uncertain, chosen: Any) -> Any:
    """The number an uncertain fact becomes, or None if it cannot become that."""
    if fact.is_subset:
        if not isinstance(chosen, list) or len(cast("list[Any]", chosen)) != len(fact.parts):
            return None
        digits = cast("list[Any]", chosen)
        if not all(type(digit) is int and digit in (0, 1) for digit in digits):
            return None
        return sum(part for part, digit in zip(fact.parts, digits, strict=True) if digit)
    try:
        value = exact(Fraction(chosen)) if isinstance(chosen, str) else None
    except (ValueError, ZeroDivisionError):
        return None
    whole = fact.kind.name not in ("int", "money") or (value is not None and value.denominator == 1)
    return value if value is not None and whole and fact.low <= value <= fact.high else None
