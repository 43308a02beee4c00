"""Stripe's lists: newest first, by cursor, filtered by date; and expansion of ids into objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from livemarket.faces.calls import Answer, answered
from livemarket.faces.pages import by_cursor
from livemarket.faces.shapes import a_list, an_object
from livemarket.faces.stripe.forms import listed

_BOUNDS: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda a, b: a > b, "gte": lambda a, b: a >= b, "lt": lambda a, b: a < b, "lte": lambda a, b: a <= b,
}  # fmt: skip
Find = Callable[[str], dict[str, Any] | None]
PAGING = frozenset({"limit", "starting_after", "ending_before", "expand", "created"})


class Refused(Exception):
    """A call Stripe would not take; nothing was done."""

    def __init__(self, status: int, message: str, code: str = "", param: str = "", kind: str = "") -> None:
        super().__init__(message)
        self.status = status
        body = {"message": message, "type": kind or "invalid_request_error"}
        self.error = body | ({"code": code} if code else {}) | ({"param": param} if param else {})

    def answer(self) -> Answer:
        return answered(self.status, {"error": self.error}, kept=False)


def whole(form: dict[str, Any], name: str, otherwise: int | None = None) -> int | None:
    """A parameter as a whole number."""
    value = form.get(name)
    if value is None:
        return otherwise
    if not isinstance(value, str) or not value.lstrip("-").isdigit():
        raise Refused(400, f"Invalid integer: {value}", "parameter_invalid_integer", name)
    return int(value)


def hashed(form: dict[str, Any], name: str) -> dict[str, Any]:
    """A parameter that has parameters."""
    value = form.get(name, {})
    if not isinstance(value, dict):
        raise Refused(400, "Invalid hash", "", name)
    return cast("dict[str, Any]", value)


def only(form: dict[str, Any], known: frozenset[str]) -> None:
    """Stripe refuses parameters it does not know."""
    for name in form:
        if name not in known:
            raise Refused(400, f"Received unknown parameter: {name}", "parameter_unknown", name)


def in_time(form: dict[str, Any], created: int) -> bool:
    """Whether a date is inside `created`, given as a number or as bounds."""
    asked = form.get("created")
    if asked is None:
        return True
    if isinstance(asked, str):
        return whole(form, "created") == created
    for name in asked:
        if name not in _BOUNDS:
            raise Refused(400, f"Received unknown parameter: created[{name}]", "parameter_unknown", "created")
    return all(test(created, whole(asked, name) or 0) for name, test in _BOUNDS.items() if name in asked)


def page(
    form: dict[str, Any], url: str, ids: Sequence[str], made: Callable[[str], dict[str, Any]], find: Find
) -> Answer:
    """One page of a list of ids."""
    limit = whole(form, "limit", 10) or 0
    if not 1 <= limit <= 100:
        raise Refused(400, "This value must be between 1 and 100.", "parameter_invalid_integer", "limit")
    after, before = str(form.get("starting_after", "")), str(form.get("ending_before", ""))
    if after and before:
        raise Refused(400, "You cannot use both starting_after and ending_before.", "", "starting_after")
    found = by_cursor(ids, limit, after, before)
    if found is None:
        raise Refused(400, f"No such object: '{after or before}'", "resource_missing", "starting_after")
    data = [made(key) for key in found[0]]
    body = {"object": "list", "url": url, "has_more": found[1], "data": data}
    return answered(200, expanded(body, form, find))


def expanded(document: dict[str, Any], form: dict[str, Any], find: Find) -> dict[str, Any]:
    """The document with the asked fields as objects."""
    for path in listed(form.get("expand")):
        parts = path.split(".")
        if len(parts) > 4:
            raise Refused(400, "You cannot expand more than 4 levels of a property.", "", "expand")
        _expand(document, parts, path, find)
    return document


def _expand(place: Any, parts: list[str], path: str, find: Find) -> None:
    several, one = a_list(place), an_object(place)
    if several is not None:
        for item in several:
            _expand(item, parts, path, find)
        return
    if one is None or parts[0] not in one:
        raise Refused(400, f"This property cannot be expanded ({path}).", "", "expand")
    value = one[parts[0]]
    if isinstance(value, str):
        made = find(value)
        if made is None:
            raise Refused(400, f"This property cannot be expanded ({path}).", "", "expand")
        one[parts[0]] = value = made
    if len(parts) > 1 and value is not None:
        _expand(value, parts[1:], path, find)
