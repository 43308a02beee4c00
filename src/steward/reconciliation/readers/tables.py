"""Bytes -> text -> rows, in bounds. What a file's header does not name is not guessed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from steward.kernel.errors import BadInput

LARGEST_FILE = 256 * 1024 * 1024
LARGEST_FIELD = 100_000
MOST_ROWS = 2_000_000

Rows = Iterator[tuple[int, list[str]]]


def text_of(content: bytes) -> str:
    """UTF-8 with or without its mark, UTF-16 with one. Anything else is refused: a wrong guess changes names."""
    if len(content) > LARGEST_FILE:
        raise BadInput(f"the file is larger than {LARGEST_FILE} bytes")
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise BadInput(f"the text is not {encoding[:6].upper()}: byte {error.start}") from None
    if "\x00" in text:
        raise BadInput("the text has a zero character", where=f"line {text.count(chr(10), 0, text.index(chr(0))) + 1}")
    if not text.strip():
        raise BadInput("the file is empty")
    return text


def rows(text: str, delimiter: str = ",") -> Rows:
    """(first line's number, cells) of each row that is not blank. Broken quoting is refused with its line."""
    source = io.StringIO(text, newline="")
    quoted: list[str] = []
    reader = csv.reader(_from(quoted, source), delimiter=delimiter, strict=True)
    plain, count = 0, 0
    try:
        for line in source:
            first = plain + reader.line_num + 1
            if '"' in line or len(line) > LARGEST_FIELD:
                quoted.append(line)
                cells = next(reader)
            else:
                plain += 1
                cells = line.rstrip("\r\n").split(delimiter)
            if not any(map(str.strip, cells)):
                continue
            count += 1
            if count > MOST_ROWS:
                raise BadInput(f"the file has more than {MOST_ROWS} rows")
            yield first, cells
    except csv.Error as error:
        raise BadInput(f"no table: {error}", where=f"line {plain + reader.line_num}") from None


def _from(first: list[str], rest: Iterator[str]) -> Iterator[str]:
    """The lines of the rows that are quoted: what was taken of one already, then what follows."""
    while line := first.pop() if first else next(rest, ""):
        yield line


def named(text: str) -> str:
    """A column's name as it is compared: blanks at its ends, double blanks and capitals do not count."""
    return " ".join(text.split()).casefold()


class Header:
    """Where each column stands. A name that comes twice is its first place."""

    def __init__(self, cells: list[str], line: int = 1) -> None:
        self.line = line
        self.width = len(cells)
        self.places: dict[str, int] = {}
        for place, cell in enumerate(cells):
            self.places.setdefault(named(cell), place)

    def has(self, *names: str) -> bool:
        return all(named(name) in self.places for name in names)

    def maybe(self, *names: str) -> int:
        """The first of these columns that is there, or -1."""
        return next((self.places[named(name)] for name in names if named(name) in self.places), -1)

    def need(self, *names: str) -> int:
        place = self.maybe(*names)
        if place < 0:
            raise BadInput(f"no column {names[0]!r}", where=f"line {self.line}")
        return place

    def check(self, cells: list[str]) -> None:
        """A row has the header's cells; empty ones too many are let pass."""
        if len(cells) < self.width or any(map(str.strip, cells[self.width :])):
            raise BadInput(f"{len(cells)} cells where the header has {self.width}: the row is cut or joined")

    def row(self, cells: list[str]) -> list[str]:
        """The stripped cells of a row of this header, with an empty one behind them: a column that is not there is at
        place -1, which is that one.
        """
        if len(cells) != self.width:
            self.check(cells)
            cells = cells[: self.width]
        return [*map(str.strip, cells), ""]


def header_of(table: Rows) -> Header:
    """The first row, as the names of the columns."""
    for number, cells in table:
        return Header(cells, number)
    raise BadInput("no row of columns' names")


def cell(cells: list[str], place: int) -> str:
    return cells[place].strip() if 0 <= place < len(cells) else ""
