"""What a file of rules holds: facts, what must always be true of them, and what an action must fulfil.

The verifier reads formulas and types itself and names every trouble with its place; these models say which keys there
are, for editors and for the reference.
"""

from __future__ import annotations

from typing import Literal

from steward.contracts.base import Contract, Json, JsonObject

Severity = Literal["low", "medium", "high", "critical"]


class FactSpec(Contract):
    """A named query about the business. `least` and `most` bound it in every state; money in minor units."""

    name: str
    type: Json
    why: str
    least: int | str | None = None
    most: int | str | None = None


class StateRule(Contract):
    """What is true of the facts at all times, whatever was done; `holds` reads facts and limits alone."""

    id: str
    holds: str
    owner: str
    why: str
    title: str = ""


class Example(Contract):
    """An action, the facts it meets, and what the rule alone says of it; run by `steward catalog check`."""

    verdict: Literal["ALLOW", "DENY", "ESCALATE"]
    facts: JsonObject = {}
    action: JsonObject = {}
    now: str | None = None
    why: str | None = None


class InvariantSpec(Contract):
    """One rule on kinds of actions. Where `when` is true `require` must be, for every value an uncertain fact may have;
    else the action is denied, or escalated to a person. `code` is what a refusal carries.
    """

    id: str
    title: str
    on: tuple[str, ...] | str
    require: str
    otherwise: Literal["deny", "escalate"]
    severity: Severity
    owner: str
    code: str
    why: str
    examples: tuple[Example, ...]
    when: str | None = None

    def allows_over(self, form: Literal["low", "any_subset_of"]) -> bool:
        """Whether an example shows the rule allowing something on a fact of which only bounds are known (`low`), or on
        any subset of what is in flight.
        """
        allowed = [example.facts.values() for example in self.examples if example.verdict == "ALLOW"]
        facts: list[Json] = [value for values in allowed for value in values]
        return any(isinstance(value, dict) and form in value for value in facts)


class RuleFile(Contract):
    """One file under `invariants/`."""

    facts: tuple[FactSpec, ...] = ()
    states: tuple[StateRule, ...] = ()
    invariants: tuple[InvariantSpec, ...] = ()
