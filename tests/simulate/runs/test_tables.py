"""The tables against a plain loop over the journeys, and what may never be in them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch

from nosograph.causal.model.load import load_model
from nosograph.causal.model.world import FACTUAL, parse_world
from nosograph.causal.program.journeys import Journeys
from nosograph.causal.program.sampling import sample
from nosograph.simulate.runs.tables import Layout, build_tables

MODEL = load_model(Path(__file__).parents[2] / "models" / "core_everything.yaml")
PEOPLE = 120
NUMBERS = torch.arange(3_000, 3_000 + PEOPLE)
WORLDS = (FACTUAL, parse_world("w: dose = 1 from 6 months; frailty *= 2", model=MODEL))


@pytest.fixture(scope="module")
def journeys() -> Journeys:
    return sample(MODEL, patients=NUMBERS, worlds=WORLDS)


@pytest.fixture(scope="module")
def tables(journeys: Journeys) -> dict[str, pa.Table]:
    return build_tables(journeys, model=MODEL)


def at(value: torch.Tensor, world: int) -> torch.Tensor:
    return value[min(world, len(value) - 1)]


def shown(value: torch.Tensor, name: str) -> Any:
    """One value as the tables have it."""
    variable = MODEL.variables[name]
    if value.dtype.is_floating_point and math.isnan(float(value)):
        return None
    if variable.levels:
        return variable.levels[int(value)]
    return bool(value) if value.dtype == torch.bool else pytest.approx(float(value), nan_ok=True)


def test_truth_is_what_a_plain_loop_finds(journeys: Journeys, tables: dict[str, pa.Table]) -> None:
    rows = iter(tables["truth"].to_pylist())
    for i in range(PEOPLE):
        for w, world in enumerate(WORLDS):
            end = int(at(journeys.ended, w)[i])
            for k in range(MODEL.clock.steps + 1):
                row = next(rows)
                assert (row["patient"], row["world"]) == (3_000 + i, world.name)
                assert row["time"] == pytest.approx(k / 12, abs=1e-8)
                for name, variable in MODEL.variables.items():
                    steps = (0,) if variable.kind == "static" else journeys.steps[name]
                    lives = k < end or (k == end and variable.kind == "event")
                    index = 0 if variable.kind == "static" else list(steps).index(k) if k in steps else None
                    value = at(journeys.values[name], w)[index, i] if index is not None and lives else None
                    assert row[name] == (None if value is None else shown(value, name)), (name, k, end)
    assert next(rows, None) is None


def test_the_record_is_what_a_plain_loop_finds(journeys: Journeys, tables: dict[str, pa.Table]) -> None:
    expected = []
    for i in range(PEOPLE):
        for w, world in enumerate(WORLDS):
            until = min(int(at(journeys.ended, w)[i]), int(at(journeys.closed, w)[i]))
            for k in range(min(until, MODEL.clock.steps + 1)):
                for name, variable in MODEL.variables.items():
                    if variable.kind == "measurement" and k in journeys.steps[name]:
                        row = journeys.steps[name].index(k)
                        if bool(at(journeys.recorded[name], w)[row, i]):
                            value = float(at(journeys.values[name], w)[row, i])
                            told = (None, variable.levels[int(value)]) if variable.levels else (value, None)
                            expected.append((3_000 + i, world.name, k, name, *told))
                    if variable.kind == "treatment":
                        path = at(journeys.values[name], w)[:, i]
                        if k == 0 or path[k] != path[k - 1]:
                            expected.append((3_000 + i, world.name, k, name, float(path[k]), None))
    found = [
        (row["patient"], row["world"], round(row["time"] * 12), row["variable"], row["value"], row["level"])
        for row in tables["record"].to_pylist()
    ]
    assert found == expected
    assert {row[-1] for row in found} == {None, "low", "middle", "high"}
    assert pa.types.is_dictionary(tables["record"].schema.field("level").type)


def test_nothing_is_recorded_after_the_end(journeys: Journeys, tables: dict[str, pa.Table]) -> None:
    record, events = tables["record"].to_pandas(), tables["events"].to_pandas()
    fatal = events[events["event"].isin(["heart", "other_death"])]
    assert len(fatal) > 10
    assert not fatal.duplicated(["patient", "world"]).any(), "a patient dies once"
    died = fatal.set_index(["patient", "world"])["time"]
    for table in (record, events):
        keys = list(zip(table["patient"], table["world"], strict=True))
        end = [died.get(key, math.inf) for key in keys]
        assert (table["time"] <= [e + 1e-5 for e in end]).all()
    left = events[events["event"] == "dropout"].set_index(["patient", "world"])["time"]
    assert len(left) > 5
    for row in record.itertuples():
        assert row.time <= left.get((row.patient, row.world), math.inf) + 1e-5
    for row in events.itertuples():
        assert row.recorded == (row.time <= left.get((row.patient, row.world), math.inf)), "by the instants"
    same_step = [
        row
        for row in events.itertuples()
        if 0 < row.time - left.get((row.patient, row.world), math.inf) < 1 / 12 - 1e-4 and not row.recorded
    ]
    assert same_step, "some events follow a dropout within its step"


def test_statics_and_units(tables: dict[str, pa.Table]) -> None:
    patients = tables["patients"].to_pandas()
    assert list(patients.columns) == ["patient", "world", "age", "sex", "carrier"], "frailty is not recorded"
    assert len(patients) == 2 * PEOPLE
    assert set(patients["sex"]) == {"female", "male", "other"}


def test_truth_can_be_thinned(journeys: Journeys, tables: dict[str, pa.Table]) -> None:
    thin = build_tables(journeys, model=MODEL, layout=Layout(keep=("burden", "stage", "heart"), every=6))
    assert thin["truth"].column_names == ["patient", "world", "time", "burden", "stage", "heart"]
    whole = tables["truth"].select(thin["truth"].column_names).to_pandas()
    whole = whole[(whole["time"] * 12).round() % 6 == 0].reset_index(drop=True)
    assert thin["truth"].to_pandas().equals(whole)
    for name in ("patients", "record", "events"):
        assert thin[name].equals(tables[name])


def test_events_are_dated_within_their_step(tables: dict[str, pa.Table], journeys: Journeys) -> None:
    events = tables["events"].to_pandas()
    assert events["time"].between(0, MODEL.clock.horizon).all()
    flares = events[(events["event"] == "flare") & (events["world"] == "factual")]
    on_the_grid = (flares["time"] * 12 - (flares["time"] * 12).round()).abs() < 1e-4
    assert on_the_grid.mean() < 0.02, "hazards are dated within the step"
    ordered = events.sort_values(["patient", "time"], kind="stable")
    for _, group in ordered.groupby(["patient", "world"], observed=True):
        assert group["time"].is_monotonic_increasing
