"""Errors as RFC 9457 problem documents, with a stable `code` and, for events, one entry for each that was refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import Response

from steward.kernel.canonical import JsonObject
from steward.kernel.errors import Busy, StewardError

_STATUS = {0: 200, 1: 409, 2: 400, 3: 503}
_WORDS = {"unknown_key": 401, "wrong_role": 403, "own_proposal": 403, "tired": 429}
RETRY_SECONDS = 1


def answered(document: object, status: int = 200) -> Response:
    """An answer as its door made it."""
    return Response(json.dumps(document, ensure_ascii=False), status, media_type="application/json")


class Problem(Exception):
    """An answer that is not what was asked for."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[JsonObject] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.headers, self.more = errors, dict(headers or {}), dict(more or {})

    def response(self) -> Response:
        return Response(
            json.dumps(self.to_json(), ensure_ascii=False),
            self.status,
            media_type="application/problem+json",
            headers=self.headers,
        )

    def to_json(self) -> JsonObject:
        document: JsonObject = {
            "type": f"urn:steward:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        return document | ({"errors": list(self.errors)} if self.errors else {}) | self.more


def counted(word: Mapping[str, object]) -> Mapping[str, object]:
    """What a person's word did; one that does not count is a problem with the door's own code."""
    code = str(word["code"])
    if code:
        raise Problem(_WORDS.get(code, 409), code, str(word["reason"]), more={"state": word["state"]})
    return word


def problem_of(error: StewardError) -> Problem:
    """One of our errors as a problem."""
    if isinstance(error, Busy):
        return Problem(429, error.code, str(error), headers={"Retry-After": str(RETRY_SECONDS)})
    headers = {"Retry-After": str(RETRY_SECONDS)} if error.exit_code == 3 else {}
    return Problem(_STATUS.get(error.exit_code, 500), error.code, str(error), headers=headers)
