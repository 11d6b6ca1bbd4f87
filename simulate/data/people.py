"""People from elsewhere as a cohort: the tables that a run has, of what a file holds of its patients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ...causal.effects.design import Array
from ...causal.language import reads
from ...causal.model.arrows import measured_steps
from ...causal.model.clock import round_times, times_of
from ...causal.model.duration import GRID, TOLERANCE, write_time
from ...causal.model.model import Model, Variable
from ...causal.model.world import FACTUAL
from ...errors import NosographError, fail
from ..cohort import Tables
from .entries import Entries, TableEntry, check_once, read_entries
from .sheet import read_sheet

if TYPE_CHECKING:
    import pandas as pd

MOST_SHOWN = 8


@dataclass(frozen=True)
class People(Tables):
    """The patients of a table, numbered from 0 in its order, in the factual world.

    `model`: that of the table, in which only what the table has counts as recorded. `name`: the file's, or "".
    `held`: the steps at which a measurement or a treatment has a value of anybody. `by_visit`: for events that are
    known only as 1 or 0 by some times, these steps. `known_until`: for each recorded event, until when everybody's is
    known, in the clock's unit (infinite where nothing limits it). `missing`: what the model records, and the table
    lacks.
    """

    model: Model
    name: str
    tables: dict[str, pa.Table]
    held: dict[str, frozenset[int]]
    by_visit: dict[str, frozenset[int]]
    known_until: dict[str, Array]
    missing: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.tables["patients"].num_rows)

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        found = self.tables[name]
        return found if columns is None else found.select(list(columns))

    @cached_property
    def lacking(self) -> tuple[str, ...]:
        """What cannot be had from the table, in words: the latent, and what is missing."""
        model = self.model
        latent = [v.name for v in model.variables.values() if not v.recorded or v.kind == "state"]
        latent = [name for name in latent if name not in self.missing]
        lines = [f"latent in the model: {_list(latent)}"] if latent else []
        if model.population is not None and reads(model.population):
            lines.append(f"everybody is taken to be of the model's population: {model.population}")
        lines += [f"recorded in the model, but not in the table: {_list(self.missing)}"] if self.missing else []
        for name in self.missing:
            if (ends := model.variables[name].ends) != "nothing":
                fix = f"a column {name}, empty where it did not happen; in a long table 1, or 0 at the last time"
                lines.append(f"{name} ends the {ends}, so nobody's follow-up is known without it: {fix}")
        return tuple(lines)


def read_people(source: str | Path | pd.DataFrame | People, model: Model) -> People:
    """The people of a CSV or Parquet file, or of a DataFrame, wide or long (docs/data.md), checked against the model.

    Raises NosographError for what cannot be read, with row, column and fix; nothing is guessed or left out.
    """
    if isinstance(source, People):
        return source
    found = read_entries(read_sheet(source), model)
    check_once(found.entries, found, model)
    due = {
        variable.name: frozenset(measured_steps(variable, steps=model.clock.steps))
        for variable in model.variables.values()
        if variable.kind == "measurement"
    }
    for entry in found.entries:
        try:
            _check_time(entry, found, model, due)
        except NosographError as error:
            found.keep(error)
    found.finish()
    happened = _find_events(found, model)
    _check_ends(found, happened, model)
    found.finish()
    return _build(found, happened, model)


def _list(names: Sequence[str]) -> str:
    rest = len(names) - MOST_SHOWN
    return ", ".join(names[:MOST_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _check_time(entry: TableEntry, found: Entries, model: Model, due: Mapping[str, frozenset[int]]) -> None:
    """Raises NosographError for a time off the grid, or when the model has no such value."""
    variable, clock = model.variables[entry.variable], model.clock
    if variable.kind == "static":
        return
    place = f"{entry.row}, {entry.column}"
    if variable.kind == "event":
        if entry.time <= TOLERANCE:
            shown = write_time(entry.time, clock=clock)
            fix = f"a time after 0; leave out the patient, or the value, where {entry.variable} came before"
            raise fail("no event can happen at the start", value=shown, file=found.name, node=place, fix=fix)
        return
    step = round(entry.time)
    on_grid = abs(entry.time - step) <= GRID and 0 <= step <= clock.steps
    if on_grid and (variable.kind != "measurement" or step in due[entry.variable]):
        return
    shown = write_time(entry.time, clock=clock)
    if abs(entry.time - step) > GRID:
        near = write_time(max(step, 0), clock=clock)
        fix = f"{near}: the model has steps of {clock.text[0]}"
        raise fail("time off the grid of steps", value=shown, file=found.name, node=place, fix=fix)
    if not 0 <= step <= clock.steps:
        fix = f"leave out what is later than {clock.end}"
        raise fail("time outside the horizon", value=shown, file=found.name, node=place, fix=fix)
    near = write_time(min(due[entry.variable], key=lambda k: (abs(k - step), k)), clock=clock)
    fix = f"{near}, or a model in which {entry.variable} is measured then"
    what = f"{entry.variable} is measured {getattr(variable.when, 'text', '')}"
    raise fail(what, value=shown, file=found.name, node=place, fix=fix)


def _find_events(found: Entries, model: Model) -> dict[tuple[int, str], list[TableEntry]]:
    """Everybody's events, in order of time; of what happens once, the first row that says so.

    Keeps a problem for one that had not happened by a time after it happened.
    """
    rows: dict[tuple[int, str], list[TableEntry]] = {}
    for entry in sorted(
        (e for e in found.entries if model.variables[e.variable].kind == "event"), key=lambda e: e.time
    ):
        rows.setdefault((entry.patient, entry.variable), []).append(entry)
    for (_, name), own in rows.items():
        if model.variables[name].occurs == "repeatedly":
            continue
        first = next((place for place, entry in enumerate(own) if entry.value == 1), None)
        for entry in own[first + 1 :] if first is not None else []:
            if entry.value == 0 or not entry.by:
                what = "it had happened before" if entry.value == 0 else "it happens only once"
                problem = f"{name}: {what} (in {own[first or 0].row})"
                error = fail(problem, file=found.name, node=f"{entry.row}, {entry.column}", fix="keep one of the two")
                found.keep(error)
        if first is not None:
            rows[_, name] = own[: first + 1]
    return rows


def _check_ends(found: Entries, events: dict[tuple[int, str], list[TableEntry]], model: Model) -> None:
    """Keep a problem for each value at or after the end of the journey or of the record, and after follow-up."""
    ends: dict[int, tuple[float, str]] = {
        patient: (time, "follow-up ended") for patient, time in found.followed.items()
    }
    for (patient, name), own in events.items():
        if model.variables[name].ends != "nothing" and own[-1].value == 1:
            ends[patient] = min(ends.get(patient, (np.inf, "")), (own[-1].time, f"{name} in {own[-1].row}"))
    for entry in found.entries:
        variable = model.variables[entry.variable]
        time, what = ends.get(entry.patient, (np.inf, ""))
        late = entry.time > time + TOLERANCE
        if late and variable.kind not in ("static", "event") and entry.value is not None:
            fix = "leave the value empty, or correct the time"
            error = fail(
                f"a value after the end ({what})", file=found.name, node=f"{entry.row}, {entry.column}", fix=fix
            )
            found.keep(error)


def _build(found: Entries, events: dict[tuple[int, str], list[TableEntry]], model: Model) -> People:
    own = {
        name: replace(variable, recorded=name in found.variables)
        for name, variable in model.variables.items()
        if variable.kind != "state"
    }
    seen = replace(model, variables={**model.variables, **own})
    missing = tuple(
        v.name for v in model.variables.values() if v.recorded and v.kind != "state" and not own[v.name].recorded
    )
    values = [e for e in found.entries if e.value is not None and seen.variables[e.variable].kind != "event"]
    held: dict[str, set[int]] = {}
    for entry in values:
        held.setdefault(entry.variable, set()).add(round(entry.time))
    by_visit: dict[str, set[int]] = {}
    for entry in found.entries:
        if entry.by:
            by_visit.setdefault(entry.variable, set()).add(round(entry.time))
    tables = {
        "patients": _build_patients(values, len(found.patients), seen),
        "record": _build_record(values, seen),
        "events": _build_events(events, seen),
    }
    return People(
        seen,
        found.name,
        tables,
        {name: frozenset(steps) for name, steps in held.items()},
        {name: frozenset(steps) for name, steps in by_visit.items()},
        _find_known(found, events, seen),
        missing,
    )


def _find_known(found: Entries, events: dict[tuple[int, str], list[TableEntry]], model: Model) -> dict[str, Array]:
    """Until when each event is known of everybody: for ever once it happened, else by its rows, if it has any that say
    that it had not happened, and by the end of follow-up."""
    count, dt = len(found.patients), model.clock.dt
    followed = np.full(count, np.inf)
    for patient, time in found.followed.items():
        followed[patient] = time * dt
    reported = {e.variable for e in found.entries if e.by or e.value == 0}
    known = {}
    for name in found.variables:
        variable = model.variables[name]
        if variable.kind != "event":
            continue
        until = np.zeros(count) if name in reported else followed.copy()
        for patient in range(count) if name in reported else []:
            if rows := events.get((patient, name)):
                until[patient] = max(entry.time for entry in rows) * dt
        for (patient, event), rows in events.items():
            if event == name and variable.occurs == "once" and rows[-1].value == 1:
                until[patient] = np.inf
        known[name] = until
    return known


def _build_patients(values: Iterable[TableEntry], count: int, model: Model) -> pa.Table:
    columns: dict[str, pa.Array] = {
        "patient": pa.array(np.arange(count)),
        "world": pa.array([FACTUAL.name] * count).dictionary_encode(),
    }
    statics: dict[str, list[str | float | None]] = {
        v.name: [None] * count for v in model.variables.values() if v.kind == "static" and v.recorded
    }
    for entry in values:
        if entry.variable in statics:
            statics[entry.variable][entry.patient] = _write(entry, model.variables[entry.variable])
    for name, cells in statics.items():
        columns[name] = pa.array(cells, pa.string() if model.variables[name].levels else pa.float64())
    return pa.table(columns)


def _write(entry: TableEntry, variable: Variable) -> str | float | None:
    assert entry.value is not None
    return variable.levels[int(entry.value)] if variable.levels else entry.value


def _build_record(values: Iterable[TableEntry], model: Model) -> pa.Table:
    rows = [e for e in values if model.variables[e.variable].kind != "static"]
    rows.sort(key=lambda e: (e.patient, round(e.time)))
    levels = [model.variables[e.variable].levels for e in rows]
    times = times_of([round(e.time) for e in rows], clock=model.clock) if rows else np.empty(0)
    return pa.table(
        {
            "patient": pa.array([e.patient for e in rows], pa.int64()),
            "world": pa.array([FACTUAL.name] * len(rows), pa.string()).dictionary_encode(),
            "time": pa.array(times),
            "variable": pa.array([e.variable for e in rows], pa.string()).dictionary_encode(),
            "value": pa.array([None if own else e.value for e, own in zip(rows, levels, strict=True)], pa.float64()),
            "level": pa.array(
                [own[int(e.value or 0)] if own else None for e, own in zip(rows, levels, strict=True)], pa.string()
            ),
        }
    )


def _build_events(events: dict[tuple[int, str], list[TableEntry]], model: Model) -> pa.Table:
    last = {name: variable.ends == "journey" for name, variable in model.variables.items()}
    rows = [entry for own in events.values() for entry in own if entry.value == 1]
    times = round_times([e.time * model.clock.dt for e in rows], clock=model.clock) if rows else np.empty(0)
    order = sorted(range(len(rows)), key=lambda k: (rows[k].patient, times[k], last[rows[k].variable]))
    return pa.table(
        {
            "patient": pa.array([rows[k].patient for k in order], pa.int64()),
            "world": pa.array([FACTUAL.name] * len(rows), pa.string()).dictionary_encode(),
            "time": pa.array(times[order] if rows else times),
            "event": pa.array([rows[k].variable for k in order], pa.string()).dictionary_encode(),
            "recorded": pa.array([True] * len(rows), pa.bool_()),
        }
    )
