"""The demonstration's own folder: its clock, its progress, its secrets, and what its processes are told."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput, Busy

_MARK = "demonstration"
_LOCK = ".walking"
_FACES = 16
"""So many ports one after the other: livemarket has a face on each."""
_SHIPPED, _CURRENCY = "GBP", "USD"
_BOTH = frozenset({"reconciliation.yaml", "contracts.yaml"})
"""Files with terms in both."""
_HELD = "refund_manager, value: {amount_minor: 10000,"
_LOWER = "refund_manager, value: {amount_minor: 3000,"


@dataclass(frozen=True, slots=True)
class Place:
    """One folder; `home` is its STEWARD_HOME."""

    home: Path

    @property
    def folder(self) -> Path:
        return self.home / _MARK

    @property
    def clock(self) -> Path:
        return self.folder / "clock"

    @property
    def journal(self) -> Path:
        return self.folder / "world.jsonl"

    @property
    def secrets(self) -> Path:
        return self.home / "keys" / "secrets.yaml"

    def environment(self, outside: Mapping[str, str] | None = None) -> dict[str, str]:
        """For every process of the demonstration: nothing that is set for a real business gets in."""
        env = os.environ if outside is None else outside
        kept = {name: value for name, value in env.items() if not name.startswith("STEWARD_")}
        return kept | {
            "STEWARD_HOME": str(self.home),
            "STEWARD_DEMONSTRATION": str(self.clock),
            "STEWARD_CATALOG": str(self.folder / "catalog"),
        }

    @contextmanager
    def alone(self) -> Generator[None]:
        """One driver at a time. Whoever is killed lets go."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / _LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Busy("somebody walks it already", where=str(self.home), fix="name another --home") from error
            yield

    def clear(self) -> None:
        """An empty folder of ours. Anything else that lies there is somebody's: it is not touched."""
        entries = [entry for entry in self.home.iterdir() if entry.name != _LOCK]
        if entries and not self.folder.is_dir():
            raise BadInput("is not empty, and no demonstration's", where=str(self.home), fix="name a new folder")
        for entry in entries:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        self.folder.mkdir()
        self.home.chmod(0o711)  # the database's own account passes through

    def write_catalog(self) -> None:
        """The shipped catalog for a business whose money is dollars, with one limit of its own: refunds wait for a
        person from an amount on that occurs.
        """
        with as_file(files("steward.catalog")) as shipped:
            ignored = shutil.ignore_patterns("*.py", "__pycache__", "samples")
            shutil.copytree(shipped, self.folder / "catalog", ignore=ignored)
        ours = self.folder / "catalog"
        for file in (*ours.rglob("*.yaml"), ours / "theorems.json", ours / "dead_rules.json"):
            if file.name not in _BOTH:
                text = file.read_text(encoding="utf-8")
                file.write_text(text.replace(_SHIPPED, _CURRENCY), encoding="utf-8")
        limits = ours / "limits.yaml"
        text = limits.read_text(encoding="utf-8")
        if text.count(_HELD) != 1:
            raise BadInput("has no refund_manager of a hundred", where="limits.yaml")
        limits.write_text(text.replace(_HELD, _LOWER), encoding="utf-8")

    def write(self, name: str, document: Any) -> None:
        """A file of ours, whole or not at all; for nobody else's eyes."""
        path = self.folder / name
        draft = path.with_name(f"{name}.draft")
        draft.touch(0o600)
        draft.write_text(json.dumps(document), encoding="utf-8")
        draft.replace(path)

    def read(self, name: str) -> Any:
        path = self.folder / name
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


@dataclass
class Progress:
    """How far it is, after every step on disk."""

    plan: list[int] = field(default_factory=list[int])
    port: int = 0
    world_port: int = 0
    begin: str = ""
    faces: JsonObject = field(default_factory=dict[str, Any])
    step: int = 0
    tickets_after: int = 0
    papers: list[str] = field(default_factory=list[str])


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def free_ports() -> int:
    """The first of so many free ones in a row."""
    while True:
        first = free_port()
        if first + _FACES < 65_536 and all(_is_free(first + n) for n in range(_FACES)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
