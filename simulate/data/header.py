"""The names of a cohort's columns: `patient`, `age`, `mmse @ 6 months`, `weight @ 0 [kg]`, `followed until [days]`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from ...causal.model.duration import DURATION, YEARS, parse_duration
from ...causal.model.model import Model, Variable
from ...errors import NosographError, fail, list_some, nearest
from ...ontology.tables import read_number
from ...ontology.units import conversion_factor

PATIENT, FOLLOWED = "patient", "followed until"
LONG = ("patient", "time", "variable", "value", "unit")
LATEST = 1e9  # steps: no time of a person is later
_COLUMN = re.compile(r"(?P<name>[^@\[\]]+?)\s*(?:@\s*(?P<time>[^@\[\]]+?)\s*)?(?:\[(?P<unit>.+)\])?")


@dataclass(frozen=True)
class Heading:
    """What a column's name says. `time`: in steps, None where none is named; `unit`: as written, "" for the model's."""

    name: str
    time: float | None
    unit: str


def parse_heading(text: str, model: Model, *, where: str) -> Heading:
    """Raises NosographError for a name that is not of the form, and for a time that is none."""
    match = _COLUMN.fullmatch(text)
    if match is None:
        raise fail("not a column's name", value=text, file=where, fix="age, mmse @ 6 months, or weight @ 0 [kg]")
    time = None if match["time"] is None else parse_time(match["time"], "", model, where=where, node=text)
    return Heading(match["name"].strip(), time, (match["unit"] or "").strip())


def find_variable(name: str, model: Model, *, where: str, node: str = "") -> Variable:
    """The variable of that name. Raises NosographError for another name, and for a state, which nobody can record."""
    variable = model.variables.get(name)
    if variable is None:
        near = nearest(name, [*model.variables, PATIENT, FOLLOWED])
        fix = near or f"{list_some(model.variables)}; leave out what the model does not have"
        raise fail("the model has no such variable", value=name, file=where, node=node, fix=fix)
    if variable.kind == "state":
        measured = [other.name for other in model.variables.values() if other.of == name]
        fix = " or ".join(measured) or f"a model that measures {name}"
        raise fail("a state is latent: a record holds measurements of it", value=name, file=where, node=node, fix=fix)
    return variable


def parse_time(cell: Any, unit: str, model: Model, *, decimal: str = ".", where: str, node: str) -> float:
    """A time in steps: a number in `unit` (days, or "" for the clock's), or a number and its unit ("6 months").

    Raises NosographError for anything else.
    """
    clock = model.clock
    years = find_years(unit, where=where, node=node) if unit else clock.unit
    try:
        if isinstance(cell, str) and DURATION.fullmatch(cell):
            steps = parse_duration(cell) / clock.step
        else:
            steps = parse_number(cell, decimal=decimal, where=where, node=node) * years / clock.step
        if abs(steps) > LATEST:
            raise fail("beyond all time")
    except NosographError:
        fix = f"a number, which counts in the unit {unit or clock.text[2]}, or a number and its unit: 6 months"
        raise fail("not a time", value=str(cell)[:80], file=where, node=node, fix=fix) from None
    return steps


def find_years(unit: str, *, where: str, node: str) -> float:
    """How many years a unit of time has: of its English name (days), or of UCUM (d). Raises NosographError for
    another."""
    name = {"a": "year", "mo": "month", "wk": "week", "d": "day", "h": "hour", "min": "minute"}.get(unit, unit)
    if (name := name.removesuffix("s").lower()) not in YEARS:
        raise fail("not a unit of time", value=unit, file=where, node=node, fix=list_some(f"{u}s" for u in YEARS))
    return YEARS[name]


def parse_number(cell: Any, *, decimal: str, where: str, node: str) -> float:
    """A finite number as it is usually written, with this decimal mark, or a truth value as 1 or 0.

    Raises NosographError for anything else.
    """
    if isinstance(cell, str):
        return read_number(cell, decimal=decimal, node=node, file=where)
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        number = math.inf
    if not math.isfinite(number):
        raise fail("not a finite number", value=cell, file=where, node=node, fix="a number such as 24.5, or nothing")
    return number


def find_factor(unit: str, variable: Variable, *, where: str, node: str) -> float:
    """What converts `unit` into the variable's. Raises NosographError where it does not convert, or has no place."""
    if not unit or unit == variable.unit:
        return 1.0
    if variable.levels or variable.kind == "event":
        raise fail(f"{variable.name} has no unit", value=unit, file=where, node=node, fix="leave the unit out")
    try:
        return conversion_factor(unit, variable.unit or "1")
    except NosographError as error:
        problem = error.problems[0]
        fix = problem.fix or f"a unit that converts to {variable.unit or 1}"
        raise fail(problem.problem, value=problem.value, file=where, node=node, fix=fix) from None
