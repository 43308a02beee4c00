"""The door for language models: what can be read, what a proposal is answered, and that nothing there decides."""

import contextlib
import json
import socket
import threading

import anyio
import httpx2
import pytest
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from steward.mcp import TOOLS
from steward.mcp.serving import called, http_app

pytestmark = pytest.mark.db
SCOPES = ("actions:propose", "actions:read", "ledger:read", "events:read", "tools:read")
EVERYTHING = (*SCOPES, "approvals:decide", "approvals:read", "kill:write", "keys:admin", "audit:read")


def reserve(key, amount=1000, **more):
    params = {"budget": "ads", "amount": {"amount_minor": amount, "currency": "GBP"}, "purpose": "a show"}
    return {"key": key, "kind": "spend.reserve", "params": params, **more}


@pytest.fixture
def granted(shop):
    assert shop.app.ledger.grant("ads", "GBP", 10_000_000, "k1", "owner", "the season") == []
    return shop


def ask(shop, name, arguments=None, scopes=SCOPES, caller="ad_agent"):
    """One tool, in this process."""
    key = shop.app.access.create(caller, scopes)
    result = called(shop.app, shop.app.access.recognise(key), name, arguments or {})
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content, result.is_error


def test_a_proposal_is_answered_with_what_became_of_it(granted):
    done, _ = ask(granted, "propose_action", reserve("one"))
    assert (done["outcome"], done["state"], done["is_new"]) == ("receipt", "executed", True)
    again, _ = ask(granted, "propose_action", reserve("one"))
    assert again == {**done, "is_new": False}
    other, failed = ask(granted, "propose_action", reserve("one", 2000))
    assert (failed, other["code"]) == (True, "key_reused")
    refused, failed = ask(granted, "propose_action", reserve("much", 20_000_000))
    assert (refused["outcome"], failed) == ("refused", False)
    assert refused["reasons"]
    assert refused["nearest"]["amount"]["amount_minor"] < 20_000_000
    held, _ = ask(granted, "propose_action", reserve("large", 200_000))
    assert (held["outcome"], held["approver"]) == ("held", "manager")
    waiting, _ = ask(granted, "waiting_approvals")
    assert [(one["id"], one["approver"]) for one in waiting["items"]] == [(held["action_id"], "manager")]
    proposers = {row[0] for row in granted.rows("SELECT proposer FROM action")}
    assert proposers == {"ad_agent"}


def test_every_reading_tool_answers(granted, make):
    granted.take_in(make.order("1"), make.payment("1"))
    made, _ = ask(granted, "propose_action", reserve("one"))
    answers = {
        "list_actions": {"outcome": "receipt"},
        "get_action": {"id": made["action_id"]},
        "list_tools": {},
        "get_balances": {},
        "get_events": {"type": "PaymentCaptured"},
        "get_snapshot": {},
        "get_figures": {},
        "explain_rule": {"name": "reserve-within-budget"},
        "get_limits": {},
    }
    told = {}
    for name, arguments in answers.items():
        told[name], failed = ask(granted, name, arguments)
        assert not failed, (name, told[name])
    assert [item["id"] for item in told["list_actions"]["items"]] == [made["action_id"]]
    assert told["get_action"]["proposer"] == "ad_agent"
    assert told["get_balances"]["balanced"] is True
    assert [item["envelope"]["type"] for item in told["get_events"]["items"]] == ["PaymentCaptured"]
    assert "budget" in told["explain_rule"]["text"]
    assert "reserve_day" in {limit["name"] for limit in told["get_limits"]["limits"]}
    tools = told["list_tools"]["items"]
    if tools:
        assert ask(granted, "get_tool", {"tool": tools[0]["id"]})[0]["tool"] == tools[0]["id"]
    assert ask(granted, "get_tool", {"tool": "no_such"}) == (
        {"code": "bad_input", "detail": "there is no tool 'no_such'. steward tools list shows them"},
        True,
    )


def test_arguments_are_checked_and_scopes_asked_for(granted):
    for tool in TOOLS:
        assert ask(granted, tool.name, {}, scopes=("events:write",))[0]["code"] == "missing_scope"
        unknown, failed = ask(granted, tool.name, {"approve": True})
        assert (failed, unknown["code"]) == (True, "bad_input")
    bad = [
        reserve("k", principal={"id": "owner"}),
        reserve("k", roles=["founder"]),
        reserve("k" * 201),
        reserve("k\n"),
        {**reserve("k"), "params": []},
        {**reserve("k"), "params": {"amount": 1.5}},
        {**reserve("k"), "params": {"a": "\x00"}},
        {**reserve("k"), "why": "x" * 2001},
    ]
    for arguments in bad:
        answer, failed = ask(granted, "propose_action", arguments)
        assert (failed, answer["code"]) == (True, "bad_input"), arguments
    assert granted.one("SELECT count(*) FROM action") == 0
    assert called(granted.app, None, "list_actions", {}).structured_content["code"] == "no_key"


def test_no_tool_decides_for_a_person_however_it_is_asked(granted):
    words = ("approv", "reject", "kill", "lift", "grant", "revoke", "rotate", "activate")
    assert not [tool.name for tool in TOOLS if any(word in tool.name for word in words) and not tool.only_reads]
    assert {tool.name for tool in TOOLS if not tool.only_reads} == {"propose_action"}
    held, _ = ask(granted, "propose_action", reserve("large", 200_000))
    action, before = held["action_id"], decided(granted)
    key = granted.app.access.create("founder", EVERYTHING, "founder")
    wishes = [
        {"action_id": action},
        {"id": action, "approve": True},
        {"id": action, "decision": "approve"},
        {"scope": "all", "on": False, "reason": "x"},
        {"name": "x", "scopes": ["keys:admin"]},
        reserve("large", 200_000, approve=True),
        {"key": "ap", "kind": "action.approve", "params": {"action_id": action}},
        {"key": "ap2", "kind": "approval.approve", "params": {"action_id": action, "by": "owner"}},
        {"key": "ap3", "kind": "approvals.approve", "params": {"id": action}, "why": f"approve {action}"},
        {"key": "spend.reserve:large", "kind": "spend.reserve", "params": {"approve": action}},
    ]
    names = [tool.name for tool in TOOLS]
    names += [
        "approve",
        "approve_action",
        "approvals.approve",
        "reject_action",
        "kill_off",
        "lift_kill",
        "make_key",
        "",
    ]
    caller = granted.app.access.recognise(key)
    for name in names:
        for wish in wishes:
            answer = called(granted.app, caller, name, wish)
            if name == "propose_action" and not answer.is_error:
                assert answer.structured_content["outcome"] in {"refused", "held"}
    assert decided(granted) == before
    assert granted.app.gateway.listing.state(action) == "awaiting_approval"


def decided(shop):
    """What a person would have had to decide, and what only administrators make."""
    return shop.rows(
        "SELECT (SELECT count(*) FROM approval), (SELECT count(*) FROM action WHERE outcome = 'executed'), "
        "(SELECT count(*) FROM kill_switch)"
    )


@contextlib.contextmanager
def served(app):
    """Over real HTTP on a real socket."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(http_app(app), log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        finally:
            server.should_exit = True
            thread.join()


def talk(url, key, work):
    async def run():
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            return await work(client)

    return anyio.run(run)


def test_the_official_client_over_http_sees_the_same_tools_and_gets_the_same_answers(granted):
    key = granted.app.access.create("ad_agent", SCOPES)

    async def work(client):
        listed = await client.list_tools()
        done = await client.call_tool("propose_action", reserve("one"))
        actions = await client.call_tool("list_actions", {})
        return listed.tools, done, actions

    with served(granted.app) as url:
        tools, done, actions = talk(url, key, work)
        assert [tool.name for tool in tools] == [tool.name for tool in TOOLS]
        assert {tool.name for tool in tools if not tool.annotations.read_only_hint} == {"propose_action"}
        assert done.structured_content["outcome"] == "receipt"
        assert [item["id"] for item in actions.structured_content["items"]] == [done.structured_content["action_id"]]
        plain = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        headers = {"Accept": "application/json, text/event-stream"}
        for bad in ({}, {"Authorization": "Bearer stw_0_0"}, {"Authorization": "Basic x"}):
            assert httpx2.post(url, json=plain, headers={**headers, **bad}).status_code == 401
        live = {**headers, "Authorization": f"Bearer {key}"}
        assert httpx2.post(url, json=plain, headers={**live, "Host": "evil.example"}).status_code == 421
        assert httpx2.post(url, json=plain, headers={**live, "Origin": "http://evil.example"}).status_code == 403
        assert httpx2.post(url, content=b" " * (300 << 10), headers=live).status_code == 413
