"""Puts answers together into a verdict and its proof bundle, and compares a bundle with one rebuilt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from steward.kernel.canonical import canonical_bytes
from steward.kernel.errors import BadInput
from steward.verifier.core.assumptions import assumed
from steward.verifier.core.bundle import FORMAT, check_bundle, verdict_of
from steward.verifier.core.check import digest
from steward.verifier.core.decide import (
    Answer,
    Question,
    Situation,
    at_witness,
    ends,
    examine,
    malformed,
    situation,
)
from steward.verifier.core.rules import Catalog, Invariant, State
from steward.verifier.core.theorems import Book, Theorem, checked, known
from steward.verifier.core.values import Uncertain

_ERRED = ("undefined", "missing", "unproved")
_SMALL = 10**40


@dataclass(frozen=True, slots=True)
class Proved:
    """An obligation and the tree the checker accepted for it."""

    obligation: dict[str, Any]
    tree: Any


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything known about one action: refused before any rule (`refusal`), or the answers of all rules."""

    action: Any
    facts: dict[str, Any]
    now: str
    refusal: tuple[str, str] | None = None
    answers: tuple[Answer, ...] = ()
    proofs: tuple[Proved, ...] = ()
    theorems: tuple[dict[str, Any], ...] = ()
    uncertain: dict[str, Uncertain] = field(default_factory=dict[str, Uncertain])

    @property
    def verdict(self) -> str:
        return verdict_of([(answer.invariant.otherwise, answer.status) for answer in self.answers])

    def reasons(self) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        """(determining, errored): the rules that made the verdict, and those that could not be decided."""
        if self.refusal is not None:
            return [{"id": self.refusal[0], "basis": "evaluated", "detail": self.refusal[1]}], []
        verdict = self.verdict
        determining: list[dict[str, str]] = []
        errored: list[dict[str, str]] = []
        for answer in self.answers:
            rule = answer.invariant
            reason = {"id": rule.id, "basis": answer.basis, "detail": answer.detail or rule.why}
            if answer.status in _ERRED:
                errored.append(reason)
            if verdict == self._alone(answer) and answer.status != "skipped":
                determining.append(reason)
        return determining, errored

    @staticmethod
    def _alone(answer: Answer) -> str:
        return verdict_of([(answer.invariant.otherwise, answer.status)])

    def counterexample(self) -> dict[str, Any]:
        """The values of the first rule that made the verdict and can show some."""
        shown = (a.counterexample for a in self.answers if a.counterexample and self._alone(a) == self.verdict)
        return next(shown, dict[str, Any]())

    def assumptions(self, catalog: Catalog) -> tuple[str, ...]:
        """What the verdict takes on trust; an action refused before any rule takes nothing."""
        if self.refusal is not None:
            return ()
        return assumed(self.uncertain, catalog.bounds, theorems=bool(self.theorems))

    def bundle(self, catalog: Catalog) -> dict[str, Any]:
        """Self-contained evidence, each part bound by digest. See `bundle.check_bundle`."""
        found: dict[str, Any] = {
            "format": FORMAT,
            "catalog_digest": catalog.digest,
            "action": self.action,
            "facts": self.facts,
            "now": self.now,
            "verdict": self.verdict,
            "findings": [answer.finding() for answer in self.answers],
            "witness": {answer.invariant.id: answer.witness for answer in self.answers if answer.witness},
            "obligations": [proof.obligation for proof in self.proofs],
            "certificates": [
                {"obligation_digest": proof.obligation["digest"], "tree": proof.tree} for proof in self.proofs
            ],
        }
        if self.theorems:
            found["theorems"] = list(self.theorems)
        return {**found, "digest": digest(found)}


def readable(value: Any) -> Any:
    """`value` if it has a canonical form, else a stand-in no type accepts: it could not be hashed."""
    if _is_plain(value):
        return value
    try:
        canonical_bytes(value)
    except (BadInput, RecursionError):
        return {"unreadable": repr(cast("object", value))[:200]}
    return value


def _is_plain(value: Any) -> bool:
    """Whether it is short text or a small number, or an object of such: what most facts are, seen without encoding."""
    if type(value) is str:
        return len(value) <= 100 and value.isascii()
    if type(value) is dict:
        parts = cast("dict[Any, Any]", value)
        return len(parts) <= 4 and all(type(k) is str and k.isascii() and _is_plain(parts[k]) for k in parts)
    return type(value) is int and -_SMALL < value < _SMALL


def opened(catalog: Catalog, action: Any, facts: dict[str, Any], now: str) -> Dossier | tuple[Dossier, Situation]:
    """The action and the facts its rules read; a refusal if the action does not get as far as any rule."""
    action, now = readable(action), readable(now)
    refusal = malformed(catalog, action)
    if refusal is not None:
        return Dossier(action, {}, str(now), refusal)
    used = {name: readable(facts[name]) for name in catalog.plan(action["kind"]).facts if name in facts}
    given = situation(catalog, action, used, str(now))
    return Dossier(action, used, str(now), uncertain=given.uncertain), given


def _witnessed(question: Question, given: Situation, witness: Any) -> Answer:
    """What the bundle's witness shows; without one, nothing may show at the ends of the intervals either."""
    rule = question.invariant
    tried = [cast("dict[str, Any]", witness)] if isinstance(witness, dict) else ends(rule, given)
    shown = (at_witness(rule, given, one) for one in tried)
    return next((answer for answer in shown if answer is not None), Answer(rule, "unproved", "evaluated"))


Examine = Callable[[Invariant, Situation], Answer | Question]
"""`examine`, or something that remembers what it said."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a bundle is compared with: facts as read now (else the bundle's own), limits, the stored theorems."""

    facts: dict[str, Any] | None
    limits: dict[str, Any]
    stored: Book


def rebuilt(catalog: Catalog, bundle: dict[str, Any], ground: Ground) -> str:
    """Why `bundle` is not what the catalog demands for its action and facts; empty if it is."""
    valid, reason = check_bundle(bundle, known(ground.stored))
    if not valid:
        return reason
    if bundle["catalog_digest"] != catalog.digest:
        return "the bundle was made under another catalog"
    given = cast("dict[str, Any]", bundle["facts"])
    if not isinstance(given, dict):  # pyright: ignore[reportUnnecessaryIsInstance] - it comes from outside
        return "the bundle's facts are not an object"
    now_given = {**(given if ground.facts is None else ground.facts), **ground.limits}
    start = opened(catalog, bundle["action"], now_given, bundle["now"])
    if isinstance(start, Dossier):
        return "" if not bundle["findings"] and not given else "the action is refused before any rule is read"
    if start[0].facts != given:
        moved = sorted(n for n in {*given, *start[0].facts} if given.get(n) != start[0].facts.get(n))
        return f"the facts are not those of the bundle: {', '.join(moved)}"
    return compared(catalog, bundle, start[1]) or restated(catalog, bundle, start[1].kind, ground.stored)


def compared(catalog: Catalog, bundle: dict[str, Any], given: Situation, examined: Examine = examine) -> str:
    """Every finding derived again: ground rules evaluated, obligations rebuilt, witnesses evaluated."""
    claimed = {entry["id"]: entry for entry in bundle["findings"]}
    proved = {entry["invariant"]: entry for entry in bundle["obligations"]}
    plan = catalog.plan(given.kind)
    if [*(rule.id for rule in plan.rules), *(state.id for state in plan.states)] != list(claimed):
        return "the findings are not those of the rules that cover the action"
    for rule in plan.rules:
        entry = claimed[rule.id]
        found = examined(rule, given)
        if isinstance(found, Question):
            if rule.id in proved:
                entered = proved[rule.id]
                if entered != {**found.content, "digest": entered["digest"]}:  # the digest was checked before
                    return f"obligation {rule.id}: it is not the one the catalog demands"
                found = Answer(rule, "holds", "certificate")
            else:
                found = _witnessed(found, given, cast("dict[str, Any]", bundle["witness"]).get(rule.id))
        if (found.basis, found.status, rule.otherwise) != (entry["basis"], entry["status"], entry["otherwise"]):
            return f"invariant {rule.id}: it {found.status}, and the bundle says it {entry['status']}"
    return ""


def restated(catalog: Catalog, bundle: dict[str, Any], kind: str, stored: Book) -> str:
    """Every theorem the bundle names is the stored one, or is in it whole and the one this catalog demands."""
    claimed = {entry["id"]: entry for entry in bundle["findings"]}
    named = {entry["state"]: entry for entry in bundle.get("theorems", [])}
    for state in catalog.touched(kind):
        finding, entry = claimed[state.id], named.get(state.id)
        if finding["otherwise"] != "escalate" or (finding["basis"] == "theorem") != (entry is not None):
            return f"state {state.id}: the bundle says it {finding['status']} by {finding['basis']}"
        known_here = stored.get((kind, state.id))
        if entry is None and (known_here is not None or finding["status"] != "unproved"):
            return f"state {state.id}: the bundle says it {finding['status']} without the theorem"
        if entry is not None and not _is_theorem(catalog, kind, state, entry, known_here):
            return f"state {state.id}: its theorem is not the one the catalog demands"
    return ""


def _is_theorem(catalog: Catalog, kind: str, state: State, entry: dict[str, Any], known_here: Theorem | None) -> bool:
    if known_here is not None and entry["obligation_digest"] == known_here.digest:
        return True
    return "tree" in entry and checked(catalog, kind, state, entry) is not None
