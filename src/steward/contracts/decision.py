"""Decisions: the whole action set, the probability of each admissible option, and the draw."""

from __future__ import annotations

from steward.contracts.base import Contract, Digest, JsonObject, Ratio


class Candidate(Contract):
    """An option that was on the table: `propose` or `nothing`; why it was inadmissible, if it was."""

    option: str
    admissible: bool
    why_not: str = ""
    probability: Ratio = "0"
    predicted: JsonObject = {}


class Decision(Contract):
    """Append-only. `propensity` is the probability with which `chosen` was drawn among admissible options."""

    id: str
    action_id: str
    policy_version: str
    feature_schema: Digest
    context: JsonObject
    candidates: tuple[Candidate, ...]
    chosen: str
    propensity: Ratio
    seed: str
