"""The language's arithmetic on tensors, and on numbers mixed with them.

It uses only operations whose bits do not depend on a patient's position in a tensor (unlike torch's sigmoid, softplus
and pow), so that a patient is the same in any batch.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from ..language import floats
from ..language.evaluate import Arithmetic, Points

Value: TypeAlias = Tensor | float


def as_tensor(value: Value) -> Tensor:
    """The value itself, or a number as float32."""
    return value if isinstance(value, Tensor) else torch.tensor(float(value))


def is_true(value: Value) -> Value:
    """Whether a value is known and not 0: a tensor of bool, or a bool."""
    if isinstance(value, Tensor):
        return value if value.dtype == torch.bool else value.abs() > 0
    return floats.is_true(value)


def clip(value: Value, low: Value, high: Value) -> Value:
    """`value` limited to `low` to `high`; `high` if low > high."""
    if isinstance(value, Tensor) and not isinstance(low, Tensor) and not isinstance(high, Tensor):
        return torch.clamp(_number(value), low, high)  # type: ignore[arg-type]
    return _least(_most(value, low), high)


def _number(value: Value) -> Value:
    """Convert truth values and level codes to numbers."""
    if isinstance(value, Tensor):
        return value if value.dtype.is_floating_point else value.to(torch.float32)
    return float(value)


def _add(a: Value, b: Value) -> Value:
    return _number(a) + _number(b)


def _subtract(a: Value, b: Value) -> Value:
    return _number(a) - _number(b)


def _divide(a: Value, b: Value) -> Value:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return _number(a) / _number(b)
    return floats.divide(a, b)


def _negate(a: Value) -> Value:
    return -_number(a)


def _invert(truth: Value) -> Value:
    return ~truth if isinstance(truth, Tensor) else float(not truth)


def _both(a: Value, b: Value) -> Value:
    return a & b if isinstance(a, Tensor) or isinstance(b, Tensor) else float(a and b)  # type: ignore[operator]


def _either(a: Value, b: Value) -> Value:
    return a | b if isinstance(a, Tensor) or isinstance(b, Tensor) else float(a or b)  # type: ignore[operator]


def _differ(a: Value, b: Value) -> Value:
    """False if one side has no value yet (NaN), like every comparison."""
    return _either(a < b, a > b)


def _where(condition: Value, yes: Value, no: Value) -> Value:
    if isinstance(condition, Tensor):
        return torch.where(condition, _number(yes), _number(no))
    return floats.choose(condition, yes, no)  # type: ignore[arg-type]


def _least(a: Value, b: Value) -> Value:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return torch.minimum(as_tensor(_number(a)), as_tensor(_number(b)))
    return floats.least(a, b)


def _most(a: Value, b: Value) -> Value:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return torch.maximum(as_tensor(_number(a)), as_tensor(_number(b)))
    return floats.most(a, b)


def _power(base: Value, exponent: Value) -> Value:
    """Small whole powers by multiplication, others as exp(b log |a|): their bits do not depend on position."""
    if not isinstance(base, Tensor) and not isinstance(exponent, Tensor):
        return floats.power(base, exponent)
    if not isinstance(exponent, Tensor) and float(exponent).is_integer() and 0 < abs(exponent) <= 8:
        result = base = _number(base)
        for _ in range(int(abs(exponent)) - 1):
            result = result * base
        return result if exponent > 0 else 1.0 / result
    x, y = as_tensor(_number(base)), as_tensor(_number(exponent))
    size = torch.exp(y * torch.log(torch.abs(x)))
    odd = torch.remainder(y, 2) == 1
    signed = torch.where(odd, -size, torch.where(y == torch.floor(y), size, torch.nan))
    return torch.where(y == 0, 1.0, torch.where(x < 0, signed, size))


def _expit(x: Tensor) -> Tensor:
    return torch.exp(torch.nn.functional.logsigmoid(x))


def _logit(p: Tensor) -> Tensor:
    return torch.log(p) - torch.log1p(-p)


def _probit(p: Tensor) -> Tensor:
    """Minus infinity at 0 and below, infinity at 1 and above; computed in the dtype of `p`."""
    quantile: Tensor = torch.special.ndtri(torch.clamp(p, 0, 1))
    return quantile


def _of_torch(function: Callable[[Tensor], Tensor]) -> Callable[[Value], Value]:
    """Apply a function of tensors also to numbers, as float64."""

    def apply(value: Value) -> Value:
        if isinstance(value, Tensor):
            return function(_number(value))  # type: ignore[arg-type]
        return float(function(torch.tensor(float(value), dtype=torch.float64)))

    return apply


def _interpolate(points: Points) -> Callable[[Value], Value]:
    """Linear between the points and constant beyond them, in float32."""
    xs = torch.tensor([x for x, _ in points])
    ys = torch.tensor([y for _, y in points])
    apart = torch.cat([xs[1:] > xs[:-1], torch.tensor([True])])  # still distinct in float32
    xs, ys = xs[apart], ys[apart]

    def interpolate(value: Value) -> Value:
        x = as_tensor(value).to(torch.float32)
        if len(xs) == 1:
            return torch.where(torch.isnan(x), x, ys[0])
        right = torch.searchsorted(xs, x.detach().contiguous()).clamp(1, len(xs) - 1)
        low, high = xs[right - 1], xs[right]
        weight = torch.clamp((x - low) / (high - low), 0, 1)
        return ys[right - 1] * (1 - weight) + ys[right] * weight

    return interpolate


def look_up(values: Sequence[float], sizes: Sequence[int]) -> Callable[..., Value]:
    """A function of codes (0, 1, … below each of `sizes`): the value in their place, the last code counting fastest.
    NaN where a code is NaN."""
    table = torch.tensor(values, dtype=torch.float32)

    def find(*codes: Value) -> Value:
        place, known = torch.zeros((), dtype=torch.int64), torch.ones((), dtype=torch.bool)
        for code, size in zip(map(as_tensor, codes), sizes, strict=True):
            known = known & ~torch.isnan(code)
            place = place * size + torch.nan_to_num(code).to(torch.int64)
        return torch.where(known, table[place], torch.nan)

    return find


TENSORS: Arithmetic[Value] = Arithmetic(
    truth=is_true,
    operations={
        "+": _add,
        "-": _subtract,
        "*": operator.mul,  # the product of two truth values is one too
        "/": _divide,
        "**": _power,
        "negate": _negate,
        "==": operator.eq,
        "!=": _differ,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
        "and": _both,
        "or": _either,
        "not": _invert,
        "where": _where,
        "min": _least,
        "max": _most,
        "clip": clip,
        "exp": _of_torch(torch.exp),
        "log": _of_torch(torch.log),
        "sqrt": _of_torch(torch.sqrt),
        "abs": _of_torch(torch.abs),
        "floor": _of_torch(torch.floor),
        "round": _of_torch(torch.round),
        "tanh": _of_torch(torch.tanh),
        "expit": _of_torch(_expit),
        "logit": _of_torch(_logit),
        "probit": _of_torch(_probit),
    },
    table=_interpolate,
)
