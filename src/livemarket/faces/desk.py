"""Opens a shop with its faces: what `livemarket serve` runs, and what tests in Python start."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import signal
import socket
from collections.abc import Callable
from typing import Any

import httpx

from livemarket.faces.bank.face import Bank
from livemarket.faces.business import Business, Happened, unix
from livemarket.faces.control import Control
from livemarket.faces.courier.face import Courier
from livemarket.faces.door import Door, Face
from livemarket.faces.faults import Faults
from livemarket.faces.helpdesk.face import HelpDesk
from livemarket.faces.journal import Journal
from livemarket.faces.office import Office
from livemarket.faces.paypal.face import PayPal
from livemarket.faces.server import HOST, Mail, listening, serve
from livemarket.faces.shopify.face import Shopify
from livemarket.faces.show.face import LiveShows
from livemarket.faces.stripe.face import Stripe
from livemarket.faces.tiktok.ads import TikTokAds
from livemarket.faces.tiktok.shop import TikTokShop
from livemarket.faces.warehouse.face import Warehouse

# A new provider: one more line here.
PROVIDERS: dict[str, Callable[[Business, Faults, int], Face]] = {
    "stripe": Stripe, "paypal": PayPal, "bank": Bank,
    "helpdesk": HelpDesk, "warehouse": Warehouse, "courier": Courier, "show": LiveShows,
    "shopify": Shopify, "tiktok_shop": TikTokShop, "tiktok_ads": TikTokAds,
    "office": Office,
}  # fmt: skip


class Desk:
    """All doors of one business."""

    def __init__(self, business: Business, seed: int) -> None:
        faults = Faults()
        token = hashlib.sha256(f"livemarket/control/{seed}".encode()).hexdigest()[:32]
        self.control = Control(business, faults, token)
        faces: list[Face] = [made(business, faults, seed) for made in PROVIDERS.values()]
        self.doors = [Door(face, business, faults) for face in [self.control, *faces]]
        self.control.doors = self.doors
        self.business = business
        self.journal: Journal | None = None
        business.listeners.append(self._tell)

    def date_by_business(self) -> None:
        """Signatures carry the time of the business, for listeners that live by it too."""
        for door in self.doors:
            if door.face.post:
                door.face.post.dated = unix

    def keep(self, journal: Journal) -> int:
        """Go on where the journal ends, then write to it. After `bound`; how many calls were answered again."""
        self.journal = journal
        count = journal.replay(self.doors)
        for door in self.doors:
            door.called = journal.called
            if door.face.post:
                door.face.post.delivered = journal.delivered
        return count

    def _tell(self, happened: Happened) -> None:
        for door in self.doors:
            for notice in door.face.notices(happened):
                if door.face.post:
                    door.face.post.tell(notice, happened.moment)

    def bound(self, port: int) -> list[tuple[Door, socket.socket]]:
        """Each door with a socket: the control face on `port`, the others on the ports after it; 0 is any."""
        bound = [(door, listening(port + n if port else 0)) for n, door in enumerate(self.doors)]
        for door, place in bound:
            door.base = f"http://{HOST}:{place.getsockname()[1]}"
            door.face.listens(door.base)
        return bound

    async def open(self, bound: list[tuple[Door, socket.socket]], stop: asyncio.Event) -> None:
        """Serve until `stop`."""
        posts = [door.face.post for door in self.doors if door.face.post]
        async with httpx.AsyncClient(trust_env=False) as client:
            await serve(self.business, bound, asyncio.Event(), Mail(self.business, posts, client), stop)


def addresses(bound: list[tuple[Door, socket.socket]]) -> dict[str, dict[str, Any]]:
    """Where each face is and what opens it."""
    return {
        door.face.name: {"url": f"http://{HOST}:{place.getsockname()[1]}", **door.face.credentials()}
        for door, place in bound
    }


async def until_signalled(desk: Desk, bound: list[tuple[Door, socket.socket]]) -> None:
    """Serve until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(RuntimeError):  # a system without such signals: the process is ended otherwise
            loop.add_signal_handler(number, stop.set)
    try:
        await desk.open(bound, stop)
    finally:
        if desk.journal:
            desk.journal.close()
