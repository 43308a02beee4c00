"""The two example agents, run as they stand, in processes of their own, with a scripted model: they act through Steward
alone, and say what became of it.
"""

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif("STEWARD_EXAMPLES" not in os.environ, reason="`make examples` runs them: half a minute"),
    pytest.mark.db,
    pytest.mark.slow,
]
EXAMPLES = Path(__file__).parents[2] / "examples"
SCOPES = ("actions:propose", "actions:read", "ledger:read")
REFUND = {
    "key": "request-1",
    "kind": "refund.issue",
    "params": {
        "refund_id": "r1",
        "customer_id": "17850",
        "amount": {"amount_minor": 1250, "currency": "GBP"},
        "to": "original_payment",
    },
    "why": "the customer asked",
}


def scripted(turns):
    spec = importlib.util.spec_from_file_location("scripted_model", EXAMPLES / "scripted_model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ScriptedModel(turns)


@pytest.fixture(scope="module")
def house(make_shop):
    shop = make_shop()
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    return shop, shop.json("keys", "create", "--name", "refund_helper", *scopes)["key"]


CASES = [
    ("openai_agents_refunds.py", "agents", ("mcp", "--http", "0"), "STEWARD_MCP_URL"),
    ("langgraph_refunds.py", "langgraph", ("serve", "--port", "PORT", "--workers", "1"), "STEWARD_URL"),
]


@pytest.mark.parametrize(("name", "package", "command", "address"), CASES, ids=[case[0] for case in CASES])
def test_an_example_proposes_and_says_what_became_of_it(house, name, package, command, address):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: examples/requirements.txt names it")
    shop, key = house
    turns = [{"tool": "propose_action", "arguments": {**REFUND, "key": name}}, {"say": "a person will look at it"}]
    with scripted(turns) as model, started(shop, command) as url:
        env = {**shop.env, "STEWARD_API_KEY": key, "OPENAI_API_KEY": "none", "OPENAI_BASE_URL": model.url, address: url}
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / name), "Refund 12.50"], env=env, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        assert done.stdout.strip() == "a person will look at it"
        (told,) = (json.loads(text) for text in model.results)
    assert told["outcome"] in {"refused", "held"}
    assert told["reasons"]
    listed = shop.json("action", "list", "--kind", "refund.issue", here=True)["items"]
    assert (told.get("id") or told["action_id"]) in {item["id"] for item in listed}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class started:  # noqa: N801 - reads like the context manager it is
    """A server of ours in a process of its own; its address, once it answers."""

    def __init__(self, shop, command):
        self.shop, self.command = shop, command

    def __enter__(self):
        port = str(free_port())
        command = [sys.executable, "-m", "steward", *(port if word == "PORT" else word for word in self.command)]
        self.process = subprocess.Popen(command, env=self.shop.env, stderr=subprocess.PIPE, text=True)
        if self.command[0] == "mcp":
            return self.process.stderr.readline().strip()
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()
