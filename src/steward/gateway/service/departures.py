"""Lets an admitted action leave: which tool's verb does it, with which arguments, and under whose approval.

All in the transaction that admitted it. What cannot leave is refused there, with the reason, and is on record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from psycopg import Connection

from steward.catalog import Catalog, ToolBook
from steward.contracts.action import ActionProposal, Held, Receipt, Refused, RiskLevel
from steward.contracts.base import Json
from steward.contracts.kind import ActionKind
from steward.contracts.port import Route
from steward.gateway.core.holding import Money
from steward.gateway.core.machine import State
from steward.gateway.core.templates import fill
from steward.gateway.service.seat import amount_of
from steward.gateway.service.tools import Tools
from steward.gateway.store import EffectStore, Row
from steward.kernel.canonical import JsonObject, canonical_bytes
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant

INSIDE = "books"
"""The tool of kinds whose effect is in our own books: it happens in the transaction in which the last person agrees."""
PEOPLE = "people"
"""The department of proposers that are no agents of the catalog."""


class Stops(Protocol):
    """What kill switches say."""

    def stops(self, kind: str, tool: str, proposer: str, department: str) -> str | None: ...


class Reserves(Protocol):
    """Where caps and budgets are drawn on: the key of the hold, nothing where no cap covers it, or why not."""

    def reserve(self, action_id: str, money: Money, scopes: Sequence[str], at: datetime) -> str | Refused | None: ...


@dataclass(frozen=True, slots=True)
class Departure:
    """How an action would leave."""

    tool: str
    verb: str
    mode: str
    args: JsonObject
    tool_version: bytes
    request: JsonObject


class Departures:
    """Opens effects."""

    def __init__(self, catalog: Catalog, book: ToolBook, tools: Tools, stops: Stops, reserves: Reserves) -> None:
        self._catalog = catalog
        self._book = book
        self._tools = tools
        self._stops = stops
        self._reserves = reserves
        self._routes: dict[str, list[Route]] = {}
        for route in catalog.routes:
            self._routes.setdefault(route.port, []).append(route)
        self._departments = {agent.name: agent.department for agent in catalog.agents}
        self._store = EffectStore()

    def route(self, proposal: ActionProposal, kind: ActionKind) -> Departure | Refused:
        """The tool's verb with its arguments, and the exact request; or why there is none."""
        route = next((r for r in self._routes.get(kind.verb, ()) if _fits(r, proposal.params)), None)
        if route is None:
            return Refused(code="no_route", reason=f"no tool is named for {kind.verb} with these parameters")
        try:
            tool, verb = self._book.tool(route.tool), self._book.verb(route.tool, route.verb)
            args = fill(route.args, {**proposal.params, "key": proposal.id})
            request = self._tools.prepare(route.tool, route.verb, args, proposal.id)
        except BadInput as error:
            return Refused(code="malformed_request", reason=str(error))
        missing = self._tools.ready(route.tool, route.verb)
        if missing:
            return Refused(code="not_connected", reason=missing)
        mode = verb.idempotency.mode if verb.idempotency else "none"
        version = bytes.fromhex(self._book.version(tool.tool))
        return Departure(tool.tool, verb.verb, mode, args, version, request.to_json())

    def open(
        self,
        connection: Connection[Row],
        proposal: ActionProposal,
        kind: ActionKind,
        outcome: Held | Receipt,
        level: RiskLevel,
        now: datetime,
    ) -> Held | Receipt | Refused:
        """Write the effect of an admitted action: ready, or waiting for people. What it costs is set aside first. In
        shadow people are asked as well, so that what they say can be compared; nothing leaves, whatever they say. Whose
        time is over already (in history that is worked through again) is not asked for.
        """
        if kind.stage == "shadow":
            if isinstance(outcome, Held) and outcome.expires_at > now:
                port, _, verb = kind.verb.partition(".")
                asked = Departure(port, verb, "none", proposal.params, bytes(32), {})
                self._write(connection, proposal, kind, outcome, level, asked, None, now)
            return outcome
        found = _inside(proposal, kind) if kind.registry else self.route(proposal, kind)
        if isinstance(found, Refused):
            return found
        stopped = self._stops.stops(kind.kind, found.tool, proposal.principal.id, self._department(proposal))
        if stopped is not None:
            return Refused(code="stopped", reason=f"the kill switch {stopped} is on")
        if kind.registry and not isinstance(outcome, Held):
            return Refused(code="needs_people", reason=f"only people let an entry of {kind.registry} be made")
        money, goal = amount_of(kind, proposal.params), _goal(proposal)
        hold: str | Refused | None = None
        if money is not None:
            scopes = ["all", f"kind:{kind.kind}", f"agent:{proposal.principal.id}", f"tool:{found.tool}"]
            hold = self._reserves.reserve(proposal.id, money, [*scopes, *([f"goal:{goal}"] if goal else [])], now)
            if isinstance(hold, Refused):
                return hold
        self._write(connection, proposal, kind, outcome, level, found, hold, now)
        if isinstance(outcome, Held):
            return outcome
        return Receipt(verb=f"{found.tool}.{found.verb}", request=found.request, state="ready")

    def ask(
        self, connection: Connection[Row], proposal: ActionProposal, kind: ActionKind, held: Held, level: RiskLevel,
        now: datetime,
    ) -> None:  # fmt: skip
        """Have people asked for what takes effect in our own books. The money is set aside when they agree."""
        self._write(connection, proposal, kind, held, level, _inside(proposal, kind), None, now)

    def _write(
        self,
        connection: Connection[Row],
        proposal: ActionProposal,
        kind: ActionKind,
        outcome: Held | Receipt,
        level: RiskLevel,
        found: Departure,
        hold: str | None,
        now: datetime,
    ) -> None:
        held = outcome if isinstance(outcome, Held) else None
        money = amount_of(kind, proposal.params)
        said = {
            "args": found.args,
            "params": proposal.params,
            "kind": kind.kind,
            "tool": found.tool,
            "verb": found.verb,
        }
        state: State = "awaiting_approval" if held else "ready"
        self._store.open(
            connection,
            {
                "action_id": proposal.id[4:],
                "kind": kind.kind,
                "proposer": proposal.principal.id,
                "department": self._department(proposal),
                "goal": _goal(proposal),
                "stage": kind.stage,
                "tool": found.tool,
                "verb": found.verb,
                "mode": found.mode,
                "args": found.args,
                "args_digest": hashlib.sha256(canonical_bytes(said)).digest(),
                "policy_version": bytes.fromhex(self._catalog.digest),
                "tool_version": found.tool_version,
                "risk": level,
                "amount_minor": abs(money.amount_minor) if money else None,
                "currency": money.currency if money else None,
                "quorum": kind.approvals if held else 0,
                "role": held.approver if held else None,
                "reason": held.reason if held else "",
                "hold": hold,
                "deadline": held.expires_at if held else proposal.expires_at,
                "now": now,
                "state": state,
            },
        )
        self._store.add_steps(connection, _story(proposal, state, now, is_reserved=hold is not None))

    def scopes(self, proposal: ActionProposal, tool: str) -> frozenset[str]:
        """The kill switches that stop such an action through such a tool."""
        who = proposal.principal.id
        department = f"department:{self._department(proposal)}"
        return frozenset({"all", f"kind:{proposal.kind}", f"tool:{tool}", f"agent:{who}", department})

    def _department(self, proposal: ActionProposal) -> str:
        return self._departments.get(proposal.principal.id, PEOPLE)


def _inside(proposal: ActionProposal, kind: ActionKind) -> Departure:
    """What takes effect in our own books goes nowhere."""
    _, _, verb = kind.verb.partition(".")
    return Departure(INSIDE, verb, "native", proposal.params, bytes(32), {})


def _fits(route: Route, params: JsonObject) -> bool:
    return all(_meets(params.get(name), value) for name, value in route.when.items())


def _meets(given: Json, wanted: Json) -> bool:
    """Equal, or beginning with what stands before the star."""
    if isinstance(wanted, str) and wanted.endswith("*"):
        return isinstance(given, str) and given.startswith(wanted[:-1])
    return given == wanted


def _goal(proposal: ActionProposal) -> str | None:
    goal = proposal.evidence.get("goal")
    return goal if isinstance(goal, str) and 0 < len(goal) <= 200 else None


def _story(proposal: ActionProposal, state: State, now: datetime, *, is_reserved: bool) -> list[JsonObject]:
    """The steps that were taken without a wait between them, for the history."""
    names = ["proposed", "verified", *(["reserved"] if is_reserved else []), state]
    who = {"proposed": proposal.principal.id}
    return [
        {
            "action_id": proposal.id[4:],
            "state": name,
            "at": format_instant(now),
            "by": who.get(name, "gateway"),
            "fence": 0,
            "detail": "",
        }
        for name in names
    ]
