"""The syntax tree of the mechanism language. `str()` of a tree is its canonical text, which parses to an equal tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..families import FAMILIES

PRECEDENCE = {
    "or": 1, "and": 2, "not": 3,
    "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "negate": 7, "**": 8,
}  # fmt: skip
ATOM = 9

FUNCTIONS = {  # name -> number of arguments (None: two or more)
    "exp": 1, "log": 1, "sqrt": 1, "abs": 1, "floor": 1, "round": 1, "tanh": 1, "expit": 1, "logit": 1,
    "probit": 1, "min": None, "max": None, "clip": 3, "where": 3,
}  # fmt: skip
FORMULA_FUNCTIONS = {"leak": None}  # only in the formula of a parameter
PAST_FUNCTIONS = ("ever", "since", "recorded")
RESERVED = {
    "t", "dt", "and", "or", "not", "true", "false", "table", "cases",
    *FUNCTIONS, *FORMULA_FUNCTIONS, *PAST_FUNCTIONS,
}  # fmt: skip

TRUTH_LEVELS = ("0", "1")  # in `cases`, of what is 0 or 1


class Expression:
    """A node of the tree. `children` are its direct sub-expressions."""

    __slots__ = ()
    precedence = ATOM

    @property
    def children(self) -> tuple[Expression, ...]:
        return ()

    def walk(self) -> Iterator[Expression]:
        """This node and everything below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def within(self, precedence: int) -> str:
        """The text of this node, in parentheses if a surrounding operator of `precedence` requires them."""
        return f"({self})" if self.precedence < precedence else str(self)


@dataclass(frozen=True, slots=True)
class Number(Expression):
    value: float

    @property
    def precedence(self) -> int:  # type: ignore[override]
        return PRECEDENCE["negate"] if self.value < 0 else ATOM

    def __str__(self) -> str:
        return str(int(self.value)) if self.value.is_integer() and abs(self.value) < 1e15 else repr(self.value)


@dataclass(frozen=True, slots=True)
class Level(Expression):
    """A level of a categorical variable, written in quotation marks."""

    name: str

    def __str__(self) -> str:
        return f'"{self.name}"'


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """A variable, a parameter, `t` or `dt`. `lag` 0 is this step's value, 1 the last step's: `x[-1]`."""

    name: str
    lag: int = 0

    def __str__(self) -> str:
        return f"{self.name}[-{self.lag}]" if self.lag else self.name


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    operator: str  # "negate" or "not"
    operand: Expression

    @property
    def precedence(self) -> int:  # type: ignore[override]
        return PRECEDENCE[self.operator]

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.operand,)

    def __str__(self) -> str:
        return ("-" if self.operator == "negate" else "not ") + self.operand.within(self.precedence)


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    operator: str
    left: Expression
    right: Expression

    @property
    def precedence(self) -> int:  # type: ignore[override]
        return PRECEDENCE[self.operator]

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.left, self.right)

    def __str__(self) -> str:
        own = self.precedence
        compares = own == PRECEDENCE["=="]
        left = self.left.within(own + 1 if self.operator == "**" or compares else own)
        right = self.right.within(PRECEDENCE["negate"] if self.operator == "**" else own + 1)
        return f"{left} {self.operator} {right}"


@dataclass(frozen=True, slots=True)
class Call(Expression):
    function: str
    arguments: tuple[Expression, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        return self.arguments

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True, slots=True)
class Past(Expression):
    """`ever(event)`, `since(event)` (before this step) or `recorded(measurement)` (by this step)."""

    function: str
    name: str
    lag: int = 0

    def __str__(self) -> str:
        return f"{self.function}({Name(self.name, self.lag)})"


@dataclass(frozen=True, slots=True)
class Table(Expression):
    """`table(x; 50: 0.003, 60: 0.007)`: linear between the points, constant beyond them."""

    argument: Expression
    points: tuple[tuple[float, float], ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.argument,)

    def __str__(self) -> str:
        return f"table({self.argument}; {', '.join(f'{Number(x)}: {Number(y)}' for x, y in self.points)})"


@dataclass(frozen=True, slots=True)
class Cases(Expression):
    """`cases(x, y; "a", "low": 0.3, …)`: a number for each combination of the levels of x and y. The levels of what is
    0 or 1 are "0" and "1"."""

    of: tuple[Name, ...]
    rows: tuple[tuple[tuple[str, ...], float], ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        return self.of

    def __str__(self) -> str:
        rows = (f"{', '.join(str(Level(level)) for level in levels)}: {Number(y)}" for levels, y in self.rows)
        return f"cases({', '.join(map(str, self.of))}; {', '.join(rows)})"


@dataclass(frozen=True, slots=True)
class Draw(Expression):
    """A distribution. Only at the top of a mechanism, where `clip` or `round` may wrap it.

    With `levels`, the parameters are the weight of each; if they are ordered, the location and then the thresholds
    between neighbours.
    """

    family: str
    parameters: tuple[Expression, ...]
    levels: tuple[str, ...] = ()

    @property
    def children(self) -> tuple[Expression, ...]:
        return self.parameters

    def __str__(self) -> str:
        if not self.levels:
            return f"{self.family}({', '.join(map(str, self.parameters))})"
        if not FAMILIES[self.family].ordered:
            weights = zip(self.levels, self.parameters, strict=True)
            return f"{self.family}({', '.join(f'{Level(level)}: {weight}' for level, weight in weights)})"
        thresholds = zip(self.levels, self.parameters[1:], strict=False)
        parts = [*(f"{Level(level)}: {threshold}" for level, threshold in thresholds), str(Level(self.levels[-1]))]
        return f"{self.family}({self.parameters[0]}; {', '.join(parts)})"


def find_draw(expression: Expression) -> Draw | None:
    """The distribution of a mechanism, or None if it is deterministic."""
    return next((node for node in expression.walk() if isinstance(node, Draw)), None)
