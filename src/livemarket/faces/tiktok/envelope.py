"""What every TikTok answer is wrapped in, and refusals."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from livemarket.faces.calls import Answer, Call, answered


class Refused(Exception):
    """A code that is not 0, with its message."""

    def __init__(self, code: int, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class Envelope:
    """Wraps answers; each gets a request id of its own."""

    def __init__(self, name: str, good: str) -> None:
        self._name = name
        self._good = good
        self._count = 0

    def _wrapped(self, status: int, code: int, message: str, data: Any) -> Answer:
        self._count += 1
        request = hashlib.sha256(f"{self._name}/{self._count}".encode()).hexdigest()[:32].upper()
        return answered(status, {"code": code, "message": message, "request_id": request, "data": data}, kept=code == 0)

    def good(self, data: Any) -> Answer:
        return self._wrapped(200, 0, self._good, data)

    def bad(self, refusal: Refused) -> Answer:
        return self._wrapped(refusal.status, refusal.code, refusal.message, {})

    def guarded(self, action: Callable[[Call], Any]) -> Callable[[Call], Answer]:
        """The action with what it gives, or how it refuses, in an envelope."""

        def handler(call: Call) -> Answer:
            try:
                return self.good(action(call))
            except Refused as refusal:
                return self.bad(refusal)

        return handler
