"""Ports: what kinds of action ask for, whatever system does it; and the routes that say which system that is."""

from __future__ import annotations

from typing import Literal

from steward.contracts.base import Contract, Json, JsonObject


class PortVerb(Contract):
    """One thing that can be asked for: the request it stands for while no system is connected. `body` maps request
    fields to parameter paths. An INTERNAL verb sends nothing: its effect is in our own database.
    """

    verb: str
    method: Literal["POST", "PUT", "INTERNAL"]
    path: str
    body: dict[str, str]
    idempotency_header: str


class Port(Contract):
    """A capability of some system outside, or of our own books."""

    port: str
    meaning: str
    verbs: tuple[PortVerb, ...]


class Route(Contract):
    """Which verb of which tool does what a port's verb asks for. The first route of a port's verb whose `when` holds
    is taken: each parameter it names equals the value given, or begins with it where the value ends in a star. `args`
    is a template over the action's parameters (its language: docs/reference/tools.md) and gives the arguments of the
    tool's verb.
    """

    port: str
    when: JsonObject = {}
    tool: str
    verb: str
    args: dict[str, Json]
    why: str
