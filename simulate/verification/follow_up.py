"""The outcome of an effect as far as the record tells it, and until when each patient was followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...causal.effects.design import Array
from ...causal.model.clock import limit_of, round_times, steps_at, times_of
from ...causal.model.model import Effect, Model, Schedule, Variable
from ...causal.model.strategies import counts_missed, find_last_due, list_losses
from ...causal.program.journeys import times
from .frames import carry_forward, find_places, of_world, read_values

if TYPE_CHECKING:
    import pandas as pd

    from ..cohort import Tables


def build_follow_up(cohort: Tables, effect: Effect, *, world: str) -> pd.DataFrame:
    """A row for each patient of `world` who is alive and on the record at the decision (index: patient), with the
    columns of `causal.effects.follow_up.FollowUp`.

    An outcome is known if the record was open as long as it takes to know it: until the event, the death, the visit, or
    the time asked, whichever the strategies make decide.
    """
    import pandas as pd

    model, end = cohort.model, _time(effect.by, cohort.model)
    patients = pd.Index(_select(cohort, "patients", world)["patient"], name="patient")
    events, record = _select(cohort, "events", world), _select(cohort, "record", world)
    events = events[events["recorded"]].assign(
        time=lambda table: round_times(table["time"].to_numpy(), clock=model.clock)
    )

    def first(rows: pd.DataFrame) -> Array:
        found: Array = rows.groupby("patient")["time"].min().reindex(patients).fillna(np.inf).to_numpy(dtype=np.float64)
        return found

    names = [variable.name for variable in list_losses(effect, model)]
    lost_at = [first(events[events["event"] == name]) for name in names]
    losing = np.min(lost_at, axis=0) if lost_at else np.full(len(patients), np.inf)
    endings = [v.name for v in model.variables.values() if v.ends != "nothing" and v.name not in names]
    ended = first(events[events["event"].isin(endings)])
    limit = ended
    if effect.stopping == "while on treatment":
        limit = np.minimum(
            limit,
            first(
                _find_changes(record, model.variables[effect.treatment], limit_of(effect.decision, clock=model.clock))
            ),
        )

    outcome, needed, visit = _find_outcome(cohort, effect, patients, limit, events=events, record=record, world=world)
    if effect.composite is not None:
        outcome = np.where(ended <= end, effect.composite, outcome)
        needed = np.minimum(ended, end)
    at_event = (needed == limit) | (model.variables[effect.outcome].kind in ("event", "static"))
    lost = np.where(at_event, losing < needed, losing <= needed)
    which = np.argmin(lost_at, axis=0) if lost_at else np.zeros(len(patients), dtype=np.int64)
    found = pd.DataFrame(
        {
            "outcome": np.where(lost, np.nan, outcome),
            "until": np.minimum(losing, needed),
            "lost": np.where(lost, np.array([*names, ""], dtype=object)[which], ""),
            "visit": visit,
        },
        index=patients,
    )
    start = _time(effect.decision, model)
    there = np.minimum(losing, ended) > start
    if model.variables[effect.outcome].kind == "event" and model.variables[effect.outcome].occurs == "once":
        there &= first(events[events["event"] == effect.outcome]) > start
    kept: pd.DataFrame = found.loc[there]
    return kept


def _find_outcome(
    cohort: Tables,
    effect: Effect,
    patients: pd.Index[int],
    limit: Array,
    *,
    events: pd.DataFrame,
    record: pd.DataFrame,
    world: str,
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Everybody's outcome by the record, the time that it takes to know it, and the step of its visit, or -1. `limit`:
    what comes at or after it doesn't count."""
    import pandas as pd

    model, end = cohort.model, _time(effect.by, cohort.model)
    variable = model.variables[effect.outcome]
    none = np.full(len(patients), -1, dtype=np.int64)
    needed = np.minimum(limit, end)
    if variable.kind == "static":
        statics = _select(cohort, "patients", world).set_index("patient")[variable.name].reindex(patients)
        statics = find_places(statics, variable) if variable.levels else statics
        return statics.to_numpy(dtype=np.float64), np.zeros(len(patients)), none
    if variable.kind == "event":
        mine = events[(events["event"] == variable.name) & (events["time"] <= end)]
        mine = mine[mine["time"] <= limit[patients.get_indexer(pd.Index(mine["patient"]))]]
        if variable.occurs == "repeatedly":
            mine = mine[mine["time"] > _time(effect.decision, model)]
        dates = mine.groupby("patient")["time"]
        count: Array = np.asarray(dates.size().reindex(patients, fill_value=0), dtype=np.float64)
        if variable.occurs == "once":
            needed = np.minimum(needed, dates.min().reindex(patients).fillna(np.inf).to_numpy(dtype=np.float64))
        return count, needed, none
    values = _spread(record[record["variable"] == variable.name], variable, patients, effect.at, model)
    last = np.searchsorted(times(range(effect.at + 1), model=model), limit, side="left").astype(np.int64) - 1
    due = find_last_due(effect, model)
    if due is not None:
        assert isinstance(variable.when, Schedule)
        steps = np.array([step for step in range(due + 1) if variable.when.includes(step)])
        row = np.searchsorted(steps, last, side="right") - 1
        visit = np.where(row >= 0, steps[row], -1).astype(np.int64)
        needed = np.minimum(limit, _time(due, model))
    if due is not None and counts_missed(effect, model):
        return np.where(visit >= 0, _take(values, visit), np.nan), needed, visit
    return _take(carry_forward(values), last), needed, none


def _spread(rows: pd.DataFrame, variable: Variable, patients: pd.Index[int], at: int, model: Model) -> Array:
    """(patients, steps 0 to `at`), NaN where nothing is recorded."""
    import pandas as pd

    step = steps_at(rows["time"].to_numpy(), clock=model.clock)
    values = np.full((len(patients), at + 1), np.nan)
    early = step <= at
    values[patients.get_indexer(pd.Index(rows["patient"]))[early], step[early]] = read_values(
        rows, variable
    ).to_numpy()[early]
    return values


def _take(values: Array, step: NDArray[np.int64]) -> Array:
    found: Array = np.take_along_axis(values, step[:, None], axis=1)[:, 0]
    return found


def _find_changes(record: pd.DataFrame, treatment: Variable, decision: float) -> pd.DataFrame:
    """The rows after the decision in which the treatment is not what it was at the decision."""
    rows = record[record["variable"] == treatment.name]
    rows = rows.assign(held=read_values(rows, treatment))
    before = rows[rows["time"] <= decision].drop_duplicates("patient", keep="last").set_index("patient")["held"]
    later = rows[rows["time"] > decision]
    changed: pd.DataFrame = later.loc[later["held"].to_numpy() != before.reindex(later["patient"]).to_numpy()]
    return changed


def _time(step: float, model: Model) -> float:
    return float(times_of(np.array([step]), clock=model.clock)[0])


def _select(cohort: Tables, name: str, world: str) -> pd.DataFrame:
    return of_world(cohort.table(name).to_pandas(), world)
