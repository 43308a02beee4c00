"""Documents that know where their parts stand. The file is read for that only when something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    _Loader = yaml.SafeLoader
else:
    _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Document(dict[str, Any]):
    """A mapping read from a file. `rooted` turns a path in it into one in the file, where they differ."""

    def __init__(
        self,
        values: dict[str, Any],
        file: Traversable | Path,
        rooted: Callable[[Sequence[str | int]], Sequence[str | int]] = tuple,
    ) -> None:
        super().__init__(values)
        self._file = file
        self._rooted = rooted

    def line(self, path: Sequence[str | int], inside: int = 1) -> int | None:
        """The line of the part at `path`, or of the nearest part around it that is there; from 1."""
        return line_of(self._file, self._rooted(path), inside)


def line_of(file: Traversable | Path, path: Sequence[str | int], inside: int = 1) -> int | None:
    """The line at which the part at `path` begins; of a text in block form (`|`), its line `inside`. None where the
    file cannot be read any more.
    """
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    line = 1
    for step in path:
        found = _step(node, step)
        if found is None:
            return line
        line, node = found
    is_block = isinstance(node, yaml.ScalarNode) and node.style == "|"
    return line + inside if is_block else line


def _step(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    """One step into a node: (line, part). A value that begins on a later line than its key is found at its key."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
        part = node.value[step]
        return part.start_mark.line + 1, part
    return None
