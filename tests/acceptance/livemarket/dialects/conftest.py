"""One warmed-up shop; each module serves its own fork of it on real sockets under a clock that is moved by hand."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import httpx
import pytest

from livemarket import catalog
from livemarket.core.step import warmed_up
from livemarket.faces import business, desk
from livemarket.faces.clock import Clock
from livemarket.files.run import ERROR_PPM, Shell

SEED = 7
DAY = 86_400


@pytest.fixture(scope="session")
def warmed():
    return warmed_up(catalog.setting("small"), SEED, keep=True)


@contextlib.contextmanager
def served(world, days=12, out=None):
    """The doors of a fork in which people do nothing, in a thread of its own."""
    fork = world.fork()
    fork.setting = replace(world.setting, operator=False)
    shell = Shell(fork, SEED, out, ERROR_PPM) if out else None
    opened = business.Business(fork, Clock.of("manual"), days, shell, SEED)
    made = desk.Desk(opened, SEED)
    bound = made.bound(0)
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    async def run():
        ready.set()
        await made.open(bound, stop)

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    ready.wait(10)
    places = desk.addresses(bound)
    control = httpx.Client(
        base_url=places["control"]["url"], headers={"authorization": f"Bearer {places['control']['token']}"}, timeout=60
    )
    try:
        running = SimpleNamespace(business=opened, places=places, control=control, desk=made)
        running.advance = lambda seconds: moved(running, seconds)
        yield running
    finally:
        control.close()
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()


@pytest.fixture(scope="module")
def shop(warmed):
    with served(warmed) as made:
        made.advance(3 * DAY + 50_000)
        yield made


@pytest.fixture
def filed(warmed):
    """A shop that writes the files of a run."""

    def opened(out, days):
        out.mkdir()
        return served(warmed, days, out)

    return opened


def moved(made, seconds):
    answer = made.control.post("/_livemarket/clock/advance", json={"seconds": seconds})
    assert answer.status_code == 200, answer.text
    return answer.json()


class Ear:
    """Somebody who listens for webhooks."""

    def __init__(self):
        heard = self.heard = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                heard.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, fits, seconds=10):
        """The first message that fits."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for headers, body in list(self.heard):
                if fits(headers, json.loads(body)):
                    return headers, body
            time.sleep(0.02)
        raise AssertionError(f"nothing that fits among {len(self.heard)} messages")


@pytest.fixture
def ear():
    made = Ear()
    yield made
    made.server.shutdown()
    made.server.server_close()


def sign(secret, path, query, body):
    """Written here once more, by hand."""
    text = secret + path + "".join(k + query[k] for k in sorted(query) if k not in {"sign", "access_token"})
    return hmac.new(secret.encode(), (text + body + secret).encode(), hashlib.sha256).hexdigest()


class Seller:
    """A client that signs as the documents say."""

    def __init__(self, place):
        self.place = place
        self.client = httpx.Client(base_url=place["url"], timeout=60)

    def call(self, method, path, body=None, query=None, changed=None, token=None):
        content = "" if body is None else json.dumps(body)
        asked = {"app_key": self.place["app_key"], "timestamp": str(int(time.time()))}
        if not path.startswith(("/authorization", "/event")):
            asked["shop_cipher"] = self.place["shop_cipher"]
        asked |= query or {}
        asked["sign"] = sign(self.place["app_secret"], path, asked, content)
        asked |= changed or {}
        headers = {"x-tts-access-token": token or self.place["access_token"], "content-type": "application/json"}
        return self.client.request(method, path, params=asked, content=content, headers=headers)

    def good(self, *args, **kwargs):
        answer = self.call(*args, **kwargs)
        said = answer.json()
        assert set(said) == {"code", "message", "request_id", "data"}
        assert (answer.status_code, said["code"], said["message"]) == (200, 0, "Success"), said
        return said["data"]


@pytest.fixture
def seller_of():
    made = []

    def opened(shop):
        made.append(Seller(shop.places["tiktok_shop"]))
        return made[-1]

    yield opened
    for seller in made:
        seller.client.close()


@pytest.fixture
def tiktok_sign():
    return sign
