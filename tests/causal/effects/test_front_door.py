"""The front door: whether it is one, and what it gives, against exact truths."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import binom, norm

from nosograph.causal.effects.design import Array
from nosograph.causal.effects.dowhy import two_stage_regression
from nosograph.causal.effects.estimate import Estimate
from nosograph.causal.effects.examine import examine, identify
from nosograph.causal.effects.front_door import FrontDoor, estimate_front_door, find_front_door, find_gap
from nosograph.causal.effects.identify import identify_effect
from nosograph.causal.model.model import Effect, Model

from .effects_models import EVERY, make_model, make_variable

SIGMAS = 5  # a right estimate is farther off than this once in two million


def find(arrows: str, *, recorded: str, covariates: str = "") -> FrontDoor | None:
    graph: nx.DiGraph[Any] = nx.DiGraph([(pair[0], pair[1]) for pair in arrows.split()])
    return find_front_door(graph, "x", "y", recorded=list(recorded), covariates=list(covariates))


def test_what_is_a_front_door() -> None:
    assert find("ux uy xm my", recorded="m") == FrontDoor(("m",), ())
    assert find("ux uy xm my xy", recorded="m") is None  # an arrow past the mediator
    assert find("ux uy xm my um", recorded="m") is None  # the hidden cause acts on the mediator
    assert find("ux uy xm my cx cm cy", recorded="m", covariates="c") == FrontDoor(("m",), ("c",))
    assert find("ux uy xm xn my ny", recorded="mn") == FrontDoor(("m", "n"), ())  # two ways, and both are recorded
    assert find("ux uy xm xn my ny", recorded="m") is None
    assert find("ux uy xa ab by vb vy", recorded="ab") == FrontDoor(("a",), ())
    assert find("ux uy xa ab by va vy", recorded="ab") is None  # a functional, but no front door
    assert find("ux uy xa ab by va vy wb wx", recorded="ab") is None


def draw_nonlinear(rows: int, seed: int) -> tuple[pd.DataFrame, float]:
    """The mediator and the hidden cause multiply: a product of two regressions is wrong. The true effect by
    quadrature."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=rows)
    cause = (random.uniform(size=rows) < expit(2 * hidden)).astype(float)
    chance = np.where(cause == 1, 0.95, 0.5)
    mediator = (random.uniform(size=rows) < chance).astype(float)
    outcome = mediator * np.exp(hidden) + hidden + random.normal(size=rows)
    truth = (0.95 - 0.5) * float(np.exp(0.5))
    return pd.DataFrame({"x": cause, "m": mediator, "y": outcome}), truth


def estimate(frame: pd.DataFrame, *, covariates: tuple[str, ...] = ()) -> Estimate:
    cause: Array = frame["x"].to_numpy()
    cells: Array = frame["m"].to_numpy()
    assert not find_gap(cause, cells, (1.0, 0.0))
    design: Array = np.ones((len(frame), 1))
    if covariates:
        design = np.column_stack([design, *(frame[name] for name in covariates)])
    found, reason = estimate_front_door(frame["y"].to_numpy(), cause, cells, design, (1.0, 0.0))
    assert found is not None, reason
    return found


def off_by(found: Estimate, truth: float) -> float:
    return abs(found.estimate - truth) / found.standard_error


def test_the_front_door_is_right_where_two_regressions_are_not() -> None:
    frame, truth = draw_nonlinear(40_000, 1)
    assert off_by(estimate(frame), truth) < SIGMAS
    linear = two_stage_regression(frame, treatment="x", mediator="m", outcome="y")
    assert off_by(linear, truth) > 2 * SIGMAS
    naive = frame["y"][frame["x"] == 1].mean() - frame["y"][frame["x"] == 0].mean()
    assert naive - truth > 0.5


def test_where_effects_are_linear_dowhys_front_door_is_right_too() -> None:
    random = np.random.default_rng(2)
    hidden = random.normal(size=20_000)
    cause = (random.uniform(size=20_000) < expit(hidden)).astype(float)
    mediator = (random.uniform(size=20_000) < 0.2 + 0.6 * cause).astype(float)
    frame = pd.DataFrame({"x": cause, "m": mediator, "y": 2 * mediator + hidden + random.normal(size=20_000)})
    ours, linear = estimate(frame), two_stage_regression(frame, treatment="x", mediator="m", outcome="y")
    assert off_by(ours, 1.2) < SIGMAS
    # linear in the mediator, but not in the cause: the hidden cause is not a linear function of it
    assert off_by(linear, 1.2) < SIGMAS


def draw_covariate(rows: int, seed: int) -> tuple[pd.DataFrame, float]:
    """A covariate confounds cause, mediator and outcome, beside the hidden cause of cause and outcome."""
    random = np.random.default_rng(seed)
    covariate, hidden = random.normal(size=rows), random.normal(size=rows)
    cause = (random.uniform(size=rows) < expit(0.8 * hidden + 0.8 * covariate)).astype(float)
    mediator = (random.uniform(size=rows) < expit(-0.5 + 1.2 * cause + 0.7 * covariate)).astype(float)
    outcome = mediator * (1 + 0.5 * covariate) + covariate + hidden + random.normal(size=rows)
    grid = np.linspace(-9, 9, 20_001)
    gain = (expit(0.7 + 0.7 * grid) - expit(-0.5 + 0.7 * grid)) * (1 + 0.5 * grid)
    truth = float((gain * norm.pdf(grid)).sum() * (grid[1] - grid[0]))
    return pd.DataFrame({"c": covariate, "x": cause, "m": mediator, "y": outcome}), truth


def test_a_front_door_with_a_covariate() -> None:
    frame, truth = draw_covariate(40_000, 3)
    assert off_by(estimate(frame, covariates=("c",)), truth) < SIGMAS
    assert off_by(estimate(frame), truth) > 2 * SIGMAS


@pytest.mark.verification
@pytest.mark.parametrize("draw", [draw_nonlinear, draw_covariate])
def test_the_intervals_of_the_front_door_cover(draw: Any) -> None:
    """At a true coverage of 95%, the share of 200 samples that cover lies outside once in a thousand (binomial)."""
    covered = 0
    for seed in range(200):
        frame, truth = draw(1_500, seed)
        found = estimate(frame, covariates=("c",) if "c" in frame else ())
        covered += found.covers(truth)
    fewest, most = binom.ppf([0.0005, 0.9995], 200, 0.95)
    assert fewest <= covered <= most


def make_front_door(*, mediator: str = "Bernoulli(0.2 + 0.6 * smoking)") -> tuple[Model, Effect]:
    """Smoking acts on the lungs through tar; a hidden genotype acts on smoking and on the lungs (Pearl 1995)."""
    model = make_model(
        make_variable("genotype", "static", mechanism="Normal(0, 1)", recorded=False),
        make_variable("smoking", "static", mechanism="Bernoulli(expit(genotype))"),
        make_variable("tar", "static", mechanism=mediator),
        make_variable("lungs", "static", mechanism="Normal(tar * exp(0.5 * genotype) + genotype, 1)"),
    )
    return model, Effect("smoking", "lungs", 0, text="smoking -> lungs @ 0 months")


def draw_lungs(rows: int, seed: int, *, tar: bool = True) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    genotype = random.normal(size=rows)
    smoking = (random.uniform(size=rows) < expit(genotype)).astype(float)
    found = (random.uniform(size=rows) < 0.2 + 0.6 * smoking).astype(float)
    lungs = found * np.exp(0.5 * genotype) + genotype + random.normal(size=rows)
    frame = pd.DataFrame({"smoking": smoking, "tar": found, "lungs@0": lungs})
    return frame if tar else frame.drop(columns="tar")


def test_an_effect_with_a_front_door_is_examined_by_it() -> None:
    model, effect = make_front_door()
    found = identify_effect(model, effect)
    assert found.identifiable
    assert found.identified_by == "front door"
    assert [column.name for column in found.mediators] == ["tar"]
    truth = 0.6 * float(np.exp(0.125))
    examined = examine(model, effect, draw_lungs(20_000, 4), truth=truth)
    assert examined.recovered
    assert examined.naive_misses
    assert [estimate.method for estimate in examined.estimates] == [
        "two-stage regression (DoWhy)",
        "front door, weighted and modelled",
    ]
    document = examined.as_json()
    assert document["identified_by"] == "front door"
    assert document["mediators"] == ["tar"]
    bare = examine(model, effect, draw_lungs(20_000, 4, tar=False), truth=truth)
    assert bare.recovered is None
    assert bare.reason == "identifiable by front door, through tar; the frame lacks tar"


def test_a_mediator_of_many_values_has_no_estimate_and_says_so() -> None:
    model, effect = make_front_door(mediator="Normal(smoking, 1)")
    frame = draw_lungs(2_000, 5).assign(tar=np.random.default_rng(6).normal(size=2_000))
    examined = examine(model, effect, frame, truth=0.0)
    assert examined.identifiable
    assert examined.recovered is None
    assert examined.estimates == ()
    assert "no estimator here" in examined.reason


def test_the_napkin_is_identifiable_by_a_functional_without_an_estimate() -> None:
    model = make_model(
        make_variable("u", "static", mechanism="Normal(0, 1)", recorded=False),
        make_variable("v", "static", mechanism="Normal(0, 1)", recorded=False),
        make_variable("w", "static", mechanism="Bernoulli(expit(u + v))"),
        make_variable("r", "static", mechanism="Bernoulli(expit(w))"),
        make_variable("x", "static", mechanism="Bernoulli(expit(r + u))"),
        make_variable("y", "static", mechanism="Bernoulli(expit(x + v))"),
    )
    effect = Effect("x", "y", 0)
    found = identify_effect(model, effect)
    assert found.identified_by == "functional"
    assert found.functional == (
        "[Σ_{w} P(w) P(x | w, r) P(y@0 | w, r, x)] / [Σ_{y@0'} Σ_{w} P(w) P(x | w, r) P(y@0' | w, r, x)]"
    )
    frame = pd.DataFrame(
        np.random.default_rng(7).integers(0, 2, (500, 4)).astype(float), columns=["w", "r", "x", "y@0"]
    )
    examined = examine(model, effect, frame, truth=0.1)
    assert examined.recovered is None
    assert examined.reason == f"identifiable by a functional, {found.functional}; no estimator here"


def test_a_bow_has_a_hedge() -> None:
    model = make_model(
        make_variable("u", "static", mechanism="Normal(0, 1)", recorded=False),
        make_variable("x", "static", mechanism="Bernoulli(expit(u))"),
        make_variable("y", "static", mechanism="Normal(x + u, 1)"),
    )
    found = identify(model, Effect("x", "y", 0))
    assert not found.identifiable
    assert found.hedge == ("x", "y@0")
    assert found.reason == "not identifiable: x <- u (not recorded) -> y"


def test_a_mediator_that_is_measured_later_and_one_that_is_an_event() -> None:
    def build(*, through: str) -> tuple[Model, Effect]:
        model = make_model(
            make_variable("u", "static", mechanism="Normal(0, 1)", recorded=False),
            make_variable("drug", "treatment", start="Bernoulli(expit(u))"),
            make_variable("rash", "event", mechanism="Hazard(exp(drug[-1]))"),
            make_variable("hidden", "state", mechanism="Normal(drug, 1)"),
            make_variable("score", "measurement", when=EVERY, mechanism=f"Normal({through} + u, 1)"),
        )
        return model, Effect("drug", "score", 2)

    found = identify(*build(through="ever(rash)"))
    assert found.identified_by == "front door"
    assert [column.name for column in found.mediators] == ["rash@1"]
    # the drug's later values are only carried forward: they are no mediator
    assert not identify(*build(through="hidden")).identifiable
