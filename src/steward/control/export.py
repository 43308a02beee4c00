"""Writes the history for an auditor: the log as stored, the evidence of every decision, the catalogs, a checkpoint.

Every file is canonical JSON, one value a line, so that each says one thing in one way. With them lies the program that
re-proves them. What it is compared with, a checkpoint and the public key, must be kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import IO

from steward.contracts.event import RecordedEvent
from steward.events import EventLog
from steward.infra.entropy import random_bytes
from steward.kernel.canonical import JsonObject, canonical_bytes, parse_json
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant
from steward.offline import PROGRAM
from steward.verifier import ProofLog, Verifier

FORMAT, THEOREMS = "steward-export/1", "steward-theorems/1"
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Exporter:
    """Reads the log and the evidence; writes files and nothing else. `catalogs` is where every catalog was kept."""

    events: EventLog
    proofs: ProofLog
    verifier: Verifier
    catalogs: Path

    def write(self, folder: Path, progress: Callable[[int], None] = lambda _n: None) -> JsonObject:
        """Export everything up to now into a new folder: {size, root, decisions, catalogs}."""
        if folder.exists() and any(folder.iterdir()):
            raise BadInput("is not empty", where=str(folder), fix="name a new folder")
        folder.mkdir(parents=True, exist_ok=True)
        self.events.sequence()
        checkpoint = self.events.signed_checkpoint()
        decisions, after = 0, 0
        used: dict[str, set[str]] = {}
        with (folder / "events.jsonl").open("wb") as events, (folder / "bundles.jsonl").open("wb") as bundles:
            while page := self.events.read(after, limit=_PAGE, until=checkpoint["size"], as_stored=True):
                events.writelines(canonical_bytes(line_of(event)) + b"\n" for event in page)
                decisions += self._evidence(page, bundles, used)
                after = page[-1].position
                progress(len(page))
        keep_catalog(self.catalogs, self.verifier)
        self._catalogs(folder, used)
        manifest = {"format": FORMAT, "size": checkpoint["size"], "root": checkpoint["root"], "decisions": decisions}
        for name, document in (("export.json", manifest), ("checkpoint.json", checkpoint)):
            (folder / name).write_bytes(canonical_bytes(document) + b"\n")
        copyfile(PROGRAM, folder / PROGRAM.name)
        return {**checkpoint, "decisions": decisions, "catalogs": sorted(used)}

    def _evidence(self, page: Sequence[RecordedEvent], file: IO[bytes], used: dict[str, set[str]]) -> int:
        """The bundles of the decisions of a page, byte for byte; an empty line for one that is not stored."""
        decided = [e.envelope.data["action_id"] for e in page if e.envelope.type == "DecisionMade"]
        stored = self.proofs.texts(decided)
        for action_id in decided:
            text = stored.get(action_id, "")
            file.write(text.encode() + b"\n")
            if text:
                bundle = parse_json(text)
                named = [entry["obligation_digest"] for entry in bundle.get("theorems", ()) if "tree" not in entry]
                used.setdefault(bundle["catalog_digest"], set()).update(named)
        return len(decided)

    def _catalogs(self, folder: Path, used: dict[str, set[str]]) -> None:
        """The catalogs decisions were made under and the theorems they name. One that was not kept is left out, and the
        program will say so.
        """
        for name in ("catalogs", "theorems"):
            (folder / name).mkdir()
        for digest, named in sorted(used.items()):
            kept = self.catalogs / f"{digest}.json"
            if kept.is_file():
                copyfile(kept, folder / "catalogs" / kept.name)
            book = _kept_theorems(self.catalogs, digest)
            chosen = [entry for entry in book["theorems"] if entry["obligation"]["digest"] in named]
            if chosen:
                text = canonical_bytes({**book, "theorems": chosen})
                (folder / "theorems" / kept.name).write_bytes(text + b"\n")


def _kept_theorems(folder: Path, digest: str) -> JsonObject:
    path = folder / f"{digest}.theorems"
    return parse_json(path.read_bytes()) if path.is_file() else {"format": THEOREMS, "theorems": []}


def keep_catalog(folder: Path, verifier: Verifier) -> None:
    """Keep the catalog's canonical document under its digest, and the theorems that bundles name without holding them,
    so that old decisions can be derived again.
    """
    digest = verifier.catalog_digest
    _keep(folder / f"{digest}.json", verifier.catalog_document)
    before = {entry["obligation"]["digest"]: entry for entry in _kept_theorems(folder, digest)["theorems"]}
    now = {entry["obligation"]["digest"]: entry for entry in verifier.stored_theorems["theorems"]}
    if set(now) - set(before):
        _keep(folder / f"{digest}.theorems", {"format": THEOREMS, "theorems": list({**now, **before}.values())})


def _keep(path: Path, document: JsonObject) -> None:
    """Write a file whole or not at all; leave one that is right as it is."""
    text = canonical_bytes(document) + b"\n"
    if path.is_file() and path.read_bytes() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{random_bytes(4).hex()}.draft")
    draft.write_bytes(text)
    draft.replace(path)


def line_of(event: RecordedEvent) -> JsonObject:
    """An event of the log as exported: every column, times as text."""
    envelope = event.envelope
    return {
        "position": event.position,
        "id": envelope.id,
        "source": envelope.source,
        "type": envelope.type,
        "subject": envelope.subject,
        "time": format_instant(envelope.time),
        "schemaversion": envelope.schemaversion,
        "correlationid": envelope.correlationid,
        "causationid": envelope.causationid,
        "data": envelope.data,
        "recorded_at": format_instant(event.recorded_at),
    }
