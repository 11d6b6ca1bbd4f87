"""Time in cohorts: steps however short they are, and outcomes at instants that are not on the grid."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from nosograph.causal.effects.columns import Column, columns
from nosograph.causal.model.clock import parse_clock
from nosograph.causal.model.effects import parse_effect
from nosograph.causal.model.model import Model, Schedule
from nosograph.simulate.cohort import simulate
from nosograph.simulate.contrast import find_truth, read_outcome
from nosograph.simulate.questions.ask import ask
from nosograph.simulate.verification.frames import build_frame, build_history

MakeModel = Callable[..., Model]

STEPS = 40


@pytest.fixture
def counting(make_model: MakeModel) -> Model:
    """A state that counts the steps, its exact measurement at each, and an event in step 5; steps of 0.1 minutes."""
    model = make_model(
        {
            "x": {"kind": "state", "start": "0", "mechanism": "x[-1] + 1", "recorded": False},
            "seen": {"kind": "measurement", "of": "x", "mechanism": "x", "when": Schedule(every=1)},
            "fifth": {"kind": "event", "mechanism": "x == 5"},
        },
        steps=STEPS,
    )
    return replace(model, clock=parse_clock("0.1 minutes", "4 minutes", "year"))


def test_short_steps_of_a_long_unit_are_told_apart(counting: Model) -> None:
    cohort = simulate(counting, patients=3)
    times = cohort.record.to_pandas().query("patient == 0")["time"].to_numpy()
    assert len(np.unique(times)) == STEPS + 1
    frame = build_frame(
        cohort,
        [
            Column("seen@10", "seen", 10, "covariate", ("seen", 10)),
            Column("fifth@4", "fifth", 4, "covariate", ("ever", "fifth", 5)),
            Column("fifth@5", "fifth", 5, "covariate", ("ever", "fifth", 6)),
        ],
        world="factual",
    )
    assert frame["seen@10"].tolist() == [10, 10, 10]
    assert frame["fifth@4"].tolist() == [0, 0, 0]
    assert frame["fifth@5"].tolist() == [1, 1, 1]
    history = build_history(cohort, until=STEPS, world="factual").loc[0]
    assert history["seen"].tolist() == list(range(STEPS + 1))
    assert np.flatnonzero(history["fifth"]).tolist() == [5]


def test_an_effect_is_decided_at_a_short_step(make_model: MakeModel) -> None:
    """The time of a decision is written into an intervention, which reads it again."""
    model = make_model(
        {
            "drug": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "drug[-1]"},
            "x": {"kind": "state", "start": "0", "mechanism": "x[-1] + drug[-1]", "recorded": False},
        },
        steps=STEPS,
    )
    model = replace(model, clock=parse_clock("0.1 minutes", "4 minutes", "year"))
    effect = parse_effect('{effect: "drug -> x @ 3 minutes", decision: 0.3 minutes}', model)
    assert find_truth(model, effect, patients=10).value == 27


RATE = {"drug": 0.9, "none": 0.3}  # a year


@pytest.fixture
def hazard(make_model: MakeModel) -> Model:
    return make_model(
        {
            "drug": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "drug[-1]"},
            "stroke": {"kind": "event", "mechanism": "Hazard(where(drug[-1] > 0.5, 0.9, 0.3))"},
            "x": {"kind": "state", "start": "0", "mechanism": "x[-1] + 1", "recorded": False},
            "score": {"kind": "measurement", "of": "x", "mechanism": "x", "when": Schedule(every=6)},
        },
        steps=24,
    )


@pytest.mark.parametrize("months", [17.75, 18.0, 18.2])
def test_a_risk_by_any_instant_is_that_of_its_closed_form(hazard: Model, months: float) -> None:
    effect = parse_effect(f"drug -> stroke @ {months} months", hazard)
    (journeys,) = simulate(hazard, patients=10_000, do="drug = 1").batches
    risk = float(read_outcome(journeys, hazard, effect).double().mean())
    exact = 1 - math.exp(-RATE["drug"] * months / 12)
    assert abs(risk - exact) < 5 * math.sqrt(exact * (1 - exact) / 10_000)  # a false alarm in 1.7 million
    truth = find_truth(hazard, effect, patients=20_000)
    difference = math.exp(-RATE["none"] * months / 12) - math.exp(-RATE["drug"] * months / 12)
    assert abs(truth.value - difference) < 5 * truth.error
    answer = ask(hazard, effect, measure="rmst", patients=20_000)
    means = [(1 - math.exp(-rate * months / 12)) / rate for rate in RATE.values()]
    assert abs(answer.value - (means[0] - means[1])) < 5 * answer.details["standard_error"]


def test_the_frame_counts_by_the_same_instant_as_the_truth(hazard: Model) -> None:
    effect = parse_effect("drug -> stroke @ 18.2 months", hazard)
    cohort = simulate(hazard, patients=3_000)
    (column,) = [column for column in columns(hazard, effect) if column.role == "outcome"]
    frame = build_frame(cohort, [column], world="factual")
    (journeys,) = cohort.batches
    assert frame[column.name].tolist() == read_outcome(journeys, hazard, effect)[0].tolist()
    on_the_grid = [frame[column.name].sum()]
    for months in (18, 19):
        other = parse_effect(f"drug -> stroke @ {months} months", hazard)
        on_the_grid.append(float(read_outcome(journeys, hazard, other)[0].sum()))
    assert on_the_grid[1] < on_the_grid[0] < on_the_grid[2]


@pytest.mark.parametrize(("outcome", "value"), [("x", 17), ("score", 12)])
def test_a_state_is_of_the_last_step_and_a_measurement_of_the_last_time_due(
    hazard: Model, outcome: str, value: float
) -> None:
    effect = parse_effect(f"drug -> {outcome} @ 17.9 months", hazard)
    (journeys,) = simulate(hazard, patients=5).batches
    assert set(read_outcome(journeys, hazard, effect)[0].tolist()) == {value}
    assert f"{value:g} months" in effect.text
