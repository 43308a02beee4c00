"""Options of a proposal, the draw among the proven ones, and the record of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from steward.contracts.action import ActionProposal
from steward.contracts.decision import Candidate, Decision
from steward.contracts.forecast import Forecast
from steward.contracts.kind import ActionKind
from steward.contracts.proof import Verdict
from steward.contracts.snapshot import Snapshot
from steward.infra.db import Database
from steward.kernel.canonical import JsonObject, digest_hex
from steward.kernel.ids import derived_id
from steward.kernel.instants import unix_ms
from steward.policy.core.rules import NOTHING, PROPOSE, draw, probabilities
from steward.policy.store import DecisionStore, Row

VERSION = "rules/1"


class Policy:
    """The rules policy, its propensities and its log."""

    def __init__(self, database: Database, kinds: Iterable[ActionKind]) -> None:
        self._db = database
        self._exploration = {kind.kind: Fraction(kind.exploration) for kind in kinds}
        self._store = DecisionStore()

    def options(self, _proposal: ActionProposal) -> tuple[str, ...]:
        """What is on the table: the proposal, and doing nothing."""
        return (PROPOSE, NOTHING)

    def decide(
        self,
        proposal: ActionProposal,
        options: tuple[str, ...],
        verdict: Verdict,
        forecasts: list[Forecast],
        snapshot: Snapshot,
    ) -> Decision:
        """Draw among admissible options. A proposal is admissible when its verdict is ALLOW."""
        admissible = [option for option in options if option == NOTHING or verdict.verdict == "ALLOW"]
        pmf = probabilities(admissible, self._exploration.get(proposal.kind, Fraction(0)))
        seed = f"{VERSION}:{proposal.key}"
        chosen = draw(pmf, seed)
        why_not = "; ".join(f"{reason.id}: {reason.detail}" for reason in (*verdict.determining, *verdict.errored))
        context = {
            "snapshot_id": snapshot.id,
            "as_of": snapshot.model_dump(mode="json")["as_of"],
            **snapshot.metrics,
        }
        return Decision(
            id=derived_id("dcn", unix_ms(proposal.at), proposal.key),
            action_id=proposal.id,
            policy_version=VERSION,
            feature_schema=digest_hex(sorted(context)),
            context=context,
            candidates=tuple(
                Candidate(
                    option=option,
                    admissible=option in admissible,
                    why_not="" if option in admissible else f"{verdict.verdict}: {why_not}",
                    probability=str(pmf.get(option, Fraction(0))),
                    predicted=_predicted(forecasts, option),
                )
                for option in options
            ),
            chosen=chosen,
            propensity=str(pmf[chosen]),
            seed=seed,
        )

    def record(self, decision: Decision) -> str:
        """Store a decision in the caller's transaction; returns its digest, to be anchored in the log."""
        return self.record_all([decision])[0]

    def record_all(self, decisions: Sequence[Decision]) -> list[str]:
        """Store decisions in the caller's transaction; their digests."""
        records = [decision.model_dump(mode="json") for decision in decisions]
        digests = [decision_digest(record) for record in records]
        with self._db.transaction() as connection:
            self._store.add_all(connection, list(zip(records, digests, strict=True)))
        return digests

    def of_action(self, action_id: str) -> Row | None:
        with self._db.transaction() as connection:
            return self._store.of_action(connection, action_id)

    def all(self) -> list[Row]:
        with self._db.transaction() as connection:
            return self._store.all(connection)

    def count(self) -> int:
        with self._db.transaction() as connection:
            return self._store.count(connection)


def decision_digest(record: JsonObject) -> str:
    """SHA-256 over a decision's canonical record."""
    return digest_hex(record)


def _predicted(forecasts: list[Forecast], option: str) -> JsonObject:
    return {
        forecast.quantity: {"low": forecast.low, "mid": forecast.mid, "high": forecast.high}
        for forecast in forecasts
        if forecast.option == option
    }
