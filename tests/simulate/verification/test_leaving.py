"""Leaving the record is not an outcome: the truth is of the outcome itself, and the record is weighted for who left."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import CensoredData, ecdf

from nosograph.causal.effects.examine import Examination, find_margin
from nosograph.causal.effects.follow_up import FollowUp
from nosograph.causal.effects.g_formula import History
from nosograph.causal.effects.losses import Loss, find_losses
from nosograph.causal.effects.weights import weigh
from nosograph.causal.model.check import check_model
from nosograph.causal.model.effects import parse_effect
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model
from nosograph.errors import NosographError
from nosograph.simulate.cohort import simulate
from nosograph.simulate.contrast import find_truth
from nosograph.simulate.questions.ask import ask
from nosograph.simulate.verification.follow_up import build_follow_up
from nosograph.simulate.verification.verify import verify

HEAD = """
id: leaving
title: People leave
clock: {step: 1 month, horizon: 2 years, unit: year}
variables:
  drug: {kind: treatment, start: Bernoulli(0.5), mechanism: "drug[-1]"}
"""
BY_DRUG = """
  dropout:
    {kind: event, ends: record, mechanism: "Hazard(0.1 + 0.9 * drug[-1])", caused_by: {drug: {source: assumption}}}
"""
INERT = HEAD + "  stroke: {kind: event, mechanism: Hazard(0.3)}\n" + BY_DRUG
NEUTRAL = (
    HEAD
    + """
  stroke:
    {kind: event, mechanism: "Hazard(0.1 - 0.02 * drug[-1])", caused_by: {drug: {source: assumption}}}
  dropout: {kind: event, ends: record, mechanism: Hazard(0.15)}
  death: {kind: event, ends: journey, mechanism: Hazard(0.1)}
"""
)
SCORE = (
    HEAD
    + """
  x: {kind: state, start: "Normal(0, 1)", mechanism: "x[-1] - 0.5"}
  score: {kind: measurement, of: x, when: every 3 months, mechanism: "Normal(x, 1)", missing: Bernoulli(0.1)}
"""
    + BY_DRUG
)
INFORMATIVE = (
    HEAD
    + """
  x:
    kind: state
    start: Normal(0, 1)
    mechanism: Normal(x[-1] - 0.1 * drug[-1], 0.2)
    caused_by: {drug: {source: assumption}}
  score: {kind: measurement, of: x, when: every 1 month, mechanism: "Normal(x, 0.5)"}
  rated:
    kind: measurement
    of: x
    when: every 6 months
    mechanism: Normal(x, 0.5)
    missing: Bernoulli(expit(score - 1))
    caused_by: {score: {source: assumption}}
  stroke: {kind: event, mechanism: "Hazard(0.2 * exp(0.7 * x[-1]))", caused_by: {x: {source: assumption}}}
  dropout:
    kind: event
    ends: record
    mechanism: Hazard(0.3 * exp(0.8 * score[-1]))
    caused_by: {score: {source: assumption}}
  death: {kind: event, ends: journey, mechanism: "Hazard(0.1 * exp(0.5 * x[-1]))", caused_by: {x: {source: assumption}}}
"""
)


def load(text: str, folder: Path) -> Model:
    path = folder / "leaving.yaml"
    path.write_text(text)
    return load_model(str(path))


def look(model: Model, effect: str, *, patients: int = 6_000) -> Examination:
    return verify(model, effects=[effect], patients=patients, truth_patients=20_000).examinations[0]


def test_an_inert_arm_that_people_leave_has_no_effect(tmp_path: Path) -> None:
    """A stroke on record makes a case complete, so the complete cases show more of them in the arm that is left."""
    found = look(load(INERT, tmp_path), "drug -> stroke @ 24 months")
    assert found.truth == 0
    assert found.losses == ("dropout by drug",)
    assert found.complete_cases is not None
    assert not found.complete_cases.covers(0, level=1 - 1e-6)
    assert all(estimate.covers(0, level=1 - 1e-4) for estimate in found.estimates)
    assert found.recovered is None
    assert found.reason.startswith("too few to tell: the deciding interval is ±")


def test_neutral_censoring_does_not_dilute(tmp_path: Path) -> None:
    """With death competing, the risk by T is h / (h + d) (1 - exp(-(h + d) T)), whoever leaves."""
    model = load(NEUTRAL, tmp_path)
    risks = [rate / (rate + 0.1) * (1 - math.exp(-2 * (rate + 0.1))) for rate in (0.08, 0.1)]
    truth = find_truth(model, parse_effect("drug -> stroke @ 24 months", model), patients=20_000)
    assert abs(truth.value - (risks[0] - risks[1])) < 4 * truth.error
    (loss,), reason = find_losses(model, parse_effect("drug -> stroke @ 24 months", model), ())
    assert (loss.text, reason) == ("dropout by time alone", "")


def test_an_inert_arm_keeps_its_score(tmp_path: Path) -> None:
    """The score falls in everybody, and the last recorded one least in those who leave early."""
    model = load(SCORE, tmp_path)
    assert look(model, "drug -> score @ 24 months", patients=2_000).truth == 0
    last = find_truth(
        model, parse_effect("{effect: drug -> score @ 24 months, leaving: last recorded}", model), patients=2_000
    )
    assert last.value > 1


def test_ask_and_verify_have_one_truth(tmp_path: Path) -> None:
    model = load(INFORMATIVE, tmp_path)
    for text in ("drug -> stroke @ 24 months", "drug -> rated @ 20 months"):
        answer = ask(model, text, patients=10_000)
        truth = find_truth(model, parse_effect(text, model), patients=10_000, skip=10_000)
        assert abs(answer.value - truth.value) < 5 * math.hypot(answer.details["standard_error"], truth.error)
        assert "leaving the record: hypothetical (nobody leaves)" in str(answer)
    assert "its last due time by then, 18 months, is used" in str(answer)


def test_without_covariates_the_weights_are_those_of_kaplan_and_meier(tmp_path: Path) -> None:
    """Within a step the censoring is taken as uniform, so the curves differ in the third decimal."""
    model = load(INERT, tmp_path)
    effect = parse_effect("drug -> stroke @ 24 months", model)
    follow = FollowUp.read(build_follow_up(simulate(model, patients=5_000), effect, world="factual"))
    weights, reason = weigh(model, effect, [Loss("dropout", ())], History.__new__(History), follow)
    happened = np.nan_to_num(follow.outcome) == 1
    curve = ecdf(CensoredData(follow.until[happened], right=follow.until[~happened])).cdf
    assert reason == ""
    assert np.sum(weights * happened) / len(weights) == pytest.approx(curve.evaluate(2.0), abs=0.003)


@pytest.mark.verification
@pytest.mark.parametrize("seed", range(3))
def test_informative_leaving_is_recovered(seed: int, tmp_path: Path) -> None:
    """Deaths, leaving and missed visits at once. The pass rule errs in one table of a thousand: 0.3% over the seeds."""
    model = load(INFORMATIVE, tmp_path)
    effects = [
        "drug -> stroke @ 24 months",
        "drug -> rated @ 24 months",
        "{effect: drug -> death @ 24 months, leaving: treatment policy}",
    ]
    found = verify(model, effects=effects, patients=20_000, seed=seed)
    for examination in found.examinations:
        assert examination.recovered, examination


@pytest.mark.parametrize(
    ("more", "effect", "reason"),
    [
        ("  dropout: {kind: event, ends: record, mechanism: 'Hazard(exp(x[-1]))',\n"
         "    caused_by: {x: {source: assumption}}}\n",
         "drug -> stroke @ 24 months",
         "not recoverable: selection by leaving the record: dropout <- x (not recorded) -> stroke"),
        ("  dropout: {kind: event, ends: record, recorded: false, mechanism: Hazard(0.1)}\n",
         "drug -> stroke @ 24 months", "not recoverable: dropout ends the record but is not recorded"),
        ("  dropout: {kind: event, ends: record, mechanism: Hazard(0.1)}\n"
         "  y: {kind: state, mechanism: 'where(ever(dropout), 1, 0)', caused_by: {dropout: {source: assumption}}}\n",
         "{effect: drug -> stroke @ 24 months, leaving: treatment policy}",
         "not recoverable: y depends on dropout, after which there is no record"),
        ("  death: {kind: event, ends: journey, mechanism: Hazard(0.1)}\n",
         "{effect: drug -> stroke @ 24 months, death: survivors}",
         "not recoverable: it is about the people alive in both worlds, and a record has one world"),
    ],
)  # fmt: skip
def test_what_cannot_be_weighted_for_is_said(more: str, effect: str, reason: str, tmp_path: Path) -> None:
    text = (
        HEAD
        + """
  x: {kind: state, start: "Normal(0, 1)", mechanism: "x[-1]"}
  stroke: {kind: event, mechanism: "Hazard(0.2 * exp(x[-1]))", caused_by: {x: {source: assumption}}}
"""
    )
    found = look(load(text + more, tmp_path), effect, patients=500)
    assert not found.identifiable
    assert found.reason == reason


def test_a_calendar_that_says_nothing_of_the_outcome_is_not_conditioned_on(tmp_path: Path) -> None:
    text = INERT.replace("0.1 + 0.9 * drug[-1]", "0.1 + 0.1 * entered").replace(
        "caused_by: {drug:", "caused_by: {entered:"
    )
    model = load(text + '  entered: {kind: static, mechanism: "Uniform(0, 2)"}\n', tmp_path)
    (loss,), _ = find_losses(model, parse_effect("drug -> stroke @ 24 months", model), ())
    assert loss.reads == ()


def test_check_warns_of_leaving(tmp_path: Path) -> None:
    text = (
        INERT
        + "  y: {kind: state, mechanism: 'where(ever(dropout), 1, 0)', caused_by: {dropout: {source: assumption}}}\n"
    )
    path = tmp_path / "leaving.yaml"
    path.write_text(text + "effects: [drug -> stroke @ 24 months]\n")
    warnings = [warning.problem for warning in check_model(path).warnings]
    assert "'drug' reaches 'dropout', which ends the record: those who are left differ between its levels" in warnings
    assert "'y' depends on 'dropout', which ends the record: where nobody leaves, that is gone as well" in warnings


@pytest.mark.parametrize(
    "settings",
    [
        "leaving: last recorded, death: composite, composite: 1",
        "leaving: last recorded, missed: hypothetical",
        "strategy: initiation, stopping: hypothetical",
        "strategy: sustained, stopping: while on treatment",
    ],
)
def test_strategies_that_do_not_go_together_are_refused(settings: str, tmp_path: Path) -> None:
    model = load(INERT, tmp_path)
    with pytest.raises(NosographError):
        parse_effect(f"{{effect: drug -> stroke @ 24 months, {settings}}}", model)


def test_margins_are_two_points_of_risk_and_a_tenth_of_a_standard_deviation(tmp_path: Path) -> None:
    model = load(
        SCORE.replace("variables:\n", "variables:\n  stroke: {kind: event, mechanism: Hazard(0.3)}\n"), tmp_path
    )
    outcome = np.array([0.0, 2.0, np.nan])
    assert find_margin(model, parse_effect("drug -> stroke @ 24 months", model), outcome) == 0.02
    assert find_margin(model, parse_effect("drug -> score @ 24 months", model), outcome) == pytest.approx(0.1)
