"""The theorems of one catalog: read from a file and checked, or proved when a kind is first met; proved once."""

from __future__ import annotations

from threading import Lock
from typing import Any

from steward.contracts.base import JsonObject
from steward.kernel.errors import BadInput
from steward.verifier.core.bundle import checked_theorems as every_theorem
from steward.verifier.core.check import Refused
from steward.verifier.core.rules import Catalog
from steward.verifier.core.theorems import Theorem, read_book, write_book
from steward.verifier.provers.client import Prover
from steward.verifier.provers.refit import Asked
from steward.verifier.service.proving import Attempt, attempt


class Theorems:
    """What came of each (kind, state rule). Those of the `book` are named by digest in bundles, others ride along."""

    def __init__(self, catalog: Catalog, book: JsonObject | None = None) -> None:
        self.catalog = catalog
        self.stored = read_book(catalog, book)
        self._book = book
        self._archive: dict[str, str] | None = None
        self._lock = Lock()
        self._known: dict[str, tuple[Attempt, ...]] = {}

    def of(self, kind: str, prover: Asked | None) -> tuple[Attempt, ...]:
        """One attempt for each state rule the kind's effect touches, in catalog order; without prover, as stored."""
        with self._lock:
            found = self._known.get(kind)
            if found is None:
                found = tuple(self._attempt(kind, state.id, prover) for state in self.catalog.touched(kind))
                if isinstance(prover, Prover) or all(one.theorem is not None for one in found):
                    self._known[kind] = found
            return found

    def _attempt(self, kind: str, name: str, prover: Asked | None) -> Attempt:
        state = next(state for state in self.catalog.states if state.id == name)
        stored = self.stored.get((kind, name))
        if stored is None and prover is not None:
            return attempt(self.catalog, kind, state, prover)
        return Attempt(kind, state, stored, "" if stored else "no theorem of it lies beside the catalog")

    def forget(self) -> None:
        """Prove everything again when it is next asked for; the book stays, as an archive."""
        self.stored = {}
        self._known = {}

    def archive(self) -> dict[str, str]:
        """Name by digest of every theorem in the book, those of earlier versions of the catalog too; all checked."""
        if self._archive is None:
            self._archive = {} if self._book is None else checked_theorems(self._book)
        return self._archive

    def entry(self, theorem: Theorem) -> dict[str, Any]:
        """A theorem as a bundle names it: by digest if it is stored, whole if not."""
        named: dict[str, Any] = {"state": theorem.state, "obligation_digest": theorem.digest}
        is_stored = self.stored.get((theorem.kind, theorem.state)) is theorem
        whole = {"uses": list(theorem.uses), "obligation": theorem.obligation, "tree": theorem.tree}
        return named if is_stored else {**named, **whole}

    def book(self) -> JsonObject:
        """Every theorem known by now, as a `theorems.json`; those of the old book that are superseded follow.

        Bundles name theorems by digest, so a theorem once written stays.
        """
        attempts = [one for kind in self.catalog.kinds for one in self._known.get(kind, ())]
        found = write_book(one.theorem for one in attempts if one.theorem is not None)
        digests = {theorem["obligation"]["digest"] for theorem in found["theorems"]}
        older: list[Any] = self._book["theorems"] if self._book is not None and self.archive() else []
        found["theorems"] += [entry for entry in older if entry["obligation"]["digest"] not in digests]
        return found


def checked_theorems(book: JsonObject, where: str = "") -> dict[str, str]:
    """Name by digest of every theorem in a `theorems.json`, each checked; `BadInput` if one of them is none."""
    try:
        return every_theorem(book)
    except (Refused, ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        what = str(error) if isinstance(error, Refused) else type(error).__name__
        raise BadInput(f"is no file of theorems: {what}", where=where) from error
