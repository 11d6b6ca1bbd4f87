"""One patient in one world, as recorded: what renderers render; and the journeys of a run, read batch by batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..causal.model.clock import steps_around, steps_at, time_of
from ..causal.model.model import Model
from ..simulate.cohort import Run


@dataclass(frozen=True)
class RecordedValue:
    """A row of the record. `value` is a level's name where the variable has levels."""

    variable: str
    step: int
    time: float  # in the clock's unit, since entry
    value: float | str


@dataclass(frozen=True)
class RecordedEvent:
    """A recorded event. `time` may lie within the step, whose end is `step`."""

    event: str
    step: int
    time: float


@dataclass(frozen=True)
class Journey:
    """One patient in one world, as recorded; `truth` (each variable at the steps `truth_steps`) only for renderers that
    ask for it.

    `rows` and `events` are in the order of time. No record is kept after `end`, which `ended_by` (an event, on record
    or not; empty where the run's last step came first) brought about.
    """

    patient: int
    world: str
    statics: Mapping[str, float | str]
    rows: tuple[RecordedValue, ...]
    events: tuple[RecordedEvent, ...]
    end: float
    ended_by: str = ""
    truth: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    truth_steps: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def covers(self, time: float) -> bool:
        """Whether the record is still kept at `time`: not in the instant that ends it."""
        return time < self.end or (time == self.end and not self.ended_by)


def read_journeys(
    run: Run, patients: Sequence[int], *, worlds: Sequence[str], truth: bool = False
) -> Iterable[Journey]:
    """The journeys of `patients` in `worlds`, by patient and then in the run's order of worlds.

    Reads what the run's files hold of these patients, and no more than that stays in memory.
    """
    model = run.model
    rows = _read_rows(run, patients, model)
    events, ends = _read_events(run, patients, model)
    states = _read_truth(run, patients, model) if truth else {}
    last = time_of(int(run.manifest["steps"]), clock=model.clock)
    for person in run.shards.select("patients", patients).to_pylist():
        patient, world = person.pop("patient"), person.pop("world")
        if world not in worlds:
            continue
        key = (patient, world)
        end, ended_by = ends.get(key, (last, ""))
        held = states.get(key, {})
        yield Journey(
            patient=patient,
            world=world,
            statics={name: value for name, value in person.items() if value is not None},
            rows=tuple(rows[key]),
            events=tuple(events[key]),
            end=end,
            ended_by=ended_by,
            truth={name: column for name, column in held.items() if name != "time"},
            truth_steps=steps_at(held["time"], clock=model.clock) if held else np.empty(0, np.int64),
        )


def _read_rows(run: Run, patients: Sequence[int], model: Model) -> dict[tuple[int, str], list[RecordedValue]]:
    found: dict[tuple[int, str], list[RecordedValue]] = defaultdict(list)
    table = run.shards.select("record", patients).select(["patient", "world", "time", "variable", "value", "level"])
    for patient, world, time, name, value, level in zip(*(column.to_pylist() for column in table.columns), strict=True):
        told = value if level is None else level
        found[patient, world].append(RecordedValue(name, round(time / model.clock.dt), time, told))
    return found


Ends = dict[tuple[int, str], tuple[float, str]]


def _read_events(
    run: Run, patients: Sequence[int], model: Model
) -> tuple[dict[tuple[int, str], list[RecordedEvent]], Ends]:
    """The recorded events, and by which event, recorded or not, each record ended and when."""
    found: dict[tuple[int, str], list[RecordedEvent]] = defaultdict(list)
    ends: Ends = {}
    table = run.shards.select("events", patients).select(["patient", "world", "time", "event", "recorded"])
    for patient, world, time, name, recorded in zip(*(column.to_pylist() for column in table.columns), strict=True):
        key = (patient, world)
        if recorded and not model.variables[name].any_of:  # its components are there
            found[key].append(RecordedEvent(name, int(steps_around([time], clock=model.clock)[0]), time))
        if model.variables[name].ends != "nothing" and (key not in ends or time < ends[key][0]):
            ends[key] = (time, name)
    return found, ends


def _read_truth(run: Run, patients: Sequence[int], model: Model) -> dict[tuple[int, str], dict[str, NDArray[Any]]]:
    """The true states by patient and world, as arrays over time."""
    table = run.shards.select("truth", patients).to_pandas()
    kept = ["time", *(name for name in table.columns if name in model.variables)]
    return {
        (int(patient), str(world)): {name: part[name].to_numpy() for name in kept}
        for (patient, world), part in table.groupby(["patient", "world"], observed=True)
    }
