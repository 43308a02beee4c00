"""Named queries from a package's queries.sql, or another file of it: `-- name --`, a sentence, the statement."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

from steward.kernel.errors import StewardError

_NAME = re.compile(r"^-- ([a-z_0-9]+) --$", re.MULTILINE)


class Queries:
    """Queries by name. The files ship with the package, so their text is as literal as code."""

    def __init__(self, package: str, text: str) -> None:
        parts = _NAME.split(text)
        names = parts[1::2]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise StewardError(f"queries named twice: {sorted(twice)}", where=package)
        self._package = package
        self._queries = {name: query.strip().rstrip(";") for name, query in zip(names, parts[2::2], strict=True)}

    def __getitem__(self, name: str) -> LiteralString:
        try:
            return cast("LiteralString", self._queries[name])
        except KeyError:
            raise StewardError(f"there is no query {name!r}", where=self._package) from None

    def names(self) -> list[str]:
        return list(self._queries)


@cache
def load(package: str, file: str = "queries.sql") -> Queries:
    """The queries of a package such as `steward.ledger`."""
    return Queries(package, (files(package) / file).read_text(encoding="utf-8"))
