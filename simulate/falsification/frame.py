"""What a cohort holds of quantities at their own times, and of nobody whose record had ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...causal.effects.columns import Column
from ...causal.effects.design import Array
from ...causal.model.clock import limit_of, steps_at
from ..cohort import Tables
from ..data.people import People
from ..verification.frames import build_frame, of_world

if TYPE_CHECKING:
    import pandas as pd


def build_quantities(cohort: Tables, quantities: Sequence[Column], *, world: str) -> pd.DataFrame:
    """A row for each patient and a column for each quantity, float64; NaN where it is not known: a measurement that was
    not taken at this step and not before, anything after the record ended, an event after it was followed."""
    frame = build_frame(cohort, quantities, world=world)
    record = of_world(cohort.record.to_pandas(), world)
    ends = _find_ends(cohort, world).reindex(frame.index).fillna(np.inf).to_numpy(dtype=np.float64)
    clock = cohort.model.clock
    for column in quantities:
        variable = cohort.model.variables[column.variable]
        values: Array = frame[column.name].to_numpy(dtype=np.float64).copy()
        limit = limit_of(column.step, clock=clock)
        if variable.kind == "measurement":
            mine = record[record["variable"] == column.variable]
            here = mine["patient"][steps_at(mine["time"].to_numpy(), clock=clock) == column.step]
            values[~frame.index.isin(here)] = np.nan
        elif variable.kind != "static":
            values[ends <= limit] = np.nan
        if variable.kind == "event":
            values = np.minimum(values, 1.0)
            if isinstance(cohort, People):
                values[cohort.known_until[column.variable] < column.step * clock.dt * (1 - 1e-9)] = np.nan
        frame[column.name] = values
    return frame


def _find_ends(cohort: Tables, world: str) -> pd.Series[float]:
    """When the record of those whose record ended did so, by patient."""
    events = of_world(cohort.events.to_pandas(), world)
    ending = [v.name for v in cohort.model.variables.values() if v.ends != "nothing"]
    found: pd.Series[float] = events[events["event"].isin(ending)].groupby("patient")["time"].min()
    return found
