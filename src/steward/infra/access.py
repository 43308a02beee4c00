"""API keys: `stw_<id>_<secret>`. The database holds a SHA-256 of the secret: 256 random bits need no slow hash."""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from steward.infra import sql
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.infra.entropy import random_bytes
from steward.infra.scopes import SCOPES
from steward.kernel.errors import BadInput

Row = dict[str, Any]
_KEY = re.compile(r"stw_([0-9a-f]{16})_([0-9a-f]{64})")
_REMEMBERED = timedelta(seconds=2)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, by the key that was shown."""

    key_id: str
    name: str
    scopes: frozenset[str]


class AccessKeys:
    """Makes, lists, revokes and recognises API keys. What was recognised is remembered for two seconds, so a revoked
    key stops working within two seconds in every process.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self._sql = sql.load("steward.infra")
        self._recent: dict[bytes, tuple[datetime, Caller]] = {}
        self._lock = threading.Lock()

    def create(self, name: str, scopes: Sequence[str]) -> str:
        """A new key. Its text is returned once and stored nowhere."""
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown or not scopes:
            raise BadInput(f"unknown scopes {unknown}" if unknown else "no scope", fix=f"scopes are {sorted(SCOPES)}")
        key_id, secret = random_bytes(8).hex(), random_bytes(32).hex()
        with self._db.transaction() as connection:
            connection.execute(
                self._sql["insert_key"],
                {
                    "key_id": key_id,
                    "name": name,
                    "digest": hashlib.sha256(secret.encode()).digest(),
                    "scopes": sorted(set(scopes)),
                    "created_at": self._clock.now(),
                },
            )
        return f"stw_{key_id}_{secret}"

    def remembered(self, text: str) -> Caller | None:
        """Whose key this is if it was recognised a moment ago; never asks the database."""
        with self._lock:
            recent = self._recent.get(_digest(text))
        return recent[1] if recent is not None and self._clock.now() - recent[0] < _REMEMBERED else None

    def recognise(self, text: str) -> Caller | None:
        """Whose key this is; None for anything that is not a live key."""
        match = _KEY.fullmatch(text)
        if match is None:
            return None
        caller = self._look_up(match[1], match[2])
        if caller is not None:
            with self._lock:
                if len(self._recent) > 1000:
                    self._recent.clear()
                self._recent[_digest(text)] = (self._clock.now(), caller)
        return caller

    def _look_up(self, key_id: str, secret: str) -> Caller | None:
        with self._db.transaction() as connection:
            row = connection.execute(self._sql["get_key"], {"key_id": key_id}).fetchone()
        stored = bytes(row["digest"]) if row else bytes(32)
        fits = hmac.compare_digest(stored, hashlib.sha256(secret.encode()).digest())
        return Caller(row["key_id"], row["name"], frozenset(row["scopes"])) if row and fits else None

    def keys(self) -> list[Row]:
        with self._db.transaction() as connection:
            return connection.execute(self._sql["list_keys"]).fetchall()

    def revoke(self, key_id: str) -> bool:
        """Whether there was a live key of this id."""
        with self._db.transaction() as connection:
            row = connection.execute(self._sql["revoke_key"], {"key_id": key_id, "at": self._clock.now()}).fetchone()
        with self._lock:
            self._recent.clear()
        return row is not None
