"""How alerts leave the house: a signed webhook, an e-mail."""

from steward.gateway.adapters.email import EmailChannel
from steward.gateway.adapters.webhook import WebhookChannel

__all__ = ["EmailChannel", "WebhookChannel"]
