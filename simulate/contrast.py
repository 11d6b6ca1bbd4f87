"""Contrasts: the two worlds of an effect, what its outcome is in each of them, and the truth that comes of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from ..causal.language import Expression
from ..causal.model.duration import write_time
from ..causal.model.model import Effect, Model
from ..causal.model.strategies import list_prevented
from ..causal.model.world import Intervention, World, parse_intervention
from ..causal.program.journeys import Journeys
from ..causal.program.sampling import sample
from ..errors import fail
from .entrants import meets, select_entrants
from .outcomes import list_read, read_outcome

BATCH = 10_000


@dataclass(frozen=True)
class Truth:
    """The true effect, the standard error of its simulation, and how many patients it rests on."""

    value: float
    error: float
    patients: int


def contrast_worlds(model: Model, effect: Effect, *, base: tuple[Intervention, ...] = ()) -> tuple[World, World]:
    """The two worlds of an effect: the cause set to each level at the decision, or from then on if it is sustained;
    `base` acts in both, and nobody dies or leaves in either where the strategy is hypothetical."""
    variable = model.variables[effect.treatment]
    when = ""
    if variable.kind != "static":
        time = write_time(effect.decision, clock=model.clock)
        when = f" from {time}" if effect.strategy == "sustained" else f" at {time}"
    base = (*base, *prevent_events(model, effect))
    first, second = (
        World(name, (*base, parse_intervention(f"{variable.name} = {variable.write_value(level)}{when}", model=model)))
        for name, level in zip(("first", "second"), effect.contrast, strict=True)
    )
    return first, second


def prevent_events(model: Model, effect: Effect) -> tuple[Intervention, ...]:
    """The interventions that keep everybody alive, or on the record, after the decision, as the strategies want it."""
    if effect.decision >= model.clock.steps:
        return ()
    time = write_time(effect.decision + 1, clock=model.clock)
    names = [variable.name for variable in list_prevented(effect, model)]
    return tuple(parse_intervention(f"{name} = 0 from {time}", model=model) for name in names)


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
    """The average contrast over the first `patients` entrants after the first `skip`, from paired worlds.

    Those for whom the outcome is undefined in either world are left out.
    """
    worlds = contrast_worlds(model, effect)
    total, squares, count = 0.0, 0.0, 0
    for journeys in run_entrants(
        model, worlds, patients=patients, seed=seed, steps=effect.at, keep=list_read(effect), skip=skip, where=where
    ):
        outcome = read_outcome(journeys, model, effect)
        difference = outcome[0] - outcome[1]
        if effect.population is not None:
            difference = difference[meets(model, [effect.population], patients=journeys.patients, seed=seed)]
        defined = difference[~torch.isnan(difference)]
        total, squares, count = total + float(defined.sum()), squares + float((defined**2).sum()), count + len(defined)
    if count < 2:
        raise fail("the outcome is defined for nobody", value=effect.text, fix="a wider population, or another time")
    mean = total / count
    return Truth(mean, math.sqrt(max(squares / count - mean**2, 0.0) / count), count)
