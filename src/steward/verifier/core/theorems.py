"""Theorems of action kinds: whatever the state and the parameters, guards and states before give the state after.

For each kind and each state rule whose facts its effect changes there is one obligation: hypotheses are the state
rules and the `deny` invariants of the kind ("guards"), the goal is the state rule with the effect's formulas in the
place of the facts it changes. A theorem names the rules it uses, so its obligation holds those alone: any part of
what is true is true. It is rebuilt from the catalog and checked whenever it is read; nothing about it is believed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from steward.verifier.core import polynomials as poly
from steward.verifier.core.bundle import THEOREMS
from steward.verifier.core.check import Refused, check_obligation, digest
from steward.verifier.core.evaluate import Undecided
from steward.verifier.core.obligations import SIZE_MAX
from steward.verifier.core.polynomials import Formula
from steward.verifier.core.rules import Catalog, Invariant, State
from steward.verifier.core.symbolic import Meaning, Symbolic, may_be_undefined, substituted
from steward.verifier.core.syntax import Apply, Literal, Node, Reference
from steward.verifier.core.units import reads

_UNREADABLE = (Refused, ValueError, TypeError, KeyError, IndexError, RecursionError)


@dataclass(frozen=True, slots=True)
class Question:
    """A theorem to be proved: its obligation, who owns which hypothesis, and what its variables stand for."""

    kind: str
    state: State
    uses: tuple[str, ...]
    obligation: dict[str, Any]
    meanings: dict[str, Meaning]
    words: dict[str, int]
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Theorem:
    """A checked theorem: the obligation the catalog demands with the rules it uses, and the tree that proves it."""

    kind: str
    state: str
    uses: tuple[str, ...]
    obligation: dict[str, Any]
    tree: Any

    @property
    def digest(self) -> str:
        return cast("str", self.obligation["digest"])

    def to_json(self) -> dict[str, Any]:
        said = {"kind": self.kind, "state": self.state, "uses": list(self.uses)}
        return {**said, "obligation": self.obligation, "tree": self.tree}


Book = dict[tuple[str, str], Theorem]
"""Checked theorems by kind and state rule."""


def known(book: Book) -> dict[str, str]:
    """Name by digest of theorems that were checked, so that a bundle need not hold them."""
    return {theorem.digest: cast("str", theorem.obligation["invariant"]) for theorem in book.values()}


def guards(catalog: Catalog, kind: str) -> tuple[Invariant, ...]:
    """The rules no action of the kind passes without: what a theorem may take as true of the action."""
    return tuple(rule for rule in catalog.covering(kind) if rule.otherwise == "deny")


def hypotheses(catalog: Catalog, kind: str) -> dict[str, Node]:
    """What holds before the action, by rule id: every state rule, then every guard."""
    return {
        **{state.id: state.holds for state in catalog.states},
        **{rule.id: rule.rule for rule in guards(catalog, kind)},
    }


def after(catalog: Catalog, kind: str, state: State) -> Node:
    """That the state rule holds after an action of the kind, written over the facts before it.

    Every new value the rule reads must be one: an effect without a value keeps nothing.
    """
    found: dict[str, Node] = {}
    for fact, effect in catalog.effects.get(kind, {}).items():
        if fact in state.reads():
            is_zero = isinstance(effect, Literal) and effect.kind == "number" and effect.value == 0
            found[fact] = Apply("*", (effect, Reference(fact))) if is_zero else effect  # a zero of the fact's unit
    goal = substituted(state.holds, found)
    for effect in found.values():
        if may_be_undefined(effect):
            goal = Apply("and", (Apply("=", (effect, effect)), goal))
    return goal


def related_rules(goal: Node, given: dict[str, Node]) -> tuple[str, ...]:
    """The rules that have to do with the goal: those that share a name with it, or with one that does."""
    named = set(reads(goal))
    waiting = dict(given)
    found: set[str] = set()
    while near := [name for name, node in waiting.items() if reads(node) & named]:
        for name in near:
            named |= reads(waiting.pop(name))
            found.add(name)
    return tuple(name for name in given if name in found)


def implication(
    catalog: Catalog, kind: str, name: str, given: dict[str, Node], goal: Node
) -> tuple[dict[str, Any], Symbolic]:
    """The obligation "for all states and actions of the kind, `given` imply `goal`", and the compiler that made it."""
    compiler = Symbolic(kind, catalog.scope(kind), catalog.bounds)
    wanted = compiler.holds(goal)
    taken = [compiler.holds(node) for node in given.values()]
    listed: list[Formula] = [*taken, *compiler.hypotheses]
    if poly.size(wanted) + sum(map(poly.size, listed)) > SIZE_MAX:
        raise Undecided("an obligation too large")
    found: dict[str, Any] = {
        "invariant": name,
        "variables": compiler.variables,
        "hypotheses": listed,
        "goal": wanted,
    }
    return {**found, "digest": digest(found)}, compiler


def question(catalog: Catalog, kind: str, state: State, uses: Iterable[str] | None = None) -> Question:
    """The theorem that `kind` keeps `state`, from the named rules or from all that have to do with it."""
    goal = after(catalog, kind, state)
    given = hypotheses(catalog, kind)
    chosen = related_rules(goal, given) if uses is None else tuple(name for name in given if name in set(uses))
    named = {name: given[name] for name in chosen}
    obligation, compiler = implication(catalog, kind, f"{kind} keeps {state.id}", named, goal)
    return Question(kind, state, chosen, obligation, compiler.meanings, compiler.words, compiler.currency)


def used(obligation: dict[str, Any], tree: Any) -> set[int]:
    """The hypotheses, by number, that a certificate names."""
    owner: list[int] = []
    for number, hypothesis in enumerate(obligation["hypotheses"]):
        owner += [number] * _entries(hypothesis)
    found: set[int] = set()
    waiting: list[Any] = [tree]
    while waiting:
        rule, *rest = waiting.pop()
        if rule == "F":
            found |= {index for term in rest[0] for index in term[:-1]}
        elif rule == "S":
            found.add(rest[0])
            waiting += rest[1]
        else:
            waiting += rest[2:]
    return {owner[index] for index in found if index < len(owner)}


def _entries(formula: Formula) -> int:
    """How many lines of the checker's context a hypothesis takes."""
    return sum(map(_entries, formula[1:])) if formula[0] == "and" else 1


def checked(catalog: Catalog, kind: str, state: State, entry: Any) -> Theorem | None:
    """The theorem a stored entry is, rebuilt from the catalog and checked; None if it is none of this catalog."""
    try:
        uses, tree = [str(name) for name in entry["uses"]], entry["tree"]
        demanded = question(catalog, kind, state, uses)
        if list(demanded.uses) != uses or entry["obligation"] != demanded.obligation:
            return None
        check_obligation(demanded.obligation, tree)
    except (*_UNREADABLE, Undecided):
        return None
    return Theorem(kind, state.id, demanded.uses, demanded.obligation, tree)


def read_book(catalog: Catalog, book: Any) -> Book:
    """The theorems of a `theorems.json` that this catalog demands and the checker accepts, by kind and state."""
    found: Book = {}
    entries: Any = cast("dict[str, Any]", book).get("theorems") if isinstance(book, dict) else None
    if not isinstance(entries, list) or cast("dict[str, Any]", book).get("format") != THEOREMS:
        return found
    states = {state.id: state for state in catalog.states}
    for entry in cast("list[Any]", entries):
        if not isinstance(entry, dict):
            continue
        said = cast("dict[str, Any]", entry)
        kind, state = said.get("kind"), states.get(str(said.get("state")))
        if isinstance(kind, str) and kind in catalog.kinds and state is not None:
            theorem = checked(catalog, kind, state, said)
            found |= {} if theorem is None else {(kind, state.id): theorem}
    return found


def write_book(theorems: Iterable[Theorem]) -> dict[str, Any]:
    return {"format": THEOREMS, "theorems": [theorem.to_json() for theorem in theorems]}
