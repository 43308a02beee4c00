"""One request and its answer: tried again where that is safe, bounded, and problems as errors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import httpx

from steward_client.errors import Unreachable, error_of

MOST_ANSWER = 64 << 20
_AGAIN = frozenset({429, 503})
_LONGEST_WAIT = 30.0


class Transport:
    """Sends with the key; an answer of 429 or 503, a timeout or a broken connection is tried again with the same
    Idempotency-Key. What carries none and changes something is tried again only after 429: it did nothing.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        timeout_seconds: float,
        attempts: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if attempts < 1:
            raise ValueError("at least one attempt")
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {key}", "User-Agent": "steward-client"},
            timeout=timeout_seconds,
            follow_redirects=False,
        )
        self._attempts, self._sleep = attempts, sleep

    def close(self) -> None:
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        idempotency_key: str | None = None,
        query: Mapping[str, Any] | None = None,
        *,
        may_be_partial: bool = False,
    ) -> dict[str, Any]:
        """The JSON object answered. A status of 400 and more is an `ApiError`, unless it says how much was taken."""
        content = None if body is None else json.dumps(body).encode()
        headers = {} if content is None else {"Content-Type": "application/json"}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        given = {name: value for name, value in (query or {}).items() if value is not None}
        request = self._http.build_request(method, path, content=content, headers=headers, params=given)
        is_safe = method in {"GET", "PUT"} or idempotency_key is not None
        for attempt in range(1, self._attempts + 1):
            is_last = attempt == self._attempts
            try:
                response, document = self._once(request)
            except httpx.TransportError as error:
                if is_last or not is_safe:
                    raise Unreachable(f"{method} {path}: {error or type(error).__name__}", idempotency_key) from error
                self._sleep(_wait(attempt, None))
                continue
            if response.status_code < 400 or (may_be_partial and "accepted" in document):
                return document
            is_in_flight = response.status_code == 409 and document.get("code") == "in_flight"
            may_again = response.status_code == 429 or is_in_flight or (is_safe and response.status_code in _AGAIN)
            if is_last or not may_again:
                raise error_of(response.status_code, document)
            self._sleep(_wait(attempt, response.headers.get("retry-after")))
        raise AssertionError("the last attempt answers or raises")

    def _once(self, request: httpx.Request) -> tuple[httpx.Response, dict[str, Any]]:
        response = self._http.send(request, stream=True)
        try:
            parts: list[bytes] = []
            size = 0
            for part in response.iter_bytes():
                size += len(part)
                if size > MOST_ANSWER:
                    raise httpx.DecodingError(f"the answer is longer than {MOST_ANSWER} bytes")
                parts.append(part)
        finally:
            response.close()
        return response, _object(response, b"".join(parts))


def _object(response: httpx.Response, body: bytes) -> dict[str, Any]:
    """The body as a JSON object. An error that is none (a proxy's page) becomes a problem of its status."""
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        document = None
    if isinstance(document, dict):
        return cast("dict[str, Any]", document)
    if response.status_code >= 400:
        return {"code": "http", "detail": response.reason_phrase}
    raise httpx.DecodingError(f"the answer to {response.request.url.path} is no JSON object")


def _wait(attempt: int, retry_after: str | None) -> float:
    """Seconds before the next attempt: what the server asks for, else a quarter, a half, one, two."""
    asked = float(retry_after) if retry_after is not None and retry_after.isdecimal() and len(retry_after) < 6 else 0.0
    return min(_LONGEST_WAIT, max(asked, 0.25 * 2 ** (attempt - 1)))
