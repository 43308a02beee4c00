"""The audit: every decision, bundle and action against what the Merkle-logged events say of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from steward.contracts.action import ActionProposal, Outcome, RiskLevel
from steward.contracts.event import RecordedEvent
from steward.contracts.ledger import Violation
from steward.contracts.proof import Checked
from steward.control.telling import outcome_fact
from steward.events import EventLog
from steward.gateway import ActionRecord, Gateway, Versions
from steward.kernel.canonical import JsonObject, canonical_text, digest_hex, parse_json
from steward.kernel.errors import StewardError
from steward.policy import Policy
from steward.state import State
from steward.verifier import ProofLog, Verifier, certificate_trees

_TYPES = ("ActionProposed", "DecisionMade", "ActionRefused", "ActionHeld", "ActionShadowed", "ActionExecuted")
_PAGE = 1000
_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
_RISK: TypeAdapter[RiskLevel] = TypeAdapter(RiskLevel)
_PROPOSAL_FIELDS = ("id", "key", "kind", "at")


@dataclass(slots=True)
class AuditReport:
    """What the audit found; `invalid` names each row and what is wrong with it."""

    size: int = 0
    root: str = ""
    decisions: int = 0
    certificates: int = 0
    invalid: list[Violation] = field(default_factory=list[Violation])
    consistent: bool = True


@dataclass(frozen=True, slots=True)
class Auditor:
    """Re-checks what the spine wrote. It writes nothing."""

    events: EventLog
    state: State
    verifier: Verifier
    proofs: ProofLog
    policy: Policy
    gateway: Gateway
    versions: Versions

    def verify(self, progress: Callable[[int], None] = lambda _n: None) -> AuditReport:
        """The log itself; then every snapshot, bundle, decision and action against its events."""
        log = self.events.verify()
        report = AuditReport(size=log.head, root=log.root, consistent=log.is_intact)
        report.invalid += [Violation.model_validate(violation) for violation in log.violations]
        facts = self._facts()
        report.invalid += self._snapshots()
        self._bundles(facts, report, progress)
        self._decisions(facts, report)
        report.invalid += self._actions(facts)
        return report

    def _facts(self) -> dict[tuple[str, str], JsonObject]:
        """Event data by (type, action id)."""
        return {
            (event.envelope.type, event.envelope.data["action_id"]): event.envelope.data
            for event in self._pages(list(_TYPES))
        }

    def _pages(self, types: list[str]) -> Iterator[RecordedEvent]:
        after = 0
        while page := self.events.read(after, types, limit=_PAGE):
            yield from page
            after = page[-1].position

    def _snapshots(self) -> Iterator[Violation]:
        anchored = {
            event.envelope.data["snapshot_id"]: event.envelope.data["digest"]
            for event in self._pages(["SnapshotTaken"])
        }
        for snapshot in self.state.snapshots():
            body = snapshot.model_dump(mode="json", include={"as_of", "currency", "metrics"})
            if not digest_hex(body) == snapshot.digest == anchored.pop(snapshot.id, None):
                yield Violation(where="snapshot", row=snapshot.id, what="differs from its digest in the log")
        for name in sorted(anchored):
            yield Violation(where="snapshot", row=name, what="stands in the log and is not stored")

    def _bundles(
        self, facts: dict[tuple[str, str], JsonObject], report: AuditReport, progress: Callable[[int], None]
    ) -> None:
        """Every bundle: its bytes against the log, then rebuilt from its facts and re-checked by the checker."""
        due = {action_id for event_type, action_id in facts if event_type == "DecisionMade"}
        for row in self.proofs.all():
            progress(1)
            name = f"act_{row['action_id'].hex}"
            due.discard(name)
            decided = facts.get(("DecisionMade", name), {})
            text = row["bundle"]
            digest = hashlib.sha256(text.encode()).digest()
            if digest != bytes(row["bundle_digest"]) or digest.hex() != decided.get("bundle_digest"):
                report.invalid.append(_bad("proof_bundle", name, "differs from its digest in the log"))
                continue
            if row["verdict"] != decided.get("verdict") or row["answer"].get("verdict") != row["verdict"]:
                report.invalid.append(_bad("proof_bundle", name, "its verdict is not the one in the log"))
            try:
                bundle = parse_json(text)
                verifier, checked = self._rebuilt(bundle)
            except StewardError as error:
                report.invalid.append(_bad("proof_bundle", name, str(error)))
                continue
            report.certificates += len(bundle.get("certificates", ()))
            if not checked.valid:
                report.invalid.append(_bad("proof_bundle", name, checked.reason))
            elif _answer_differs(verifier, bundle, row["answer"]):
                report.invalid.append(_bad("proof_bundle", name, "its answer is not what its facts give"))
        report.invalid += [_bad("proof_bundle", name, "stands in the log and is not stored") for name in sorted(due)]

    def _rebuilt(self, bundle: JsonObject) -> tuple[Verifier, Checked]:
        """The bundle rebuilt under the version of the catalog it was made under, and that version's verifier."""
        found = self.verifier, self.verifier.rebuild(bundle)
        if found[1].valid:  # as nearly every one is: the versions are not read again for each
            return found
        for verifier in self.versions.verifiers(str(bundle.get("catalog_digest"))):
            if found[1].valid:
                break
            found = verifier, verifier.rebuild(bundle)
        return found

    def _decisions(self, facts: dict[tuple[str, str], JsonObject], report: AuditReport) -> None:
        due = {action_id for event_type, action_id in facts if event_type == "DecisionMade"}
        for row in self.policy.all():
            report.decisions += 1
            name = f"dcn_{row['decision_id'].hex}"
            action = f"act_{row['action_id'].hex}"
            due.discard(action)
            record, decided = row["record"], facts.get(("DecisionMade", action), {})
            columns = {
                "decision_id": name,
                "action_id": action,
                "chosen": row["chosen"],
                "propensity": row["propensity"],
                "decision_digest": bytes(row["digest"]).hex(),
            }
            if any(decided.get(key) != value for key, value in columns.items()):
                report.invalid.append(_bad("decision", name, "its columns differ from DecisionMade in the log"))
            elif digest_hex(record) != columns["decision_digest"] or (
                record["policy_version"] != row["policy_version"]
            ):
                report.invalid.append(_bad("decision", name, "its record differs from its digest"))
        report.invalid += [_bad("decision", name, "stands in the log and is not stored") for name in sorted(due)]

    def _actions(self, facts: dict[tuple[str, str], JsonObject]) -> Iterator[Violation]:
        due = {action_id for event_type, action_id in facts if event_type == "ActionProposed"}
        offset = 0
        while page := self.gateway.actions(limit=_PAGE, offset=offset):
            offset += len(page)
            for action in page:
                due.discard(action.id)
                if what := _action_problem(action, facts):
                    yield _bad("action", action.id, what)
        for name in sorted(due):
            yield _bad("action", name, "stands in the log and is not stored")


def _action_problem(action: ActionRecord, facts: dict[tuple[str, str], JsonObject]) -> str:
    """What is wrong with a stored action, or nothing."""
    try:
        proposal = ActionProposal.model_validate(action.proposal)
        outcome = _OUTCOME.validate_python(action.result)
        end = outcome_fact(action.id, outcome, _RISK.validate_python(action.risk), action.amount_minor)
    except ValidationError as error:
        return f"is not an action: {error.error_count()} fields are wrong"
    columns = (action.id, action.key, action.kind, action.at)
    if columns != tuple(getattr(proposal, name) for name in _PROPOSAL_FIELDS):
        return "its columns differ from its proposal"
    proposed = {
        "action_id": action.id,
        "kind": action.kind,
        "params": proposal.params,
        "proposer": action.proposer,
        "snapshot_id": action.snapshot_id,
    }
    if facts.get(("ActionProposed", action.id)) != proposed:
        return "differs from ActionProposed in the log"
    if outcome.outcome != action.outcome:
        return "its outcome differs from its result"
    if end is not None and facts.get((end[0], action.id)) != end[1]:
        return f"differs from {end[0]} in the log"
    return ""


def _bad(where: str, row: str, what: str) -> Violation:
    return Violation(where=where, row=row, what=what)


def _answer_differs(verifier: Verifier, bundle: JsonObject, answer: JsonObject) -> bool:
    """Whether its facts give another answer. The gate answers with the bundle's own certificates and no prover, the
    spine of what is in shadow with a prover, which may show a broken rule at other values: either is as it was made.
    """
    if any(finding["status"] == "unproved" for finding in answer["findings"]):
        return False  # what a prover did not find in its time, it may find today: the rebuilt bundle stands
    stored = canonical_text(answer)
    action, facts, now = bundle["action"], bundle["facts"], bundle["now"]
    with_its_own = verifier.recertify(action, facts, now, certificate_trees(bundle))
    if canonical_text(with_its_own.model_dump(mode="json", exclude={"bundle"})) == stored:
        return False
    again = verifier.certify(action, facts, now)
    return canonical_text(again.model_dump(mode="json", exclude={"bundle"})) != stored
