"""A secret of its own in every credential of every tool, and a server that echoes all it is sent: found nowhere after."""

import json
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
import pytest

from steward.catalog.toolbook import ToolBook
from steward.gateway.adapters import wire as wire_module
from steward.gateway.adapters.auth import Authorizer
from steward.gateway.adapters.tokens import TokenStore
from steward.gateway.adapters.wire import Wire
from steward.gateway.core.templates import fill
from steward.gateway.service import tools as tools_module
from steward.gateway.service.tools import Tools
from steward.infra.clock import SystemClock
from steward.infra.vault import Vault
from steward.kernel.errors import StewardError

BOOK = ToolBook()
NAMES = [name for name in BOOK.names() if BOOK.tool(name).callable and BOOK.tool(name).auth.scheme != "none"]
ANSWERS = {"ok": 200, "refused": 401, "error": 500, "cut": 0}


class Echo(BaseHTTPRequestHandler):
    """Answers with the request's own line, headers and body, in its errors too; `cut` hangs up without an answer."""

    def do_GET(self):
        size = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(size).decode()
        if "grant_type" in content:
            said, status = {"access_token": f"canary-granted-{self.headers['Host']}", "expires_in": 3600}, 200
        else:
            status = self.server.status
            echo = f"{self.path} {dict(self.headers)} {content}"
            said = {"error": {"code": "echo", "message": echo}, "id": echo, "message": echo, "data": echo}
        if not status:
            self.connection.close()
            self.close_connection = True
            return
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names its base class calls

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    made = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    made.status = 200
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def planted():
    keys = {}
    for name in NAMES:
        keys |= {f"{name}_{secret}": f"canary-{name}-{secret}" for secret in BOOK.tool(name).auth.secrets}
    return keys


def all_text(owner):
    """Every row of every table, as text."""
    with psycopg.connect(owner) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN "
            "('pg_catalog', 'information_schema')"
        ).fetchall()
        rows = [row for (table,) in tables for row in connection.execute(f"SELECT t::text FROM {table} t")]
    return "\n".join(text for (text,) in rows)


def traces(keys):
    """Canaries as they are, and as the pairs of basic authentication encode them."""
    pairs = {
        b64encode(f"{one}:{other}".encode()).decode()
        for name in NAMES
        for one in ["", *[v for k, v in keys.items() if k.startswith(f"{name}_")]]
        for other in ["", *[v for k, v in keys.items() if k.startswith(f"{name}_")]]
        if one or other
    }
    return {"canary-", *pairs}


def seen_after(fresh, server, tmp_path, caplog):
    """What calls that succeed, are refused, break and are cut leave: answers, errors, logs, tables."""
    keys, clock = planted(), SystemClock()
    address = f"http://127.0.0.1:{server.server_port}"
    settings = dict.fromkeys((f"{name}_{one}" for name in NAMES for one in BOOK.tool(name).settings), "set")
    vault = Vault(keys=keys, addresses=dict.fromkeys(NAMES, address), settings=settings)
    tokens = TokenStore(fresh.app, clock, vault, tmp_path / "tokens")
    wire = Wire(Authorizer(vault, tokens.access_token, clock), clock)
    tools = Tools(fresh.app, clock, BOOK, vault, wire)
    said, asked = [], 0
    with caplog.at_level("DEBUG"):
        for status in ANSWERS.values():
            server.status = status
            for name in NAMES:
                said.append(json.dumps(tools.check(name).to_json()))
                check = BOOK.tool(name).check
                verb = None if check is None else BOOK.verb(name, check.verb)
                if verb is None or verb.method == "INTERNAL":
                    continue
                own = dict.fromkeys(BOOK.tool(name).settings, "set")
                try:
                    read = tools.call(name, verb.verb, fill(check.args, {"settings": own}))
                except StewardError as error:
                    said.append(str(error))
                    continue
                asked += 1
                said.append(repr(read))
        said += [json.dumps(tools.show(name), default=str) for name in NAMES]
    wire.close()
    assert asked > 4 * 20
    return "\n".join([*said, caplog.text, all_text(fresh.owner)]), traces(keys)


def test_a_canary_in_every_credential_is_found_nowhere(fresh, server, tmp_path, caplog):
    text, wanted = seen_after(fresh, server, tmp_path, caplog)
    assert "(kept back)" in text
    found = [text[max(0, text.index(one) - 200) : text.index(one) + 60] for one in wanted if one in text]
    assert found == []


def test_without_redaction_it_is_found(fresh, server, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(wire_module, "scrubbed", lambda reply, _: reply)
    monkeypatch.setattr(tools_module, "secrets_of", lambda *_: frozenset())
    text, wanted = seen_after(fresh, server, tmp_path, caplog)
    assert len([one for one in wanted if one in text]) > 5
