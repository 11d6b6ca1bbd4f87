"""Each strategy against its definition, one patient at a time, from the tables that a user gets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nosograph.causal.model.effects import parse_effect
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Effect, Model
from nosograph.causal.program.sampling import sample
from nosograph.simulate.cohort import Cohort
from nosograph.simulate.contrast import contrast_worlds
from nosograph.simulate.outcomes import read_outcome

DOCUMENT = """
id: strategies
title: Everything that can come between a treatment and its outcome
clock: {step: 1 month, horizon: 12 months, unit: month}
variables:
  drug: {kind: treatment, start: Bernoulli(0.5), mechanism: "where(ever(harm), 0, drug[-1])",
    caused_by: {harm: {source: assumption}}}
  x: {kind: state, start: "Normal(0, 1)", mechanism: "Normal(x[-1] - 0.3 * drug[-1], 1)",
    caused_by: {drug: {source: assumption}}}
  score: {kind: measurement, of: x, when: every 3 months, mechanism: "Normal(x, 0.1)", missing: Bernoulli(0.4)}
  harm: {kind: event, mechanism: "Hazard(0.1 * drug[-1])", caused_by: {drug: {source: assumption}}}
  fall: {kind: event, occurs: repeatedly, mechanism: "Hazard(0.1 * exp(0.3 * x[-1]))",
    caused_by: {x: {source: assumption}}}
  dropout: {kind: event, ends: record, mechanism: "Hazard(0.08 * exp(0.5 * drug[-1]))",
    caused_by: {drug: {source: assumption}}}
  death: {kind: event, ends: journey, mechanism: "Hazard(0.06 * exp(0.5 * x[-1]))",
    caused_by: {x: {source: assumption}}}
"""
STRATEGIES = [
    "",
    "death: hypothetical",
    "death: survivors",
    "death: composite, composite: 7",
    "leaving: treatment policy",
    "leaving: last recorded",
    "missed: last recorded",
    "stopping: while on treatment",
    "stopping: while on treatment, death: hypothetical",
    "stopping: hypothetical",
    "decision: 4 months",
    "decision: 4 months, death: hypothetical, stopping: while on treatment",
]
EVENTS = ("fall", "harm", "death", "dropout")
END, PEOPLE = 11, 80


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    path = tmp_path_factory.mktemp("strategies") / "strategies.yaml"
    path.write_text(DOCUMENT)
    return load_model(str(path))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("outcome", ["score", "x", "fall", "harm"])
def test_a_strategy_is_its_definition(model: Model, outcome: str, strategy: str) -> None:
    """Of everybody in both worlds; the definitions below know nothing of tensors."""
    settings = f", {strategy}" if strategy else ""
    effect = parse_effect(f"{{effect: drug -> {outcome} @ {END} months{settings}}}", model)
    worlds = contrast_worlds(model, effect)
    journeys = sample(model, patients=PEOPLE, worlds=worlds, steps=END)
    found = read_outcome(journeys, model, effect).numpy()
    cohort = Cohort(model, worlds, 0, END, None, (journeys,), PEOPLE)
    expected = define_outcomes(cohort, effect)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert (~np.isnan(found)).sum() > PEOPLE / 2


def define_outcomes(cohort: Cohort, effect: Effect) -> np.ndarray[Any, Any]:
    """(worlds, patients): what the strategies say of each."""
    truth = cohort.truth.to_dataframe().reset_index().groupby(["world", "patient"])
    courses = {key: rows.set_index("time") for key, rows in truth}
    events = cohort.events.to_pandas()
    events["world"] = events["world"].astype(str)
    dates = {key: list(rows["time"]) for key, rows in events.groupby(["world", "patient", "event"], observed=True)}
    record = cohort.record.to_pandas()
    record = record[record["variable"] == "score"]
    record["world"] = record["world"].astype(str)
    taken = {key: set(rows["time"]) for key, rows in record.groupby(["world", "patient"])}
    return np.array(
        [
            [
                define_outcome(
                    effect,
                    courses[world.name, patient],
                    {event: dates.get((world.name, patient, event), []) for event in EVENTS},
                    taken.get((world.name, patient), set()),
                )
                for patient in range(PEOPLE)
            ]
            for world in cohort.worlds
        ]
    )


def define_outcome(effect: Effect, course: pd.DataFrame, dates: dict[str, list[float]], taken: set[float]) -> float:
    """One person's outcome in one world. `course`: every value in each month; `dates`: when each event happened;
    `taken`: the months with a recorded score."""
    died, left = (min(dates[event], default=math.inf) for event in ("death", "dropout"))
    if min(died, left) <= effect.decision:
        return math.nan
    if (
        effect.outcome in EVENTS
        and effect.outcome != "fall"
        and min(dates[effect.outcome], default=9e9) <= effect.decision
    ):
        return math.nan  # it happens once, and had happened
    if effect.death == "survivors" and died <= END:
        return math.nan
    if effect.composite is not None and died <= END:
        return effect.composite
    stopped = math.inf
    if effect.stopping == "while on treatment":
        began = course.loc[effect.decision, "drug"]
        lived = [month for month in range(effect.decision + 1, END + 1) if month < died]
        stopped = min((month for month in lived if course.loc[month, "drug"] != began), default=math.inf)
    over = left if effect.leaving == "last recorded" else math.inf
    if effect.outcome in EVENTS:
        start = effect.decision if effect.outcome == "fall" else -1
        return float(sum(start < date <= min(stopped, END) and date <= over for date in dates[effect.outcome]))
    months = [month for month in range(END + 1) if month < min(stopped, died, over)]
    if effect.outcome != "score":
        return float(course.loc[months[-1], effect.outcome])
    missed = effect.missed == "last recorded"
    visits = [month for month in months if month % 3 == 0 and (not missed or month in taken)]
    return float(course.loc[visits[-1], "score"]) if visits else math.nan
