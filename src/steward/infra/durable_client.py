# pyright: basic
# As in durable.py: the engine's client is untyped where strict looks; what leaves this file is typed.
"""The durable engine from a process that works at no run: begin one, tell one something, see what became of them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from steward.infra.durable_schema import NAME, SCHEMA, Address, engine_of, prepare
from steward.kernel.errors import Conflict, Infrastructure

_CONNECTIONS = 2


@dataclass(frozen=True, slots=True)
class RunState:
    """`outcome` is SUCCESS, ERROR, or on the way; `error` what a run failed of."""

    run_id: str
    outcome: str
    error: str | None


class DurableClient:
    """Made by `durable_client`. Losing the database is `Infrastructure`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def enqueue(self, name: str, run_id: str, *arguments: Any, queue: str) -> None:
        """Let whichever worker has time begin a run; nothing where this id was begun before."""
        self._client.enqueue({"workflow_name": name, "queue_name": queue, "workflow_id": run_id}, *arguments)

    def signal(self, run_id: str, topic: str, message: Any, key: str) -> None:
        """Tell a run something, once for each key; `Conflict` where there is no such run."""
        from dbos import error

        try:
            self._client.send(run_id, message, topic, key)
        except error.DBOSNonExistentWorkflowError:
            raise Conflict(f"there is no run {run_id}") from None

    def newest(self, prefix: str, limit: int) -> list[RunState]:
        """Runs whose id begins so, newest first."""
        found = self._client.list_workflows(workflow_id_prefix=prefix, limit=limit, sort_desc=True, load_input=False)
        return [RunState(run.workflow_id, run.status, None if run.error is None else str(run.error)) for run in found]


@contextmanager
def durable_client(address: Address) -> Generator[DurableClient]:
    """The schema is made first where there is none."""
    prepare(address)
    from dbos import DBOSClient, DBOSPortableJSONSerializer, error
    from sqlalchemy.exc import SQLAlchemyError

    engine = engine_of(address, _CONNECTIONS)
    try:
        client = DBOSClient(
            system_database_engine=engine,
            dbos_system_schema=SCHEMA,
            serializer=DBOSPortableJSONSerializer(),
            application_name=NAME,
            retry_connection_errors=False,
        )
        try:
            yield DurableClient(client)
        finally:
            client.destroy()
    except (SQLAlchemyError, error.DBOSException) as failed:
        raise Infrastructure(f"the durable engine: {failed}", fix="`steward db status` shows where it is") from failed
    finally:
        engine.dispose()
