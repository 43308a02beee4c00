"""Agents from outside, over the Model Context Protocol: the official client over stdio, and a pydantic-ai agent over HTTP
whose model is a scripted server. They propose, are refused with reasons, get a receipt within the rules, are held, and see
it done after a person said so on the command line. Nothing they send decides for a person.
"""

import contextlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters

pytestmark = [pytest.mark.db, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
SCOPES = ("actions:propose", "actions:read", "ledger:read", "events:read", "tools:read")


def from_file(path):
    """A file of the examples as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


scripted = from_file(ROOT / "examples" / "scripted_model.py")


def reserve(key, amount):
    params = {"budget": "ads", "amount": {"amount_minor": amount, "currency": "GBP"}, "purpose": "the Friday show"}
    return {"key": key, "kind": "spend.reserve", "params": params, "why": "it sells"}


@pytest.fixture(scope="module")
def house(make_shop):
    """A shop with a budget, and an agent's key."""
    shop = make_shop()
    granted = ("budget", "grant", "ads", "GBP", "500000", "--key", "k1", "--by", "owner", "--reason", "the season")
    shop.json(*granted, here=True)
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    key = shop.json("keys", "create", "--name", "ad_agent", *scopes, here=True)["key"]
    founder = shop.json("keys", "create", "--name", "ana", "--role", "founder", here=True)["key"]
    return shop, key, type(shop)({**shop.env, "STEWARD_API_KEY": founder}, shop.home)


def agreed(person, action):
    """A person says yes on the command line; where the action stands then."""
    return person.json("approvals", "approve", action)["state"]


def results(served):
    """What the tools answered the agent."""
    return [json.loads(text) if text.startswith("{") else {"error": text} for text in served.results]


@contextlib.contextmanager
def over_http(shop):
    """`steward mcp --http` in a process of its own; its address."""
    command = [sys.executable, "-m", "steward", "mcp", "--http", "0"]
    with subprocess.Popen(command, env=shop.env, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process.stderr.readline().strip()
        finally:
            process.terminate()


def test_the_official_client_over_stdio(house):
    shop, key, person = house
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "steward", "mcp"], env={**shop.env, "STEWARD_API_KEY": key}
    )

    async def work():
        async with Client(server) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            refused = await client.call_tool("propose_action", reserve("stdio-much", 900_000))
            held = await client.call_tool("propose_action", reserve("stdio-large", 200_000))
            done = await client.call_tool("propose_action", reserve("stdio-small", 1_000))
            wish = {"id": held.structured_content["action_id"]}
            approvals = [
                await client.call_tool(name, wish) for name in ("approve", "approvals.approve", "list_actions")
            ]
            stood = await client.call_tool("get_action", wish)
            assert stood.structured_content["state"] == "awaiting_approval"
            assert await anyio.to_thread.run_sync(agreed, person, wish["id"]) == "succeeded"
            after = await client.call_tool("get_action", wish)
            return names, [one.structured_content for one in (refused, held, done, after)], approvals

    names, (refused, held, done, after), approvals = anyio.run(work)
    assert [name for name in names if not name.startswith(("get_", "list_", "explain_", "waiting_"))] == [
        "propose_action"
    ]
    assert refused["outcome"] == "refused"
    assert "reserve-within-budget" in {rule["id"] for rule in refused["determining"]}
    assert any("reserve-within-budget" in reason for reason in refused["reasons"])
    assert refused["nearest"]["amount"]["amount_minor"] <= 500_000
    assert (held["outcome"], held["approver"]) == ("held", "manager")
    assert done["outcome"] == "receipt"
    assert all(answer.is_error for answer in approvals)
    assert after["state"] == "succeeded"
    assert shop.json("action", "show", held["action_id"], here=True)["state"] == "succeeded"


def test_without_a_live_key_nothing_starts(house):
    shop, _, _ = house
    told = type(shop)({**shop.env, "STEWARD_API_KEY": "stw_0_0"}, shop.home).here("mcp")
    assert told.returncode == 2
    assert "no live API key" in told.stderr
    assert told.stdout == ""


@pytest.mark.filterwarnings("ignore")  # of the agent's library about others
def test_an_agent_with_a_scripted_model_is_refused_held_and_done_and_cannot_approve(house):
    from openai import AsyncOpenAI
    from pydantic_ai import Agent
    from pydantic_ai.mcp import MCPToolset
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    shop, key, person = house
    turns = [
        {"tool": "get_limits", "arguments": {}},
        {"tool": "propose_action", "arguments": reserve("agent-much", 900_000)},
        {"tool": "propose_action", "arguments": reserve("agent-large", 200_000)},
        {"tool": "propose_action", "arguments": {**reserve("agent-large", 200_000), "approve": True}},
        {"tool": "propose_action", "arguments": reserve("agent-small", 1_000)},
        {"say": "one done, one waits for a person, one was refused"},
    ]
    look = [{"tool": "get_action", "arguments": {"id": ""}}, {"say": "the large one is done as well"}]
    with scripted.ScriptedModel([*turns, *look]) as served, over_http(shop) as url:

        async def work(wish):
            async with AsyncOpenAI(base_url=served.url, api_key="none") as account:
                model = OpenAIChatModel("scripted", provider=OpenAIProvider(openai_client=account))
                toolset = MCPToolset(url, headers={"Authorization": f"Bearer {key}"})
                return await Agent(model, toolsets=[toolset]).run(wish)

        assert anyio.run(work, "Set money aside for Friday's show.").output == turns[-1]["say"]
        told = results(served)
        waits = told[2]["action_id"]
        assert shop.json("action", "show", waits, here=True)["state"] == "awaiting_approval"
        assert agreed(person, waits) == "succeeded"
        look[0]["arguments"]["id"] = waits
        assert anyio.run(work, "Was it done?").output == look[-1]["say"]
        offered = {tool["function"]["name"] for tool in served.requests[0]["tools"]}
        (after,) = results(served)
    assert "propose_action" in offered
    assert not {name for name in offered if "approve" in name or "kill" in name or "key" in name}
    assert [one.get("outcome") for one in told] == [None, "refused", "held", None, "receipt"]
    assert any("reserve-within-budget" in reason for reason in told[1]["reasons"])
    assert "approve" in told[3]["error"]
    assert (after["state"], after["proposer"]) == ("succeeded", "ad_agent")
