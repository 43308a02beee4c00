"""Runs, matches, breaks, and where each item stands. Every method runs in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from psycopg import Connection
from psycopg.types.json import Jsonb

from steward.contracts.settlement import Match, MatchItem
from steward.infra import sql
from steward.infra.copying import CHUNK, Column, Same, copy_columns, copy_rows
from steward.kernel.canonical import JsonObject
from steward.reconciliation.store.statements import Row


class ResultStore:
    """SQL of recon_run, recon_match, recon_item, recon_break and recon_break_item."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.reconciliation")

    def take_turn(self, connection: Connection[Row]) -> None:
        """Wait until nobody else changes what is matched; held to the end of the caller's transaction."""
        connection.execute(self._sql["recon_turn"])

    def told_again(self, connection: Connection[Row], since: datetime) -> list[int]:
        """Matches older than that whose movement a free line names: it may tell the same again."""
        oldest = connection.execute(self._sql["oldest_match"]).fetchone()
        if oldest is None or oldest["made_at"] >= since:
            return []
        rows = connection.execute(self._sql["told_again"], {"since": since})
        return [row["match_no"] for row in rows]

    def live(
        self, connection: Connection[Row], side: str, since: datetime, again: Sequence[int]
    ) -> dict[tuple[str, ...], int]:
        """Matches of the machine that a run may make again: their items (`side key`, sorted) and number."""
        values = {"side": side, "since": since, "again": list(again)}
        rows = connection.execute(self._sql["live_matches"], values)
        return {tuple(sorted(row["items"])): row["match_no"] for row in rows}

    def add(
        self, connection: Connection[Row], side: str, matches: Sequence[Match], run_id: str, now: datetime, by: str
    ) -> list[int]:
        """Matches with their items; their numbers."""
        numbers = self._numbers(connection, len(matches))
        parts = [(numbers[at : at + CHUNK], matches[at : at + CHUNK]) for at in range(0, len(matches), CHUNK)]
        told_by: dict[int, str] = {}  # the cascade shares evidence between matches
        copy_columns(
            connection,
            self._sql["copy_matches"],
            (
                (
                    own, Same(run_id), Same(side), [m.rule for m in part], [m.confidence for m in part],
                    [m.currency for m in part], [m.rounding_minor for m in part],
                    [told_by.get(id(m.evidence)) or _evidence(m, told_by) for m in part], Same(now), Same(by),
                )
                for own, part in parts
            ),
        )  # fmt: skip
        copy_columns(connection, self._sql["copy_items"], (_item_columns(side, own, part) for own, part in parts))
        return numbers

    def _numbers(self, connection: Connection[Row], count: int) -> list[int]:
        """So many new numbers of matches, in order."""
        found = connection.execute(self._sql["match_numbers"], {"count": count}).fetchone()
        return found["numbers"] if found else []

    def undo(self, connection: Connection[Row], numbers: Sequence[int], by: str, why: str, now: datetime) -> int:
        """Undo matches; how many items are free again."""
        values = {"numbers": list(numbers), "by": by, "why": why, "now": now}
        return connection.execute(self._sql["undo_matches"], values).rowcount

    def matches_of(self, connection: Connection[Row], item_side: str, keys: Sequence[str]) -> list[int]:
        rows = connection.execute(self._sql["matches_of_statement"], {"side": item_side, "keys": list(keys)})
        return [row["match_no"] for row in rows]

    def matches(self, connection: Connection[Row], key: str | None, rule: str | None, limit: int) -> list[Row]:
        return connection.execute(self._sql["matches"], {"key": key, "rule": rule, "limit": limit}).fetchall()

    def put_settled(
        self, connection: Connection[Row], rows: Sequence[JsonObject], run_id: str, now: datetime, *, is_bank: bool
    ) -> list[Row]:
        """What a run left of each statement; those of which it says something new."""
        values = {"rows": Jsonb(list(rows)), "run_id": run_id, "now": now, "is_bank": is_bank}
        return connection.execute(self._sql["put_settled"], values).fetchall()

    def add_run(self, connection: Connection[Row], values: Row) -> None:
        connection.execute(self._sql["add_run"], {**values, "report": Jsonb(values["report"])})

    def open_breaks(self, connection: Connection[Row], side: str) -> set[str]:
        return {row["break_id"] for row in connection.execute(self._sql["open_breaks"], {"side": side})}

    def put_breaks(
        self,
        connection: Connection[Row],
        side: str,
        rows: Sequence[JsonObject],
        items: Sequence[JsonObject],
        run_id: str,
        now: datetime,
    ) -> set[str]:
        """Write breaks that are new; which those were. One that was gone and is there again is open again."""
        ids = [row["break_id"] for row in rows]
        again = connection.execute(self._sql["reopen_breaks"], {"ids": ids}).fetchall()
        values = {"side": side, "rows": Jsonb(list(rows)), "items": Jsonb(list(items)), "run_id": run_id, "now": now}
        made = connection.execute(self._sql["put_breaks"], values)
        return {row["break_id"] for row in (*made, *again)}

    def end_breaks(self, connection: Connection[Row], ids: Sequence[str], by: str, why: str, now: datetime) -> None:
        connection.execute(self._sql["end_breaks"], {"ids": list(ids), "by": by, "why": why, "now": now})

    def breaks(
        self,
        connection: Connection[Row],
        state: str | None = "open",
        kind: str | None = None,
        break_id: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Row]:
        values = {"state": state, "type": kind, "break_id": break_id, "limit": limit, "offset": offset}
        return connection.execute(self._sql["breaks"], values).fetchall()

    def resolve(self, connection: Connection[Row], one: Row, how: str, by: str, why: str, now: datetime) -> bool:
        """End a break; its items stand in it from now on, and no run sees them again."""
        values = {"break_id": one["break_id"], "how": how, "by": by, "why": why, "now": now}
        if connection.execute(self._sql["resolve_break"], values).fetchone() is None:
            return False
        copy_rows(
            connection,
            self._sql["copy_items"],
            (
                (item["side"], one["side"], item["key"], None, one["break_id"], item["amount_minor"], item["currency"])
                for item in one["items"]
            ),
        )
        return True

    def own(self, connection: Connection[Row], break_id: str, owner: str) -> bool:
        values = {"break_id": break_id, "owner": owner}
        return connection.execute(self._sql["own_break"], values).fetchone() is not None


def _evidence(match: Match, told_by: dict[int, str]) -> str:
    told_by[id(match.evidence)] = text = json.dumps(match.evidence)
    return text


def _item_columns(side: str, numbers: Sequence[int], matches: Sequence[Match]) -> Sequence[Column]:
    """The items of these matches, each with the number of its match."""
    items = [item for match in matches for item in match.items]
    own = [n for n, match in zip(numbers, matches, strict=True) for _ in match.items]
    currencies = [item.currency or match.currency for match in matches for item in match.items]
    amounts = [item.amount_minor for item in items]
    return [i.side for i in items], Same(side), [i.key for i in items], own, Same(None), amounts, currencies


def told(items: Sequence[MatchItem]) -> tuple[str, ...]:
    """A match's items as `live` names them."""
    return tuple(sorted(f"{item.side} {item.key}" for item in items))
