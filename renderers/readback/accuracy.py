"""How well a record was read: what artifacts gave back against the run's own record, variable by variable."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ...causal.model.model import Model, Variable
from ...simulate.verification.frames import read_values
from .measure import Measured
from .record import Held, find_read

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Accuracy:
    """Of one variable: how many values its record has, how many of these were `read` at their time, how many of those
    are `wrong` (further off than they were rounded; None where they are estimates and not written), and how many were
    `invented`: read where the record has none.

    `rmse`: of the read values from the recorded ones, in `unit`; of an event, of its date in the clock's unit; None
    for names. An event is read at its time within a step.
    """

    variable: str
    unit: str
    recorded: int
    read: int
    wrong: int | None
    invented: int
    rmse: float | None

    @property
    def missed(self) -> int:
        return self.recorded - self.read

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "missed": self.missed}


def compare_records(measured: Measured, own: Held) -> tuple[Accuracy, ...]:
    """Each variable that was read, in the model's order, against the run's `own` tables of the same patients."""
    model = own.model
    read = find_read(measured, model)
    return tuple(
        _compare(variable, _recorded(own, variable), _read(measured, variable, model), model)
        for variable in model.variables.values()
        if variable.name in read
    )


def _recorded(own: Held, variable: Variable) -> pd.DataFrame:
    """patient, step, value: of an event the value is its date, of a static the step is 0."""
    if variable.kind == "static":
        table = own.table("patients", ["patient", variable.name]).to_pandas().dropna()
        column = "level" if variable.levels else "value"
        return _frame(table["patient"], 0, read_values(table.rename(columns={variable.name: column}), variable))
    if variable.kind == "event":
        table = _rows_of(own.events, "event", variable).query("recorded")
        return _frame(table["patient"], table["time"] / own.model.clock.dt, table["time"])
    table = _rows_of(own.record, "variable", variable)
    return _frame(table["patient"], table["time"] / own.model.clock.dt, read_values(table, variable))


def _rows_of(table: pa.Table, key: str, variable: Variable) -> pd.DataFrame:
    held: pd.DataFrame = table.filter(pc.equal(table.column(key).cast("string"), variable.name)).to_pandas()
    return held


def _read(measured: Measured, variable: Variable, model: Model) -> pd.DataFrame:
    """The same, and the rounding, of what was read."""
    import pandas as pd

    chart, name = measured.chart, variable.name
    found: Sequence[tuple[int, float, float, float | None]]
    if variable.kind == "static":
        found = [(patient, 0, value, rounding) for patient, key, value, rounding in chart.statics if key == name]
    elif variable.kind == "event":
        found = [
            (patient, time / model.clock.dt, time, 0.0) for patient, key, time, _, _ in chart.events if key == name
        ]
    else:
        found = [(patient, step, value, rounding) for patient, key, step, value, rounding in chart.rows if key == name]
    table = pd.DataFrame(found, columns=["patient", "step", "value", "rounding"])
    return _frame(table["patient"], table["step"], table["value"]).assign(rounding=table["rounding"].to_numpy(float))


def _frame(patient: pd.Series[Any], step: Any, value: Any) -> pd.DataFrame:
    import pandas as pd

    held = pd.DataFrame({"patient": patient.to_numpy("int64"), "value": value.to_numpy("float64")})
    return held.assign(step=step if isinstance(step, int) else step.to_numpy("float64"))


def _compare(variable: Variable, recorded: pd.DataFrame, read: pd.DataFrame, model: Model) -> Accuracy:
    event = variable.kind == "event"
    if event:  # the n-th of a patient's is the n-th that was read
        for table in (recorded, read):
            table.sort_values(["patient", "step"], inplace=True)
            table["place"] = table.groupby("patient").cumcount()
    else:
        recorded["place"], read["place"] = recorded["step"].round(), read["step"].round()
    both = recorded.merge(read, on=["patient", "place"], suffixes=("", "_read"))
    if event:
        both = both[(both["step"] - both["step_read"]).abs() <= 1 + 1e-6]
    off = (both["value"] - both["value_read"]).abs()
    room = both["rounding"] * (1 + 1e-6) + 1e-6 * both["value"].abs().clip(lower=1.0)
    written = not event and not read["rounding"].isna().any()
    return Accuracy(
        variable=variable.name,
        unit=model.clock.text[2] if event else variable.unit,
        recorded=len(recorded),
        read=len(both),
        wrong=int((off > room).sum()) if written else None,
        invented=len(read) - len(both),
        rmse=None if variable.levels or both.empty else math.sqrt(float((off**2).mean())),
    )
