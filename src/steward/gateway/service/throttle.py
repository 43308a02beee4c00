"""What the other sides bear: tokens and circuit breakers, as rows that hold over all processes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import Connection

from steward.contracts.tool import Rate, ToolSpec
from steward.gateway.core.effect_rule import micro_rate, wait_for_token
from steward.gateway.service.outside import Outside
from steward.gateway.store import EffectStore, Row


class Throttle:
    """Asked before actions are taken up, told what came of them."""

    def __init__(self, store: EffectStore, outside: Outside) -> None:
        self._store = store
        self._outside = outside

    def admit(
        self, connection: Connection[Row], wanted: Sequence[Row], now: datetime
    ) -> tuple[set[UUID], list[tuple[Row, datetime]]]:
        """The actions that may go now, and when the others may be looked at again. Tools and verbs are asked in the
        order of their names, so that two processes that want the same never wait in a circle.
        """
        allowed: set[UUID] = set()
        later: list[tuple[Row, datetime]] = []
        groups: dict[str, list[Row]] = {}
        for row in wanted:
            groups.setdefault(row["tool"], []).append(row)
        open_until = self._store.breakers(connection, sorted(groups)) if groups else {}
        for name in sorted(groups):
            rows = groups[name]
            spec = self._outside.tool(name)
            if name in open_until:
                rows, put_off = self._half_open(connection, rows, spec, open_until[name], now)
                later += put_off
            rows, put_off = self._draw(connection, name, rows, spec.rate, now)
            later += put_off
            for verb in sorted({row["verb"] for row in rows}):
                mine = [row for row in rows if row["verb"] == verb]
                rate = self._outside.verb(mine[0])[1].rate
                going, put_off = self._draw(connection, f"{name}.{verb}", mine, rate, now)
                later += put_off
                allowed |= {row["action_id"] for row in going}
        return allowed, later

    def _half_open(
        self, connection: Connection[Row], rows: list[Row], spec: ToolSpec, until: datetime, now: datetime
    ) -> tuple[list[Row], list[tuple[Row, datetime]]]:
        """Nothing while a breaker is open; one call once its time is over."""
        again = now + timedelta(seconds=spec.breaker_seconds)
        if now < until or not self._store.try_breaker(connection, spec.tool, now, again):
            return [], [(row, max(until, now + timedelta(seconds=1))) for row in rows]
        return rows[:1], [(row, again) for row in rows[1:]]

    def _draw(
        self, connection: Connection[Row], name: str, rows: list[Row], rate: Rate | None, now: datetime
    ) -> tuple[list[Row], list[tuple[Row, datetime]]]:
        if rate is None or not rows:
            return rows, []
        granted, level = self._store.draw(connection, name, len(rows), rate.burst, micro_rate(rate), now)
        due = now + wait_for_token(rate, level)
        return rows[:granted], [(row, due) for row in rows[granted:]]

    def note(self, connection: Connection[Row], came: Sequence[tuple[str, bool]], now: datetime) -> None:
        """What calls came to, by tool: whether the other side was silent, out of reach, or broken as it says itself."""
        for tool in sorted({name for name, _ in came}):
            failed = [is_broken for name, is_broken in came if name == tool]
            spec = self._outside.tool(tool)
            until = now + timedelta(seconds=spec.breaker_seconds)
            for is_broken in failed if all(failed) else [False]:
                self._store.note(connection, tool, now, spec.breaker_failures, until, failed=is_broken)
