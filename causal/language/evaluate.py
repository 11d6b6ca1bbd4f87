"""One evaluator for every kind of number: a tree becomes a function of what it can read, by a table of operations.

The meaning is the same on floats and on tensors:

- NaN is what is not known, and that is not true: a condition that is NaN counts as false in `where`, `and`, `or` and
  `not` (so `not` of it is true), and every comparison with NaN is false. Elsewhere NaN stays NaN, `nan ** 0 = 1` aside.
- `/` by zero is infinite, and 0 / 0 is NaN. The sign of a zero has no meaning.
- `a ** b` is exp(b log |a|), with the sign that a whole power has; a negative number has no other power (NaN), and
  anything to the power 0 is 1.
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

    `operations` has one for each operator and function, by its name: `min` and `max` of two numbers, the others of as
    many as they take. An operand that is a condition has gone through `truth` before. `table` makes the function of a
    table's points.
    """

    truth: Callable[[Value], Value]
    operations: Mapping[str, Callable[..., Value]]
    table: Callable[[Points], Callable[[Value], Value]]


class TreeCompiler(ABC, Generic[State, Value]):
    """Turns a tree into a function from a state to a value. Subclasses say how a name is read in a state.

    `levels` gives the levels of each categorical variable: a level counts as its index.
    """

    def __init__(self, arithmetic: Arithmetic[Value], levels: Mapping[str, tuple[str, ...]]) -> None:
        self.arithmetic = arithmetic
        self.levels = levels

    @abstractmethod
    def read(self, node: Name | Past) -> Callable[[State], Value]:
        """The function that reads a name, or the past of a variable, in a state."""

    def compile(self, node: Expression) -> Callable[[State], Value]:
        """The function that a tree means. Every sub-expression comes through here."""
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
        raise AssertionError(f"{type(node).__name__} has no value of its own")

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


def _apply(operation: Callable[..., Value], parts: Sequence[Callable[[State], Value]]) -> Callable[[State], Value]:
    match parts:
        case [a]:
            return lambda state: operation(a(state))
        case [a, b]:
            return lambda state: operation(a(state), b(state))
    return lambda state: operation(*(part(state) for part in parts))
