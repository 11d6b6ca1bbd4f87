"""Sepsis: counterfactuals of categories, and the model against a second writing of it in NumPy.

Each comparison of samples raises a false alarm with a probability of at most ALARM. The seeds are 0, 1 and 2, and were
not chosen.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from nosograph.causal.families.categorical import Categorical
from nosograph.causal.model.load import load_model as load_anew
from nosograph.causal.model.world import FACTUAL, parse_world
from nosograph.causal.program.sampling import sample
from nosograph.simulate.entrants import select_entrants
from nosograph.simulate.runs.tables import build_tables

from . import reference_sepsis as reference
from .agreement import Columns, compare_columns, find_disagreements, select_strata
from .reference_sepsis import CHARTED, LEVELS, TREATMENTS, Sepsis, find_transitions

ALARM = 1e-4
PATIENTS = 10_000
HOURS = 24
SEEN = (0, 1, 2, 6, 23)  # hours at which values are compared
WORLDS = ("factual", "ventilation = 1", "vasopressors = 0", "antibiotics = 1; vasopressors = 1")
load_model = cache(load_anew)


@cache
def draw_journeys():
    """Twins in all WORLDS, 24 hours of them, by the numbers of those who enter."""
    model = load_model("sepsis")
    worlds = [
        FACTUAL if text == "factual" else parse_world(f"w{i}: {text}", model=model) for i, text in enumerate(WORLDS)
    ]
    (entrants,) = select_entrants(model, count=PATIENTS, seed=0)
    return sample(model, patients=entrants.numbers, worlds=worlds, steps=HOURS)


def values_of(name, world):
    """(hours, patients); what no intervention reached is the same in all worlds."""
    values = draw_journeys().values[name]
    return values[world if len(values) > 1 else 0].numpy().astype(np.int64)


@cache
def find_weights(world):
    """Vital sign -> the weights of its levels in hours 1 to 24 of a world, (hours, patients, levels), from the NumPy
    matrices and the world's own past."""
    names = ("diabetes", *LEVELS, *TREATMENTS)
    held = {name: values_of(name, world) for name in names}
    held["diabetes"] = np.broadcast_to(held["diabetes"], held["oxygen"].shape)
    weights = {vital: [] for vital in LEVELS}
    for hour in range(1, HOURS + 1):
        last = {name: values[hour - 1] for name, values in held.items()}
        before = {name: values[max(hour - 2, 0)] for name, values in held.items()}
        for vital in LEVELS:
            moves = find_transitions(Sepsis(), vital, last, before)
            weights[vital].append(moves[np.arange(len(moves)), last[vital]])
    return {vital: np.stack(rows) for vital, rows in weights.items()}


def count_unstable(values, twins, weights, twin_weights):
    """How many twins differ, and how many of those contradict counterfactual stability (Oberst & Sontag 2019,
    definition 1): i became j although the odds of i rose at least as much, p'(i) / p(i) >= p'(j) / p(j)."""

    def at(table, level):
        return np.take_along_axis(table, level[..., None], axis=-1)[..., 0]

    differ = values != twins
    gain_of_i = at(twin_weights, values) * at(weights, twins)
    gain_of_j = at(twin_weights, twins) * at(weights, values)
    return differ.sum(), (differ & (gain_of_i >= gain_of_j * (1 + 1e-6) + 1e-9)).sum()


@pytest.mark.parametrize("world", range(1, len(WORLDS)))
def test_counterfactuals_are_stable(world):
    weights, twin_weights = find_weights(0), find_weights(world)
    changed = 0
    for vital in LEVELS:
        values, twins = values_of(vital, 0)[1:], values_of(vital, world)[1:]
        differ, unstable = count_unstable(values, twins, weights[vital], twin_weights[vital])
        assert unstable == 0, vital
        changed += differ
    assert changed > 5_000


def test_another_coupling_is_unstable():
    """The check can fail: noise of its own for each world gives the same distributions, and is not stable."""
    rng = np.random.default_rng(0)
    unstable = 0
    for vital in LEVELS:
        weights, twin_weights = find_weights(0)[vital], find_weights(3)[vital]
        values, twins = (
            np.minimum((rng.random((HOURS, PATIENTS, 1)) > w.cumsum(axis=-1)).sum(axis=-1), LEVELS[vital] - 1)
            for w in (weights, twin_weights)
        )
        unstable += count_unstable(values, twins, weights, twin_weights)[1]
    assert unstable > 5_000


def test_drawn_levels_have_their_weights():
    """Given the past, the share of each level is its weight, and the impossible never happens."""
    found, expected = {}, {}
    for vital, weights in find_weights(0).items():
        values = values_of(vital, 0)[1:]
        assert (np.take_along_axis(weights, values[..., None], axis=-1) > 0).all(), vital
        for level in range(LEVELS[vital]):
            hits = (values == level).astype(np.float64) - weights[..., level]  # a martingale: zero on average
            scale = np.sqrt((weights[..., level] * (1 - weights[..., level])).sum())
            found[vital, level], expected[vital, level] = hits.sum() / scale, 0.0
    limit = 4.9  # of 13 standard normals, one beyond it in a run of 80,000
    assert max(abs(z) for z in found.values()) < limit, found


TRANSITIONS = {  # vital sign: observed level, weights as they were and as they would have been
    "pressure rose on vasopressors": (1, (0.55, 0.45, 0.0), (0.95, 0.05, 0.0)),
    "oxygen fell": (0, (0.12, 0.88), (0.02, 0.98)),
    "glucose went up": (3, (0.0, 0.1, 0.5, 0.4, 0.0), (0.0, 0.1, 0.8, 0.1, 0.0)),
    "nearly anything": (0, (0.1, 0.2, 0.3, 0.25, 0.15), (0.05, 0.4, 0.05, 0.2, 0.3)),
}


@pytest.mark.parametrize("name", TRANSITIONS)
def test_posterior_against_rejection(name):
    """What would have been, given what was: posterior noise, against prior noise kept where it agrees."""
    observed, weights, other = TRANSITIONS[name]
    family, rng = Categorical(), torch.Generator().manual_seed(1)
    prior = torch.rand(len(weights), 400_000, generator=rng, dtype=torch.float64).clamp(min=1e-12)
    kept = prior[:, family.push(prior, *weights) == observed]
    fresh = torch.rand(kept.shape, generator=rng, dtype=torch.float64).clamp(min=1e-12)
    drawn = family.draw_consistent(fresh, torch.tensor(observed), *weights)
    assert bool((family.push(drawn, *weights) == observed).all())
    columns = []
    for noise in (kept, drawn):
        would_be = family.push(noise, *other).numpy()
        columns.append({f"level {k}": (would_be == k).astype(np.float64) for k in range(len(weights))})
        columns[-1] |= {f"noise {k}": noise[k].numpy() for k in range(len(weights))}
    assert find_disagreements(compare_columns(*columns), alarm=ALARM) == []
    assert sum(column.mean() > 0 for label, column in columns[0].items() if label.startswith("level")) > 1


def test_an_observed_level_stays_where_its_odds_rise():
    """Oberst & Sontag's corollary: if only the observed level's weight rises, it would have been the same."""
    family, rng = Categorical(), torch.Generator().manual_seed(2)
    fresh = torch.rand(3, 10_000, generator=rng)
    drawn = family.draw_consistent(fresh, torch.tensor(1), 0.5, 0.3, 0.2)
    assert bool((family.push(drawn, 0.5, 0.9, 0.2) == 1).all())
    assert not bool((family.push(drawn, 0.5, 0.2, 0.2) == 1).all())


def test_twins_share_what_no_intervention_reaches():
    """Ventilation reaches oxygen and what follows; the rest is the same bit for bit, and so is a patient alone."""
    model, twins = load_model("sepsis"), draw_journeys()
    for name in (
        "diabetes",
        "heart_rate",
        "systolic_bp",
        "glucose",
        "heart_rate_charted",
        "antibiotics",
        "vasopressors",
    ):
        np.testing.assert_array_equal(values_of(name, 0), values_of(name, 1), err_msg=name)
    assert (values_of("oxygen", 0) != values_of("oxygen", 1)).sum() > 500
    few = twins.patients[[3, 777, 9_999]]
    alone = sample(model, patients=few, worlds=[parse_world("same: ventilation += 0", model=model)], steps=HOURS)
    for name, values in alone.values.items():
        together = twins.values[name][0][:, [3, 777, 9_999]]
        assert torch.equal(values[0].to(together.dtype).nan_to_num(-1), together.nan_to_num(-1)), name


def test_setting_what_happened_changes_nothing():
    """One patient, every treatment set hour by hour to what it was."""
    model, twins = load_model("sepsis"), draw_journeys()
    patient = 5
    given = {name: values_of(name, 0)[:, patient] for name in TREATMENTS}
    schedule = "; ".join(f"{n} = {v} at {h} hours" for n, row in given.items() for h, v in enumerate(row))
    world = parse_world(f"as it was: {schedule}", model=model)
    again = sample(model, patients=twins.patients[[patient]], worlds=[world], steps=HOURS)
    for name in (*LEVELS, "death", "discharge", *TREATMENTS):
        np.testing.assert_array_equal(again.values[name][0, :, 0].numpy(), values_of(name, 0)[:, patient], err_msg=name)


def tabulate(held, death, discharge) -> Columns:
    """Shares of levels, of the living at some hours, the chart, treatments within strata, and how journeys end."""
    ended = np.minimum(death, discharge)
    columns: Columns = {
        f"{name} by {hour}": (when <= hour).astype(np.float64)
        for name, when in (("death", death), ("discharge", discharge))
        for hour in (1, 2, 6, 12, HOURS)
    }
    columns["diabetes"] = held["diabetes"][0].astype(np.float64)
    columns["hour of the end"] = np.minimum(ended, HOURS + 1).astype(np.float64)
    for hour in SEEN:
        alive = np.where(ended > hour, 1.0, np.nan)
        for vital in LEVELS:
            for level in range(LEVELS[vital]):
                columns[f"{vital} is {level} @ {hour}"] = (held[vital][hour] == level) * alive
        for vital in CHARTED:
            wrong = held[f"{vital} charted"][hour] != held[vital][hour]
            columns[f"{vital} is not as charted @ {hour}"] = wrong * alive
        for name in TREATMENTS:
            columns[f"{name} @ {hour}"] = held[name][hour] * alive
            strata = {
                f"diabetes {d}, {vital} charted {level}": (held["diabetes"][0] == d)
                & (held[f"{vital} charted"][hour] == level)
                & (ended > hour)
                for d in (0, 1)
                for vital, level in (("systolic_bp", 0), ("systolic_bp", 1), ("oxygen", 0), ("heart_rate", 2))
            }
            columns |= select_strata(columns, f"{name} @ {hour}", strata)
    return columns


def tabulate_program(world) -> Columns:
    journeys = draw_journeys()
    held = {name: values_of(name, world) for name in (*LEVELS, *TREATMENTS, "diabetes")}
    for vital in CHARTED:
        name = f"{vital}_charted"
        read, kept = values_of(name, world), journeys.recorded[name]
        kept = kept[world if len(kept) > 1 else 0].numpy()
        hours = np.maximum.accumulate(np.where(kept, np.arange(HOURS + 1)[:, None], 0), axis=0)
        held[f"{vital} charted"] = np.take_along_axis(read, hours, axis=0)
    ends = []
    for name in ("death", "discharge"):
        happened = values_of(name, world)
        ends.append(np.where(happened.any(axis=0), happened.argmax(axis=0), reference.NEVER))
    return tabulate(held, *ends)


@pytest.mark.parametrize(
    ("world", "fixed"), [(0, {}), (1, {"ventilation": 1}), (3, {"antibiotics": 1, "vasopressors": 1})]
)
def test_agrees_with_numpy(world, fixed):
    program = tabulate_program(world)
    drawn = reference.simulate(Sepsis(), candidates=14_500, hours=HOURS, rng=np.random.default_rng(0), fixed=fixed)
    assert find_disagreements(compare_columns(program, tabulate(*drawn)), alarm=ALARM) == []


@pytest.mark.parametrize("name", ["worsening", "antibiotics_on_heart_rate", "misread", "begin_indicated", "caution"])
def test_a_wrong_number_is_seen(name):
    """The comparison can fail: one parameter half of what it is."""
    wrong = replace(Sepsis(), **{name: getattr(Sepsis(), name) / 2})
    drawn = reference.simulate(wrong, candidates=14_500, hours=HOURS, rng=np.random.default_rng(0))
    assert find_disagreements(compare_columns(tabulate_program(0), tabulate(*drawn)), alarm=ALARM)


def test_nobody_dies_after_going_home():
    """The tables that a user gets: at most one end each, and nothing after it."""
    model = load_model("sepsis")
    tables = build_tables(draw_journeys(), model=model)
    events = tables["events"].to_pandas()
    ends = events[events["event"].isin(["death", "discharge"])]
    assert not ends.duplicated(["patient", "world"]).any()
    record = (
        tables["record"]
        .to_pandas()
        .merge(ends[["patient", "world", "time"]], on=["patient", "world"], suffixes=("", " of the end"))
    )
    assert (record["time"] < record["time of the end"]).all()
    charted = record["variable"].isin([f"{vital}_charted" for vital in CHARTED])
    assert set(record["level"][charted]) == {"low", "normal", "high"}
    assert set(record["value"][~charted]) == {0.0, 1.0}
    assert record["value"][charted].isna().all()
    assert record["level"][~charted].isna().all()
    hours = ends["time"]
    assert (hours == hours.round()).all()  # conditions happen at the end of their step
    assert ends["recorded"].all()
