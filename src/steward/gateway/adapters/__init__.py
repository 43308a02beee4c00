"""How alerts leave the house: a signed webhook, an e-mail, a message in Slack."""

from steward.gateway.adapters.email import EmailChannel
from steward.gateway.adapters.slack import SlackChannel
from steward.gateway.adapters.webhook import WebhookChannel

__all__ = ["EmailChannel", "SlackChannel", "WebhookChannel"]
