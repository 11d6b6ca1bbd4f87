"""Sustained strategies under time-varying confounding, against closed forms, plain sums, the bootstrap and worlds."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import binom

from nosograph.causal.effects.columns import columns
from nosograph.causal.effects.examine import Examination, examine, pass_level
from nosograph.causal.effects.follow_up import FollowUp
from nosograph.causal.effects.g_formula import G_FORMULA, History, g_formula
from nosograph.causal.effects.regimes import find_decisions, identify_regime, is_regime
from nosograph.causal.language import parse_expression, parse_mechanism
from nosograph.causal.model.effects import parse_effect
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Claim, Effect, Model, Schedule, Variable
from nosograph.simulate.cohort import simulate
from nosograph.simulate.verification.frames import build_frame, build_history
from nosograph.simulate.verification.verify import verify

from .effects_models import EVERY, make_model, make_variable

KEEPS, HELPS, ERROR = 0.9, -0.5, 0.4  # severity's own past, a step of drug, the score's error
RULE = "Bernoulli(expit(1.2 * score + 0.5 * drug[-1]))"
TRUTH = HELPS * (1 + KEEPS + KEEPS**2)  # three steps of drug, as they add up in a linear world
EFFECT = Effect("drug", "score", 3, strategy="sustained", text="drug -> score @ 3 months")


def make_regime(rule: str = RULE, *more: Variable, start: str = "Bernoulli(expit(1.2 * score))") -> Model:
    """Severity is latent and lowered by the drug; its score is why the drug is given, step by step."""
    model = make_model(
        make_variable("age", "static", mechanism="Normal(70, 8)"),
        make_variable(
            "severity",
            "state",
            start="Normal(0.02 * (age - 70), 1)",
            mechanism=f"Normal({KEEPS} * severity[-1] + {HELPS} * drug[-1], 0.5)",
        ),
        make_variable("score", "measurement", of="severity", when=EVERY, mechanism=f"Normal(severity, {ERROR})"),
        make_variable("drug", "treatment", start=start, mechanism=rule),
        *more,
        steps=4,
    )
    claimed = {}
    for name, variable in model.variables.items():
        causes = sorted({read.name for read in variable.reads} & model.variables.keys() - {name})
        claimed[name] = dataclasses.replace(variable, claims=tuple(Claim(cause, name) for cause in causes))
    return dataclasses.replace(model, variables=claimed)


def look(model: Model, effect: Effect, *, patients: int, truth: float | None, seed: int = 0) -> Examination:
    cohort = simulate(model, patients=patients, seed=seed)
    frame = build_frame(cohort, columns(model, effect), world="factual")
    history = build_history(cohort, until=effect.at, world="factual")
    return examine(model, effect, frame, history=history, truth=truth)


def draw_world(people: int, seed: int) -> tuple[History, np.ndarray]:
    """The same world as `make_regime`'s, in plain NumPy: what is recorded of it, and the outcome."""
    random = np.random.default_rng(seed)
    age = random.normal(70, 8, people)
    severity = random.normal(0.02 * (age - 70), 1)
    scores, drugs = [], []
    for _ in range(4):
        scores.append(random.normal(severity, ERROR))
        before = drugs[-1] if drugs else np.zeros(people)
        drugs.append((random.uniform(size=people) < expit(1.2 * scores[-1] + 0.5 * before)).astype(float))
        severity = random.normal(KEEPS * severity + HELPS * drugs[-1], 0.5)
    steps = {"score": np.column_stack(scores), "drug": np.column_stack(drugs), "open": np.ones((people, 4))}
    return History(pd.DataFrame({"age": age}), steps), scores[3]


def fit_main_effects(history: History, outcome: np.ndarray) -> tuple[float, float]:
    """What one regression on all doses and scores says of three steps of drug, and its standard error."""
    drugs, scores = history.steps["drug"][:, :3], history.steps["score"][:, :3]
    design = np.column_stack([drugs, scores, history.statics["age"], np.ones(len(outcome))])
    coefficients, squares = np.linalg.lstsq(design, outcome, rcond=None)[:2]
    variance = np.linalg.inv(design.T @ design) * squares[0] / (len(outcome) - design.shape[1])
    return float(coefficients[:3].sum()), float(np.sqrt(variance[:3, :3].sum()))


def test_the_g_formula_recovers_what_main_effects_regression_misses() -> None:
    model = make_regime()
    assert is_regime(model, EFFECT)
    found = look(model, EFFECT, patients=20_000, truth=TRUTH)
    assert found.identifiable
    assert found.confounded
    assert found.naive_misses
    assert found.recovered, found
    assert [estimate.method for estimate in found.estimates] == [G_FORMULA]
    assert found.adjustment == ("age", "score")
    assert found.reason == ""
    history, outcome = draw_world(20_000, 1)
    wrong, error = fit_main_effects(history, outcome)
    # given the later scores, what earlier doses did through them is taken away: 0.5 and more of 1.355
    assert abs(wrong - TRUTH) > 10 * error
    assert abs(wrong - TRUTH) > 0.3


def test_a_later_decision_counts_from_then_on() -> None:
    effect = dataclasses.replace(EFFECT, decision=1)
    model = make_regime()
    assert [decision.step for decision in find_decisions(model, effect)] == [1, 2]
    assert look(model, effect, patients=20_000, truth=HELPS * (1 + KEEPS)).recovered


@pytest.mark.parametrize("dying", [0.0, 0.5])
def test_in_a_world_of_few_values_it_is_the_plain_sum(dying: float) -> None:
    """sum over l0 P(l0) sum over l1 P(l1 | l0, a) E[Y | l0, l1, a, a], every cell filled; that somebody has died before
    the second decision is a value of l1 like another, but that no decision follows."""
    random = np.random.default_rng(0)
    people = 6000
    first = (random.uniform(size=people) < 0.4).astype(float)
    drug = (random.uniform(size=people) < 0.3 + 0.4 * first).astype(float)
    second = (random.uniform(size=people) < 0.6 - 0.3 * drug * first + 0.2 * first).astype(float)
    again = (random.uniform(size=people) < 0.2 + 0.3 * second + 0.3 * drug).astype(float)
    outcome = first * second - 2 * drug * again * second + random.normal(size=people)
    died = random.uniform(size=people) < dying * (0.2 + 0.3 * first + 0.3 * drug)
    outcome, again = np.where(died, 3 * first + outcome, outcome), np.where(died, drug, again)
    scores, drugs = np.column_stack([first, second]), np.column_stack([drug, again])
    effect = dataclasses.replace(EFFECT, at=2)
    model = make_regime()
    model = dataclasses.replace(model, variables={k: v for k, v in model.variables.items() if k != "age"})
    severity = dataclasses.replace(model.variables["severity"], start=parse_expression("0"))
    model = dataclasses.replace(model, variables={**model.variables, "severity": severity})
    steps = {"score": scores, "drug": drugs, "open": np.column_stack([np.ones(people), 1.0 - died])}
    history = History(pd.DataFrame(index=range(people)), steps)
    follow = dataclasses.replace(FollowUp.whole(outcome), until=np.where(died, model.clock.dt, np.inf))
    found, notes = g_formula(model, effect, find_decisions(model, effect), history, follow)
    expected = 0.0
    for level, sign in ((1, 1), (0, -1)):
        for a, b in itertools.product((0, 1), (0, 1, None)):
            treated = (first == a) & (drug == level)
            here = treated & (died if b is None else ~died & (second == b))
            cell = here if b is None else here & (again == level)
            if cell.any():
                expected += sign * (first == a).mean() * here.sum() / treated.sum() * outcome[cell].mean()
    assert found is not None
    assert notes == ""
    assert found.estimate == pytest.approx(expected, abs=1e-9)


def test_the_standard_error_is_that_of_the_bootstrap() -> None:
    """200 resamples know a standard error to 5%; 20% is four of these."""
    model, effect = make_regime(), EFFECT
    decisions = find_decisions(model, effect)
    history, outcome = draw_world(600, 2)
    found, _ = g_formula(model, effect, decisions, history, FollowUp.whole(outcome))
    random = np.random.default_rng(3)
    estimates = []
    for _ in range(200):
        rows = random.integers(0, len(outcome), len(outcome))
        again = History(history.statics.iloc[rows], {name: values[rows] for name, values in history.steps.items()})
        estimates.append(g_formula(model, effect, decisions, again, FollowUp.whole(outcome[rows]))[0].estimate)
    assert found is not None
    assert found.standard_error == pytest.approx(np.std(estimates), rel=0.2)


def test_only_decisions_that_can_act_count() -> None:
    """The drug works from the next step on; what is read is known, with the past of what it read before."""
    decisions = find_decisions(make_regime(), EFFECT)
    assert [decision.step for decision in decisions] == [0, 1, 2]
    last = decisions[2]
    assert {column.name for column in last.known[: last.inputs]} == {"score@2", "drug@1"}
    assert {column.name for column in last.known} == {"age", "score@0", "score@1", "score@2", "drug@0", "drug@1"}
    forgetful = make_variable("mood", "state", start="0", mechanism="Normal(drug[-1], 1)")
    asked = make_variable("asked", "measurement", of="mood", when=Schedule(at=(3,)), mechanism="Normal(mood, 1)")
    effect = dataclasses.replace(EFFECT, outcome="asked")
    assert [decision.step for decision in find_decisions(make_regime(RULE, forgetful, asked), effect)] == [2]


def test_a_rule_that_reads_what_is_not_recorded_is_refused_with_its_path() -> None:
    model = make_regime("Bernoulli(expit(severity + drug[-1]))")
    found = look(model, EFFECT, patients=300, truth=TRUTH)
    assert (found.identifiable, found.recovered, found.estimates) == (False, None, ())
    assert found.reason == ("not identifiable: drug <- severity (not recorded) -> score (drug as decided at step 1)")
    point = dataclasses.replace(EFFECT, strategy="initiation")
    assert look(model, point, patients=300, truth=None).identifiable  # the start reads the score


def test_reading_a_latent_coin_or_what_follows_from_the_record_confounds_nothing() -> None:
    coin = make_variable("habit", "static", mechanism="Normal(0, 1)", recorded=False)
    assert identify_regime(make_regime("Bernoulli(expit(score + habit))", coin), EFFECT).identifiable
    high = make_variable("indicated", "state", mechanism="where(score > 0, 1, 0)")
    model = make_regime("Bernoulli(0.2 + 0.6 * indicated)", high)
    known = parse_mechanism("Normal(severity[-1] - 0.5 * drug[-1] + 0.1 * indicated[-1], 0.5)")
    severity = dataclasses.replace(model.variables["severity"], mechanism=known)
    model = dataclasses.replace(model, variables={**model.variables, "severity": severity})
    assert identify_regime(model, EFFECT).identifiable
    noisy = make_variable("indicated", "state", mechanism="Bernoulli(expit(severity))")
    assert not identify_regime(make_regime("Bernoulli(0.2 + 0.6 * indicated)", noisy), EFFECT).identifiable


def test_death_dropout_visits_and_a_population_are_followed() -> None:
    """The last score while alive, where severity kills, bad scores drive people away and visits are missed."""
    more = (
        make_variable("death", "event", ends="journey", mechanism="Hazard(2 * exp(severity[-1]))"),
        make_variable("dropout", "event", ends="record", mechanism="Hazard(3 * exp(0.8 * score[-1]))"),
        make_variable("fall", "event", occurs="repeatedly", mechanism="Hazard(exp(0.5 * severity[-1]))"),
    )
    model = make_regime("Bernoulli(expit(1.2 * score + 0.5 * drug[-1] - ever(fall)))", *more)
    score = dataclasses.replace(model.variables["score"], missing=parse_mechanism("Bernoulli(where(t > 0, 0.2, 0))"))
    model = dataclasses.replace(model, variables={**model.variables, "score": score})
    effect = dataclasses.replace(EFFECT, population=parse_expression("age >= 60"))
    found = verify(model, effects=[effect], patients=20_000, truth_patients=50_000).examinations[0]
    assert found.recovered, found
    assert found.rows < 19_000
    assert found.losses == ("dropout by score", "missed visits of score by time alone")
    truth = dataclasses.replace(found, truth=TRUTH)
    assert not truth.covers(found.estimates[0])  # the outcome is another: those who die keep their old score


def test_what_the_record_cannot_tell_is_said() -> None:
    dropout = make_variable("dropout", "event", ends="record", mechanism="Hazard(exp(score[-1]))")
    hidden = make_variable("dropout", "event", ends="record", mechanism="Hazard(exp(severity[-1]))")
    found = look(make_regime(RULE, hidden), EFFECT, patients=500, truth=None)
    path = "dropout <- severity (not recorded) -> score"
    assert found.reason == f"not recoverable: selection by leaving the record: {path}"
    silent = dataclasses.replace(dropout, recorded=False)
    found = look(make_regime(RULE, silent), EFFECT, patients=500, truth=None)
    assert found.reason == "not recoverable: dropout ends the record but is not recorded"
    at_once = make_variable("death", "event", ends="journey", mechanism="Hazard(exp(drug))")
    model = make_regime("Bernoulli(expit(score[-1]))", at_once, start="Bernoulli(0.5)")
    found = look(model, EFFECT, patients=500, truth=None)
    assert found.reason == "not recoverable: death ends the record in the same step as a decision on drug"


def test_positivity_is_noted_or_refused() -> None:
    """After a fall nobody goes on: the regressions extrapolate, and say so. Where nobody at all does, nothing is said
    but that."""
    fall = make_variable("fall", "event", mechanism="Hazard(3 * drug[-1])")
    model = make_regime("where(ever(fall), 0, drug[-1])", fall)
    found = look(model, EFFECT, patients=5000, truth=TRUTH)
    fallen = 1 - np.exp(-3 / 12)  # by the last decision only falls of the first step have had their say
    share = int(found.reason.partition("(")[2].partition("%")[0]) / 100
    assert found.reason.startswith("positivity: nobody keeps to drug = 1 after fall (")
    assert "extrapolates" in found.reason
    assert share == pytest.approx(fallen, abs=0.04)
    assert found.recovered  # a fall changes nothing here, so the extrapolation is right
    found = look(make_regime("0"), EFFECT, patients=5000, truth=TRUTH)
    assert found.reason == "not recoverable: positivity: 0 people of 5000 keep to drug = 1"
    assert found.estimates == ()


def test_a_history_of_other_people_or_steps_is_refused() -> None:
    model = make_regime()
    cohort = simulate(model, patients=200)
    frame = build_frame(cohort, columns(model, EFFECT), world="factual")
    history = build_history(cohort, until=3, world="factual")
    for wrong in (history.loc[:150], build_history(cohort, until=2, world="factual")):
        with pytest.raises(ValueError, match="the history lacks people"):
            examine(model, EFFECT, frame, history=wrong, truth=None)
    found = examine(model, EFFECT, frame, truth=None)
    assert found.reason == "a regime: drug changes after the decision by its own rule, so the history is needed"


def test_the_history_is_what_a_plain_loop_reads_from_the_tables() -> None:
    sparse = Schedule(at=(0, 2))
    model = make_regime(
        "where(ever(fall), 0, drug[-1])",
        make_variable("scan", "measurement", of="severity", when=sparse, mechanism="Normal(severity, 1)"),
        make_variable("fall", "event", occurs="repeatedly", mechanism="Hazard(6)"),
        make_variable("dropout", "event", ends="record", mechanism="Hazard(2)"),
        make_variable("death", "event", ends="journey", mechanism="Hazard(2)"),
    )
    cohort = simulate(model, patients=60)
    history = build_history(cohort, until=4, world="factual")
    record, events, dt = cohort.record.to_pandas(), cohort.events.to_pandas(), model.clock.dt
    events = events[events["recorded"]]
    assert len(history) == 300
    for (patient, step), row in history.iterrows():
        for name in ("score", "scan", "drug"):
            mine = record[(record["patient"] == patient) & (record["variable"] == name)]
            mine = mine[mine["time"] <= step * dt + 1e-9]
            assert row[name] == (mine["value"].iloc[-1])
        past = events[events["patient"] == patient]
        ended = past[past["event"].isin(["dropout", "death"])]["time"]
        assert row["open"] == float(not (ended <= step * dt + 1e-9).any())
        falls = np.ceil(past[past["event"] == "fall"]["time"].to_numpy() / dt - 1e-6)
        assert row["fall"] == float(step in falls)
        before = falls[falls < step]
        assert row["since(fall)"] == pytest.approx((step - before.max()) * dt if len(before) else np.nan, nan_ok=True)


def test_the_json_tells_the_error_of_the_truth() -> None:
    history, _ = draw_world(10, 0)
    frame = pd.DataFrame({"age": history.statics["age"], "score@0": 0.0, "drug@0": 0.0, "score@3": 0.0})
    row = examine(make_regime(), EFFECT, frame, truth=TRUTH, truth_error=0.25).as_json()
    assert row["truth_error"] == 0.25


def test_alzheimers_lecanemab_kept_up_is_recovered_and_what_it_leans_on_is_said() -> None:
    model = load_model("alzheimers")
    effect = dataclasses.replace(parse_effect("lecanemab -> cdr_sb_rated @ 18 months", model), strategy="sustained")
    found = verify(model, effects=[effect], patients=10_000, truth_patients=20_000)
    (examination,) = found.examinations
    assert examination.recovered, examination
    assert examination.naive_misses
    assert examination.reason.startswith("positivity: nobody keeps to lecanemab = 1 after aria_e (")
    assert examination.reason in str(found)


@pytest.mark.verification
def test_coverage_is_nominal() -> None:
    """200 worlds of 1,500 people: the count of covering 95% intervals lies in its binomial 1 - 1e-4 range (the false
    alarm, were coverage exactly 95%), and that of main-effects regression below it. At the level that decides, an
    honest estimate is missed once in 2,000: three or more of 200 would have a probability of 2e-4."""
    model, replicates = make_regime(), 200
    decisions = find_decisions(model, EFFECT)
    covered = decided = wrong = 0
    for seed in range(replicates):
        history, outcome = draw_world(1500, 1000 + seed)
        found, _ = g_formula(model, EFFECT, decisions, history, FollowUp.whole(outcome))
        assert found is not None
        covered += found.covers(TRUTH)
        decided += found.covers(TRUTH, level=pass_level(1))
        estimate, error = fit_main_effects(history, outcome)
        wrong += abs(estimate - TRUTH) < 1.96 * error
    low, high = binom.interval(1 - 1e-4, replicates, 0.95)
    assert low <= covered <= high, covered
    assert wrong < low, wrong
    assert decided >= replicates - 2, decided
