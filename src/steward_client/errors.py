"""What goes wrong: an answer that is a problem document, or no answer at all."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A problem document (RFC 9457). `code` is stable; `errors` has an entry for each part that was refused."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.problem = problem
        self.code = str(problem.get("code", "http"))
        self.detail = str(problem.get("detail", ""))
        self.errors: list[dict[str, Any]] = list(problem.get("errors", []))
        super().__init__(f"{status} {self.code}: {self.detail}")


class NotAllowed(ApiError):
    """No live key (401), or one that lacks the scope or the role (403)."""


class NotFound(ApiError):
    """There is nothing of this name."""


class Unreachable(Exception):
    """No answer after every try. Whether it was done is not known; the same Idempotency-Key finds out."""

    def __init__(self, what: str, idempotency_key: str | None) -> None:
        self.idempotency_key = idempotency_key
        super().__init__(what)


def error_of(status: int, problem: dict[str, Any]) -> ApiError:
    """The error for a status."""
    kind = {401: NotAllowed, 403: NotAllowed, 404: NotFound}.get(status, ApiError)
    return kind(status, problem)
