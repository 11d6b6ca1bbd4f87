"""The record as it was read: the tables that an examiner gets when artifacts take the place of the run's record.

Of the run's own tables it keeps who the patients are, every variable of which no artifact says anything, and the events
that end a journey: whether somebody is alive is known to a registry, and the dead visit no clinic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...causal.model.composites import list_components
from ...causal.model.model import Model
from ...causal.program.journeys import times
from ...simulate.cohort import Run, Tables
from .measure import Measured, Source

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Held(Tables):
    """Tables in memory: `patients`, `record` and `events` of some patients in one world."""

    model: Model
    tables: Mapping[str, pa.Table]

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        held = self.tables[name]
        return held if columns is None else held.select(list(columns))


def keep_part(run: Run, source: Source) -> Held:
    """The run's own tables, of the patients and in the world of a rendering."""
    chosen = pa.array(source.patients, pa.int64())
    tables = {}
    for name in ("patients", "record", "events"):
        whole = run.table(name)
        ours = pc.and_(
            pc.is_in(whole.column("patient"), value_set=chosen),
            pc.equal(whole.column("world").cast("string"), source.world),
        )
        tables[name] = whole.filter(ours)
    return Held(run.model, tables)


def find_read(measured: Measured, model: Model) -> frozenset[str]:
    """The variables that are taken from what was read: of which at least one artifact says something, but for those
    that end a journey. Of an event, that it is absent says something, too."""
    chart = measured.chart
    return frozenset(name for name in chart.mentioned if model.variables[name].ends != "journey")


def build_read(measured: Measured, own: Held) -> Held:
    """The record that was read, over the run's `own` tables for what artifacts do not tell."""
    model, world = own.model, measured.source.world
    read = find_read(measured, model)
    record = _over(own.record, "variable", read, _read_rows(measured, model, world), ["patient", "time", "variable"])
    events = _over(own.events, "event", read, _read_events(measured, read, world), ["patient", "time", "event"])
    events = _unite_events(events, model, read)
    return Held(model, {"patients": _read_statics(own, measured, read), "record": record, "events": events})


def _read_statics(own: Held, measured: Measured, read: frozenset[str]) -> pa.Table:
    """The patients with the statics that were read of each; null where one was not."""
    model = own.model
    patients = own.patients
    numbers = patients.column("patient").to_pylist()
    found = {(patient, name): value for patient, name, value, _ in measured.chart.statics}
    for name in sorted(read & set(patients.column_names)):
        levels = model.variables[name].levels
        values = [found.get((number, name)) for number in numbers]
        told: list[Any] = [levels[int(value)] if levels and value is not None else value for value in values]
        column = pa.array(told, pa.string() if levels else pa.float64())
        patients = patients.set_column(patients.column_names.index(name), name, column)
    return patients


def _read_rows(measured: Measured, model: Model, world: str) -> pd.DataFrame:
    import pandas as pd

    rows = pd.DataFrame(measured.chart.rows, columns=["patient", "variable", "step", "value", "rounding"])
    name = rows["variable"]
    named = name.map({v.name: bool(v.levels) for v in model.variables.values()}).astype(bool)
    return pd.DataFrame(
        {
            "patient": rows["patient"].astype(np.int64),
            "world": world,
            "time": times(rows["step"].to_list(), model=model),
            "variable": name,
            "concept": name.map({v.name: v.concept for v in model.variables.values()}),
            "value": rows["value"].where(~named).astype(np.float32),
            "level": _name_levels(rows, model),
            "unit": name.map({v.name: v.unit for v in model.variables.values()}),
        }
    )


def _name_levels(rows: pd.DataFrame, model: Model) -> list[str | None]:
    """The level that each value stands for; None where it is a number."""
    levels = [model.variables[name].levels for name in rows["variable"]]
    return [own[int(value)] if own else None for own, value in zip(levels, rows["value"], strict=True)]


def _read_events(measured: Measured, read: frozenset[str], world: str) -> pd.DataFrame:
    import pandas as pd

    rows = pd.DataFrame(measured.chart.events, columns=["patient", "event", "time", "value", "rounding"])
    rows = rows[rows["event"].isin(read)]
    return pd.DataFrame(
        {"patient": rows["patient"].astype(np.int64), "world": world, "time": rows["time"], "event": rows["event"]}
    ).assign(recorded=True)


def _unite_events(events: pa.Table, model: Model, read: frozenset[str]) -> pa.Table:
    """The events, where a composite of which a component was read happens when its components do."""
    import pandas as pd

    held = events.to_pandas()
    for variable in model.variables.values():
        parts = list_components(model.variables, variable.name)
        if variable.any_of and read & set(parts):
            own = held[held["event"].isin(parts)].assign(event=variable.name).sort_values(["patient", "time"])
            own = own.drop_duplicates("patient") if variable.occurs == "once" else own
            held = pd.concat([held[held["event"] != variable.name], own], ignore_index=True)
    return pa.Table.from_pandas(held.sort_values(["patient", "time", "event"], kind="stable"), preserve_index=False)


def _over(own: pa.Table, key: str, read: frozenset[str], found: pd.DataFrame, order: list[str]) -> pa.Table:
    """The run's rows of what was not read, and the rows that were, by patient and time."""
    import pandas as pd

    held = own.to_pandas()
    for name in held.columns:
        if isinstance(held[name].dtype, pd.CategoricalDtype):
            held[name] = held[name].astype(object)
    parts = [part for part in (held[~held[key].isin(read)], found[found[key].isin(read)]) if len(part)]
    joined = pd.concat(parts, ignore_index=True) if parts else held
    return pa.Table.from_pandas(joined.sort_values(order, kind="stable"), preserve_index=False)
