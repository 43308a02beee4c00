"""Old payload versions as the current ones: one small pure function each, chained."""

from __future__ import annotations

from collections.abc import Callable

from steward.kernel.canonical import JsonObject

UPCASTERS: dict[tuple[str, int], Callable[[JsonObject], JsonObject]] = {}


def upcast(event_type: str, version: int, data: JsonObject) -> tuple[int, JsonObject]:
    """The data in the current version of its type, and that version. The input is never changed."""
    while (step := UPCASTERS.get((event_type, version))) is not None:
        data, version = step(data), version + 1
    return version, data
