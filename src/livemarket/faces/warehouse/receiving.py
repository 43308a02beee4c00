"""Receiving orders: every purchase on its way to the shelf is one. One that is asked for here really is bought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from livemarket.core.acts import Verb
from livemarket.faces.business import DAY, iso
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.pages import by_number
from livemarket.faces.warehouse.objects import CENTER
from livemarket.faces.warehouse.refusals import Action, Refused, absent, whole
from livemarket.files import names

if TYPE_CHECKING:
    from livemarket.faces.warehouse.face import Warehouse

DOCK_SECOND = 31_000  # suppliers' lorries come in the morning
WRITTEN_OFF = 10  # days after the promised one


class Receiving:
    """Purchases as of now. `groups`: several purchases that one receiving order asked for, under its first one."""

    def __init__(self, face: Warehouse) -> None:
        self._face = face
        self.groups: dict[int, list[int]] = {}
        self.numbers: dict[int, str] = {}

    def placed(self, row: int) -> int:
        """When a purchase was made; the second is known for today's."""
        view = self._face.view
        day = view.cell("purchases", "day", row)
        for fact in self._face.business.world.facts.items if day == self._face.business.morning.day else ():
            if fact.kind == "purchase" and row in fact.columns["purchase"].tolist():
                return day * DAY + int(fact.columns["second"][fact.columns["purchase"].tolist().index(row)])
        return day * DAY

    def state(self, row: int) -> tuple[str, int]:
        """Awaiting, Completed or Cancelled, and since when."""
        view = self._face.view
        off = view.state.called_off.get(row)
        if off is not None and off <= view.now:
            return "Cancelled", off
        arrives = view.cell("purchases", "arrives", row) * DAY + DOCK_SECOND
        if view.cell("purchases", "received", row) and arrives <= view.now:
            return "Completed", arrives
        gone = arrives + WRITTEN_OFF * DAY
        if not view.cell("purchases", "received", row) and gone <= view.now:
            return "Cancelled", gone
        return "Awaiting", self.placed(row)

    def whole(self, first: int) -> tuple[str, int]:
        """The state of a receiving order: PartiallyArrived while some of its purchases are still awaited."""
        states = [self.state(row) for row in self.groups.get(first, [first])]
        kinds, since = {kind for kind, _ in states}, max(moment for _, moment in states)
        if kinds == {"Awaiting"} or len(kinds) == 1:
            return states[0][0], since
        return ("PartiallyArrived" if "Awaiting" in kinds else "Completed"), since

    def rows(self) -> list[int]:
        """Receiving orders by their first purchase, newest first."""
        joined = {row for group in self.groups.values() for row in group[1:]}
        rows = range(self._face.view.state.purchases.length - 1, -1, -1)
        return [row for row in rows if row not in joined and self.placed(row) <= self._face.view.now]

    def awaiting(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Pieces on their way, for each product."""
        view = self._face.view
        made = np.zeros(view.world.setting.shop.skus, dtype=np.int64)
        for row in range(view.state.purchases.length):
            if self.placed(row) <= view.now and self.state(row)[0] == "Awaiting":
                made[view.cell("purchases", "sku", row)] += view.cell("purchases", "units", row)
        return made

    def shown(self, first: int) -> dict[str, Any]:
        view, rows = self._face.view, self.groups.get(first, [first])
        status, since = self.whole(first)
        arrives = max(view.cell("purchases", "arrives", row) for row in rows)
        items: list[dict[str, Any]] = []
        for row in rows:
            sku, units = view.cell("purchases", "sku", row), view.cell("purchases", "units", row)
            came = units if self.state(row)[0] == "Completed" else 0
            items.append({
                "inventory_id": sku + 1, "sku": names.sku(sku), "expected_quantity": units, "received_quantity": came,
                "stowed_quantity": came,
            })  # fmt: skip
        history = [{"id": 1, "status": "Awaiting", "timestamp": iso(self.placed(first))}]
        if status != "Awaiting":
            history.append({"id": 2, "status": status, "timestamp": iso(since)})
        return {
            "id": first + 1, "status": status, "package_type": "Package", "box_packaging_type": "EverythingInOneBox",
            "fulfillment_center": CENTER | {"timezone": "UTC"}, "inventory_quantities": items,
            "purchase_order_number": self.numbers.get(first, f"po-{first}"),
            "expected_arrival_date": iso(arrives * DAY + DOCK_SECOND), "insert_date": iso(self.placed(first)),
            "last_updated_date": iso(since), "status_history": history, "box_labels_uri": None,
        }  # fmt: skip


def table(face: Warehouse) -> list[tuple[str, str, Action]]:
    """Method, path, action."""
    return [
        ("GET", "/2.0/receiving", lambda call: _list(face, call)),
        ("POST", "/2.0/receiving", lambda call: _create(face, call)),
        ("GET", "/2.0/receiving/{id}", lambda call: answered(200, face.receiving.shown(_found(face, call)))),
        ("POST", "/2.0/receiving/{id}/cancel", lambda call: _cancel(face, call)),
    ]


def _list(face: Warehouse, call: Call) -> Answer:
    size, page = whole(call, "Limit", 50, 250), whole(call, "Page", 1, 10**6)
    rows = [face.receiving.shown(row) for row in face.receiving.rows()]
    status, number = call.asked("Statuses"), call.asked("PurchaseOrderNumbers")
    rows = [row for row in rows if not status or row["status"] in status.split(",")]
    rows = [row for row in rows if not number or row["purchase_order_number"] in number.split(",")]
    places, pages = by_number(len(rows), page, size)
    return answered(200, [rows[n] for n in places], page_number=str(page), total_pages=str(pages))


def _found(face: Warehouse, call: Call) -> int:
    text = call.found["id"]
    first = int(text) - 1 if text.isdigit() and len(text) < 12 else -1
    if first not in face.receiving.rows():
        raise absent()
    return first


def _asked(face: Warehouse, call: Call) -> tuple[str, dict[int, int]]:
    """Its purchase order number, and pieces by product."""
    try:
        given: Any = call.document()
        center, boxes = given["fulfillment_center"]["id"], given["boxes"]
        lines = [(line["inventory_id"], line["quantity"]) for box in boxes for line in box["box_items"]]
        number = str(given.get("purchase_order_number", ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(400, "boxes", "fulfillment_center.id and boxes with box_items are needed") from error
    if center != CENTER["id"]:
        raise Refused(422, "fulfillment_center", f"this world has one warehouse, {CENTER['id']}")
    count, wanted = face.view.world.setting.shop.skus, dict[int, int]()
    for item, quantity in lines:
        if type(item) is not int or type(quantity) is not int or not 1 <= item <= count or not 1 <= quantity <= 100_000:
            raise Refused(422, "box_items", f"inventory_id is from 1 to {count}, quantity from 1 to 100000")
        wanted[item - 1] = wanted.get(item - 1, 0) + quantity
    if not wanted:
        raise Refused(422, "boxes", "nothing is in them")
    return number, wanted


def _create(face: Warehouse, call: Call) -> Answer:
    number, wanted = _asked(face, call)
    world = face.view.world
    for sku, units in wanted.items():
        least = int(world.suppliers.least_units[world.products.supplier[sku]])
        if units < least:
            raise Refused(422, "box_items", f"the supplier of {names.sku(sku)} sends no fewer than {least}")
    made: list[int] = []
    for sku, units in wanted.items():
        if face.business.act(Verb.BUY_STOCK, sku, units) is None:
            raise Refused(409, "boxes", "not now; ask again for what GET /2.0/receiving does not show")
        made.append(face.view.state.purchases.length - 1)
    face.receiving.groups[made[0]] = made
    if number:
        face.receiving.numbers[made[0]] = number
    return answered(201, face.receiving.shown(made[0]))


def _cancel(face: Warehouse, call: Call) -> Answer:
    first = _found(face, call)
    rows = face.receiving.groups.get(first, [first])
    if any(face.receiving.state(row)[0] != "Awaiting" for row in rows):
        raise Refused(422, "status", "only a receiving order that is awaited can be cancelled")
    for row in rows:
        if face.business.act(Verb.CALL_OFF, row) is None or face.receiving.state(row)[0] != "Cancelled":
            raise Refused(409, "status", "it is at the door; it cannot be cancelled any more")
    return answered(200, face.receiving.shown(first))
