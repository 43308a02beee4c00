"""What the harnesses of what goes outside share: a shop behind livemarket's Stripe face, three kinds of refund that
differ only in what may be done when no answer comes, and processes that carry them out.
"""

import json
import multiprocessing
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from mmap import mmap
from pathlib import Path

import httpx
import psycopg
import yaml

from steward.bootstrap import App, build_verifier
from steward.catalog import ToolBook, load_catalog
from steward.contracts.action import ActionProposal, Principal
from steward.contracts.kind import ActionKind
from steward.contracts.port import Port, Route
from steward.gateway import Dispatcher
from steward.infra.clock import SystemClock
from steward.infra.db import Database
from steward.infra.migrate import migrate
from steward.infra.postgres import EmbeddedPostgres
from steward.infra.settings import Settings
from steward.kernel.ids import derived_id
from steward.kernel.instants import unix_ms

MODES = ("keyed", "probed", "unsure")
FORK = multiprocessing.get_context("fork")
TIMEOUT = 3
SLOTS = struct.Struct("<QQ")  # sends begun, answers written down
RULES = {
    "keyed": {"mode": "native", "header": "Idempotency-Key", "hours": 23},
    "probed": {
        "mode": "probe",
        "verb": "list_refunds",
        "args": {"charge": "{charge}", "limit": 100},
        "found": "$.data[*]",
        "match": {"metadata": {"steward": "{key}"}},
        "settle_seconds": 2 * TIMEOUT,
    },
    "unsure": {"mode": "none", "why": "as a system without keys and without a reference would be"},
}
RULE = {
    "id": "storm-positive",
    "title": "More than nothing",
    "on": [f"storm.{mode}" for mode in MODES],
    "require": "action.amount > 0",
    "otherwise": "deny",
    "severity": "low",
    "owner": "founder",
    "code": "amount_not_positive",
    "why": "a refund of nothing is a mistake",
    "examples": [
        {
            "action": {"charge": "c", "amount": {"amount_minor": 1, "currency": "USD"}},
            "verdict": "ALLOW",
        },
        {
            "action": {"charge": "c", "amount": {"amount_minor": 0, "currency": "USD"}},
            "verdict": "DENY",
        },
    ],
}


def tool(address, per_second=None):
    """Stripe's refunds as three tools. The key stands in the metadata too: that is how the truth is counted."""
    evidence = {"level": "documented", "page": "https://docs.stripe.com/api/refunds", "date": "2026-11-27"}
    params = {
        "type": "object",
        "required": ["charge", "amount_minor"],
        "additionalProperties": False,
        "properties": {"charge": {"type": "string"}, "amount_minor": {"type": "integer", "minimum": 1}},
    }
    listing = {
        "verb": "list_refunds",
        "meaning": "refunds of a charge",
        "method": "GET",
        "path": "/v1/refunds",
        "params": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"charge": {"type": "string"}, "limit": {"type": "integer"}},
        },
        "effect": False,
        "timeout_seconds": TIMEOUT,
        "evidence": evidence,
    }
    for mode in MODES:
        refund = {
            "verb": "create_refund",
            "meaning": "give part of a charge back",
            "method": "POST",
            "path": "/v1/refunds",
            "params": params,
            "body": {"charge": "{charge}", "amount": "{amount_minor}", "metadata": {"steward": "{key}"}},
            "result": {"id": "$.id", "status": "$.status"},
            "effect": True,
            "risk": "L1",
            "idempotency": RULES[mode],
            "timeout_seconds": TIMEOUT,
            "irreversible": "money that left does not come back",
            "evidence": evidence,
        }
        yield {
            "tool": f"storm_{mode}",
            "name": "Stripe in a storm",
            "meaning": "refunds through livemarket",
            "category": "payments",
            "base": address,
            "docs": "https://docs.stripe.com/api",
            "auth": {"scheme": "bearer", "options": {"secret": "secret"}, "secrets": {"secret": "the API key"}},
            "encoding": "form",
            "retry": {"attempts": 4, "first_seconds": 0, "most_seconds": 1},
            "breaker_failures": 1000,
            "breaker_seconds": 1,
            **({"rate": {"burst": 1, "per_second": per_second, "source": "ours"}} if per_second else {}),
            "verbs": [refund, listing],
        }


def kinds():
    """Three kinds without facts: what is tried here is the way out, not the rules."""
    for mode in MODES:
        params = {"charge": "c", "amount": {"amount_minor": 1, "currency": "USD"}}
        yield ActionKind.model_validate(
            {
                "kind": f"storm.{mode}",
                "meaning": "give part of a charge back",
                "verb": f"storm.{mode}",
                "amount": "amount",
                "params": {"charge": "text", "amount": "money"},
                "facts": {},
                "no_effect": "no fact is about it",
                "witness": {
                    "facts": {},
                    "action": {"kind": f"storm.{mode}", "params": params},
                    "now": "2026-01-01T00:00:00Z",
                },
                "risk": "L1",
                "stage": "live",
                "exploration": "0",
                "reversible": False,
                "watch": False,
                "why": "a harness",
            }
        )


def catalog():
    """The shipped catalog with the three kinds, their port, their routes and one rule."""
    shipped = load_catalog()
    verbs = [
        {"verb": mode, "method": "POST", "path": "/", "body": {"charge": "charge"}, "idempotency_header": "k"}
        for mode in MODES
    ]
    routes = [
        {
            "port": f"storm.{mode}",
            "tool": f"storm_{mode}",
            "verb": "create_refund",
            "args": {"charge": "{charge}", "amount_minor": "{amount.amount_minor}"},
            "why": "a harness",
        }
        for mode in MODES
    ]
    return replace(
        shipped,
        kinds=(*shipped.kinds, *kinds()),
        ports=(*shipped.ports, Port.model_validate({"port": "storm", "meaning": "a storm", "verbs": verbs})),
        routes=(*shipped.routes, *(Route.model_validate(route) for route in routes)),
        invariants=(*shipped.invariants, ("storm.yaml", {"invariants": [RULE]})),
        root=None,
    )


class Shop:
    """livemarket in a process of its own, on a clock that is moved by hand."""

    def __init__(self, seed, days):
        program = Path(sys.executable).with_name("livemarket")
        command = [str(program), "serve", "--days", str(days), "--seed", str(seed), "--speed", "manual", "--json"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        faces = json.loads(self._process.stdout.readline())["faces"]
        self.address, self.key = faces["stripe"]["url"], faces["stripe"]["api_key"]
        bearer = {"authorization": f"Bearer {faces['control']['token']}"}
        self._control = httpx.Client(base_url=faces["control"]["url"], headers=bearer, timeout=120)
        bearer = {"authorization": f"Bearer {self.key}"}
        self._stripe = httpx.Client(base_url=self.address, headers=bearer, timeout=120)

    def advance(self, seconds):
        self._control.post("/_livemarket/clock/advance", json={"seconds": seconds}).raise_for_status()

    def weather(self, **shares):
        self._control.put("/_livemarket/weather", json={"face": "stripe", **shares}).raise_for_status()

    def met(self):
        found = self._control.get("/_livemarket/weather").json()["weather"]
        return {"calls": sum(one["calls"] for one in found), **(found[0]["met"] if found else {})}

    def _all(self, path, **asked):
        after = {}
        while True:
            page = self._stripe.get(path, params={"limit": 100, **asked, **after}).json()
            yield from page["data"]
            if not page["has_more"]:
                return
            after = {"starting_after": page["data"][-1]["id"]}

    def charges(self, least):
        good = (c for c in self._all("/v1/charges") if c["status"] == "succeeded" and not c["disputed"])
        return [c["id"] for c in good if c["amount"] - c["amount_refunded"] >= least]

    def refunds(self):
        """How often each reference of ours was refunded: the truth. Asked in fair weather."""
        found = {}
        for refund in self._all("/v1/refunds"):
            name = refund["metadata"].get("steward")
            if name:
                found[name] = found.get(name, 0) + 1
        return found

    def end(self):
        self._process.terminate()
        self._process.wait()


class Stage:
    """An embedded server with fsync on, the catalog of the storm, and its tools, in a folder of its own."""

    def __init__(self, address, key, per_second=None):
        self.home = Path(tempfile.mkdtemp(prefix="steward-storm-"))
        self.home.chmod(0o711)
        self.key = key
        tools = self.home / "catalog" / "tools"
        tools.mkdir(parents=True)
        for document in tool(address, per_second):
            (tools / f"{document['tool']}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        for mode in MODES:
            os.environ[f"STEWARD_KEY_STORM_{mode.upper()}_SECRET"] = key
        self.embedded = EmbeddedPostgres(self.home)
        self.catalog = catalog()
        self.verifier = build_verifier(self.catalog)
        server = self.embedded.start()
        with psycopg.connect(server.owner_conninfo("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE steward")
        self.owner = server.owner_conninfo("steward")
        migrate(self.owner)
        self.conninfo = server.app_conninfo("steward")
        self._pages = self.home / "pages"
        self._pages.mkdir()

    def app(self):
        """An application of this process's own, wired as bootstrap wires it."""
        settings = Settings(home=self.home, database_url=None, host="127.0.0.1", port=0)
        app = App(settings, Database(self.conninfo), self.catalog, SystemClock())
        app.verifier = self.verifier
        app.book = ToolBook(self.home / "catalog")
        return app

    def passed(self, app):
        """The owner's own check of the credentials, by hand: the verbs are only documented."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            for mode in MODES:
                connection.execute(
                    "INSERT INTO tool_check (tool, tool_version, address, passed, detail, checked_at)"
                    " VALUES (%s, decode(%s, 'hex'), %s, true, 'by the harness', now())",
                    (f"storm_{mode}", app.book.version(f"storm_{mode}"), app.book.tool(f"storm_{mode}").base),
                )

    def page(self, name):
        """Where a worker says how far it is, so that it can be read after it was killed."""
        path = self._pages / name
        path.write_bytes(bytes(SLOTS.size))
        return path

    def end(self):
        self.embedded.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def proposal(mode, number, charge, amount_minor=1):
    at = datetime.now(UTC)
    key = f"storm.{mode}:{number}"
    money = {"amount_minor": amount_minor, "currency": "USD"}
    return ActionProposal(
        id=derived_id("act", unix_ms(at), key),
        key=key,
        kind=f"storm.{mode}",
        params={"charge": charge, "amount": money},
        principal=Principal(id="storm"),
        at=at,
    )


class Counting(Dispatcher):
    """The product's dispatcher, which counts where others can read it what it has sent and written down."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.memory, self.ready = None, None
        self._counts = [0, 0]
        self._guard = threading.Lock()

    def _counted(self, place, more):
        with self._guard:
            self._counts[place] += more
            self.memory[:] = SLOTS.pack(*self._counts)

    def _may_send(self, taken):
        is_ours = super()._may_send(taken)
        if is_ours:
            self._counted(0, 1)
        return is_ours

    def _record(self, connection, done, now):
        written = super()._record(connection, done, now)
        sent = [one for one in done if one.taken.prepared.purpose == "send" and one.came.kind != "stopped"]
        # The transaction is about to commit: it counts as recorded a moment early, so kills are not counted too often.
        self._counted(1, len(sent))
        return written

    def _take(self, connection, wanted, now):
        found = super()._take(connection, wanted, now)
        if found[0]:
            self.ready.set()
        return found


def work(stage, page, threads, ready):
    """A worker."""
    app = stage.app()
    owner = f"worker-{os.getpid()}"
    dispatcher = Counting(app.database, app.clock, app.outside, app.mover, app.control.recheck, owner, threads)
    with page.open("r+b") as file:
        dispatcher.memory = mmap(file.fileno(), SLOTS.size)
    dispatcher.ready = ready
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    dispatcher.run(stop, lambda what: print(what, file=sys.stderr))


def spawn(stage, name, threads):
    """A worker, its page, and an event that is set when it has taken its first action up."""
    page, ready = stage.page(name), FORK.Event()
    process = FORK.Process(target=work, args=(stage, page, threads, ready), name=name, daemon=True)
    process.start()
    return process, page, ready, time.monotonic()
