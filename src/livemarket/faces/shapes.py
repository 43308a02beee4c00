"""What a caller's JSON holds, with its type: None where it is something else. Each face says no in its own words."""

from __future__ import annotations

from typing import Any, cast


def an_object(value: Any) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def a_list(value: Any) -> list[Any] | None:
    return cast("list[Any]", value) if isinstance(value, list) else None


def texts(value: Any) -> list[str] | None:
    """A list of nothing but text."""
    found = a_list(value)
    return found if found is not None and all(isinstance(one, str) for one in found) else None


def objects(value: Any) -> list[dict[str, Any]] | None:
    """A list of nothing but objects."""
    found = a_list(value)
    return found if found is not None and all(isinstance(one, dict) for one in found) else None
