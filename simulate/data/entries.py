"""The cells of a table as entries of a model's variables: who, when, what, and where it stands."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ...causal.model.model import Model, Variable
from ...errors import NosographError, Problem, fail, list_some, nearest
from .header import (
    FOLLOWED,
    LONG,
    PATIENT,
    Heading,
    find_factor,
    find_variable,
    parse_heading,
    parse_number,
    parse_time,
)
from .sheet import Sheet

MOST_PROBLEMS = 10  # shown at once


@dataclass(frozen=True)
class TableEntry:
    """`value`: in the model's unit, or a level's place; None if it is missing. `time`: in steps; 0 of a static. `by`:
    an event's row of a wide table, which says whether it happened by then, and not when."""

    patient: int
    variable: str
    time: float
    value: float | None
    row: str
    column: str
    by: bool = False


@dataclass
class Entries:
    """All entries of a table; the patients in their order, `followed`: until when each was, in steps, where that is
    said; `variables`: those that the table has, even without a value."""

    name: str
    patients: dict[str, int] = field(default_factory=dict)
    entries: list[TableEntry] = field(default_factory=list)
    followed: dict[int, float] = field(default_factory=dict)
    variables: dict[str, None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def keep(self, error: NosographError) -> None:
        """Keep what is wrong. Raises all problems once there are `MOST_PROBLEMS`."""
        self.problems += error.problems
        if len(self.problems) >= MOST_PROBLEMS:
            self.finish()

    def finish(self) -> None:
        """Raises NosographError if anything was wrong."""
        if self.problems:
            raise NosographError(self.problems)


def read_entries(sheet: Sheet, model: Model) -> Entries:
    """The entries of a wide or a long table; the long one has exactly the columns `LONG`, with or without `unit`.

    Raises NosographError with up to `MOST_PROBLEMS` cells that cannot be read.
    """
    if PATIENT not in sheet.columns:
        near = nearest(PATIENT, sheet.columns)
        fix = f"patient for {near}" if near else "a column patient"
        raise fail("there is no column patient", value=", ".join(list(sheet.columns)[:12]), file=sheet.name, fix=fix)
    if not sheet.rows:
        raise fail("the table has no rows", value=sheet.name, fix="a row a patient, or a row a value")
    found = Entries(sheet.name)
    if {"variable", "value"} <= set(sheet.columns):
        _read_long(sheet, model, found)
    else:
        _read_wide(sheet, model, found)
    found.finish()
    return found


def _read_wide(sheet: Sheet, model: Model, found: Entries) -> None:
    for row, cell in zip(sheet.rows, sheet.columns[PATIENT], strict=True):
        try:
            _add_patient(found, row, cell, once=True)
        except NosographError as error:
            found.keep(error)
    found.finish()
    for title in sheet.columns:
        if title != PATIENT:
            try:
                heading = parse_heading(title, model, where=sheet.name)
                if heading.name == FOLLOWED:
                    _read_followed(sheet, model, found, title, heading.unit)
                    continue
                variable = find_variable(heading.name, model, where=sheet.name)
                _check_heading(variable, heading.time, title, sheet.name)
                dated = variable.kind == "event" and heading.time is None  # its cells are times
                convert = None if dated else _converter(variable, heading.unit, sheet, node=title)
            except NosographError as error:
                found.keep(error)
                continue
            found.variables[variable.name] = None
            _read_cells(sheet, model, found, title, heading, variable, convert)


def _read_followed(sheet: Sheet, model: Model, found: Entries, title: str, unit: str) -> None:
    for patient, (row, cell) in enumerate(zip(sheet.rows, sheet.columns[title], strict=True)):
        if cell is not None:
            node = _place(row, title)
            found.followed[patient] = parse_time(cell, unit, model, decimal=sheet.decimal, where=sheet.name, node=node)


def _read_cells(
    sheet: Sheet,
    model: Model,
    found: Entries,
    title: str,
    heading: Heading,
    variable: Variable,
    convert: Callable[[Any, str], float] | None,
) -> None:
    """The cells of a variable's column: values that `convert` reads, or without it the times of an event."""
    known: dict[Any, float] = {}
    for patient, (row, cell) in enumerate(zip(sheet.rows, sheet.columns[title], strict=True)):
        if cell is None:
            if variable.kind != "event":
                found.entries.append(TableEntry(patient, variable.name, heading.time or 0.0, None, row, title))
            continue
        try:
            node, time = _place(row, title), heading.time or 0.0
            if convert is None:
                time = parse_time(cell, heading.unit, model, decimal=sheet.decimal, where=sheet.name, node=node)
                found.entries.append(TableEntry(patient, variable.name, time, 1.0, row, title))
                continue
            if cell not in known:
                known[cell] = convert(cell, node)
            by = variable.kind == "event"
            found.entries.append(TableEntry(patient, variable.name, time, known[cell], row, title, by=by))
        except NosographError as error:
            found.keep(error)


def _check_heading(variable: Variable, time: float | None, title: str, where: str) -> None:
    if variable.kind == "static" and time is not None:
        raise fail("it does not change over time", value=title, file=where, fix=variable.name)
    if variable.kind in ("measurement", "treatment") and time is None:
        raise fail(f"when was {variable.name} so?", value=title, file=where, fix=f"{variable.name} @ 0")
    if variable.kind == "event" and variable.occurs == "repeatedly":
        fix = f"the long form, with a row for each: patient,time,variable,value: 7,{time or 1:g},{variable.name},1"
        raise fail("a wide table cannot hold what happens repeatedly", value=title, file=where, fix=fix)


def _read_long(sheet: Sheet, model: Model, found: Entries) -> None:
    titles = {title: parse_heading(title, model, where=sheet.name) for title in sheet.columns}
    times = [title for title, heading in titles.items() if heading.name == "time" and heading.time is None]
    rest = set(sheet.columns) - set(times) - set(LONG)
    if rest:
        fix = f"the columns {', '.join(LONG)}"
        raise fail("a long table has no such column", value=min(rest), file=sheet.name, fix=fix)
    if len(times) != 1:
        raise fail("a long table has a column time", value=", ".join(sheet.columns), file=sheet.name, fix="time")
    unit, columns = titles[times[0]].unit, sheet.columns
    units = columns.get("unit") or [None] * len(sheet.rows)
    converters: dict[tuple[str, str], Callable[[Any, str], float]] = {}

    def read(row: str, patient: Any, time: Any, name: Any, value: Any, own: Any) -> None:
        who = _add_patient(found, row, patient, once=False)
        if not isinstance(name, str):
            raise fail("which variable?", file=sheet.name, node=_place(row, "variable"), fix=list_some(model.variables))
        node = _place(row, name)
        if name == FOLLOWED:
            if value is not None:
                fix = f"{FOLLOWED} stands under variable, its time under time, and value is empty"
                raise fail("the end of follow-up has no value", value=value, file=sheet.name, node=node, fix=fix)
            if who in found.followed:
                raise fail("a second end of follow-up", value=time, file=sheet.name, node=node, fix="keep one")
            found.followed[who] = parse_time(time, unit, model, decimal=sheet.decimal, where=sheet.name, node=node)
            return
        variable = find_variable(name, model, where=sheet.name, node=node)
        found.variables[name] = None
        if (key := (name, str(own or ""))) not in converters:
            converters[key] = _converter(variable, key[1], sheet, node=_place(row, "unit"))
        at = 0.0
        if variable.kind != "static":
            if time is None:
                raise fail(
                    "no time", file=sheet.name, node=node, fix=f"0, or a number of {unit or model.clock.text[2]}"
                )
            at = parse_time(time, unit, model, decimal=sheet.decimal, where=sheet.name, node=node)
        elif (
            time is not None and parse_time(time, unit, model, decimal=sheet.decimal, where=sheet.name, node=node) != 0
        ):
            raise fail(f"{name} does not change", value=time, file=sheet.name, node=node, fix="leave the time empty")
        if value is None and variable.kind == "event":
            fix = "1 where it happened then, 0 where it had not by then"
            raise fail("an event has a value", file=sheet.name, node=node, fix=fix)
        number = None if value is None else converters[key](value, node)
        found.entries.append(TableEntry(who, name, at, number, row, name))

    rows = zip(
        sheet.rows, columns[PATIENT], columns[times[0]], columns["variable"], columns["value"], units, strict=True
    )
    for cells in rows:
        try:
            read(*cells)
        except NosographError as error:
            found.keep(error)


def _add_patient(found: Entries, row: str, cell: Any, *, once: bool) -> int:
    node = _place(row, PATIENT)
    if cell is None or isinstance(cell, bool | float):
        value = "" if cell is None else cell
        raise fail("who is it?", value=value, file=found.name, node=node, fix="a whole number or a text")
    name = str(cell)
    if once and name in found.patients:
        raise fail("the same patient again", value=name, file=found.name, node=node, fix="one row a patient")
    return found.patients.setdefault(name, len(found.patients))


def _converter(variable: Variable, unit: str, sheet: Sheet, *, node: str) -> Callable[[Any, str], float]:
    """What reads the cells of a variable that are written in `unit`."""
    where = sheet.name
    factor = find_factor(unit, variable, where=where, node=node)
    codes = {level: float(place) for place, level in enumerate(variable.levels)}

    def convert(cell: Any, place: str) -> float:
        if codes:
            if not isinstance(cell, str) or cell not in codes:
                fix = nearest(str(cell), codes) or f"one of {', '.join(codes)}"
                raise fail(f"{variable.name} has no such level", value=cell, file=where, node=place, fix=fix)
            return codes[cell]
        number = parse_number(cell, decimal=sheet.decimal, where=where, node=place)
        if variable.kind == "event" and number not in (0.0, 1.0):
            fix = "1 where it happened, 0 where it had not by then"
            raise fail("whether an event happened is 1 or 0", value=cell, file=where, node=place, fix=fix)
        if not math.isfinite(number * factor):
            fix = f"a number whose value in {variable.unit} is below 1e308"
            raise fail("not a finite number", value=cell, file=where, node=place, fix=fix)
        return number * factor

    return convert


def _place(row: str, column: str) -> str:
    return f"{row}, {column}"


def check_once(entries: Iterable[TableEntry], found: Entries, model: Model) -> None:
    """Keep the problem of each entry whose patient has the same variable at the same time already."""
    seen: dict[tuple[int, str, float], TableEntry] = {}
    for entry in entries:
        key = (entry.patient, entry.variable, round(entry.time, 6))
        first = seen.setdefault(key, entry)
        if first is not entry:
            value, node = f"first in {_place(first.row, first.column)}", _place(entry.row, entry.column)
            what = "the same patient, variable and time again"
            found.keep(fail(what, value=value, file=found.name, node=node, fix="keep one of the two"))
