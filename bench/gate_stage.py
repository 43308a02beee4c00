"""What the benchmarks of the gate share: a database with one granted budget, and proposals to set some of it aside."""

import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from steward.bootstrap import App, build_verifier
from steward.catalog import load_catalog
from steward.contracts.action import ActionProposal, Principal
from steward.infra.clock import SystemClock
from steward.infra.db import Database
from steward.infra.migrate import migrate
from steward.infra.postgres import EmbeddedPostgres
from steward.infra.settings import Settings
from steward.kernel.ids import derived_id
from steward.kernel.instants import unix_ms

AT = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT = "equity:appropriated:hot"
LARGE = 10**14


def catalog(**limits):
    """The shipped catalog with other limits: numbers, or pounds in pence where the limit is money."""
    shipped = load_catalog()

    def changed(limit):
        if limit.name not in limits:
            return limit
        value = limits[limit.name]
        changed_to = {**limit.value, "amount_minor": value} if isinstance(limit.value, dict) else value
        return limit.model_copy(update={"value": changed_to})

    return replace(shipped, limits=tuple(changed(limit) for limit in shipped.limits))


class Stage:
    """An embedded server with fsync on, in a folder of its own."""

    def __init__(self, limits):
        self.home = Path(tempfile.mkdtemp(prefix="steward-gate-"))
        self.home.chmod(0o711)
        self.embedded = EmbeddedPostgres(self.home)
        self.catalog = catalog(**limits)
        self.verifier = build_verifier(self.catalog)  # its prover's process is each process's own
        server = self.embedded.start()
        with psycopg.connect(server.owner_conninfo("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE steward")
        self.owner = server.owner_conninfo("steward")
        migrate(self.owner)
        self.conninfo = server.app_conninfo("steward")

    def app(self):
        """An application of this process's own, wired as bootstrap wires it."""
        settings = Settings(home=self.home, database_url=None, host="127.0.0.1", port=0)
        app = App(settings, Database(self.conninfo), self.catalog, SystemClock())
        app.verifier = self.verifier
        return app

    def sql(self, query, parameters=None):
        """Rows, as the database's owner sees them."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            found = connection.execute(query, parameters)
            return found.fetchall() if found.description else []

    def close(self):
        self.embedded.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def proposal(key, amount_minor, proposer="agent:budget-keeper"):
    return ActionProposal(
        id=derived_id("act", unix_ms(AT), f"spend.reserve:{key}"),
        key=f"spend.reserve:{key}",
        kind="spend.reserve",
        params={
            "budget": "hot",
            "amount": {"amount_minor": amount_minor, "currency": "GBP"},
            "purpose": "a show",
        },
        principal=Principal(id=proposer),
        at=AT,
    )
