"""Cohorts in memory: the same as on disk, and refused where they cannot be."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray

import nosograph as ng
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model, Variable
from nosograph.errors import NosographError
from nosograph.simulate.cohort import Cohort, choose_steps, choose_worlds, open_run, simulate, simulate_to

MODEL = load_model(Path(__file__).parents[1] / "models" / "core_everything.yaml")
TABLES = ("patients", "record", "events", "truth")


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return simulate(MODEL, patients=300, worlds={"dosed": "dose = 1 from 6 months; flare = 0"}, where="age >= 60")


def test_what_is_saved_is_what_is_in_memory(cohort: Cohort, tmp_path: Path) -> None:
    summary = cohort.save(tmp_path / "run", shard_size=77)
    run = open_run(tmp_path / "run")
    assert len(run) == len(cohort) == summary.patients == 300
    assert summary.drawn == cohort.drawn
    for name in TABLES:
        assert run.table(name).equals(cohort.table(name).cast(run.table(name).schema)), name
    xarray.testing.assert_identical(run.truth, cohort.truth)
    assert "300" in repr(run)
    assert "dosed" in repr(cohort)


def test_it_is_what_the_command_writes(cohort: Cohort, tmp_path: Path) -> None:
    saved = cohort.save(tmp_path / "saved")
    written = simulate_to(
        MODEL,
        tmp_path / "written",
        patients=300,
        worlds=["dosed: dose = 1 from 6 months; flare = 0"],
        where="age >= 60",
    )
    assert saved.dataset_sha256 == written.dataset_sha256
    for path in (tmp_path / "saved").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "written" / path.relative_to(tmp_path / "saved")).read_bytes(), path


def test_truth_is_a_cube_with_the_tables_values(cohort: Cohort) -> None:
    truth = cohort.truth
    assert truth["burden"].dims == ("world", "patient", "time")
    assert truth["burden"].shape == (2, 300, MODEL.clock.steps + 1)
    assert truth["time"].attrs["units"] == "year"
    table = cohort.table("truth").to_pandas()
    for world, patient in itertools.product(("factual", "dosed"), truth["patient"].to_numpy()[:5]):
        rows = table[(table["world"] == world) & (table["patient"] == patient)]
        found = truth.sel(world=world, patient=patient)
        for name, variable in MODEL.variables.items():
            expected = np.array([read_cell(value, variable) for value in rows[name].astype(object)])
            if variable.kind == "static":  # the table has none after the end of the journey
                values = np.where(np.isnan(expected), np.nan, read_cell(found[name].item(), variable))
            else:
                values = found[name].to_numpy().astype(float)
                values = np.where(values < 0, np.nan, values) if variable.levels else values
            np.testing.assert_array_equal(values, expected, err_msg=name)


def read_cell(value: Any, variable: Variable) -> float:
    if value is None or value != value:
        return math.nan
    return float(variable.levels.index(value)) if variable.levels else float(value)


def test_truth_is_compact(cohort: Cohort) -> None:
    """Statics have no time, and nothing is a Python object."""
    for name, values in cohort.truth.data_vars.items():
        variable = MODEL.variables[name]
        assert values.dims == (("world", "patient") if variable.kind == "static" else ("world", "patient", "time")), (
            name
        )
        named = variable.kind == "static" and bool(variable.levels)
        assert values.dtype == ("<U6" if named else np.int8 if variable.levels else np.float32), name
        assert values.attrs.get("levels", []) == list(variable.levels), name
        assert (values.attrs.get("unit", ""), values.attrs.get("concept", "")) == (variable.unit, variable.concept)
    assert cohort.truth["flare"].isnull().any(), "the journey has ended for some"
    assert set(np.unique(cohort.truth["stage"])) == {-1, 0, 1, 2}
    assert set(np.unique(cohort.truth["sex"])) == {"female", "male", "other"}


def test_events_are_bool_where_no_journey_ends(make_model: Callable[..., Model]) -> None:
    model = make_model({"fall": {"kind": "event", "mechanism": "Hazard(2)"}}, steps=12)
    fall = simulate(model, patients=20).truth["fall"]
    assert fall.dtype == bool
    assert fall.any()
    assert not fall.all()


def test_truth_of_some_variables(tmp_path: Path) -> None:
    simulate_to(MODEL, tmp_path / "run", patients=7, keep=["sex", "burden"], every=6, shard_size=3)
    kept = open_run(tmp_path / "run").truth
    whole = simulate(MODEL, patients=7).truth
    xarray.testing.assert_identical(kept, whole[["sex", "burden"]].isel(time=slice(None, None, 6)))


def test_a_model_is_also_named_or_a_path(tmp_path: Path) -> None:
    """simulate, ask and verify take what `load` takes; verify a run's folder, too."""
    path = Path(__file__).parents[1] / "models" / "six.yaml"
    model = ng.load(path)
    xarray.testing.assert_identical(ng.simulate(str(path), patients=9).truth, ng.simulate(model, patients=9).truth)
    assert ng.simulate("sepsis", patients=2).model.id == "sepsis"
    effect = "treated -> severity @ 6 months"
    assert ng.ask(path, effect, patients=50) == ng.ask(model, effect, patients=50)
    keys = {"effects": "treated -> severity_rated @ 6 months", "truth_patients": 500}
    assert ng.verify(str(path), patients=500, **keys) == ng.verify(model, patients=500, **keys)
    simulate_to(model, tmp_path / "run", patients=500)
    assert ng.verify(tmp_path / "run", **keys) == ng.verify(open_run(tmp_path / "run"), **keys)
    with pytest.raises(NosographError, match="alzheimers"):
        ng.simulate("alzheimer", patients=1)


def test_the_world_is_intervened_in_by_do() -> None:
    plain = simulate(MODEL, patients=50, worlds={"w": "dose = 1"})
    done = simulate(MODEL, patients=50, do=["dose = 1"])
    assert [world.name for world in done.worlds] == ["intervened"]
    a = plain.truth["burden"].sel(world="w").to_numpy()
    assert np.array_equal(a, done.truth["burden"].sel(world="intervened").to_numpy(), equal_nan=True)


def test_a_shorter_run_is_the_beginning_of_a_longer_one() -> None:
    long = simulate(MODEL, patients=50).truth["burden"].to_numpy()
    short = simulate(MODEL, patients=50, years=0.5).truth["burden"].to_numpy()
    assert short.shape[-1] == 7
    assert np.array_equal(short, long[..., :7], equal_nan=True)


def test_seeds_make_other_people() -> None:
    a, b = (simulate(MODEL, patients=50, seed=seed).table("patients")["age"].to_pylist() for seed in (0, 1))
    assert not set(a) & set(b)


def test_threads_are_as_they_were() -> None:
    before = torch.get_num_threads()
    simulate(MODEL, patients=5)
    assert torch.get_num_threads() == before


BAD: dict[str, dict[str, Any]] = {
    "nobody": {"patients": 0},
    "fewer than nobody": {"patients": -5},
    "no years": {"years": 0},
    "past years": {"years": -1},
    "years beyond the horizon": {"years": 3},
    "years off the grid": {"years": 0.51},
    "years without end": {"years": math.inf},
    "years that are no number": {"years": math.nan},
    "unknown name in where": {"where": "agee > 60"},
    "nobody enters": {"where": "age > 500"},
    "unknown target": {"do": ["dos = 1"]},
    "world called factual": {"worlds": {"factual": "dose = 1"}},
    "world without interventions that parse": {"worlds": {"w": "dose"}},
}  # fmt: skip


@pytest.mark.parametrize("keys", BAD.values(), ids=BAD.keys())
def test_what_cannot_be_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(NosographError):
        simulate(MODEL, **{"patients": 10, **keys})


def test_two_worlds_of_one_name_are_refused() -> None:
    with pytest.raises(NosographError, match="one name"):
        choose_worlds(MODEL, worlds=["a: dose = 1", "a: dose = 0"], do=[])


def test_years_are_steps() -> None:
    assert [choose_steps(MODEL, years) for years in (None, 2.0, 1 / 12, 0.75)] == [24, 24, 1, 9]


def test_a_variable_to_keep_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(NosographError, match="burden"):
        simulate_to(MODEL, tmp_path / "run", patients=5, keep=["burdn"])
    assert not (tmp_path / "run").exists()


def test_a_folder_of_cohorts_names_its_first(tmp_path: Path) -> None:
    (tmp_path / "cohort-0").mkdir()
    with pytest.raises(NosographError) as error:
        open_run(tmp_path)
    assert error.value.problems[0].fix == str(tmp_path / "cohort-0")
