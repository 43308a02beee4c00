"""From a verb's description and its arguments to the exact request, unsigned: pure, and the same every time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlencode

import msgspec

from steward.contracts.tool import ToolSpec, VerbSpec
from steward.gateway.core.templates import Absent, as_text, fill, fill_any
from steward.kernel.canonical import JsonObject, canonical_text
from steward.kernel.errors import BadInput

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_PART = re.compile(r"\{([^{}]+)\}")
_BODILESS = frozenset({"GET", "DELETE"})
_EXACT = msgspec.json.Encoder(decimal_format="number")
_FIRST = 5


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """A request as it will be sent, without its signature: no secret is in it."""

    tool: str
    verb: str
    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    def to_json(self) -> JsonObject:
        """What shadow records and a person is shown."""
        return {
            "method": self.method,
            "url": self.url,
            "headers": self.headers,
            "body": self.body.decode("utf-8", "replace"),
        }


@lru_cache(maxsize=1024)
def _validator(schema: str) -> Validator:
    from jsonschema import Draft202012Validator, ValidationError, validators

    def pattern(_validator: Any, wanted: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
        if isinstance(value, str) and not _whole(wanted).search(value):
            yield ValidationError(f"{value!r} does not match {wanted!r}")

    document: Any = msgspec.json.decode(schema)
    extend = cast("Any", validators).extend
    return extend(Draft202012Validator, {"pattern": pattern})(
        document, format_checker=Draft202012Validator.FORMAT_CHECKER
    )


@lru_cache(maxsize=4096)
def _whole(pattern: str) -> re.Pattern[str]:
    """A pattern as JSON Schema reads it: `$` is the end of the text, not the place before its last line break."""
    return re.compile(
        re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", lambda m: r"\Z" if m[0] == "$" else m[0], pattern, flags=re.DOTALL)
    )


def problems_of(verb: VerbSpec, args: JsonObject) -> list[str]:
    """What of the arguments does not fit the verb, each with its place."""
    found: list[Any] = sorted(_validator(_schema(verb)).iter_errors(args), key=lambda error: str(error.json_path))
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


_SCHEMAS: dict[int, tuple[VerbSpec, str]] = {}


def _schema(verb: VerbSpec) -> str:
    """A verb's schema as text; verbs are kept by their tool's book, so each is written out once."""
    known = _SCHEMAS.get(id(verb))
    if known is None or known[0] is not verb:
        known = _SCHEMAS[id(verb)] = (verb, canonical_text(verb.params))
    return known[1]


def build_call(
    tool: ToolSpec, verb: VerbSpec, args: JsonObject, key: str, settings: Mapping[str, str], base: str
) -> ToolRequest:
    """The request of a verb. `key` is the effect's idempotency key, `settings` what the owner said of the tool, `base`
    its address. `BadInput` names every argument that does not fit.
    """
    where = f"{tool.tool}.{verb.verb}"
    wrong = problems_of(verb, args)
    if wrong:
        more = f" (and {len(wrong) - _FIRST} more)" if len(wrong) > _FIRST else ""
        raise BadInput("; ".join(wrong[:_FIRST]) + more, where=where, fix="steward tools show has what it takes")
    values: JsonObject = {**args, "key": key, "settings": dict(settings)}
    path, in_path = _path(verb.path, values, where)
    rest = {name: value for name, value in args.items() if name not in in_path}
    query = {} if verb.query is None else fill(verb.query, values)
    if verb.query is None and verb.method in _BODILESS and verb.body is None:
        query = rest
    body: Any = None
    if verb.body is not None:
        body = fill_any(verb.body, values)
        body = {} if isinstance(body, Absent) else body
    elif verb.method not in _BODILESS and (rest or verb.query is None):
        body = rest
    headers = {name: as_text(value) for name, value in fill({**tool.headers, **verb.headers}, values).items()}
    encoding = verb.encoding or tool.encoding
    content, kind = _encoded(body, encoding, where)
    if not kind:
        headers.pop("Content-Type", None)
    elif encoding in ("multipart", "form") or "Content-Type" not in headers:  # a tool may have its own name for JSON
        headers["Content-Type"] = kind
    if verb.idempotency and verb.idempotency.mode == "native" and verb.idempotency.header:
        headers[verb.idempotency.header] = key
    for name, value in headers.items():
        if not value.isprintable() or not value.isascii():
            raise BadInput(f"the header {name} would hold {value!r}", where=where, fix="printable ASCII only")
    root = as_text(_given(verb.base or base or tool.base, values, where)).rstrip("/")
    pairs = urlencode(list(_flat(query)))
    url = f"{root}{path}" + (("&" if "?" in path else "?") + pairs if pairs else "")
    return ToolRequest(tool.tool, verb.verb, verb.method, url, headers, content)


def _given(template: str, values: JsonObject, where: str) -> Any:
    value = fill_any(template, values)
    if isinstance(value, Absent):
        raise BadInput(f"{template!r} needs what was not set", where=where, fix="set it: steward tools show says how")
    return value


def _path(template: str, values: JsonObject, where: str) -> tuple[str, set[str]]:
    """The path with its values quoted, and the arguments it took."""
    taken: set[str] = set()

    def part(mark: re.Match[str]) -> str:
        taken.add(re.split(r"[.|]", mark[1])[0])
        value = as_text(_given(mark[0], values, where))
        if value in ("", ".", ".."):
            raise BadInput(f"{mark[1]} is {value!r}, which is no part of a path", where=where)
        return quote(value, safe="")

    return _PART.sub(part, template), taken


def _encoded(body: Any, encoding: str, where: str) -> tuple[bytes, str]:
    if body is None:
        return b"", ""
    if encoding == "json":
        return _EXACT.encode(body), "application/json"
    if encoding == "text":
        return as_text(body).encode(), "text/plain; charset=utf-8"
    if not isinstance(body, Mapping):
        raise BadInput("a form is an object", where=where)
    pairs = list(_flat(cast("Mapping[str, Any]", body)))
    if encoding == "multipart":
        return _multipart(pairs)
    return urlencode(pairs).encode(), "application/x-www-form-urlencoded"


def _flat(body: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested values as the brackets that forms and queries use: a[b]=1, a[]... with indexes: a[0][b]=1."""
    for name, value in body.items():
        yield from _flattened(f"{prefix}[{name}]" if prefix else name, value)


def _flattened(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        yield from _flat(cast("Mapping[str, Any]", value), place)
    elif isinstance(value, list):
        for index, part in enumerate(cast("list[Any]", value)):
            yield from _flattened(f"{place}[{index}]", part)
    else:
        yield place, as_text(value)


def _multipart(pairs: Sequence[tuple[str, str]]) -> tuple[bytes, str]:
    """Text fields only. The border is one that stands in none of them."""
    content = "".join(value for _, value in pairs)
    number = 0
    while f"steward-{number}" in content:
        number += 1
    border = f"steward-{number}"
    lines: list[str] = []
    for name, value in pairs:
        quoted = name.replace('"', "%22")
        lines += [f"--{border}", f'Content-Disposition: form-data; name="{quoted}"', "", value]
    return "\r\n".join([*lines, f"--{border}--", ""]).encode(), f"multipart/form-data; boundary={border}"
