"""Journeys as Arrow tables: `patients`, `record`, `events` and `truth`, each sorted by patient, world and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...causal.model.clock import round_times
from ...causal.model.model import Model, Variable
from ...causal.program.journeys import Journeys, living, open_record, times
from ...errors import check_whole
from ..arrow import name_codes, number_column, pack_bits, text_column

TABLES = ("patients", "record", "events", "truth")
LISTING = "listing"  # a fifth, where a clinic's imperfection is asked for: see clinic.py


@dataclass(frozen=True)
class Layout:
    """What of the truth is written: the variables `keep` (all by default), every `every`-th step."""

    keep: tuple[str, ...] | None = None
    every: int = 1

    def __post_init__(self) -> None:
        check_whole(self.every, "every so many steps", least=1, fix="--every 1")


WHOLE = Layout()


def name_part(index: int) -> str:
    """The name of a shard's file in the folder of each table."""
    return f"part-{index:05d}.parquet"


def build_tables(journeys: Journeys, *, model: Model, layout: Layout = WHOLE) -> dict[str, pa.Table]:
    """The four tables of a batch. After the end of a journey every value is null and nothing is recorded."""
    tables = {name: build(journeys, model=model) for name, build in BUILDERS.items() if name != "truth"}
    return {**tables, "truth": build_truth(journeys, model=model, layout=layout)}


def build_patients(journeys: Journeys, *, model: Model) -> pa.Table:
    """patient, world and the recorded statics, a row for each patient in each world."""
    worlds, count = len(journeys.worlds), len(journeys.patients)
    columns: dict[str, Any] = {
        "patient": number_column(np.repeat(journeys.patients.numpy(), worlds)),
        "world": name_codes(np.tile(np.arange(worlds, dtype=np.int32), count), [w.name for w in journeys.worlds]),
    }
    for variable in model.variables.values():
        if variable.kind == "static" and variable.recorded and variable.name in journeys.values:
            values = journeys.values[variable.name].expand(worlds, 1, count)
            columns[variable.name] = _column(_patient_major(values), None, variable)
    return pa.table(columns)


def build_truth(journeys: Journeys, *, model: Model, layout: Layout = WHOLE) -> pa.Table:
    """patient, world, time and every variable, a row for each step from the start to the horizon."""
    worlds, count = len(journeys.worlds), len(journeys.patients)
    steps = list(range(0, journeys.last_step + 1, layout.every))
    rows = worlds * len(steps)
    alive = living(journeys, steps).expand(worlds, len(steps), count)
    lived = _patient_major(alive)
    valid = None if bool(lived.all()) else pack_bits(lived)
    columns: dict[str, Any] = {
        "patient": number_column(np.repeat(journeys.patients.numpy(), rows)),
        "world": name_codes(
            np.tile(np.repeat(np.arange(worlds, dtype=np.int32), len(steps)), count), [w.name for w in journeys.worlds]
        ),
        "time": number_column(np.tile(times(steps, model=model), worlds * count)),
    }
    for name, variable in model.variables.items():
        if name not in journeys.values or (layout.keep is not None and name not in layout.keep):
            continue
        if variable.kind == "static":
            flat = _patient_major(journeys.values[name].expand(worlds, 1, count))
            columns[name] = _column(flat, valid, variable, repeat=len(steps))
        elif variable.kind == "measurement":
            flat, due = _spread_measured(journeys, name, steps)
            columns[name] = _column(flat, pack_bits(due & lived), variable)
        else:
            flat = _patient_major(_at_steps(journeys, name, steps).expand(worlds, len(steps), count))
            if variable.kind == "event":  # the step of the end still has events, no later than it
                shown = alive | (torch.tensor(steps)[None, :, None] == journeys.ended[:, None, :])
                columns[name] = _column(flat, pack_bits(_patient_major(shown)), variable)
            else:
                columns[name] = _column(flat, valid, variable)
    return pa.table(columns)


def _at_steps(journeys: Journeys, name: str, steps: Sequence[int]) -> Tensor:
    """The values of a variable that has one in every step, at `steps`."""
    values, own = journeys.values[name], journeys.steps[name]
    return values if tuple(steps) == own else values[:, [own.index(step) for step in steps]]


def _spread_measured(
    journeys: Journeys, name: str, steps: Sequence[int]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The values of a measurement at `steps`, patient-major, and where one was due (taken, though perhaps missed)."""
    values, own = journeys.values[name], journeys.steps[name]
    worlds, count = len(journeys.worlds), len(journeys.patients)
    full = np.zeros((count, worlds, len(steps)), np.float32)
    due = np.zeros(full.shape, bool)
    place = {step: row for row, step in enumerate(steps)}
    shared = [(row, place[step]) for row, step in enumerate(own) if step in place]
    if shared:
        sources, targets = [source for source, _ in shared], [target for _, target in shared]
        taken = values[:, sources].expand(worlds, -1, count).numpy().transpose(2, 0, 1)
        full[:, :, targets] = taken
        due[:, :, targets] = ~np.isnan(taken)
    return full.reshape(-1), due.reshape(-1)


def build_record(journeys: Journeys, *, model: Model) -> pa.Table:
    """patient, world, time, variable, concept, value, level, unit: one row a recorded measurement, and one for a
    treatment at the start and whenever it changes. What has levels has a `level`, everything else a `value`."""
    worlds = len(journeys.worlds)
    slots: list[tuple[int, int]] = []  # (step, index of the variable)
    values: list[Tensor] = []
    masks: list[Tensor] = []
    names = [v.name for v in model.variables.values() if v.recorded and v.kind in ("measurement", "treatment")]
    names = [name for name in names if name in journeys.values]
    for index, name in enumerate(names):
        value, steps = journeys.values[name], journeys.steps[name]
        if not steps:
            continue
        shown = open_record(journeys, steps)
        if name in journeys.recorded:
            shown = shown & journeys.recorded[name]
        else:
            changed = torch.ones_like(value, dtype=torch.bool)
            changed[:, 1:] = value[:, 1:] != value[:, :-1]
            shown = shown & changed
        slots += [(step, index) for step in steps]
        values.append(value.expand(worlds, -1, -1).to(torch.float32))
        masks.append(shown.expand(worlds, -1, -1))
    if not slots:
        return _record(np.empty((0, 3), np.int64), np.empty(0, np.float32), [], journeys, model)
    order = sorted(range(len(slots)), key=slots.__getitem__)
    mask = torch.cat(masks, 1)[:, order].permute(2, 0, 1).contiguous()  # patient, world, slot
    value = torch.cat(values, 1)[:, order].permute(2, 0, 1)[mask]
    patient, world, slot = (part.numpy() for part in mask.nonzero(as_tuple=True))
    of_slot = np.array([slots[i] for i in order], dtype=np.int64)
    rows = np.column_stack([journeys.patients.numpy()[patient], world, slot])
    return _record(rows, value.numpy(), [(int(s), names[i]) for s, i in of_slot], journeys, model)


def _record(
    rows: NDArray[np.int64], values: NDArray[np.float32], slots: list[tuple[int, str]], journeys: Journeys, model: Model
) -> pa.Table:
    names = sorted({name for _, name in slots}, key=list(model.variables).index)
    step_times = times([step for step, _ in slots], model=model) if slots else np.empty(0)
    code = np.array([names.index(name) for _, name in slots], dtype=np.int32)
    slot = rows[:, 2]
    which = code[slot]
    return pa.table(
        {
            "patient": number_column(rows[:, 0]),
            "world": name_codes(rows[:, 1].astype(np.int32), [w.name for w in journeys.worlds]),
            "time": number_column(step_times[slot]),
            "variable": name_codes(which, names),
            "concept": name_codes(which, [model.variables[name].concept for name in names]),
            **_values_and_levels(values, which, [model.variables[name] for name in names]),
            "unit": name_codes(which, [model.variables[name].unit for name in names]),
        }
    )


def _values_and_levels(
    values: NDArray[np.float32], which: NDArray[np.int32], variables: Sequence[Variable]
) -> dict[str, pa.Array]:
    """The columns `value` and `level`: of each row one is null. `which`: the place of each row's variable."""
    levels = [level for variable in variables for level in variable.levels]
    before = np.cumsum([0, *(len(variable.levels) for variable in variables)], dtype=np.int32)
    named = np.array([bool(variable.levels) for variable in variables], dtype=bool)[which]
    codes = np.where(named, values, 0).astype(np.int32) + before[which]
    return {
        "value": number_column(np.where(named, np.float32(0), values), None if not named.any() else pack_bits(~named)),
        "level": name_codes(np.where(named, codes, 0).astype(np.int32), levels, pack_bits(named)),
    }


def build_events(journeys: Journeys, *, model: Model) -> pa.Table:
    """patient, world, time (its instant), event, recorded: events of the journey, no later than its end; `recorded`
    says whether the record holds them. At one instant what ends the journey comes last."""
    names = list(journeys.occurrences)
    parts: dict[str, list[NDArray[Any]]] = {key: [] for key in ("patient", "world", "time", "event", "recorded")}
    for index, name in enumerate(names):
        variable, found = model.variables[name], journeys.occurrences[name]
        parts["patient"].append(journeys.patients[found.patient].numpy())
        parts["world"].append(found.world.numpy().astype(np.int32))
        parts["time"].append(round_times(found.date.numpy(), clock=model.clock))
        parts["event"].append(np.full(len(found.step), index, np.int32))
        parts["recorded"].append((found.on_record & variable.recorded).numpy())
    joined = {key: np.concatenate(arrays) if arrays else np.empty(0) for key, arrays in parts.items()}
    last = np.array([model.variables[name].ends == "journey" for name in names] or [False])
    ending = last[joined["event"].astype(np.int32)] if len(joined["event"]) else joined["event"]
    order = np.lexsort((joined["event"], ending, joined["time"], joined["world"], joined["patient"]))
    return pa.table(
        {
            "patient": number_column(joined["patient"][order].astype(np.int64)),
            "world": name_codes(joined["world"][order].astype(np.int32), [w.name for w in journeys.worlds]),
            "time": number_column(joined["time"][order].astype(np.float64)),
            "event": name_codes(joined["event"][order].astype(np.int32), names),
            "recorded": number_column(joined["recorded"][order].astype(bool)),
        }
    )


def _patient_major(values: Tensor) -> NDArray[Any]:
    """(worlds, steps, patients) flattened with the patient slowest."""
    return np.ascontiguousarray(values.numpy().transpose(2, 0, 1)).reshape(-1)


def _column(flat: NDArray[Any], valid: pa.Buffer | None, variable: Variable, *, repeat: int = 1) -> pa.Array:
    """An Arrow column of patient-major values, each `repeat` times; `valid` is its null bitmap."""
    truth = flat.dtype == np.bool_ and variable.kind == "event"  # others are numbers, whatever worlds run beside them
    if variable.levels:
        flat = np.nan_to_num(flat).astype(np.int32)
    elif not truth:
        flat = flat.astype(np.float32, copy=False)
    flat = np.repeat(flat, repeat) if repeat > 1 else flat
    if variable.levels:
        return pa.DictionaryArray.from_arrays(number_column(flat, valid), text_column(variable.levels))
    return number_column(flat, valid)


BUILDERS: dict[str, Callable[..., pa.Table]] = {
    "patients": build_patients,
    "record": build_record,
    "events": build_events,
    "truth": build_truth,
}
