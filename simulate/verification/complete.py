"""Complete cases: who is left out since a cell is empty that the model has no gap for, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...causal.effects.columns import Column, columns
from ...causal.effects.design import Array, Mask
from ...causal.effects.regimes import is_regime
from ...causal.model.arrows import measured_steps
from ...causal.model.clock import steps_at
from ...causal.model.duration import TOLERANCE
from ...causal.model.model import Variable
from ...causal.model.strategies import find_last_due
from ..data.people import People
from .given import Given
from .holdings import find_needs, measured_at_will

if TYPE_CHECKING:
    import pandas as pd


def find_complete(people: People, given: Given) -> tuple[Given, tuple[str, ...]]:
    """The people with everything that the estimates read, and how many are left out for what, in words.

    A gap that the model has itself (a visit that it may miss, a measurement at will) is no reason: it is a value like
    others, and outcomes that are lost to it are weighted for.
    """
    reasons: dict[str, Mask] = {}
    model, effect, frame = given.model, given.effect, given.frame
    patients = frame.index.to_numpy()
    offered = {column.name: column for column in columns(model, effect)}
    names = list(given.identification.adjustment)
    if is_regime(model, effect):
        names = [name for name, column in offered.items() if column.role == "covariate"]
    read = [offered[name] for name in names if name in offered] + list(given.identification.mediators)
    read += [column for column in offered.values() if column.role == "treatment"]
    for column in read:
        gap = np.isnan(frame[column.name].to_numpy())
        if model.variables[column.variable].kind == "measurement":
            if column.node[0] == "last":
                continue  # none yet is a value
            gap = ~np.isin(patients, _recorded_at(people, column))
        reasons[f"without {column.name}"] = gap
    if given.follow_up is not None:
        follow_up = given.follow_up
        needed = follow_up["until"].to_numpy()
        for name, known in people.known_until.items():
            if name == effect.outcome or model.variables[name].ends != "nothing":
                early = known[patients] < needed - TOLERANCE * model.clock.dt
                reasons[f"not followed long enough for {name}"] = early & np.isfinite(needed)
        outcome = model.variables[effect.outcome]
        if outcome.missing is None or outcome.kind != "measurement" or find_last_due(effect, model) is None:
            unknown = follow_up["outcome"].isna().to_numpy() & (follow_up["lost"] == "").to_numpy()
            reasons[f"without an outcome ({outcome.name})"] = unknown
    for name in sorted(find_needs(model, effect).history):
        variable = model.variables[name]
        if variable.missing is None and not measured_at_will(variable):
            reasons[f"without all values of {name}"] = _find_gaps(people, given, variable)
    kept, notes = np.ones(len(frame), dtype=np.bool_), []
    for reason, gap in reasons.items():
        if left := int((gap & kept).sum()):
            notes.append(f"left out: {left:,} of {len(frame):,} people, {reason}")
        kept &= ~gap
    return (given if kept.all() else given.keep(kept)), tuple(notes)


def _recorded_at(people: People, column: Column) -> NDArray[np.int64]:
    """The patients with a value at the column's own step, and not only before it."""
    record = _rows(people, column.variable)
    here = steps_at(record["time"].to_numpy(), clock=people.model.clock) == column.node[-1]
    found: NDArray[np.int64] = record["patient"].to_numpy()[here]
    return found


def _find_gaps(people: People, given: Given, variable: Variable) -> Mask:
    """Who lacks a value of a measurement that was due before the outcome and before the end of her record."""
    clock, patients = people.model.clock, given.frame.index.to_numpy()
    before = given.effect.at * clock.dt - TOLERANCE * clock.dt
    due = np.array(measured_steps(variable, steps=given.effect.at)) * clock.dt
    expected = np.searchsorted(due, np.minimum(_find_ends(people) - TOLERANCE * clock.dt, before)[patients])
    record = _rows(people, variable.name)
    early = record["patient"].to_numpy()[record["time"].to_numpy() < before]
    gaps: Mask = np.bincount(early, minlength=len(people))[patients] < expected
    return gaps


def _find_ends(people: People) -> Array:
    """When everybody's record ended, in the clock's unit; infinite where nothing ended it."""
    events = people.events.to_pandas()
    ending = [v.name for v in people.model.variables.values() if v.ends != "nothing"]
    first = events[events["event"].isin(ending)].groupby("patient")["time"].min()
    ends: Array = first.reindex(range(len(people))).fillna(np.inf).to_numpy(dtype=np.float64)
    return ends


def _rows(people: People, name: str) -> pd.DataFrame:
    record = people.record.to_pandas()
    rows: pd.DataFrame = record[record["variable"] == name]
    return rows
