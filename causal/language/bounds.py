"""Bounds on the value of an expression, known before a run, by interval arithmetic (Moore 1966)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from ..families import FAMILIES
from .syntax import PRECEDENCE, Binary, Call, Cases, Draw, Expression, Level, Name, Number, Past, Table, Unary

Range = tuple[float, float]
ANYTHING: Range = (-math.inf, math.inf)
TRUTH: Range = (0.0, 1.0)
COMPARISONS = {operator for operator, value in PRECEDENCE.items() if value == PRECEDENCE["=="]}


def bound(node: Expression, *, known: Mapping[str, Range], unknown: Set[str] = frozenset()) -> Range:
    """The least and greatest possible value of `node`, as far as it has one, given bounds of the names that it reads
    (`known`). `unknown`: names that may have no value yet, so that a comparison with them may be false."""
    return Bounds(known, unknown).of(node)


@dataclass(frozen=True)
class Bounds:
    """Bounds of expressions, given `known` bounds of names; `unknown` names may have no value yet (NaN)."""

    known: Mapping[str, Range]
    unknown: Set[str] = field(default_factory=frozenset)

    def of(self, node: Expression) -> Range:
        match node:
            case Number(value):
                return value, value
            case Name(name, _):
                return self.known.get(name, ANYTHING)
            case Past("since", _, _):
                return 0.0, math.inf
            case Past() | Level():
                return TRUTH
            case Unary("not", operand):
                low, high = self.truth(operand)
                return 1 - high, 1 - low
            case Unary(_, operand):
                low, high = self.of(operand)
                return -high, -low
            case Table(_, points):
                return min(y for _, y in points), max(y for _, y in points)
            case Cases(_, rows):
                return min(y for _, y in rows), max(y for _, y in rows)
            case Binary("and", left, right):
                a, b = self.truth(left), self.truth(right)
                return min(a[0], b[0]), min(a[1], b[1])
            case Binary("or", left, right):
                a, b = self.truth(left), self.truth(right)
                return max(a[0], b[0]), max(a[1], b[1])
            case Binary(_, Level(), _) | Binary(_, _, Level()):
                return TRUTH
            case Binary(operator, left, right) if operator in COMPARISONS:
                low, high = _compare(operator, self.of(left), self.of(right))
                return (0.0 if self.may_lack_value(node) else low), high
            case Binary(operator, left, right):
                return _calculate(operator, self.of(left), self.of(right))
            case Call("where", (condition, yes, no)):
                low, high = self.truth(condition)
                branches = [*([self.of(yes)] if high else []), *([self.of(no)] if not low else [])]
                return min(low for low, _ in branches), max(high for _, high in branches)
            case Call(function, arguments):
                return _call(function, [self.of(argument) for argument in arguments])
            case Draw(family, parameters):
                return FAMILIES[family].support(*(self.of(parameter) for parameter in parameters))
        return ANYTHING

    def truth(self, condition: Expression) -> Range:
        """(1, 1) if the condition is always true, (0, 0) if never, else (0, 1). No value is not true."""
        low, high = self.of(condition)
        if low == high == 0:
            return 0.0, 0.0
        return (1.0, 1.0) if (low > 0 or high < 0) and not self.may_lack_value(condition) else TRUTH

    def may_lack_value(self, node: Expression) -> bool:
        """Whether `node` may be NaN: the logarithm of a negative number, 0 / 0, or a name that has no value yet."""
        match node:
            case Unary("not", _) | Binary("and" | "or", _, _):
                return False
            case Name(name, _):
                return name in self.unknown
            case Call("where", (condition, yes, no)):
                low, high = self.truth(condition)
                return (high > 0 and self.may_lack_value(yes)) or (low == 0 and self.may_lack_value(no))
            case Binary(operator, _, _) if operator not in COMPARISONS:
                if any(isinstance(inner, Past) and inner.function == "since" for inner in node.walk()):
                    return True  # infinity less infinity
        return self.may_be_undefined(node) or any(map(self.may_lack_value, node.children))

    def may_be_undefined(self, node: Expression) -> bool:
        """Whether the operation itself (not its operands') may have no value."""
        match node:
            case Call("log" | "sqrt", (operand,)):
                return self.of(operand)[0] < 0
            case Call("logit", (operand,)):
                low, high = self.of(operand)
                return low < 0 or high > 1
            case Binary("/", _, divisor):
                low, high = self.of(divisor)
                return low <= 0 <= high
            case Binary("**", base, exponent):
                low, high = self.of(exponent)
                return self.of(base)[0] < 0 and not (low == high and low.is_integer())
        return False

    def fails(self, node: Expression) -> bool:
        """Whether the operation itself has no finite value, whatever its operands within their bounds."""
        match node:
            case Call("log", (operand,)):
                return self.of(operand)[1] <= 0
            case Call("sqrt", (operand,)):
                return self.of(operand)[1] < 0
            case Call("logit", (operand,)):
                low, high = self.of(operand)
                return high < 0 or low > 1
            case Binary("/", _, divisor):
                return self.of(divisor) == (0, 0)
            case Binary("**", base, exponent):
                low, high = self.of(exponent)
                if self.of(base) == (0, 0):
                    return high < 0
                return self.of(base)[1] < 0 and low == high and not low.is_integer()
            case Call("clip", (_, low, high)):
                return self.of(low)[0] > self.of(high)[1]
        return False


def _compare(operator: str, a: Range, b: Range) -> Range:
    """Where the comparison is the same for all values in the ranges, that; else (0, 1)."""
    match operator:
        case ">" | ">=":
            return _compare("<" if operator == ">" else "<=", b, a)
        case "<":
            always, never = a[1] < b[0], a[0] >= b[1]
        case "<=":
            always, never = a[1] <= b[0], a[0] > b[1]
        case _:
            same, apart = a[0] == a[1] == b[0] == b[1], a[1] < b[0] or a[0] > b[1]
            always, never = (same, apart) if operator == "==" else (apart, same)
    return (1.0, 1.0) if always else (0.0, 0.0) if never else TRUTH


def _calculate(operator: str, a: Range, b: Range) -> Range:
    match operator:
        case "+":
            return _tidy([a[0] + b[0], a[1] + b[1]])
        case "-":
            return _tidy([a[0] - b[1], a[1] - b[0]])
        case "*":
            return _tidy([0.0 if 0.0 in (x, y) else x * y for x in a for y in b])
        case "/":
            if b[0] > 0 or b[1] < 0:
                return _tidy([x / y for x in a for y in b])
            return (0.0, math.inf) if a[0] >= 0 and b[0] >= 0 else ANYTHING
    return _raise(a, b)


def _raise(a: Range, b: Range) -> Range:
    if a[0] > 0 and math.inf not in (a[1], b[1]) and b[0] > -math.inf:
        try:
            return _tidy([x**y for x in a for y in b])  # monotone in both
        except OverflowError:
            return 0.0, math.inf
    return (0.0, math.inf) if a[0] >= 0 or (b[0] == b[1] and b[0] % 2 == 0) else ANYTHING


def _tidy(values: list[float]) -> Range:
    return ANYTHING if any(map(math.isnan, values)) else (min(values), max(values))


def _call(function: str, parts: list[Range]) -> Range:
    low, high = parts[0]
    match function:
        case "exp":
            return (math.exp(low) if low < 700 else math.inf, math.exp(high) if high < 700 else math.inf)
        case "log":
            return tuple(math.log(x) if x > 0 else -math.inf for x in parts[0])  # type: ignore[return-value]
        case "sqrt":
            return (math.sqrt(max(low, 0.0)), math.sqrt(high) if high >= 0 else 0.0)
        case "abs":
            return (0.0 if low <= 0 <= high else min(abs(low), abs(high)), max(abs(low), abs(high)))
        case "floor" | "round":
            towards = math.floor if function == "floor" else round
            return tuple(float(towards(x)) if math.isfinite(x) else x for x in parts[0])  # type: ignore[return-value]
        case "expit":
            return TRUTH
        case "tanh":
            return -1.0, 1.0
        case "min":
            return min(low for low, _ in parts), min(high for _, high in parts)
        case "max":
            return max(low for low, _ in parts), max(high for _, high in parts)
        case "clip":
            floor, ceiling = parts[1], parts[2]
            return min(max(low, floor[0]), ceiling[0]), min(max(high, floor[1]), ceiling[1])
    return ANYTHING
