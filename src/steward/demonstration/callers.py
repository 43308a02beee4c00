"""Who calls whom over HTTP: an address, what opens it, and the patience to ask again where a process was killed."""

from __future__ import annotations

from typing import Any

import httpx

from steward.demonstration.processes import Processes
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import Infrastructure

_SECONDS = 60.0


class Refused(Infrastructure):
    """An answer that nobody expected here."""


class Caller:
    """Every call may be repeated: it reads, or names itself by a key, or says where it wants to be."""

    def __init__(self, processes: Processes, address: str, token: str) -> None:
        self._processes = processes
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=address, headers=headers, timeout=_SECONDS, trust_env=False)

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer, once there is one. A server that stumbles is asked again, and so is one that was killed over this
        very request: its key comes free after a minute.
        """

        def asked() -> httpx.Response | None:
            answer = self._client.request(method, path, **more)
            return None if answer.status_code >= 500 or _is_in_flight(answer) else answer

        return self._processes.until(asked, f"{method} {path}")

    def get(self, path: str, **query: Any) -> JsonObject:
        return self._good(self.send("GET", path, params=query))

    def post(self, path: str, document: Any = None, **more: Any) -> JsonObject:
        return self._good(self.send("POST", path, json=document, **more))

    def _good(self, answer: httpx.Response) -> JsonObject:
        if not answer.is_success:
            raise Refused(f"HTTP {answer.status_code}: {answer.text[:300]}", where=str(answer.request.url))
        return answer.json()

    def close(self) -> None:
        self._client.close()


def _is_in_flight(answer: httpx.Response) -> bool:
    return answer.status_code == 409 and '"in_flight"' in answer.text
