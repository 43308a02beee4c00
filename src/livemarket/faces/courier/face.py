"""The label API's face: who may call, and which path does what."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from livemarket.core.acts import Verb
from livemarket.faces.business import Business, Happened
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.courier.parcels import Bought, Parcels
from livemarket.faces.courier.refusals import Action, Refused, absent, request_id, whole
from livemarket.faces.courier.signing import Signer
from livemarket.faces.door import No, Route
from livemarket.faces.faults import Faults
from livemarket.faces.idempotency import Keys
from livemarket.faces.pages import by_number
from livemarket.faces.webhooks import Endpoint, Notice, Post

HOOKS = "/v1/environment/webhooks"
_SAID = {
    No.NOT_FOUND: (404, "invalid_identifier", "this world has no such path"),
    No.WRONG_METHOD: (405, "unspecified", "this path has no such method"),
    No.RATE_LIMITED: (429, "rate_limit_exceeded", "too many requests"),
    No.OUTAGE: (503, "unspecified", "an outage somebody asked for"),
    No.KEY_REUSED: (400, "unspecified", "key used"), No.KEY_IN_USE: (409, "unspecified", "key in use"),
    No.TOO_LARGE: (413, "unspecified", "the body is too large"),
}  # fmt: skip


class Courier:
    """Reads go through `parcels`."""

    name = "courier"

    def __init__(self, business: Business, faults: Faults, seed: int) -> None:
        self.business = business
        self.keys = Keys(0)
        self.parcels = Parcels(business)
        self.view = self.parcels.view
        self.signer = Signer()
        self.post = Post(self.name, self.signer.headers, faults)
        self.base = ""
        self._quiet: set[int] = set()  # parcels whose news nobody wants
        self._token = f"TEST_{hashlib.sha256(f'livemarket/courier/{seed}'.encode()).hexdigest()[:40]}"

    def listens(self, base: str) -> None:
        self.base = base

    def credentials(self) -> dict[str, str]:
        return {"api_key": self._token}

    def refused(self, call: Call) -> Answer | None:
        if call.path == "/jwks" or call.headers.get("api-key") == self._token:
            return None
        return Refused(401, "unauthorized", "The API key is invalid.", "security").answer(call, self.view.now)

    def no(self, why: No, call: Call, retry_after: int = 0) -> Answer:
        status, code, said = _SAID[why]
        answer = Refused(status, code, said, "system").answer(call, self.view.now)
        if why in {No.RATE_LIMITED, No.OUTAGE}:
            answer.headers["retry-after"] = str(max(retry_after, 1))
        return answer

    def key(self, call: Call) -> str | None:
        return None  # ShipEngine takes no keys; labels are found again by external_order_id's label

    def notices(self, happened: Happened) -> list[Notice]:
        if not self.post.endpoints:
            return []
        row = happened.columns.get("order", -1)
        if happened.kind not in {"shipped", "scanned", "delivered"} or self.parcels.number(row) in self._quiet:
            return []
        data = self.parcels.tracking(row, happened.moment, self.base)
        place = f"{self.base}/v1/labels/se-{self.parcels.number(row)}/track"
        key = f"{happened.kind}/{data['tracking_number']}"
        return [Notice(key, "track", {"resource_url": place, "resource_type": "API_TRACK", "data": data})]

    def routes(self) -> Sequence[Route]:
        made: list[tuple[str, str, Action]] = [
            ("GET", "/jwks", lambda _: answered(200, self.signer.keys())),
            ("GET", "/v1/carriers", lambda call: answered(200, {
                "carriers": [self._carrier(n) for n in range(len(self.parcels.couriers()))],
                "request_id": request_id(call, self.view.now), "errors": []})),
            ("GET", "/v1/carriers/{id}/services", lambda call: answered(
                200, {"services": self._carrier(self._named_carrier(call.found["id"]))["services"]})),
            ("GET", "/v1/labels", self._labels),
            ("POST", "/v1/labels", self._buy),
            ("GET", "/v1/labels/{id}", lambda call: answered(200, self._label(self._row(call), call))),
            ("GET", "/v1/labels/{id}/track", lambda call: answered(
                200, self.parcels.tracking(self._row(call), self.view.now, call.base))),
            ("PUT", "/v1/labels/{id}/void", self._void),
            ("GET", "/v1/tracking", lambda call: answered(
                200, self.parcels.tracking(self._tracked(call), self.view.now, call.base))),
            ("POST", "/v1/tracking/start", lambda call: self._news(call, wanted=True)),
            ("POST", "/v1/tracking/stop", lambda call: self._news(call, wanted=False)),
            ("GET", HOOKS, lambda _: answered(200, [self._hook(e) for e in self.post.endpoints.values()])),
            ("POST", HOOKS, self._listen),
            ("GET", f"{HOOKS}/{{id}}", lambda call: answered(200, self._hook(self._endpoint(call)))),
            ("DELETE", f"{HOOKS}/{{id}}", self._forget),
        ]  # fmt: skip
        return [Route(method, path, self._guarded(action)) for method, path, action in made]

    def _guarded(self, action: Action) -> Action:
        def handler(call: Call) -> Answer:
            try:
                return action(call)
            except Refused as refusal:
                return refusal.answer(call, self.view.now)

        return handler

    def _carrier(self, n: int) -> dict[str, Any]:
        code = self.parcels.couriers()[n]
        service = {
            "carrier_id": f"se-c{n + 1}", "service_code": f"{code}_ground", "domestic": True,
            "name": f"{code.capitalize()} Ground", "international": False, "is_multi_package_supported": False,
        }  # fmt: skip
        return {
            "carrier_id": f"se-c{n + 1}", "carrier_code": code, "account_number": "simulated", "primary": n == 0,
            "requires_funded_amount": False, "balance": 0, "nickname": code, "friendly_name": code.capitalize(),
            "services": [service], "packages": [{"package_code": "package", "name": "Package"}], "options": [],
        }  # fmt: skip

    def _named_carrier(self, name: str) -> int:
        codes = self.parcels.couriers()
        for n, code in enumerate(codes):
            if name in {code, f"se-c{n + 1}"}:
                return n
        raise absent(f"carrier {name}")

    def _row(self, call: Call) -> int:
        row = self.parcels.named(call.found["id"])
        if row is None:
            raise absent(f"label {call.found['id']}")
        return row

    def _tracked(self, call: Call) -> int:
        row, carrier = self.parcels.tracked(call.asked("tracking_number")), call.asked("carrier_code")
        if row is None or (carrier and self._named_carrier(carrier) != self.parcels.courier(row, self.view.now)):
            raise absent("the parcel")
        return row

    def _label(self, row: int, call: Call) -> dict[str, Any]:
        return self.parcels.label(row, self.view.now, call.base)

    def _labels(self, call: Call) -> Answer:
        size, page = whole(call, "page_size", 25, 500), whole(call, "page", 1, 10**6)
        code, status, rows = call.asked("tracking_number"), call.asked("label_status"), self.parcels.rows().tolist()
        if code:
            rows = [row for row in rows if row == self.parcels.tracked(code)]
        if status:
            rows = [row for row in rows if self._label(row, call)["status"] == status]
        places, pages = by_number(len(rows), page, size)
        base = f"{call.base}/v1/labels?page_size={size}&page="
        links: dict[str, Any] = {"first": {"href": f"{base}1"}, "last": {"href": f"{base}{max(pages, 1)}"}}
        links["prev"] = {"href": f"{base}{page - 1}"} if page > 1 else {}
        links["next"] = {"href": f"{base}{page + 1}"} if page < pages else {}
        labels = [self._label(rows[n], call) for n in places]
        return answered(200, {"labels": labels, "total": len(rows), "page": page, "pages": pages, "links": links})

    def _buy(self, call: Call) -> Answer:
        """A label for an order that is not picked: its parcel goes with the courier of the label."""
        try:
            given: Any = call.document()["shipment"]
            order, carrier = str(given["external_order_id"]), given.get("carrier_id") or given["service_code"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            why = "shipment with external_order_id (whose goods?) and carrier_id or service_code are needed"
            raise Refused(400, "field_value_required", why) from error
        courier = self._named_carrier(str(carrier).removesuffix("_ground"))
        row = self.view.named_order(order)
        if row is None:
            raise absent(f"order {order}")
        number = self.parcels.number(row)
        if not self.parcels.waits(row):
            raise Refused(400, "invalid_status", "this order is picked, gone or cancelled", "business_rules")
        known = self.parcels.bought.get(number)
        if known and known.voided is None:
            raise Refused(400, "identifier_conflict", f"this order has label se-{number}: void it", "business_rules")
        if self.business.act(Verb.LABEL, row, courier) is None:
            raise Refused(409, "unspecified", "not now; ask again", "system")
        self.parcels.bought[number] = Bought(self.view.now, courier)
        return answered(200, self._label(row, call))

    def _void(self, call: Call) -> Answer:
        row = self._row(call)
        own = self.parcels.bought.get(self.parcels.number(row))
        if own is None or not self.parcels.waits(row):
            said = {"approved": False, "message": "The parcel is picked.", "reason_code": "label_already_used"}
            return answered(200, said)
        if own.voided is not None:
            said = {"approved": False, "message": "It is void already.", "reason_code": "label_already_voided"}
            return answered(200, said)
        if self.business.act(Verb.LABEL, row, -1) is None:
            raise Refused(409, "unspecified", "not now; ask again", "system")
        own.voided = self.view.now
        return answered(200, {"approved": True, "message": "The label is void."})

    def _news(self, call: Call, *, wanted: bool) -> Answer:
        number = self.parcels.number(self._tracked(call))
        self._quiet = self._quiet - {number} if wanted else self._quiet | {number}
        return Answer(204, b"")

    def _hook(self, endpoint: Endpoint) -> dict[str, Any]:
        return {"webhook_id": endpoint.id, "url": endpoint.url, "event": "track"}

    def _endpoint(self, call: Call) -> Endpoint:
        if call.found["id"] not in self.post.endpoints:
            raise absent(f"webhook {call.found['id']}")
        return self.post.endpoints[call.found["id"]]

    def _listen(self, call: Call) -> Answer:
        try:
            given: Any = call.document()
            url, event = given["url"], given["event"]
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(400, "field_value_required", "url and event are needed") from error
        if not isinstance(url, str) or not url.startswith("http") or event != "track":
            raise Refused(400, "invalid_field_value", "url is an address, event is track: this world has no other")
        if any(endpoint.url == url for endpoint in self.post.endpoints.values()):
            raise Refused(409, "webhook_event_type_conflict", "this address listens already")
        key = f"se-{hashlib.sha256(f'{self._token}/{url}'.encode()).hexdigest()[:12]}"
        self.post.endpoints[key] = Endpoint(key, url, "", (event,), self.view.now)
        return answered(200, self._hook(self.post.endpoints[key]))

    def _forget(self, call: Call) -> Answer:
        del self.post.endpoints[self._endpoint(call).id]
        return Answer(204, b"")
