"""One meaning on floats and on tensors: a formula's value, a mechanism's on numbers, and a mechanism's on tensors."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from nosograph.causal.language import parse_expression
from nosograph.causal.language.evaluate import CONDITIONS
from nosograph.causal.language.floats import FLOATS
from nosograph.causal.language.syntax import (
    FORMULA_FUNCTIONS,
    FUNCTIONS,
    Binary,
    Call,
    Expression,
    Name,
    Table,
    Unary,
)
from nosograph.causal.model.formula import evaluate_formula
from nosograph.causal.program.expressions import StepState, compile_expression
from nosograph.causal.program.tensors import TENSORS, Value

from .test_language import OPERATORS, call, negate

JUMPS = {"==", "!=", "<", "<=", ">", ">=", "and", "or", "not"}
EXACT = ["+", "-", "*", *sorted(JUMPS - {"not"})]  # float32 rounds nothing of small halves and whole numbers
EXACT_FUNCTIONS = ["abs", "clip", "floor", "max", "min", "round", "where"]
SPECIAL = [math.nan, math.inf, -math.inf, 0.0, 0.5, 1.0, -1.0, 2.0]


def grow(operators: list[str], functions: list[str], tables: bool) -> st.SearchStrategy[Expression]:
    """Trees over the names a, b and c."""

    def extend(children: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        points = st.lists(st.integers(-5, 5), min_size=1, max_size=4, unique=True).map(sorted)
        made = [
            st.builds(negate, children),
            st.builds(lambda operand: Unary("not", operand), children),
            st.builds(Binary, st.sampled_from(operators), children, children),
            st.builds(call, st.sampled_from(functions), st.lists(children, min_size=3, max_size=3)),
            st.builds(lambda x, xs: Table(x, tuple((float(p), p * p - 3.0) for p in xs)), children, points),
        ]
        return st.one_of(made if tables else made[:-1])

    return st.recursive(st.sampled_from("abc").map(Name), extend, max_leaves=8)


def on_tensors(tree: Expression, values: Mapping[str, Value]) -> float:
    evaluate = compile_expression(tree, constant=frozenset(), levels={})
    return float(evaluate(StepState(time=0.0, dt=1.0, parameters=values, now={}, history=[])))


def is_truth(node: Expression) -> bool:
    return isinstance(node, Unary | Binary) and node.operator in JUMPS


def agree(tree: Expression, found: list[float]) -> bool:
    """Exactly in truth values; else as far as float32 goes, which knows no number beyond 3.4e38."""
    with np.errstate(over="ignore"):
        first, *others = np.array(found).astype(np.float32)
    if is_truth(tree):
        return first in (0, 1) and all(other == first for other in others)
    return bool(np.isclose(others, first, rtol=1e-4, atol=1e-5, equal_nan=True).all())


def check_each(node: Expression, values: Mapping[str, float], tensors: int) -> float:
    """The value of a node, once every operation in it has been found to agree on the same operands: what float32
    rounds in one must not decide a comparison in the next. `tensors` says by its bits which operands are tensors."""
    if isinstance(node, Name):
        return values[node.name]
    operands: dict[str, float] = {}
    held: dict[str, Value] = {}
    for index, child in enumerate(node.children):
        with np.errstate(over="ignore"):
            value = float(np.float32(check_each(child, values, tensors >> 1)))
        value = value if not abs(value) < 1e-30 else 0.0  # neither what float32 cannot hold, nor the sign of a zero
        kind = torch.bool if is_truth(child) else torch.float32
        operands[f"x{index}"] = value
        held[f"x{index}"] = torch.tensor([[value]], dtype=kind)
    names = tuple(map(Name, operands))
    match node:
        case Unary(operator, _):
            flat: Expression = Unary(operator, names[0])
        case Binary(operator, _, _):
            flat = Binary(operator, names[0], names[1])
        case Call(function, _):
            flat = Call(function, names)
        case _:
            flat = dataclasses.replace(node, argument=names[0])  # type: ignore[call-arg]
    mixed = {name: held[name] if tensors >> i & 1 else operands[name] for i, name in enumerate(operands)}
    found = [evaluate_formula(flat, operands), *(on_tensors(flat, given) for given in (operands, held, mixed))]
    assert agree(node, found), (str(flat), operands, found)
    return found[0]


numbers = st.one_of(st.sampled_from(SPECIAL), st.floats(-4, 4, width=32), st.floats(width=32))
functions = sorted(FUNCTIONS)


@given(grow(OPERATORS, functions, tables=True), st.tuples(numbers, numbers, numbers), st.integers(0, 63))
@example(parse_expression("where(log(a) and b, a, c)"), (-1.0, 1.0, 20.0), 0)
@example(parse_expression("where(not log(a), a, c)"), (-1.0, 1.0, 20.0), 0)
@example(parse_expression("a ** b"), (1.0, math.nan, 0.0), 0)
@example(parse_expression("a ** b"), (-math.inf, 0.5, 0.0), 3)
@example(parse_expression("a / b"), (math.nan, 0.0, 0.0), 0)
@example(parse_expression("min(a, b) + max(b, a) + clip(b, a, c)"), (1.0, math.nan, 2.0), 0)
def test_every_operation_agrees(tree: Expression, values: tuple[float, float, float], tensors: int) -> None:
    check_each(tree, dict(zip("abc", values, strict=True)), tensors)


small = st.sampled_from([*SPECIAL, -2.0, 3.0, -0.5])


@given(grow(EXACT, EXACT_FUNCTIONS, tables=False), st.tuples(small, small, small))
def test_whole_expressions_agree_exactly_where_nothing_is_rounded(
    tree: Expression, values: tuple[float, float, float]
) -> None:
    floats = dict(zip("abc", values, strict=True))
    tensors = {name: torch.tensor([[value]]) for name, value in floats.items()}
    found = [evaluate_formula(tree, floats), on_tensors(tree, floats), on_tensors(tree, tensors)]
    assert all(value == found[0] or (math.isnan(value) and math.isnan(found[0])) for value in found), found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("where(log(a) and 1, 10, 20)", 20),
        ("where(log(a) or 0, 10, 20)", 20),
        ("where(log(a), 10, 20)", 20),
        ("not log(a)", 1),
        ("not (log(a) and log(a))", 1),
        ("log(a) == log(a)", 0),
        ("log(a) != 1", 0),
    ],
)
def test_what_is_not_known_is_not_true(text: str, expected: float) -> None:
    tree = parse_expression(text)
    assert evaluate_formula(tree, {"a": -1.0}) == expected
    assert on_tensors(tree, {"a": -1.0}) == expected
    assert on_tensors(tree, {"a": torch.tensor([[-1.0]])}) == expected


def test_both_tables_hold_the_whole_language() -> None:
    language = {*OPERATORS, "negate", "not", *FUNCTIONS}
    assert set(TENSORS.operations) == language
    assert set(FLOATS.operations) == language | set(FORMULA_FUNCTIONS)
    assert set(CONDITIONS) <= language
