"""Calls a second through the MCP door: reading tools and propose_action, over streamable HTTP and stdio.

The server is `steward mcp` in a process of its own over a shop with 200 actions; the caller is the official client with
eight calls under way over HTTP and over stdio. Reading tools are called in turn, so a figure is over all of them; each
is also timed alone. `propose_action` sets money of a budget aside, which takes effect: every call is a new key, a
certificate checked under a row lock, and a commit; then the same keys again, which change nothing.

The control is the same load with a key that was revoked: every call must be turned away.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from results import machine, save

SCOPES = ["actions:propose", "actions:read", "ledger:read", "events:read", "tools:read"]
AT_ONCE = 8
STEWARD = [sys.executable, "-m", "steward", "mcp"]


def reserve(key):
    params = {"budget": "ads", "amount": {"amount_minor": 100, "currency": "GBP"}, "purpose": "bench"}
    return "propose_action", {"key": key, "kind": "spend.reserve", "params": params}


def prepare(home):
    """A granted budget, 200 actions, a live key and a revoked one."""
    from steward.bootstrap import open_app
    from steward.control import ask

    os.environ["STEWARD_HOME"] = str(home)
    with open_app() as app:
        app.ledger.grant("ads", "GBP", 10**12, "k", "owner", "bench")
        for number in range(200):
            params = {"budget": "ads", "amount": {"amount_minor": 100, "currency": "GBP"}, "purpose": "bench"}
            made = ask(app.control, {"key": f"old{number}", "kind": "spend.reserve", "params": params}, "bench")
        app.events.sequence()
        live, dead = app.access.create("bench", SCOPES), app.access.create("gone", SCOPES)
        app.access.revoke(dead.split("_")[1])
        return live, dead, made["id"], app.book.names()


def readings(action, tools):
    """Reading tools in turn, with arguments a model would send."""
    calls = [
        ("list_actions", {"limit": 10}),
        ("get_action", {"id": action}),
        ("list_tools", {"limit": 10}),
        ("get_balances", {}),
        ("get_events", {"limit": 10}),
        ("get_snapshot", {}),
        ("explain_rule", {"name": "reserve-within-budget"}),
        ("get_limits", {}),
    ]
    return calls + ([("get_tool", {"tool": tools[0]})] if tools else [])


async def load(client, calls):
    """All calls, some at once: seconds, milliseconds of each, and how many came to an answer."""
    queue, taken, good = iter(calls), [], 0

    async def caller():
        nonlocal good
        for name, arguments in queue:
            began = time.perf_counter()
            result = await client.call_tool(name, arguments)
            taken.append((time.perf_counter() - began) * 1000)
            good += not result.is_error

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    seconds = time.perf_counter() - began
    return {
        "calls": len(taken),
        "answered": good,
        "calls_per_second": round(len(taken) / seconds),
        "milliseconds_p50": round(statistics.median(taken), 1),
        "milliseconds_p99": round(sorted(taken)[int(0.99 * (len(taken) - 1))], 1),
    }


async def measured(client, name, calls, reads, proposals):
    await load(client, calls[:9] * 3)
    figures = {"read": await load(client, (calls * (reads // len(calls) + 1))[:reads])}
    keys = [reserve(f"{name}{number}") for number in range(proposals)]
    figures["propose"] = await load(client, keys)
    figures["propose_again"] = await load(client, keys)
    figures["alone"] = {}
    for tool, arguments in calls:
        figures["alone"][tool] = (await load(client, [(tool, arguments)] * (reads // 10)))["calls_per_second"]
    return figures


async def over_http(url, key, name, calls, reads, proposals):
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        return await measured(client, name, calls, reads, proposals)


async def turned_away(url, key, count):
    """How many requests with a revoked key are let in."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_limits", "arguments": {}}}
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json, text/event-stream"}
    async with httpx2.AsyncClient(headers=headers) as http:
        statuses = [(await http.post(url, json=body)).status_code for _ in range(count)]
    return {"requests": count, "let_in": sum(status != 401 for status in statuses)}


async def over_stdio(key, home, name, calls, reads, proposals):
    environment = {**os.environ, "STEWARD_HOME": str(home), "STEWARD_API_KEY": key}
    async with Client(StdioServerParameters(command=STEWARD[0], args=STEWARD[1:], env=environment)) as client:
        return await measured(client, name, calls, reads, proposals)


@contextlib.contextmanager
def server(home):
    environment = {**os.environ, "STEWARD_HOME": str(home)}
    with subprocess.Popen([*STEWARD, "--http", "0"], env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process.stderr.readline().strip()
        finally:
            process.terminate()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--reads", type=int, default=3000)
    parser.add_argument("--proposals", type=int, default=400)
    options = parser.parse_args()
    amounts = (options.reads, options.proposals)
    os.environ.pop("STEWARD_DATABASE_URL", None)
    with tempfile.TemporaryDirectory(prefix="steward-mcp-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        try:
            with multiprocessing.get_context("fork").Pool(1) as apart:  # so that the caller's heap stays small
                live, dead, action, tools = apart.apply(prepare, (home,))
            calls = readings(action, tools)
            with server(home) as url:
                http = asyncio.run(over_http(url, live, "h", calls, *amounts))
                control = asyncio.run(turned_away(url, dead, 200))
            stdio = asyncio.run(over_stdio(live, home, "s", calls, *amounts))
        finally:
            subprocess.run([*STEWARD[:3], "db", "stop"], env={**os.environ, "STEWARD_HOME": str(home)}, check=False)
    document = {"name": "mcp", "machine": machine(), "at_once": AT_ONCE, "http": http, "stdio": stdio}
    document["control_revoked_key"] = control
    document["bar_reads_per_second"] = 250
    print(json.dumps(document, indent=1))
    save(document)
    every = [part for way in (http, stdio) for part in (way["read"], way["propose"], way["propose_again"])]
    if control["let_in"] or any(part["answered"] != part["calls"] for part in every):
        sys.exit("a revoked key was let in, or a call was not answered")


if __name__ == "__main__":
    main()
