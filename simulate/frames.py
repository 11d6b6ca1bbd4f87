"""The record as DoWhy's examiner sees it: one row a person, one column for each quantity known of her."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..causal.effects.columns import Column
from ..causal.model import Model
from .tables import times

if TYPE_CHECKING:
    import pandas as pd

    from .cohort import Tables


def build_frame(cohort: Tables, columns: Sequence[Column], *, world: str) -> pd.DataFrame:
    """The columns asked for, float64, NaN where nothing is recorded, one row for each patient of `world` in order.

    A measurement is its last recorded value by its step, a treatment its value then, an event 1 where the record or
    the patient's end holds it by then.
    """
    import pandas as pd

    model = cohort.model
    patients = _of_world(cohort.patients.to_pandas(), world).set_index("patient")
    record = _of_world(cohort.record.to_pandas(), world)
    events = _of_world(cohort.events.to_pandas(), world)
    frame = pd.DataFrame(index=patients.index)
    for column in columns:
        variable = model.variables[column.variable]
        by = float(times([column.step], model=model)[0]) + 1e-6
        if variable.kind == "static":
            values = patients[column.variable]
            if variable.levels:
                values = values.map({level: float(code) for code, level in enumerate(variable.levels)})
        elif variable.kind == "event":
            happened = events[(events["event"] == column.variable) & (events["time"] <= by)]
            values = pd.Series(frame.index.isin(happened["patient"]), index=frame.index)
        else:
            rows = record[(record["variable"] == column.variable) & (record["time"] <= by)]
            values = rows.drop_duplicates("patient", keep="last").set_index("patient")["value"]
        frame[column.name] = values.reindex(frame.index).astype(np.float64)
    return frame


def _of_world(table: pd.DataFrame, world: str) -> pd.DataFrame:
    return table[table["world"] == world]


def condition_columns(model: Model, names: Sequence[str]) -> list[Column]:
    """Columns for the names that a condition on entry reads, as recorded at step 0."""
    return [Column(name, name, 0, "covariate", (name, 0), model.variables[name].levels) for name in names]
