"""The TikTok Shop face: who calls, which path, what is told."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from livemarket.faces.business import DAY, Business, Happened, unix
from livemarket.faces.calls import Answer, Call
from livemarket.faces.clock import wall
from livemarket.faces.door import No, Route
from livemarket.faces.faults import Faults
from livemarket.faces.idempotency import Keys
from livemarket.faces.shelf import Shelf
from livemarket.faces.tiktok import signing
from livemarket.faces.tiktok.envelope import Envelope, Refused
from livemarket.faces.tiktok.finance import Finance
from livemarket.faces.tiktok.goods import Goods, product_id
from livemarket.faces.tiktok.lives import Lives
from livemarket.faces.tiktok.orders import Orders
from livemarket.faces.tiktok.shop_calls import INTERNAL, INVALID, ShopCalls, body, invalid
from livemarket.faces.view import View
from livemarket.faces.webhooks import Endpoint, Notice, Post

EVENTS = {"ORDER_STATUS_CHANGE": 1, "PRODUCT_STATUS_CHANGE": 5, "RETURN_STATUS_CHANGE": 12}
VALID_SECONDS = 300
_STEPS = {"captured", "shipped", "scanned", "delivered", "cancelled"}
_REFUSALS = {
    No.NOT_FOUND: (36_009_009, "Invalid path"), No.WRONG_METHOD: (36_009_010, "Invalid method"),
    No.RATE_LIMITED: (36_009_002, "Too many requests. Please try again later."),
    No.OUTAGE: (INTERNAL, "Internal error (an outage somebody asked for)."),
    No.KEY_REUSED: (INVALID, "The idempotency key was used with another request."),
    No.KEY_IN_USE: (INTERNAL, "A request with this idempotency key still runs."),
    No.TOO_LARGE: (INVALID, "The body is too large."),
}  # fmt: skip


class TikTokShop:
    """An app's key and secret sign, an access token opens one shop."""

    name = "tiktok_shop"

    def __init__(self, business: Business, faults: Faults, seed: int) -> None:
        def secret(what: str) -> str:
            return hashlib.sha256(f"livemarket/tiktok_shop/{what}/{seed}".encode()).hexdigest()

        self.business = business
        self.keys = Keys(DAY)
        self.view = View(business)
        self.app_key, self.app_secret = f"sim{secret('key')[:10]}", secret("app")[:40]
        self.token, self.cipher = f"ROW_{secret('token')[:40]}", f"ROW_{secret('cipher')[:24]}"
        self.shop_id = "7495000000000000001"
        self.orders = Orders(self.view)
        self.goods = Goods(self.view, Shelf(business))
        self.finance = Finance(self.orders)
        self.lives = Lives(self.orders)
        self.post = Post(self.name, self._signed, faults)
        self._envelope = Envelope(self.name, "Success")
        self._shop = ShopCalls(self)

    def _signed(self, endpoint: Endpoint, content: bytes, at: int, name: str) -> dict[str, str]:
        return {"authorization": signing.told(self.app_secret, self.app_key, content)}

    def listens(self, base: str) -> None:
        """Its answers hold no address."""

    def credentials(self) -> dict[str, str]:
        return {
            "app_key": self.app_key, "app_secret": self.app_secret, "access_token": self.token,
            "shop_cipher": self.cipher,
        }  # fmt: skip

    def refused(self, call: Call) -> Answer | None:
        try:
            self._checked(call)
        except Refused as refusal:
            return self._envelope.bad(refusal)
        return None

    def _checked(self, call: Call) -> None:
        asked = dict(call.pairs())
        for name in ("app_key", "timestamp", "sign"):
            if not asked.get(name):
                raise invalid(f"Missing credentials. The request does not include {name} in the query.")
        if asked["app_key"] != self.app_key:
            raise invalid("Invalid app_key.")
        stamp = asked["timestamp"]
        if not stamp.isdecimal() or abs(int(stamp) - wall()) > VALID_SECONDS:
            raise invalid("Expired timestamp: it is good for five minutes.")
        multipart = call.headers.get("content-type", "").startswith("multipart/form-data")
        made = signing.sign(self.app_secret, call.path, call.pairs(), b"" if multipart else call.body)
        if not hmac.compare_digest(made.encode(), asked["sign"].encode()):
            raise Refused(106_001, "Signature verification failed: sign is invalid.", 401)
        token = call.headers.get("x-tts-access-token", "")
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            raise Refused(105_001, "access token is invalid", 401)
        if not call.path.startswith(("/authorization/", "/event/")) and asked.get("shop_cipher") != self.cipher:
            raise invalid("shop_cipher is not one of this token's.")

    def no(self, why: No, call: Call, retry_after: int = 0) -> Answer:
        code, message = _REFUSALS[why]
        answer = self._envelope.bad(Refused(code, message, 404 if why == No.WRONG_METHOD else why.value))
        if why in {No.RATE_LIMITED, No.OUTAGE}:
            answer.headers["retry-after"] = str(max(retry_after, 1))
        return answer

    def key(self, call: Call) -> str | None:
        return call.asked("idempotency_key") or None if call.method == "POST" else None

    def routes(self) -> Sequence[Route]:
        """Fixed paths before those that hold an id."""
        hooks = "/event/202309/webhooks"
        table = [
            *self._shop.table(), ("GET", hooks, self._listening), ("PUT", hooks, self._listen),
            ("DELETE", hooks, self._forget),
        ]  # fmt: skip
        table.sort(key=lambda row: row[1].count("{"))
        return [Route(method, path, self._envelope.guarded(action)) for method, path, action in table]

    def _listening(self, call: Call) -> Any:
        made = [
            {"event_type": e.types[0], "address": e.url, "create_time": unix(e.born), "update_time": unix(e.born)}
            for e in self.post.endpoints.values()
        ]
        return {"webhooks": made, "total_count": len(made)}

    def _listen(self, call: Call) -> Any:
        """One address for each kind of event; a new one takes the place of the old."""
        asked = body(call)
        kind, url = str(asked.get("event_type", "")), str(asked.get("address", ""))
        if kind not in EVENTS or not url.startswith(("http://", "https://")):
            raise invalid(f"event_type is one of {', '.join(EVENTS)} and address is a URL")
        self.post.endpoints[kind] = Endpoint(kind, url, "", (kind,), self.view.now)
        return {}

    def _forget(self, call: Call) -> Any:
        if self.post.endpoints.pop(str(body(call).get("event_type", "")), None) is None:
            raise invalid("There is no such webhook.")
        return {}

    def notices(self, happened: Happened) -> list[Notice]:
        """What one fact is to the marketplace."""
        at, columns = happened.moment, happened.columns
        self.lives.seen(happened)
        if happened.kind in {"price", "adjusted", "banned"}:
            self.goods.changed[columns["sku"]] = at
        if happened.kind == "banned":
            self.goods.bans[columns["sku"]] = at
            status = {
                "product_id": product_id(columns["sku"]),
                "status": "PLATFORM_DEACTIVATED",
                "update_time": unix(at),
            }
            return [self._notice("PRODUCT_STATUS_CHANGE", f"p{columns['sku']}.{at}", status, at)]
        row = columns.get("order", -1)
        if not self.orders.sales.here(row):
            return []
        name = self.view.order_name(row)
        if happened.kind in _STEPS:
            status = self.orders.states(row, at)[-1][0]
            told = {"order_id": self.orders.number(row), "order_status": status, "update_time": unix(at)}
            return [self._notice("ORDER_STATUS_CHANGE", f"o{name}.{happened.kind}", told, at)]
        if happened.kind in {"return_asked", "return_received", "refund"}:
            made = self.orders.returns(row, at)
            if not made:
                return []
            wanted = ("order_id", "return_id", "return_type", "return_status", "create_time", "update_time")
            told = {k: made[-1][k] for k in wanted} | {"return_role": made[-1]["role"]}
            return [self._notice("RETURN_STATUS_CHANGE", f"r{name}.{happened.kind}.{at}", told, at)]
        return []

    def _notice(self, kind: str, key: str, data: dict[str, Any], at: int) -> Notice:
        own = hashlib.sha256(f"{self.name}/{key}".encode()).hexdigest()[:19]
        document = {
            "type": EVENTS[kind], "tts_notification_id": own, "shop_id": self.shop_id, "timestamp": unix(at),
            "data": data,
        }  # fmt: skip
        return Notice(own, kind, document)
