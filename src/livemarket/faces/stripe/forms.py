"""Form bodies with brackets: a[b]=1, a[]=2, a[0]=3."""

from __future__ import annotations

from typing import Any, cast


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The pairs as nested dictionaries; a list is one whose keys are numbers. Raises ValueError where a name is both a
    value and a dictionary.
    """
    made: dict[str, Any] = {}
    for name, value in pairs:
        head, *rest = name.replace("]", "").split("[")
        place: dict[str, Any] = made
        for outer, inner in zip([head, *rest], rest, strict=False):
            found: Any = place.setdefault(outer or str(len(place)), {})
            if not isinstance(found, dict) or (not inner and outer == ""):
                raise ValueError(f"{name} names a value and a dictionary")
            place = cast("dict[str, Any]", found)
        last = [head, *rest][-1]
        place[last or str(len(place))] = value
    return made


def listed(value: Any) -> list[str]:
    """A list, however its names were written."""
    if isinstance(value, dict):
        return [str(item) for item in cast("dict[str, Any]", value).values()]
    return [value] if isinstance(value, str) else []
