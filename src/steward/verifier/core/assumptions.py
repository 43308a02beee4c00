"""What a verdict takes on trust, said beside it: a proof is worth no more than this."""

from __future__ import annotations

from collections.abc import Iterable

from steward.verifier.core.types import Type
from steward.verifier.core.values import Uncertain, certain, value_text

FACTS = "the facts are as given"
EFFECTS = "each action changes exactly what the catalog's effect says, and nothing goes around the gate"
BEFORE = "the state rules held at the start, and every guard was shown for every action since"
CURRENCY = "the theorems are about amounts in one currency"


def _range(name: str, fact: Uncertain) -> str:
    if fact.is_subset:
        return f"of the {len(fact.parts)} parts of {name}, any may count, and no others"
    low, high = (value_text(certain(fact, end), Type(fact.kind.name)) for end in (fact.low, fact.high))
    return f"{name} is between {low} and {high}"


def assumed(uncertain: dict[str, Uncertain], bounded: Iterable[str], *, theorems: bool) -> tuple[str, ...]:
    """Sentences: the facts, the ranges of those not known, and what the theorems rest on if there are any."""
    found = [FACTS, *(_range(name, fact) for name, fact in sorted(uncertain.items()))]
    if theorems:
        names = sorted(bounded)
        found += [EFFECTS, BEFORE, CURRENCY]
        found += [f"{', '.join(names)} stay within the bounds the catalog gives them"] if names else []
    return tuple(found)
