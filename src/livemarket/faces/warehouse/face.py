"""The warehouse's face: who may call, orders, stock, and which path does what."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from livemarket.core.acts import Verb
from livemarket.faces.business import Business, Happened
from livemarket.faces.calls import Answer, Call, answered, guarded
from livemarket.faces.door import No, Route
from livemarket.faces.faults import Faults
from livemarket.faces.idempotency import Keys
from livemarket.faces.pages import by_number
from livemarket.faces.warehouse import hooks, receiving
from livemarket.faces.warehouse.objects import CENTER, Objects
from livemarket.faces.warehouse.refusals import Action, Refused, absent, whole
from livemarket.faces.webhooks import Notice, Post

_SAID = {
    No.NOT_FOUND: (404, "this world has no such path"), No.WRONG_METHOD: (405, "this path has no such method"),
    No.RATE_LIMITED: (429, "rate limit is exceeded"), No.OUTAGE: (503, "an outage somebody asked for"),
    No.KEY_REUSED: (400, "key used"), No.KEY_IN_USE: (409, "key in use"), No.TOO_LARGE: (413, "body too large"),
}  # fmt: skip


class Warehouse:
    """Reads go through `objects` and `receiving`."""

    name = "warehouse"

    def __init__(self, business: Business, faults: Faults, seed: int) -> None:
        self.business = business
        self.keys = Keys(0)
        self.objects = Objects(business)
        self.view = self.objects.view
        self.receiving = receiving.Receiving(self)
        self.post = Post(self.name, hooks.signature, faults)
        self.token = hashlib.sha256(f"livemarket/warehouse/{seed}".encode()).hexdigest()[:48]

    def listens(self, base: str) -> None:
        """Its answers hold no address of its own."""

    def credentials(self) -> dict[str, str]:
        return {"token": self.token}

    def refused(self, call: Call) -> Answer | None:
        good = call.bears(self.token)
        return None if good else Answer(401, b"", kept=False)

    def no(self, why: No, call: Call, retry_after: int = 0) -> Answer:
        status, said = _SAID[why]
        answer = answered(status, {"message": said, "statusCode": status}, kept=False)
        if why in {No.RATE_LIMITED, No.OUTAGE}:
            wait = str(max(retry_after, 1))
            answer.headers.update({"retry-after": wait, "x-retry-after": wait, "x-remaining-calls": "0"})
        return answer

    def key(self, call: Call) -> str | None:
        return None  # ShipBob takes no keys; references can be searched for

    def notices(self, happened: Happened) -> list[Notice]:
        made = hooks.notice(self, happened) if self.post.endpoints else None
        return [made] if made else []

    def routes(self) -> Sequence[Route]:
        made: list[tuple[str, str, Action]] = [
            ("GET", "/1.0/order", self._orders),
            ("GET", "/1.0/order/{id}", lambda c: answered(200, self.objects.order(self._order(c), self.view.now))),
            ("POST", "/1.0/order/{id}/cancel", self._cancel),
            ("GET", "/1.0/order/{id}/shipment", lambda c: answered(
                200, [self.objects.shipment(self._order(c), self.view.now)])),
            ("GET", "/1.0/shipment/{id}", lambda c: answered(
                200, self.objects.shipment(self._order(c), self.view.now))),
            ("GET", "/1.0/shipment/{id}/logs", lambda c: answered(
                200, self.objects.logs(self._order(c), self.view.now))),
            ("GET", "/1.0/inventory", self._inventory),
            ("GET", "/1.0/inventory/{id}", self._item),
            ("GET", "/1.0/fulfillmentCenter", lambda _: answered(200, [CENTER])),
            *receiving.table(self), *hooks.table(self),
        ]  # fmt: skip
        return [Route(method, path, guarded(action)) for method, path, action in made]

    def _order(self, call: Call) -> int:
        row = self.objects.named(call.found["id"])
        if row is None:
            raise absent()
        return row

    def _orders(self, call: Call) -> Answer:
        size, page = whole(call, "Limit", 50, 250), whole(call, "Page", 1, 10**6)
        rows = self.objects.orders().tolist()
        references, tracked = call.asked("ReferenceIds"), call.asked("HasTracking")
        if references:
            found = {row for name in references.split(",") if (row := self.objects.named(name)) is not None}
            rows = [row for row in rows if row in found]
        if tracked:
            wanted = tracked.lower() == "true"
            sent = set(self.objects.journey.sent(self.view.now)[0].tolist())
            rows = [row for row in rows if (row in sent) == wanted]
        if call.asked("SortOrder", "Newest") == "Oldest":
            rows.reverse()
        places, pages = by_number(len(rows), page, size)
        made = [self.objects.order(rows[n], self.view.now) for n in places]
        return answered(200, made, page_number=str(page), total_pages=str(pages), total_count=str(len(rows)))

    def _cancel(self, call: Call) -> Answer:
        """Nothing is sent if picking has not begun. Money is another matter: the shop gives it back elsewhere."""
        row = self._order(call)
        waits = self.objects.status(row, self.view.now)[0] == "Processing"
        if waits and self.business.act(Verb.STOP, row) is None:
            raise Refused(409, "status", "the order is being worked on; ask again")
        done = waits and self.objects.status(row, self.view.now)[0] == "Cancelled"
        why = "" if done else "it is picked, gone, or cancelled already"
        number = self.objects.number(row)
        result: dict[str, Any] = {"shipment_id": number, "action": "Cancel", "is_success": done, "reason": why}
        return answered(200 if done else 422, {
            "order_id": number, "order": self.objects.order(row, self.view.now),
            "status": "Success" if done else "Failure", "canceled_shipment_results": [result],
        })  # fmt: skip

    def _inventory(self, call: Call) -> Answer:
        size, page = whole(call, "Limit", 50, 250), whole(call, "Page", 1, 10**6)
        skus = range(self.view.world.setting.shop.skus)
        if asked := call.asked("IDs"):
            skus = [sku for sku in skus if str(sku + 1) in asked.split(",")]
        stocks, awaiting = self.objects.shelf.stocks(), self.receiving.awaiting()
        places, pages = by_number(len(skus), page, size)
        made = [self.objects.inventory(skus[n], stocks, int(awaiting[skus[n]])) for n in places]
        return answered(200, made, page_number=str(page), total_pages=str(pages))

    def _item(self, call: Call) -> Answer:
        text = call.found["id"]
        sku = int(text) - 1 if text.isdigit() and len(text) < 9 else -1
        if not 0 <= sku < self.view.world.setting.shop.skus:
            raise absent()
        awaiting = int(self.receiving.awaiting()[sku])
        return answered(200, self.objects.inventory(sku, self.objects.shelf.stocks(), awaiting))
