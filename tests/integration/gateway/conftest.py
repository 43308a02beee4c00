"""A shop with a granted budget, and proposals to set some of it aside."""

import socketserver
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from steward.contracts.action import ActionProposal, Principal
from steward.kernel.ids import derived_id
from steward.kernel.instants import unix_ms


def money(amount_minor, currency="GBP"):
    return {"amount_minor": amount_minor, "currency": currency}


def reserve(key, amount_minor, at, budget="ads", currency="GBP", proposer="agent:budget-keeper", **more):
    return ActionProposal(
        id=derived_id("act", unix_ms(at), f"spend.reserve:{key}"),
        key=f"spend.reserve:{key}",
        kind="spend.reserve",
        params={"budget": budget, "amount": money(amount_minor, currency), "purpose": "a show"},
        principal=Principal(id=proposer),
        at=at,
        **more,
    )


@pytest.fixture
def with_limits(catalog):
    """The catalog with other limits."""

    def build(**limits):
        changed = tuple(
            limit.model_copy(update={"value": limits[limit.name]}) if limit.name in limits else limit
            for limit in catalog.limits
        )
        return replace(catalog, limits=changed)

    return build


@pytest.fixture
def granted(shop):
    """A shop whose budget `ads` was granted 1,000.00."""
    assert shop.app.ledger.grant("ads", "GBP", 100000, "g1", "fay", "the season") == []
    return shop


def held(shop, budget="ads"):
    """What the books say is held, what the open holds add up to, and what the day took."""
    books = shop.one(
        "SELECT pending_debit_minor FROM balance JOIN account USING (account_id) WHERE code = %s",
        [f"equity:appropriated:{budget}"],
    )
    holds = shop.one(
        "SELECT coalesce(sum(l.amount_minor), 0) FROM hold_open JOIN hold_leg l USING (hold_no) "
        "JOIN account USING (account_id) WHERE code = %s",
        [f"equity:appropriated:{budget}"],
    )
    return int(books), int(holds)


@pytest.fixture
def receiver():
    """A real HTTP server: what it was sent, and the answer it gives."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            self.server.received.append((dict(self.headers), body))
            self.send_response(self.server.answer)
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.received, server.answer = [], 204
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class FakeSmtp(socketserver.StreamRequestHandler):
    """A fake mail server: it speaks enough of SMTP to take a message, and keeps it."""

    def handle(self):
        self.wfile.write(b"220 fake\r\n")
        while line := self.rfile.readline():
            word = line.split(None, 1)[0].upper() if line.split() else b""
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (data := self.rfile.readline()) != b".\r\n":
                    lines.append(data)
                self.server.received.append(b"".join(lines).decode())
            if word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            refuses = word == b"RCPT" and self.server.refuses
            self.wfile.write(b"550 no such person\r\n" if refuses else b"250 fine\r\n")


@pytest.fixture
def mail():
    server = socketserver.TCPServer(("127.0.0.1", 0), FakeSmtp)
    server.received, server.refuses = [], False
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
