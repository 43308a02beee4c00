"""What an owner asks of a whole catalog: which guards do nothing, and whether a new version is as strict as the old."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from steward.contracts.base import JsonObject
from steward.verifier.core.check import canonical
from steward.verifier.core.counterexample import CURRENCY, Picture, truth, within
from steward.verifier.core.evaluate import Undecided
from steward.verifier.core.rules import Catalog, Invariant
from steward.verifier.core.symbolic import Symbolic, substituted
from steward.verifier.core.syntax import Literal, Node
from steward.verifier.core.theorems import guards, implication, related_rules
from steward.verifier.core.values import Amount, Value, read_value
from steward.verifier.provers.refit import Asked
from steward.verifier.service.proving import Attempt, Found, attempt, found


@dataclass(frozen=True, slots=True)
class Implied:
    """What came of asking whether some rules imply another."""

    rule: str
    by: tuple[str, ...]
    answer: Found
    obligation: dict[str, Any] = field(default_factory=dict[str, Any])
    compiler: Symbolic | None = None

    @property
    def is_proved(self) -> bool:
        return self.answer.tree is not None

    def to_json(self) -> dict[str, Any]:
        size = len(canonical(self.answer.tree).encode())
        said = {"rule": self.rule, "by": list(self.by), "certificate_bytes": size}
        return {**said, "obligation": self.obligation, "tree": self.answer.tree}


def implied(catalog: Catalog, kind: str, rule: str, given: dict[str, Node], goal: Node, prover: Asked) -> Implied:
    """Whether, on every action of the kind in every state, the given rules imply the goal."""
    names = related_rules(goal, given)
    try:
        title = f"{kind}: {', '.join(names) or 'nothing'} implies {rule}"
        obligation, compiler = implication(catalog, kind, title, {name: given[name] for name in names}, goal)
    except Undecided as undecided:
        return Implied(rule, names, Found(why=f"not decided: {undecided}"))
    return Implied(rule, names, found(prover, obligation), obligation, compiler)


def dead_rules(catalog: Catalog, kind: str, kept: tuple[Attempt, ...], prover: Asked) -> dict[str, Any]:
    """`implied`: guards the others imply, with certificate. `unused`: guards no theorem of the kind needs.

    Every other guard, when deleted, makes a theorem fail.
    """
    rules = {rule.id: rule.rule for rule in guards(catalog, kind)}
    implied_by: list[dict[str, Any]] = []
    unused: list[str] = []
    for name, rule in rules.items():
        others = {other: node for other, node in rules.items() if other != name}
        answer = implied(catalog, kind, name, others, rule, prover)
        if answer.is_proved:
            implied_by.append(answer.to_json())
        using = [one for one in kept if one.theorem is not None and name in one.theorem.uses]
        again = (attempt(catalog, kind, one.state, prover, without=(name,)) for one in using)
        if all(one.theorem is not None for one in again):
            unused.append(name)
    return {"kind": kind, "implied": implied_by, "unused": unused}


@dataclass(frozen=True, slots=True)
class Version:
    """A catalog and its limits, which are facts with one value."""

    catalog: Catalog
    limits: dict[str, Literal]

    def rules(self, kind: str, *words: str) -> dict[str, Node]:
        """The rules of a kind with the limits in place of their names."""
        fixed: dict[str, Node] = {**self.limits}
        covering = self.catalog.covering(kind) if kind in self.catalog.kinds else ()
        return {rule.id: substituted(rule.rule, fixed) for rule in covering if rule.otherwise in words}


def versions(old: Catalog, new: Catalog, limits: tuple[JsonObject, JsonObject]) -> tuple[Version, Version]:
    """Two catalogs with the values of those limits that differ; a limit that does not is any value at all."""
    first, second = limits
    moved = {name for name in first.keys() | second.keys() if first.get(name) != second.get(name)}
    return _fixed(old, first, moved), _fixed(new, second, moved)


def _fixed(catalog: Catalog, limits: JsonObject, names: set[str]) -> Version:
    read = {
        name: read_value(limits[name], catalog.facts[name]) for name in names & limits.keys() & catalog.facts.keys()
    }
    found: dict[str, Literal] = {}
    for name, value in read.items():
        if isinstance(value, Amount):
            found[name] = Literal(value.currency, Fraction(value.minor))
        elif isinstance(value, bool | str):
            found[name] = Literal("bool" if isinstance(value, bool) else "text", value)
        elif isinstance(value, int | Fraction):
            found[name] = Literal("duration" if catalog.facts[name].name == "duration" else "number", Fraction(value))
    return Version(catalog, found)


def refinement(old: Version, new: Version, prover: Asked) -> list[dict[str, Any]]:
    """Per kind of the new version, each old rule with a certificate that the new rules imply it, or what shows not.

    What passes the new `deny` rules must pass each old one; what passes all new rules must pass each old `escalate`
    rule. A kind only the new version covers allows what the old one refused; one it no longer covers is refused.
    """
    told: list[dict[str, Any]] = []
    for kind in new.catalog.kinds:
        if not new.catalog.covering(kind):
            continue
        if kind not in old.catalog.kinds or not old.catalog.covering(kind):
            told.append({"kind": kind, "rule": "", "holds": False, "why": f"the old version refuses every {kind}"})
            continue
        clash = _clash(old.catalog, new.catalog, kind)
        if clash:
            told.append({"kind": kind, "rule": "", "holds": False, "why": clash})
            continue
        told += [_refined(old, new, kind, rule, prover) for rule in old.catalog.covering(kind)]
    return told


def _clash(old: Catalog, new: Catalog, kind: str) -> str:
    """Names whose type changed: rules over them cannot be compared."""
    one, other = old.scope(kind), new.scope(kind)
    names = sorted(name for name in one.keys() & other.keys() if one[name] != other[name])
    if names:
        return f"{', '.join(names)} changed type"
    missing = sorted(set(new.kinds[kind]) ^ set(old.kinds[kind]))
    return f"the parameters differ: {', '.join(missing)}" if missing else ""


def _refined(old: Version, new: Version, kind: str, rule: Invariant, prover: Asked) -> dict[str, Any]:
    words = ("deny",) if rule.otherwise == "deny" else ("deny", "escalate")
    given = new.rules(kind, *words)
    goal = old.rules(kind, rule.otherwise)[rule.id]
    bounds = {name: ends for name, ends in new.catalog.bounds.items() if old.catalog.bounds.get(name) == ends}
    merged = replace(new.catalog, facts={**old.catalog.facts, **new.catalog.facts}, bounds=bounds)
    said: dict[str, Any] = {"kind": kind, "rule": rule.id, "otherwise": rule.otherwise}
    answer = implied(merged, kind, rule.id, given, goal, prover)
    if answer.is_proved:
        size = len(canonical(answer.answer.tree).encode())
        return {**said, "holds": True, "by": list(answer.by), "certificate_bytes": size}
    shown = _shown(merged, kind, answer, (old, new), goal, prover)
    why = "the new version passes what the old one stops" if shown else answer.answer.why or "not proved"
    return {**said, "holds": False, "why": why, "counterexample": {}, **shown}


def _shown(
    catalog: Catalog, kind: str, answer: Implied, both: tuple[Version, Version], goal: Node, prover: Asked
) -> dict[str, Any]:
    """An action and facts with what each version says of them whole: the new one less than the old. What passes every
    new rule is looked for first; then, for a rule that denies, what the new ones only escalate.
    """
    old, new = both
    denies, escalates = new.rules(kind, "deny"), new.rules(kind, "escalate")
    for given in ({**denies, **escalates}, denies):
        compiler, point = _beside(catalog, kind, answer, given, goal, prover)
        if point is None or compiler is None:
            continue
        picture = Picture(kind, catalog.scope(kind), catalog.bounds, compiler.currency or CURRENCY)
        picture.paint(compiler.meanings, compiler.words, point)
        if not within(picture.values, catalog.bounds, picture.scope) or truth(goal, picture.values) is True:
            continue
        said = _said(new, kind, picture.values), _said(old, kind, picture.values)
        if said in _LOOSER:
            read = [node for version in both for node in version.rules(kind, "deny", "escalate").values()]
            return {"counterexample": picture.shown(read), "new": said[0], "old": said[1]}
    return {}


_LOOSER = {("ALLOW", "DENY"), ("ALLOW", "ESCALATE"), ("ESCALATE", "DENY")}


def _said(version: Version, kind: str, values: dict[str, Value]) -> str:
    """What all rules of a version come to."""
    for words, verdict in (("deny", "DENY"), ("escalate", "ESCALATE")):
        if any(truth(node, values) is not True for node in version.rules(kind, words).values()):
            return verdict
    return "ALLOW"


def _beside(
    catalog: Catalog, kind: str, answer: Implied, given: dict[str, Node], goal: Node, prover: Asked
) -> tuple[Symbolic | None, dict[str, Fraction] | None]:
    """A point at which all of `given` hold and the goal does not, as far as the prover knows. Rules that have nothing
    to do with the goal must hold there as well, so they are asked about where the first answer left them out.
    """
    if set(answer.by) == set(given):
        return answer.compiler, answer.answer.point
    try:
        obligation, compiler = implication(catalog, kind, f"{kind}: all rules imply {answer.rule}", given, goal)
    except Undecided:
        return None, None
    return compiler, found(prover, obligation).point
