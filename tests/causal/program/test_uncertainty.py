"""Uncertain parameters are drawn once a cohort: from their distributions, each from the seed and its name alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from nosograph.causal.language.noisy_or import probit
from nosograph.causal.model.load import load_model, set_parameters
from nosograph.causal.model.model import Model
from nosograph.causal.program.uncertainty import draw_parameters
from nosograph.errors import NosographError
from nosograph.simulate.cohort import open_run, simulate, simulate_cohorts, simulate_to

TEXT = """
id: uncertain
title: Uncertain
clock: {step: 1 year, horizon: 2 years, unit: year}
parameters:
  frequency: {value: 0.3, uncertain: "Beta(3, 7)", source: assumption}
  threshold: {formula: probit(frequency)}
  growth: {value: 1, uncertain: "Normal(1, 0.25)", source: assumption}
  fixed: {value: 2, source: assumption}
variables:
  liability: {kind: static, mechanism: "Normal(0, fixed / 2)"}
  sign:
    kind: state
    mechanism: liability < threshold and t * growth > 0
    caused_by: {liability: {source: assumption}}
"""


@pytest.fixture
def model(tmp_path: Path) -> Model:
    (tmp_path / "uncertain.yaml").write_text(TEXT)
    return load_model(tmp_path / "uncertain.yaml")


def test_draws_have_their_distributions(model: Model) -> None:
    drawn = [draw_parameters(model, seed=seed) for seed in range(2000)]
    assert set(drawn[0]) == {"frequency", "growth"}
    frequency, growth = (np.array([row[name] for row in drawn]) for name in ("frequency", "growth"))
    assert stats.kstest(frequency, stats.beta(3, 7).cdf).pvalue > 1e-4
    assert stats.kstest(growth, stats.norm(1, 0.25).cdf).pvalue > 1e-4
    assert abs(np.corrcoef(frequency, growth)[0, 1]) < 4.5 / np.sqrt(2000)


def test_a_draw_is_a_function_of_seed_and_name_alone(model: Model, tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text(
        TEXT.replace("  growth:", '  another: {value: 1, uncertain: "Gamma(2, 2)", source: assumption}\n  growth:')
    )
    drawn = draw_parameters(model, seed=7)
    assert draw_parameters(model, seed=7) == drawn
    assert draw_parameters(model, seed=8) != drawn
    assert drawn.items() <= draw_parameters(load_model(tmp_path / "more.yaml"), seed=7).items()


def test_one_draw_serves_the_whole_cohort(model: Model) -> None:
    cohort = simulate(model, patients=4000, seed=3, sample_parameters=True)
    frequency = draw_parameters(model, seed=3)["frequency"]
    assert cohort.model.parameters["frequency"].value == frequency
    assert cohort.model.parameters["threshold"].value == pytest.approx(probit(frequency), abs=1e-12)
    same = simulate(set_parameters(model, draw_parameters(model, seed=3)), patients=4000, seed=3)
    assert cohort.truth.equals(same.truth)
    share = float(cohort.truth["sign"].sel(time=1).mean())
    assert share == pytest.approx(frequency, abs=5 * np.sqrt(0.25 / 4000))


def test_between_cohorts_the_uncertainty_shows(model: Model) -> None:
    """Shares of patients vary as Beta does, and not as the mean of many draws; by a 99.99% interval of the variance."""
    shares = []
    for seed in range(60):
        truth = simulate(model, patients=1500, seed=seed, sample_parameters=True).table("truth", ["time", "sign"])
        shares.append(np.mean(truth["sign"].to_numpy()[truth["time"].to_numpy() == 1]))
    expected = 3 * 7 / (10**2 * 11) + 0.21 / 1500
    low, high = stats.chi2(59).ppf([5e-5, 1 - 5e-5]) / 59
    assert low * 0.9 < np.var(shares, ddof=1) / expected < high * 1.1


def test_the_manifest_holds_what_was_drawn(model: Model, tmp_path: Path) -> None:
    summary = simulate_to(model, tmp_path / "run", patients=50, seed=4, sample_parameters=True)
    held = json.loads((tmp_path / "run" / "manifest.json").read_text())["model"]["parameters"]
    assert held == {**draw_parameters(model, seed=4), "fixed": 2.0}
    run = open_run(tmp_path / "run")
    assert run.model.parameters["threshold"].value == pytest.approx(probit(held["frequency"]), abs=1e-12)
    again = simulate(model, patients=50, seed=4, sample_parameters=True).save(tmp_path / "again")
    assert again.dataset_sha256 == summary.dataset_sha256
    assert (tmp_path / "again" / "manifest.json").read_bytes() == (tmp_path / "run" / "manifest.json").read_bytes()


def test_each_cohort_is_what_it_is_alone(model: Model, tmp_path: Path) -> None:
    many = simulate_cohorts(model, tmp_path / "many", cohorts=3, seed=10, patients=40, sample_parameters=True)
    assert [summary.folder.name for summary in many] == ["cohort-0", "cohort-1", "cohort-2"]
    for k, summary in enumerate(many):
        alone = simulate_to(model, tmp_path / f"alone-{k}", patients=40, seed=10 + k, sample_parameters=True)
        assert alone.dataset_sha256 == summary.dataset_sha256
    assert len({summary.dataset_sha256 for summary in many}) == 3
    untouched = (tmp_path / "many" / "cohort-1" / "manifest.json").stat().st_mtime_ns
    shutil.rmtree(tmp_path / "many" / "cohort-2")
    again = simulate_cohorts(model, tmp_path / "many", cohorts=4, seed=10, patients=40, sample_parameters=True)
    assert again[:3] == many
    assert (tmp_path / "many" / "cohort-1" / "manifest.json").stat().st_mtime_ns == untouched


def test_what_stands_in_the_way_is_said(model: Model, tmp_path: Path) -> None:
    with pytest.raises(NosographError, match="number of cohorts is"):
        simulate_cohorts(model, tmp_path / "none", cohorts=0, patients=10)
    simulate_to(model, tmp_path / "run", patients=10)
    with pytest.raises(NosographError, match="holds a run, and not cohorts"):
        simulate_cohorts(model, tmp_path / "run", cohorts=2, patients=10)


@pytest.mark.parametrize("uncertain", ["Categorical('a': 1, 'b': 2)", "Hazard(1)"])
def test_a_parameter_is_drawn_from_numbers(tmp_path: Path, uncertain: str) -> None:
    written = uncertain.replace("'", '\\"')
    (tmp_path / "wrong.yaml").write_text(TEXT.replace("Beta(3, 7)", written))
    with pytest.raises(NosographError, match="a parameter must be a number"):
        load_model(tmp_path / "wrong.yaml")
