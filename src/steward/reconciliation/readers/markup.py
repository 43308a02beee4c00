"""XML in bounds: no document type, so no entities; depth, size and number of elements are limited. Elements know their
line. Namespaces are left off: what a file is, its root's namespace says.
"""

from __future__ import annotations

from xml.parsers import expat

from steward.kernel.errors import BadInput
from steward.reconciliation.readers.tables import LARGEST_FIELD, LARGEST_FILE

DEEPEST = 64
MOST_ELEMENTS = 5_000_000
"""About as many as fit into a gigabyte; a bank's year has a tenth."""


_NO_CHILDREN: list[Element] = []
_NO_ATTRIBUTES: dict[str, str] = {}
"""Shared by all leaves, and never filled: most elements of a statement are leaves."""


class Element:
    __slots__ = ("attributes", "children", "line", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str], line: int) -> None:
        self.name = name
        self.attributes = attributes or _NO_ATTRIBUTES
        self.children = _NO_CHILDREN
        self.text = ""
        self.line = line

    def all(self, *path: str) -> list[Element]:
        """Every element under this path, in the file's order."""
        found: list[Element] = [self]
        for name in path:
            found = [child for parent in found for child in parent.children if child.name == name]
        return found

    def first(self, *path: str) -> Element | None:
        found = self
        for name in path:
            for child in found.children:
                if child.name == name:
                    found = child
                    break
            else:
                return None
        return found

    def word(self, *path: str) -> str:
        """The text under this path, or nothing."""
        found = self.first(*path)
        return found.text.strip() if found else ""


class Source:
    """An expat parser that hands over local names and refuses what no statement needs."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._forbidden
        self.parser.EntityDeclHandler = self._forbidden
        self.parser.ExternalEntityRefHandler = self._forbidden

    def _forbidden(self, *_: object) -> int:
        raise BadInput("a document type is not read", where=f"line {self.parser.CurrentLineNumber}")

    def parse(self, content: bytes) -> None:
        if len(content) > LARGEST_FILE:
            raise BadInput(f"the XML is larger than {LARGEST_FILE} bytes")
        try:
            self.parser.Parse(content, True)
        except expat.ExpatError as error:
            raise BadInput(f"not XML: {expat.ErrorString(error.code)}", where=f"line {error.lineno}") from None
        except (LookupError, ValueError) as error:  # an encoding Python does not know
            raise BadInput(f"not XML: {error}") from None


class _Tree:
    def __init__(self) -> None:
        self.source = Source()
        self.open: list[Element] = []
        self.pieces: list[list[str]] = []
        self.count = 0
        self.length = 0
        self.root: Element | None = None
        self.namespace = ""
        parser = self.source.parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        line = self.source.parser.CurrentLineNumber
        self.count += 1
        if len(self.open) >= DEEPEST or self.count > MOST_ELEMENTS:
            raise BadInput("the XML is too deep or too large", where=f"line {line}")
        made = Element(local, attributes, line)
        if self.open:
            parent = self.open[-1]
            if parent.children is _NO_CHILDREN:
                parent.children = [made]
            else:
                parent.children.append(made)
        else:
            self.root, self.namespace = made, space
        self.open.append(made)
        self.pieces.append([])
        self.length = 0

    def _text(self, text: str) -> None:
        self.length += len(text)
        if self.length > LARGEST_FIELD:
            raise BadInput("a text is too long", where=f"line {self.source.parser.CurrentLineNumber}")
        self.pieces[-1].append(text)

    def _end(self, name: str) -> None:
        del name
        self.open.pop().text = "".join(self.pieces.pop())
        self.length = 0


def tree(content: bytes) -> tuple[Element, str]:
    """The root element and its namespace."""
    made = _Tree()
    made.source.parse(content)
    if made.root is None:
        raise BadInput("not XML: no element")
    return made.root, made.namespace
