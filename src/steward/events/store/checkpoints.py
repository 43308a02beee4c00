"""Checkpoints of the log, signed, one JSON object a line, in a file outside the database's reach.

A line holds the size and root of the log, when it was published, and an Ed25519 signature over the three lines
`steward/log`, size and base64 root: the body of a checkpoint note as transparency logs publish it.
"""

from __future__ import annotations

import json
import os
import re
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from steward.infra.signing import Signer
from steward.kernel.canonical import JsonObject

_ROOT = re.compile(r"[0-9a-f]{64}")
ORIGIN = "steward/log"


@dataclass(frozen=True, slots=True)
class Published:
    """Checkpoints as read: (size, root) in the order they were published; line numbers of what cannot be read and
    of what carries no valid signature.
    """

    lines: list[tuple[int, str]]
    torn: list[int]
    unsigned: list[int]

    def by_size(self) -> dict[int, set[str]]:
        """Every root published for a size: more than one means the log was rewritten between them."""
        found: dict[int, set[str]] = {}
        for size, root in self.lines:
            found.setdefault(size, set()).add(root)
        return found


@dataclass(frozen=True, slots=True)
class CheckpointFile:
    """The published checkpoints, and the key that signs them."""

    path: Path
    signer: Signer

    def read(self) -> Published:
        found = Published([], [], [])
        if not self.path.exists():
            return found
        for number, line in enumerate(self.path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            document, size, root = JsonObject(), 0, ""
            try:
                document = json.loads(line)
                size, root = document["size"], document["root"]
                is_whole = type(size) is int and size >= 0 and _ROOT.fullmatch(root) is not None
            except (ValueError, KeyError, TypeError):
                is_whole = False
            if not is_whole:
                found.torn.append(number)
                continue
            note = note_body(size, root)
            found.lines.append((size, root))
            if not self.signer.is_signed(note, str(document.get("key", "")), str(document.get("signature", ""))):
                found.unsigned.append(number)
        return found

    def append(self, size: int, root: str, time: str) -> JsonObject:
        """Write a signed line and see it on disk; a line that a crash tore is ended first."""
        key, signature = self.signer.sign(note_body(size, root))
        line: JsonObject = {"size": size, "root": root, "time": time, "key": key, "signature": signature}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            torn = file.tell() > 0 and self.path.read_bytes()[-1:] != b"\n"
            file.write((b"\n" if torn else b"") + json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return line


def note_body(size: int, root: str) -> bytes:
    """What is signed. The root is 64 hex digits here and base64 in the note."""
    return f"{ORIGIN}\n{size}\n{b64encode(bytes.fromhex(root)).decode()}\n".encode()
