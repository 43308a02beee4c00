"""What a run left of each statement: how many of its lines stand in a break, how many may still change at the bank."""

from __future__ import annotations

from collections.abc import Sequence

from steward.contracts.base import JsonObject
from steward.contracts.settlement import Reconciled, Statement
from steward.reconciliation.core.pool import line_key


def left_of(statements: Sequence[Statement], result: Reconciled) -> list[JsonObject]:
    """A row for each statement of the run that has a line in a break, or one that is open."""
    broken = {item.key for one in result.breaks for item in one.keys if item.side != "books"}
    waiting = {item.key for item in result.open if item.side != "books"}
    rows: list[JsonObject] = []
    for statement in statements if broken or waiting else ():
        keys = [line_key(statement, line.key) for line in statement.lines]
        counts = {"mismatches": sum(key in broken for key in keys), "waiting": sum(key in waiting for key in keys)}
        if any(counts.values()):
            rows.append({"provider": statement.provider, "statement": statement.id, **counts})
    return rows
