"""The record as DoWhy's examiner sees it: one row a person, one column for each quantity known of her."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...causal.effects.columns import Column
from ...causal.effects.design import Array
from ...causal.model.clock import limit_of, steps_around, steps_at
from ...causal.model.model import Model, Variable

if TYPE_CHECKING:
    import pandas as pd

    from ..cohort import Tables


def build_frame(cohort: Tables, columns: Sequence[Column], *, world: str) -> pd.DataFrame:
    """The columns asked for, float64, NaN where nothing is recorded, one row for each patient of `world` in order.

    A measurement is its last recorded value by its step, a treatment its value then, an event how often it happened by
    then, as far as the record holds it.
    """
    import pandas as pd

    model = cohort.model
    patients = of_world(cohort.patients.to_pandas(), world).set_index("patient")
    record = of_world(cohort.record.to_pandas(), world)
    events = of_world(cohort.events.to_pandas(), world)
    frame = pd.DataFrame(index=patients.index)
    for column in columns:
        variable = model.variables[column.variable]
        by = limit_of(column.step if column.instant is None else column.instant, clock=model.clock)
        if variable.kind == "static":
            values = patients[column.variable]
            values = find_places(values, variable) if variable.levels else values
        elif variable.kind == "event":
            happened = events[events["recorded"] & (events["event"] == column.variable) & (events["time"] <= by)]
            values = happened.groupby("patient").size().reindex(frame.index, fill_value=0)
        else:
            rows = record[(record["variable"] == column.variable) & (record["time"] <= by)]
            values = read_values(rows.drop_duplicates("patient", keep="last").set_index("patient"), variable)
        frame[column.name] = values.reindex(frame.index).astype(np.float64)
    return frame


def read_values(rows: pd.DataFrame, variable: Variable) -> pd.Series[Any]:
    """The values of one variable's rows of the record, float64: its numbers, or the places of its levels in order."""
    return find_places(rows["level"], variable) if variable.levels else rows["value"].astype(np.float64)


def find_places(names: pd.Series[Any], variable: Variable) -> pd.Series[Any]:
    """The places of a categorical variable's levels in their order, float64, by their names."""
    places = {level: float(code) for code, level in enumerate(variable.levels)}
    return names.astype(object).map(places).astype(np.float64)


def build_history(cohort: Tables, *, until: int, world: str) -> pd.DataFrame:
    """The record over time: a row for each patient of `world` and step 0 to `until` (index: patient, step), float64.

    A measurement or a treatment: its last recorded value by the step, NaN before there is one; an event: 1 where the
    record holds it in the step, and "since(event)": how long ago it last happened in an earlier step, in the clock's
    unit, NaN where it has not; "open": 1 as long as the record is kept.
    """
    import pandas as pd

    model = cohort.model
    patients = pd.Index(of_world(cohort.patients.to_pandas(), world)["patient"], name="patient")
    record = of_world(cohort.record.to_pandas(), world)
    events = of_world(cohort.events.to_pandas(), world)
    events = events[events["recorded"]]
    columns = {"open": np.ones((len(patients), until + 1))}
    dt = model.clock.dt
    for variable in model.variables.values():
        if not variable.recorded or variable.kind in ("static", "state"):
            continue
        is_event = variable.kind == "event"
        rows = events[events["event"] == variable.name] if is_event else record[record["variable"] == variable.name]
        row, time = patients.get_indexer(rows["patient"]), rows["time"].to_numpy()
        step = (steps_around if is_event else steps_at)(time, clock=model.clock)
        row, step, early = row[step <= until], step[step <= until], step <= until
        if is_event:
            happened = np.zeros((len(patients), until + 1))
            happened[row, step] = 1
            columns[variable.name] = happened
            columns[f"since({variable.name})"] = _since(happened) * dt
            if variable.ends != "nothing":
                columns["open"] *= 1 - np.maximum.accumulate(happened, axis=1)
        else:
            values = np.full((len(patients), until + 1), np.nan)
            values[row, step] = read_values(rows, variable).to_numpy()[early]
            columns[variable.name] = carry_forward(values)
    index = pd.MultiIndex.from_product([patients, range(until + 1)], names=["patient", "step"])
    return pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)


def carry_forward(values: Array) -> Array:
    """Each row's last value that is not NaN."""
    latest = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(values.shape[1])), axis=1)
    return np.take_along_axis(values, latest, axis=1)


def _since(happened: Array) -> Array:
    """How many steps ago it last happened before each step; NaN where it has not."""
    steps = np.arange(happened.shape[1], dtype=np.float64)
    latest = carry_forward(np.where(happened > 0, steps, np.nan))
    earlier = np.full_like(latest, np.nan)
    earlier[:, 1:] = latest[:, :-1]
    return steps - earlier


def of_world(table: pd.DataFrame, world: str) -> pd.DataFrame:
    """The rows of one world."""
    return table[table["world"] == world]


def condition_columns(model: Model, names: Sequence[str]) -> list[Column]:
    """Columns for the names that a condition on entry reads, as recorded at step 0."""
    return [Column(name, name, 0, "covariate", (name, 0), model.variables[name].levels) for name in names]
