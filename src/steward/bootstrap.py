"""The composition root: settings become a database, adapters and doors. The only place where things are wired."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from steward.agents import Agents
from steward.catalog import Catalog, Problem, check_links, load_catalog, parse_yaml
from steward.contracts.payloads import PAYLOADS, VERSIONS
from steward.control import Auditor, Control, Figures
from steward.events import Decoder, EventLog, Sequencer
from steward.gateway import Gateway
from steward.infra.access import AccessKeys
from steward.infra.clock import Clock, SystemClock
from steward.infra.connect import open_database
from steward.infra.db import Database
from steward.infra.entropy import random_bytes
from steward.infra.idempotency import IdempotencyKeys
from steward.infra.roots import public_roots
from steward.infra.settings import Settings, load_settings
from steward.infra.vault import Vault, open_vault
from steward.ingest import History, Ingestor, People, Providers, Webhooks, compile_mapping
from steward.kernel.canonical import JsonObject
from steward.ledger import Bookkeeping, Closing, Ledger, MoneyEvents, Reports, prove_rules
from steward.policy import Policy
from steward.state import State
from steward.verifier import ProofLog, Verifier
from steward.world_model import WorldModel

CHECKPOINTS = "checkpoints.jsonl"


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
    def closing(self) -> Closing:
        return Closing(self.database, self.clock, self.events, self.ledger, self.books, self.money_events)

    @cached_property
    def state(self) -> State:
        return State(self.database, self.events, self.catalog.history.currency)

    @cached_property
    def verifier(self) -> Verifier:
        return build_verifier(self.catalog)

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
        return Gateway(self.database, self.catalog, self.state, self.verifier)

    @cached_property
    def control(self) -> Control:
        return Control(
            database=self.database,
            catalog=self.catalog,
            events=self.events,
            state=self.state,
            world_model=self.world_model,
            verifier=self.verifier,
            proofs=self.proofs,
            policy=self.policy,
            gateway=self.gateway,
        )

    @cached_property
    def auditor(self) -> Auditor:
        return Auditor(
            events=self.events,
            state=self.state,
            verifier=self.verifier,
            proofs=self.proofs,
            policy=self.policy,
            gateway=self.gateway,
        )

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
        )

    @cached_property
    def agents(self) -> Agents:
        return Agents(self.catalog, self.state, self.world_model)

    def close(self) -> None:
        """Write what was accepted, end the prover's process and the database connections; the embedded server stays up
        for the next command.
        """
        if "ingestor" in self.__dict__:
            self.ingestor.close()
        if "verifier" in self.__dict__:
            self.verifier.close()
        self.database.close()


def build_verifier(catalog: Catalog) -> Verifier:
    """The verifier over the shipped invariants and limits."""
    return Verifier.from_documents(list(catalog.invariants), catalog.limit_facts())


@contextmanager
def open_app(clock: Clock | None = None) -> Generator[App]:
    """An application over the configured database: started, migrated, and with what a crash left in the outbox
    sequenced into the log.
    """
    settings = load_settings()
    app = App(settings, open_database(settings), load_catalog(), clock or SystemClock())
    try:
        app.events.sequence()
        yield app
    finally:
        app.close()


def check_catalog() -> JsonObject:
    """Every link, every posting rule for all amounts, every invariant on its own examples; no database."""
    catalog = load_catalog()
    errors: list[Problem] = list(check_links(catalog))
    codes = {account.code for account in catalog.chart}
    for event, rules in catalog.rules_by_event().items():
        errors += [
            {"where": f"postings.yaml {problem.event}", "what": problem.what, "fix": "mend the rule"}
            for problem in (prove_rules(rules, PAYLOADS[event], codes) if event in PAYLOADS else ())
        ]
    verifier = build_verifier(catalog)
    try:
        errors += verifier.self_test()
        invariants = verifier.invariant_ids()
    finally:
        verifier.close()
    counts = {
        "invariants": len(invariants),
        "kinds": len(catalog.kinds),
        "events": len(catalog.events),
        "posting_rules": len(catalog.postings),
        "accounts": len(catalog.chart),
        "limits": len(catalog.limits),
        "agents": len(catalog.agents),
        "tools": len(catalog.tools),
    }
    return {"errors": errors, "counts": counts, "digest": catalog.digest}
