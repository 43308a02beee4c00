"""A client of Steward's HTTP API, for programs that propose and for people's tools.

    from steward_client import Client

    with Client("http://127.0.0.1:7107", key) as steward:
        answer = steward.propose("spend.reserve", {...}, key="friday-show", why="...")
        if answer.outcome == "refused":
            print(answer.reasons)

What is refused or held is an answer, not an error. It knows HTTP alone and imports nothing of the server.
"""

from steward_client.client import Client
from steward_client.errors import ApiError, NotAllowed, NotFound, Unreachable
from steward_client.models import (
    Action,
    ActionLine,
    Budget,
    Cancelled,
    Decided,
    KillSwitch,
    Rule,
    Sent,
    Story,
    Waiting,
)

__all__ = [
    "Action",
    "ActionLine",
    "ApiError",
    "Budget",
    "Cancelled",
    "Client",
    "Decided",
    "KillSwitch",
    "NotAllowed",
    "NotFound",
    "Rule",
    "Sent",
    "Story",
    "Unreachable",
    "Waiting",
]
