"""The mechanism language: text and tree say the same, precedence is Python's, and nothing in a text can do harm."""

from __future__ import annotations

import ast
import itertools
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nosograph.causal.families import FAMILIES
from nosograph.causal.language import Read, parse_expression, parse_mechanism, reads
from nosograph.causal.language.bounds import bound
from nosograph.causal.language.syntax import (
    FUNCTIONS,
    PAST_FUNCTIONS,
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
from nosograph.errors import NosographError

OPERATORS = ["+", "-", "*", "/", "**", "==", "!=", "<", "<=", ">", ">=", "and", "or"]
names = st.sampled_from(["x", "age", "cdr_sb", "t", "dt", "negate", "e1", "Normally"])
numbers = st.floats(allow_nan=False, allow_infinity=False).map(Number)
variables = st.builds(Name, st.sampled_from(["x", "age", "negate"]), st.integers(0, 12))
leaves = st.one_of(
    numbers,
    names.map(Name),
    variables,
    st.text(st.characters(blacklist_characters='"\\\n', blacklist_categories=("Cs",)), max_size=8).map(Level),
    st.builds(Past, st.sampled_from(PAST_FUNCTIONS), st.sampled_from(["x", "e1"]), st.integers(0, 3)),
)


def negate(operand: Expression) -> Expression:
    """As the parser has it: a number's sign is part of the number."""
    return Number(-operand.value) if isinstance(operand, Number) else Unary("negate", operand)


def call(function: str, arguments: list[Expression]) -> Expression:
    count = FUNCTIONS[function] or max(2, len(arguments))
    return Call(function, tuple((arguments * 3)[:count]))


def tabulate(of: list[Name], numbers: list[float]) -> Cases:
    return Cases(tuple(of), tuple((tuple(f"{k}" for _ in of), number) for k, number in enumerate(numbers)))


def grow(children: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    points = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=4, unique=True).map(sorted)
    return st.one_of(
        st.builds(negate, children),
        st.builds(lambda operand: Unary("not", operand), children),
        st.builds(Binary, st.sampled_from(OPERATORS), children, children),
        st.builds(call, st.sampled_from(sorted(FUNCTIONS)), st.lists(children, min_size=3, max_size=3)),
        st.builds(lambda x, xs: Table(x, tuple((p, -p) for p in xs)), children, points),
        st.builds(tabulate, st.lists(variables, min_size=1, max_size=3), points),
    )


trees = st.recursive(leaves, grow, max_leaves=25)


@given(trees)
def test_text_of_a_tree_parses_to_that_tree(tree: Expression) -> None:
    assert parse_expression(str(tree)) == tree


@given(
    st.sampled_from([name for name, family in FAMILIES.items() if not family.has_levels]),
    st.lists(trees, min_size=3, max_size=3),
)
def test_text_of_a_distribution_parses_to_it(family: str, parameters: list[Expression]) -> None:
    draw = Draw(family, tuple(parameters[: len(FAMILIES[family].parameters)]))
    wrapped = Call("round", (Call("clip", (draw, Number(0.0), Number(1.0))),))
    assert parse_mechanism(str(draw)) == draw
    assert parse_mechanism(str(wrapped)) == wrapped


@given(st.lists(trees, min_size=4, max_size=4))
def test_text_of_levels_parses_to_them(parts: list[Expression]) -> None:
    for family in (name for name, own in FAMILIES.items() if own.has_levels):
        draw = Draw(family, tuple(parts), ("I", "II", "very high", "IV"))
        assert parse_mechanism(str(draw)) == draw


def test_a_negative_base_keeps_its_parentheses() -> None:
    tree = parse_expression("(-2) ** 2")
    assert tree == Binary("**", Number(-2.0), Number(2.0))
    assert parse_expression(str(tree)) == tree
    assert parse_expression("-2 ** 2") == Unary("negate", Binary("**", Number(2.0), Number(2.0)))


def as_python(node: ast.AST) -> Expression:
    """Python's own parser, turned into our tree: an independent judge of precedence and grouping."""
    symbols = {
        ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.Eq: "==", ast.NotEq: "!=",
        ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.And: "and", ast.Or: "or",
    }  # fmt: skip
    match node:
        case ast.Expression(body):
            return as_python(body)
        case ast.Constant(value):
            return Number(float(value))
        case ast.Name(name):
            return Name(name)
        case ast.UnaryOp(ast.USub(), operand):
            return negate(as_python(operand))
        case ast.UnaryOp(ast.Not(), operand):
            return Unary("not", as_python(operand))
        case ast.BinOp(left, operator, right):
            return Binary(symbols[type(operator)], as_python(left), as_python(right))
        case ast.BoolOp(operator, values):
            tree = as_python(values[0])
            for value in values[1:]:
                tree = Binary(symbols[type(operator)], tree, as_python(value))
            return tree
        case ast.Compare(left, operators, comparators):
            sides = [as_python(left), *map(as_python, comparators)]
            links = [Binary(symbols[type(o)], a, b) for o, a, b in zip(operators, sides, sides[1:], strict=False)]
            tree = links[0]
            for link in links[1:]:
                tree = Binary("and", tree, link)
            return tree
    raise AssertionError(ast.dump(node))


@given(st.lists(st.tuples(st.sampled_from(["", "-", "- -"]), st.sampled_from("abc12"), st.sampled_from(OPERATORS)),
                min_size=1, max_size=9))  # fmt: skip
def test_precedence_grouping_and_chains_are_pythons(parts: list[tuple[str, str, str]]) -> None:
    text = " ".join(f"{sign}{operand} {operator}" for sign, operand, operator in parts) + " z"
    assert parse_expression(text) == as_python(ast.parse(text, mode="eval"))


def test_not_binds_as_in_python() -> None:
    for text in ("not a == b", "not a < b < c", "not a and b", "not not a", "a and not b or c"):
        assert parse_expression(text) == as_python(ast.parse(text, mode="eval")), text


def test_chained_comparison_means_both() -> None:
    assert parse_expression("50 <= age < 90") == parse_expression("50 <= age and age < 90")


def test_what_is_read() -> None:
    tree = parse_mechanism("Normal(x[-2] + since(e) + 3 * p, where(recorded(m[-1]), t, dt))")
    assert reads(tree) == {
        Read("x", 2), Read("e", 0, "since"), Read("p", 0), Read("m", 1, "recorded"), Read("t", 0), Read("dt", 0),
    }  # fmt: skip


HARMFUL = {
    "dunder": "__import__('os')",
    "dunder call": "__import__(os)",
    "dunder name": "x + __class__",
    "open": "open('/etc/passwd')",
    "open without quotes": "open(x)",
    "eval": "eval(x)",
    "exec": 'exec("x")',
    "attribute": "x.real",
    "attribute of a literal": "().__class__.__bases__",
    "index": "x[0]",
    "future": "x[1]",
    "slice": "x[-1:]",
    "expression as a lag": "x[-y]",
    "lambda": "lambda: 1",
    "walrus": "(x := 1)",
    "comprehension": "[x for x in y]",
    "string formatting": "f'{x}'",
    "semicolon": "x; y",
    "assignment": "x = 1",
    "backslash": "x \\ y",
    "comment": "x # y",
    "infinity": "1e999",
    "long infinity": "9" * 500,
    "empty": "",
    "blank": " \t\n",
    "nul": "x\x00",
    "mathematical letters": "\U0001d431 + 1",
    "cyrillic": "\u0445 + 1",
    "right to left": "a\u202eb",
    "zero width": "a\u200bb",
    "surrogate": "\ud800",
    "unicode minus": "1 \u2212 2",
    "million parentheses": "(" * 10**6 + "1" + ")" * 10**6,
    "million open": "(" * 10**6,
    "million terms": "1" + "+1" * 10**6,
    "million signs": "-" * 10**6 + "1",
    "nine thousand parentheses": "(" * 9_000 + "1" + ")" * 9_000,
    "nine thousand terms": "1" + "+1" * 9_000,
    "nine thousand powers": "2" + "**2" * 6_000,
    "nots": "not " * 4_000 + "1",
    "calls": "exp(" * 4_000 + "1" + ")" * 4_000,
    "comparisons": "1" + "<1" * 9_000,
    "unclosed calls": "where(" * 3_000,
    "two distributions": "Normal(Normal(0, 1), 1)",
    "distribution inside": "1 + Normal(0, 1)",
    "distribution as a bound": "clip(0, Normal(0, 1), 1)",
    "wrong count": "exp(1, 2)",
    "no arguments": "exp()",
    "falling table": "table(x; 2: 1, 1: 2)",
    "table of names": "table(x; 1: y)",
    "repeated level": 'Categorical("a": 1, "a": 2)',
    "unknown function": "sin(x)",
    "function without arguments": "exp + 1",
}  # fmt: skip


@pytest.mark.parametrize("text", HARMFUL.values(), ids=HARMFUL.keys())
def test_harm_is_refused_quickly_and_in_our_words(text: str) -> None:
    with pytest.raises(NosographError) as caught:
        parse_mechanism(text)
    assert len(str(caught.value)) < 2_000


@given(st.text(max_size=60) | st.text("()[]+-*/<>=!,;:\"' xe1.", max_size=60))
def test_any_text_at_all_is_a_tree_or_our_error(text: str) -> None:
    try:
        tree = parse_mechanism(text)
    except NosographError:
        return
    assert parse_mechanism(str(tree)) == tree


@pytest.mark.parametrize("text", ["\u0663 + 1", "\uff11", "x[-\u0663]", "x[-" + "9" * 5_000 + "]", "1" * 19_000])
def test_digits_are_ascii_and_few(text: str) -> None:
    with pytest.raises(NosographError) as caught:
        parse_mechanism(text)
    assert len(str(caught.value)) < 2_000


def test_errors_say_where_and_what_instead() -> None:
    with pytest.raises(NosographError) as caught:
        parse_mechanism("2 * epx(x)")
    assert "column 5" in str(caught.value)
    assert "exp" in str(caught.value)


known = {"x": (-2.0, 3.0), "p": (0.1, 0.9), "b": (0.0, 1.0)}
inner = st.recursive(
    st.one_of(st.floats(-3, 3).map(lambda v: Number(round(v, 2))), st.sampled_from("xpb").map(Name)),
    grow,
    max_leaves=12,
)


@given(inner, st.floats(-2, 3), st.floats(0.1, 0.9), st.booleans())
def test_bounds_hold_what_a_plain_evaluator_finds(tree: Expression, x: float, p: float, b: bool) -> None:
    low, high = bound(tree, known=known)
    value = evaluate_plainly(tree, {"x": x, "p": p, "b": float(b)})
    if value is not None:
        slack = 1e-9 * max(1.0, abs(value))
        assert low - slack <= value <= high + slack


def test_bounds_of_clip_follow_its_own_bounds() -> None:
    assert bound(parse_expression("clip(0, 0, -x)"), known=known)[0] <= -3
    assert bound(parse_expression("clip(0, x, 5)"), known=known)[1] >= 3


def evaluate_plainly(tree: Expression, values: dict[str, float]) -> float | None:
    """The value by Python's own arithmetic, or None where there is none (NaN, or an overflow on the way)."""

    def of(node: Expression) -> float:
        match node:
            case Number(value):
                return value
            case Name(name, _):
                return values[name]
            case Unary("negate", operand):
                return -of(operand)
            case Unary(_, operand):
                return float(not of(operand))
            case Table(argument, points):
                return interpolate(of(argument), points)
            case Cases(_, rows):
                return rows[int(values["p"] * len(rows))][1]
            case Binary(operator, left, right):
                return finite(operate(operator, of(left), of(right)))
            case Call(function, arguments):
                return finite(apply(function, [of(argument) for argument in arguments]))
        raise AssertionError(node)

    try:
        return of(tree)
    except (ValueError, OverflowError, ZeroDivisionError):
        return None


def finite(value: float | complex) -> float:
    if isinstance(value, complex) or not math.isfinite(value):
        raise ValueError
    return float(value)


def operate(operator: str, a: float, b: float) -> float | complex:
    return {
        "+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b, "**": lambda: a**b,
        "==": lambda: a == b, "!=": lambda: a != b, "<": lambda: a < b, "<=": lambda: a <= b,
        ">": lambda: a > b, ">=": lambda: a >= b, "and": lambda: bool(a) and bool(b), "or": lambda: bool(a) or bool(b),
    }[operator]()  # fmt: skip


def apply(function: str, a: list[float]) -> float:
    return {
        "exp": lambda: math.exp(a[0]), "log": lambda: math.log(a[0]), "sqrt": lambda: math.sqrt(a[0]),
        "abs": lambda: abs(a[0]), "floor": lambda: math.floor(a[0]), "round": lambda: round(a[0]),
        "tanh": lambda: math.tanh(a[0]),
        "expit": lambda: 1 / (1 + math.exp(-a[0])) if a[0] > 0 else math.exp(a[0]) / (1 + math.exp(a[0])),
        "logit": lambda: math.log(a[0]) - math.log1p(-a[0]),
        "probit": lambda: -math.inf if a[0] <= 0 else math.inf if a[0] >= 1 else statistics.NormalDist().inv_cdf(a[0]),
        "min": lambda: min(a), "max": lambda: max(a), "clip": lambda: min(max(a[0], a[1]), a[2]),
        "where": lambda: a[1] if a[0] else a[2],
    }[function]()  # fmt: skip


def interpolate(x: float, points: tuple[tuple[float, float], ...]) -> float:
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]
