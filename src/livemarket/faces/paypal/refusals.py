"""How PayPal says no."""

from __future__ import annotations

from typing import Any

from livemarket.faces.calls import Answer, Refusal, answered

_NAMES = {
    400: "INVALID_REQUEST", 401: "AUTHENTICATION_FAILURE", 404: "RESOURCE_NOT_FOUND", 405: "METHOD_NOT_SUPPORTED",
    409: "RESOURCE_CONFLICT", 413: "INVALID_REQUEST", 422: "UNPROCESSABLE_ENTITY", 429: "RATE_LIMIT_REACHED",
    503: "SERVICE_UNAVAILABLE",
}  # fmt: skip


class Refused(Refusal):
    """A call PayPal would not take; nothing was done."""

    def __init__(self, status: int, issue: str, description: str, field: str = "") -> None:
        super().__init__(description)
        self.status, self.issue, self.field = status, issue, field

    def answer(self) -> Answer:
        detail: dict[str, Any] = {"issue": self.issue, "description": str(self)}
        if self.field:
            detail |= {"field": self.field, "location": "body"}
        body = {"name": _NAMES[self.status], "message": str(self), "debug_id": "simulated", "details": [detail]}
        return answered(self.status, body | {"links": []}, kept=False)
