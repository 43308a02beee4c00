"""What comes in and what goes out, without any server."""

from __future__ import annotations

import hmac
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class Call:
    """One request. Header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    base: str = ""
    found: dict[str, str] = field(default_factory=dict[str, str])

    def pairs(self) -> list[tuple[str, str]]:
        """The query's names and values, in order."""
        return parse_qsl(self.query, keep_blank_values=True)

    def asked(self, name: str, otherwise: str = "") -> str:
        return dict(self.pairs()).get(name, otherwise)

    def bears(self, token: str) -> bool:
        """Whether the caller shows this bearer token."""
        return hmac.compare_digest(self.headers.get("authorization", "").encode(), f"Bearer {token}".encode())

    def document(self) -> Any:
        """The body as JSON; an empty one is an empty object. Raises ValueError."""
        return json.loads(self.body) if self.body.strip() else {}


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply. `kept`: an idempotency key replays it."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict[str, str])
    kept: bool = True


class Refusal(Exception, ABC):
    """A call that was not taken; nothing was done. Each face has its own."""

    @abstractmethod
    def answer(self) -> Answer: ...


def guarded(action: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    """The action with its refusals as answers."""

    def handler(call: Call) -> Answer:
        try:
            return action(call)
        except Refusal as refusal:
            return refusal.answer()

    return handler


def answered(status: int, document: Any, *, kept: bool = True, **headers: str) -> Answer:
    """A JSON reply."""
    made = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(document).encode(), made, kept)
