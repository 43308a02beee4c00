"""Form bodies with brackets: a[b]=1, a[]=2, a[0]=3."""

from __future__ import annotations

from typing import Any


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The pairs as nested dictionaries; a list is one whose keys are numbers. Raises ValueError where a name is both a
    value and a dictionary.
    """
    made: dict[str, Any] = {}
    for name, value in pairs:
        head, *rest = name.replace("]", "").split("[")
        place: dict[str, Any] = made
        keys = [head, *rest]
        for n, key in enumerate(keys):
            key = key or str(len(place))
            if n == len(keys) - 1:
                place[key] = value
                break
            inner = place.setdefault(key, {})
            if not isinstance(inner, dict):
                raise ValueError(f"{name} names a value and a dictionary")
            place = inner
    return made


def listed(value: Any) -> list[str]:
    """A list, however its names were written."""
    if isinstance(value, dict):
        return [str(item) for item in value.values()]  # type: ignore[reportUnknownVariableType]
    return [value] if isinstance(value, str) else []
