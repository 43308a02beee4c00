"""An exported log, line by line: strict reading, the leaf of each event, the tree, signed checkpoints.

Everything is read in one form only, canonical JSON, so a file says one thing in one way and no byte of it is idle.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode
from json.encoder import encode_basestring
from typing import Any, cast

from steward.events.core.merkle import extend, leaf_hash, root_of_frontier
from steward.events.store.checkpoints import note_body
from steward.offline.ed25519 import is_signed
from steward.verifier.core.check import Refused, require

LINE_BYTES_MAX = 16_000_000
_ENTRY = ("causationid", "correlationid", "id", "position", "recorded_at", "schemaversion", "source")
_COLUMNS = tuple(sorted((*_ENTRY, "data", "subject", "time", "type")))
_TEXTS = tuple(name for name in _COLUMNS if name not in ("data", "position", "schemaversion"))
_EVENT = frozenset(_COLUMNS)
_CHECKPOINT = frozenset({"size", "root", "key", "signature"})


def _inexact(literal: str) -> Any:
    raise Refused(f"{literal[:40]} is not an integer")


_decode = json.JSONDecoder(parse_float=_inexact, parse_constant=_inexact).decode
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def canonical_bytes(value: Any) -> bytes:
    return _encode(value).encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_json(text: bytes) -> Any:
    """The value of a line of JSON without floats; whoever asks must see to it that the line is its canonical form."""
    require(len(text) <= LINE_BYTES_MAX, "the line is too long")
    try:
        return _decode(text.decode())
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON: {type(error).__name__}") from None


def read_canonical(text: bytes) -> Any:
    """The value whose canonical JSON is `text`; `Refused` for any other spelling of it, floats and repeated keys."""
    value = read_json(text)
    try:
        exact = canonical_bytes(value) == text
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON: {type(error).__name__}") from None
    require(exact, "not in canonical form")
    return value


def objects(value: Any, what: str) -> dict[str, Any]:
    require(type(value) is dict, f"{what} is not an object")
    return cast("dict[str, Any]", value)


def read_object(text: bytes, keys: frozenset[str], what: str) -> dict[str, Any]:
    """A canonical object with exactly these keys."""
    value = objects(read_canonical(text), what)
    require(frozenset(value) == keys, f"{what} has other keys than {', '.join(sorted(keys))}")
    return value


def read_event(line: bytes) -> tuple[dict[str, Any], bytes]:
    """An event and its Merkle leaf as the log computes it: over every column, the body through its digest.

    The canonical text of line, body and entry is put together from the same parts, so each is encoded once.
    """
    require(len(line) <= LINE_BYTES_MAX, "the line is too long")
    try:
        event = objects(_decode(line.decode()), "the event")
        require(frozenset(event) == _EVENT, "the event has other keys")
        part = {name: _text(event[name], optional=name.endswith("ationid")) for name in _TEXTS}
        part |= {name: _count(event[name]) for name in ("position", "schemaversion")}
        part["data"] = _encode(objects(event["data"], "the data"))
        body = hashlib.sha256(_joined(part, "data", "subject", "time", "type").encode()).hexdigest()
        entry = _joined({**part, "body": f'"{body}"'}, "body", *_ENTRY).encode()
        exact = _joined(part, *_COLUMNS).encode() == line
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON: {type(error).__name__}") from None
    require(exact, "not in canonical form")
    return event, leaf_hash(entry)


def _joined(part: dict[str, str], *names: str) -> str:
    """A canonical object of these parts; the names are given in their order."""
    return "{" + ",".join([f'"{name}":{part[name]}' for name in names]) + "}"


def _text(value: Any, *, optional: bool) -> str:
    require(type(value) is str or (optional and value is None), "a column is not text")
    return "null" if value is None else encode_basestring(value)


def _count(value: Any) -> str:
    require(type(value) is int, "a column is not a number")
    return str(value)


class Tree:
    """The RFC 9162 tree of the leaves so far, and its root at the sizes somebody asks about."""

    def __init__(self, sizes: set[int]) -> None:
        self.size = 0
        self.roots: dict[int, str] = {}
        self._frontier: list[bytes] = []
        self._asked = sizes

    def add(self, leaf: bytes) -> None:
        self.size, self._frontier = extend(self.size, self._frontier, [leaf])
        if self.size in self._asked:
            self.roots[self.size] = self.root

    @property
    def root(self) -> str:
        return root_of_frontier(self._frontier).hex()


def read_keys(text: str) -> dict[str, bytes]:
    """Public keys by id, one `id base64` a line; an id is the start of the key's SHA-256, so it cannot be borrowed."""
    found: dict[str, bytes] = {}
    for line in text.splitlines():
        name, _, encoded = line.strip().partition(" ")
        if not name:
            continue
        try:
            public = b64decode(encoded, validate=True)
        except ValueError:
            raise Refused(f"the key {name[:40]} cannot be read") from None
        require(len(public) == 32 and sha256(public)[:16] == name, f"the key {name[:40]} is not what its id says")
        found[name] = public
    require(bool(found), "no public key")
    return found


def read_checkpoint(document: Any, keys: dict[str, bytes]) -> tuple[int, str]:
    """(size, root) of a checkpoint that one of `keys` signed; else `Refused`. Its `time`, if any, is not signed."""
    given = objects(document, "a checkpoint")
    require(frozenset(given) - {"time"} == _CHECKPOINT, "it is no checkpoint")
    size, root, key, signature = given["size"], given["root"], given["key"], given["signature"]
    require(type(size) is int and size >= 0, "its size is no number")
    require(type(root) is str and re.fullmatch("[0-9a-f]{64}", root) is not None, "its root is no digest")
    require(type(key) is str and key in keys, "it is signed by a key that was not given")
    try:
        signed = is_signed(keys[key], note_body(size, root), b64decode(signature, validate=True))
    except (ValueError, TypeError):
        signed = False
    require(signed, "its signature is wrong")
    return size, root
