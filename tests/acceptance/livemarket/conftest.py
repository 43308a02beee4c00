"""Shops that are served in processes of their own, and somebody who listens to webhooks."""

import base64
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import stripe


class Shop:
    """One `livemarket serve` with a manual clock, and its clients."""

    def __init__(self, seed, days, out=None):
        command = [sys.executable, "-m", "livemarket", "serve", "--seed", str(seed), "--days", str(days)]
        command += ["--speed", "manual", "--json", "--errors", "0"] + (["--out", str(out)] if out else [])
        self.out = out
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ready(self):
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        self.faces = json.loads(line)["faces"]
        self.control = self.client("control", self.faces["control"]["token"])
        self.plain = self.client("stripe", self.faces["stripe"]["api_key"])
        self.bank = self.client("bank", self.faces["bank"]["token"])
        self.account = f"/v1/accounts/{self.faces['bank']['account']}"
        place = self.faces["stripe"]["url"]
        addresses = {"api": place, "files": place}
        self.transport = stripe.new_default_http_client()
        self.stripe = stripe.StripeClient(
            self.faces["stripe"]["api_key"], base_addresses=addresses, max_network_retries=0, http_client=self.transport
        ).v1
        return self

    def client(self, face, token):
        return httpx.Client(
            base_url=self.faces[face]["url"], headers={"authorization": f"Bearer {token}"}, trust_env=False, timeout=60
        )

    def paypal(self):
        """A client with a fresh token."""
        face = self.faces["paypal"]
        pair = base64.b64encode(f"{face['client_id']}:{face['client_secret']}".encode()).decode()
        given = httpx.post(
            f"{face['url']}/v1/oauth2/token", data={"grant_type": "client_credentials"},
            headers={"authorization": f"Basic {pair}"}, trust_env=False,
        )  # fmt: skip
        return self.client("paypal", given.json()["access_token"])

    def go(self, seconds):
        return self.control.post("/_livemarket/clock/advance", json={"seconds": seconds}).json()

    def fault(self, kind, face, **more):
        assert self.control.post("/_livemarket/faults", json={"kind": kind, "face": face, **more}).status_code == 201

    def stop(self):
        if hasattr(self, "faces"):
            for client in (self.control, self.plain, self.bank, self.transport):
                client.close()
        self.process.terminate()
        _, err = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, err[-2000:]
        return err


class Listener:
    """Keeps what it is told; answers with the statuses of `answers`, then 200."""

    def __init__(self):
        self.got, self.answers, self.heard = [], [], threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                with outer.heard:
                    status = outer.answers.pop(0) if outer.answers else 200
                    outer.got.append((dict(self.headers.items()), body, status))
                    outer.heard.notify_all()
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def until(self, enough, seconds=10):
        with self.heard:
            assert self.heard.wait_for(lambda: enough(self.got), seconds), f"heard {len(self.got)}"
            return list(self.got)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="package")
def starting(tmp_path_factory):
    """Both shops warm up at the same time."""
    shops = Shop(7, 400), Shop(11, 9, tmp_path_factory.mktemp("served") / "out")
    yield shops
    for shop in shops:
        shop.stop()


@pytest.fixture(scope="package")
def shop(starting):
    """A shop for tests that do not mind each other."""
    served = starting[0].ready()
    served.go(3 * 86400 + 70000)
    return served


@pytest.fixture(scope="package")
def short(starting):
    """A shop whose days a test lives to their end."""
    return starting[1].ready()


@pytest.fixture
def listener():
    made = Listener()
    yield made
    made.close()
