"""Probabilities of causation and principal strata: by enumeration, and their bounds against a linear program."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linprog

from nosograph.causal.model.model import Model
from nosograph.errors import NosographError
from nosograph.simulate.questions.ask import ask
from nosograph.simulate.questions.measures.causation import _Causation

MakeModel = Callable[..., Model]
CELLS = list(product((0, 1), repeat=3))  # natural level, outcome with it, outcome without it


@pytest.fixture(scope="module")
def monotone(make_model: MakeModel) -> Model:
    """One uniform decides in both worlds; u confounds."""
    return make_model(
        {
            "u": {"kind": "static", "recorded": False, "mechanism": "Bernoulli(0.3)"},
            "x": {"kind": "treatment", "start": "Bernoulli(0.2 + 0.5 * u)", "mechanism": "x[-1]"},
            "y": {"kind": "event", "mechanism": "Bernoulli(where(t < 1.5 * dt, 0.1 + 0.3 * u + 0.4 * x[-1], 0))"},
        },
        steps=3,
    )


def enumerate_monotone() -> dict[str, float]:
    """(PN, PS, PNS) of the model above: under one uniform, Y(1) without Y(0) has probability 0.4 for everybody."""
    exposed = {u: weight * (0.2 + 0.5 * u) for u, weight in ((0, 0.7), (1, 0.3))}
    spared = {u: weight * (0.8 - 0.5 * u) for u, weight in ((0, 0.7), (1, 0.3))}
    necessity = 0.4 * sum(exposed.values()) / sum(w * (0.5 + 0.3 * u) for u, w in exposed.items())
    sufficiency = 0.4 * sum(spared.values()) / sum(w * (0.9 - 0.3 * u) for u, w in spared.items())
    return {"necessity": necessity, "sufficiency": sufficiency, "both": 0.4}


@pytest.mark.parametrize("measure", ["necessity", "sufficiency", "both"])
def test_probabilities_of_causation_by_enumeration(monotone: Model, measure: str) -> None:
    found = ask(monotone, "x -> y @ 2 months", measure=measure, patients=20_000)
    truth = enumerate_monotone()[measure]
    assert abs(found.value - truth) < 5 * math.sqrt(truth * (1 - truth) / found.details["patients"])
    low, high = found.details["bounds"]
    assert low - 1e-9 <= found.value <= high + 1e-9
    assert found.value == pytest.approx(low, abs=1e-9), "where the cause only ever adds, the lower bound is the value"
    assert high > low + 0.01
    assert "No data can test" in found.note


def test_where_the_cause_helps_some_and_harms_others(make_model: MakeModel) -> None:
    model = make_model(
        {
            "kind": {"kind": "static", "recorded": False, "mechanism": "Bernoulli(0.6)"},
            "x": {"kind": "treatment", "start": "Bernoulli(0.25 + 0.5 * kind)", "mechanism": "x[-1]"},
            "y": {"kind": "event", "mechanism": "x[-1] == kind"},
        }
    )
    found = {
        m: ask(model, "x -> y @ 1 month", measure=m, patients=20_000) for m in ("necessity", "sufficiency", "both")
    }
    assert found["necessity"].value == 1  # who had both is of the kind that needs it
    assert found["sufficiency"].value == 1  # who had neither, too
    assert abs(found["both"].value - 0.6) < 5 * math.sqrt(0.24 / 20_000)
    for answer in found.values():
        low, high = answer.details["bounds"]
        assert low - 1e-9 <= answer.value <= high + 1e-9
    low, high = found["both"].details["bounds"]
    assert low == pytest.approx(0.35, abs=0.03)  # P(y) - P(y without) = 0.75 - 0.4
    assert high == pytest.approx(0.6, abs=0.03)
    shares = ask(model, "x -> y @ 1 month", measure="strata", patients=20_000)
    assert list(shares.value.values()) == [0, pytest.approx(0.4, abs=0.02), pytest.approx(0.6, abs=0.02), 0]


@pytest.mark.parametrize("seed", range(8))
def test_bounds_are_the_sharpest_that_any_coupling_allows(seed: int) -> None:
    """A linear program over all joint distributions that agree with both experiments and with observation."""
    generator = np.random.default_rng(seed)
    counts = generator.multinomial(3_000, generator.dirichlet(np.full(8, 0.7))) + 1
    x, first, second = (np.repeat(np.array([cell[i] for cell in CELLS]), counts) == 1 for i in range(3))
    found = _Causation(x, ~x, np.where(x, first, second), first, second)
    weights = counts / counts.sum()
    cells = np.array(CELLS)
    natural, with_it, without = cells.T == 1
    happened = np.where(natural, with_it, without)
    rows = np.array(
        [natural & happened, natural & ~happened, ~natural & happened, ~natural & ~happened, with_it, without], float
    )
    questions = {
        "necessity": (natural & with_it & ~without, (natural & happened) @ weights, found.bound_necessity()),
        "sufficiency": (~natural & ~without & with_it, (~natural & ~happened) @ weights, found.bound_sufficiency()),
        "both": (with_it & ~without, 1.0, found.bound_both()),
    }
    for name, (target, share, bounds) in questions.items():
        for sign, bound in zip((1, -1), bounds, strict=True):
            solved = linprog(sign * target.astype(float), A_eq=rows, b_eq=rows @ weights, bounds=(0, 1))
            assert solved.success
            assert sign * solved.fun / share == pytest.approx(bound, abs=1e-7), (name, sign)


def test_no_bounds_where_a_third_level_is_natural(make_model: MakeModel) -> None:
    model = make_model(
        {
            "x": {"kind": "treatment", "start": "Binomial(2, 0.5)", "mechanism": "x[-1]"},
            "y": {"kind": "event", "mechanism": "Hazard(0.5 + x[-1])"},
        }
    )
    found = ask(model, '{effect: "x -> y @ 6 months", contrast: [2, 0]}', measure="necessity", patients=2_000)
    assert found.details["bounds"] is None
    assert "neither level" in found.note


def test_strata_of_survival(make_model: MakeModel) -> None:
    """Those with z > 1 die of the treatment, those with z < -1 without it; the effect on y is z."""
    model = make_model(
        {
            "z": {"kind": "static", "mechanism": "Normal(0, 1)"},
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "y": {"kind": "state", "mechanism": "z * a"},
            "death": {
                "kind": "event",
                "ends": "journey",
                "mechanism": "(a[-1] > 0 and z > 1) or (a[-1] < 1 and z < -1)",
            },
            "fall": {"kind": "event", "mechanism": "a[-1] > 0 and z > 0"},
        }
    )
    found = ask(model, "a -> y @ 6 months", measure="strata", patients=20_000)
    tail = stats.norm.sf(1)
    shares = dict(zip(found.value, (1 - 2 * tail, tail, tail, 0), strict=True))
    assert list(shares) == [
        f"without death {who}" for who in ("in both", "only with a = 1", "only with a = 0", "in neither")
    ]
    for name, truth in shares.items():
        assert abs(found.value[name] - truth) <= 5 * math.sqrt(truth * (1 - truth) / 20_000), name
        assert found.interval[name][0] <= found.value[name] <= found.interval[name][1]
    assert set(found.details["effects"]) == {"without death in both"}
    assert found.details["effects"]["without death in both"] == pytest.approx(0, abs=5 * 0.54 / math.sqrt(13_000))
    low, high = found.details["bounds_of_both"]
    assert low <= found.value["without death in both"] <= high
    by_fall = ask(model, "a -> y @ 6 months", measure="strata", mediator="fall", patients=20_000)
    effects = by_fall.details["effects"]
    truncated = stats.truncnorm(-1, 0)
    error = truncated.std() / math.sqrt(0.34 * 20_000)
    assert abs(effects["without fall or death in both"] - truncated.mean()) < 5 * error


@pytest.mark.parametrize("measure", ["necessity", "sufficiency", "both", "risk"])
def test_what_does_not_happen_or_not_has_no_such_probability(make_model: MakeModel, measure: str) -> None:
    model = make_model(
        {
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "y": {"kind": "state", "mechanism": "Normal(a, 1)"},
            "fall": {"kind": "event", "mechanism": "Hazard(1)"},
        }
    )
    with pytest.raises(NosographError, match="fall"):
        ask(model, "a -> y @ 6 months", measure=measure, patients=100)


def test_strata_need_an_event(monotone: Model, make_model: MakeModel) -> None:
    endless = make_model(
        {
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "y": {"kind": "state", "mechanism": "Normal(a, 1)"},
        }
    )
    with pytest.raises(NosographError, match="no journey ends"):
        ask(endless, "a -> y @ 6 months", measure="strata", patients=100)
    for mediator in ("y", "nothing"):
        with pytest.raises(NosographError, match="none"):
            ask(endless, "a -> y @ 6 months", measure="strata", mediator=mediator, patients=100)


def test_who_is_discharged_has_not_died(make_model: MakeModel) -> None:
    """Two ends compete: the risk of death by T is d / (d + h) (1 - exp(-(d + h) T)), and survival is its complement."""
    model = make_model(
        {
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "death": {"kind": "event", "ends": "journey", "competes": "end", "mechanism": "Hazard(1 - 0.5 * a[-1])"},
            "home": {"kind": "event", "ends": "journey", "competes": "end", "mechanism": "Hazard(0.5 + a[-1])"},
        }
    )
    risks = [d / (d + h) * (1 - math.exp(-(d + h))) for d, h in ((0.5, 1.5), (1.0, 0.5))]
    survival = ask(model, "a -> death @ 12 months", measure="survival", patients=20_000)
    risk = ask(model, "a -> death @ 12 months", measure="risk", patients=20_000)
    for found, truth in ((survival, risks[1] - risks[0]), (risk, risks[0] - risks[1])):
        assert abs(found.value - truth) < 5 * found.details["standard_error"]
    assert survival.details["means"]["a = 1"] == pytest.approx(1 - risks[0], abs=0.02)
    shares = ask(model, "a -> death @ 12 months", measure="strata", patients=20_000)
    both = shares.value["without death in both"] + shares.value["without death only with a = 1"]
    assert both == pytest.approx(survival.details["means"]["a = 1"], abs=1e-12)
