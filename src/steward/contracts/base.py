"""What every contract shares: frozen, strict, and no unknown keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

from steward.kernel.instants import format_instant

Json = Any
JsonObject = dict[str, Any]


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs a UTC offset")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is outside the calendar in UTC") from error


Instant = Annotated[datetime, AfterValidator(_utc), PlainSerializer(format_instant, return_type=str, when_used="json")]
"""An aware UTC time; JSON form RFC 3339 ending in Z."""

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Ratio = Annotated[str, Field(pattern=r"^-?\d{1,40}(\.\d{1,40}|/\d{1,40})?$")]
"""An exact ratio as text: "0.15" or "3/20"."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 as 64 hex digits."""


class Contract(BaseModel):
    """Frozen; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class OpenContract(BaseModel):
    """Frozen; unknown keys are kept (payloads of the outside world)."""

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True)


class MoneyJson(Contract):
    """An amount as it stands in JSON."""

    amount_minor: Annotated[int, Field(strict=True)]
    currency: Currency
