"""What OpenAPI cannot read off the routes that take raw bodies."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from steward.contracts.event import Envelope
from steward.contracts.payloads import PAYLOADS
from steward.kernel.canonical import JsonObject

_ENVELOPE: dict[str, Any] = Envelope.model_json_schema()
_TYPES = {"type": "string", "enum": sorted(PAYLOADS)}
_ANY_EVENT: dict[str, Any] = {
    **_ENVELOPE,
    "title": "CloudEvent",
    "properties": {
        **_ENVELOPE["properties"],
        "type": _TYPES,
        "specversion": {"const": "1.0"},
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"type": "string"},
        "expectedversion": {
            "type": "integer",
            "minimum": 0,
            "description": "how many events the stream named by `subject` must hold",
        },
    },
}
# One type whole, so that a reader and a generator see what a valid event looks like; the others are in the reference.
_PAYMENT: dict[str, Any] = {
    **_ANY_EVENT,
    "title": "PaymentCaptured",
    "properties": {
        **_ANY_EVENT["properties"],
        "type": {"const": "PaymentCaptured"},
        "schemaversion": {"const": 1},
        "data": PAYLOADS["PaymentCaptured"].model_json_schema(),
    },
}
_EVENT: dict[str, Any] = {"anyOf": [_PAYMENT, _ANY_EVENT]}
_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}
ONE_BODY: dict[str, Any] = {
    "parameters": [_KEY],
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": _EVENT} for kind in ("application/cloudevents+json", "application/json")},
    },
}
BATCH_BODY: dict[str, Any] = {
    "parameters": [_KEY],
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "array", "maxItems": 10000, "items": _EVENT}}
            for kind in ("application/cloudevents-batch+json", "application/json")
        },
    },
}
PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457; `code` is stable, `errors` has an entry for each part that was refused.",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "path", "code", "detail"],
                "properties": {
                    "index": {"type": "integer"},
                    "path": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_MEANINGS = {
    201: "stored",
    207: "some events were refused, the others are stored",
    400: "cannot be read",
    401: "no live API key",
    403: "the key lacks the scope",
    404: "there is none of this name",
    409: "a conflict with what is stored",
    413: "too large",
    415: "a form that is not read here",
    422: "understood and refused",
    429: "too much at once: see Retry-After",
    503: "the database does not answer: see Retry-After",
}
_CONTENT: dict[str, Any] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers that are problem documents, for a route's `responses`."""
    return {status: {"description": _MEANINGS[status], "content": _CONTENT} for status in sorted(statuses)}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    201: {"description": _MEANINGS[201]},
    **problems(207, 400, 401, 403, 409, 413, 415, 422, 429, 503),
}
READING = problems(401, 403, 422, 503)
"""Of a route that reads."""
FINDING = problems(401, 403, 404, 422, 503)
"""Of a route that reads one thing by name."""
CHANGING = problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
"""Of a route that changes something."""


def json_body(model: type[BaseModel], example: JsonObject, *, has_key: bool = False) -> dict[str, Any]:
    """The body of a route that reads its body itself, and the Idempotency-Key where it asks for one."""
    schema = model.model_json_schema()
    content = {"application/json": {"schema": schema, "example": example}}
    parameters = {"parameters": [{**_KEY, "required": True}]} if has_key else {}
    return {**parameters, "requestBody": {"required": True, "content": content}}
