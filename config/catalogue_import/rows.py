"""Reading the file row by row, in bounded memory, whatever is in it."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from config.catalogue_import.columns import NEEDED, UnknownColumns, places

MOST_LINE = 1024 * 1024
"""Bytes of one line. A cell may go over several."""

MOST_ROW = 4 * MOST_LINE
"""Bytes of one row."""

_KINDS = {
    b"PK\x03\x04": "an Excel workbook or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a PDF file",
    b"\x1f\x8b": "a compressed file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
_SAVE = "Save it as CSV in UTF-8 (in Excel: CSV UTF-8) and import that."


class UnreadableFile(Exception):
    """Nothing can be read from the file; says why, and the way out."""


class Row(NamedTuple):
    """A row: the number of its first line, and its cells by column."""

    line: int
    cells: Mapping[str, str]


class BrokenRow(NamedTuple):
    """A row that cannot be read, and why. `handle` is whose it is, empty when nobody can tell."""

    line: int
    problem: str
    handle: str = ""


class Reader:
    """The rows of a file, in order. `consumed` is how many bytes were read so far."""

    def __init__(self, file: BinaryIO, *, path: Path) -> None:
        self._file = file
        self._path = path
        self.consumed = 0
        self._line = 0
        self._first = ""
        self._began = 0
        self._problem = ""
        self._delimiter = ","
        self._places: Mapping[str, int] = {}
        self._width = 0

    def __iter__(self) -> Iterator[Row | BrokenRow]:
        """Every row but the first, which names the columns. Raises UnreadableFile for that one."""
        self._read_header()
        while True:
            # A new one after an error: the old one is left in the middle of a cell.
            rows = csv.reader(self._lines(), delimiter=self._delimiter)
            problem = ""
            while not problem:
                line = self._begin_row()
                try:
                    cells = next(rows, None)
                except csv.Error as error:
                    problem = _words(error)
                    yield self._broken(line, problem)
                else:
                    if cells is None:
                        return
                    yield from self._row(line, cells)

    def _read_header(self) -> None:
        self._refuse_other_kinds()
        self._begin_row()
        text = next(self._lines(), None)
        if text is None:
            raise UnreadableFile(f"{self._path} is empty. Export the products again.")
        if self._problem:
            raise UnreadableFile(f"{self._path}: {self._problem}")
        text = text.removeprefix("\ufeff")
        failure = ""
        for delimiter in (",", ";", "\t"):
            try:
                header = next(csv.reader([text], delimiter=delimiter), [])
                self._places = places(header)
            except csv.Error as error:
                failure = failure or f"line 1 cannot be read: {_words(error)}"
            except UnknownColumns as error:
                failure = failure or str(error)
            else:
                self._delimiter, self._width = delimiter, len(header)
                return
        raise UnreadableFile(
            f"{self._path}: {failure}. It must name the columns as Shopify's product export does, "
            f"at least {', '.join(name.capitalize() for name in NEEDED[:2])} and Variant Price."
        )

    def _refuse_other_kinds(self) -> None:
        head = self._file.read(4)
        self._file.seek(0)
        for mark, kind in _KINDS.items():
            if head.startswith(mark):
                raise UnreadableFile(f"{self._path} is {kind}, not a CSV file. {_SAVE}")

    def _begin_row(self) -> int:
        self._problem = self._first = ""
        self._began = self.consumed
        return self._line + 1

    def _row(self, line: int, cells: Sequence[str]) -> Iterator[Row | BrokenRow]:
        if self._problem:
            yield self._broken(line, self._problem)
        elif any("\0" in cell for cell in cells):
            yield self._broken(line, "it holds a NUL byte. Remove it.")
        elif len(cells) > self._width and any(cells[self._width :]):
            words = f"it has {len(cells)} cells, and line 1 names {self._width} columns."
            yield self._broken(line, words + " A quote or a comma is in the wrong place.")
        elif any(cell.strip() for cell in cells):
            full = [*cells, *[""] * (self._width - len(cells))]
            yield Row(line, {name: full[place].strip() for name, place in self._places.items()})

    def _broken(self, line: int, problem: str) -> BrokenRow:
        if self._line > line:
            problem = f"{problem} (The row goes on until line {self._line}.)"
        return BrokenRow(line, problem, self._handle())

    def _handle(self) -> str:
        """The handle of a broken row, if its first line still tells."""
        try:
            cells = next(csv.reader([self._first], delimiter=self._delimiter), [])
        except csv.Error:
            return ""
        place = self._places.get("handle", 0)
        # The last cell may have been cut off.
        handle = cells[place].strip() if place < len(cells) - 1 else ""
        return handle if handle.isprintable() else ""

    def _lines(self) -> Iterator[str]:
        while raw := self._file.readline(MOST_LINE):
            start = self.consumed
            self.consumed += len(raw)
            self._line += 1
            text = self._decoded(raw, start)
            if not self._first:
                self._first = text[:2000]
            if len(raw) == MOST_LINE and not raw.endswith(b"\n"):
                self._skip_line()
                self._problem = f"its line {self._line} has more than {MOST_LINE:,} bytes."
                text = text[:2000] + "\n"
            if self.consumed - self._began > MOST_ROW:
                raise csv.Error("row larger than the limit")
            yield text

    def _decoded(self, raw: bytes, start: int) -> str:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            if not self._problem:
                self._problem = (
                    f"byte 0x{raw[error.start]:02X} at position {start + error.start:,} of the "
                    f"file (line {self._line}) is not UTF-8. {_SAVE}"
                )
            return raw.decode("utf-8", errors="replace")

    def _skip_line(self) -> None:
        while raw := self._file.readline(MOST_LINE):
            self.consumed += len(raw)
            if raw.endswith(b"\n"):
                return


def _words(error: csv.Error) -> str:
    said = str(error)
    if "larger than" in said:
        return (
            f"it is too large: a cell may have {csv.field_size_limit():,} characters, a row "
            f"{MOST_ROW:,} bytes. Perhaps a quote is opened and never closed."
        )
    if "new-line" in said:
        return "a line ends in a carriage return alone. Save the file with usual line ends."
    return f"it is not CSV ({said})."
