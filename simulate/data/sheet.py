"""A table as somebody saved it: a CSV or Parquet file, or a DataFrame, with the place of every row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import fail
from ...ontology.tables import read_table

if TYPE_CHECKING:
    import pandas as pd

TEXTS = ("patient", "variable", "unit")  # columns without numbers
KINDS = {".csv": "CSV", ".parquet": "Parquet"}


@dataclass(frozen=True)
class Sheet:
    """Columns of cells by name. A cell is None where nothing stands, and else a text, a number or a truth value.
    `rows`: where each row stands, as "line 12" of a text file or "row 11" of another; `name`: the file's, or "";
    `decimal`: the decimal mark of numbers that are texts."""

    name: str
    columns: dict[str, list[Any]]
    rows: list[str]
    decimal: str = "."


def read_sheet(source: str | Path | pd.DataFrame) -> Sheet:
    """A CSV file (as `ontology/tables.py` reads text), a Parquet file, or a DataFrame, whose index is passed over.

    Raises NosographError for another file, and for a header without names or with one twice.
    """
    if not isinstance(source, str | Path):
        return _read_frame(source)
    path = Path(source)
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise fail("a cohort is a CSV or a Parquet file", value=path, fix="FILE.csv, or FILE.parquet")
    if not path.is_file():
        raise fail("no such file", value=path, fix="the path of a CSV or Parquet file")
    return _read_csv(path) if kind == "CSV" else _read_parquet(path)


def _read_csv(path: Path) -> Sheet:
    table = read_table(path)
    names = [name for name in table.columns if name]
    cells: dict[str, list[Any]] = {name: [] for name in names}
    rows = []
    for row in table.rows():
        rows.append(f"line {row.line}")
        for name in names:
            cells[name].append(row.cells[name] or None)
    decimal = table.find_decimal_mark([name for name in names if name not in TEXTS])
    return Sheet(str(path), cells, rows, decimal)


def _read_parquet(path: Path) -> Sheet:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as file:
            table = pq.read_table(file)  # of an open file, so that a name is never taken for a data set or an address
            header = [name.strip() for name in table.column_names]
            _check_header(header, str(path))
            cells = [column.to_pylist() for column in table.columns]
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise fail(f"not a Parquet file that can be read: {reason}", value=path, fix="write it again") from error
    return _clean(str(path), header, cells)


def _read_frame(frame: pd.DataFrame) -> Sheet:
    names = list(frame.columns)
    if wrong := [name for name in names if not isinstance(name, str)]:
        raise fail("a column's name is a text", value=wrong[0], fix='frame.rename(columns={0: "age"})')
    header = [name.strip() for name in names]
    _check_header(header, "")
    return _clean("", header, [frame.iloc[:, place].astype(object).tolist() for place in range(len(names))])


def _clean(name: str, header: list[str], cells: list[list[Any]]) -> Sheet:
    rows = [f"row {number}" for number in range(1, len(cells[0]) + 1)]
    columns = {
        column: [_read_cell(cell, name, row, column) for row, cell in zip(rows, found, strict=True)]
        for column, found in zip(header, cells, strict=True)
    }
    return Sheet(name, columns, rows)


def _read_cell(cell: Any, name: str, row: str, column: str) -> str | int | float | bool | None:
    """A text, a number or a truth value; None for an empty text, and for what pandas and numpy write where nothing is
    (NaN, NaT, NA)."""
    if isinstance(cell, str):
        return cell.strip() or None
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(cell, np.generic | Decimal):
        cell = cell.item() if isinstance(cell, np.generic) else float(cell)
    if not isinstance(cell, bool | int | float):
        fix = "a number or a text; of a date, the time since entry"
        raise fail(f"a cell of type {type(cell).__name__}", value=cell, file=name, node=f"{row}, {column}", fix=fix)
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def _check_header(header: list[str], name: str) -> None:
    if not header or not any(header):
        raise fail("there is no header", file=name, fix="patient,… in the first line")
    for place, column in enumerate(header):
        if not column:
            raise fail(f"column {place + 1} has no name", file=name, fix="name it, or leave it out")
        if column in header[:place]:
            raise fail("two columns have one name", value=column, file=name, fix="keep one of them")
