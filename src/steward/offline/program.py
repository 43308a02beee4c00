"""The program: streams an export past the checkers, and says what holds, what does not and what is taken on trust."""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from steward.events.core.entry import event_key
from steward.offline.history import (
    Tree,
    canonical_bytes,
    read_canonical,
    read_checkpoint,
    read_event,
    read_json,
    read_keys,
    read_object,
    sha256,
)
from steward.offline.replay import Replay, catalog_of
from steward.offline.story import ENDS, KNOWN, OURS, PERSONS, Stories
from steward.offline.wording import WORDING
from steward.verifier.core.check import Refused, require

FORMAT = "steward-export/1"
FILES = {"export.json", "checkpoint.json", "events.jsonl", "bundles.jsonl", "catalogs", "theorems", "steward-verify.py"}
SHOWN_MAX = 1_000
_MANIFEST = frozenset({"format", "size", "root", "decisions"})
_INSIDE = frozenset({"size", "root", "key", "signature"})
TRUSTED = (
    "facts: what a decision read of orders, money and stock was true when it was read",
    "ranges: an interval or a set of amounts in flight held the true value",
    "catalog: the rules say what the business means; limits are those the decisions name (listed under limits)",
    "effects: what a request does outside is what the request says",
    "gate: nothing acted except through the gate that wrote this log",
    "checkpoint and key: they were kept where whoever controls the database could not change them",
    "this program, Python's integers, fractions, hashes and Unicode tables",
)


class Unreadable(Exception):
    """The export, the checkpoint or the key cannot be read at all."""


class Audit:
    """One export under check."""

    def __init__(self, folder: Path, checkpoints: list[tuple[int, str]], keys: dict[str, bytes]) -> None:
        self.folder, self.checkpoints, self.keys = folder, checkpoints, keys
        self.invalid: list[dict[str, str]] = []
        self.wrong = 0
        self.consistent = True
        self.decisions = self.certificates = self.theorems = 0
        self.verdicts: dict[str, int] = {}
        self.limits: dict[tuple[str, str], list[Any]] = {}
        self.tree = Tree({size for size, _ in checkpoints})
        self.stories = Stories()
        self.names: set[bytes] = set()
        self.replay = Replay({})

    def violation(self, where: str, row: str, what: str) -> None:
        self.wrong += 1
        self.consistent = self.consistent and where not in ("checkpoint", "event", "export")
        if len(self.invalid) < SHOWN_MAX:
            self.invalid.append({"where": where, "row": row, "what": what})

    def run(self) -> None:
        for name in sorted({entry.name for entry in self.folder.iterdir()} ^ FILES):
            self.violation("export", name, "missing" if name in FILES else "no file of an export")
        self._catalogs()
        self._theorems()
        bundles = self._lines("bundles.jsonl")
        for number, line in enumerate(self._lines("events.jsonl"), 1):
            self._event(number, line, bundles)
        if next(bundles, None) is not None:
            self.violation("bundle", "after the last decision", "evidence that no decision names")
        for digest in sorted(set(self.replay.catalogs) - self.replay.used):
            self.violation("catalog", digest, "no decision was made under it")
        for digest, theorem in self.replay.unnamed():
            self.violation("theorem", theorem, f"no decision under catalog {digest} names it")
        self._ends()

    def _lines(self, name: str) -> Iterator[bytes]:
        """The lines of a file without their ends; each must end."""
        path = self.folder / name
        if not path.is_file():
            return
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    self.violation("export", f"{name} line {number}", "the line has no end")
                yield line.removesuffix(b"\n")

    def _catalogs(self) -> None:
        folder = self.folder / "catalogs"
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            try:
                text = path.read_bytes()
                document = read_canonical(text.removesuffix(b"\n"))
                digest = sha256(canonical_bytes(document))
                if path.name != f"{digest}.json" or not text.endswith(b"\n"):
                    self.violation("catalog", path.name, "is not what its name says")
                    continue
                self.replay.catalogs[digest] = catalog_of(document, digest)
            except (Refused, OSError) as error:
                self.violation("catalog", path.name, str(error))

    def _theorems(self) -> None:
        """The theorems that decisions name: each rebuilt from its catalog and checked."""
        folder = self.folder / "theorems"
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            try:
                text = path.read_bytes()
                require(text.endswith(b"\n") and path.suffix == ".json", "is not a file of theorems")
                problem = self.replay.theorems(path.stem, read_canonical(text.removesuffix(b"\n")))
                self.theorems += len(self.replay.books.get(path.stem, ()))
            except (Refused, OSError) as error:
                problem = str(error)
            if problem:
                self.violation("theorem", path.name, problem)

    def _event(self, number: int, line: bytes, bundles: Iterator[bytes]) -> None:
        row = f"position {number}"
        try:
            event, leaf = read_event(line)
            self.tree.add(leaf)
        except Refused as refused:
            self.violation("event", row, str(refused))
            return
        name = event_key(event["source"], event["id"])
        if name in self.names:
            self.violation("event", row, f"{event['id']} of {event['source']} stands in the log twice")
        self.names.add(name)
        if event["position"] != number:
            self.violation("event", row, f"it says it is position {event['position']}")
        if event["type"] in KNOWN:
            if not str(event["source"]).startswith(OURS):
                self.violation("event", row, f"{event['type']} from outside")
            problem = self._told(row, event, bundles)
            if problem:
                self.violation("action", str(event["data"].get("action_id")), problem)

    def _told(self, row: str, event: dict[str, Any], bundles: Iterator[bytes]) -> str:
        if event["type"] == "ActionProposed":
            return self.stories.proposed(event)
        if event["type"] == "DecisionMade":
            self.decisions += 1
            return self.stories.decided(event, self._bundle(row, event["data"], next(bundles, None)))
        return self.stories.ended(event) if event["type"] in ENDS | PERSONS else ""

    def _bundle(self, row: str, decided: dict[str, Any], line: bytes | None) -> dict[str, Any] | None:
        """The evidence of a decision, if it is the one the log names and it stands."""
        name = str(decided.get("action_id"))
        if line is None or sha256(line) != decided.get("bundle_digest"):
            self.violation("bundle", name, "missing" if line is None else f"differs from its digest at {row}")
            return None
        try:
            bundle = read_json(line)
        except Refused as refused:
            self.violation("bundle", name, str(refused))
            return None
        reason = self.replay.bundle(bundle, line)
        if reason:
            self.violation("bundle", name, reason)
            return None
        self.certificates += len(bundle["certificates"])
        self.verdicts[bundle["verdict"]] = self.verdicts.get(bundle["verdict"], 0) + 1
        for fact, value in bundle["facts"].items():
            if fact.startswith("limit."):
                seen = self.limits.setdefault((fact, repr(value)), [value, self.decisions, 0, 0])
                seen[2:] = self.decisions, seen[3] + 1
        return bundle

    def _ends(self) -> None:
        """The tree against the checkpoint inside, and against those kept outside."""
        size, root = self.tree.size, self.tree.root
        try:
            manifest = read_object(self._whole("export.json"), _MANIFEST, "export.json")
            said = {"format": FORMAT, "size": size, "root": root, "decisions": self.decisions}
            for key in sorted(_MANIFEST):
                if manifest[key] != said[key]:
                    self.violation("export", "export.json", f"{key} is {manifest[key]}, found {said[key]}")
        except Refused as refused:
            self.violation("export", "export.json", str(refused))
        try:
            inside = read_object(self._whole("checkpoint.json"), _INSIDE, "checkpoint.json")
            if read_checkpoint(inside, self.keys) != (size, root):
                self.violation("export", "checkpoint.json", f"it is not of these {size} events")
        except Refused as refused:
            self.violation("export", "checkpoint.json", str(refused))
        for expected, published in self.checkpoints:
            if expected > size:
                what = f"{expected} events were signed for, the export has {size}"
                self.violation("checkpoint", f"size {expected}", what)
            elif self.tree.roots.get(expected, root if expected == size else "") != published:
                self.violation("checkpoint", f"size {expected}", "the events up to here are not those signed for")

    def _whole(self, name: str) -> bytes:
        try:
            text = (self.folder / name).read_bytes()
        except OSError:
            raise Refused("missing") from None
        if not text.endswith(b"\n"):
            raise Refused("the line has no end")
        return text.removesuffix(b"\n")

    def report(self) -> dict[str, Any]:
        wording = [
            {"pattern": pattern, "text": text, "taken_as": answer, "decisions": count}
            for (pattern, text, answer), count in sorted(self.replay.wording.items())
        ]
        limits = [
            {"name": name, "value": seen[0], "first": seen[1], "last": seen[2], "decisions": seen[3]}
            for (name, _), seen in sorted(self.limits.items())
        ]
        return {
            "size": self.tree.size,
            "root": self.tree.root,
            "covered": max((size for size, _ in self.checkpoints), default=0),
            "decisions": self.decisions,
            "certificates": self.certificates,
            "theorems": self.theorems,
            "verdicts": dict(sorted(self.verdicts.items())),
            "approved_effects": self.stories.approved_effects,
            "waiting": self.stories.waiting,
            "invalid": self.invalid,
            "invalid_count": self.wrong,
            "consistent": self.consistent,
            "limits": limits,
            "wording_rerun": WORDING.rerun,
            "wording": wording[:SHOWN_MAX],
            "trusted": list(TRUSTED),
        }


def read_outside(checkpoint: Path, key: Path) -> tuple[list[tuple[int, str]], dict[str, bytes]]:
    """What the auditor kept: checkpoints, one JSON object a line, and public keys. `Unreadable` if there is none."""
    try:
        keys = read_keys(key.read_text(encoding="utf-8"))
        lines = [line for line in checkpoint.read_text(encoding="utf-8").splitlines() if line.strip()]
        found = [read_checkpoint(json.loads(line), keys) for line in lines]
    except (OSError, ValueError, Refused) as error:
        raise Unreadable(f"{checkpoint} or {key}: {error}") from None
    if not found:
        raise Unreadable(f"{checkpoint} holds no checkpoint")
    return found, keys


def audit_export(folder: Path, checkpoint: Path, key: Path) -> dict[str, Any]:
    """The report on an export; `Unreadable` if there is nothing to report on."""
    checkpoints, keys = read_outside(checkpoint, key)
    if not (folder / "events.jsonl").is_file():
        raise Unreadable(f"{folder} is no export: it has no events.jsonl")
    gc.set_threshold(200_000)  # little here is cyclic, and looking for it costs a tenth of the time
    audit = Audit(folder, checkpoints, keys)
    audit.run()
    return audit.report()


def text_of(report: dict[str, Any]) -> str:
    """The report for a person."""
    wrong = [f"{entry['where']} {entry['row']}: {entry['what']}" for entry in report["invalid"]]
    more = report["invalid_count"] - len(wrong)
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in report["verdicts"].items())
    end = "NOT as it was signed for" if report["invalid_count"] else "all as it was signed for"
    wording = sum(entry["decisions"] for entry in report["wording"])
    lines = [
        *wrong,
        *([f"and {more} more"] if more else []),
        f"{report['size']} events, {report['covered']} of them under the checkpoint given, root {report['root']}",
        f"{report['decisions']} decisions derived again: {verdicts or 'none'}",
        f"{report['certificates']} certificates and {report['theorems']} theorems checked",
        f"text patterns: {report['wording_rerun']} run again, {wording} answers taken from the record",
        "taken on trust:",
        *(f"  {line}" for line in report["trusted"]),
        *(
            f"  {entry['name']} = {json.dumps(entry['value'])} in decisions {entry['first']} to {entry['last']}"
            for entry in report["limits"]
        ),
        end,
    ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """0 if everything holds, 1 if not, 2 if it cannot be read."""
    about = "Re-proves an exported history offline against a checkpoint kept elsewhere."
    parser = argparse.ArgumentParser(prog="steward-verify", description=about)
    parser.add_argument("export", type=Path, help="the folder that steward audit export wrote")
    parser.add_argument("--checkpoint", type=Path, required=True, help="the signed checkpoint you kept, JSON lines")
    parser.add_argument("--key", type=Path, required=True, help="the public keys you kept, one `id base64` a line")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args(arguments)
    try:
        report = audit_export(options.export, options.checkpoint, options.key)
    except Unreadable as unreadable:
        sys.stderr.write(f"error: {unreadable}\n")
        return 2
    sys.stdout.write((json.dumps(report, ensure_ascii=False) if options.json else text_of(report)) + "\n")
    return 1 if report["invalid_count"] else 0
