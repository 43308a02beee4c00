"""Whether a name is on a list: the same words, whatever their order, case and accents."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def words(name: str) -> frozenset[str]:
    """A name as the set of its words: letters and digits alone, without accents and case."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    kept = "".join(one if one.isalnum() else " " for one in plain if not unicodedata.combining(one))
    return frozenset(kept.split())


def entries(text: str) -> list[str]:
    """The names of a list: one a line, up to the first tab or semicolon; empty lines and those after `#` are none."""
    made = (line.split("\t")[0].split(";")[0].strip().strip('"') for line in text.splitlines())
    return [name for name in made if name and not name.startswith("#")]


def hits(name: str, listed: Iterable[str]) -> list[str]:
    """Names on the list that share every word with this one, or of which this one holds every word of at least two."""
    asked = words(name)
    return [
        one
        for one in listed
        if asked and (found := words(one)) and (found == asked or (len(found) > 1 and (found < asked or asked < found)))
    ]
