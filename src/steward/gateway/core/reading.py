"""What an answer says: done, refused, later, or nothing that can be relied on. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, cast

from steward.contracts.tool import ToolSpec, VerbSpec
from steward.gateway.core.templates import Absent, at, fill_any
from steward.kernel.canonical import JsonObject

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery

Kind = Literal["ok", "refused", "again", "unknown"]
_MOST_TEXT = 300
_MOST_WAIT = 86_400
_REDACTED = "(kept back)"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the network gave: an answer; nothing, and surely nothing was sent; or nothing after bytes may have gone."""

    kind: Literal["answer", "not_sent", "lost"]
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """What it says. `result` are the parts the verb names, `document` the whole; `retry_after` in seconds."""

    kind: Kind
    result: JsonObject = field(default_factory=dict[str, Any])
    remote_ref: str | None = None
    code: str = ""
    detail: str = ""
    retry_after: int | None = None
    document: Any = None


def document_of(body: bytes) -> Any:
    """A body as JSON with exact numbers; None where it is none."""
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


@lru_cache(maxsize=4096)
def _path(text: str) -> JSONPathQuery:
    from jsonpath_rfc9535 import compile as compiled

    return compiled(text)


def select(path: str, document: Any) -> list[Any]:
    """Everything a JSONPath finds."""
    return _path(path).find(document).values()


def read_reply(tool: ToolSpec, verb: VerbSpec, reply: Reply) -> Read:
    """An answer by its status, then by what the tool says marks a refusal. Only what was surely not done is `again`."""
    if reply.kind != "answer" or reply.status is None:
        return Read("again" if reply.kind == "not_sent" else "unknown", detail=reply.detail)
    document, status = document_of(reply.body), reply.status
    wait = _wait(reply.headers)
    if 200 <= status < 300:
        wrong = _marked({**tool.failed, **verb.failed}, document)
        if wrong:
            code, detail = _reason(document)
            return Read("refused", code=code or wrong, detail=detail, document=document)
        result, ref = result_of(verb, document)
        return Read("ok", result, ref, detail="" if document is not None else "no JSON", document=document)
    code, detail = _reason(document)
    code = code or f"http_{status}"
    if verb.idempotency is not None and verb.idempotency.again == status:
        result, ref = result_of(verb, document)  # the key was seen before: either here is what it did, or a person asks
        kind: Kind = "unknown" if ref is None else "ok"
        return Read(kind, result, ref, code, detail, document=document)
    if status in (408, 425, 429) or (status == 503 and wait is not None and not verb.effect):
        return Read("again", code=code, detail=detail, retry_after=wait, document=document)
    if (
        status == 409
        and verb.idempotency is not None
        and verb.idempotency.mode == "native"
        and _is_in_use(code, detail)
    ):
        return Read("again", code=code, detail=detail, retry_after=wait, document=document)
    if status >= 500:
        return Read("unknown", code=code, detail=detail, retry_after=wait, document=document)
    return Read("refused", code=code, detail=detail, retry_after=wait, document=document)


def result_of(verb: VerbSpec, document: Any) -> tuple[JsonObject, str | None]:
    """The parts of a good answer that the verb names, and the other side's reference."""
    found: JsonObject = {}
    for name, path in verb.result.items():
        values = select(path, document) if document is not None else []
        if values:
            found[name] = plain(values[0])
    ref = found.get("id")
    return found, None if ref is None else str(ref)[:300]


def matching(found: list[Any], wanted: Any) -> Any:
    """The first of what was found that holds everything wanted; None where none does."""
    return next((one for one in found if holds(one, wanted)), None)


def holds(one: Any, wanted: Any) -> bool:
    """Whether a value is what is wanted; an object may hold more than that."""
    if isinstance(wanted, Mapping):
        if not isinstance(one, Mapping):
            return False
        have = cast("Mapping[str, Any]", one)
        return all(k in have and holds(have[k], v) for k, v in cast("Mapping[str, Any]", wanted).items())
    return one == wanted and isinstance(one, bool) == isinstance(wanted, bool)


def differences(expect: Mapping[str, Any], values: Mapping[str, Any], document: Any) -> list[str]:
    """What of an answer is not as expected: JSONPath to value, or to a template of one."""
    wrong: list[str] = []
    for path, template in expect.items():
        wanted = fill_any(template, values)
        if isinstance(wanted, Absent):
            continue
        seen = select(path, document) if document is not None else []
        if not any(_equal(one, wanted) for one in seen):
            wrong.append(f"{path} is {str(plain(seen[0]) if seen else 'absent')[:80]}, not {str(wanted)[:80]}")
    return wrong


def _equal(one: Any, wanted: Any) -> bool:
    if isinstance(one, Decimal | int) and isinstance(wanted, Decimal | int) and not isinstance(one, bool):
        return Decimal(one) == Decimal(wanted)
    return holds(one, wanted)


def redacted(value: Any, names: frozenset[str], secrets: frozenset[str]) -> Any:
    """A value with the fields of these names, and every text that holds one of these secrets, kept back."""
    if isinstance(value, Mapping):
        return {
            key: _REDACTED if key in names else redacted(part, names, secrets)
            for key, part in cast("Mapping[str, Any]", value).items()
        }
    if isinstance(value, list):
        return [redacted(part, names, secrets) for part in cast("list[Any]", value)]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, _REDACTED)
    return value


def _marked(failed: Mapping[str, Any], document: Any) -> str:
    """Which mark of a refusal is in an answer whose status says it is good. A mark of null means: anything but null."""
    for path, value in failed.items():
        for seen in select(path, document) if document is not None else []:
            if (value is None and seen not in (None, [], "", {})) or (value is not None and holds(seen, value)):
                return "refused"
    return ""


_CODES = (
    "error.code",
    "error.type",
    "errorCode",
    "code",
    "name",
    "error",
    "errors.0.code",
    "Type",
    "errors.0.category",
)
_WORDS = (
    "error.message",
    "message",
    "error_description",
    "detail",
    "errors.0.detail",
    "errors.0.message",
    "Message",
    "description",
    "title",
    "error.error_message",
    "errors.0.description",
)  # fmt: skip - two columns of names


def _reason(document: Any) -> tuple[str, str]:
    """The other side's own code and words, from where systems commonly put them."""
    if not isinstance(document, Mapping):
        return "", ""
    values = cast("Mapping[str, Any]", document)
    return _first(values, _CODES)[:80], _first(values, _WORDS)[:_MOST_TEXT]


def _first(values: Mapping[str, Any], paths: tuple[str, ...]) -> str:
    for path in paths:
        value = at(values, path)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value):
            return re.sub(r"\s+", " ", str(value))
    return ""


def _is_in_use(code: str, detail: str) -> bool:
    """Whether a conflict only says that the first request under this key still runs."""
    text = f"{code} {detail}".lower()
    return any(word in text for word in ("in_use", "in use", "in progress", "in_progress", "in_flight", "concurrent"))


def _wait(headers: Mapping[str, str]) -> int | None:
    """Retry-After in seconds, as a number or against the answer's own date."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isdecimal() and len(text) < 10:
        return min(int(text), _MOST_WAIT)
    try:
        until, said = parsedate_to_datetime(text), parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(0, min(int((_utc(until) - _utc(said)).total_seconds()), _MOST_WAIT))


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value


def plain(value: Any) -> Any:
    """A value that canonical JSON can hold: exact numbers with a point become text."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [plain(part) for part in cast("list[Any]", value)]
    return value
