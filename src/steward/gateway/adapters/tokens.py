"""Access tokens of OAuth 2: renewed before they end, by one process at a time, and kept sealed.

What is stored is encrypted (AES-256-GCM) under a key in a file of its owner's; the tool's name is bound in, so that a
token cannot be read as another tool's.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any, cast

from steward.contracts.tool import ToolSpec
from steward.gateway.core.reading import document_of
from steward.infra import sql
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.infra.entropy import random_bytes
from steward.infra.signing import secret_file
from steward.infra.vault import Vault
from steward.kernel.canonical import canonical_bytes, parse_json
from steward.kernel.errors import BadInput, Infrastructure

_MARGIN = timedelta(seconds=60)
_SECONDS = 15
_LEASE = timedelta(seconds=2 * _SECONDS + 5)
_LOOK_SECONDS = 0.2


class TokenStore:
    """Tokens by tool."""

    def __init__(self, database: Database, clock: Clock, vault: Vault, key: Path) -> None:
        self._db = database
        self._clock = clock
        self._vault = vault
        self._key = key
        self._sql = sql.load("steward.gateway", "effects.sql")
        self._pause = Event()

    def access_token(self, tool: ToolSpec) -> str:
        """A token that lives for another minute at least. `Infrastructure` where none can be had now, `BadInput` where
        the provider refuses our credentials.
        """
        waited = self._clock.monotonic() + _LEASE.total_seconds()
        while True:
            if token := self._live(*self._stored(tool)):
                return token
            if self._claim(tool):
                return self._claimed(tool)
            if self._clock.monotonic() > waited:
                raise Infrastructure(f"the token of {tool.tool} is being renewed by somebody who does not end")
            self._pause.wait(_LOOK_SECONDS)

    def forget(self, tool: ToolSpec, shown: Collection[str]) -> None:
        """The provider no longer takes the token, if it is one of those `shown` to it: the next call asks for another,
        and keeps what renews it. One that somebody else renewed meanwhile stays.
        """
        with self._db.transaction() as connection:
            found, _ = self._stored(tool, "token_locked")
            if found.get("access_token") in shown:
                left = {name: value for name, value in found.items() if name != "access_token"}
                values = {
                    "tool": tool.tool,
                    "sealed": self._seal(tool, canonical_bytes(left)),
                    "now": self._clock.now(),
                }
                connection.execute(self._sql["drop_token"], values)

    def _live(self, found: dict[str, Any], expires_at: datetime | None) -> str:
        """The token, if it lives long enough; or nothing."""
        is_live = expires_at is None or expires_at - _MARGIN > self._clock.now()
        return str(found.get("access_token") or "") if is_live else ""

    def _claimed(self, tool: ToolSpec) -> str:
        """Renew, unless somebody did between our look and our claim: what renews it may be good for one time only."""
        stored, expires_at = self._stored(tool)
        if token := self._live(stored, expires_at):
            self._end(tool)
            return token
        return self._renew(tool, stored)

    def _end(self, tool: ToolSpec) -> None:
        with self._db.transaction() as connection:
            connection.execute(self._sql["end_renewal"], {"tool": tool.tool, "now": self._clock.now()})

    def _stored(self, tool: ToolSpec, query: str = "token") -> tuple[dict[str, Any], datetime | None]:
        with self._db.transaction() as connection:
            row = connection.execute(self._sql[query], {"tool": tool.tool}).fetchone()
        if row is None or row["sealed"] is None:
            return {}, None
        return cast("dict[str, Any]", parse_json(self._open(tool, bytes(row["sealed"])))), row["expires_at"]

    def _claim(self, tool: ToolSpec) -> bool:
        now = self._clock.now()
        with self._db.transaction() as connection:
            values = {"tool": tool.tool, "until": now + _LEASE, "now": now}
            return connection.execute(self._sql["claim_renewal"], values).fetchone() is not None

    def _renew(self, tool: ToolSpec, stored: dict[str, Any]) -> str:
        try:
            granted = self._granted(tool, stored)
        except BaseException:
            self._end(tool)
            raise
        seconds = granted.get("expires_in")
        expires_at = self._clock.now() + timedelta(seconds=int(str(seconds))) if str(seconds).isdecimal() else None
        kept = {"access_token": granted["access_token"]}
        if refresh := granted.get("refresh_token") or stored.get("refresh_token"):
            kept["refresh_token"] = refresh
        self._put(tool, kept, expires_at)
        return str(granted["access_token"])

    def _granted(self, tool: ToolSpec, stored: dict[str, Any]) -> dict[str, Any]:
        """What the token endpoint answers (RFC 6749, sections 4.4 and 6)."""
        import httpx

        options = tool.auth.options
        form = {"grant_type": str(options["grant"])}
        if options.get("scope"):
            form["scope"] = str(options["scope"])
        if options["grant"] == "refresh_token":
            form["refresh_token"] = str(stored.get("refresh_token") or self._secret(tool, "refresh_token"))
        client, secret = self._secret(tool, "client_id"), self._secret(tool, "client_secret")
        headers = {"accept": "application/json"}
        if options.get("client", "basic") == "basic":
            headers["authorization"] = f"Basic {b64encode(f'{client}:{secret}'.encode()).decode()}"
        else:
            form |= {"client_id": client, "client_secret": secret}
        url = self._vault.addresses.get(f"{tool.tool}_token") or self._beside(tool, str(options["token_url"]))
        try:
            answer = httpx.post(url, data=form, headers=headers, timeout=_SECONDS, follow_redirects=False)
        except httpx.HTTPError as error:
            raise Infrastructure(f"no token of {tool.tool}: {type(error).__name__}", fix="try again") from None
        document = document_of(answer.content)
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Infrastructure(f"no token of {tool.tool}: HTTP {answer.status_code}", fix="try again")
        given = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
        if not answer.is_success or not isinstance(given.get("access_token"), str):
            what = str(given.get("error", "no access_token in the answer"))[:100]
            raise BadInput(f"{tool.tool} gives no token: HTTP {answer.status_code} {what}", fix="check its credentials")
        return given

    def _beside(self, tool: ToolSpec, url: str) -> str:
        """The token endpoint; where the tool's address was set to another one, the same path there."""
        other = self._vault.addresses.get(tool.tool)
        if not other or "://" not in url:
            return url
        path = url.split("://", 1)[1].partition("/")[2]
        return f"{other.rstrip('/')}/{path}"

    def _secret(self, tool: ToolSpec, name: str) -> str:
        value = self._vault.keys.get(f"{tool.tool}_{name}", "")
        if not value:
            raise BadInput(
                f"the secret {name} of {tool.tool} is not set",
                fix=f"set STEWARD_KEY_{tool.tool.upper()}_{name.upper()} or keys.{tool.tool}_{name} in secrets.yaml",
            )
        return value

    def _put(self, tool: ToolSpec, document: dict[str, Any], expires_at: datetime | None) -> None:
        values = {"tool": tool.tool, "sealed": self._seal(tool, canonical_bytes(document)), "expires_at": expires_at}
        with self._db.transaction() as connection:
            connection.execute(self._sql["put_token"], values | {"now": self._clock.now()})

    def _seal(self, tool: ToolSpec, content: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = random_bytes(12)
        return nonce + AESGCM(secret_file(self._key)).encrypt(nonce, content, tool.tool.encode())

    def _open(self, tool: ToolSpec, sealed: bytes) -> str:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(secret_file(self._key)).decrypt(sealed[:12], sealed[12:], tool.tool.encode()).decode()
        except InvalidTag:
            raise Infrastructure(
                f"the stored token of {tool.tool} cannot be opened", where=str(self._key), fix="restore the key file"
            ) from None
