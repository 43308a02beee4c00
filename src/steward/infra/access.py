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
from steward.infra.scopes import PEOPLE_ONLY, ROLES, SCOPES, Role
from steward.kernel.errors import BadInput

Row = dict[str, Any]
_KEY = re.compile(r"stw_([0-9a-f]{16})_([0-9a-f]{64})")
_REMEMBERED = timedelta(seconds=2)


def split_key(text: str) -> tuple[str, str] | None:
    """The id and the secret of a key's text; None where it is none."""
    match = _KEY.fullmatch(text.strip())
    return (match[1], match[2]) if match else None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, by the key that was shown."""

    key_id: str
    name: str
    scopes: frozenset[str]
    role: Role = "service"


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

    def create(
        self,
        name: str,
        scopes: Sequence[str],
        role: Role = "service",
        lifetime: timedelta | None = None,
        by: str = "",
    ) -> str:
        """A new key; without scopes it has those of its role. Its text is returned once and stored nowhere. `by` is the
        key of a founder, which a key that may approve needs once there is one; the database looks at it.
        """
        wanted = sorted(set(scopes) or set(ROLES[role]))
        unknown = sorted(set(wanted) - set(SCOPES))
        if unknown:
            raise BadInput(f"unknown scopes {unknown}", fix=f"scopes are {sorted(SCOPES)}")
        if role in ("agent", "service") and PEOPLE_ONLY & set(wanted):
            raise BadInput(f"no {role} may have {sorted(PEOPLE_ONLY & set(wanted))}", fix="these are for people")
        if not name.strip() or len(name) > 200 or not name.isprintable():
            raise BadInput("a key needs a name: whose it is", fix="1 to 200 printable characters")
        now, maker = self._clock.now(), _KEY.fullmatch(by)
        key_id, secret = random_bytes(8).hex(), random_bytes(32).hex()
        values = {
            "key_id": key_id,
            "name": name,
            "digest": hashlib.sha256(secret.encode()).digest(),
            "scopes": wanted,
            "role": role,
            "expires_at": None if lifetime is None else now + lifetime,
            "by_key": maker[1] if maker else "",
            "by_secret": maker[2] if maker else "",
            "at": now,
        }
        with self._db.transaction() as connection:
            row = connection.execute(self._sql["make_key"], values).fetchone()
        if row and row["why"]:
            raise BadInput(
                f"a key of a {role} is made by a founder",
                fix="set STEWARD_API_KEY to a founder's key; the first key that can approve is a founder's",
            )
        return f"stw_{key_id}_{secret}"

    def rotate(self, text: str, grace: timedelta) -> str:
        """A new key with the name, role and scopes of this one, which ends after `grace`."""
        match, now = _KEY.fullmatch(text), self._clock.now()
        key_id, secret = random_bytes(8).hex(), random_bytes(32).hex()
        values = {
            "old": match[1] if match else "",
            "secret": match[2] if match else "",
            "key_id": key_id,
            "digest": hashlib.sha256(secret.encode()).digest(),
            "until": now + grace,
            "at": now,
        }
        with self._db.transaction() as connection:
            row = connection.execute(self._sql["rotate_key"], values).fetchone()
        if row is None or row["why"]:
            raise BadInput("this is no live key, or it was rotated before", fix="steward keys list shows them")
        with self._lock:
            self._recent.clear()
        return f"stw_{key_id}_{secret}"

    def used(self, caller: Caller, what: str, channel: str) -> None:
        """Write down that a key decided or changed something, in the caller's transaction if there is one."""
        values = {"key_id": caller.key_id, "name": caller.name, "role": caller.role, "what": what[:500]}
        with self._db.transaction() as connection:
            connection.execute(self._sql["use_key"], values | {"channel": channel, "at": self._clock.now()})

    def uses(self, key_id: str | None = None, limit: int = 100) -> list[Row]:
        """What keys did, newest first."""
        with self._db.transaction() as connection:
            return connection.execute(self._sql["key_uses"], {"key_id": key_id, "limit": limit}).fetchall()

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
            row = connection.execute(self._sql["get_key"], {"key_id": key_id, "at": self._clock.now()}).fetchone()
        stored = bytes(row["digest"]) if row else bytes(32)
        fits = hmac.compare_digest(stored, hashlib.sha256(secret.encode()).digest())
        return Caller(row["key_id"], row["name"], frozenset(row["scopes"]), row["role"]) if row and fits else None

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
