"""Patients as exports tell of them: what a run holds of each in one world by the last encounter, shard by shard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...causal.model.duration import TOLERANCE
from ...causal.model.model import Model, Variable
from ...errors import fail
from ...simulate.cohort import Run
from ...simulate.listing.phenotypes import ModelPhenotypes
from ...simulate.runs.tables import LISTING

PATIENTS_AT_ONCE = 500


@dataclass(frozen=True)
class RecordedMeasurement:
    """One measurement on record, a number or a level. `time` is in the clock's unit, since entry."""

    variable: str
    time: float
    value: float | str


@dataclass(frozen=True)
class PatientSummary:
    """A patient (by `number`) up to the last `encounter`. Times are in the clock's unit, since entry.

    `onsets`: of each phenotype that was ever present, when it was first; `examined`: those that were measured, and
    never found; `written`: what a clinic wrote (concept, the variable that it stands for or ""), None without a clinic.
    `death`: when, if the record holds it; `lost`: whether the record ended before.
    """

    number: int
    statics: Mapping[str, Any]
    encounter: float
    onsets: Mapping[str, float]
    examined: tuple[str, ...]
    measured: tuple[RecordedMeasurement, ...]
    written: tuple[tuple[str, str], ...] | None
    death: float | None
    lost: bool


def summarize_patients(
    run: Run, *, world: str, phenotypes: ModelPhenotypes, patients: Sequence[int], at: float | None = None
) -> Iterator[PatientSummary]:
    """`patients`, by number, as they were by `at` (clock's unit; by default, by the end of their records).

    No more than one shard's record and the truth of some hundred patients are in memory at once. Raises NosographError
    where the run's truth leaves out a phenotype.
    """
    _require(run, phenotypes)
    with_listing = LISTING in run.manifest["rows"]
    chosen = np.array(sorted(patients), dtype=np.int64)
    values = ["patient", "world", "time", "variable", "value", "level"]
    for shard in run.shards.find(chosen):
        numbers = np.intersect1d(run.shards.patients(shard), chosen)
        recorded = _split(run.shards.read("patients", shard), world, numbers)
        record = _split(run.shards.read("record", shard, values), world, numbers)
        events = _split(run.shards.read("events", shard), world, numbers)
        listing = _split(run.shards.read(LISTING, shard), world, numbers) if with_listing else None
        for batch in _read_truth(run, shard, phenotypes):
            for patient, statics, times, present in _unfold(run, batch, world, phenotypes, set(numbers.tolist())):
                yield summarize_patient(
                    *(run.model, patient, {**recorded[patient][0], **statics}, times, present),
                    phenotypes=phenotypes,
                    at=at,
                    record=record.get(patient, []),
                    events=events.get(patient, []),
                    listing=listing.get(patient, []) if listing is not None else None,
                )


def summarize_patient(
    model: Model,
    number: int,
    statics: Mapping[str, Any],
    times: NDArray[np.float64],
    present: NDArray[np.bool_],
    *,
    phenotypes: ModelPhenotypes,
    at: float | None,
    record: Sequence[Mapping[str, Any]],
    events: Sequence[Mapping[str, Any]],
    listing: Sequence[Mapping[str, Any]] | None,
) -> PatientSummary:
    """One patient, out of the rows of the tables. `present`: (steps, terms), at `times`."""
    slack = TOLERANCE * model.clock.dt
    limit = np.inf if at is None else at + slack
    ends = {event["event"]: model.variables[event["event"]].ends for event in events}
    closing = [e for e in events if ends[e["event"]] == "journey" or (ends[e["event"]] == "record" and e["recorded"])]
    close = min((e["time"] for e in closing), default=np.inf)
    kept = (times <= limit) & (times < close)
    encounter = float(times[kept][-1])
    seen = present[kept]
    found = np.flatnonzero(seen.any(0))
    rows = [row for row in record if row["time"] <= encounter + slack]
    onsets = {
        phenotypes.names[i]: date_onset(model, phenotypes.names[i], float(times[seen[:, i].argmax()]), statics)
        for i in found
    }
    values: dict[str, list[float | str]] = {}
    for row in rows:
        values.setdefault(model.variables[row["variable"]].of, []).append(_told(row))
    examined = (n for n in phenotypes.names if n not in onsets and n in values and not any(values[n]))
    deaths = [e["time"] for e in closing if ends[e["event"]] == "journey" and e["recorded"] and e["time"] <= limit]
    written = [(r["concept"], r["variable"] or "") for r in listing or () if r["concept"]]
    return PatientSummary(
        number=number,
        statics=statics,
        encounter=encounter,
        onsets={name: min(time, encounter) for name, time in onsets.items()},
        examined=tuple(examined),
        measured=tuple(RecordedMeasurement(r["variable"], r["time"], _told(r)) for r in rows),
        written=tuple(dict.fromkeys(written)) if listing is not None else None,
        death=min(deaths, default=None),
        lost=not deaths and bool(closing) and close <= limit,
    )


def _told(row: Mapping[str, Any]) -> float | str:
    """The number or the level of a row of the record."""
    told: float | str = row["value"] if row["level"] is None else row["level"]
    return told


def date_onset(model: Model, name: str, first: float, statics: Mapping[str, Any]) -> float:
    """When a phenotype began that was first seen at `first`: the age at onset that its mechanism reads (a static named
    `onset` or `…_onset`), where that lies within a step of it."""
    ages = (statics.get(n) for n in find_onsets(model.variables[name], model))
    exact = {age for age in ages if isinstance(age, float) and abs(age - first) < model.clock.dt}
    return max(exact.pop(), 0.0) if len(exact) == 1 else first


def find_onsets(variable: Variable, model: Model) -> list[str]:
    """The ages at onset that a variable reads."""
    names = sorted({read.name for read in variable.reads})
    statics = [name for name in names if name in model.variables and model.variables[name].kind == "static"]
    return [name for name in statics if name == "onset" or name.endswith("_onset")]


def _require(run: Run, phenotypes: ModelPhenotypes) -> None:
    held = set(run.truth_columns())
    missing = next((name for name in phenotypes.names if name not in held), None)
    if missing:
        raise fail("the run's truth was not kept whole", value=missing, fix="the same run without --keep")


def _split(table: pa.Table, world: str, numbers: NDArray[np.int64]) -> dict[int, list[dict[str, Any]]]:
    """A table's rows of one world, by patient."""
    own = table.filter(pc.and_(pc.equal(table["world"], world), pc.is_in(table["patient"], pa.array(numbers))))
    rows: dict[int, list[dict[str, Any]]] = {}
    for row in own.drop_columns(["world"]).to_pylist():
        rows.setdefault(row.pop("patient"), []).append(row)
    return rows


def _read_truth(run: Run, shard: int, phenotypes: ModelPhenotypes) -> Iterator[pa.Table]:
    """A shard's truth in batches of whole patients: the phenotypes and the statics."""
    statics = [name for name in run.truth_columns() if run.model.variables[name].kind == "static"]
    size = PATIENTS_AT_ONCE * _rows_each(run)
    waiting: list[pa.RecordBatch] = []
    columns = ["patient", "time", *phenotypes.names, *statics]
    for part in run.shards.batches("truth", shard, columns, size=size):
        waiting.append(part)
        while sum(len(p) for p in waiting) >= size:
            held = pa.Table.from_batches(waiting).unify_dictionaries()
            yield held.slice(0, size)
            waiting = held.slice(size).to_batches()
    if sum(len(p) for p in waiting):
        yield pa.Table.from_batches(waiting).unify_dictionaries()


def _rows_each(run: Run) -> int:
    return len(run.manifest["worlds"]) * len(range(0, run.manifest["steps"] + 1, run.manifest["every"]))


def _unfold(
    run: Run, batch: pa.Table, world: str, phenotypes: ModelPhenotypes, chosen: set[int]
) -> Iterator[tuple[int, dict[str, Any], NDArray[np.float64], NDArray[np.bool_]]]:
    """Each chosen patient's number, statics, times, and phenotypes (steps, terms): the truth is a whole grid."""
    worlds = [held["name"] for held in run.manifest["worlds"]]
    steps = _rows_each(run) // len(worlds)
    starts = np.arange(batch.num_rows // _rows_each(run)) * _rows_each(run) + worlds.index(world) * steps
    times = batch.column("time").slice(0, steps).to_numpy()
    present = np.zeros((len(starts), steps, len(phenotypes)), dtype=bool)
    for index, name in enumerate(phenotypes.names):
        values = np.asarray(pc.fill_null(pc.cast(batch.column(name), pa.float32()), 0).to_numpy())
        present[:, :, index] = values.reshape(-1, len(worlds), steps)[:, worlds.index(world)] > 0
    first = batch.take(pa.array(starts)).drop_columns(["time", *phenotypes.names]).to_pylist()
    for index, statics in enumerate(first):
        patient = statics.pop("patient")
        if patient in chosen:
            yield patient, statics, times, present[index]
