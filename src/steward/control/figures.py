"""The figures an owner looks at: totals of the books, of the log and of the decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from steward.catalog import Catalog
from steward.events import EventLog
from steward.gateway import Gateway, Violations
from steward.ingest import History
from steward.ledger import Bookkeeping
from steward.policy import Policy
from steward.state import State
from steward.verifier import ProofLog
from steward.world_model import WorldModel


@dataclass(frozen=True, slots=True)
class Figures:
    """Reads every door and writes nothing; the same log gives the same figures."""

    catalog: Catalog
    events: EventLog
    history: History
    books: Bookkeeping
    state: State
    world_model: WorldModel
    proofs: ProofLog
    policy: Policy
    gateway: Gateway
    violations: Violations

    def read(self) -> dict[str, Any]:
        """Every figure, as JSON. Money in minor units of the catalog's currency."""
        sales = self.state.totals()
        transfers, trial_balance = self.books.totals()
        by_kind = self.gateway.counts()
        by_outcome = {
            outcome: sum(row["actions"] for row in by_kind if row["outcome"] == outcome)
            for outcome in ("refused", "held", "shadowed", "executed")
        }
        head = self.events.head()
        return {
            "events": head["size"],
            "orders": sales.orders,
            "units": sales.units,
            "order_value_minor": sales.order_value_minor,
            "refunds": sales.refunds,
            "refund_value_minor": sales.refund_value_minor,
            "listed": self.history.listed(),
            "conflicts": len(self.events.conflicts()),
            "transfers": transfers,
            "trial_balance": trial_balance,
            "proposals": sum(by_outcome.values()),
            "certified": self.proofs.verdicts().get("ALLOW", 0),
            **by_outcome,
            "decisions": self.policy.count(),
            "forecasts": [score.to_json() for score in self.world_model.scores()],
            "by_kind": by_kind,
            "refusals": self.gateway.refusal_codes(),
            "quarantined": [row["proposer"] for row in self.violations.quarantines()],
            "audit_size": head["size"],
            "audit_root": head["root"],
            "assumptions": self.assumptions(),
        }

    def assumptions(self) -> list[str]:
        """What is taken on trust, said aloud."""
        limits = [limit for limit in self.catalog.limits if limit.name.startswith("assumed_")]
        stated = [f"{limit.name} = {limit.value}: {limit.why}" for limit in limits]
        statistical = "Intervals are statistical: a proof over one holds given its range."
        return [*self.catalog.history.assumptions, *stated, statistical]
