"""Payload models by event type. A type missing here does not exist.

Promises      every event type of the catalog has exactly one model, and the other way round.
Never         renames or drops a field of a version that was ever stored.
Read next     commerce.py.
"""

from steward.contracts.base import Contract, OpenContract
from steward.contracts.payloads.commerce import OrderPlaced, PaymentCaptured, RefundProcessed
from steward.contracts.payloads.operations import (
    ActionHeld,
    ActionProposed,
    ActionRefused,
    ActionShadowed,
    DecisionMade,
    ForecastSettled,
    LedgerTransferPosted,
    SnapshotTaken,
)

PAYLOADS: dict[str, type[Contract] | type[OpenContract]] = {
    model.__name__: model
    for model in (
        OrderPlaced,
        PaymentCaptured,
        RefundProcessed,
        SnapshotTaken,
        ActionProposed,
        ActionRefused,
        ActionHeld,
        ActionShadowed,
        DecisionMade,
        ForecastSettled,
        LedgerTransferPosted,
    )
}

VERSIONS: dict[tuple[str, int], type[Contract] | type[OpenContract]] = {
    (name, 1): model for name, model in PAYLOADS.items()
}

__all__ = ["PAYLOADS", "VERSIONS"]
