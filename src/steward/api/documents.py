"""What OpenAPI cannot read off the routes that take raw bodies."""

from __future__ import annotations

from typing import Any

from steward.contracts.event import Envelope
from steward.contracts.payloads import PAYLOADS

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
_PROBLEM: dict[str, Any] = {
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
    409: "a conflict with what is stored",
    413: "too large",
    415: "a form that is not read here",
    422: "understood and refused",
    429: "too much at once: see Retry-After",
    503: "the database does not answer: see Retry-After",
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": meaning}
    | ({} if status == 201 else {"content": {"application/problem+json": {"schema": _PROBLEM}}})
    for status, meaning in _MEANINGS.items()
}
