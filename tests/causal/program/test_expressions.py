"""Expressions on tensors against plain Python arithmetic, and the same bits for a patient wherever it stands."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from nosograph.causal.language import Expression, parse_expression
from nosograph.causal.language.syntax import Binary, Call, Name, Table, Unary
from nosograph.causal.program.expressions import StepState, compile_expression

from ..language.test_language import evaluate_plainly, inner

EXACT = {"+", "-", "*", "negate", "min", "max", "clip", "abs"}  # rounded alike by torch and Python
BROKEN = {"==", "!=", "<", "<=", ">", ">=", "and", "or", "not", "floor", "round", "where"}


def make_state(now: dict[str, torch.Tensor], **keys: Any) -> StepState:
    return StepState(
        time=keys.pop("time", 0.5), dt=0.25, parameters={}, now=now, history=keys.pop("history", []), **keys
    )


def evaluate(
    text: str | Expression, state: StepState, levels: dict[str, tuple[str, ...]] | None = None
) -> torch.Tensor:
    tree = parse_expression(text) if isinstance(text, str) else text
    return torch.as_tensor(compile_expression(tree, constant=frozenset(), levels=levels or {})(state))


def operation(node: Expression) -> str:
    match node:
        case Binary(operator, _, _) | Unary(operator, _):
            return operator
        case Call(function, _):
            return function
        case Table():
            return "table"
    return "+"


def jumps_on_rounding(tree: Expression) -> bool:
    """Whether something that jumps stands on something that two libraries may round differently."""
    return any(
        operation(node) in BROKEN and any(operation(below) not in EXACT for below in _below(node))
        for node in tree.walk()
    )


def is_float32(node: Expression) -> bool:
    """What is rounded to float32 on the way whatever its arguments are: tables, and a choice between two constants."""
    chooses = isinstance(node, Call) and node.function == "where"
    return isinstance(node, Table) or (
        chooses and not any(isinstance(n, Name) for a in node.children[1:] for n in a.walk())
    )


def _below(node: Expression) -> list[Expression]:
    return [found for child in node.children for found in child.walk()]


@given(inner, st.lists(st.tuples(st.floats(-2, 3), st.floats(0.1, 0.9)), min_size=1, max_size=5))
def test_tensors_give_what_plain_arithmetic_gives(tree: Expression, rows: list[tuple[float, float]]) -> None:
    assume(not jumps_on_rounding(tree) and not any(map(is_float32, tree.walk())))
    columns = torch.tensor(rows, dtype=torch.float64).T
    state = make_state({"x": columns[0][None], "p": columns[1][None], "b": (columns[0] > 0)[None]})
    found = evaluate(tree, state).double().expand(1, len(rows))[0]
    for value, (x, p) in zip(found.tolist(), rows, strict=True):
        expected = evaluate_plainly(tree, {"x": x, "p": p, "b": float(x > 0)})
        if expected is not None:
            assert value == pytest.approx(expected, rel=1e-4, abs=1e-5)


@given(
    st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=6, unique=True).map(sorted),
    st.lists(st.floats(-100, 100, width=32), min_size=6, max_size=6),
    st.lists(st.floats(-150, 150, width=32), min_size=1, max_size=5),
)
def test_tables_are_numpys_interpolation(xs: list[float], ys: list[float], at: list[float]) -> None:
    assume(all(b - a > 0.01 for a, b in itertools.pairwise(xs)))
    points = ", ".join(f"{x!r}: {y!r}" for x, y in zip(xs, ys, strict=False))
    found = evaluate(f"table(x; {points})", make_state({"x": torch.tensor([at])}))
    expected = np.interp(at, xs, ys[: len(xs)])
    np.testing.assert_allclose(found[0].numpy(), expected, rtol=1e-5, atol=1e-2)


TRUTHS = torch.tensor([[True, False, True]])
NUMBERS = torch.tensor([[-1.5, 0.0, 2.5]])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-b", [-1, 0, -1]),
        ("-(x > 0)", [0, 0, -1]),
        ("b + b", [2, 0, 2]),
        ("b - 1", [0, -1, 0]),
        ("b * b", [1, 0, 1]),
        ("b / 2", [0.5, 0, 0.5]),
        ("abs(b)", [1, 0, 1]),
        ("2 ** b", [2, 1, 2]),
        ("b ** 2", [1, 0, 1]),
        ("exp(b)", [math.e, 1, math.e]),
        ("min(b, x)", [-1.5, 0, 1]),
        ("not x", [0, 1, 0]),
        ("x and b", [1, 0, 1]),
        ("round(x)", [-2, 0, 2]),
        ("round(x + 1)", [0, 1, 4]),
        ("floor(x)", [-2, 0, 2]),
        ("x ** 0", [1, 1, 1]),
        ("x ** 9", [(-1.5) ** 9, 0, 2.5**9]),
        ("x ** 10", [1.5**10, 0, 2.5**10]),
        ("x ** -1", [-1 / 1.5, math.inf, 0.4]),
        ("x ** (2 * b)", [2.25, 1, 6.25]),
        ("(-2) ** (x + 1.5)", [1, math.nan, 16]),
        ("x ** 0.5", [math.nan, 0, math.sqrt(2.5)]),
        ("x / 0", [-math.inf, math.nan, math.inf]),
        ("clip(x, 1, -1)", [-1, -1, -1]),
        ("table(x; 0: 1)", [1, 1, 1]),
        ("table(x; -1: 3, 1: 5, 2: 0)", [3, 4, 0]),
        ("table(0.5; 0: 0, 1: 3)", [1.5]),
        ("t + dt", [0.75]),
        ("0 / 0", [math.nan]),
        ("2 ** 5000", [math.inf]),
        ("(-8) ** 0.5", [math.nan]),
        ("0 ** -1", [math.inf]),
    ],
)  # fmt: skip
def test_corners(text: str, expected: list[float]) -> None:
    found = evaluate(text, make_state({"x": NUMBERS, "b": TRUTHS})).double().reshape(-1)
    torch.testing.assert_close(
        found.expand(len(expected)), torch.tensor(expected, dtype=torch.float64), equal_nan=True, rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">="])
def test_comparisons_with_what_has_no_value_are_false(operator: str) -> None:
    state = make_state({"x": torch.tensor([[math.nan]])})
    assert not evaluate(f"x {operator} 1", state)
    assert not evaluate(f"1 {operator} x", state)
    assert not evaluate(f"x {operator} x", state)


def test_levels_are_compared_by_name() -> None:
    state = make_state({"sex": torch.tensor([[0, 1, 2]], dtype=torch.int8)})
    levels = {"sex": ("female", "male", "other")}
    assert evaluate('sex == "male"', state, levels).tolist() == [[False, True, False]]
    assert evaluate('"male" != sex', state, levels).tolist() == [[True, False, True]]


def test_since_is_the_same_number_for_the_same_gap_at_any_date() -> None:
    """Dates that are no binary fractions: k / 12 - j / 12 in float32 differs in the last bit from place to place."""
    gaps = set()
    for step in range(3, 120):
        state = StepState(
            time=step * (1 / 12), dt=1 / 12, parameters={}, now={}, history=[],
            latest={"e": torch.tensor([[float(step - 3)]])},
        )  # fmt: skip
        gaps.add(float(evaluate("since(e)", state)))
        assert bool(evaluate("since(e) <= 0.25", state))
    assert gaps == {0.25}
    never = make_state({}, latest={"e": torch.tensor([[-math.inf]])})
    assert float(evaluate("since(e)", never)) == math.inf


FUNCTIONS = "exp(x) + log(abs(x)) + sqrt(abs(x)) + floor(x) + round(x) + tanh(x) + expit(x) + logit(expit(x) * 0.9)"
OTHERS = "min(x, y) + max(x, y, 0) + clip(x, y, 1) + where(x > y, x, y) + abs(x) ** 1.7 + x ** 3 + 2 ** x + x / y"


@pytest.mark.parametrize("size", [777, 131, 1])
def test_a_patient_has_the_same_bits_at_any_place(size: int) -> None:
    people = 20_000 if size > 1 else 200
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 1, people, generator=generator)
    text = f"{FUNCTIONS} + {OTHERS} + table(x; -1: 0, 0: 2, 1.5: -1)"
    whole = evaluate(text, make_state({"x": x, "y": y}))
    parts = [
        evaluate(text, make_state({"x": x[:, i : i + size].clone(), "y": y[:, i : i + size].clone()}))
        for i in range(0, people, size)
    ]
    assert torch.equal(whole, torch.cat(parts, 1))
    both = evaluate(text, make_state({"x": x.expand(3, people), "y": torch.stack([y[0], y[0] + 1, y[0]])}))
    assert torch.equal(both[:1], whole)
    assert torch.equal(both[2:], whole)
