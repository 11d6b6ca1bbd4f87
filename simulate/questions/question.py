"""A question about a population, and what all its measures share: paired worlds, estimates, their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...causal.language import Expression
from ...causal.model.model import Effect, Model
from ...causal.model.world import Intervention, World
from ...causal.program.journeys import Journeys
from ...errors import fail
from ..contrast import contrast_worlds, read_outcome, run_entrants
from .answer import Answer, Interval

Z95 = 1.959963984540054  # the 0.975 quantile of the standard normal
Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Question:
    """What is asked: an effect, among the first `patients` who enter and meet `where`; `base` acts in every world.

    `mediator` and `level` are those of mediation and strata; `quantile` that of a quantile effect.
    """

    model: Model
    effect: Effect
    patients: int
    seed: int = 0
    where: Expression | None = None
    base: tuple[Intervention, ...] = ()
    mediator: str = ""
    level: Intervention | None = None
    quantile: float = 0.5

    @property
    def text(self) -> str:
        given = f", given {self.where}" if self.where is not None else ""
        return self.effect.text + given + "".join(f"; {intervention.text}" for intervention in self.base)

    def worlds(self) -> tuple[World, World]:
        """The world of the first level and that of the second."""
        return contrast_worlds(self.model, self.effect, base=self.base)

    def failures(self, event: str) -> list[str]:
        """What ends being free of an event: itself, and all that ends the journey unless it does so itself; all that
        ends the journey, for no event."""
        variables = self.model.variables
        if event and variables[event].ends == "journey":
            return [event]
        return [*([event] if event else []), *(v.name for v in variables.values() if v.ends == "journey")]

    def natural(self) -> World:
        """The world in which the treatment is left to its natural mechanism."""
        return World("natural", self.base)

    def label(self, index: int) -> str:
        levels = self.model.variables[self.effect.treatment].levels
        level = self.effect.contrast[index]
        return f"{self.effect.treatment} = {levels[int(level)] if levels else f'{level:g}'}"

    def gather(
        self, worlds: Sequence[World], read: Callable[[Journeys], dict[str, Tensor]], *, keep: Sequence[str]
    ) -> dict[str, NDArray[Any]]:
        """What `read` finds in each batch, patients last, over everybody who is asked about."""
        parts = [
            read(journeys)
            for journeys in run_entrants(
                self.model,
                worlds,
                patients=self.patients,
                seed=self.seed,
                steps=self.effect.at,
                keep=list(dict.fromkeys(keep)),
                where=self.where,
            )
        ]
        return {key: torch.cat([part[key] for part in parts], -1).numpy() for key in parts[0]}

    def gather_outcomes(self, worlds: Sequence[World]) -> Numbers:
        """The outcome, float64 (worlds, patients), NaN where it is undefined."""
        read = self.read_outcome
        found: Numbers = self.gather(worlds, lambda j: {"y": read(j)}, keep=[self.effect.outcome])["y"]
        return found

    def read_outcome(self, journeys: Journeys) -> Tensor:
        return read_outcome(journeys, self.model, self.effect).double()

    def read_natural(self, journeys: Journeys, *, world: int = 0) -> Tensor:
        """The value of the treatment at the decision in a world, NaN for those who are not alive then: (patients,)."""
        effect, name = self.effect, self.effect.treatment
        steps = journeys.steps[name]
        if effect.decision not in steps and self.model.variables[name].kind != "static":
            raise fail(f"{name} is not decided then", value=effect.text, fix="another decision time")
        values = journeys.values[name][:, 0 if len(steps) == 1 else steps.index(effect.decision)]
        alive = journeys.ended[min(world, len(journeys.ended) - 1)] > effect.decision
        return torch.where(alive, values[min(world, len(values) - 1)].double(), torch.nan)


@dataclass(frozen=True)
class Estimate:
    """A Monte Carlo estimate, its standard error, and how many people it rests on."""

    value: float
    error: float
    count: int

    @property
    def interval(self) -> Interval:
        """The 95% interval, of the normal approximation."""
        return (self.value - Z95 * self.error, self.value + Z95 * self.error)


def estimate_share(members: Mask) -> tuple[float, Interval]:
    """The share of people, (patients,), and its 95% interval (Wilson 1927, JASA 22:209), honest at none and all."""
    count, share = len(members), float(members.mean())
    middle = (share + Z95**2 / (2 * count)) / (1 + Z95**2 / count)
    half = Z95 / (1 + Z95**2 / count) * math.sqrt(share * (1 - share) / count + Z95**2 / (4 * count**2))
    return share, (max(0.0, middle - half), min(1.0, middle + half))


def estimate_mean(values: Numbers) -> Estimate:
    """The mean of independent people, (patients,), and its standard error."""
    return Estimate(float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values)), len(values))


def find_defined(question: Question, *outcomes: Numbers) -> Mask:
    """Those for whom all of these are defined. Raises NosographError where they are not even two."""
    defined = np.asarray(~np.isnan(np.stack(outcomes)).any(0))
    if defined.sum() < 2:
        fix = "a wider population, more patients, or another time"
        raise fail("the outcome is defined for nobody", value=question.text, fix=fix)
    return defined


def gain_of_pairing(first: Numbers, second: Numbers, paired: float) -> float | None:
    """How many times the variance would be, of the same estimate from two cohorts of as many other people each: the
    variances of both over that of the pairs. `first`, `second`: each person's contribution in each world; `paired`: the
    variance of their difference. None where the worlds do not differ."""
    return float(first.var(ddof=1) + second.var(ddof=1)) / paired if paired > 0 else None


def describe_undefined(defined: Mask) -> str:
    """What to say of those who were left out, if there are any."""
    share = 1 - defined.mean()
    if share == 0:
        return ""
    return (
        f"For {share:.2%} the outcome is undefined in one world or the other (the journey had ended, or nothing was "
        "recorded); they are left out, so this is an effect among those who are there in both worlds, and who they are "
        "depends on how the model couples the noise of the worlds."
    )


def describe_contrast(question: Question, outcomes: Numbers, *, what: str, note: str = "") -> Answer:
    """The average of outcomes[0] - outcomes[1] among those for whom both are defined."""
    defined = find_defined(question, *outcomes)
    first, second = outcomes[0][defined], outcomes[1][defined]
    found = estimate_mean(first - second)
    return Answer(
        question=question.text,
        value=found.value,
        interval=found.interval,
        method=f"{what}: the mean difference over {found.count:,} people, each in both worlds with the same noise",
        note=" ".join(part for part in (note, describe_undefined(defined)) if part),
        details={
            "means": {question.label(0): float(first.mean()), question.label(1): float(second.mean())},
            "standard_error": found.error,
            "patients": found.count,
            "undefined": float(1 - defined.mean()),
            "variance_gain": gain_of_pairing(first, second, float((first - second).var(ddof=1))),
        },
    )


def need_yes_or_no(question: Question, outcomes: Numbers) -> None:
    """Raise NosographError where an outcome is neither 0 nor 1."""
    if not np.isin(outcomes[~np.isnan(outcomes)], (0.0, 1.0)).all():
        events = [v.name for v in question.model.variables.values() if v.kind == "event"]
        fix = f"{question.effect.treatment} -> {events[0]} @ …" if events else "an event as the outcome"
        raise fail(f"{question.effect.outcome} does not happen or not", value=question.effect.text, fix=fix)
