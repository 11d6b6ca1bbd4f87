"""The outcome of an effect in each world: what its strategies make of death, leaving, missed visits and stopping."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..causal.model.clock import limit_of
from ..causal.model.model import Effect, Model
from ..causal.model.strategies import counts_missed
from ..causal.program.journeys import Journeys, count_occurrences


def list_read(effect: Effect) -> list[str]:
    """The variables that `read_outcome` reads."""
    return [effect.outcome, *([effect.treatment] if effect.stopping == "while on treatment" else [])]


def read_outcome(journeys: Journeys, model: Model, effect: Effect) -> Tensor:
    """The outcome of the effect in each world, float64 (worlds, patients), NaN where it is undefined.

    A measurement is its last due value by `at` (with "last recorded" its last recorded one); an event, how often it
    happened by then, from the decision on if it may happen repeatedly; anything else its value then. What comes after
    death, stopping or leaving doesn't count where the strategy is "while alive", "while on treatment" or "last
    recorded". Undefined: for people who are dead or off the record at the decision or have had the event by then, and
    for the dead under "survivors".
    """
    variable, dt = model.variables[effect.outcome], model.clock.dt
    shape = (len(journeys.worlds), len(journeys.patients))
    ended, closed = journeys.ended.expand(shape), journeys.closed.expand(shape)
    stop = _find_stop(journeys, effect).expand(shape)
    limit = torch.minimum(ended, stop)  # the first step that doesn't count
    if effect.leaving == "last recorded":
        limit = torch.minimum(limit, closed)
    if variable.kind == "event":
        outcome = count_occurrences(
            journeys,
            effect.outcome,
            by=(stop.clamp(max=effect.at).double() * dt).clamp(max=limit_of(effect.by, clock=model.clock)),
            after=effect.decision * dt if variable.occurs == "repeatedly" else -math.inf,
            on_record=effect.leaving == "last recorded",
        )
    elif variable.kind == "static":
        outcome = journeys.values[effect.outcome][:, 0].expand(shape).double()
    else:
        outcome = _find_last(journeys, effect, limit, missed=counts_missed(effect, model))
    if effect.composite is not None:
        outcome = torch.where(ended > effect.at, outcome, effect.composite)
    elif effect.death == "survivors":
        outcome = torch.where(ended > effect.at, outcome, torch.nan)
    there = (ended > effect.decision) & (closed > effect.decision)
    if variable.kind == "event" and variable.occurs == "once" and effect.decision > 0:
        there = there & (count_occurrences(journeys, effect.outcome, by=effect.decision * dt) == 0)
    return torch.where(there, outcome, torch.nan)


def _find_last(journeys: Journeys, effect: Effect, limit: Tensor, *, missed: bool) -> Tensor:
    """The last value by `at` and before the step `limit`, (worlds, patients); `missed`: missed visits count too."""
    name = effect.outcome
    outcome = torch.full(limit.shape, torch.nan, dtype=torch.float64)
    for row, step in enumerate(journeys.steps[name]):
        if step <= effect.at:
            value = journeys.values[name][:, row].double()
            shown = (step < limit) & ~torch.isnan(value)
            if name in journeys.recorded and not missed:
                shown = shown & journeys.recorded[name][:, row]
            outcome = torch.where(shown, value, outcome)
    return outcome


def _find_stop(journeys: Journeys, effect: Effect) -> Tensor:
    """The first step by `at` in which the treatment is no longer what it was at the decision, if that ends the outcome:
    int32, (worlds or 1, patients). One past `at` otherwise."""
    stop = torch.full((1, len(journeys.patients)), effect.at + 1, dtype=torch.int32)
    if effect.stopping != "while on treatment":
        return stop
    steps, values = journeys.steps[effect.treatment], journeys.values[effect.treatment]
    for row in range(len(steps) - 1, -1, -1):
        if effect.decision < steps[row] <= effect.at:
            changed = values[:, row] != values[:, steps.index(effect.decision)]
            stop = torch.where(changed, steps[row], stop)
    return stop
