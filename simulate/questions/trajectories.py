"""Journeys as a picture needs them: each variable over all steps, and what lies between cause and outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import networkx as nx
import numpy as np
import torch
from torch import Tensor

from ...causal.model.clock import time_of
from ...causal.model.model import Model, Variable
from ...causal.model.world import World
from ...causal.program.journeys import Journeys, living, open_record, times
from .timelines import Band, TimelineEvent, TimelineIntervention, Timelines, TimelineVariable


def read_trajectory(journeys: Journeys, name: str, *, model: Model) -> Tensor:
    """A variable at every step, float64 (worlds, steps, patients): NaN after the end of the journey, and where a
    measurement is not recorded."""
    variable, worlds = model.variables[name], len(journeys.worlds)
    values, own = journeys.values[name].double(), journeys.steps[name]
    shape = (worlds, journeys.last_step + 1, len(journeys.patients))
    alive = living(journeys, range(journeys.last_step + 1)).expand(shape)
    if variable.kind == "static":
        return values.expand(shape)
    if variable.kind == "measurement":
        shown = journeys.recorded[name] & open_record(journeys, own)
        found = torch.full(shape, torch.nan, dtype=torch.float64)
        found[:, list(own)] = torch.where(shown, values, torch.nan).expand(worlds, -1, -1)
        return found
    return torch.where(alive, values, torch.nan)


def choose_shown(model: Model, worlds: Sequence[World], *, outcome: str, differing: Sequence[str]) -> list[str]:
    """The variables of a picture: what was intervened on, and, of what differs, what lies between that and the outcome
    (all that changes in time, without one)."""
    targets = {act.target for world in worlds for act in world.interventions} & model.variables.keys()
    shown = {name for name in differing if model.variables[name].kind in ("state", "treatment")}
    if outcome:
        graph = model.graph
        before = nx.ancestors(graph, outcome) | {outcome}
        after = {name for target in targets for name in nx.descendants(graph, target)}
        shown = (shown & before & after if targets else shown & before) | {outcome}
    timed = [v.name for v in model.variables.values() if v.kind in ("state", "treatment", "measurement")]
    return [name for name in timed if name in shown | targets]


def draw_timelines(
    journeys: Journeys,
    *,
    model: Model,
    title: str,
    shown: Sequence[str],
    bands: Mapping[str, Mapping[str, Band]],
    evidence: Mapping[str, tuple[tuple[float, float], ...]],
    events: Sequence[TimelineEvent],
) -> Timelines:
    variables = [model.variables[name] for name in shown]
    return Timelines(
        title=title,
        unit=model.clock.text[2],
        times=times(range(journeys.last_step + 1), model=model),
        variables=tuple(
            TimelineVariable(v.name, v.title, v.unit, bands[v.name], evidence.get(v.name, ()), v.levels)
            for v in variables
        ),
        events=tuple(events),
        interventions=tuple(
            TimelineIntervention(world.name, act.text, *(float(k * model.clock.dt) for k in (act.first, act.stop)))
            for world in journeys.worlds
            for act in world.interventions
        ),
    )


def find_evidence(journeys: Journeys, *, model: Model) -> dict[str, tuple[tuple[float, float], ...]]:
    """What was recorded of one patient in the first world, under the measurement and what it measures directly."""
    found: dict[str, tuple[tuple[float, float], ...]] = {}
    for variable in model.variables.values():
        if variable.kind == "measurement" and variable.name in journeys.values:
            values = read_trajectory(journeys, variable.name, model=model)[0, :, 0].numpy()
            rows = np.flatnonzero(~np.isnan(values))
            points = tuple((time_of(int(k), clock=model.clock), float(values[k])) for k in rows)
            found[variable.name] = points
            if shares_axis(variable, model):
                found.setdefault(variable.of, points)
    return found


def shares_axis(measurement: Variable, model: Model) -> bool:
    """Whether a measurement's values can be drawn among those of what it measures: same unit, same levels."""
    of = model.variables.get(measurement.of)
    return of is not None and (of.unit, of.levels) == (measurement.unit, measurement.levels)
