"""Pages of a list: by cursor, and by number."""

from __future__ import annotations

from collections.abc import Sequence


def by_cursor(ids: Sequence[str], limit: int, after: str = "", before: str = "") -> tuple[list[str], bool] | None:
    """Newest first: what follows `after` or comes before `before`, and whether there is more that way. None: a cursor
    that is not in the list.
    """
    if (after and after not in ids) or (before and before not in ids):
        return None
    if before:
        end = ids.index(before)
        start = max(0, end - limit)
        return list(ids[start:end]), start > 0
    start = ids.index(after) + 1 if after else 0
    return list(ids[start : start + limit]), start + limit < len(ids)


def by_number(count: int, page: int, size: int) -> tuple[range, int]:
    """The places on this page (the first is 1), and how many pages there are."""
    start = (page - 1) * size
    return range(min(start, count), min(start + size, count)), -(-count // size)
