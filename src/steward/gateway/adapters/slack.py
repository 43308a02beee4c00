"""An alert as a message in a Slack channel, through an incoming webhook. Its address is the secret.

Format: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (text, `<url|label>` links; the three
characters & < > are escaped).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from steward.kernel.errors import BadInput

_SECONDS = 10.0
_MOST = 2900


class SlackChannel:
    """Posts to one incoming webhook. Slack answers 200 and `ok`."""

    name = "slack"

    def __init__(self, address: str) -> None:
        if not address.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise BadInput("the Slack webhook is no https address", fix="see docs/guides/approve.md")
        self._address = address

    def send(self, message_id: str, body: dict[str, Any], at: datetime) -> tuple[bool, str]:
        """Whether Slack took it, and what it answered."""
        import httpx

        del message_id, at  # Slack knows no idempotency key: what is sent twice is shown twice
        data: dict[str, Any] = body["data"]
        title = str(data.get("title") or body["type"])
        text = f"*{_escaped(title)}*\n{_escaped(str(data.get('reason', '')))[:_MOST]}"
        if link := data.get("link"):
            text += f"\n<{link}|Read it and decide>"
        try:
            answer = httpx.post(self._address, json={"text": text}, timeout=_SECONDS, follow_redirects=False)
        except httpx.HTTPError as error:
            return False, f"no answer: {type(error).__name__}"
        return answer.is_success, f"HTTP {answer.status_code}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
