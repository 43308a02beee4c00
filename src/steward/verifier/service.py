"""The verifier's service: certify an action, check or rebuild a bundle, test the catalog on itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Self, cast

from steward.contracts.base import Json, JsonObject
from steward.contracts.proof import Checked, Finding, Reason, Verdict
from steward.kernel.errors import CatalogError
from steward.verifier.core.bundle import check_bundle
from steward.verifier.core.catalog import Catalog, Invariant, read_catalog
from steward.verifier.core.check import Refused, check_obligation
from steward.verifier.core.decide import Answer, Question, Situation, at_witness, ends, examine
from steward.verifier.core.dossier import Dossier, Proved, opened, rebuilt
from steward.verifier.core.values import Uncertain
from steward.verifier.provers.client import Prover

# A proof takes milliseconds; the box is wide because a first use of Z3 on a busy machine takes seconds to load.
PROVE_SECONDS = 10.0
UNPROVED = "neither proved for every value nor refuted by one: a person decides"
_NOT_ALLOWED = frozenset({"DENY", "ESCALATE"})


class Verifier:
    """Rules of one catalog and a prover process. Safe to share between threads; `close` ends the process."""

    def __init__(self, catalog: Catalog, limits: dict[str, Json] | None = None, prover: Prover | None = None) -> None:
        self.catalog = catalog
        self.limits = {f"limit.{name.removeprefix('limit.')}": value for name, value in (limits or {}).items()}
        self.prover = prover or Prover(PROVE_SECONDS)

    @classmethod
    def from_documents(
        cls,
        docs: list[tuple[str, dict[Any, Any]]],
        limits: dict[str, Json] | None = None,
        prover: Prover | None = None,
    ) -> Verifier:
        """A verifier of (file name, parsed YAML) documents; `CatalogError` names the first trouble.

        `limits` become facts `limit.NAME` that no fact can override.
        """
        catalog, troubles = read_catalog(docs)
        if troubles:
            first, more = troubles[0], len(troubles) - 1
            what = first["what"] + (f" (and {more} more)" if more else "")
            raise CatalogError(what, where=first["where"], fix=first["fix"])
        return cls(catalog, limits, prover)

    @property
    def catalog_digest(self) -> str:
        """SHA-256 of what the catalog means: types, kinds, and the syntax trees of its rules."""
        return self.catalog.digest

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
        named = frozenset[str]().union(*(rule.reads() for rule in self.catalog.covering(kind)))
        return tuple(sorted(named & set(self.catalog.facts)))

    def certify(self, action: JsonObject, facts: JsonObject, now: str) -> Verdict:
        """The verdict on an action under facts (shapes of `steward verify decide`) and its bundle; never raises."""
        dossier = self._decided(self.catalog, action, {**facts, **self.limits}, now)
        determining, errored = dossier.reasons()
        return Verdict(
            verdict=cast("Any", dossier.verdict),
            determining=tuple(Reason(**cast("Any", reason)) for reason in determining),
            errored=tuple(Reason(**cast("Any", reason)) for reason in errored),
            counterexample=dossier.counterexample(),
            findings=tuple(Finding(**cast("Any", answer.finding())) for answer in dossier.answers),
            bundle=dossier.bundle(self.catalog),
        )

    def is_well_formed(self, action: JsonObject) -> bool:
        """Whether an action is of a known, covered kind with the parameters that kind has: worth fetching facts for."""
        return not isinstance(opened(self.catalog, action, {}, "2000-01-01T00:00:00Z"), Dossier)

    def check(self, bundle: Json) -> Checked:
        """The trusted checker alone, on a bundle as an object or as JSON text: no catalog, no prover."""
        return check_only(bundle)

    def rebuild(self, bundle: JsonObject, facts: JsonObject | None = None) -> Checked:
        """Whether a bundle is the one this catalog and these limits demand, and checks: what the gate asks.

        Ground rules are evaluated again and obligations rebuilt; with `facts` (as read under the gate's
        locks) they must be the bundle's own.
        """
        try:
            reason = rebuilt(self.catalog, bundle, facts, self.limits)
        except (KeyError, TypeError, AttributeError) as error:
            reason = f"the bundle cannot be read: {type(error).__name__}"
        return Checked(valid=not reason, reason=reason)

    def self_test(self) -> list[JsonObject]:
        """Every rule on its own examples, alone: [{where, what, fix}], empty when all come out as written."""
        return [trouble for rule in self.catalog.invariants for trouble in self._tested(rule)]

    def warm(self) -> None:
        """Start the prover process ahead of the first obligation."""
        self.prover.warm()

    def close(self) -> None:
        self.prover.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _decided(self, catalog: Catalog, action: Any, facts: dict[str, Any], now: str) -> Dossier:
        start = opened(catalog, action, facts, now)
        if isinstance(start, Dossier):
            return start
        dossier, given = start
        answers: list[Answer] = []
        proofs: list[Proved] = []
        for rule in catalog.covering(given.kind):
            found = examine(rule, given)
            if isinstance(found, Question):
                found, proof = self._proved(found, given)
                proofs.extend([proof] if proof else [])
            answers.append(found)
        return replace(dossier, answers=tuple(answers), proofs=tuple(proofs))

    def _proved(self, question: Question, given: Situation) -> tuple[Answer, Proved | None]:
        """Ask the prover; believe only what the checker accepts or the evaluator sees at values."""
        rule, obligation = question.invariant, question.obligation
        found = self.prover.ask(obligation)
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
            troubles.append({"where": rule.where, "what": "needs an ALLOW and a DENY or ESCALATE example", "fix": fix})
        for index, example in enumerate(rule.examples):
            action = _example_action(rule, example.get("action"))
            kind = action["kind"] if action["kind"] in self.catalog.kinds else rule.on[0]
            alone = replace(self.catalog, invariants=(replace(rule, on=(kind,)),))
            facts = cast("dict[str, Any]", example.get("facts") or {})
            dossier = self._decided(alone, action, facts, example.get("now") or "2026-01-01T00:00:00Z")
            if dossier.verdict != example["verdict"]:
                told = "; ".join(reason["detail"] for reason in dossier.reasons()[0])
                what = f"says {example['verdict']} and comes out {dossier.verdict}: {told}"
                where = f"{rule.where} examples[{index}]"
                troubles.append({"where": where, "what": what, "fix": "correct the rule or the example"})
        return troubles


def check_only(bundle: Json) -> Checked:
    """The trusted checker on a bundle, without any catalog: what `steward verify check` runs."""
    valid, reason = check_bundle(bundle)
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
    """An example's action in full: parameters alone are enough, the rest is filled in."""
    entry = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    if not set(entry) & {"id", "kind", "params", "principal"}:
        entry = {"params": entry}
    kind = entry.get("kind") or next(iter(rule.on), "")
    principal: dict[str, Any] = {"id": "example", "roles": [], **cast("dict[str, Any]", entry.get("principal") or {})}
    return {"id": "example", "params": {}, **entry, "kind": kind, "principal": principal}
