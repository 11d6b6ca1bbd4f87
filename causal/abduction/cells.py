"""The cells of a record's row: its time in steps, and its value in the model's unit."""

from __future__ import annotations

import json
import math

from ...errors import NosographError, fail, nearest
from ...ontology.tables import MISSING, SWAPPED, read_number
from ...ontology.units import conversion_factor
from ..model.arrows import measured_steps
from ..model.binary import is_binary, is_yes_or_no
from ..model.duration import DURATION, GRID, TOLERANCE, parse_duration
from ..model.model import Model, Variable
from .rows import RecordRow

TRUTHS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}


def find_time(row: RecordRow, variable: Variable, model: Model) -> float:
    """The time of a row, in steps. Raises NosographError for a time outside the journey."""
    clock = model.clock
    empty = row.time is None or row.time == ""
    if variable.kind == "static":
        if not empty and _read_time(row, model) != 0:
            raise fail(f"{variable.name} does not change over time", value=row.time, fix="leave the time empty")
        return 0.0
    if empty:
        raise fail("missing time", fix=f"0, or a multiple of {clock.text[0]}")
    exact = _read_time(row, model) / clock.step
    if not 0 <= exact <= clock.steps + GRID:
        raise fail("time outside the horizon", value=row.time, fix=f"between 0 and {clock.end}")
    return exact


def _read_time(row: RecordRow, model: Model) -> float:
    """The time of a row in years: a number in the clock's unit, or text with a number and a unit."""
    unit = model.clock.text[2]
    if isinstance(row.time, int | float) and not isinstance(row.time, bool):
        return _to_float(row.time) * model.clock.unit
    text = row.time if isinstance(row.time, str) else json.dumps(row.time)
    plain = text.translate(SWAPPED) if row.decimal == "," else text
    if plain.isascii() and DURATION.fullmatch(plain):
        return parse_duration(plain)
    try:
        value = read_number(text, decimal=row.decimal)
    except NosographError:
        raise fail("not a time", value=text[:80], fix=f"a number in the unit {unit}, or 6 months") from None
    if row.typed:
        fix = f'{text} without quotes, or "{text} {unit}s"'
        raise fail("a time in quotes has a unit", value=json.dumps(text)[:80], fix=fix)
    return value * model.clock.unit


def find_step(row: RecordRow, exact: float, variable: Variable, model: Model, *, happened: bool) -> int:
    """The step of a row. For an event: the step whose interval (t - dt, t] contains it, or the last step without it."""
    clock = model.clock
    if variable.kind == "event":
        step = math.ceil(exact - TOLERANCE) if happened else math.floor(exact + TOLERANCE)
        if step == 0 and happened:
            raise fail("no event can happen at the start", value=row.time, fix=f"a time after 0, or a {clock.text[0]}")
        return step
    step = round(exact)
    if abs(exact - step) > GRID:
        raise fail(
            "time off the grid of steps", value=row.time, fix=f"{step * clock.dt:g}: multiples of {clock.text[0]}"
        )
    if variable.kind == "measurement":
        due = measured_steps(variable, steps=clock.steps)
        if step not in due:
            near = min(due, key=lambda k: abs(k - step))
            when = getattr(variable.when, "text", "")
            raise fail(f"{variable.name} is measured {when}", value=row.time, fix=f"{near * clock.dt:g}")
    return step


def read_presence(row: RecordRow) -> bool | None:
    """Whether a row says that something is present (1, true, yes) or absent (0, false, no); None if it says neither."""
    if row.level not in (None, ""):
        return None
    value = row.value
    if isinstance(value, str) and not row.typed:
        try:
            value = _read_text(value, row.decimal, binary=True)
        except NosographError:  # said where the value is read
            return None
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else None


def read_value(row: RecordRow, variable: Variable, model: Model) -> float | None:
    """The value in the model's unit, or a level's index. Raises NosographError for an invalid value."""
    value, level = (None if cell == "" else cell for cell in (row.value, row.level))
    if level is not None and not variable.levels:
        raise fail(f"{variable.name} has no levels", value=level, fix="a number under value")
    if level is not None and value is not None and str(value) != str(level):
        raise fail("value and level differ", value=f"{value}, {level}", fix="one of the two")
    value = value if level is None else level
    factor = _find_factor(row.unit, variable)
    if value is None:
        if variable.kind == "measurement":
            return None
        fix = f"a value of {variable.name}, or no row if it is unknown"
        raise fail("missing value; only measurements can be missing", fix=fix)
    if variable.levels:
        return _find_level(value, variable)
    binary = variable.kind == "event" or is_binary(variable, model)
    if isinstance(value, str) and value.lower() in MISSING and variable.kind != "measurement":
        raise fail("not a number", value=value, fix=f"a value of {variable.name}, or no row if it is unknown")
    number = _read_typed(value, binary=binary) if row.typed else _read_text(str(value), row.decimal, binary=binary)
    if binary and number not in (0, 1) and (variable.kind != "treatment" or is_yes_or_no(variable, model)):
        event = "the value of an event must be 1 (it happened) or 0"
        raise fail(event if variable.kind == "event" else "the value must be 1 or 0", value=value, fix="1 or 0")
    number *= factor
    if not math.isfinite(number):
        raise fail("not a finite number", value=value, fix="leave it empty if it is missing")
    return number


def _find_level(value: object, variable: Variable) -> float:
    named = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else json.dumps(value)
    if named not in variable.levels:
        fix = nearest(named, variable.levels) or "one of " + ", ".join(variable.levels)
        raise fail(f"unknown level of {variable.name}", value=named, fix=fix)
    return float(variable.levels.index(named))


def _read_text(text: str, decimal: str, *, binary: bool) -> float:
    """The number in a cell of a text table; what is 0 or 1 may be yes or no, true or false."""
    if binary and text.lower() in TRUTHS:
        return TRUTHS[text.lower()]
    try:
        return read_number(text, decimal=decimal)
    except NosographError:
        if binary and text.lower() not in MISSING:
            raise fail("the value must be 1 or 0", value=text[:80], fix="1 or 0, yes or no") from None
        raise


def _read_typed(value: object, *, binary: bool) -> float:
    """The number in JSON; what is 0 or 1 may be true or false."""
    if isinstance(value, bool) and binary:
        return float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _to_float(value)
    fix = "1, 0, true or false, without quotes" if binary else "a number without quotes, for example 24"
    raise fail("not a number", value=json.dumps(value)[:80], fix=fix)


def _to_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return math.inf


def _find_factor(unit: str, variable: Variable) -> float:
    """What converts a value from a row's unit to the variable's."""
    if not unit or unit == variable.unit:
        return 1.0
    if variable.levels or variable.kind == "event":
        raise fail(f"{variable.name} has no unit", value=unit, fix="leave the unit empty")
    try:
        return conversion_factor(unit, variable.unit or "1")
    except NosographError as error:
        found = error.problems[0]
        raise fail(found.problem, value=found.value, fix=found.fix or f"{variable.unit or 1}") from None
