"""Older versions of a payload, read as the current one. Stored events never change; every reader sees today's form.

`upcast_event` in SQL is the twin of this module, and a test holds the two side by side.

A key that an old version did not know was kept as it came. Where the next version gives such a key a meaning, it
stays only if its value can have that meaning. `customer` never stays: personal details are not in the log.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from steward.kernel.canonical import JsonObject

_DIGEST = re.compile(r"[0-9a-f]{64}")
_METHODS = frozenset({"original", "store_credit", "other", "unknown"})


def _is_person_id(value: object) -> bool:
    return value is None or (isinstance(value, str) and 1 <= len(value) <= 256)


def _is_digest(value: object) -> bool:
    return value is None or (isinstance(value, str) and _DIGEST.fullmatch(value) is not None)


def _is_discount(value: object) -> bool:
    return type(value) is int and 0 <= value <= 10**15


_MEANING: dict[str, Callable[[object], bool]] = {
    "customer": lambda _value: False,
    "person_id": _is_person_id,
    "person_digest": _is_digest,
}


def _fitting(data: JsonObject, meaning: dict[str, Callable[[object], bool]]) -> JsonObject:
    return {key: value for key, value in data.items() if key not in meaning or meaning[key](value)}


def _order_placed_1(data: JsonObject) -> JsonObject:
    channel = data.get("channel")
    known = _fitting(data, {**_MEANING, "discount_minor": _is_discount})
    return {**known, "channel": channel if isinstance(channel, str) else "unknown"}


def _refund_processed_1(data: JsonObject) -> JsonObject:
    method = data.get("method")
    known = method if isinstance(method, str) and method in _METHODS else "unknown"
    return {**_fitting(data, _MEANING), "method": known}


def _ticket_opened_1(data: JsonObject) -> JsonObject:
    """The message may have been taken out before the event was stored."""
    text = data.get("message")
    rest = {key: value for key, value in data.items() if key != "message"}
    return {**rest, "messages": [{"author": "customer", "text": text}] if isinstance(text, str) else []}


UPCASTERS: dict[tuple[str, int], Callable[[JsonObject], JsonObject]] = {
    ("OrderPlaced", 1): _order_placed_1,
    ("RefundProcessed", 1): _refund_processed_1,
    ("TicketOpened", 1): _ticket_opened_1,
}
"""From a version to the next one."""


def upcast(event_type: str, version: int, data: JsonObject) -> tuple[int, JsonObject]:
    """The current version and the data in its form. What is current already is handed back as it is."""
    while (step := UPCASTERS.get((event_type, version))) is not None:
        data = step(data)
        version += 1
    return version, data
