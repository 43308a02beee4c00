"""Connections and transactions. Nothing outside this file commits."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from threading import Event
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from steward.kernel.errors import Infrastructure

Row = dict[str, Any]
# A session ended for idling in a transaction (its process was stopped, then woken) is lost like any other, though
# PostgreSQL files its error among those of transaction states.
_LOST = (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout)
_CONNECT_SECONDS = 30.0
_MOST_CONNECTIONS = 10


class Database:
    """A pool to one database. `role` is what connections act as where the login is another (server mode)."""

    def __init__(self, conninfo: str, role: str | None = None) -> None:
        self._conninfo = conninfo
        self._role = role
        self._current: ContextVar[Connection[Row] | None] = ContextVar("connection", default=None)
        self._pool = ConnectionPool(
            conninfo,
            connection_class=Connection[DictRow],
            min_size=1,
            max_size=_MOST_CONNECTIONS,
            timeout=_CONNECT_SECONDS,
            open=False,
            kwargs={"row_factory": dict_row, "autocommit": True, "application_name": "steward"},
            configure=self._configure,
        )
        self._pool.open()

    def _configure(self, connection: Connection[DictRow]) -> None:
        connection.execute("SET TIME ZONE 'UTC'")
        # A session that dies inside a transaction must not hold its locks for ever.
        connection.execute("SET idle_in_transaction_session_timeout = '10min'")
        connection.execute("SET lock_timeout = '60s'")
        if self._role:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self._role)))

    @contextmanager
    def transaction(self) -> Generator[Connection[Row]]:
        """A transaction; a nested call in the same context joins it. The outermost commits, or rolls back on any
        exception. Losing the database is `Infrastructure`.
        """
        current = self._current.get()
        if current is not None:
            yield current
            return
        try:
            stack, connection = self._begin()
            with stack:
                token = self._current.set(connection)
                try:
                    yield connection
                finally:
                    self._current.reset(token)
        except (*_LOST, PoolTimeout) as error:
            what = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise Infrastructure(f"the database: {what}", fix="`steward db status` shows where it is") from error

    @contextmanager
    def together(self) -> Generator[Connection[Row]]:
        """A transaction whose statements inside go to the server without waiting for one another; what they found can
        be read after the end, and what fails fails there at the latest. Not for statements that need an answer first.
        """
        with self.transaction() as connection, connection.pipeline():
            yield connection

    @contextmanager
    def snapshot(self) -> Generator[Connection[Row]]:
        """A transaction in which everything is read as of one moment; one that is open already is joined as it is."""
        is_joined = self.is_in_transaction
        with self.transaction() as connection:
            if not is_joined:
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield connection

    @property
    def is_in_transaction(self) -> bool:
        """Whether a `transaction()` here would join one that is open already."""
        return self._current.get() is not None

    def _begin(self) -> tuple[ExitStack, Connection[Row]]:
        """A connection in a new transaction. BEGIN itself shows whether the server is still there: after a restart
        every pooled connection is stale, and each is dropped by trying it.
        """
        for attempt in range(_MOST_CONNECTIONS + 1):
            stack = ExitStack()
            try:
                connection = stack.enter_context(self._pool.connection())
                stack.enter_context(connection.transaction())
            except psycopg.OperationalError:
                stack.close()
                if attempt == _MOST_CONNECTIONS:
                    raise
            else:
                return stack, connection
        raise AssertionError("unreachable")

    @contextmanager
    def rolled_back(self) -> Generator[Connection[Row]]:
        """Everything inside happens in one transaction that is undone at the end: for tests."""
        with self._pool.connection() as connection, connection.transaction(force_rollback=True):
            token = self._current.set(connection)
            try:
                yield connection
            finally:
                self._current.reset(token)

    def listen(self, channel: str, seconds: float, heard: Callable[[], None], stop: Event) -> None:
        """Call `heard` at every notification on `channel`, and every `seconds` without one, until `stop` is set. Uses
        a connection of its own; losing it is `Infrastructure`.
        """
        try:
            with psycopg.connect(self._conninfo, autocommit=True, application_name="steward listen") as connection:
                if self._role:
                    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self._role)))
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                while not stop.is_set():
                    heard()
                    for _notice in connection.notifies(timeout=seconds, stop_after=1):
                        pass
        except psycopg.OperationalError as error:
            raise Infrastructure(f"the database: {error}", fix="`steward db status` shows where it is") from error

    def close(self) -> None:
        self._pool.close()
