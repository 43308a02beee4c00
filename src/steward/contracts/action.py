"""Action proposals, and the outcomes they can have."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from steward.contracts.base import Contract, Instant, JsonObject

RiskLevel = Literal["L0", "L1", "L2", "L3"]


class Principal(Contract):
    """Who asks: an agent or a person, with the roles the catalog gives them."""

    id: str
    roles: tuple[str, ...] = ()


class ActionProposal(Contract):
    """What someone wants to do, not yet done. `key` names the intended effect: same key, same action.

    `evidence` is what the proposer read (a request's lines, a fit); no rule sees it, facts are fetched anew. After
    `expires_at` it is refused.
    """

    id: str
    key: Annotated[str, Field(min_length=1, max_length=512)]
    kind: str
    params: JsonObject
    principal: Principal
    at: Instant
    why: str = ""
    evidence: JsonObject = {}
    expires_at: Instant | None = None

    def document(self) -> JsonObject:
        """The action as a formula sees it (`action.json` of `steward verify decide`)."""
        return {
            "id": self.id,
            "kind": self.kind,
            "params": self.params,
            "principal": {"id": self.principal.id, "roles": list(self.principal.roles)},
        }


class Shadowed(Contract):
    """The exact request was built and validated, recorded, and not sent."""

    outcome: Literal["shadowed"] = "shadowed"
    verb: str
    request: JsonObject


class Held(Contract):
    """Waits for a person of role `approver`; expiry always means reject. `code` is `stale` where the facts moved on
    before a proof of them was found.
    """

    outcome: Literal["held"] = "held"
    risk: RiskLevel
    approver: str
    reason: str
    expires_at: Instant
    code: str = ""


class Refused(Contract):
    """Will not happen: a stable code, a sentence, and the rules that decided."""

    outcome: Literal["refused"] = "refused"
    code: str
    reason: str
    determining: tuple[str, ...] = ()


class Executed(Contract):
    """Done, in the transaction that proved it: `hold` is the key of the money set aside in the books until
    `expires_at`, `request` what the internal verb was given.
    """

    outcome: Literal["executed"] = "executed"
    verb: str
    request: JsonObject
    hold: str = ""
    expires_at: Instant | None = None


class Receipt(Contract):
    """Admitted and on its way outside: `request` is what will be sent, `state` where it stood then. What became of it
    since is told by its history.
    """

    outcome: Literal["receipt"] = "receipt"
    verb: str
    request: JsonObject
    state: str = "ready"


Outcome = Shadowed | Held | Refused | Executed | Receipt
