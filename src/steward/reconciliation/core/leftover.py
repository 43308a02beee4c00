"""What a run left of each statement: how many of its lines stand in a break, how many may still change at the bank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from steward.contracts.base import JsonObject
from steward.contracts.settlement import Reconciled, Statement
from steward.reconciliation.core.pool import line_key


def left_of(statements: Sequence[Statement], result: Reconciled) -> list[JsonObject]:
    """A row for each statement of the run that has a line in a break, or one that is open."""
    names = {line_key(one, ""): (one.provider, one.id) for one in statements}
    counts: dict[tuple[str, str], list[int]] = {}
    for one in result.breaks:
        for item in one.keys:
            if item.side != "books":
                counts.setdefault(_statement_of(item.key, names), [0, 0])[0] += 1
    for item in result.open:
        if item.side != "books":
            counts.setdefault(_statement_of(item.key, names), [0, 0])[1] += 1
    return [
        {"provider": provider, "statement": name, "mismatches": broken, "waiting": waiting}
        for (provider, name), (broken, waiting) in sorted(counts.items())
    ]


def _statement_of(key: str, names: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """Whose line a key is: that of the longest prefix, because names may have slashes."""
    end = key.rfind("/")
    while end >= 0:
        found = names.get(key[: end + 1])
        if found is not None:
            return found
        end = key.rfind("/", 0, end)
    raise AssertionError(f"{key} is a line of no statement of the run")
