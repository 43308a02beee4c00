"""The composition root: settings become a database, adapters and doors. The only place where things are wired."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from steward.agents import Agents
from steward.catalog import Catalog, ToolBook, load_catalog, load_contracts, load_recon, parse_yaml
from steward.checking import build_verifier, refined
from steward.contracts.payloads import VERSIONS
from steward.control import Auditor, Cancellations, Control, Exporter, Figures, LiveLine, keep_catalog
from steward.events import Decoder, EventLog, Sequencer
from steward.gateway import (
    Alerts,
    Approvals,
    Caps,
    Dispatcher,
    Effects,
    Gateway,
    KillSwitches,
    LiveGate,
    Mounts,
    Reading,
    Tools,
    Versions,
    Violations,
    WayOut,
    channels_of,
)
from steward.infra.access import AccessKeys
from steward.infra.clock import Clock, SystemClock
from steward.infra.connect import open_database
from steward.infra.db import Database
from steward.infra.demonstration import DemonstrationClock
from steward.infra.entropy import random_bytes
from steward.infra.idempotency import IdempotencyKeys
from steward.infra.roots import public_roots
from steward.infra.settings import Settings, load_settings
from steward.infra.vault import Vault, open_vault
from steward.ingest import History, Ingestor, People, Providers, Webhooks, compile_mapping
from steward.ledger import Bookkeeping, Closing, Ledger, MoneyEvents, MoneyFacts, Reports
from steward.payouts import Doors, Payees, Payouts, Screening
from steward.policy import Policy
from steward.reconciliation import Invoices, Reconciliation, Settled, SettlementFiles, WatchedFolder
from steward.state import State
from steward.verifier import ProofLog, Verifier
from steward.world_model import WorldModel

CHECKPOINTS = "checkpoints.jsonl"
CATALOGS = "catalogs"


@dataclass
class App:
    """Every door, built when first asked for, over one database."""

    settings: Settings
    database: Database
    catalog: Catalog
    clock: Clock

    @cached_property
    def events(self) -> EventLog:
        return EventLog(self.database, self.clock, self.settings.home / CHECKPOINTS)

    @cached_property
    def sequencer(self) -> Sequencer:
        """One among any number of processes; it works while it holds the lease."""
        return Sequencer(self.database, self.events, random_bytes(8).hex())

    @cached_property
    def people(self) -> People:
        return People(self.database, self.clock, self.catalog.events, self.settings.home / "keys" / "people")

    @cached_property
    def ingestor(self) -> Ingestor:
        return Ingestor(self.events, Decoder(VERSIONS), self.people)

    @cached_property
    def vault(self) -> Vault:
        return open_vault(self.settings.home / "keys" / "secrets.yaml")

    @cached_property
    def webhooks(self) -> Webhooks:
        """With the shop's own mappings: `mappings/<name>.yaml` in the data folder."""
        home = self.settings.home
        mappings = {
            path.stem: compile_mapping(parse_yaml(path.read_text(encoding="utf-8"), path.name), path.stem)
            for path in sorted((home / "mappings").glob("*.yaml"))
        }
        providers = Providers(self.vault, home / "certificates")
        return Webhooks(
            self.database, self.clock, self.events, self.ingestor, self.vault, providers, mappings, public_roots
        )

    @cached_property
    def access(self) -> AccessKeys:
        return AccessKeys(self.database, self.clock)

    @cached_property
    def idempotency(self) -> IdempotencyKeys:
        return IdempotencyKeys(self.database, self.clock)

    @cached_property
    def history(self) -> History:
        return History(self.database, self.clock, self.events, self.catalog.history)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.database, self.clock, self.events, self.catalog.chart)

    @cached_property
    def money_events(self) -> MoneyEvents:
        return MoneyEvents(self.database, self.clock, self.events, self.ledger, self.catalog.postings)

    @cached_property
    def books(self) -> Bookkeeping:
        return Bookkeeping(self.database, self.events, self.money_events)

    @cached_property
    def reports(self) -> Reports:
        return Reports(self.database, self.clock, self.events, self.books, self.money_events, self.ledger.chart.cash)

    @cached_property
    def money(self) -> MoneyFacts:
        return MoneyFacts(self.database, self.reports, self.catalog.history.currency)

    @cached_property
    def closing(self) -> Closing:
        return Closing(self.database, self.clock, self.events, self.ledger, self.books, self.money_events)

    @cached_property
    def settlement_files(self) -> SettlementFiles:
        return SettlementFiles(self.database, self.clock, self.events, self.settings.home / "settlement-files")

    @cached_property
    def watched_folder(self) -> WatchedFolder:
        return WatchedFolder(self.settlement_files, self.settings.home / "settlements")

    @cached_property
    def reconciliation(self) -> Reconciliation:
        return Reconciliation(self.database, self.clock, self.events, lambda: load_recon(self.catalog.root))

    @cached_property
    def invoices(self) -> Invoices:
        folder = self.settings.home / "invoice-files"
        return Invoices(self.database, self.clock, self.events, lambda: load_contracts(self.catalog.root), folder)

    @cached_property
    def settled(self) -> Settled:
        return Settled(self.database, self.catalog.history.currency, lambda: load_contracts(self.catalog.root))

    @cached_property
    def state(self) -> State:
        return State(self.database, self.events, self.catalog.history.currency, self.catalog.limit_facts())

    @cached_property
    def verifier(self) -> Verifier:
        verifier = build_verifier(self.catalog)
        keep_catalog(self.settings.home / CATALOGS, verifier)
        return verifier

    @cached_property
    def proofs(self) -> ProofLog:
        return ProofLog(self.database)

    @cached_property
    def policy(self) -> Policy:
        return Policy(self.database, self.catalog.kinds)

    @cached_property
    def world_model(self) -> WorldModel:
        return WorldModel(self.database, self.events, self.state, self.catalog)

    @cached_property
    def gateway(self) -> Gateway:
        return Gateway(
            self.database,
            self.clock,
            self.catalog,
            self.state,
            self.verifier,
            self.versions,
            self.way_out.departures(self.caps),
        )

    @cached_property
    def book(self) -> ToolBook:
        return ToolBook(self.catalog.root)

    @cached_property
    def way_out(self) -> WayOut:
        keys = self.settings.home / "keys"
        return WayOut(self.database, self.clock, self.events, self.catalog, self.book, self.vault, keys)

    @cached_property
    def tools(self) -> Tools:
        return self.way_out.tools

    @cached_property
    def kills(self) -> KillSwitches:
        return self.way_out.kills

    @cached_property
    def caps(self) -> Caps:
        return self.way_out.caps(self.ledger)

    @cached_property
    def effects(self) -> Effects:
        return self.way_out.effects(self.caps)

    @cached_property
    def approvals(self) -> Approvals:
        return self.way_out.approvals(self.caps, self.access, lambda: self.control)

    def dispatcher(self, threads: int = 8) -> Dispatcher:
        """One among any number of those who carry out what is ready to go outside."""
        return self.way_out.dispatcher(self.caps, lambda: self.control, threads)

    @cached_property
    def mounts(self) -> Mounts:
        return Mounts(self.database, self.clock, self.vault, self.settings.home)

    @cached_property
    def versions(self) -> Versions:
        """The first start brings the running catalog into force."""
        keys = self.settings.home / "keys" / "approvers"
        reading = Reading(self.catalog, self.verifier, build_verifier, refined)
        versions = Versions(self.database, self.clock, self.events, reading, self.proofs, keys)
        versions.bootstrap()
        return versions

    @cached_property
    def alerts(self) -> Alerts:
        return Alerts(self.database, self.clock, channels_of(self.vault))

    @cached_property
    def violations(self) -> Violations:
        channels = [channel.name for channel in channels_of(self.vault)]
        return Violations(self.database, self.clock, self.events, self.catalog, channels)

    @cached_property
    def live_gate(self) -> LiveGate:
        return LiveGate(self.database, self.clock, self.catalog, self.verifier, self.ledger, self.gateway)

    @cached_property
    def cancellations(self) -> Cancellations:
        return Cancellations(self.database, self.clock, self.events, self.ledger, self.gateway, self.effects)

    @cached_property
    def live_line(self) -> LiveLine:
        return LiveLine(
            self.database, self.events, self.state, self.proofs, self.policy, self.live_gate, self.violations
        )

    @cached_property
    def control(self) -> Control:
        return Control(
            database=self.database,
            catalog=self.catalog,
            events=self.events,
            state=self.state,
            money=self.money,
            settled=self.settled,
            world_model=self.world_model,
            verifier=self.verifier,
            proofs=self.proofs,
            policy=self.policy,
            gateway=self.gateway,
            live=self.live_line,
            violations=self.violations,
            effects=self.effects,
        )

    @cached_property
    def _payout_doors(self) -> Doors:
        return Doors(
            database=self.database,
            clock=self.clock,
            events=self.events,
            control=self.control,
            approvals=self.approvals,
            access=self.access,
            reconciliation=self.reconciliation,
            settled=self.settled,
            screening=Screening(self.settings.home / "screening"),
        )

    @cached_property
    def payees(self) -> Payees:
        return Payees(self._payout_doors)

    @cached_property
    def payouts(self) -> Payouts:
        return Payouts(self._payout_doors)

    @cached_property
    def auditor(self) -> Auditor:
        return Auditor(
            events=self.events,
            state=self.state,
            verifier=self.verifier,
            proofs=self.proofs,
            policy=self.policy,
            gateway=self.gateway,
            versions=self.versions,
        )

    @cached_property
    def exporter(self) -> Exporter:
        return Exporter(self.events, self.proofs, self.verifier, self.settings.home / CATALOGS)

    @cached_property
    def figures(self) -> Figures:
        return Figures(
            catalog=self.catalog,
            events=self.events,
            history=self.history,
            books=self.books,
            state=self.state,
            world_model=self.world_model,
            proofs=self.proofs,
            policy=self.policy,
            gateway=self.gateway,
            violations=self.violations,
        )

    @cached_property
    def agents(self) -> Agents:
        return Agents(self.catalog, self.state, self.world_model)

    def watch_state(self) -> None:
        """Look whether the state itself breaks a rule that no proposal was to break; what is found is told."""
        for row in self.live_gate.overdrawn():
            reason = f"{row['code']} {row['currency']}: more is set aside than was granted"
            values = {"granted_minor": row["granted_minor"], "held_minor": row["held_minor"]}
            self.violations.found("reserve-within-budget", row["code"], reason, values)

    def close(self) -> None:
        """Write what was accepted, end the prover's process and the database connections; the embedded server stays up
        for the next command.
        """
        if "ingestor" in self.__dict__:
            self.ingestor.close()
        if "way_out" in self.__dict__:
            self.way_out.close()
        if "versions" in self.__dict__:
            self.versions.close()
        if "verifier" in self.__dict__:
            self.verifier.close()
        self.database.close()


def clock_of(settings: Settings) -> Clock:
    """The machine's, except for a demonstration's database."""
    return DemonstrationClock(settings.demonstration) if settings.demonstration else SystemClock()


@contextmanager
def open_app(clock: Clock | None = None) -> Generator[App]:
    """An application over the configured database: started, migrated, and with what a crash left in the outbox
    sequenced into the log.
    """
    settings = load_settings()
    app = App(settings, open_database(settings), load_catalog(settings.catalog), clock or clock_of(settings))
    try:
        app.events.sequence()
        yield app
    finally:
        app.close()
