"""Contrasts: the two worlds of an effect, what its outcome is in each of them, and the truth that comes of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..causal.language import Expression
from ..causal.model.clock import limit_of
from ..causal.model.duration import write_time
from ..causal.model.model import Effect, Model
from ..causal.model.world import Intervention, World, parse_intervention
from ..causal.program.journeys import Journeys, count_occurrences, open_record
from ..causal.program.sampling import sample
from ..errors import fail
from .entrants import meets, select_entrants

BATCH = 10_000


@dataclass(frozen=True)
class Truth:
    """The true effect, the standard error of its simulation, and how many patients it rests on."""

    value: float
    error: float
    patients: int


def contrast_worlds(model: Model, effect: Effect, *, base: tuple[Intervention, ...] = ()) -> tuple[World, World]:
    """The two worlds of an effect: the cause set to each level at the decision, or from then on if it is sustained;
    `base` acts in both."""
    variable = model.variables[effect.treatment]
    when = ""
    if variable.kind != "static":
        time = write_time(effect.decision, clock=model.clock)
        when = f" from {time}" if effect.strategy == "sustained" else f" at {time}"
    if effect.death == "hypothetical":
        mortal = [v.name for v in model.variables.values() if v.ends == "journey"]
        base = (*base, *(parse_intervention(f"{name} = 0", model=model) for name in mortal))
    first, second = (
        World(name, (*base, parse_intervention(f"{variable.name} = {variable.write_value(level)}{when}", model=model)))
        for name, level in zip(("first", "second"), effect.contrast, strict=True)
    )
    return first, second


def run_entrants(
    model: Model,
    worlds: Sequence[World],
    *,
    patients: int,
    seed: int,
    steps: int,
    keep: Sequence[str],
    skip: int = 0,
    where: Expression | None = None,
) -> Iterator[Journeys]:
    """The first `patients` entrants after the first `skip`, in all worlds, in batches."""
    passed = 0
    for entrants in select_entrants(model, count=skip + patients, seed=seed, where=where, batch=BATCH):
        numbers = entrants.numbers[max(0, skip - passed) :]
        passed += len(entrants.numbers)
        if len(numbers):
            yield sample(model, patients=numbers, seed=seed, worlds=worlds, steps=steps, keep=keep)


def find_truth(
    model: Model, effect: Effect, *, patients: int, skip: int = 0, seed: int = 0, where: Expression | None = None
) -> Truth:
    """The average contrast over the first `patients` entrants after the first `skip`, from paired worlds: of the same
    functional of the record that an examiner sees.

    Those for whom the outcome is undefined in either world are left out.
    """
    worlds = contrast_worlds(model, effect)
    total, squares, count = 0.0, 0.0, 0
    for journeys in run_entrants(
        model, worlds, patients=patients, seed=seed, steps=effect.at, keep=[effect.outcome], skip=skip, where=where
    ):
        outcome = read_outcome(journeys, model, effect, recorded=True).double()
        difference = outcome[0] - outcome[1]
        if effect.population is not None:
            difference = difference[meets(model, [effect.population], patients=journeys.patients, seed=seed)]
        defined = difference[~torch.isnan(difference)]
        total, squares, count = total + float(defined.sum()), squares + float((defined**2).sum()), count + len(defined)
    if count < 2:
        raise fail("the outcome is defined for nobody", value=effect.text, fix="a wider population, or another time")
    mean = total / count
    return Truth(mean, math.sqrt(max(squares / count - mean**2, 0.0) / count), count)


def read_outcome(journeys: Journeys, model: Model, effect: Effect, *, recorded: bool = False) -> Tensor:
    """The outcome of the effect in each world, (worlds, patients), NaN where it is undefined.

    A measurement is the last recorded value by `at` while alive; an event, how often it happened by then, which is 0 or
    1 where it occurs once (`recorded`: as far as the record holds it); anything else its value then, if alive.
    """
    name, worlds, count = effect.outcome, len(journeys.worlds), len(journeys.patients)
    variable = model.variables[name]
    alive = (journeys.ended > effect.at).expand(worlds, count)
    steps = [step for step in journeys.steps[name] if step <= effect.at]
    values = journeys.values[name][:, : len(steps)]
    if variable.kind == "measurement":
        shown = journeys.recorded[name][:, : len(steps)] & open_record(journeys, steps)
        outcome = torch.full((worlds, count), torch.nan)
        for row in range(len(steps)):
            outcome = torch.where(shown[:, row], values[:, row], outcome)
    elif variable.kind == "event":
        by = limit_of(effect.by, clock=model.clock)
        outcome = count_occurrences(journeys, name, by=by, on_record=recorded).float()
    elif variable.kind == "static":
        outcome = values[:, 0].expand(worlds, count).float()
    else:
        outcome = torch.where(alive, values[:, -1], torch.nan)
    if effect.death == "composite":
        assert effect.composite is not None
        outcome = torch.where(alive, outcome, effect.composite)
    elif effect.death == "survivors":
        outcome = torch.where(alive, outcome, torch.nan)
    return outcome
