"""What others may build on: which orders are settled, what an audit leaves of a bill, and which of our payments a
statement shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from steward.contracts.base import Json
from steward.contracts.invoice import ContractBook
from steward.infra.db import Database
from steward.kernel.canonical import JsonObject
from steward.reconciliation.store.settled import SettledStore

FACTS = frozenset({"creator.settled", "invoice.audited", "invoice.disputed"})
"""What `Settled.fact` answers."""


class Settled:
    """The door to what is matched and audited. As it stands now: what is decided now is paid now. `book` are the
    contracts that say what a vendor may bill.
    """

    def __init__(self, database: Database, currency: str, book: Callable[[], ContractBook]) -> None:
        self._db = database
        self._currency = currency
        self._book = book
        self._store = SettledStore()

    def fact(self, name: str, params: JsonObject) -> Json:
        """One named fact; None where matches and audits cannot say: a creator with commissions in two currencies, a
        bill that no audit judged, and whether one did where no contract covers its sender. A bill that the books do not
        know was not audited.
        """
        if name not in FACTS:
            raise KeyError(f"reconciliation offers no fact {name!r}")
        with self._db.transaction() as connection:
            if name == "creator.settled":
                return self._store.creator_settled(connection, str(params["creator_id"]), self._currency)
            supplier, invoice = str(params["supplier_id"]), str(params["invoice_id"])
            if name == "invoice.disputed":
                return self._store.invoice_disputed(connection, supplier, invoice)
            is_known, is_audited = self._store.invoice_audited(connection, supplier, invoice)
            if is_known and not is_audited and self._book().of(supplier) is None:
                return None
            return int(is_known and is_audited)

    def orders(self, orders: Sequence[str]) -> set[str]:
        """Of these orders those of which every movement is done with a statement."""
        with self._db.transaction() as connection:
            return self._store.settled_orders(connection, orders)

    def shown(self, keys: Sequence[str]) -> dict[str, str]:
        """Of these movements of ours those that stand in a match: the line of a statement that shows each."""
        with self._db.transaction() as connection:
            return self._store.shown_by(connection, keys)
