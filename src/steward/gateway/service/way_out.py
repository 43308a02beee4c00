"""Everything that takes part when an action goes outside, put together once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from steward.catalog import Catalog, ToolBook
from steward.events import EventLog
from steward.gateway.adapters.auth import Authorizer
from steward.gateway.adapters.tokens import TokenStore
from steward.gateway.adapters.wire import Wire
from steward.gateway.service.alerts import channels_of
from steward.gateway.service.approvals import Approvals, Judge
from steward.gateway.service.caps import Caps
from steward.gateway.service.departures import Departures
from steward.gateway.service.dispatch import Dispatcher
from steward.gateway.service.effects import Effects
from steward.gateway.service.kills import KillSwitches
from steward.gateway.service.moves import Mover
from steward.gateway.service.notices import Notices
from steward.gateway.service.outside import Outside
from steward.gateway.service.tools import Tools
from steward.infra.access import AccessKeys
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.infra.entropy import random_bytes
from steward.infra.settings import DEFAULT_PORT
from steward.infra.vault import Vault
from steward.ledger import Ledger


class WayOut:
    """`keys` is the folder of key files."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventLog,
        catalog: Catalog,
        book: ToolBook,
        vault: Vault,
        keys: Path,
    ) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._catalog = catalog
        self._book = book
        self._vault = vault
        self._keys = keys

    @cached_property
    def tools(self) -> Tools:
        tokens = TokenStore(self._db, self._clock, self._vault, self._keys / "tokens")
        wire = Wire(Authorizer(self._vault, tokens.access_token, self._clock), self._clock, tokens.forget)
        return Tools(self._db, self._clock, self._book, self._vault, wire)

    def close(self) -> None:
        """End the connections that are kept."""
        if "tools" in self.__dict__:
            self.tools.wire.close()

    @cached_property
    def kills(self) -> KillSwitches:
        return KillSwitches(self._db, self._clock, self._events)

    @cached_property
    def notices(self) -> Notices:
        """Where the pages are reached from outside is `pages` among the addresses; else this machine."""
        address = self._vault.addresses.get("pages", f"http://127.0.0.1:{DEFAULT_PORT}")
        channels = [channel.name for channel in channels_of(self._vault)]
        return Notices(self._db, self._clock, self._events, channels, address, self._keys / "links")

    def caps(self, ledger: Ledger) -> Caps:
        return Caps(self._db, self._clock, ledger)

    def departures(self, caps: Caps) -> Departures:
        return Departures(self._catalog, self._book, self.tools, self.kills, caps)

    @cached_property
    def outside(self) -> Outside:
        return Outside(self._book, self.tools)

    def effects(self, caps: Caps) -> Effects:
        mover = Mover(self._events, caps)
        return Effects(self._db, self._clock, self._events, self._catalog, mover, self.outside)

    def approvals(self, caps: Caps, access: AccessKeys, judge: Callable[[], Judge]) -> Approvals:
        mover = Mover(self._events, caps)
        return Approvals(self._db, self._clock, self._events, self._catalog, access, mover, judge)

    def dispatcher(self, caps: Caps, judge: Callable[[], Judge], threads: int) -> Dispatcher:
        """One among any number of those who carry out what is ready."""
        owner, mover = f"worker-{random_bytes(6).hex()}", Mover(self._events, caps)
        return Dispatcher(
            self._db, self._clock, self.outside, mover, lambda action: judge().recheck(action), owner, threads
        )
