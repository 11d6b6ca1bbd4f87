"""The catalog's models against plain NumPy that was written blind, from their documentation alone.

Compared in distribution are each state, treatment and measurement at several times; events, death, dropout and missed
visits by month; the instants of events within their steps, what else happens in the steps of death and dropout, and
what of it is on record; treatment and events within strata; correlations; and the regression of everything that is
drawn on what it is drawn from. Each test raises a false alarm with a probability of at most ALARM, by construction
(see agreement.py). The seeds are 0 and were not chosen.

What it can see, as measured: of the 104 parameters of the reference, each in turn made a tenth larger, 63 were caught
with 20,000 patients; what is left are chances of rare events and weak dependences, whose values test_pages.py compares
one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model
from nosograph.causal.model.world import FACTUAL
from nosograph.causal.program.sampling import sample
from nosograph.simulate.entrants import select_entrants
from nosograph.simulate.runs.tables import build_tables

from . import reference_alzheimers as alzheimers
from . import reference_demographics as demographics
from .agreement import (
    Columns,
    Comparison,
    Floats,
    compare_columns,
    compare_correlations,
    compare_relations,
    find_disagreements,
)
from .columns import (
    CORRELATED,
    MONTHS,
    STATICS,
    build_strata,
    count_months,
    relate,
    relate_people,
    tabulate_events,
    tabulate_program,
    tabulate_reference,
    tabulate_statics,
)

ALARM = 1e-4
WORLDS = {"factual": None, "lecanemab = 1": 1, "lecanemab = 0": 0}
REFERENCE = alzheimers.Alzheimers()

Draw = Callable[[str], Columns]


def draw_reference(parameters: alzheimers.Alzheimers, *, world: str, patients: int) -> Columns:
    rng = np.random.default_rng(0)
    drawn = alzheimers.simulate(parameters, patients=patients, rng=rng, lecanemab=WORLDS[world], months=MONTHS)
    return tabulate_reference(drawn)


def compare_all(program: Columns, reference: Columns) -> list[Comparison]:
    return [
        *compare_columns(program | build_strata(program), reference | build_strata(reference)),
        *compare_correlations(program, reference, names=CORRELATED),
        *compare_relations(relate(program), relate(reference)),
    ]


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("alzheimers")


@pytest.fixture(scope="module")
def draw_program(model: Model) -> Draw:
    return cache(lambda world: tabulate_program(model, patients=20_000, world=world))


@pytest.mark.parametrize("world", WORLDS)
def test_alzheimers_agrees_with_the_reference(draw_program: Draw, world: str) -> None:
    comparisons = compare_all(draw_program(world), draw_reference(REFERENCE, world=world, patients=20_000))
    assert find_disagreements(comparisons, alarm=ALARM) == []


@pytest.mark.parametrize("name", ["onset_sd", "cognition_noise", "pet_error", "missed_visit", "aria_untreated_1"])
def test_a_wrong_number_is_seen(draw_program: Draw, name: str) -> None:
    """The comparison can fail: one parameter off, and it does."""
    factor = 3 if name == "aria_untreated_1" else 1.2
    wrong = replace(REFERENCE, **{name: factor * getattr(REFERENCE, name)})
    comparisons = compare_all(draw_program("factual"), draw_reference(wrong, world="factual", patients=20_000))
    assert find_disagreements(comparisons, alarm=ALARM)


@pytest.mark.parametrize("before", [0, 59])
def test_what_is_not_drawn_is_exact(draw_program: Draw, before: int) -> None:
    """Patient by patient: a month's change of what has no noise of its own, as the reference computes it."""
    c = draw_program("factual")
    alive = c["step of death"] > before + 1
    names = (*alzheimers.STATES, *alzheimers.TREATMENTS)
    states = {name: c[f"{name} @ {before}"][alive] for name in names}
    statics = {name: c[name][alive] for name in STATICS}
    expected = alzheimers.step_states(REFERENCE, statics, states, rng=np.random.default_rng(0))
    for name in ("tau", "hippocampal_volume", "ventricular_volume", "white_matter_hyperintensity"):
        np.testing.assert_allclose(c[f"{name} @ {before + 1}"][alive], expected[name], rtol=1e-5, err_msg=name)
    plaque = REFERENCE.tau_start + REFERENCE.tau_start_by_amyloid * c["amyloid @ 0"] / 100
    np.testing.assert_allclose(c["tau @ 0"], c["tau_susceptibility"] * np.exp(plaque), rtol=1e-5)
    for month in MONTHS:
        severity = alzheimers.severity(REFERENCE, c[f"cognition @ {month}"])
        np.testing.assert_allclose(c[f"cdr_sb @ {month}"], severity, rtol=1e-4)


def test_what_is_decided_follows_the_page(draw_program: Draw) -> None:
    """Patient by patient: who enters, what stops lecanemab and when, who is diagnosed first, what the record holds."""
    c = draw_program("factual")
    assert c["age"].min() >= 50
    for month in MONTHS:
        alive = c["step of death"] > month
        stopped = c["step of aria_e"] < month  # in the step of ARIA-E itself lecanemab is still given
        expected = np.where(stopped, 0, c["lecanemab @ 0"])
        np.testing.assert_array_equal(c[f"lecanemab @ {month}"][alive], expected[alive])
        np.testing.assert_array_equal(np.isnan(c[f"cognition @ {month}"]), ~alive)
    alive, rated = c["step of death"] > 1, c["last cdr_sb_rated @ 0"]
    np.testing.assert_array_equal(c["dementia_diagnosis by 1"][alive], (rated >= 4.5)[alive])
    np.testing.assert_array_equal(c["mci_diagnosis by 1"][alive], ((rated >= 1) & (rated < 4.5))[alive])
    closed = np.minimum(c["step of death"], c["step of dropout"])
    for name, schedule in alzheimers.SCHEDULES.items():
        assert c[f"{name} recorded @ 0"].all()
        for month in schedule:
            assert not (c[f"{name} recorded @ {month}"] == 1)[closed <= month].any(), f"{name} @ {month}"


def find_instants(c: Columns, name: str) -> Floats:
    """Months after entry; infinite if the event does not happen."""
    part = c[f"part of the step of {name}"]
    return np.where(np.isnan(part), np.inf, c[f"step of {name}"] - 1 + part)


def test_ends_follow_the_page(draw_program: Draw) -> None:
    """Patient by patient: nothing after the instant of death, nothing on record after that of dropout."""
    c = draw_program("factual")
    death, dropout = find_instants(c, "death"), find_instants(c, "dropout")
    for name in alzheimers.EVENTS:
        instants = find_instants(c, name)
        happened = np.isfinite(instants)
        assert (instants <= death)[happened].all(), name
        np.testing.assert_array_equal(c[f"{name} on record"][happened], (instants <= dropout)[happened], err_msg=name)
        part = c[f"part of the step of {name}"][happened]
        if name in ("mci_diagnosis", "dementia_diagnosis"):  # at the step's end, so never in the step of death
            assert (part == 1).all(), name
            assert not (c[f"{name} in the step of death"] == 1).any(), name
        else:
            assert ((part > 0) & (part < 1)).all(), name
    for end, what in (("death", "care_home"), ("death", "dropout"), ("dropout", "care_home")):
        assert (c[f"{what} in the step of {end}"] == 1).any(), f"no {what} in the step of {end}"


@pytest.fixture(scope="module")
def tables(model: Model) -> dict[str, pd.DataFrame]:
    """What a user gets of 1,000 patients, with each row's step: that of its instant in `events`."""
    (entrants,) = select_entrants(model, count=1_000, seed=0)
    built = build_tables(sample(model, patients=entrants.numbers, seed=0, worlds=[FACTUAL]), model=model)
    found = {name: built[name].to_pandas() for name in ("record", "events", "truth")}
    return {name: rows.assign(step=np.ceil(count_months(rows["time"].to_numpy()))) for name, rows in found.items()}


def test_the_truth_has_events_only_in_the_step_of_death(tables: dict[str, pd.DataFrame]) -> None:
    """Row by row: an event is true in the step of its instant; in the step of death and later nothing else has a value,
    and after it nothing at all."""
    events, truth = tables["events"], tables["truth"]
    for name in alzheimers.EVENTS:
        happened = truth.loc[truth[name].eq(True), ["patient", "step"]]
        expected = events.loc[events["event"] == name, ["patient", "step"]]
        assert set(happened.itertuples(index=False)) == set(expected.itertuples(index=False)), name
    death = truth["patient"].map(events[events["event"] == "death"].set_index("patient")["step"]).fillna(np.inf)
    for name in (*alzheimers.STATES, *alzheimers.TREATMENTS):
        assert (truth[name].isna() == (truth["step"] >= death)).all(), name
    for name in alzheimers.EVENTS:
        assert (truth[name].isna() == (truth["step"] > death)).all(), name
    for name, schedule in alzheimers.SCHEDULES.items():
        assert truth.loc[truth["step"] >= death, name].isna().all(), name
        assert truth.loc[~truth["step"].isin(schedule), name].isna().all(), name


def test_the_record_has_what_came_before_death_and_dropout(tables: dict[str, pd.DataFrame]) -> None:
    """Row by row: no measurement and no change of a treatment from the step of death or dropout on."""
    record, events, truth = tables["record"], tables["events"], tables["truth"]
    ends = events[events["event"].isin(["death", "dropout"])].groupby("patient")["step"].min()
    assert (record["step"] < record["patient"].map(ends).fillna(np.inf)).all()
    treated = set(truth.loc[(truth["step"] == 0) & (truth["lecanemab"] == 1), "patient"])
    aria = events[events["event"] == "aria_e"].set_index("patient")["step"]
    stops = {(patient, step + 1) for patient, step in aria.items() if patient in treated}
    on_record = {(patient, step) for patient, step in stops if step <= min(120, ends.get(patient, np.inf) - 1)}
    changes = record[(record["variable"] == "lecanemab") & (record["step"] > 0)]
    assert set(zip(changes["patient"], changes["step"], strict=True)) == on_record
    assert 0 < len(on_record) < len(stops)


def _erase_the_step_of_death(events: dict[str, Floats]) -> dict[str, Floats]:
    before = np.ceil(events["death"]) - 1
    return {name: at if name == "death" else np.where(at <= before, at, np.inf) for name, at in events.items()}


def _keep_the_step_of_death(events: dict[str, Floats]) -> dict[str, Floats]:
    return {name: np.where(at <= np.ceil(events["death"]), at, np.inf) for name, at in events.items()}


def _close_before_the_step_of_dropout(events: dict[str, Floats]) -> dict[str, NDArray[np.bool_]]:
    before = np.ceil(events["dropout"]) - 1
    return {name: (at <= before) | (name == "dropout") for name, at in events.items()}


def _close_after_the_step_of_dropout(events: dict[str, Floats]) -> dict[str, NDArray[np.bool_]]:
    return {name: at <= np.ceil(events["dropout"]) for name, at in events.items()}


def _date_at_the_end_of_the_step(rate: Floats, *, step: int, rng: np.random.Generator) -> Floats:
    return np.where(rng.random(len(rate)) < -np.expm1(-rate / 12), step, np.inf)


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("end_journeys", _erase_the_step_of_death),
        ("end_journeys", _keep_the_step_of_death),
        ("close_records", _close_before_the_step_of_dropout),
        ("close_records", _close_after_the_step_of_dropout),
        ("draw_instants", _date_at_the_end_of_the_step),
    ],
)
def test_a_wrong_rule_is_seen(
    draw_program: Draw, monkeypatch: pytest.MonkeyPatch, rule: str, wrong: Callable[..., object]
) -> None:
    """The comparison can fail: one rule about instants or ends broken, and it does."""
    monkeypatch.setattr(alzheimers, rule, wrong)
    comparisons = compare_all(draw_program("factual"), draw_reference(REFERENCE, world="factual", patients=20_000))
    assert find_disagreements(comparisons, alarm=ALARM)


@pytest.mark.verification
@pytest.mark.parametrize("world", WORLDS)
def test_alzheimers_agrees_with_the_reference_closely(model: Model, world: str) -> None:
    """False alarms: at most 1e-4 a world."""
    program = tabulate_program(model, patients=200_000, world=world)
    comparisons = compare_all(program, draw_reference(REFERENCE, world=world, patients=200_000))
    assert find_disagreements(comparisons, alarm=ALARM) == []


def compare_demographics(*, patients: int) -> list[str]:
    program = tabulate_program(load_model("demographics"), patients=patients, world="factual")
    drawn = demographics.simulate(demographics.Demographics(), patients=patients, rng=np.random.default_rng(0))
    reference = tabulate_statics(drawn) | tabulate_events(
        {"death": drawn["death"]}, {"death": np.ones(len(drawn["death"]), dtype=bool)}
    )
    names = ("age", "education", "sex is male", "ancestry is african", "step of death")
    comparisons = [
        *compare_columns(program, reference),
        *compare_correlations(program, reference, names=names),
        *compare_relations(relate_people(program), relate_people(reference)),
    ]
    return find_disagreements(comparisons, alarm=ALARM)


def test_demographics_agrees_with_the_reference() -> None:
    assert compare_demographics(patients=20_000) == []


@pytest.mark.verification
def test_demographics_agrees_with_the_reference_closely() -> None:
    """False alarms: at most 1e-4."""
    assert compare_demographics(patients=200_000) == []
