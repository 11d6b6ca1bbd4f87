"""Text tables (CSV) as spreadsheets and programs save them, read strictly: what may mean two things is refused.

A file is UTF-8, or Unicode with a byte order mark. Its columns are separated by commas, semicolons or tabs, its lines
end in any of the three ways, its cells are quoted as in RFC 4180. Rows without a value are skipped, as is a first line
`sep=;`. Cells are text, without the spaces around them.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..errors import NosographError, Problem, fail, list_some, nearest

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_MARKS = (  # UTF-32 first: its mark begins as UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTAINERS = {b"PK\x03\x04": "a spreadsheet or an archive", b"\xd0\xcf\x11\xe0": "a spreadsheet", b"\x1f\x8b": "gzip"}
_SIGNS = "".join(DELIMITERS) + " "
_SAMPLE = 50  # rows that tell what separates the columns
_AS_UTF8 = "the file saved as UTF-8 (in a spreadsheet: CSV UTF-8)"
_DECLARED = re.compile(r"sep=([^\r\n])(\r\n|\r|\n)", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_MARKED = re.compile(r"[+-]?(?P<whole>\d*)(?P<mark>[.,])(?P<part>\d+)(?![\d.,])", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d+([_' \xa0\u202f\u2019]\d+)+([.,]\d+)?", re.ASCII)
SWAPPED = str.maketrans(",.", ".,")  # a number with a decimal comma as one with a point, and the other way round
# How programs write that there is no number.
MISSING = ("na", "n/a", "#n/a", "nan", "null", "none", "missing", "unknown", "-", "--", "?", ".", "inf", "-inf")


@dataclass(frozen=True, slots=True)
class TextRow:
    """A row's cells by column, and the line at which it begins."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class TextTable:
    """A table as text. `columns` are its names in order, "" for a column without one; `start` is where in `text` the
    header begins, in line `line`."""

    file: str
    columns: tuple[str, ...]
    delimiter: str
    text: str
    start: int
    line: int

    def rows(self) -> Iterator[TextRow]:
        """The rows that hold something. Raises NosographError, with the line, for what is not CSV, a row of another
        length than the header, and a value in a column without a name."""
        width = len(self.columns)
        body = _split(self.text[self.start :], delimiter=self.delimiter, file=self.file, line=self.line)
        next(body)  # the header
        for line, cells in body:
            while len(cells) > width and not cells[-1]:
                cells.pop()
            if len(cells) != width:
                raise fail(
                    f"the row has {len(cells)} columns, and the header {width}: the numbers of columns differ",
                    fix=f"{width - 1} {DELIMITERS[self.delimiter]}, as in the header; a cell that holds one in quotes",
                    file=self.file,
                    line=line,
                )
            for place, (name, cell) in enumerate(zip(self.columns, cells, strict=True), start=1):
                if cell and not name:
                    fix = "a name for the column in the header, or the column removed (pandas: index=False)"
                    raise fail(
                        f"column {place} has a value, but no name", value=cell, fix=fix, file=self.file, line=line
                    )
            yield TextRow(line, {name: cell for name, cell in zip(self.columns, cells, strict=True) if name})

    def find_decimal_mark(self, columns: Collection[str]) -> str:
        """The decimal mark of the numbers in these columns, "." or ",". Between commas it is a point; elsewhere what
        the numbers show: 24,5 and 0.125 have one meaning, 6,100 has two.

        Raises NosographError, with the line, where the numbers show both marks, or nothing but numbers such as 6,100.
        """
        if self.delimiter == ",":
            return "."
        clear: dict[str, tuple[str, int]] = {}
        doubtful: list[tuple[str, int]] = []
        for row in self.rows():
            for name in columns:
                cell = row.cells.get(name, "")
                found = _MARKED.match(cell)
                if found and _may_be_grouped(found):
                    doubtful.append((cell, row.line))
                elif found:
                    clear.setdefault(found["mark"], (cell, row.line))
        if len(clear) > 1:
            (first, _), (second, line) = sorted(clear.values(), key=lambda seen: seen[1])
            raise fail(
                "some numbers have a decimal comma, others a decimal point", value=f"{first}, {second}",
                fix="one of the two in the whole file", file=self.file, line=line,
            )  # fmt: skip
        if doubtful and not clear:
            value, line = doubtful[0]
            fix = f"{re.sub('[.,]', '', value)} if it is in the thousands, otherwise {value}0"
            raise fail("the number can be read in two ways", value=value, fix=fix, file=self.file, line=line)
        return next(iter(clear), ".")


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in Unicode with a byte order mark.

    Raises NosographError for a file that cannot be read, and for one in another encoding: which one, nothing says.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise fail(
            f"the file cannot be read: {error.strerror}", fix="the path of a file that is there", value=path
        ) from None
    for start, name in _CONTAINERS.items():
        if data.startswith(start):
            raise fail(f"this is {name}, not text", fix="its content exported as text (CSV UTF-8)", file=str(path))
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = 1 + data[: error.start].count(b"\n") if encoding.startswith("utf-8") else 0
        raise fail(
            "this is not UTF-8 text" if encoding.startswith("utf-8") else f"this is not the {encoding.upper()} it says",
            value=f"byte {data[error.start]:#04x}", fix=_AS_UTF8, file=str(path), line=line,
        ) from None  # fmt: skip
    if "\0" in text:
        what = "it has characters of value 0: UTF-16 without a byte order mark, or no text"
        raise fail(what, fix=_AS_UTF8, file=str(path), line=1 + text[: text.index("\0")].count("\n"))
    return text


def read_table(path: Path, *, known: Collection[str] = ()) -> TextTable:
    """Read the header of a table, and find what separates its columns. `known` are the columns that it may have, by
    default any.

    Raises NosographError as `read_text` does; for a file without a header, and one whose columns cannot be told apart;
    and for a column that is unknown or stands twice.
    """
    file, text = str(path), read_text(path)
    declared = _DECLARED.match(text)
    start, line = (declared.end(), 2) if declared else (0, 1)
    if declared and declared[1] not in DELIMITERS:
        fix = "sep=, or sep=; and the columns separated so"
        raise fail("columns are separated by commas, semicolons or tabs", value=declared[0], fix=fix, file=file, line=1)
    samples: dict[str, list[tuple[int, list[str]]]] = {}
    problems: list[Problem] = []
    for delimiter in [declared[1]] if declared else DELIMITERS:
        rows = samples[delimiter] = []
        try:
            rows.extend(islice(_split(text[start:], delimiter=delimiter, file=file, line=line), _SAMPLE))
        except NosographError as error:  # in the header it may be the wrong delimiter, below it is said later
            problems += error.problems
    headers = {delimiter: rows[0][1] for delimiter, rows in samples.items() if rows}
    if not headers:
        fix = ",".join(known) or "a first row of names"
        raise NosographError(problems[:1]) if problems else fail("the table has no header", fix=fix, file=file, line=1)
    chosen = next(iter(headers)) if len(headers) == 1 else _choose_delimiter(samples, known, file=file)
    columns = headers[chosen]
    while not columns[-1]:
        columns.pop()
    _check_columns(columns, known, file=file, line=samples[chosen][0][0])
    return TextTable(file, tuple(columns), chosen, text, start, line)


def _check_columns(columns: list[str], known: Collection[str], *, file: str, line: int) -> None:
    for place, name in enumerate(columns, start=1):
        if name and name in columns[: place - 1]:
            places = f"columns {columns.index(name) + 1} and {place}"
            what, fix = f"the column {name!r} stands twice", "one column of each name"
            raise fail(what, value=places, fix=fix, file=file, line=line)
        if name and known and name not in known:
            fix = nearest(name.lower(), known) or list_some(known)
            raise fail(f"unknown column {name!r}", fix=fix, file=file, line=line)


def _choose_delimiter(samples: Mapping[str, list[tuple[int, list[str]]]], known: Collection[str], *, file: str) -> str:
    """What separates the columns: most of the known names are found so, or it is the only sign that splits the header,
    and the first rows in as many cells."""
    headers = {delimiter: rows[0][1] for delimiter, rows in samples.items() if rows}
    named = {delimiter: len(set(names) & set(known)) for delimiter, names in headers.items()}
    ways = [delimiter for delimiter, count in named.items() if count == max(named.values())]
    if len(ways) == 1:
        return ways[0]
    ways = [delimiter for delimiter, names in headers.items() if len(names) > 1]
    if len(ways) > 1:
        even = [way for way in ways if all(len(cells) == len(headers[way]) for _, cells in samples[way])]
        ways = even or ways
    if len(ways) > 1:
        what, fix = " or ".join(DELIMITERS[way] for way in ways), f"a first line sep={ways[0]}"
        raise fail(f"the columns may be separated by {what}", fix=fix, file=file, line=1)
    if not ways and "|" in (name := next(iter(headers.values()))[0]):
        fix = f"{name.replace('|', ',')}, and so in every row"
        raise fail("columns are separated by commas, semicolons or tabs, not by |", fix=fix, file=file, line=1)
    return ways[0] if ways else next(iter(headers))


def _split(text: str, *, delimiter: str, file: str, line: int) -> Iterator[tuple[int, list[str]]]:
    """The lines at which rows begin, and their cells; rows without a value are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        begins = line + reader.line_num
        try:
            row = next(reader, None)
        except csv.Error as error:
            fix = 'every quote inside a quoted cell doubled, and the cell closed: "5"" long"'
            raise fail(f"not CSV: {error}", fix=fix, file=file, line=begins) from None
        if row is None:
            return
        cells = [cell.strip() for cell in row]
        if any(cell.strip(_SIGNS) for cell in cells):  # by any delimiter
            yield begins, cells


def read_number(text: str, *, decimal: str = ".", node: str = "", file: str = "", line: int = 0) -> float:
    """The number that a cell holds: digits, with a sign, a decimal mark or an exponent if need be.

    `node`, `file` and `line` say where it stands, for the error. Raises NosographError for all else, since `2_4`, `1,5`
    or `nan` are read differently by different programs.
    """
    plain = text.translate(SWAPPED) if decimal == "," else text
    if _NUMBER.fullmatch(plain):
        number = float(plain)
        if math.isfinite(number):
            return number
        fix = "a number below 1e308"
        raise fail("not a finite number", value=text[:80], fix=fix, node=node, file=file, line=line)
    if text.lower().lstrip("+") in MISSING:
        problem = "not a finite number" if text.lower().strip("+-") in ("nan", "inf") else "not a number"
        raise fail(problem, value=text, fix="leave it empty if it is missing", node=node, file=file, line=line)
    fix = _suggest_number(text, decimal)
    raise fail("not a number", value=text[:80], fix=fix, node=node, file=file, line=line)


def _suggest_number(text: str, decimal: str) -> str:
    marked, other = _MARKED.fullmatch(text), "," if decimal == "." else "."
    if marked and marked["mark"] == other:
        whole = re.sub("[.,]", "", text)
        written = text.replace(other, decimal)
        return f"{whole} if it is in the thousands, otherwise {written}" if _may_be_grouped(marked) else written
    if _GROUPED.fullmatch(text):
        return f"{re.sub(r'[^0-9.,+-]', '', text)}, if that is meant"
    if _NUMBER.fullmatch(text.replace("\u2212", "-")):
        return text.replace("\u2212", "-")
    return "a plain number, for example 24"


def _may_be_grouped(found: re.Match[str]) -> bool:
    """Whether its mark may separate thousands: 6,100, but not 0,125 or 6,1."""
    return len(found["part"]) == 3 and len(found["whole"]) in (1, 2, 3) and found["whole"][0] != "0"
