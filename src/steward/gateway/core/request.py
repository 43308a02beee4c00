"""The request a port's verb stands for, while no system is connected that does it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from steward.contracts.port import PortVerb
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput

_PATH_PART = re.compile(r"\{([a-z_.]+)\}")


def build_request(verb: PortVerb, params: JsonObject, idempotency_key: str) -> JsonObject:
    """Method, path, headers and body. A parameter the port names and the action lacks is `BadInput`."""
    path = _PATH_PART.sub(lambda match: quote(str(_at(params, match[1], verb.verb)), safe=""), verb.path)
    return {
        "method": verb.method,
        "path": path,
        "headers": {verb.idempotency_header: idempotency_key, "Content-Type": "application/json"},
        "body": {field: _at(params, source, verb.verb) for field, source in verb.body.items()},
    }


def _at(params: JsonObject, path: str, verb: str) -> Any:
    value: Any = params
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            raise BadInput(f"the action has no parameter {path!r}", where=verb)
        value = value[part]  # pyright: ignore[reportUnknownVariableType]
    return value  # pyright: ignore[reportUnknownVariableType]
