"""Events in from outside: decoded, people taken out, written in micro-batches, and an answer for every one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from steward.contracts.event import Envelope
from steward.events import BatchWriter, Decoded, Decoder, EventLog, Prepared, Rejected, Request
from steward.ingest.service.people import People
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput

MOST_EVENTS = 10_000
_LINES_A_BATCH = 1000
_CODES = {
    "conflict": ("conflict", "$.id"),
    "wrong_version": ("wrong_version", "$.expectedversion"),
    "withheld": ("withheld", "$"),
}


@dataclass(slots=True)
class Taken:
    """What became of a request. `positions` by the index of each event that is in the log now."""

    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    positions: dict[int, int] = field(default_factory=dict[int, int])

    def to_json(self) -> JsonObject:
        return {
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": [item.to_json() for item in sorted(self.rejected, key=lambda item: item.index)],
        }


@dataclass(slots=True)
class Pending:
    """A request in the writer's queue; `settle` with the outcomes makes it an answer."""

    decoded: Decoded
    answer: Future[list[tuple[str, int, str]]]

    def settle(self) -> Taken:
        """Waits for the commit."""
        taken = Taken(rejected=list(self.decoded.rejected))
        outcomes = self.answer.result()
        for (index, _event), (status, position, detail) in zip(self.decoded.events, outcomes, strict=True):
            if status in _CODES:
                code, path = _CODES[status]
                taken.rejected.append(Rejected(index, path, code, detail or "another event of the request was refused"))
                continue
            taken.positions[index] = position
            taken.accepted += status == "stored"
            taken.duplicates += status == "duplicate"
        return taken


class Ingestor:
    """The door for events from outside. One writer thread a process, started when first needed."""

    def __init__(self, log: EventLog, decoder: Decoder, people: People) -> None:
        self._log = log
        self._decoder = decoder
        self._people = people
        self._writer: BatchWriter | None = None

    def decode_batch(self, body: bytes) -> Decoded:
        """A JSON array. Raises `BadInput` for what is none or holds more than 10,000 events."""
        decoded = self._decoder.batch(body)
        if len(decoded.events) + len(decoded.rejected) > MOST_EVENTS:
            raise BadInput(f"more than {MOST_EVENTS} events in one request", fix="send several requests")
        return decoded

    def decode_single(self, body: bytes, index: int = 0) -> Decoded:
        return self._decoder.single(body, index)

    def concerns_people(self, decoded: Decoded) -> bool:
        """Whether `submit` will have to look people up in the database."""
        return bool(self._people.concerned([event for _, event in decoded.events]))

    def submit(self, decoded: Decoded, *, atomic: bool = False) -> Pending:
        """Queue what was decoded. `atomic`: all or nothing. Raises `Busy` where the queue is full."""
        if atomic and decoded.rejected:
            outcomes: Future[list[tuple[str, int, str]]] = Future()
            outcomes.set_result([("withheld", 0, "")] * len(decoded.events))
            return Pending(decoded, outcomes)
        events = [event for _, event in decoded.events]
        events = self._people.take_out(events, self._people.concerned(events))
        return Pending(decoded, self._submit(events, atomic=atomic))

    def _submit(self, events: Sequence[Prepared], *, atomic: bool) -> Future[list[tuple[str, int, str]]]:
        if self._writer is None:
            self._writer = BatchWriter(self._log)
        return self._writer.submit(Request(events, atomic))  # pyright: ignore[reportReturnType] - an Outcome is such a tuple

    def take(self, envelopes: Sequence[Envelope], *, atomic: bool = False) -> Taken:
        """Envelopes that a mapping made: judged like any others, written and answered."""
        decoded = Decoded([], [])
        for index, envelope in enumerate(envelopes):
            one = self._decoder.single(envelope.model_dump_json(exclude_none=True).encode(), index)
            decoded.events += one.events
            decoded.rejected += one.rejected
        return self.submit(decoded, atomic=atomic).settle()

    def take_lines(self, lines: Iterable[bytes], progress: Callable[[int], None] = lambda _n: None) -> Taken:
        """JSON Lines, batch after batch; what is refused is listed by its line, counted from 1."""
        total = Taken()
        batch = Decoded([], [])
        for number, line in enumerate(lines, start=1):
            if line.strip():
                one = self._decoder.single(line, number)
                batch.events += one.events
                batch.rejected += one.rejected
            if len(batch.events) + len(batch.rejected) >= _LINES_A_BATCH:
                self._add(total, batch, progress)
                batch = Decoded([], [])
        self._add(total, batch, progress)
        return total

    def _add(self, total: Taken, batch: Decoded, progress: Callable[[int], None]) -> None:
        taken = self.submit(batch).settle()
        total.accepted += taken.accepted
        total.duplicates += taken.duplicates
        total.rejected += taken.rejected
        progress(len(batch.events) + len(batch.rejected))

    def close(self) -> None:
        """Write what was accepted, then end the writer."""
        if self._writer is not None:
            self._writer.close()
