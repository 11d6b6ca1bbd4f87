"""Bounds on the value of an expression, known before a run, by interval arithmetic (Moore 1966)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .syntax import Binary, Call, Cases, Expression, Level, Name, Number, Past, Table, Unary

Range = tuple[float, float]
ANYTHING: Range = (-math.inf, math.inf)
TRUTH: Range = (0.0, 1.0)


def bound(node: Expression, *, known: Mapping[str, Range]) -> Range:
    """The least and greatest possible value of `node`, given bounds of the names that it reads (`known`)."""

    def of(inner: Expression) -> Range:
        return bound(inner, known=known)

    match node:
        case Number(value):
            return value, value
        case Name(name, _):
            return known.get(name, ANYTHING)
        case Past("since", _, _):
            return 0.0, math.inf
        case Past() | Level() | Unary("not", _):
            return TRUTH
        case Unary(_, operand):
            low, high = of(operand)
            return -high, -low
        case Table(_, points):
            return min(y for _, y in points), max(y for _, y in points)
        case Cases(_, rows):
            return min(y for _, y in rows), max(y for _, y in rows)
        case Binary(operator, left, right):
            return _binary(operator, of(left), of(right))
        case Call(function, arguments):
            return _call(function, [of(argument) for argument in arguments])
    return ANYTHING


def _binary(operator: str, a: Range, b: Range) -> Range:
    match operator:
        case "+":
            return _tidy([a[0] + b[0], a[1] + b[1]])
        case "-":
            return _tidy([a[0] - b[1], a[1] - b[0]])
        case "*":
            return _tidy([0.0 if 0.0 in (x, y) else x * y for x in a for y in b])
        case "/":
            if b[0] > 0 and math.isfinite(b[1]):
                return _tidy([x / y for x in a for y in b])
            return (0.0, math.inf) if a[0] >= 0 and b[0] >= 0 else ANYTHING
        case "**":
            return (0.0, math.inf) if a[0] >= 0 or (b[0] == b[1] and b[0] % 2 == 0) else ANYTHING
    return TRUTH  # a comparison, `and` or `or`


def _tidy(values: list[float]) -> Range:
    return ANYTHING if any(map(math.isnan, values)) else (min(values), max(values))


def _call(function: str, parts: list[Range]) -> Range:
    low, high = parts[0]
    match function:
        case "exp":
            return (math.exp(low) if low < 700 else math.inf, math.exp(high) if high < 700 else math.inf)
        case "sqrt":
            return (math.sqrt(max(low, 0.0)), math.sqrt(high) if high >= 0 else 0.0)
        case "abs":
            return (0.0 if low <= 0 <= high else min(abs(low), abs(high)), max(abs(low), abs(high)))
        case "expit":
            return TRUTH
        case "tanh":
            return -1.0, 1.0
        case "where":
            return min(parts[1][0], parts[2][0]), max(parts[1][1], parts[2][1])
        case "min":
            return min(low for low, _ in parts), min(high for _, high in parts)
        case "max":
            return max(low for low, _ in parts), max(high for _, high in parts)
        case "clip":
            floor, ceiling = parts[1], parts[2]
            return min(max(low, floor[0]), ceiling[0]), min(max(high, floor[1]), ceiling[1])
    return ANYTHING
