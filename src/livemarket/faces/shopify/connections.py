"""Cursor connections: edges, nodes, pageInfo."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError

MOST = 250
Node = dict[str, Any]
Resolver = Callable[..., Any]


def cursor(key: int) -> str:
    return base64.urlsafe_b64encode(f"livemarket:{key}".encode()).decode()


def _place(keys: Sequence[int], text: str) -> int:
    """Where a cursor stands."""
    try:
        name, _, number = base64.urlsafe_b64decode(text).decode().partition(":")
        return keys.index(int(number)) if name == "livemarket" else keys.index(-1)
    except ValueError as error:
        raise GraphQLError("Invalid cursor for current pagination sort.") from error


def connection(
    keys: Sequence[int], made: Callable[[int], Node], first: int | None = None, after: str | None = None,
    last: int | None = None, before: str | None = None,
) -> Node:  # fmt: skip
    """The `first` after a cursor or the `last` before one."""
    if first is None and last is None:
        raise GraphQLError("you must provide one of first or last", extensions={"code": "BAD_REQUEST"})
    for name, count in (("first", first), ("last", last)):
        if count is not None and not 0 <= count <= MOST:
            raise GraphQLError(f"{name} is from 0 to {MOST}", extensions={"code": "BAD_REQUEST"})
    start = _place(keys, after) + 1 if after else 0
    end = _place(keys, before) if before else len(keys)
    if first is not None:
        end = min(end, start + first)
    if last is not None:
        start = max(start, end - last)
    chosen = [(cursor(key), made(key)) for key in keys[start:end]]
    return {
        "edges": [{"cursor": place, "node": node} for place, node in chosen], "nodes": [node for _, node in chosen],
        "pageInfo": {
            "hasNextPage": end < len(keys), "hasPreviousPage": start > 0,
            "startCursor": chosen[0][0] if chosen else None, "endCursor": chosen[-1][0] if chosen else None,
        },
    }  # fmt: skip


def lazy(made: Callable[[], Any]) -> Resolver:
    """A field that is worked out only if it is asked for."""

    def resolve(_: Any) -> Any:
        return made()

    return resolve


def firsts(made: Callable[[], list[Node]]) -> Resolver:
    """A plain list that may be cut off."""

    def resolve(_: Any, first: int | None = None) -> list[Node]:
        return made()[:first]

    return resolve


def windowed(keys: Callable[[], Sequence[int]], made: Callable[[int], Node]) -> Resolver:
    """A connection that may be turned round."""

    def resolve(_: Any, *, reverse: bool = False, **window: Any) -> Node:
        every = list(keys())
        return connection(every[::-1] if reverse else every, made, **window)

    return resolve
