"""What others may build on: which orders are settled, and which of our payments a statement shows."""

from __future__ import annotations

from collections.abc import Sequence

from steward.contracts.base import Json
from steward.infra.db import Database
from steward.kernel.canonical import JsonObject
from steward.reconciliation.store.settled import SettledStore

FACTS = frozenset({"creator.settled"})
"""What `Settled.fact` answers."""


class Settled:
    """The door to what is matched. As it stands now: what is decided now is paid now."""

    def __init__(self, database: Database, currency: str) -> None:
        self._db = database
        self._currency = currency
        self._store = SettledStore()

    def fact(self, name: str, params: JsonObject) -> Json:
        """One named fact; None where matches cannot say: a creator with commissions in two currencies."""
        if name not in FACTS:
            raise KeyError(f"reconciliation offers no fact {name!r}")
        with self._db.transaction() as connection:
            return self._store.creator_settled(connection, str(params["creator_id"]), self._currency)

    def orders(self, orders: Sequence[str]) -> set[str]:
        """Of these orders those of which every movement is done with a statement."""
        with self._db.transaction() as connection:
            return self._store.settled_orders(connection, orders)

    def shown(self, keys: Sequence[str]) -> dict[str, str]:
        """Of these movements of ours those that stand in a match: the line of a statement that shows each."""
        with self._db.transaction() as connection:
            return self._store.shown_by(connection, keys)
