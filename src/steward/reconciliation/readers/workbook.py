"""XLSX workbooks as rows of text. Numbers stay decimal: what a spreadsheet stores with 16 or 17 digits is taken at the
15 it can hold, never through a float. Archives are read in bounds.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from datetime import date, timedelta
from decimal import Context, Decimal

from steward.kernel.errors import BadInput
from steward.reconciliation.readers.markup import Element, Source, tree
from steward.reconciliation.readers.tables import LARGEST_FIELD, LARGEST_FILE, MOST_ROWS, Rows

MOST_PARTS = 2_000
MOST_COLUMNS = 2_000

_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_PLACE = re.compile(r"([A-Z]{1,3})[0-9]{1,7}", re.ASCII)
_FIFTEEN = Context(prec=15)
_DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}


def is_workbook(content: bytes) -> bool:
    return content[:4] == b"PK\x03\x04"


def number_text(text: str) -> str:
    """A stored number as a plain decimal of at most 15 digits."""
    if not _NUMBER.fullmatch(text):
        raise BadInput(f"{text[:24]!r} is no number of a cell")
    value = _FIFTEEN.create_decimal(text)
    if abs(value.adjusted()) > 20 and value:
        raise BadInput(f"{text[:24]!r} is beyond any amount")
    plain = format(value, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def moment_text(text: str, epoch: date) -> str:
    """A day's number, with its fraction of a day to the second, as a date or a time."""
    value = Decimal(number_text(text))
    whole = int(value // 1)
    if not 1 <= whole < 150_000:
        raise BadInput(f"{text[:24]!r} is no day of a calendar")
    seconds = int(((value - whole) * 86_400).to_integral_value())
    day = epoch + timedelta(days=whole + seconds // 86_400)
    seconds %= 86_400
    clock = f" {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}" if seconds else ""
    return f"{day.isoformat()}{clock}"


class _Archive:
    def __init__(self, content: bytes) -> None:
        try:
            self.zip = zipfile.ZipFile(io.BytesIO(content))
            self.parts = {info.filename: info for info in self.zip.infolist()}
        except (zipfile.BadZipFile, ValueError, RuntimeError, OverflowError, EOFError) as error:
            raise BadInput(f"no workbook: {error}") from None
        if len(self.parts) > MOST_PARTS:
            raise BadInput("the workbook has too many parts")
        self.left = LARGEST_FILE

    def part(self, name: str) -> bytes:
        """One part, unpacked to at most what is left of the file's bound."""
        info = self.parts.get(name)
        if info is None:
            raise BadInput(f"the workbook has no {name}")
        try:
            with self.zip.open(info) as stream:
                data = stream.read(self.left + 1)
        except (
            zipfile.BadZipFile, zlib.error, ValueError, RuntimeError, EOFError, OSError,
        ) as error:  # fmt: skip
            raise BadInput(f"{name} cannot be unpacked: {error}") from None
        self.left -= len(data)
        if self.left < 0:
            raise BadInput(f"the workbook unpacks to more than {LARGEST_FILE} bytes")
        return data

    def has(self, name: str) -> bool:
        return name in self.parts


def sheet_rows(content: bytes, wanted: str = "") -> Rows:
    """(row number, cells) of the sheet called `wanted`, else of the first one."""
    archive = _Archive(content)
    book, _ = tree(archive.part("xl/workbook.xml"))
    shared = _shared(archive)
    dates = _date_styles(archive)
    properties = book.first("workbookPr")
    late = properties is not None and properties.attributes.get("date1904") in {"1", "true"}
    epoch = date(1904, 1, 1) if late else date(1899, 12, 30)
    sheet = _Sheet(shared, dates, epoch)
    sheet.source.parse(archive.part(_path(archive, book, wanted)))
    if not sheet.rows:
        raise BadInput("the sheet is empty")
    return iter(sheet.rows)


def _path(archive: _Archive, book: Element, wanted: str) -> str:
    sheets = book.all("sheets", "sheet")
    if not sheets:
        raise BadInput("the workbook has no sheet")
    named = [s for s in sheets if s.attributes.get("name", "").strip().casefold() == wanted.casefold()]
    chosen = (named or sheets)[0]
    link = next((v for k, v in chosen.attributes.items() if k.endswith(" id")), "")
    relations, _ = tree(archive.part("xl/_rels/workbook.xml.rels"))
    for relation in relations.all("Relationship"):
        if relation.attributes.get("Id") == link:
            target = relation.attributes.get("Target", "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise BadInput("the workbook does not say where its sheet is")


def _shared(archive: _Archive) -> list[str]:
    if not archive.has("xl/sharedStrings.xml"):
        return []
    root, _ = tree(archive.part("xl/sharedStrings.xml"))
    return ["".join(t.text for t in [*item.all("t"), *item.all("r", "t")]) for item in root.all("si")]


def _date_styles(archive: _Archive) -> set[int]:
    """The styles that show a number as a date."""
    if not archive.has("xl/styles.xml"):
        return set()
    root, _ = tree(archive.part("xl/styles.xml"))
    formats = {
        f.attributes.get("numFmtId", ""): re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", f.attributes.get("formatCode", ""))
        for f in root.all("numFmts", "numFmt")
    }
    made: set[int] = set()
    for place, style in enumerate(root.all("cellXfs", "xf")):
        number = style.attributes.get("numFmtId", "0")
        built_in = number.isascii() and number.isdigit() and len(number) < 6 and int(number) in _DATE_FORMATS
        if built_in or any(letter in formats.get(number, "") for letter in "yd"):
            made.add(place)
    return made


class _Sheet:
    """One sheet's rows, as its XML streams past."""

    def __init__(self, shared: list[str], dates: set[int], epoch: date) -> None:
        self.shared = shared
        self.dates = dates
        self.epoch = epoch
        self.rows: list[tuple[int, list[str]]] = []
        self.cells: list[str] = []
        self.number = 0
        self.kind = self.style = ""
        self.column = 0
        self.text: list[str] = []
        self.length = 0
        self.inside = False
        self.source = Source()
        parser = self.source.parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if local == "row":
            told = attributes.get("r", "")
            self.number = int(told) if told.isascii() and told.isdigit() and len(told) < 8 else self.number + 1
            self.cells = []
        elif local == "c":
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "0")
            self.text, self.length = [], 0
            self.column = self._column(attributes.get("r", ""))
        elif local in {"v", "t"}:
            self.inside = True

    def _column(self, place: str) -> int:
        if not place:
            return len(self.cells)
        found = _PLACE.fullmatch(place)
        if not found:
            raise BadInput(f"{place[:12]!r} is no cell", where=f"row {self.number}")
        column = 0
        for letter in found[1]:
            column = column * 26 + ord(letter) - 64
        if not len(self.cells) < column <= MOST_COLUMNS:
            raise BadInput(f"the cell {place} is out of order or too far", where=f"row {self.number}")
        return column - 1

    def _text(self, text: str) -> None:
        if self.inside:
            self.length += len(text)
            if self.length > LARGEST_FIELD:
                raise BadInput("a cell is too long", where=f"row {self.number}")
            self.text.append(text)

    def _end(self, name: str) -> None:
        local = name.rpartition(" ")[2]
        if local in {"v", "t"}:
            self.inside = False
        elif local == "c":
            self.cells += [""] * (self.column - len(self.cells))
            self.cells.append(self._value("".join(self.text)))
        elif local == "row" and any(map(str.strip, self.cells)):
            if len(self.rows) >= MOST_ROWS:
                raise BadInput(f"the sheet has more than {MOST_ROWS} rows")
            self.rows.append((self.number, self.cells))

    def _value(self, text: str) -> str:
        if self.kind == "s":
            place = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1
            if not 0 <= place < len(self.shared):
                raise BadInput("a cell names a text that is not there", where=f"row {self.number}")
            return self.shared[place]
        if self.kind == "e":
            raise BadInput(f"a cell holds the error {text[:12]}", where=f"row {self.number}")
        if self.kind != "n" or not text:
            return text
        style = int(self.style) if self.style.isascii() and self.style.isdigit() and len(self.style) < 6 else 0
        return moment_text(text, self.epoch) if style in self.dates else number_text(text)
