"""What a report says of a run, computed from its tables file by file: curves, incidences, entrants, examples."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...causal.model.model import Model, Variable
from ...causal.program.journeys import times
from ...simulate.cohort import Run

Array = NDArray[np.float64]
MOST_PATIENTS = 20_000  # of whom curves are drawn
MOST_CELLS = 30_000_000  # of one variable in memory: patients, worlds and times
MOST_TIMES = 121  # of a curve
FEWEST = 10  # people for a band
MOST_LEVELS = 6  # values of a number whose shares are told rather than its mean
BAND = (0.1, 0.9)


@dataclass(frozen=True, eq=False)  # each is itself: arrays have no one answer to ==
class Curve:
    """A variable over `times` (clock's unit), or the share of one `level`. `mean`, `low` and `high` (the 10th and 90th
    percentile; NaN for shares and fewer than ten people) and `count` are (worlds, times), over those with a value."""

    variable: Variable
    level: str
    share: bool
    times: Array
    mean: Array
    low: Array
    high: Array
    count: NDArray[np.int64]


@dataclass(frozen=True)
class Incidence:
    """The first occurrence of an event. By (worlds, times): how many have `had` it by then, and how many are `at_risk`
    after it, alive and without it. `occurrences` and how many of them are `recorded`, a number for each world."""

    event: Variable
    times: Array
    had: NDArray[np.int64]
    at_risk: NDArray[np.int64]
    occurrences: NDArray[np.int64]
    recorded: NDArray[np.int64]


@dataclass
class Static:
    """A recorded static of everybody in the first world: moments, and counts of values while there are few."""

    variable: Variable
    number: int = 0
    mean: float = 0.0
    squares: float = 0.0
    counts: Counter[str | float] | None = field(default_factory=Counter)

    @property
    def deviation(self) -> float:
        return math.sqrt(self.squares / (self.number - 1)) if self.number > 1 else 0.0


@dataclass(frozen=True)
class Timeline:
    """What happened to a patient in a world: values recorded by variable (of a level its place in order), and events
    as (time, name, recorded)."""

    values: dict[str, list[tuple[float, float]]]
    events: list[tuple[float, str, bool]]


@dataclass(frozen=True)
class Example:
    patient: int
    statics: dict[str, Any]
    timelines: tuple[Timeline, ...]


def name_worlds(run: Run) -> list[str]:
    return [str(world["name"]) for world in run.manifest["worlds"]]


def truth_times(run: Run) -> Array:
    """The times of the truth's rows."""
    return times(range(0, int(run.manifest["steps"]) + 1, int(run.manifest["every"])), model=run.model)


def count_followed(run: Run) -> int:
    """How many patients the curves rest on: the first ones, who are as good a sample as any."""
    cells = len(name_worlds(run)) * len(truth_times(run))
    return max(1, min(len(run), MOST_PATIENTS, MOST_CELLS // cells))


def follow(run: Run, variable: Variable) -> list[Curve]:
    """A variable's curve, or one for each level of a categorical one; none where it never has a value."""
    at, worlds, patients = truth_times(run), len(name_worlds(run)), count_followed(run)
    codes = _read_head(run, variable, patients * worlds * len(at)).reshape(patients, worlds, len(at))
    known = ~np.isnan(codes)
    rows = np.flatnonzero(known.any((0, 1)))
    if not len(rows):
        return []
    rows = rows[:: -(-len(rows) // MOST_TIMES)]
    if variable.levels:
        shares = [(level, np.where(known, codes == code, np.nan)) for code, level in enumerate(variable.levels)]
        return [_average(variable, level, share, rows, at, share=True) for level, share in shares]
    share = bool(np.isin(codes[known], (0.0, 1.0)).all())
    return [_average(variable, "", codes, rows, at, share=share)]


def _average(
    variable: Variable, level: str, values: NDArray[Any], rows: NDArray[np.int64], at: Array, *, share: bool
) -> Curve:
    shape = (values.shape[1], len(rows))
    mean, low, high = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    count = np.zeros(shape, np.int64)
    for world, place in np.ndindex(shape):
        column = values[:, world, rows[place]]
        column = column[~np.isnan(column)].astype(np.float64)
        count[world, place] = len(column)
        if len(column):
            mean[world, place] = column.mean()
        if len(column) >= FEWEST and not share:
            low[world, place], high[world, place] = np.quantile(column, BAND)
    return Curve(variable, level, share, at[rows], mean, low, high, count)


def _read_head(run: Run, variable: Variable, rows: int) -> NDArray[np.float32]:
    """The first `rows` values of a truth column, levels as their numbers, NaN for null; no more in memory."""
    values = np.empty(rows, np.float32)
    done = 0
    for column in _batches(run, variable.name):
        column = column[: rows - done]
        if variable.levels:
            column = pc.index_in(column.cast(pa.string()), value_set=pa.array(variable.levels))
        values[done : done + len(column)] = column.cast(pa.float32()).to_numpy(zero_copy_only=False)
        done += len(column)
        if done == rows:
            break
    return values


def _batches(run: Run, name: str) -> Iterator[pa.Array]:
    for shard in range(len(run.shards)):
        for batch in run.shards.batches("truth", shard, [name], size=2**17):
            yield batch.column(0)


def count_events(run: Run) -> list[Incidence]:
    """The incidence of every event, over all patients: exact counts, summed file by file.

    Everybody is followed to the horizon or to the end of the journey, so nothing is censored, and the Aalen-Johansen
    estimator (Scand J Statist 1978; 5:141-150) of the cumulative incidence with the end as a competing event is the
    plain share `had` / patients.
    """
    model, worlds, steps = run.model, name_worlds(run), int(run.manifest["steps"])
    at = times(sorted({*range(0, steps, -(-steps // (MOST_TIMES - 1))), steps}), model=model)
    by = at + 1e-4 * model.clock.dt  # the dates are float32
    events = [variable for variable in model.variables.values() if variable.kind == "event"]
    enders = [event.name for event in events if event.ends == "journey"]
    shape = (len(worlds), len(at))
    found = [
        Incidence(e, at, np.zeros(shape, np.int64), np.full(shape, len(run)), *np.zeros((2, len(worlds)), np.int64))
        for e in events
    ]
    for table in run.parts("events"):
        patient, date, recorded = (table.column(name).to_numpy() for name in ("patient", "time", "recorded"))
        world = _codes(table.column("world"), worlds)
        name = _codes(table.column("event"), [event.name for event in events])
        ends = np.isin(name, [code for code, event in enumerate(events) if event.name in enders])
        for code, incidence in enumerate(found):
            for w in range(len(worlds)):
                here = world == w
                mine = here & (name == code)
                incidence.had[w] += _first_by(patient[mine], date[mine], by)
                leaves = here & ((name == code) | ends)
                incidence.at_risk[w] -= _first_by(patient[leaves], date[leaves], by)
                incidence.occurrences[w] += mine.sum()
                incidence.recorded[w] += recorded[mine].sum()
    return found


def _codes(column: pa.ChunkedArray, names: list[str]) -> NDArray[np.int64]:
    found = pc.index_in(column.cast(pa.string()), value_set=pa.array(names, pa.string()))
    return np.asarray(found.to_numpy(), dtype=np.int64)


def _first_by(patient: NDArray[np.int64], date: Array, by: Array) -> NDArray[np.int64]:
    """How many patients have a date by each time; rows are sorted by patient, then date."""
    first = np.r_[True, patient[1:] != patient[:-1]] if len(patient) else np.zeros(0, bool)
    reached: NDArray[np.int64] = np.searchsorted(np.sort(date[first]), by, side="right")
    return reached


def describe_entrants(run: Run) -> list[Static]:
    """The recorded statics of everybody in the first world. Files' moments are merged as in Chan, Golub & LeVeque 1983
    (The American Statistician 37:242)."""
    found = [Static(v) for v in run.model.variables.values() if v.kind == "static" and v.recorded]
    for table in run.parts("patients"):
        table = table.filter(pc.equal(table.column("world").cast(pa.string()), name_worlds(run)[0]))
        for static in found:
            _add(static, table.column(static.variable.name))
    return found


def _add(static: Static, column: pa.ChunkedArray) -> None:
    if static.variable.levels:
        assert static.counts is not None
        static.counts.update(column.cast(pa.string()).to_pylist())
        static.number += len(column)
        return
    values = column.cast(pa.float64()).to_numpy()
    if static.counts is not None:
        distinct, numbers = np.unique(values, return_counts=True)
        static.counts.update(dict(zip(distinct.tolist(), numbers.tolist(), strict=True)))
        if len(static.counts) > MOST_LEVELS:
            static.counts = None
    total, mean = static.number + len(values), float(values.mean())
    shift = mean - static.mean
    static.squares += float(((values - mean) ** 2).sum()) + shift**2 * static.number * len(values) / total
    static.mean += shift * len(values) / total
    static.number = total


def pick_examples(run: Run, count: int = 3) -> list[Example]:
    """The first patients by number."""
    worlds = name_worlds(run)
    chosen: list[int] = []
    for shard in range(len(run.shards)):
        chosen += run.shards.patients(shard)[: count - len(chosen)].tolist()
        if len(chosen) == count:
            break
    rows, record, events = (run.shards.select(name, chosen).to_pylist() for name in ("patients", "record", "events"))
    examples = []
    for patient in chosen:
        timelines = []
        for world in worlds:
            values: dict[str, list[tuple[float, float]]] = {}
            for row in record:
                if (row["patient"], row["world"]) == (patient, world):
                    values.setdefault(row["variable"], []).append((row["time"], _read_value(row, run.model)))
            mine = [row for row in events if (row["patient"], row["world"]) == (patient, world)]
            timelines.append(Timeline(values, [(row["time"], row["event"], row["recorded"]) for row in mine]))
        first = next(row for row in rows if row["patient"] == patient)
        statics = {name: value for name, value in first.items() if name not in ("patient", "world")}
        examples.append(Example(patient, statics, tuple(timelines)))
    return examples


def _read_value(row: Mapping[str, Any], model: Model) -> float:
    if row["level"] is None:
        return float(row["value"])
    return float(model.variables[row["variable"]].levels.index(row["level"]))
