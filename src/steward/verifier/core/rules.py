"""What a catalog says, read: fact types and bounds, state rules, action kinds with their effects, invariants."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from steward.verifier.core.syntax import Apply, Node
from steward.verifier.core.types import TEXT, TIME, Type
from steward.verifier.core.units import Scope, reads

Bounds = tuple[Fraction | None, Fraction | None]
"""The least and the most a fact is ever (money in minor units, durations in seconds); None where it is open."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """One rule. `rule` is `when implies require`, which must hold; `when` alone says if it is skipped."""

    id: str
    on: tuple[str, ...]
    when: Node | None
    require: Node
    otherwise: str
    why: str
    code: str = ""
    title: str = ""
    owner: str = ""
    severity: str = ""
    where: str = ""
    examples: tuple[dict[str, Any], ...] = field(default=(), compare=False)
    rule: Node = field(init=False, compare=False, repr=False)
    named: frozenset[str] = field(init=False, compare=False, repr=False)
    ordered: tuple[str, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        rule = self.require if self.when is None else Apply("implies", (self.when, self.require))
        named = reads(rule)
        for name, value in (("rule", rule), ("named", named), ("ordered", tuple(sorted(named)))):
            object.__setattr__(self, name, value)

    def reads(self) -> frozenset[str]:
        return self.named


@dataclass(frozen=True, slots=True)
class State:
    """What must be true of the facts at all times, whatever was done."""

    id: str
    holds: Node
    why: str
    title: str = ""
    owner: str = ""
    where: str = ""

    def reads(self) -> frozenset[str]:
        return reads(self.holds)


@dataclass(frozen=True, slots=True)
class Plan:
    """What deciding an action of one kind needs of a catalog: `rules` that cover it, `states` its effect touches, every
    name they may read with its type, the names rules do read in order, and the facts among them.
    """

    rules: tuple[Invariant, ...]
    states: tuple[State, ...]
    scope: Scope
    wanted: tuple[str, ...]
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """Facts by name, kinds with their parameters, rules by kind in catalog order, states and effects.

    `document` says the same as JSON, and `digest` is its SHA-256: whoever has it has the catalog.
    """

    facts: dict[str, Type]
    kinds: dict[str, dict[str, Type]]
    invariants: tuple[Invariant, ...]
    digest: str
    bounds: dict[str, Bounds] = field(default_factory=dict[str, Bounds])
    states: tuple[State, ...] = ()
    effects: dict[str, dict[str, Node]] = field(default_factory=dict[str, dict[str, Node]])
    witnesses: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    document: dict[str, Any] = field(default_factory=dict[str, Any], compare=False)
    plans: dict[str, Plan] = field(init=False, default_factory=dict[str, Plan], compare=False, repr=False)

    def plan(self, kind: str) -> Plan:
        """What deciding actions of `kind` needs, worked out once."""
        found = self.plans.get(kind)
        if found is None:
            rules, changed = tuple(rule for rule in self.invariants if kind in rule.on), set(self.effects.get(kind, ()))
            states = tuple(state for state in self.states if state.reads() & changed)
            wanted = tuple(sorted(frozenset[str]().union(*(rule.named for rule in rules))))
            facts = tuple(name for name in wanted if name in self.facts)
            found = Plan(rules, states, self._scope(kind) if kind in self.kinds else {}, wanted, facts)
            if kind in self.kinds:
                self.plans[kind] = found
        return found

    def covering(self, kind: str) -> tuple[Invariant, ...]:
        return self.plan(kind).rules

    def touched(self, kind: str) -> tuple[State, ...]:
        """The state rules that read a fact the kind's effect changes."""
        return self.plan(kind).states

    def scope(self, kind: str) -> Scope:
        """Every name a rule on `kind` may read, in a dictionary of the caller's own."""
        return dict(self.plan(kind).scope)

    def _scope(self, kind: str) -> Scope:
        named = {"action.kind": TEXT, "action.id": TEXT, "principal.id": TEXT, "now": TIME}
        named["principal.roles"] = Type("set", item=TEXT)
        return {**self.facts, **named, **{f"action.{name}": kind for name, kind in self.kinds[kind].items()}}
