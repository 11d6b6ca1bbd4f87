"""Estimators against closed forms, statsmodels and brute force; coverage in the verification tier."""

from __future__ import annotations

import dataclasses
import logging
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import binom, norm

from nosograph.causal.effects.columns import Column
from nosograph.causal.effects.design import basis, encode
from nosograph.causal.effects.dowhy import linear_regression, propensity_weighting, refute, robustness_value
from nosograph.causal.effects.estimate import (
    Estimate,
    augmented_weighting,
    cross_fitted_propensity,
    interacted_regression,
    naive_difference,
)
from nosograph.causal.effects.examine import DECIDING, Examination, examine, pass_level
from nosograph.causal.language import parse_mechanism

from .effects_models import make_trial, make_variable

TAU, GROWTH, SLOPE = -0.6, 0.4, 1.0  # the effect at severity 0, its change with severity, the severity's own effect


def draw_world(rows: int, seed: int, *, growth: float = GROWTH, indication: float = 1.2) -> pd.DataFrame:
    """Severity confounds; the effect grows with it. True average effect: TAU, severity being standard normal."""
    random = np.random.default_rng(seed)
    severity, age = random.normal(size=rows), random.normal(size=rows)
    drug = (random.uniform(size=rows) < expit(indication * severity - 0.3)).astype(float)
    outcome = drug * (TAU + growth * severity) + SLOPE * severity + 0.3 * age + random.normal(size=rows)
    return pd.DataFrame({"age": age, "score@0": severity, "drug@0": drug, "score@6": outcome})


def examine_world(frame: pd.DataFrame, truth: float | None = TAU, **more: float) -> Examination:
    model, effect = make_trial()
    return examine(model, effect, frame, truth=truth, seed=5, **more)


def by_method(examination: Examination) -> dict[str, Estimate]:
    return {estimate.method: estimate for estimate in examination.estimates}


def test_the_examination_recovers_the_effect_and_the_naive_bias_is_the_closed_form_one() -> None:
    frame = draw_world(20_000, 0)
    found = examine_world(frame)
    assert found.identifiable
    assert found.confounded
    assert found.recovered
    assert found.naive_misses
    assert found.reason == ""
    assert found.adjustment == ("age", "score@0")
    share = quad(lambda s: expit(1.2 * s - 0.3) * norm.pdf(s), -9, 9)[0]
    treated = quad(lambda s: s * expit(1.2 * s - 0.3) * norm.pdf(s), -9, 9)[0] / share
    untreated = -treated * share / (1 - share)
    naive = TAU + GROWTH * treated + SLOPE * (treated - untreated)
    assert found.naive is not None
    assert found.naive.covers(naive, level=0.9999)


def test_naive_misses_is_not_asked_where_nothing_confounds() -> None:
    model, effect = make_trial("Bernoulli(0.5)")
    frame = draw_world(4000, 1, indication=0.0)
    found = examine(model, effect, frame, truth=TAU, seed=0)
    assert found.recovered
    assert not found.confounded
    assert found.naive_misses is None


def test_the_deciding_estimators_agree_with_statsmodels() -> None:
    frame = draw_world(1500, 2)
    x = frame[["age", "score@0"]].to_numpy()
    design = np.column_stack([np.ones(len(x)), x])
    y, t = frame["score@6"].to_numpy(), frame["drug@0"].to_numpy()
    ours = interacted_regression(y, t, design, (1.0, 0.0))
    centred = x - x.mean(axis=0)
    lin = sm.OLS(y, sm.add_constant(np.column_stack([t, x, t[:, None] * centred]))).fit(cov_type="HC3")
    assert ours.estimate == pytest.approx(lin.params[1], abs=1e-9)
    # Lin's error holds the covariates fixed; ours adds what their sampling adds
    spread = centred @ lin.params[4:]
    assert ours.standard_error == pytest.approx(np.hypot(lin.bse[1], spread.std() / np.sqrt(len(y))), rel=0.02)

    propensity = cross_fitted_propensity(t, design, 1.0)
    fitted = augmented_weighting(y, t, design, (1.0, 0.0), (propensity, 1 - propensity))
    whole = []
    for level, e in ((1.0, propensity), (0.0, 1 - propensity)):
        predicted = np.empty(len(y))
        for fold in range(5):
            inside = np.arange(len(y)) % 5 == fold
            fit = sm.OLS(y[~inside & (t == level)], design[~inside & (t == level)]).fit()
            predicted[inside] = fit.predict(design[inside])
        whole.append(predicted + (t == level) / e * (y - predicted))
    assert fitted.estimate == pytest.approx(np.mean(whole[0] - whole[1]), abs=1e-9)
    assert fitted.standard_error == pytest.approx(np.std(whole[0] - whole[1]) / np.sqrt(len(y)), rel=1e-3)


def test_weighting_is_doubly_robust_and_regression_is_not() -> None:
    """A kink in the outcome that a straight line misses; the propensity is a straight logistic."""
    random = np.random.default_rng(3)
    x = random.normal(size=100_000)
    t = (random.uniform(size=len(x)) < expit(x)).astype(float)
    y = 0.5 * t + 2 * np.maximum(x, 0) ** 2 + random.normal(size=len(x))
    design = np.column_stack([np.ones(len(x)), x])
    propensity = cross_fitted_propensity(t, design, 1.0)
    assert augmented_weighting(y, t, design, (1.0, 0.0), (propensity, 1 - propensity)).covers(0.5, level=0.9999)
    assert not interacted_regression(y, t, design, (1.0, 0.0)).covers(0.5, level=0.9999)
    curved = basis(pd.DataFrame({"x": x}), [t == 1, t == 0])
    assert interacted_regression(y, t, curved, (1.0, 0.0)).covers(0.5, level=0.9999)


def test_a_cause_of_three_levels_averages_over_everybody() -> None:
    """E4-like doses 0, 1, 2 that go with a covariate, effects that differ by it: the subset {2, 0} would mislead."""
    random = np.random.default_rng(4)
    x = random.normal(size=30_000)
    weights = np.exp(np.column_stack([np.zeros_like(x), 1.5 + 0 * x, 0.8 * x]))
    edges = (weights / weights.sum(axis=1, keepdims=True)).cumsum(axis=1)
    t = (random.uniform(size=len(x))[:, None] > edges).sum(axis=1).astype(float)
    y = np.where(t == 2, 1 + x**2, 0) + np.where(t == 1, 5, 0) + x + random.normal(size=len(x))
    truth = 2.0  # E[1 + x^2]
    encoded = pd.DataFrame({"x": x})
    design = basis(encoded, [t == 2, t == 0])
    levels = (2.0, 0.0)
    propensities = (cross_fitted_propensity(t, design, 2.0), cross_fitted_propensity(t, design, 0.0))
    assert augmented_weighting(y, t, design, levels, propensities).covers(truth, level=0.9999)
    assert interacted_regression(y, t, design, levels).covers(truth, level=0.9999)
    subset = t != 1
    wrong = interacted_regression(y[subset], t[subset], design[subset], levels)
    assert not wrong.covers(truth, level=0.9999)


@pytest.mark.parametrize("seed", range(5))
def test_far_tails_make_no_giant_weights(seed: int) -> None:
    """Ten skewed covariates, all in the adjustment set: weighting must stay about as precise as regression."""
    frame = draw_world(8000, 200 + seed)
    random = np.random.default_rng(seed)
    noise = {f"volume{number}": random.lognormal(0, 0.8, len(frame)) for number in range(10)}
    volumes = [make_variable(name, "static", mechanism="LogNormal(0, 0.8)") for name in noise]
    reads_all = " + ".join(f"0.01 * {name}[-1]" for name in noise)
    drift = make_variable("rate", "state", start="0", mechanism=reads_all)
    model, effect = make_trial("Bernoulli(expit(0.8 * score))", *volumes, drift)
    severity = dataclasses.replace(
        model.variables["severity"], mechanism=parse_mechanism("Normal(severity[-1] - 0.1 * drug[-1] + rate[-1], 0.1)")
    )
    model = dataclasses.replace(model, variables={**model.variables, "severity": severity})
    found = examine(model, effect, frame.assign(**noise), truth=TAU, seed=0)
    assert len(found.adjustment) == 12
    regression, weighting = (by_method(found)[method] for method in DECIDING)
    assert weighting.standard_error < 1.5 * regression.standard_error


def test_gaps_and_categories_are_encoded_and_constants_left_out() -> None:
    columns = [
        Column("sex", "sex", 0, "covariate", ("sex", 0), ("female", "male", "other")),
        Column("mmse@0", "mmse", 0, "covariate", ("mmse", 0)),
        Column("same", "same", 0, "covariate", ("same", 0)),
        Column("empty@0", "empty", 0, "covariate", ("empty", 0)),
    ]
    frame = pd.DataFrame({"sex": [0.0, 1, 1, 0], "mmse@0": [20.0, np.nan, 24, 22], "same": 3.0, "empty@0": np.nan})
    encoded = encode(frame, columns)
    assert list(encoded) == ["sex is male", "mmse@0", "mmse@0 missing"]
    assert encoded["mmse@0"].tolist() == [20, 22, 24, 22]
    assert encoded["mmse@0 missing"].tolist() == [0, 1, 0, 0]


def test_treatment_that_looks_at_a_gap_is_adjusted_for() -> None:
    random = np.random.default_rng(6)
    frame = draw_world(20_000, 6)
    hidden = random.uniform(size=len(frame)) < 0.3
    score = frame["score@0"].to_numpy()
    drug = (random.uniform(size=len(frame)) < np.where(hidden, 0.8, expit(score))).astype(float)
    frame["drug@0"] = drug
    frame["score@6"] = TAU * drug + score + 1.5 * hidden + random.normal(size=len(frame))
    frame["score@0"] = np.where(hidden, np.nan, score)
    found = examine_world(frame)
    assert found.recovered
    assert found.naive_misses


def test_everybody_alike_does_not_crash() -> None:
    frame = draw_world(500, 7)
    frame["age"] = 70.0
    assert len(examine_world(frame).estimates) == 4
    frame["score@0"] = 1.0
    assert len(examine_world(frame).estimates) == 3  # nothing to weight by
    frame["drug@0"] = 1.0
    found = examine_world(frame)
    assert found.naive is None
    assert found.reason == "not recoverable: positivity: 0 people of 500 have drug = 0"
    assert found.recovered is None
    assert found.identifiable


def test_a_frame_without_the_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the columns score@0"):
        examine_world(draw_world(100, 7).drop(columns="score@0"))


def test_nobody_is_trimmed_in_silence() -> None:
    frame = draw_world(10_000, 8)
    frame.loc[frame["score@0"] < -0.5, "drug@0"] = 0.0
    found = examine_world(frame)
    assert found.reason.startswith("not recoverable: positivity: ")
    assert "drug = 1, above all where score@0 <= -" in found.reason
    assert found.estimates == ()
    assert found.recovered is None


def test_rows_without_an_outcome_are_left_out_and_counted() -> None:
    frame = draw_world(2000, 9)
    frame.loc[:499, "score@6"] = np.nan
    found = examine_world(frame)
    assert found.rows == 1500
    assert found.left_out == 0.25


def test_an_unidentifiable_effect_is_not_estimated() -> None:
    model, effect = make_trial("Bernoulli(expit(severity))")
    found = examine(model, effect, draw_world(1000, 10), truth=TAU, seed=0)
    assert (found.identifiable, found.recovered, found.estimates) == (False, None, ())
    assert "severity (not recorded)" in found.reason
    assert found.naive_misses is not None


def test_a_sustained_strategy_is_a_point_treatment_only_where_it_never_changes() -> None:
    model, effect = make_trial()
    sustained = dataclasses.replace(effect, strategy="sustained")
    frame = draw_world(1000, 11)
    assert examine(model, sustained, frame, truth=TAU, seed=0).estimates
    stops = dataclasses.replace(model.variables["drug"], mechanism=parse_mechanism("where(score > 2, 0, drug[-1])"))
    model = dataclasses.replace(model, variables={**model.variables, "drug": stops})
    found = examine(model, sustained, frame, truth=TAU, seed=0)
    assert found.recovered is None
    assert found.reason.startswith("a regime: drug changes after the decision")


def test_the_error_of_the_truth_counts() -> None:
    estimate = Estimate("", 1.0, 0.1)
    assert not estimate.covers(1.25)
    assert estimate.covers(1.25, truth_error=0.1)
    assert estimate.interval == pytest.approx((1 - 1.959964 * 0.1, 1 + 1.959964 * 0.1))


def test_the_pass_level_bounds_the_family_wise_error() -> None:
    for effects in (1, 4, 50):
        assert (1 - pass_level(effects)) * effects * len(DECIDING) == pytest.approx(0.001)


def test_the_json_has_the_commands_keys() -> None:
    row = examine_world(draw_world(1000, 12)).as_json()
    wanted = [
        "effect",
        "truth",
        "naive",
        "estimates",
        "refutations",
        "identifiable",
        "recovered",
        "naive_misses",
        "reason",
    ]
    assert list(row)[: len(wanted)] == wanted
    assert set(row["estimates"][0]) == {"method", "estimate", "interval", "covers"}
    assert set(row["refutations"][0]) == {"name", "value", "passed"}


# What DoWhy 0.14 does to those who do not know


def test_the_linear_interval_is_the_closed_form_one() -> None:
    frame = draw_world(1000, 13)
    found, freedom = linear_regression(frame, "drug@0", "score@6", (1.0, 0.0))
    design = sm.add_constant(frame[["drug@0", "age", "score@0"]].to_numpy())
    expected = sm.OLS(frame["score@6"].to_numpy(), design).fit()
    assert (found.estimate, found.standard_error) == pytest.approx((expected.params[1], expected.bse[1]))
    assert freedom == expected.df_resid


def test_weighting_leaves_nothing_in_the_frame_and_is_not_trimmed() -> None:
    frame = draw_world(5000, 14, indication=2.5)  # a fifth of the propensities lie outside 0.05 to 0.95
    before = frame.copy()
    alone = linear_regression(frame, "drug@0", "score@6", (1.0, 0.0))[0]
    weighted = propensity_weighting(frame, "drug@0", "score@6")
    pd.testing.assert_frame_equal(frame, before)
    assert linear_regression(frame, "drug@0", "score@6", (1.0, 0.0))[0] == alone
    x = sm.add_constant(frame[["age", "score@0"]].to_numpy())
    t, y = frame["drug@0"].to_numpy(), frame["score@6"].to_numpy()
    e = sm.Logit(t, x).fit(disp=0).predict(x)
    expected = np.average(y, weights=t / e) - np.average(y, weights=(1 - t) / (1 - e))
    assert weighted.estimate == pytest.approx(expected, abs=1e-3)
    clipped = np.clip(e, 0.05, 0.95)
    trimmed = np.average(y, weights=t / clipped) - np.average(y, weights=(1 - t) / (1 - clipped))
    assert abs(trimmed - expected) > 0.05  # what the default would have said


def test_refuters_see_the_fresh_frame_and_different_subsets(monkeypatch: pytest.MonkeyPatch) -> None:
    import dowhy.causal_refuters.data_subset_refuter as subsets

    seen: list[np.ndarray] = []
    honest = subsets.test_significance

    def spy(estimate: object, simulations: np.ndarray) -> object:
        seen.append(simulations)
        return honest(estimate, simulations)

    monkeypatch.setattr(subsets, "test_significance", spy)
    frame = draw_world(2000, 15)
    estimate = linear_regression(frame, "drug@0", "score@6", (1.0, 0.0))[0]
    placebo, common, subset, robustness = refute(frame, "drug@0", "score@6", (1.0, 0.0), seed=3)
    assert len(set(seen[0])) == len(seen[0]) == 10
    assert abs(placebo.value) < 4 * estimate.standard_error / np.sqrt(10)
    assert abs(common.value - estimate.estimate) < estimate.standard_error
    assert abs(subset.value - estimate.estimate) < estimate.standard_error
    assert (placebo.passed, common.passed, subset.passed, robustness.passed) == (True, True, True, None)


def test_the_robustness_value_is_the_published_one() -> None:
    """Cinelli & Hazlett 2020, their example of Darfur: t = 4.18 on 783 degrees of freedom, RV = 13.9%."""
    assert robustness_value(4.184, 783) == pytest.approx(0.139, abs=5e-4)


def test_a_hidden_confounder_of_the_robustness_value_brings_the_estimate_to_zero() -> None:
    """bias = se * sqrt(df) * sqrt(R2_y R2_t / (1 - R2_t)), both partial R2 equal to the robustness value."""
    t, freedom = 6.0, 500.0
    value = robustness_value(t, freedom)
    assert np.sqrt(freedom * value * value / (1 - value)) == pytest.approx(t)


def test_nothing_global_is_left_behind_and_seeds_decide() -> None:
    frame = draw_world(1000, 16)
    state, level = np.random.get_state(), logging.getLogger("dowhy").level  # noqa: NPY002
    filters, hook = list(warnings.filters), sys.displayhook
    first, second = examine_world(frame), examine_world(frame)
    assert first == second
    after = np.random.get_state()  # noqa: NPY002
    assert all(np.array_equal(a, b) for a, b in zip(state, after, strict=True))
    assert logging.getLogger("dowhy").level == level
    assert list(warnings.filters) == filters
    assert sys.displayhook is hook


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        examine_world(draw_world(1000, 17))
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


# Coverage


@pytest.mark.verification
def test_coverage_is_nominal() -> None:
    """400 worlds of 1,500 people, effects that grow with severity. Each method's count of covering 95% intervals lies
    within its binomial 1 - 1e-4 range (false alarms: 3e-4 together, were coverage exactly 95%), and main-effects
    regression, which weights people by the variance of their treatment, does not."""
    replicates, rows = 400, 1500
    covered = dict.fromkeys([*DECIDING, "propensity weighting (DoWhy)", "linear regression (DoWhy)"], 0)
    decided = 0
    columns = [
        Column("age", "age", 0, "covariate", ("age", 0)),
        Column("score@0", "score", 0, "covariate", ("score", 0)),
    ]
    for seed in range(replicates):
        frame = draw_world(rows, 1000 + seed)
        y, t = frame["score@6"].to_numpy(), frame["drug@0"].to_numpy()
        encoded, arms = encode(frame, columns), [t == 1, t == 0]
        design = basis(encoded, arms)
        e = cross_fitted_propensity(t, basis(encoded, arms, products=False), 1.0)
        found = [
            interacted_regression(y, t, design, (1.0, 0.0)),
            augmented_weighting(y, t, design, (1.0, 0.0), (e, 1 - e)),
            propensity_weighting(frame, "drug@0", "score@6"),
            linear_regression(frame, "drug@0", "score@6", (1.0, 0.0))[0],
        ]
        for estimate in found:
            covered[estimate.method] += estimate.covers(TAU)
        decided += all(estimate.covers(TAU, level=pass_level(1)) for estimate in found[:2])
    low, high = binom.interval(1 - 1e-4, replicates, 0.95)
    assert low <= covered[DECIDING[0]] <= high, covered
    assert low <= covered[DECIDING[1]] <= high, covered
    assert low <= covered["propensity weighting (DoWhy)"] <= high, covered
    assert covered["linear regression (DoWhy)"] < low, covered
    # the rule fails an honest effect once in a thousand: four of 400 would have a probability of 8e-4
    assert decided >= replicates - 3, decided


@pytest.mark.verification
def test_the_naive_difference_has_nominal_coverage_in_a_trial() -> None:
    """400 randomized trials of 300; false alarm 1e-4."""
    covered = 0
    for seed in range(400):
        frame = draw_world(300, 5000 + seed, indication=0.0)
        found = naive_difference(frame["score@6"].to_numpy(), frame["drug@0"].to_numpy(), (1.0, 0.0))
        covered += found.covers(TAU)
    low, high = binom.interval(1 - 1e-4, 400, 0.95)
    assert low <= covered <= high
