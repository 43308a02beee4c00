"""Request bodies: bounded before and after unpacking, and CloudEvents in each of the three forms HTTP gives them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import unquote

import msgspec
from fastapi import Request
from pydantic import BaseModel, ValidationError

from steward.api.problems import Problem
from steward.kernel.canonical import JsonObject, parse_json
from steward.kernel.errors import BadInput

MOST_BYTES = 16 << 20
MOST_UNPACKED = 64 << 20
MOST_JSON = 64 << 10
Model = TypeVar("Model", bound=BaseModel)
_ONE_VALUE = msgspec.json.Decoder(msgspec.Raw)
_INTEGERS = {"schemaversion", "expectedversion"}


async def read_body(request: Request, most: int = MOST_BYTES) -> bytes:
    """The body, unpacked if gzip. Too long, a bomb or a broken archive is a `Problem`."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise Problem(413, "too_large", f"a body may have {most} bytes; send several requests")
        parts.append(part)
    body = b"".join(parts)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"identity", ""}:
        return body
    if encoding != "gzip":
        raise Problem(415, "unsupported_encoding", f"Content-Encoding {encoding!r} is not gzip")
    return unpack(body)


def unpack(body: bytes) -> bytes:
    """A whole gzip body of at most 64 MiB."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(body, MOST_UNPACKED + 1)
    except zlib.error as error:
        raise Problem(400, "broken_gzip", f"the gzip body cannot be unpacked: {error}") from error
    if len(unpacked) > MOST_UNPACKED or unpacker.unconsumed_tail:
        raise Problem(413, "too_large", f"the body unpacks to more than {MOST_UNPACKED} bytes; send several requests")
    if not unpacker.eof or unpacker.unused_data:
        raise Problem(400, "broken_gzip", "the gzip body is cut off or holds more than one member")
    return unpacked


async def read_json(request: Request, model: type[Model], most: int = MOST_JSON) -> tuple[Model, bytes]:
    """A small JSON body as a model, and its bytes. What does not fit is a `Problem` with an entry for each fault."""
    if media_type(request) not in {"application/json", ""}:
        raise Problem(415, "unsupported_media_type", f"{media_type(request)} is not application/json")
    body = await read_body(request, most)
    try:
        return model.model_validate(parse_json(body or b"{}")), body
    except BadInput as error:
        raise Problem(400, "malformed", str(error)) from error
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[:50]
        paths = [".".join(["$", *map(str, fault["loc"])]) for fault in found]
        faults: list[JsonObject] = [
            {"index": 0, "path": path, "code": fault["type"], "detail": fault["msg"]}
            for path, fault in zip(paths, found, strict=True)
        ]
        raise Problem(422, "bad_input", f"{paths[0]}: {found[0]['msg']}", faults) from error


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_binary(request: Request) -> bool:
    """CloudEvents binary mode: attributes in `ce-` headers, the data alone in the body."""
    return "ce-specversion" in request.headers


def structured_of_binary(headers: Mapping[str, str], body: bytes) -> bytes:
    """The structured form of a binary-mode request. Header values are percent-decoded, as the binding says."""
    attributes: dict[str, str | int] = {}
    for name, value in headers.items():
        if name.startswith("ce-"):
            try:
                text = unquote(value, errors="strict")
            except UnicodeDecodeError as error:
                raise Problem(400, "malformed", f"the header {name} is not percent-encoded UTF-8") from error
            key = name[3:]
            attributes[key] = int(text) if key in _INTEGERS and text.isdecimal() and len(text) < 10 else text
    if "data" in attributes:
        raise Problem(400, "bad_input", "ce-data is no attribute: the body is the data")
    try:
        _ONE_VALUE.decode(body or b"null")  # a body must not smuggle attributes in behind its data
    except (msgspec.DecodeError, RecursionError) as error:
        raise Problem(400, "malformed", f"the body is not JSON: {error}") from error
    return json.dumps(attributes).encode()[:-1] + b',"data":' + (body or b"null") + b"}"
