"""Proof bundles as stored: the evidence text, byte for byte, and its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from steward.contracts.proof import Verdict
from steward.infra import sql
from steward.infra.db import Database
from steward.verifier.core.check import canonical

Row = dict[str, Any]
_PAGE = 500


class ProofLog:
    """The proof_bundle table."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._sql = sql.load("steward.verifier")

    def record(self, action_id: str, verdict: Verdict) -> str:
        """Store a verdict and its bundle, in the caller's transaction; returns the bundle's digest as hex, which
        the log anchors.
        """
        return self.record_all([(action_id, verdict)])[0]

    def record_all(self, verdicts: Sequence[tuple[str, Verdict]]) -> list[str]:
        """Store verdicts of actions in the caller's transaction, in one statement; the digests of their bundles."""
        texts = [canonical(verdict.bundle) for _, verdict in verdicts]
        digests = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        rows = [
            {
                "action_id": action_id[4:],
                "verdict": verdict.verdict,
                "answer": verdict.model_dump(mode="json", exclude={"bundle"}),
                "bundle": text,
                "bundle_digest": digest,
            }
            for (action_id, verdict), text, digest in zip(verdicts, texts, digests, strict=True)
        ]
        with self._db.transaction() as connection:
            connection.execute(self._sql["insert_bundles"], {"rows": Jsonb(rows)})
        return digests

    def of_action(self, action_id: str) -> Row | None:
        with self._db.transaction() as connection:
            return connection.execute(self._sql["of_action"], {"action_id": UUID(action_id[4:])}).fetchone()

    def texts(self, action_ids: Sequence[str]) -> dict[str, str]:
        """The bundles of some actions as stored, by action; what is not stored is left out."""
        named = {UUID(action_id[4:]): action_id for action_id in action_ids}
        with self._db.transaction() as connection:
            rows = connection.execute(self._sql["of_actions"], {"action_ids": list(named)}).fetchall()
        return {named[row["action_id"]]: row["bundle"] for row in rows}

    def all(self) -> Iterator[Row]:
        """Every bundle, in time order."""
        after = UUID(int=0)
        while True:
            with self._db.transaction() as connection:
                rows = connection.execute(self._sql["after"], {"after": after, "limit": _PAGE}).fetchall()
            if not rows:
                return
            yield from rows
            after = rows[-1]["action_id"]

    def verdicts(self) -> dict[str, int]:
        with self._db.transaction() as connection:
            return {row["verdict"]: row["actions"] for row in connection.execute(self._sql["verdicts"])}
