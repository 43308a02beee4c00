"""The demonstration itself: it sets the stage once, then goes step by step; each step may be gone again.

How far it is stands on disk. A step moves the clocks to an instant and waits until nothing is under way; then people
work, and papers come. All of it names itself by keys, or says where it wants to be, so that a driver that was killed in
the middle of a step begins the step anew and changes nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, astuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from steward.bootstrap import App
from steward.catalog import load_catalog
from steward.demonstration.callers import Caller
from steward.demonstration.figures import balances, end_state, scoreboard
from steward.demonstration.papers import Papers
from steward.demonstration.paying import Paymaster
from steward.demonstration.people import AGENT, FOUNDER, OPERATOR, SECOND, Operator, ReturnsDesk
from steward.demonstration.place import Place, Progress, free_port, free_ports
from steward.demonstration.plan import DUE_DAYS, PAID_LATER, Plan, Step
from steward.demonstration.processes import Processes
from steward.demonstration.truth import judged
from steward.demonstration.world import World
from steward.infra.connect import open_database, stop_database
from steward.infra.demonstration import DemonstrationClock
from steward.infra.settings import load_settings
from steward.infra.vault import open_vault
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant, parse_instant

_UNDER_WAY = {"ready", "executing", "unknown", "probing", "compensating"}
_READERS = {"ledger", "state", "effects", "payouts"}
_SET_UP = datetime(2026, 1, 1, tzinfo=UTC)
"""When keys are made: before any world begins."""
_READING = timedelta(minutes=1)
_DOUBLED = 5  # webhooks that come twice, because they do


class LiveDemo:
    """One demonstration in a folder of its own; `tell` is told a line for each step."""

    def __init__(
        self,
        home: Path,
        plan: Plan,
        tell: Callable[[str], None],
        port: int | None = None,
        desk: type[ReturnsDesk] = ReturnsDesk,
    ) -> None:
        self._place = Place(home)
        self._desk = desk
        self._plan = plan
        self._tell = tell
        self._port = port
        self.processes = Processes(self._place)
        self._clock = DemonstrationClock(self._place.clock)
        self._progress = Progress()

    def run(self) -> JsonObject:
        """From wherever it stands to the end; the scoreboard. The processes end with it, the data stay."""
        with self._place.alone():
            return self._run()

    def _run(self) -> JsonObject:
        try:
            self._begin()
            world = World(self.processes, self._progress.faces)
            app = self._open()
            try:
                document = self._walk(app, world)
            finally:
                app.close()
                world.close()
        finally:
            self.processes.end()
            if self._place.folder.is_dir():
                stop_database(load_settings(self._place.environment()))
        return document

    # The stage

    def _begin(self) -> None:
        """Set the stage, or find it as it was left."""
        kept = self._place.read("progress.json")
        if self._place.folder.is_dir():
            self.processes.end_left_behind()
        plan = [int(value) for value in astuple(self._plan)]
        if kept is not None:
            self._progress = Progress(**kept)
            if self._progress.plan != plan:
                raise BadInput("holds another demonstration", where=str(self._place.home), fix="name a new --home")
            self._start_world()
            self._start_house()
            return
        if self._place.folder.is_dir():  # the stage was never finished
            stop_database(load_settings(self._place.environment()))
        self._place.clear()
        self._place.write_catalog()
        port = self._port or free_port()
        self._progress = Progress(plan, port, free_ports())
        self._start_world()
        self._clock.set(_SET_UP)
        self._make_keys()  # while the world warms up
        self._progress.faces = self.processes.until(self._announced, "the world")
        world = World(self.processes, self._progress.faces)
        begin = world.now()
        self._progress.begin = format_instant(begin)
        self._clock.set(begin)
        self._write_secrets(world.listen(f"http://127.0.0.1:{port}"))
        world.fault(kind="duplicate", face="stripe", count=_DOUBLED)
        world.close()
        self._start_house()
        self._save()

    def _start_world(self) -> None:
        plan = self._plan
        self.processes.start(
            "world", "livemarket", "serve", "--days", str(plan.total_days), "--seed", str(plan.seed),
            "--speed", "manual", "--port", str(self._progress.world_port), "--errors", "0", "--dated", "business",
            "--number", f"creator_due_days={DUE_DAYS}", "--number", f"creator_pay_days={PAID_LATER}",
            "--journal", str(self._place.journal), "--json",
        )  # fmt: skip

    def _announced(self) -> JsonObject | None:
        """What the world says of its faces in its first line."""
        for line in (self._place.folder / "world.log").read_text(encoding="utf-8").splitlines():
            if line.startswith("{"):
                return json.loads(line)["faces"]
        return None

    def _start_house(self) -> None:
        self.processes.start("server", "steward", "serve", "--port", str(self._progress.port), "--workers", "1")
        self.processes.start("worker", "steward", "worker")

    def _write_secrets(self, hooks: dict[str, str], paypal_token: str = "") -> None:
        faces = self._progress.faces
        keys = {
            "stripe_secret": faces["stripe"]["api_key"],
            "paypal_client_id": faces["paypal"]["client_id"],
            "paypal_client_secret": faces["paypal"]["client_secret"],
            "mercury_token": faces["bank"]["token"],
        }
        document = {
            "webhooks": {name: [secret] for name, secret in hooks.items()},
            "keys": {**keys, **({"paypal": paypal_token} if paypal_token else {})},
            "addresses": {
                **{name: faces[name]["url"] for name in ("stripe", "paypal")},
                "mercury": f"{faces['bank']['url']}/api/v1",
            },
            "settings": {"mercury_account_id": faces["bank"]["mercury_account"]},
        }
        path = self._place.secrets
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
        path.write_text(yaml.safe_dump(document), encoding="utf-8")

    def _open(self) -> App:
        settings = load_settings(self._place.environment())
        app = App(settings, open_database(settings), load_catalog(settings.catalog), self._clock)
        app.vault = open_vault(self._place.secrets, {})
        self.processes.has_database = True
        return app

    def _make_keys(self) -> None:
        app = self._open()
        try:
            founder = app.access.create(FOUNDER, (), "founder")
            keys = {
                FOUNDER: founder,
                SECOND: app.access.create(SECOND, (), "founder", by=founder),
                OPERATOR: app.access.create(OPERATOR, (), "manager", by=founder),
                AGENT: app.access.create(AGENT, (), "agent"),
            }
        finally:
            app.close()
        self._place.write("keys.json", keys)

    def _save(self) -> None:
        self._place.write("progress.json", asdict(self._progress))

    # The days

    def _walk(self, app: App, world: World) -> JsonObject:
        progress, keys = self._progress, self._place.read("keys.json")
        server = f"http://127.0.0.1:{progress.port}"
        people = {name: Caller(self.processes, server, keys[name]) for name in (AGENT, OPERATOR, FOUNDER, SECOND)}
        agent, manager = people[AGENT], people[OPERATOR]
        begin = parse_instant(progress.begin)
        papers = Papers(manager, world, begin, progress.papers, self._save)
        desk, operator = self._desk(agent, world), Operator(manager)
        founders = people[FOUNDER], people[SECOND]
        paymaster = Paymaster(app, world, manager, founders, self._read, lambda: self._settle(app, world))
        steps = self._plan.steps(begin)
        for number, step in enumerate(steps):
            if number < progress.step:
                continue
            self._go(app, world, step)
            if step.goes_wrong:
                world.go_wrong()
            if step.is_business:
                self._work(app, world, desk, operator)
            if step.brings_papers:
                papers.of_processors(step.until)
                papers.of_bank()
                self._tell(f"{format_instant(step.until)}  {len(papers.reconcile())} breaks")
                paid = paymaster.pay()["payouts"]
                sums = ", ".join(f"{one['count']} {state}" for state, one in paid.items()) or "none"
                self._tell(f"{format_instant(step.until)}  payouts: {sums}")
            progress.step = number + 1
            self._save()
        papers.of_bank()
        self._settle(app, world)
        breaks = papers.reconcile()
        told = frozenset(str(one["payout_id"]) for one in app.settlement_files.listed(None, 1000))
        moved = world.moved()
        verdict = judged(breaks, moved, balances(app), told)
        self._settle(app, world)
        document = {**scoreboard(app, verdict, moved, world.deliveries()), "creators": paymaster.told()}
        for caller in people.values():
            caller.close()
        return {
            **document, "end": end_state(app, moved), "holds": verdict.holds, "days": self._plan.days,
            "restarts": dict(self.processes.restarts),
            "address": server,
        }  # fmt: skip

    def _go(self, app: App, world: World, step: Step) -> None:
        self._clock.set(step.until)  # before the world moves: nothing it tells is from the future
        world.go(step.until)
        self._settle(app, world)
        self._poll(app, world)
        self._settle(app, world)
        self._tell(f"{format_instant(step.until)}  {app.events.head()['size']:,} events")

    def _work(self, app: App, world: World, desk: ReturnsDesk, operator: Operator) -> None:
        self._progress.tickets_after = desk.work(self._progress.tickets_after)
        self._settle(app, world)
        waiting = operator.read()
        if waiting:
            self._read()
            operator.decide(waiting)
            self._settle(app, world)

    def _read(self) -> None:
        """What cannot be called back is read for a minute."""
        self._clock.set(self._clock.now() + _READING)

    def _poll(self, app: App, world: World) -> None:
        """PayPal signs with a certificate of a public root, which no simulation has: its events are asked for."""
        vault = app.vault
        token = world.paypal_token()
        fresh = App(app.settings, app.database, app.catalog, app.clock)
        fresh.vault = type(vault)(vault.webhooks, {**vault.keys, "paypal": token}, vault.addresses, vault.settings)
        since = parse_instant(self._progress.begin)
        self.processes.until(lambda: fresh.webhooks.compare("paypal", since), "PayPal's events")

    def _settle(self, app: App, world: World) -> None:
        """Wait until nothing is under way: no effect, no delivery, nothing to understand, to post or to follow."""

        def quiet() -> bool | None:
            effects = any(row["state"] in _UNDER_WAY for row in app.effects.counts())
            if effects or world.waiting() or app.webhooks.deliveries("received", None, 1):
                return None
            read = {one["reader"] for one in app.events.lags() if not one["behind"]}
            return True if read >= _READERS else None

        self.processes.until(quiet, "what is under way")
