"""Payload models by event type and version. A type missing here does not exist.

Promises      every event type of the catalog has exactly one current model, and the other way round; every version
              that was ever stored keeps its model.
Never         renames or drops a field of a version that was ever stored.
Read next     commerce.py.
"""

from steward.contracts.base import Contract, OpenContract
from steward.contracts.payloads.business import BUSINESS, TicketOpenedV1
from steward.contracts.payloads.commerce import COMMERCE, OrderPlacedV1, RefundProcessedV1
from steward.contracts.payloads.creators import CREATORS
from steward.contracts.payloads.finance import FINANCE
from steward.contracts.payloads.live import LIVE
from steward.contracts.payloads.marketing import MARKETING
from steward.contracts.payloads.operations import OPERATIONS

Payload = type[Contract] | type[OpenContract]

AREAS: dict[str, tuple[Payload, ...]] = {
    "commerce": COMMERCE,
    "live": LIVE,
    "creators": CREATORS,
    "business": BUSINESS,
    "finance": FINANCE,
    "marketing": MARKETING,
    "operations": OPERATIONS,
}
"""The current models by area; each area is a file here and a file of the catalog."""

_EARLIER: tuple[tuple[str, int, Payload], ...] = (
    ("OrderPlaced", 1, OrderPlacedV1),
    ("RefundProcessed", 1, RefundProcessedV1),
    ("TicketOpened", 1, TicketOpenedV1),
)

PAYLOADS: dict[str, Payload] = {model.__name__: model for models in AREAS.values() for model in models}
"""The current version of each type."""

CURRENT: dict[str, int] = {name: 1 + sum(name == earlier for earlier, _, _ in _EARLIER) for name in PAYLOADS}
"""The number of the current version: one more than there are earlier ones."""

VERSIONS: dict[tuple[str, int], Payload] = {
    **{(name, version): model for name, version, model in _EARLIER},
    **{(name, CURRENT[name]): model for name, model in PAYLOADS.items()},
}
"""Every version ever."""

__all__ = ["AREAS", "CURRENT", "PAYLOADS", "VERSIONS", "Payload"]
