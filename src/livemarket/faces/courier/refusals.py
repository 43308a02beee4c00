"""How the label API says no."""

from __future__ import annotations

from collections.abc import Callable
from uuid import NAMESPACE_URL, uuid5

from livemarket.faces.calls import Answer, Call, answered

Action = Callable[[Call], Answer]


def request_id(call: Call, now: int) -> str:
    """An id of a request; the same call at the same moment has the same one."""
    return str(uuid5(NAMESPACE_URL, f"{call.method} {call.path}?{call.query} {now}"))


class Refused(Exception):
    """A call that would not be taken; nothing was done."""

    def __init__(self, status: int, code: str, message: str, kind: str = "validation") -> None:
        super().__init__(message)
        self.status, self.code, self.kind = status, code, kind

    def answer(self, call: Call, now: int) -> Answer:
        error = {
            "error_source": "shipengine", "error_type": self.kind, "error_code": self.code, "message": str(self),
        }  # fmt: skip
        return answered(self.status, {"request_id": request_id(call, now), "errors": [error]}, kept=False)


def absent(what: str) -> Refused:
    return Refused(404, "invalid_identifier", f"{what} was not found")


def whole(call: Call, name: str, otherwise: int, most: int) -> int:
    """A number of the query."""
    text = call.asked(name, str(otherwise))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise Refused(400, "invalid_field_value", f"{name} is from 1 to {most}")
    return int(text)
