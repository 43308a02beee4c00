"""The verifier's service: certify an action, check or rebuild a bundle, test the catalog on itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Self, cast

from steward.contracts.base import Json, JsonObject
from steward.contracts.proof import Checked, Finding, Reason, Verdict
from steward.kernel.errors import CatalogError
from steward.verifier.core.bundle import check_bundle
from steward.verifier.core.catalog import read_catalog
from steward.verifier.core.check import Refused, check_obligation
from steward.verifier.core.decide import Answer, Question, Situation, at_witness, ends, examine
from steward.verifier.core.dossier import Dossier, Ground, Proved, opened, rebuilt
from steward.verifier.core.rules import Catalog, Invariant
from steward.verifier.core.spots import Documents, spot_of
from steward.verifier.core.theorems import guards, write_book
from steward.verifier.core.values import Uncertain
from steward.verifier.provers.client import Prover
from steward.verifier.provers.refit import Asked, Refit
from steward.verifier.service.analysis import dead_rules, refinement, versions
from steward.verifier.service.dead_rules import kept, still_true, warnings
from steward.verifier.service.nearest import nearest
from steward.verifier.service.proving import Attempt, as_rule
from steward.verifier.service.theorems import Theorems

# A proof takes milliseconds; the box is wide because a first use of Z3 on a busy machine takes seconds to load.
PROVE_SECONDS = 10.0
UNPROVED = "neither proved for every value nor refuted by one: a person decides"
_NOT_ALLOWED = frozenset({"DENY", "ESCALATE"})


class Verifier:
    """Rules of one catalog and a prover process. Safe to share between threads; `close` ends the process."""

    def __init__(
        self,
        catalog: Catalog,
        limits: dict[str, Json] | None = None,
        prover: Asked | None = None,
        theorems: Theorems | None = None,
    ) -> None:
        self.catalog = catalog
        self.theorems = theorems or Theorems(catalog)
        self.limits = {f"limit.{name.removeprefix('limit.')}": value for name, value in (limits or {}).items()}
        self.prover: Asked = prover or Prover(PROVE_SECONDS)
        self.documents: Documents = []

    @classmethod
    def from_documents(
        cls,
        docs: list[tuple[str, dict[Any, Any]]],
        limits: dict[str, Json] | None = None,
        prover: Prover | None = None,
        book: JsonObject | None = None,
    ) -> Verifier:
        """A verifier of (file name, parsed YAML) documents; `CatalogError` names the first trouble.

        `limits` become facts `limit.NAME` that no fact can override. `book` is a `theorems.json`: those of its
        theorems that this catalog demands and the checker accepts need no prover, and bundles name them by digest.
        """
        catalog, troubles = read_catalog(docs)
        if troubles:
            first, more = troubles[0], len(troubles) - 1
            what = first["what"] + (f" (and {more} more)" if more else "")
            raise CatalogError(what, where=first["where"], fix=first["fix"])
        found = cls(catalog, limits, prover, Theorems(catalog, book))
        found.documents = docs
        return found

    @property
    def catalog_digest(self) -> str:
        """SHA-256 of what the catalog means: types, kinds, and the syntax trees of its rules."""
        return self.catalog.digest

    @property
    def catalog_document(self) -> JsonObject:
        """The same as JSON: its digest is `catalog_digest`, and an auditor reads the rules from it."""
        return self.catalog.document

    @property
    def stored_theorems(self) -> JsonObject:
        """The theorems that bundles name by digest alone, as a `theorems.json`: an auditor needs them too."""
        return write_book(self.theorems.stored.values())

    def refusal_codes(self) -> dict[str, str]:
        """Refusal code by invariant id, where the catalog gives one."""
        return {rule.id: rule.code for rule in self.catalog.invariants if rule.code}

    def invariant_ids(self) -> tuple[str, ...]:
        """The ids of all rules, in catalog order."""
        return tuple(rule.id for rule in self.catalog.invariants)

    def described(self) -> tuple[JsonObject, ...]:
        """Every rule as the console shows it: id, title, on, otherwise, why, code and the facts it reads."""
        return tuple(
            {
                "id": rule.id,
                "title": rule.title or rule.id,
                "on": list(rule.on),
                "otherwise": rule.otherwise,
                "why": rule.why,
                "code": rule.code,
                "facts": sorted(rule.reads() & set(self.catalog.facts)),
            }
            for rule in self.catalog.invariants
        )

    def facts_read(self, kind: str) -> tuple[str, ...]:
        """The facts an action of `kind` must come with, limits among them; empty for an unknown kind."""
        return self.catalog.plan(kind).facts

    def certify(self, action: JsonObject, facts: JsonObject, now: str, *, suggests: bool = False) -> Verdict:
        """The verdict on an action under facts (shapes of `steward verify decide`) and its bundle; never raises.

        `suggests` looks, on a DENY, for the nearest value of one parameter that would be allowed.
        """
        return self._certified(action, facts, now, self.prover, suggests=suggests)

    def _certified(self, action: JsonObject, facts: JsonObject, now: str, prover: Asked, *, suggests: bool) -> Verdict:
        dossier = self._decided(self.catalog, action, {**facts, **self.limits}, now, prover)
        determining, errored = dossier.reasons()
        return Verdict(
            verdict=cast("Any", dossier.verdict),
            determining=tuple(Reason(**cast("Any", reason)) for reason in determining),
            errored=tuple(Reason(**cast("Any", reason)) for reason in errored),
            counterexample=dossier.counterexample(),
            findings=tuple(Finding(**cast("Any", answer.finding())) for answer in dossier.answers),
            nearest=self._nearest(dossier, facts, now) if suggests else {},
            assumptions=dossier.assumptions(self.catalog),
            bundle=dossier.bundle(self.catalog),
        )

    def _nearest(self, dossier: Dossier, facts: JsonObject, now: str) -> dict[str, Any]:
        if dossier.refusal is not None or dossier.verdict != "DENY":
            return {}
        start = opened(self.catalog, dossier.action, {**facts, **self.limits}, now)
        if isinstance(start, Dossier):
            return {}
        rules = self.catalog.covering(start[1].kind)
        params = self.catalog.kinds[start[1].kind]

        def is_allowed(action: dict[str, Any]) -> bool:
            return self._decided(self.catalog, action, {**facts, **self.limits}, now, self.prover).verdict == "ALLOW"

        return nearest(dossier.action, start[1], rules, params, is_allowed)

    def recertify(
        self, action: JsonObject, facts: JsonObject, now: str, trees: dict[str, Any], prove_seconds: float | None = None
    ) -> Verdict:
        """As `certify`, with certificate trees by rule that proved it on other facts: obligations are rebuilt from the
        catalog and these facts, each tree is fitted to them, and only what the checker accepts counts. Asks the prover
        for what no tree proves only where `prove_seconds` says how long it may take.
        """
        refit = Refit(trees, None if prove_seconds is None else self.prover, prove_seconds)
        return self._certified(action, facts, now, refit, suggests=False)

    def is_well_formed(self, action: JsonObject) -> bool:
        """Whether an action is of a known, covered kind with the parameters that kind has: worth fetching facts for."""
        return not isinstance(opened(self.catalog, action, {}, "2000-01-01T00:00:00Z"), Dossier)

    def check(self, bundle: Json) -> Checked:
        """The trusted checker alone, on a bundle as an object or as JSON text: no catalog, no prover."""
        return check_only(bundle, self.theorems.archive())

    def rebuild(self, bundle: JsonObject, facts: JsonObject | None = None) -> Checked:
        """Whether a bundle is the one this catalog and these limits demand, and checks: what the gate asks.

        Ground rules are evaluated again and obligations rebuilt; with `facts` (as read under the gate's
        locks) they must be the bundle's own.
        """
        try:
            reason = rebuilt(self.catalog, bundle, Ground(facts, self.limits, self.theorems.stored))
        except (KeyError, TypeError, AttributeError) as error:
            reason = f"the bundle cannot be read: {type(error).__name__}"
        return Checked(valid=not reason, reason=reason)

    def self_test(self) -> list[JsonObject]:
        """Every rule on its own examples, alone, and the witness of every kind under all rules.

        Gives [{where, what, fix}], empty when all come out as written.
        """
        troubles = [trouble for rule in self.catalog.invariants for trouble in self._tested(rule)]
        return troubles + [trouble for kind in self.catalog.witnesses for trouble in self._witnessed(kind)]

    def _witnessed(self, kind: str) -> list[JsonObject]:
        """A kind nothing of which is ever allowed has rules that contradict each other."""
        witness = self.catalog.witnesses[kind]
        action = _full_action(kind, witness.get("action"))
        facts = {**cast("dict[str, Any]", witness.get("facts") or {}), **self.limits}
        verdict = self.certify(action, facts, witness.get("now") or "2026-01-01T00:00:00Z")
        if verdict.verdict == "ALLOW":
            return []
        told = "; ".join(f"{reason.id}: {reason.detail}" for reason in (*verdict.determining, *verdict.errored))
        what = f"comes out {verdict.verdict}: {told}"
        spot = spot_of(self.documents, "kinds", kind)
        where = f"{kind} witness" if spot is None else spot.part("witness").where()
        return [{"where": where, "what": what, "fix": "give an action that every rule allows"}]

    def prove_catalog(self, *, stored_only: bool = False, afresh: bool = False) -> tuple[list[JsonObject], list[str]]:
        """What came of each kind with an effect, and the kinds that change no fact a state rule reads.

        `stored_only` asks no prover: what is not in the book is missing. `afresh` proves what is in it again.
        """
        if afresh:
            self.theorems.forget()
        told: list[JsonObject] = []
        for kind in self.catalog.kinds:
            found = self.theorems.of(kind, None if stored_only else self.prover)
            if found:
                told.append(summary(kind, found))
        nothing = [kind for kind in self.catalog.kinds if not self.catalog.touched(kind)]
        return told, nothing

    def dead_rules(self, kind: str) -> JsonObject:
        """{kind, implied, unused}: the guards that others imply, with certificates, and those no theorem needs."""
        return dead_rules(self.catalog, kind, self.theorems.of(kind, self.prover), self.prover)

    def dead_rules_book(self, old: JsonObject | None) -> JsonObject:
        """A `dead_rules.json` of every kind with guards; what an old one still says is taken from it."""
        known = still_true(self.catalog, old)
        with_guards = (kind for kind in self.catalog.kinds if guards(self.catalog, kind))
        return kept(self.catalog, (known.get(kind) or self.dead_rules(kind) for kind in with_guards))

    def known_dead_rules(self, book: JsonObject | None) -> dict[str, JsonObject]:
        """By kind, what a `dead_rules.json` says of this catalog and the checker accepts; no prover."""
        return still_true(self.catalog, book)

    def warnings(self, book: JsonObject | None) -> list[JsonObject]:
        """[{where, what, fix}] of guards that do nothing, by a `dead_rules.json`, and of what it does not know."""
        return warnings(self.catalog, self.documents, still_true(self.catalog, book))

    def refines(self, old: Verifier) -> list[JsonObject]:
        """Whether this catalog is at least as strict as an older one: [{kind, rule, holds, ...}], one for each rule."""
        before, now = versions(old.catalog, self.catalog, (old.limits, self.limits))
        return refinement(before, now, self.prover)

    def warm(self) -> None:
        """Start the prover process ahead of the first obligation."""
        self.prover.warm()

    def close(self) -> None:
        self.prover.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _decided(self, catalog: Catalog, action: Any, facts: dict[str, Any], now: str, prover: Asked) -> Dossier:
        start = opened(catalog, action, facts, now)
        if isinstance(start, Dossier):
            return start
        dossier, given = start
        answers: list[Answer] = []
        proofs: list[Proved] = []
        for rule in catalog.covering(given.kind):
            found = examine(rule, given)
            if isinstance(found, Question):
                found, proof = self._proved(found, given, prover)
                proofs.extend([proof] if proof else [])
            answers.append(found)
        if catalog is not self.catalog:
            return replace(dossier, answers=tuple(answers), proofs=tuple(proofs))
        kept = self.theorems.of(given.kind, prover)
        answers += [stated(given.kind, one) for one in kept]
        named = tuple(self.theorems.entry(one.theorem) for one in kept if one.theorem is not None)
        return replace(dossier, answers=tuple(answers), proofs=tuple(proofs), theorems=named)

    @staticmethod
    def _proved(question: Question, given: Situation, prover: Asked) -> tuple[Answer, Proved | None]:
        """Ask the prover; believe only what the checker accepts or the evaluator sees at values."""
        rule, obligation = question.invariant, question.obligation
        found = prover.ask(obligation)
        if found.get("status") == "proved":
            try:
                check_obligation(obligation, found.get("tree"))
            except (Refused, ValueError, TypeError, KeyError, IndexError, RecursionError):
                return Answer(rule, "unproved", "evaluated", UNPROVED), None
            return Answer(rule, "holds", "certificate", "for every value"), Proved(obligation, found["tree"])
        for witness in _witnesses(given, rule, found.get("point")):
            answer = at_witness(rule, given, witness)
            if answer is not None:
                return answer, None
        return Answer(rule, "unproved", "evaluated", UNPROVED), None

    def _tested(self, rule: Invariant) -> list[JsonObject]:
        troubles: list[JsonObject] = []
        verdicts = {str(example["verdict"]) for example in rule.examples}
        if "ALLOW" not in verdicts or not verdicts & _NOT_ALLOWED:
            fix = "show one action it allows and one it stops"
            troubles.append(
                {"where": self._example(rule), "what": "needs an ALLOW and a DENY or ESCALATE example", "fix": fix}
            )
        for index, example in enumerate(rule.examples):
            action = _example_action(rule, example.get("action"))
            kind = action["kind"] if action["kind"] in self.catalog.kinds else rule.on[0]
            alone = replace(self.catalog, invariants=(replace(rule, on=(kind,)),))
            facts = cast("dict[str, Any]", example.get("facts") or {})
            dossier = self._decided(alone, action, facts, example.get("now") or "2026-01-01T00:00:00Z", self.prover)
            if dossier.verdict != example["verdict"]:
                told = "; ".join(reason["detail"] for reason in dossier.reasons()[0])
                what = f"says {example['verdict']} and comes out {dossier.verdict}: {told}"
                troubles.append(
                    {"where": self._example(rule, index), "what": what, "fix": "correct the rule or the example"}
                )
        return troubles

    def _example(self, rule: Invariant, index: int | None = None) -> str:
        """Where a rule or one of its examples stands."""
        spot = spot_of(self.documents, "invariants", rule.id)
        if spot is None:
            return rule.where if index is None else f"{rule.where} examples[{index}]"
        return spot.where() if index is None else spot.called(f"examples[{index}]", "examples", index).where()


def summary(kind: str, found: Iterable[Attempt]) -> JsonObject:
    """A kind as `steward verify prove-catalog` prints it; `theorem` is null where one is missing."""
    states = [one.to_json() for one in found]
    is_proved = all(state["theorem"] == "proved" for state in states)
    return {
        "kind": kind,
        "theorem": "proved" if is_proved else None,
        "certificate_bytes": sum(state.get("certificate_bytes", 0) for state in states),
        "ms": sum(state["ms"] for state in states),
        "states": states,
    }


def stated(kind: str, one: Attempt) -> Answer:
    """What a theorem says of an action of its kind; without one, a person decides."""
    rule = as_rule(kind, one.state)
    if one.theorem is None:
        return Answer(rule, "unproved", "evaluated", f"no theorem that {kind} keeps this: {one.why}")
    from_what = f", from {', '.join(one.theorem.uses)}" if one.theorem.uses else ""
    return Answer(rule, "holds", "theorem", f"whatever the state{from_what}")


def check_only(bundle: Json, theorems: dict[str, str] | None = None) -> Checked:
    """The trusted checker on a bundle, without any catalog: what `steward verify check` runs.

    `theorems` are those a bundle may name by digest alone, as `checked_theorems` gives them.
    """
    valid, reason = check_bundle(bundle, theorems)
    return Checked(valid=valid, reason=reason)


def _witnesses(given: Situation, rule: Invariant, point: Any) -> Iterable[dict[str, Any]]:
    """The prover's point as values of facts; then, should it be absent or wrong, the ends of all intervals."""
    facts = {name: fact for name, fact in given.uncertain.items() if name in rule.reads()}
    if isinstance(point, dict):
        found = cast("dict[str, Any]", point)
        yield {name: _chosen(name, fact, found) for name, fact in facts.items()}
    yield from ends(rule, given)


def _chosen(name: str, fact: Uncertain, point: dict[str, Any]) -> Any:
    if fact.is_subset:
        return [int(point.get(f"{name}#{i}") == "1") for i in range(len(fact.parts))]
    return point.get(name)


def _example_action(rule: Invariant, given: Any) -> dict[str, Any]:
    return _full_action(next(iter(rule.on), ""), given)


def _full_action(usual: str, given: Any) -> dict[str, Any]:
    """An action in full: parameters alone are enough, the rest is filled in."""
    entry = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    if not set(entry) & {"id", "kind", "params", "principal"}:
        entry = {"params": entry}
    kind = entry.get("kind") or usual
    principal: dict[str, Any] = {"id": "example", "roles": [], **cast("dict[str, Any]", entry.get("principal") or {})}
    return {"id": "example", "params": {}, **entry, "kind": kind, "principal": principal}
