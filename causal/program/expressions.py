"""Expressions become functions over tensors: nothing of a document is ever evaluated as Python.

Only operations are used whose bits do not depend on where in a tensor a patient stands (torch's sigmoid, softplus and
pow are not among them), so that a patient is the same in any batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch import Tensor

from ..language import Expression
from ..language.syntax import Binary, Call, Level, Name, Number, Past, Table, Unary

Value: TypeAlias = Tensor | float
Evaluator: TypeAlias = "Callable[[Moment], Value]"


@dataclass(slots=True)
class Moment:
    """What an expression can see in one step. Tensors have the shape (worlds or 1, patients)."""

    time: float
    dt: float
    parameters: Mapping[str, Value]
    now: dict[str, Tensor]
    history: list[dict[str, Tensor]]  # history[lag - 1]; before step 0 it repeats the start
    ever: dict[str, Tensor] = field(default_factory=dict)
    latest: dict[str, Tensor] = field(default_factory=dict)  # step of the latest occurrence, or -inf
    seen: dict[str, Tensor] = field(default_factory=dict)  # whether a measurement has been recorded
    kept: dict[int, Value] = field(default_factory=dict)  # values that never change, by expression
    timed: dict[int, tuple[float, Value]] = field(default_factory=dict)  # values of a moment, by expression
    dead: Tensor | None = None  # whose journey has ended: what becomes of them is nobody's mistake

    def past(self, name: str, lag: int) -> Tensor:
        """The value `lag` steps ago; in step 0, and for what never changes, this step's."""
        for row in self.history[lag - 1 : lag]:
            if name in row:
                return row[name]
        return self.now[name]


def compile_expression(
    expression: Expression,
    *,
    constant: Set[str],
    levels: Mapping[str, tuple[str, ...]],
    shared: dict[Expression, Evaluator] | None = None,
) -> Evaluator:
    """A function from a Moment to a value. `constant` names what never changes in a run: sub-expressions that read
    nothing else are evaluated once, and those that read the time beside it once a step. `levels` gives the levels of
    each categorical variable; `shared` holds what other expressions, compiled for the same runs, have in common.
    """
    compiler = _Compiler(constant, levels, {} if shared is None else shared)
    return compiler.compile(expression)


class _Compiler:
    def __init__(
        self, constant: Set[str], levels: Mapping[str, tuple[str, ...]], shared: dict[Expression, Evaluator]
    ) -> None:
        self.constant = constant
        self.levels = levels
        self.shared = shared
        self.read: dict[int, frozenset[str]] = {}  # what each node reads, by its id

    def compile(self, expression: Expression) -> Evaluator:
        if isinstance(expression, Name | Number | Level):
            return self.build(expression)
        names = self.find_names(expression) - self.constant
        if not names <= {"t"}:
            return self.build(expression)
        found = self.shared.get(expression)
        if found is None:
            evaluator = self.build(expression)
            found = self.shared[expression] = _keep_timed(evaluator) if names else _keep(evaluator)
        return found

    def find_names(self, node: Expression) -> frozenset[str]:
        found = self.read.get(id(node))
        if found is None:
            own = frozenset({node.name}) if isinstance(node, Name | Past) else frozenset[str]()
            found = self.read[id(node)] = own.union(*map(self.find_names, node.children))
        return found

    def build(self, node: Expression) -> Evaluator:
        match node:
            case Number(value):
                return lambda moment: value
            case Name(name, lag):
                return self.name(name, lag)
            case Past(function, name, lag):
                return _past(function, name, lag)
            case Unary("negate", operand):
                inner = self.compile(operand)
                return lambda moment: -_number(inner(moment))
            case Unary(_, operand):
                inner = self.compile(operand)
                return lambda moment: _invert(inner(moment))
            case Binary(operator, left, right):
                return self.binary(operator, left, right)
            case Call(function, arguments):
                return self.call(function, arguments)
            case Table(argument, points):
                inner = self.compile(argument)
                xs = torch.tensor([x for x, _ in points])
                ys = torch.tensor([y for _, y in points])
                apart = torch.cat([xs[1:] > xs[:-1], torch.tensor([True])])  # as float32 has it
                xs, ys = xs[apart], ys[apart]
                return lambda moment: _interpolate(_tensor(inner(moment)), xs, ys)
        raise AssertionError(f"{type(node).__name__} has no value of its own")

    def name(self, name: str, lag: int) -> Evaluator:
        if name == "t":
            return lambda moment: moment.time
        if name == "dt":
            return lambda moment: moment.dt

        def read(moment: Moment) -> Value:
            parameter = moment.parameters.get(name)
            return moment.now[name] if parameter is None else parameter

        return (lambda moment: moment.past(name, lag)) if lag else read

    def binary(self, operator: str, left: Expression, right: Expression) -> Evaluator:
        for one, other in ((left, right), (right, left)):
            if isinstance(other, Level) and isinstance(one, Name):
                code = Number(float(self.levels[one.name].index(other.name)))
                return _compare(operator, self.compile(one), self.build(code))
        a, b = self.compile(left), self.compile(right)
        match operator:
            case "+":
                return lambda moment: _number(a(moment)) + _number(b(moment))
            case "-":
                return lambda moment: _number(a(moment)) - _number(b(moment))
            case "*":
                return lambda moment: a(moment) * b(moment)
            case "/":
                return lambda moment: _divide(a(moment), b(moment))
            case "**":
                return lambda moment: _power(a(moment), b(moment))
            case "and":
                return lambda moment: _both(_truth(a(moment)), _truth(b(moment)))
            case "or":
                return lambda moment: _either(_truth(a(moment)), _truth(b(moment)))
        return _compare(operator, a, b)

    def call(self, function: str, arguments: tuple[Expression, ...]) -> Evaluator:
        parts = [self.compile(argument) for argument in arguments]
        if function == "where":
            condition, yes, no = parts
            return lambda moment: _where(_truth(condition(moment)), yes(moment), no(moment))
        if function == "clip":
            value, low, high = parts
            return lambda moment: clip(value(moment), low(moment), high(moment))
        if function in ("min", "max"):
            choose = _least if function == "min" else _most

            def extreme(moment: Moment) -> Value:
                result = parts[0](moment)
                for part in parts[1:]:
                    result = choose(result, part(moment))
                return result

            return extreme
        inner = parts[0]
        apply = FUNCTIONS[function]
        return lambda moment: apply(_number(inner(moment)))


def _keep(evaluator: Evaluator) -> Evaluator:
    """Evaluated once in a run."""
    key = id(evaluator)

    def keep(moment: Moment) -> Value:
        value = moment.kept.get(key)
        if value is None:
            value = moment.kept[key] = evaluator(moment)
        return value

    return keep


def _keep_timed(evaluator: Evaluator) -> Evaluator:
    """Evaluated once in a step."""
    key = id(evaluator)

    def keep(moment: Moment) -> Value:
        found = moment.timed.get(key)
        if found is None or found[0] != moment.time:
            found = moment.timed[key] = (moment.time, evaluator(moment))
        return found[1]

    return keep


def _past(function: str, name: str, lag: int) -> Evaluator:
    match function:
        case "ever":
            return lambda moment: moment.ever[name]
        case "since":
            # counted in steps: a difference of rounded times would make `since(e) <= 0.25` depend on the date
            return lambda moment: (round(moment.time / moment.dt) - moment.latest[name]) * moment.dt
    key = f"{name} recorded"

    def recorded(moment: Moment) -> Value:
        return moment.past(key, lag) if lag and moment.history else moment.seen[name]

    return recorded


def _tensor(value: Value) -> Tensor:
    return value if isinstance(value, Tensor) else torch.tensor(float(value))


def _number(value: Value) -> Value:
    """Truth values and level codes count as numbers in arithmetic."""
    if isinstance(value, Tensor):
        return value if value.dtype.is_floating_point else value.to(torch.float32)
    return float(value)


def _truth(value: Value) -> Tensor | bool:
    if isinstance(value, Tensor):
        return value if value.dtype == torch.bool else value.abs() > 0  # what is not known is not true
    return value != 0


def _invert(value: Value) -> Value:
    truth = _truth(value)
    return ~truth if isinstance(truth, Tensor) else float(not truth)


def _both(a: Tensor | bool, b: Tensor | bool) -> Value:
    return a & b if isinstance(a, Tensor) or isinstance(b, Tensor) else float(a and b)


def _either(a: Tensor | bool, b: Tensor | bool) -> Value:
    return a | b if isinstance(a, Tensor) or isinstance(b, Tensor) else float(a or b)


def _divide(a: Value, b: Value) -> Value:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return _number(a) / _number(b)
    return a / b if b else math.copysign(math.inf, a) if a else math.nan


def _compare(operator: str, a: Evaluator, b: Evaluator) -> Evaluator:
    match operator:
        case "==":
            return lambda moment: a(moment) == b(moment)
        case "!=":
            return lambda moment: _differ(a(moment), b(moment))
        case "<":
            return lambda moment: a(moment) < b(moment)
        case "<=":
            return lambda moment: a(moment) <= b(moment)
        case ">":
            return lambda moment: a(moment) > b(moment)
    return lambda moment: a(moment) >= b(moment)


def _differ(a: Value, b: Value) -> Value:
    """As every comparison, false where one side has no value yet."""
    return _either(a < b, a > b)


def _where(condition: Tensor | bool, yes: Value, no: Value) -> Value:
    if isinstance(condition, Tensor):
        return torch.where(condition, _number(yes), _number(no))
    return yes if condition else no


def _least(a: Value, b: Value) -> Value:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return torch.minimum(_tensor(_number(a)), _tensor(_number(b)))
    return min(a, b)


def _most(a: Value, b: Value) -> Value:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return torch.maximum(_tensor(_number(a)), _tensor(_number(b)))
    return max(a, b)


def clip(value: Value, low: Value, high: Value) -> Value:
    """`value` held between `low` and `high`."""
    if isinstance(value, Tensor) and not isinstance(low, Tensor) and not isinstance(high, Tensor):
        return torch.clamp(_number(value), low, high)  # type: ignore[arg-type]
    return _least(_most(value, low), high)


def _power(base: Value, exponent: Value) -> Value:
    """Small whole powers multiply; others are exp(b log |a|), whose bits don't depend on position, with the sign that a
    whole power has; a negative number has no other power. Anything to the power 0 is 1."""
    if not isinstance(base, Tensor) and not isinstance(exponent, Tensor):
        try:
            return float(base**exponent)
        except (OverflowError, ZeroDivisionError):
            return math.inf
        except TypeError:
            return math.nan
    if not isinstance(exponent, Tensor) and float(exponent).is_integer() and 0 < abs(exponent) <= 8:
        result = base = _number(base)
        for _ in range(int(abs(exponent)) - 1):
            result = result * base
        return result if exponent > 0 else 1.0 / result
    x, y = _tensor(_number(base)), _tensor(_number(exponent))
    size = torch.exp(y * torch.log(torch.abs(x)))
    odd = torch.remainder(y, 2) == 1
    signed = torch.where(odd, -size, torch.where(y == torch.floor(y), size, torch.nan))
    return torch.where(y == 0, 1.0, torch.where(x < 0, signed, size))


def _interpolate(x: Tensor, xs: Tensor, ys: Tensor) -> Tensor:
    x = x.to(torch.float32)
    if len(xs) == 1:
        return torch.where(torch.isnan(x), x, ys[0])
    right = torch.searchsorted(xs, x.detach().contiguous()).clamp(1, len(xs) - 1)
    low, high = xs[right - 1], xs[right]
    weight = torch.clamp((x - low) / (high - low), 0, 1)
    return ys[right - 1] * (1 - weight) + ys[right] * weight


def _expit(x: Tensor) -> Tensor:
    return torch.exp(torch.nn.functional.logsigmoid(x))


def _logit(p: Tensor) -> Tensor:
    return torch.log(p) - torch.log1p(-p)


def _probit(p: Tensor) -> Tensor:
    """Minus infinity at 0 and below, infinity at 1 and above; a probability of float32 is taken as it is."""
    quantile: Tensor = torch.special.ndtri(torch.clamp(p, 0, 1))
    return quantile


def _unary(function: Callable[[Tensor], Tensor]) -> Callable[[Value], Value]:
    def apply(value: Value) -> Value:
        return (
            function(value)
            if isinstance(value, Tensor)
            else float(function(torch.tensor(float(value), dtype=torch.float64)))
        )

    return apply


FUNCTIONS: dict[str, Callable[[Value], Value]] = {
    "exp": _unary(torch.exp),
    "log": _unary(torch.log),
    "sqrt": _unary(torch.sqrt),
    "abs": _unary(torch.abs),
    "floor": _unary(torch.floor),
    "round": _unary(torch.round),
    "tanh": _unary(torch.tanh),
    "expit": _unary(_expit),
    "logit": _unary(_logit),
    "probit": _unary(_probit),
}
