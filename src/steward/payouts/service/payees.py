"""Who is paid where. An address is let in by two people, after a telephone call; only its name is kept beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from steward.control import Control, ask
from steward.infra.entropy import random_bytes
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.ids import uuid7_hex
from steward.kernel.instants import format_instant, unix_ms
from steward.payouts.service.doors import Doors
from steward.payouts.store import PayoutStore

_ADDRESS = re.compile(r"([a-z][a-z0-9_]{1,39}):([A-Za-z0-9][A-Za-z0-9_.-]{2,119})")
_NAME = 200
PORT = "bank.create_transfer"


class Payees:
    """The door to the register of payees. An address is `SYSTEM:ID`, the id being what that system calls them: no
    account number and no e-mail address ever stands in the log.
    """

    def __init__(self, doors: Doors) -> None:
        self._db = doors.database
        self._clock = doors.clock
        self._control = doors.control
        self._screening = doors.screening
        self._store = PayoutStore()

    def change(self, party: str, address: str, name: str, called_by: str, by: str) -> JsonObject:
        """Ask for an address to be let in: the answer of the proposal, with what the screening said. Two people other
        than `by` agree; `called_by` rang the number on file. `BadInput` where it is no address of a system that pays.
        """
        systems = _systems(self._control)
        match = _ADDRESS.fullmatch(address)
        if match is None or match[1] not in systems:
            raise BadInput(
                f"{address!r} is no address", fix=f"SYSTEM:ID, and the system one of {', '.join(sorted(systems))}"
            )
        if not party.strip() or not by.strip() or not 0 < len(name.strip()) <= _NAME:
            raise BadInput("party, name and whoever asks are needed", fix="say who is paid, and what she is called")
        now = self._clock.now()
        screened = self._screening.screen(party, name)
        if screened.state == "hit":
            raise BadInput(f"{party} {screened.detail}", fix="clear it up first; nothing was asked for")
        change = f"chg_{uuid7_hex(unix_ms(now), random_bytes(10))}"
        with self._db.transaction() as connection:
            values = {"change_id": change, "party": party, "payee": address, "name": name.strip(), "now": now, "by": by}
            self._store.put_name(connection, values)
        params = {"change_id": change, "party": party, "payee": address, "called_by": called_by}
        document = {"key": change, "kind": "payee.change", "params": params, "principal": {"id": by}}
        document["why"] = f"{party} is to be paid at {address}; {called_by or 'nobody'} called back"
        return {**ask(self._control, document, by), "screening": screened.to_json()}

    def listed(self) -> list[JsonObject]:
        """Where each party is paid, since when, and who telephoned."""
        with self._db.transaction() as connection:
            rows = self._store.payees(connection)
            names = self._store.names(connection, [row["change_id"] for row in rows])
        return [{**row, "since": format_instant(row["since"]), "name": names.get(row["change_id"], "")} for row in rows]


def _systems(control: Control) -> set[str]:
    """The systems the catalog pays through."""
    starred: Iterable[object] = (route.when.get("payee") for route in control.catalog.routes if route.port == PORT)
    return {one[:-2] for one in starred if isinstance(one, str) and one.endswith(":*")}
