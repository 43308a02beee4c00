"""An alert as an e-mail, over one SMTP server."""

from __future__ import annotations

import json
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs, urlsplit

from steward.kernel.errors import BadInput

_SECONDS = 10.0


class EmailChannel:
    """`address` is smtp://HOST:PORT?from=A&to=B&to=C (STARTTLS where the server offers it), or smtps:// for TLS from
    the first byte; `login` is USER:PASSWORD or empty. A password is never sent without TLS.
    """

    name = "email"

    def __init__(self, address: str, login: str) -> None:
        parts = urlsplit(address)
        options = parse_qs(parts.query)
        self._host, self._is_tls = parts.hostname or "", parts.scheme == "smtps"
        self._port = parts.port or (465 if self._is_tls else 25)
        self._sender, self._to = (options.get("from") or [""])[0], options.get("to") or []
        self._login = login
        if parts.scheme not in ("smtp", "smtps") or not self._host or not self._sender or not self._to:
            raise BadInput("the alert address is not smtp://host:port?from=..&to=..", fix="see docs/concepts/gate.md")

    def send(self, message_id: str, body: dict[str, Any], at: datetime) -> tuple[bool, str]:
        """Whether the server took it, and what it answered."""
        message = EmailMessage()
        data: dict[str, Any] = body["data"]
        about = str(data.get("title") or data.get("invariant") or data.get("agent") or "")
        message["Subject"] = f"{body['type']}: {about}".replace("\n", " ").replace("\r", " ")[:200]
        message["From"], message["To"] = self._sender, ", ".join(self._to)
        message["Date"] = at
        message["X-Steward-Alert"] = "".join(c if c.isascii() and c.isprintable() else "?" for c in message_id)[:500]
        link = f"\n\n{data['link']}" if data.get("link") else ""
        message.set_content(f"{data.get('reason', '')}{link}\n\n{json.dumps(body, indent=2, ensure_ascii=False)}\n")
        try:
            with self._connected() as server:
                refused = server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            return False, f"not sent: {type(error).__name__}: {error}"[:300]
        return not refused, "accepted" if not refused else f"refused: {', '.join(sorted(refused))}"[:300]

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._is_tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=_SECONDS)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            elif self._login:
                server.close()
                raise smtplib.SMTPNotSupportedError("the server offers no TLS, so no password is sent")
        if self._login:
            user, _, password = self._login.partition(":")
            server.login(user, password)
        return server
