"""Somebody known by a record, in another world: from the record to what the noise must have been, and on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...causal.abduction import PatientRecord, Posterior, abduct, read_record
from ...causal.model.clock import limit_of, time_of
from ...causal.model.duration import TOLERANCE
from ...causal.model.model import Effect, Model, Variable
from ...causal.model.world import FACTUAL, World
from ...causal.program.journeys import Journeys, count_occurrences, first_dates, times
from ..outcomes import read_outcome
from .answer import COUPLING, Answer, Interval
from .estimates import Z95, Numbers
from .timelines import Band, TimelineEvent, Timelines
from .trajectories import choose_shown, draw_timelines, read_trajectory, shares_axis

BAND = (0.05, 0.5, 0.95)  # of the picture
INTERVAL = (0.025, 0.5, 0.975)


def compare_record(model: Model, world: World, *, path: str | Path, outcome: Effect | None, seed: int) -> Answer:
    """The patient of the record at `path`, as she was and will be, and in another `world`: abduction, action,
    prediction (Pearl 2009, Causality, section 7.1).

    With an outcome the value is the posterior mean of its difference (for a categorical one, that of each level's
    probability); without, for each number that differs the medians at the horizon, and for each event its probability
    by then. Intervals are the central 95% of the posterior;
    for an event, the Monte Carlo interval of the difference of probabilities. Raises NosographError for a record that
    cannot be read or explained.
    """
    record = read_record(path, model=model)
    posterior = abduct(model, record, seed=seed)
    journeys = posterior.run((FACTUAL, world))
    until = record.find_end(model.clock.dt)
    after = until + TOLERANCE * model.clock.dt  # an instant that is recovered is the record's, up to rounding
    unit = model.clock.text[2] + ("s" if until != 1 else "")
    who = f"{record.patient or Path(path).name}, by the record until {until:.4g}"
    end = f": {outcome.text}" if outcome is not None else ""
    found: dict[str, Any] = {
        "question": f"{who} {unit}, had it been: {world}{end}",
        "method": f"abduction ({posterior.method}), {posterior.particles:,} particles, each in both worlds",
        "effective_sample_size": posterior.effective_sample_size,
        "timelines": _draw(journeys, model, record, outcome),
    }
    if outcome is None:
        value, interval = _compare_all(journeys, model, posterior, after)
        return Answer(**found, value=value, interval=interval, note=COUPLING)
    values = read_outcome(journeys, model, outcome).numpy()
    if model.variables[outcome.outcome].occurs == "repeatedly":  # those that are still to come
        by = limit_of(outcome.by, clock=model.clock)
        values = count_occurrences(journeys, outcome.outcome, after=after, by=by).numpy()
        found["method"] += f"; {outcome.outcome}: how often after the record's end"
    defined = ~np.isnan(values).any(0)
    if not defined.any():
        note = "The outcome is undefined: the journey has ended by then, or nothing is recorded."
        return Answer(**found, value=None, interval=None, note=note, details={"undefined": 1.0})
    names = (FACTUAL.name, world.name)
    answer = _compare_outcome(found, values[:, defined], model.variables[outcome.outcome], posterior, worlds=names)
    return answer.with_details(undefined=float(1 - defined.mean()))


def _compare_outcome(
    found: dict[str, Any], values: Numbers, variable: Variable, posterior: Posterior, *, worlds: tuple[str, str]
) -> Answer:
    """The answer about an outcome, (worlds, particles)."""
    if not variable.levels:
        difference = values[1] - values[0]
        interval = _error_interval(difference, posterior) if variable.kind == "event" else _central(difference)
        details = {name: _center(row) for name, row in zip(worlds, values, strict=True)}
        return Answer(**found, value=float(difference.mean()), interval=interval, note=COUPLING, details=details)
    shares = (values[:, None] == np.arange(len(variable.levels))[None, :, None]).astype(np.float64)
    gained = dict(zip(variable.levels, shares[1] - shares[0], strict=True))
    return Answer(
        **found,
        value={level: float(row.mean()) for level, row in gained.items()},
        interval={level: _error_interval(row, posterior) for level, row in gained.items()},
        note=COUPLING,
        details={
            name: dict(zip(variable.levels, rows.mean(-1).tolist(), strict=True))
            for name, rows in zip(worlds, shares, strict=True)
        },
    )


def _compare_all(
    journeys: Journeys, model: Model, posterior: Posterior, until: float
) -> tuple[dict[str, dict[str, float]], dict[str, Interval]]:
    """For each variable that differs: its median at the horizon in each world, the share of each level of a category
    then, or the probability of an event by then (for one that is repeated, of another after the record's end); and the
    interval of the difference."""
    value: dict[str, dict[str, float]] = {}
    interval: dict[str, Interval] = {}
    worlds = [world.name for world in journeys.worlds]
    for name, variable in model.variables.items():
        if variable.kind == "measurement":
            continue
        shares: dict[str, Numbers] = {}  # of particles that have it, (worlds, particles)
        if variable.kind == "event":
            after = until if variable.occurs == "repeatedly" else -math.inf
            shares[name] = torch.isfinite(first_dates(journeys, name, after=after)).double().numpy()
        else:
            last = read_trajectory(journeys, name, model=model)[:, -1].numpy()
            last = last[:, ~np.isnan(last).any(0)]
            if not last.shape[1]:
                continue
            for place, level in enumerate(variable.levels):
                shares[f"{name} = {level}"] = (last == place).astype(np.float64)
            if not variable.levels and (spread := _central(last[1] - last[0])) != (0.0, 0.0):
                value[name] = {world: float(np.median(row)) for world, row in zip(worlds, last, strict=True)}
                interval[name] = spread
        for key, rows in shares.items():
            if (rows[0] != rows[1]).any():
                value[key] = {world: float(row.mean()) for world, row in zip(worlds, rows, strict=True)}
                interval[key] = _error_interval(rows[1] - rows[0], posterior)
    return value, interval


def _central(values: Numbers) -> Interval:
    low, _, high = np.quantile(values, INTERVAL)
    return float(low), float(high)


def _center(values: Numbers) -> dict[str, float]:
    low, middle, high = np.quantile(values, INTERVAL)
    return {"mean": float(values.mean()), "median": float(middle), "low": float(low), "high": float(high)}


def _error_interval(values: Numbers, posterior: Posterior) -> Interval:
    """The 95% interval of a mean over particles of which only so many are worth a whole one."""
    error = float(values.std()) / math.sqrt(posterior.effective_sample_size)
    return float(values.mean()) - Z95 * error, float(values.mean()) + Z95 * error


def _draw(journeys: Journeys, model: Model, record: PatientRecord, outcome: Effect | None) -> Timelines:
    """Medians and 90% bands among the particles alive (of levels without an order, the most frequent one), the record
    as evidence, and events as probabilities by time."""
    differing = [name for name, value in journeys.values.items() if value.shape[0] > 1]
    named = outcome.outcome if outcome is not None else ""
    shown = choose_shown(model, journeys.worlds, outcome=named, differing=differing)
    bands = {name: _band(journeys, name, model) for name in shown}
    evidence: dict[str, tuple[tuple[float, float], ...]] = {}
    for name in {observation.variable for observation in record.observations}:
        points = tuple(
            (time_of(o.step, clock=model.clock), o.value)
            for o in record.observations
            if o.variable == name and o.value is not None
        )
        evidence[name] = points
        if shares_axis(model.variables[name], model):
            evidence.setdefault(model.variables[name].of, points)
    title = record.patient or "A record"
    events = _chances(journeys, model)
    return draw_timelines(
        journeys, model=model, title=title, shown=shown, bands=bands, evidence=evidence, events=events
    )


def _band(journeys: Journeys, name: str, model: Model) -> dict[str, Band]:
    courses = read_trajectory(journeys, name, model=model)
    at = torch.tensor(BAND, dtype=torch.float64)
    variable = model.variables[name]
    if variable.levels and not variable.has_order:  # there are no quantiles: the most frequent level
        places = torch.arange(len(variable.levels))
        counts = (courses[..., None] == places).sum(-2)  # worlds, steps, levels
        modes = torch.where(counts.sum(-1) > 0, counts.argmax(-1).double(), torch.nan).numpy()
        return {world.name: Band(row, row, row) for world, row in zip(journeys.worlds, modes, strict=True)}
    how = "nearest" if variable.levels else "linear"
    low, middle, high = torch.nanquantile(courses, at, dim=-1, interpolation=how).numpy()
    return {world.name: Band(low[i], middle[i], high[i]) for i, world in enumerate(journeys.worlds)}


def _chances(journeys: Journeys, model: Model) -> Sequence[TimelineEvent]:
    """The probability that each event has happened by each time, in each world."""
    grid = times(range(journeys.last_step + 1), model=model)
    found = []
    for name in journeys.occurrences:
        variable = model.variables[name]
        for world, dates in zip(journeys.worlds, first_dates(journeys, name).numpy(), strict=True):
            by = np.searchsorted(np.sort(dates), grid + TOLERANCE * model.clock.dt, side="right") / len(dates)
            found.append(TimelineEvent(world.name, name, variable.title, None, by, variable.ends))
    return found
