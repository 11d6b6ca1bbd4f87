"""Parse text to a tree: a Pratt parser (Pratt 1973, "Top down operator precedence") with a bounded depth."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import NosographError, fail, nearest
from ..families import FAMILIES
from .syntax import (
    FORMULA_FUNCTIONS,
    FUNCTIONS,
    PAST_FUNCTIONS,
    PRECEDENCE,
    RESERVED,
    Binary,
    Call,
    Cases,
    Draw,
    Expression,
    Level,
    Name,
    Number,
    Past,
    Table,
    Unary,
)

MAXIMUM_LENGTH = 20_000
MAXIMUM_DEPTH = 60
MAXIMUM_HEIGHT = 200
TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<word>[A-Za-z_][A-Za-z_0-9]*)
    | (?P<level>"[^"\\\n]*")
    | (?P<symbol>\*\*|==|!=|<=|>=|[-+*/<>()\[\],;:])
    )""",
    re.VERBOSE | re.ASCII,
)
COMPARISONS = {operator for operator, value in PRECEDENCE.items() if value == PRECEDENCE["=="]}


def parse_expression(text: str | float) -> Expression:
    """Parse an expression without a distribution. Raises NosographError with the column of the mistake."""
    parser = _Parser(str(text))
    tree = parser.parse()
    if any(isinstance(node, Draw) for node in tree.walk()):
        raise parser.error("a distribution is not allowed here", fix="an expression such as 2 * age")
    parser.check_functions(tree)
    return tree


def parse_formula(text: str | float) -> Expression:
    """Parse the formula of a parameter, which reads parameters and numbers only: no distribution, level, time or past.

    Raises NosographError with the column of the mistake.
    """
    parser = _Parser(str(text))
    tree = parser.parse()
    for node in tree.walk():
        if isinstance(node, Draw):
            raise parser.error("a distribution is not allowed in a formula", fix="a value such as probit(frequency)")
        timed = isinstance(node, Past) or (isinstance(node, Name) and (node.lag > 0 or node.name in ("t", "dt")))
        if timed or isinstance(node, Level):
            raise parser.error(f"a formula can read parameters and numbers only, not {node}", fix="probit(frequency)")
    return tree


def parse_mechanism(text: str | float) -> Expression:
    """Parse a mechanism: an expression, or one distribution that `clip` or `round` may wrap.

    Raises NosographError with the column of the mistake.
    """
    parser = _Parser(str(text))
    tree = parser.parse()
    inner = tree
    while isinstance(inner, Call) and inner.function in ("clip", "round"):
        inner = inner.arguments[0]
    draws = [node for node in tree.walk() if isinstance(node, Draw)]
    if draws and (len(draws) > 1 or draws[0] is not inner):
        raise parser.error(
            "a distribution is inside another expression",
            fix="one distribution at the top, for example Normal(2 * age, 1); only clip() and round() may wrap it",
        )
    parser.check_functions(tree)
    return tree


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = 0
        self.position = 0
        self.tokens = self.scan()

    def error(self, problem: str, *, fix: str = "", column: int | None = None) -> NosographError:
        shown = self.text if len(self.text) <= 200 else self.text[:197] + "..."
        place = f"column {column + 1} of {shown}" if column is not None else shown
        return fail(problem, fix=fix, value=place)

    def scan(self) -> list[_Token]:
        if len(self.text) > MAXIMUM_LENGTH:
            raise self.error(
                f"the expression is longer than {MAXIMUM_LENGTH} characters", fix="split it into several variables"
            )
        tokens, at, end = [], 0, len(self.text.rstrip())
        while at < end:
            match = TOKEN.match(self.text, at)
            if match is None:
                bad = self.text[at:].lstrip()[0]
                fix = {"=": "== to compare", "^": "** for a power", "%": "arithmetic without %"}.get(
                    bad, "names, numbers, + - * / **, comparisons, and, or, not, and the functions of the language"
                )
                raise self.error(f"unexpected character {bad!r}", fix=fix, column=self.text.index(bad, at))
            kind = str(match.lastgroup)
            tokens.append(_Token(kind, match[kind], match.start(kind)))
            at = match.end()
        tokens.append(_Token("end", "the end", end))
        return tokens

    @property
    def token(self) -> _Token:
        return self.tokens[self.position]

    def advance(self) -> _Token:
        token = self.token
        self.position = min(self.position + 1, len(self.tokens) - 1)  # the end stays ahead
        return token

    def accept(self, text: str) -> bool:
        if self.token.text == text and self.token.kind in ("symbol", "word"):
            self.position += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self.error(f"expected {text!r}, not {self.token.text!r}", column=self.token.column)

    def parse(self) -> Expression:
        if self.token.kind == "end":
            raise self.error("empty expression", fix="a value such as 0")
        tree = self.expression(0)
        if self.token.kind != "end":
            raise self.error(f"unexpected {self.token.text!r}", column=self.token.column)
        self.check_height(tree)
        return tree

    def check_height(self, tree: Expression) -> None:
        """Limit the height of the tree: a long sum is not nested in the text, but code that walks the tree recurses."""
        level: list[Expression] = [tree]
        for _ in range(MAXIMUM_HEIGHT):
            level = [child for node in level for child in node.children]
            if not level:
                return
        raise self.error(f"more than {MAXIMUM_HEIGHT} operations in a chain", fix="split it into several variables")

    def check_functions(self, tree: Expression) -> None:
        for node in tree.walk():
            if isinstance(node, Call) and node.function in FORMULA_FUNCTIONS:
                name = node.function
                raise self.error(
                    f"{name}() is only allowed in the formula of a parameter",
                    fix=f'parameters: {{{name}_: {{formula: "{name}(…)"}}}}, and {name}_ here',
                )

    def expression(self, minimum: int) -> Expression:
        self.depth += 1
        if self.depth > MAXIMUM_DEPTH:
            raise self.error(f"nested deeper than {MAXIMUM_DEPTH}", fix="split it into several variables")
        left = self.prefix()
        while (power := PRECEDENCE.get(self.token.text, 0)) >= max(minimum, 1) and self.token.text not in (
            "not",
            "negate",
        ):
            operator = self.advance().text
            if operator in COMPARISONS:
                left = self.comparison(operator, left)
            else:
                # ** groups to the right, the others to the left
                left = Binary(operator, left, self.expression(power if operator == "**" else power + 1))
        self.depth -= 1
        return left

    def comparison(self, operator: str, left: Expression) -> Expression:
        """`50 <= age < 90` means `50 <= age and age < 90`."""
        tree: Expression | None = None
        while True:
            right = self.expression(PRECEDENCE["=="] + 1)
            link = Binary(operator, left, right)
            tree = link if tree is None else Binary("and", tree, link)
            if self.token.text not in COMPARISONS:
                return tree
            operator, left = self.advance().text, right

    def prefix(self) -> Expression:
        token = self.advance()
        if token.kind == "number":
            value = float(token.text)
            if not math.isfinite(value):
                raise self.error("the number is too large", column=token.column)
            return Number(value)
        if token.kind == "level":
            return Level(token.text[1:-1])
        if token.text == "-":
            operand = self.expression(PRECEDENCE["negate"])
            return Number(-operand.value) if isinstance(operand, Number) else Unary("negate", operand)
        if token.text == "not":
            return Unary("not", self.expression(PRECEDENCE["not"]))
        if token.text == "(":
            inner = self.expression(0)
            self.expect(")")
            return inner
        if token.kind == "word":
            return self.word(token)
        raise self.error(f"expected a value, not {token.text!r}", column=token.column)

    def word(self, token: _Token) -> Expression:
        name = token.text
        if name.startswith("__"):
            raise self.error(f"{name!r} is not a valid name", fix="names that start with a letter", column=token.column)
        if name in ("true", "false"):
            return Number(float(name == "true"))
        if self.token.text == "(":
            return self.call(token)
        if name in RESERVED - {"t", "dt"} or name in FAMILIES:
            raise self.error(f"{name!r} needs arguments", fix=f"{name}(…)", column=token.column)
        return Name(name, self.lag(token))

    def lag(self, token: _Token) -> int:
        if not self.accept("["):
            return 0
        sign = self.accept("-")
        number = self.advance()
        self.expect("]")
        if not sign or not re.fullmatch(r"0*[1-9]\d{0,8}", number.text, re.ASCII):
            raise self.error(
                f"{token.text}[…] must read a past step",
                fix=f"{token.text}[-1] for the last step, {token.text} for the current one",
                column=token.column,
            )
        return int(number.text)

    def call(self, token: _Token) -> Expression:
        name = token.text
        self.expect("(")
        if name in PAST_FUNCTIONS:
            variable = self.advance()
            if variable.kind != "word":
                raise self.error(f"{name}() takes the name of a variable", column=variable.column)
            past = Past(name, variable.text, self.lag(variable))
            self.expect(")")
            return past
        if name == "table":
            return self.table(token)
        if name == "cases":
            return self.cases(token)
        family = FAMILIES.get(name)
        if family is not None and family.has_levels:
            return self.ordered_levels(name) if family.ordered else self.levels(name)
        functions = FUNCTIONS | FORMULA_FUNCTIONS
        if name not in functions and family is None:
            known = nearest(name, [*functions, *FAMILIES, *PAST_FUNCTIONS, "table", "cases"])
            fix = (
                f"{known}(…)"
                if known
                else f"one of {', '.join([*FUNCTIONS, 'table', 'cases', *PAST_FUNCTIONS, *FAMILIES])}"
            )
            raise self.error(f"unknown function {name!r}", fix=fix, column=token.column)
        arguments = [self.expression(0)]
        while self.accept(","):
            arguments.append(self.expression(0))
        self.expect(")")
        if family is not None:
            expected = len(family.parameters)
            usage = f"{name}({', '.join(family.parameters)})"
        else:
            count = functions[name]
            expected = max(2, len(arguments)) if count is None else count
            usage = f"{name}() of {expected} argument{'s' * (expected > 1)}"
        if len(arguments) != expected:
            raise self.error(f"{name}() got {len(arguments)} arguments", fix=usage, column=token.column)
        return Draw(name, tuple(arguments)) if family is not None else Call(name, tuple(arguments))

    def levels(self, family: str) -> Expression:
        """The levels of a distribution, each with its weight."""
        levels: list[str] = []
        weights: list[Expression] = []
        while True:
            usage = f'{family}("yes": 0.3, "no": 0.7)'
            levels.append(self.level(f"{family} takes distinct levels with weights", usage, known=levels))
            self.expect(":")
            weights.append(self.expression(0))
            if not self.accept(","):
                break
        self.expect(")")
        return Draw(family, tuple(weights), tuple(levels))

    def ordered_levels(self, family: str) -> Expression:
        """`OrderedLogistic(location; "I": -1, "II": 2, "III")`: each level but the last with the threshold above it."""
        usage = f'{family}(x; "I": -1, "II": 2, "III")'
        parameters = [self.expression(0)]
        levels: list[str] = []
        if not self.accept(";"):
            raise self.error(f"{family} takes a location, ;, and its levels", fix=usage, column=self.token.column)
        while True:
            levels.append(self.level(f"{family} takes distinct levels, in order", usage, known=levels))
            if not self.accept(":"):
                break
            parameters.append(self.expression(0))
            if not self.accept(","):
                raise self.error("the last level has no threshold above it", fix=usage, column=self.token.column)
        if len(levels) < 2 or self.token.text == ",":
            raise self.error(
                "each level but the last has the threshold between it and the next", fix=usage, column=self.token.column
            )
        self.expect(")")
        return Draw(family, tuple(parameters), tuple(levels))

    def level(self, problem: str, usage: str, *, known: Sequence[str] = ()) -> str:
        token = self.advance()
        if token.kind != "level" or token.text[1:-1] in known:
            raise self.error(problem, fix=usage, column=token.column)
        return token.text[1:-1]

    def cases(self, token: _Token) -> Expression:
        usage = 'cases(sex, stage; "female", "mild": 0.3, …)'
        names: list[Name] = []
        rows: dict[tuple[str, ...], float] = {}
        while not names or self.accept(","):
            name = self.expression(0)
            if not isinstance(name, Name):
                raise self.error("cases() takes names, ;, and a number for each combination of levels", fix=usage)
            names.append(name)
        self.expect(";")
        while not rows or self.accept(","):
            row = [self.level("a row of cases() begins with levels", usage)]
            while self.accept(","):
                row.append(self.level("a row of cases() begins with levels", usage))
            self.expect(":")
            if len(row) != len(names) or tuple(row) in rows:
                raise self.error("each row of cases() has one level of each name, once", fix=usage, column=token.column)
            rows[tuple(row)] = self.constant("cases", usage)
        self.expect(")")
        return Cases(tuple(names), tuple(rows.items()))

    def table(self, token: _Token) -> Expression:
        argument = self.expression(0)
        self.expect(";")
        points: list[tuple[float, float]] = []
        while True:
            x = self.constant("table", "table(x; 50: 1, 60: 2)")
            self.expect(":")
            points.append((x, self.constant("table", "table(x; 50: 1, 60: 2)")))
            if not self.accept(","):
                break
        self.expect(")")
        if any(a[0] >= b[0] for a, b in itertools.pairwise(points)):
            raise self.error(
                "the points of table() must be in increasing order", fix="table(x; 50: 1, 60: 2)", column=token.column
            )
        return Table(argument, tuple(points))

    def constant(self, function: str, usage: str) -> float:
        value = self.expression(PRECEDENCE["negate"])
        if not isinstance(value, Number):
            raise self.error(f"{function}() takes numbers only", fix=usage)
        return value.value
