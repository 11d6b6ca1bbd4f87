"""Which variables are 0 or 1: the notes and the phenotypes of a run ask the same question, and get the same answer."""

from __future__ import annotations

import pytest

from nosograph.causal.model.binary import is_binary
from nosograph.simulate.listing.phenotypes import is_present_or_absent
from tests.conftest import MakeModel

EXPRESSIONS = {
    "Bernoulli(0.3)": True, "x > 2": True, "x > 2 and not y": True, "where(x > 2, 1, 0)": True, "y": True,
    "where(x > 2, y, 0)": True, "max(y, 0)": True, "y * y": True, "round(y)": True, "clip(y, 0, 1)": True,
    "abs(y)": True, "floor(y)": True, "ever(e)": True,
    "x": False, "Normal(y, 1)": False, "y + y": False, "where(y, x, 0)": False, "2": False,
    "Binomial(2, 0.5)": False, "round(x)": False, "clip(y, 0, 2)": False, "since(e)": False, "1 - y": False,
}  # fmt: skip


@pytest.mark.parametrize(("mechanism", "binary"), EXPRESSIONS.items())
def test_binary_variables(make_model: MakeModel, mechanism: str, binary: bool) -> None:
    model = make_model(
        {
            "x": {"kind": "static", "mechanism": "Normal(0, 1)"},
            "y": {"kind": "static", "mechanism": "Bernoulli(0.5)"},
            "e": {"kind": "event", "mechanism": "Bernoulli(0.1)"},
            "z": {"kind": "state", "mechanism": mechanism},
        }
    )
    assert is_binary(model.variables["z"], model) is binary
    assert is_present_or_absent(model.variables["z"], model=model) is binary


def test_loops_are_followed_once(make_model: MakeModel) -> None:
    model = make_model(
        {
            "a": {"kind": "state", "start": "Bernoulli(0.5)", "mechanism": "max(a[-1], b[-1])"},
            "b": {"kind": "state", "start": "0", "mechanism": "where(a > 0, b[-1], 1)"},
            "c": {"kind": "state", "start": "0", "mechanism": "where(a > 0, d[-1], 1)"},
            "d": {"kind": "state", "start": "0", "mechanism": "c[-1] + 1"},
        }
    )
    assert [is_binary(model.variables[name], model) for name in "abcd"] == [True, True, False, False]
