"""Which catalog is in force: a chain of versions, each signed by a person on the digest of the one before.

The gate lets nothing through unless the catalog this process runs with is the version in force. A version comes into
force by `activate`, which first decides again, under its rules, everything that is under way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from steward.catalog import Catalog, catalog_of
from steward.contracts.action import Refused
from steward.contracts.event import Envelope
from steward.events import EventLog
from steward.gateway.store import Row, VersionStore
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.infra.signing import Signer
from steward.kernel.canonical import JsonObject, digest_hex, parse_json
from steward.kernel.errors import BadInput
from steward.verifier import ProofLog, Verifier

BOOTSTRAP = "the first start takes the catalog it finds as version 1: nobody's work depends on an earlier one"
Refinement = Callable[[JsonObject, JsonObject], list[JsonObject]]
"""Whether a catalog document is at least as strict as another: [{rule, kind, stricter, detail}]."""


@dataclass(frozen=True, slots=True)
class Activation:
    """What became of an activation; `version` is None where it did not take place, `why_not` says why."""

    digest: str
    previous: str | None
    version: int | None = None
    why_not: str = ""
    under_way: int = 0
    failing: list[JsonObject] = field(default_factory=list[JsonObject])
    refinement: list[JsonObject] | None = None
    approved_by: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Reading:
    """The catalog this process runs with, its verifier, and how other catalogs are read and compared with it."""

    catalog: Catalog
    verifier: Verifier
    build: Callable[[Catalog], Verifier]
    refine: Refinement | None = None


class Versions:
    """The chain, over the catalog of this process. Keys of people are files under `keys`."""

    def __init__(
        self, database: Database, clock: Clock, events: EventLog, reading: Reading, proofs: ProofLog, keys: Path
    ) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._catalog = reading.catalog
        self._verifier = reading.verifier
        self._proofs = proofs
        self._keys = keys
        self._build = reading.build
        self._refine = reading.refine
        self._earlier: dict[int, Verifier] = {}
        self._store = VersionStore()

    def bootstrap(self) -> None:
        """Take the running catalog as version 1 where there is no version at all."""
        with self._db.transaction() as connection:
            if self._store.in_force(connection) is None:
                by = {"approved_by": "bootstrap", "key_id": None, "signature": None, "reason": BOOTSTRAP}
                self._store.add(connection, {**self._described(None, 0, None), **by})

    def in_force(self) -> Row | None:
        with self._db.transaction() as connection:
            return self._store.in_force(connection)

    def all(self) -> list[Row]:
        """Every version, newest first."""
        with self._db.transaction() as connection:
            return self._store.all(connection)

    def barred(self, in_force: str | None = None) -> Refused | None:
        """Why nothing may pass: the catalog of this process is not the one in force. `in_force` is its digest, where
        the caller has read it under its own locks.
        """
        if in_force is None:
            row = self.in_force()
            in_force = row["digest"] if row else None
        if in_force == self._catalog.digest:
            return None
        found = f"version {in_force[:12]} is in force" if in_force else "no version is in force"
        reason = f"this process runs catalog {self._catalog.digest[:12]}, and {found}: activate it or run the other"
        return Refused(code="catalog_not_active", reason=reason)

    def verifiers(self, rules_digest: str) -> list[Verifier]:
        """The verifiers of every version with these rules, this process's own first: what was decided under an earlier
        version is checked under its rules and its limits.
        """
        found = [self._verifier] if rules_digest == self._verifier.catalog_digest else []
        for row in self.all():
            number = row["number"]
            if row["rules_digest"] != rules_digest or row["digest"] == self._catalog.digest:
                continue
            if number not in self._earlier:
                with self._db.transaction() as connection:
                    document = parse_json(self._store.document(connection, number))
                self._earlier[number] = self._build(catalog_of(document))
            found.append(self._earlier[number])
        return found

    def close(self) -> None:
        """End the provers of earlier versions, if any was asked."""
        for verifier in self._earlier.values():
            verifier.close()

    # A person signs, somebody activates

    def make_key(self, name: str) -> str:
        """A key pair for a person; its id. Making it again changes nothing."""
        return self._signer(name).sign(b"")[0]

    def approve(self, name: str) -> Row:
        """A person's signature that the running catalog may follow the one in force. `BadInput` without a key."""
        previous = self._previous()
        signer = self._signer(name)
        if not signer.path.exists():
            raise BadInput(f"{name} has no key here", fix=f"steward catalog key {name}")
        key_id, signature = signer.sign(_message(self._catalog.digest, previous))
        approval: Row = {"digest": self._catalog.digest, "previous": previous, "approved_by": name}
        approval |= {"key_id": key_id, "signature": signature, "at": self._clock.now()}
        with self._db.transaction() as connection:
            self._store.approve(connection, approval)
        return approval

    def preview(self) -> Activation:
        """What activating the running catalog would do. It writes nothing."""
        row = self.in_force()
        if row is None or row["digest"] == self._catalog.digest:
            number = row["number"] if row else None
            return Activation(self._catalog.digest, None, number, "it is in force already" if row else "")
        under_way, failing = self._under_way()
        compared = self._compared(row["number"])
        approved = [approval["approved_by"] for approval in self._valid_approvals(row["digest"])]
        return Activation(
            digest=self._catalog.digest,
            previous=row["digest"],
            under_way=under_way,
            failing=failing,
            refinement=compared,
            approved_by=approved,
        )

    def activate(self, by: str, reason: str, *, despite_failing: bool = False) -> Activation:
        """Bring the running catalog into force, if every theorem of it is proved, a person signed it and nothing under
        way would fail under it (or that is accepted).
        """
        if not reason.strip():
            raise BadInput("no reason is given", fix="say why the catalog changes")
        found = self.preview()
        if found.previous is None:
            return found
        if found.failing and not despite_failing:
            return _not(found, f"{len(found.failing)} actions under way would not pass: settle them, or accept it")
        theorems, missing = self._theorems()
        if missing:
            return _not(found, f"not proved: {'; '.join(missing[:5])}")
        with self._db.transaction() as connection:
            row = self._store.in_force(connection)
            approvals = self._valid_approvals(found.previous)
            if row is None or row["digest"] != found.previous:
                return _not(found, "another version came into force meanwhile")
            if not approvals:
                return _not(found, "nobody signed it: steward catalog approve --as NAME")
            chosen = {name: approvals[0][name] for name in ("approved_by", "key_id", "signature")}
            version = self._described(found.previous, row["number"], theorems)
            if not self._store.add(connection, {**version, **chosen, "reason": reason}):
                return _not(found, "another version came into force meanwhile")
            self._events.put([self._fact(version, row, chosen, by, found)])
        return Activation(
            found.digest,
            found.previous,
            version["number"],
            under_way=found.under_way,
            failing=found.failing,
            refinement=found.refinement,
            approved_by=found.approved_by,
        )

    def _fact(self, version: Row, before: Row, chosen: Row, by: str, found: Activation) -> Envelope:
        """It loosens unless a refinement shows that every rule is at least as strict."""
        stricter = found.refinement is not None and all(entry["holds"] for entry in found.refinement)
        data: JsonObject = {
            "policy": "catalog",
            "version": str(version["number"]),
            "previous": str(before["number"]),
            "digest": version["digest"],
            "loosens": not stricter,
            "updated_by": f"{by}, signed by {chosen['approved_by']} {chosen['key_id']}",
        }
        return Envelope(
            id=f"PolicyUpdated:catalog:{version['number']}",
            source="steward/gateway",
            type="PolicyUpdated",
            subject="catalog",
            time=version["at"],
            data=data,
        )

    def _under_way(self) -> tuple[int, list[JsonObject]]:
        """How many actions hold money or wait for a person, and those the running catalog would not let pass. They are
        decided again on the facts they were decided on, with the limits of the running catalog.
        """
        with self._db.transaction() as connection:
            rows = self._store.under_way(connection, self._clock.now())
        failing: list[JsonObject] = []
        for row in rows:
            action = f"act_{row['action_id'].hex}"
            proof = self._proofs.of_action(action)
            if proof is None:
                continue
            bundle = parse_json(proof["bundle"])
            verdict = self._verifier.certify(bundle["action"], bundle["facts"], bundle["now"])
            passes = verdict.verdict == "ALLOW" or (row["outcome"] == "held" and verdict.verdict == "ESCALATE")
            if not passes:
                rules = [reason.id for reason in (*verdict.determining, *verdict.errored)]
                failing.append({"action": action, "kind": row["kind"], "verdict": verdict.verdict, "rules": rules})
        return len(rows), failing

    def _compared(self, number: int) -> list[JsonObject] | None:
        if self._refine is None:
            return None
        with self._db.transaction() as connection:
            before = parse_json(self._store.document(connection, number))
        return self._refine(before, parse_json(self._catalog.text))

    def _theorems(self) -> tuple[str, list[str]]:
        """A digest of the theorems of the running catalog, and those that are missing."""
        told, _ = self._verifier.prove_catalog()
        digests: list[str] = []
        missing: list[str] = []
        for kind in told:
            for state in kind["states"]:
                if state["theorem"] == "proved":
                    digests.append(state["obligation_digest"])
                else:
                    missing.append(f"{kind['kind']} keeps {state['state']}")
        return digest_hex({"theorems": sorted(digests)}), missing

    def _valid_approvals(self, previous: str) -> list[Row]:
        """Approvals whose signature checks under the public keys kept here."""
        with self._db.transaction() as connection:
            rows = self._store.approvals(connection, self._catalog.digest, previous)
        message = _message(self._catalog.digest, previous)
        return [
            row for row in rows if self._signer(row["approved_by"]).is_signed(message, row["key_id"], row["signature"])
        ]

    def _described(self, previous: str | None, before: int, theorems: str | None) -> Row:
        return {
            "number": before + 1,
            "digest": self._catalog.digest,
            "previous": previous,
            "rules_digest": self._verifier.catalog_digest,
            "theorem_digest": theorems,
            "document": self._catalog.text,
            "at": self._clock.now(),
        }

    def _previous(self) -> str:
        row = self.in_force()
        if row is None or row["digest"] == self._catalog.digest:
            raise BadInput("the running catalog is in force already", fix="steward catalog versions shows the chain")
        return row["digest"]

    def _signer(self, name: str) -> Signer:
        if not name.isidentifier() or len(name) > 64:
            raise BadInput(f"{name!r} cannot name a key", fix="letters, digits and underscores")
        return Signer(self._keys / name)


def _message(digest: str, previous: str) -> bytes:
    """What a person signs: the new digest after the previous one, and what it is for."""
    return f"steward catalog\n{previous}\n{digest}\n".encode()


def _not(found: Activation, why: str) -> Activation:
    return Activation(
        found.digest,
        found.previous,
        None,
        why,
        found.under_way,
        found.failing,
        found.refinement,
        found.approved_by,
    )
