"""Names held against lists that the owner puts into a folder: sanctions lists, or people she will not pay."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from steward.kernel.canonical import JsonObject
from steward.payouts.core.names import entries, hits

_SHOWN = 5
_MOST_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Screened:
    """What a screening said. `not_screened` where there is no list, or no name; where it forbids, nothing is paid."""

    state: Literal["clear", "hit", "not_screened"]
    detail: str
    lists: tuple[str, ...] = ()
    forbids: bool = False

    def to_json(self) -> JsonObject:
        return {"state": self.state, "detail": self.detail, "lists": list(self.lists)}


class Screener(Protocol):
    """Where names are looked up: these lists, or a provider behind the same door."""

    def screen(self, party: str, name: str) -> Screened:
        """Whether this name is on a list."""
        ...


class Screening:
    """Every file `*.txt`, `*.csv` or `*.tsv` of `folder` is a list of names, one a line. Read anew each time: a list
    that was put there counts at once.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def screen(self, party: str, name: str) -> Screened:
        """Hold a name against every list. A name nobody told is not screened, and then, where there are lists, not
        paid.
        """
        files = [one for kind in ("txt", "csv", "tsv") for one in sorted(self._folder.glob(f"*.{kind}"))]
        if not files:
            return Screened("not_screened", "there is no list to hold names against")
        if not name.strip():
            return Screened("not_screened", f"nobody said what {party} is called", forbids=True)
        told: list[str] = []
        found: list[str] = []
        total = 0
        for file in files:
            if file.stat().st_size > _MOST_BYTES:
                return Screened("not_screened", f"the list {file.name} is too large to be one", forbids=True)
            content = file.read_bytes()
            listed = entries(content.decode("utf-8", errors="replace"))
            told.append(f"{file.name} sha256:{hashlib.sha256(content).hexdigest()[:16]}")
            total += len(listed)
            found += [f"{one} ({file.name})" for one in hits(name, listed)]
        if found:
            return Screened("hit", f"is called like {'; '.join(found[:_SHOWN])}", tuple(told), forbids=True)
        return Screened("clear", f"on none of {len(files)} lists of {total} names", tuple(told))
