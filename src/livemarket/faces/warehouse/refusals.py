"""How the warehouse says no: a list of sentences under the field they are about."""

from __future__ import annotations

from collections.abc import Callable

from livemarket.faces.calls import Answer, Call, Refusal, answered

Action = Callable[[Call], Answer]


class Refused(Refusal):
    """A call that would not be taken; nothing was done."""

    def __init__(self, status: int, field: str, why: str) -> None:
        super().__init__(why)
        self.status, self.field = status, field

    def answer(self) -> Answer:
        return answered(self.status, {self.field: [str(self)]}, kept=False)


def absent() -> Refused:
    return Refused(404, "id", "not found")


def whole(call: Call, name: str, otherwise: int, most: int) -> int:
    """A number of the query."""
    text = call.asked(name, str(otherwise))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise Refused(400, name, f"is from 1 to {most}")
    return int(text)
