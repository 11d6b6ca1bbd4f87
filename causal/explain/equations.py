"""Equations for people: with numbers and units in place of parameters, and what a distribution means in a sentence."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..language import Expression
from ..language.syntax import ATOM, FAMILIES, PRECEDENCE, Binary, Call, Draw, Name, find_draw
from ..model.duration import DURATION
from ..model.model import Clock, Parameter

SHORT = 48  # characters of an expression that may stand within a sentence
MEANINGS = {
    "Normal": "a bell curve around {0} with standard deviation {1}: about 95 of 100 values lie within two of these",
    "LogNormal": "positive and skewed: its logarithm is a bell curve around {0} with standard deviation {1}",
    "StudentT": "a bell curve with heavier tails around {1}: scale {2}, {0} degrees of freedom",
    "Logistic": "a bell curve with somewhat heavier tails around {0}, scale {1}",
    "Uniform": "every value between {0} and {1} is equally likely",
    "Exponential": "positive: a waiting time at a constant rate of {0}, so with mean 1 / rate",
    "Weibull": "positive: a waiting time of scale {0} and shape {1}, longer than x by exp(-(x/scale)^shape)",
    "Gamma": "positive and skewed: shape {0} and rate {1}, so with mean shape / rate",
    "Beta": "between 0 and 1: a is {0} and b is {1}, so with mean a / (a + b)",
    "Bernoulli": "{0} is the probability of 1; otherwise it is 0",
    "Binomial": "a count: how many of {0} succeed, where the probability for each is {1}",
    "Poisson": "a count with mean {0}, and the same variance",
    "NegativeBinomial": "a count with mean {0} and shape {1}: its variance is mean + mean^2 / shape",
    "Hazard": "happens within a step with probability 1 - exp(-rate * dt), the rate being {0} per {unit}",
}


@dataclass(frozen=True, slots=True)
class Quantity(Expression):
    """A parameter's value and unit, where its name stood."""

    value: float
    unit: str

    @property
    def precedence(self) -> int:  # type: ignore[override]
        return PRECEDENCE["negate"] if self.value < 0 else ATOM

    def __str__(self) -> str:
        return format_quantity(self.value, self.unit)


def format_quantity(value: float, unit: str) -> str:
    """`3.6 [Centiloid]/a`, `0.22/a`; the unit 1 goes without saying."""
    if unit.startswith("1/"):
        unit = unit[1:]
    number = str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
    return number if unit in ("", "1") else number + ("" if unit[0] in "/%" else " ") + unit


def substitute(expression: Expression, parameters: Mapping[str, Parameter]) -> Expression:
    """The expression with numbers and units in place of the parameters' names; `a + -2 * b` becomes `a - 2 * b`."""

    def convert(value: Any) -> Any:
        if isinstance(value, Expression):
            return substitute(value, parameters)
        return tuple(map(convert, value)) if isinstance(value, tuple) else value

    if isinstance(expression, Name):
        found = parameters.get(expression.name)
        return Quantity(found.value, found.unit) if found is not None else expression
    fields = {field.name: convert(getattr(expression, field.name)) for field in dataclasses.fields(expression)}  # type: ignore[arg-type]
    rebuilt: Expression = dataclasses.replace(expression, **fields)  # type: ignore[type-var]
    if isinstance(rebuilt, Binary) and rebuilt.operator in ("+", "-"):
        positive = _negate(rebuilt.right)
        if positive is not None:
            return Binary("-" if rebuilt.operator == "+" else "+", rebuilt.left, positive)
    return rebuilt


def _negate(expression: Expression) -> Expression | None:
    """Minus a product that starts with a negative quantity, else None."""
    if isinstance(expression, Quantity) and expression.value < 0:
        return Quantity(-expression.value, expression.unit)
    if isinstance(expression, Binary) and expression.operator in ("*", "/"):
        left = _negate(expression.left)
        return Binary(expression.operator, left, expression.right) if left is not None else None
    return None


def describe_draw(expression: Expression, *, unit: str) -> str:
    """What the distribution of a mechanism means, in words; `unit` is the clock's. Empty where there is none."""
    draw = find_draw(expression)
    if draw is None:
        return ""
    if draw.levels:
        parts = zip(draw.levels, draw.parameters, strict=True)
        said = "one of these, by weight: " + ", ".join(f"{level} ({weight})" for level, weight in parts)
    else:
        said = MEANINGS[draw.family].format(*_name_parameters(draw), unit=unit)
    while isinstance(expression, Call):
        if expression.function == "round":
            said += "; rounded to a whole number"
        else:
            low, high = expression.arguments[1:]
            said += f"; held between {low} and {high}"
        expression = expression.arguments[0]
    return said


def _name_parameters(draw: Draw) -> list[str]:
    """Each parameter as it stands, or by its name where it is long."""
    texts = zip(FAMILIES[draw.family], map(str, draw.parameters), strict=True)
    return [text if len(text) <= SHORT else f"the {name} above" for name, text in texts]


def describe_time(step: int, clock: Clock) -> str:
    """`6 months` for step 6 of a clock of `1 month`; `the start` for step 0."""
    match = DURATION.fullmatch(clock.text[0])
    if step == 0 or match is None:
        return "the start" if step == 0 else f"step {step}"
    number, unit = float(match["number"]) * step, match["unit"].removesuffix("s")
    return f"{number:g} {unit}{'' if number == 1 else 's'}"
