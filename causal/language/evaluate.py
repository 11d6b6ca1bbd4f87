"""One evaluator for every kind of number: compiles a tree to a function, using a table of operations.

The semantics are the same on floats and tensors:

- NaN means unknown, and unknown is not true: a NaN condition counts as false in `where`, `and`, `or` and `not` (so
  `not` of it is true), and every comparison with NaN is false. Elsewhere NaN stays NaN, except `nan ** 0 = 1`.
- `/` by zero is infinite, and 0 / 0 is NaN. The sign of a zero has no meaning.
- `a ** b` is exp(b log |a|), with the sign of a whole power. Other powers of a negative number are NaN, and anything
  to the power 0 is 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Generic, TypeVar

from .syntax import Binary, Call, Expression, Level, Name, Number, Past, Table, Unary

State = TypeVar("State")
Value = TypeVar("Value")
Points = tuple[tuple[float, float], ...]
CONDITIONS = {"and": (0, 1), "or": (0, 1), "not": (0,), "where": (0,)}  # the operands that are conditions


@dataclass(frozen=True)
class Arithmetic(Generic[Value]):
    """The operations of the language on one kind of number.

    `operations` maps each operator and function name to its implementation; `min` and `max` take two numbers here.
    Conditions are converted by `truth` first. `table` makes a function from a table's points.
    """

    truth: Callable[[Value], Value]
    operations: Mapping[str, Callable[..., Value]]
    table: Callable[[Points], Callable[[Value], Value]]


class TreeCompiler(ABC, Generic[State, Value]):
    """Compiles a tree to a function from a state to a value. Subclasses define how names are read from a state.

    `levels`: the levels of each categorical variable; a level is represented by its index.
    """

    def __init__(self, arithmetic: Arithmetic[Value], levels: Mapping[str, tuple[str, ...]]) -> None:
        self.arithmetic = arithmetic
        self.levels = levels

    @abstractmethod
    def read(self, node: Name | Past) -> Callable[[State], Value]:
        """The function that reads a name, or the past of a variable, from a state."""

    def compile(self, node: Expression) -> Callable[[State], Value]:
        """The function for a tree. Called for every sub-expression too."""
        return self.build(node)

    def build(self, node: Expression) -> Callable[[State], Value]:
        match node:
            case Number(value):
                return lambda state: value  # type: ignore[return-value]
            case Name() | Past():
                return self.read(node)
            case Table(argument, points):
                return _apply(self.arithmetic.table(points), [self.compile(argument)])
            case Binary(operator, Name(name) as variable, Level(level)):
                return self.operate(operator, [variable, self.encode(name, level)])
            case Binary(operator, Level(level), Name(name) as variable):
                return self.operate(operator, [self.encode(name, level), variable])
            case Unary(operator, _) | Binary(operator, _, _) | Call(operator, _):
                return self.operate(operator, node.children)
        raise AssertionError(f"{type(node).__name__} cannot be evaluated alone")

    def encode(self, variable: str, level: str) -> Number:
        return Number(float(self.levels[variable].index(level)))

    def operate(self, operator: str, operands: Sequence[Expression]) -> Callable[[State], Value]:
        operation = self.arithmetic.operations[operator]
        parts = [self.compile(operand) for operand in operands]
        for index in CONDITIONS.get(operator, ()):
            parts[index] = _apply(self.arithmetic.truth, [parts[index]])
        if operator in ("min", "max"):
            return reduce(lambda a, b: _apply(operation, [a, b]), parts)
        return _apply(operation, parts)


def encode_result(expression: Expression, levels: Sequence[str]) -> Expression:
    """The expression with the levels that it gives, as in `where(frail, "b", "c")`, replaced by their indices among
    `levels`. Levels that it compares stay."""
    match expression:
        case Level(name) if levels:
            return Number(float(levels.index(name)))
        case Call("where", (condition, yes, no)):
            return Call("where", (condition, encode_result(yes, levels), encode_result(no, levels)))
    return expression


def _apply(operation: Callable[..., Value], parts: Sequence[Callable[[State], Value]]) -> Callable[[State], Value]:
    match parts:
        case [a]:
            return lambda state: operation(a(state))
        case [a, b]:
            return lambda state: operation(a(state), b(state))
    return lambda state: operation(*(part(state) for part in parts))
