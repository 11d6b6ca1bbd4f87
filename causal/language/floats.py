"""The language's arithmetic on Python floats (float64), without torch."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

import numpy as np

from .evaluate import Arithmetic, Points
from .noisy_or import leak, probit


def is_true(value: float) -> bool:
    """Whether a value is known and not 0."""
    return abs(value) > 0


def divide(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)


def power(base: float, exponent: float) -> float:
    """Like C's pow, but NaN where tensors give NaN: 1 ** inf, 1 ** nan, and (-inf) ** 0.5."""
    x, y = np.float64(base), np.float64(exponent)
    if (abs(x) == 1 and not np.isfinite(y)) or (x < 0 and y != np.floor(y)):
        return math.nan
    with np.errstate(all="ignore"):
        return float(x**y)


def least(a: float, b: float) -> float:
    return a if a < b or math.isnan(a) else b


def most(a: float, b: float) -> float:
    return a if a > b or math.isnan(a) else b


def clip(value: float, low: float, high: float) -> float:
    """`value` limited to `low` to `high`; `high` if low > high."""
    return least(most(value, low), high)


def choose(condition: float, yes: float, no: float) -> float:
    return yes if condition else no


def _of_numpy(function: Callable[[np.float64], object]) -> Callable[[float], float]:
    return lambda value: float(function(np.float64(value)))  # type: ignore[arg-type]


def _interpolate(points: Points) -> Callable[[float], float]:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return lambda value: math.nan if math.isnan(value) else float(np.interp(float(value), xs, ys))


FLOATS: Arithmetic[float] = Arithmetic(
    truth=is_true,
    operations={
        "+": operator.add,
        "-": operator.sub,
        "*": operator.mul,
        "/": divide,
        "**": power,
        "negate": lambda a: -float(a),
        "==": operator.eq,
        "!=": lambda a, b: a < b or a > b,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
        "and": lambda a, b: a and b,
        "or": lambda a, b: a or b,
        "not": operator.not_,
        "where": choose,
        "min": least,
        "max": most,
        "clip": clip,
        "exp": _of_numpy(np.exp),
        "log": _of_numpy(np.log),
        "sqrt": _of_numpy(np.sqrt),
        "abs": abs,
        "floor": _of_numpy(np.floor),
        "round": _of_numpy(np.round),
        "tanh": _of_numpy(np.tanh),
        "expit": _of_numpy(lambda x: 1 / (1 + np.exp(-x))),
        "logit": _of_numpy(lambda p: np.log(p) - np.log1p(-p)),
        "probit": probit,
        "leak": leak,
    },
    table=_interpolate,
)
