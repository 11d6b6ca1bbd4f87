"""Equations for readers: numbers and units in place of parameters, and distributions in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..families import FAMILIES
from ..language import Expression
from ..language.syntax import ATOM, PRECEDENCE, Binary, Call, Name, find_draw
from ..model.cases import find_table
from ..model.model import Parameter

SHORT = 48  # longest expression, in characters, to quote in a sentence


@dataclass(frozen=True, slots=True)
class NumberWithUnit(Expression):
    """A parameter's value and unit, in place of its name."""

    value: float
    unit: str

    @property
    def precedence(self) -> int:  # type: ignore[override]
        return PRECEDENCE["negate"] if self.value < 0 else ATOM

    def __str__(self) -> str:
        return format_quantity(self.value, self.unit)


def format_quantity(value: float, unit: str) -> str:
    """`3.6 [Centiloid]/a`, `0.22/a`; the unit 1 is not shown."""
    if unit.startswith("1/"):
        unit = unit[1:]
    number = str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
    return number if unit in ("", "1") else number + ("" if unit[0] in "/%" else " ") + unit


def write_equation(expression: Expression) -> list[str]:
    """An expression as lines: itself, or a table's head and its rows."""
    table = find_table(expression)
    if table is None:
        return [str(expression)]
    lines = [f"cases of {', '.join(table.of)}, with the probabilities of {', '.join(table.levels)}:"]
    return lines + [f"{', '.join(row)}: {', '.join(f'{p:.9g}' for p in numbers)}" for row, numbers in table.rows]


def substitute(expression: Expression, parameters: Mapping[str, Parameter]) -> Expression:
    """The expression with numbers and units in place of the parameters' names; `a + -2 * b` becomes `a - 2 * b`."""

    def convert(value: Any) -> Any:
        if isinstance(value, Expression):
            return substitute(value, parameters)
        return tuple(map(convert, value)) if isinstance(value, tuple) else value

    if isinstance(expression, Name):
        found = parameters.get(expression.name)
        return NumberWithUnit(found.value, found.unit) if found is not None else expression
    fields = {field.name: convert(getattr(expression, field.name)) for field in dataclasses.fields(expression)}  # type: ignore[arg-type]
    rebuilt: Expression = dataclasses.replace(expression, **fields)  # type: ignore[type-var]
    if isinstance(rebuilt, Binary) and rebuilt.operator in ("+", "-"):
        positive = _negate(rebuilt.right)
        if positive is not None:
            return Binary("-" if rebuilt.operator == "+" else "+", rebuilt.left, positive)
    return rebuilt


def _negate(expression: Expression) -> Expression | None:
    """The negation of a product that starts with a negative quantity; None for others."""
    if isinstance(expression, NumberWithUnit) and expression.value < 0:
        return NumberWithUnit(-expression.value, expression.unit)
    if isinstance(expression, Binary) and expression.operator in ("*", "/"):
        left = _negate(expression.left)
        return Binary(expression.operator, left, expression.right) if left is not None else None
    return None


def describe_draw(expression: Expression, *, unit: str) -> str:
    """The distribution of a mechanism in words; `unit` is the clock's. Empty if there is none."""
    draw = find_draw(expression)
    if draw is None:
        return ""
    family = FAMILIES[draw.family]
    table = find_table(expression)
    if table is not None:
        return f"one of {', '.join(table.levels)}, by the table above"
    if family.ordered:
        location, *thresholds = draw.parameters
        upper = [f"{level} up to {limit}" for level, limit in zip(draw.levels, thresholds, strict=False)]
        shown = ", ".join([*upper, f"{draw.levels[-1]} above"])
        said = family.meaning.format(location=_shorten("location", location), levels=shown)
    elif draw.levels:
        parts = zip(draw.levels, draw.parameters, strict=True)
        said = family.meaning.format(levels=", ".join(f"{level} ({weight})" for level, weight in parts))
    else:
        named = zip(family.parameters, draw.parameters, strict=True)
        said = family.meaning.format(**{name: _shorten(name, parameter) for name, parameter in named}, unit=unit)
    while isinstance(expression, Call):
        if expression.function == "round":
            said += "; rounded to a whole number"
        else:
            low, high = expression.arguments[1:]
            said += f"; limited to {low} to {high}"
        expression = expression.arguments[0]
    return said


def _shorten(name: str, parameter: Expression) -> str:
    """A parameter's expression, or a reference to it if it is long."""
    text = str(parameter)
    return text if len(text) <= SHORT else f"the {name} above"
