"""Events: CloudEvents 1.0 envelopes, and what the catalog says about each type."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from steward.contracts.base import Contract, Instant, JsonObject

# No control characters: PostgreSQL refuses NUL, and a line break in an id is an attack on somebody's log.
Text = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Envelope(Contract):
    """One past-tense fact. Deduplicated by (source, id); `subject` names its stream, such as `order/536365`."""

    id: Text
    source: Text
    type: Text
    subject: Text
    time: Instant
    data: JsonObject
    schemaversion: Annotated[int, Field(ge=1)] = 1
    correlationid: Text | None = None
    causationid: Text | None = None

    def body(self) -> JsonObject:
        """What the body digest covers: type, subject, time, data."""
        return self.model_dump(mode="json", include={"type", "subject", "time", "data"})


class RecordedEvent(Contract):
    """An envelope in the log: its dense position (from 1), when it was recorded, its Merkle leaf hash."""

    position: Annotated[int, Field(ge=1)]
    recorded_at: Instant
    envelope: Envelope


class Appended(Contract):
    """What became of a batch: counts, and the keys whose body differs from what is stored."""

    accepted: int
    duplicates: int
    conflicts: tuple[str, ...] = ()


class EventSpec(Contract):
    """A catalog row: what an event type means, who owns it, whether it moves money.

    `personal` names the top-level data keys that are taken out before the event is stored, in any version; `identity`
    the one that names the person by the shop's own id, which stays.
    """

    type: str
    version: int
    owner: str
    meaning: str
    money: bool = False
    personal: tuple[str, ...] = ()
    identity: str | None = None
    retention: str
    origin: Literal["outside", "own"]
