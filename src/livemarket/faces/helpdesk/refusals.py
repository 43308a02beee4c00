"""How the help desk says no."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livemarket.faces.calls import Answer, Call, Refusal, answered
from livemarket.faces.shapes import an_object

Action = Callable[[Call], Answer]


class Refused(Refusal):
    """A call that would not be taken; nothing was done. `field`: which part of the record is wrong."""

    def __init__(self, status: int, error: str, description: str, field: str = "") -> None:
        super().__init__(description)
        self.status, self.error, self.field = status, error, field

    def answer(self) -> Answer:
        body: dict[str, Any] = {"error": self.error, "description": str(self)}
        if self.field:
            body["description"] = "Record validation errors"
            body["details"] = {self.field: [{"description": str(self), "error": "InvalidValue"}]}
        return answered(self.status, body, kept=False)


def absent() -> Refused:
    return Refused(404, "RecordNotFound", "Not found")


def invalid(field: str, description: str) -> Refused:
    return Refused(422, "RecordInvalid", description, field)


def document(call: Call, name: str) -> dict[str, Any]:
    """The object of this name in the body."""
    try:
        made: Any = call.document()[name]
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(400, "InvalidParameter", f"The body is JSON with an object named {name}.") from error
    found = an_object(made)
    if found is None:
        raise Refused(400, "InvalidParameter", f"{name} is an object.")
    return found
