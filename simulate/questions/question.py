"""A question about a population, and what all its measures share: paired worlds, and the outcomes in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...causal.language import Expression
from ...causal.model.composites import ends_journey, list_components
from ...causal.model.model import Effect, Model
from ...causal.model.world import Intervention, World
from ...causal.program.journeys import Journeys
from ...errors import fail
from ..contrast import contrast_worlds, prevent_events, run_entrants
from ..outcomes import list_read, read_outcome
from .answer import COUPLING, Answer
from .estimates import Mask, Numbers, estimate_mean, gain_of_pairing
from .shares import compare_levels, describe_levels


@dataclass(frozen=True)
class Question:
    """An effect, among the first `patients` who enter and meet `where`; `base` acts in every world.

    `mediator` is a variable, or empty; `level` an intervention that holds one at a value; `argument` what is written
    after the measure's name; `binary`: whether the outcome must be 0 or 1.
    """

    model: Model
    effect: Effect
    patients: int
    seed: int = 0
    where: Expression | None = None
    base: tuple[Intervention, ...] = ()
    mediator: str = ""
    level: Intervention | None = None
    argument: str = ""
    binary: bool = False

    @property
    def text(self) -> str:
        given = f", given {self.where}" if self.where is not None else ""
        return self.effect.text + given + "".join(f"; {intervention.text}" for intervention in self.base)

    def worlds(self) -> tuple[World, World]:
        """The world of the first level and that of the second."""
        return contrast_worlds(self.model, self.effect, base=self.base)

    def natural(self) -> World:
        """The world in which the treatment is left to its natural mechanism."""
        return World("natural", (*self.base, *prevent_events(self.model, self.effect)))

    def label(self, index: int) -> str:
        """The treatment and its level in the first (0) or the second world (1): "lecanemab = 1"."""
        levels = self.model.variables[self.effect.treatment].levels
        level = self.effect.contrast[index]
        return f"{self.effect.treatment} = {levels[int(level)] if levels else f'{level:g}'}"

    def rivals(self, event: str) -> list[str]:
        """What ends the journey, and so prevents an event, unless it is a component of it: all that does, for none."""
        variables = self.model.variables
        parts = list_components(variables, event)
        return [v.name for v in variables.values() if v.ends == "journey" and v.name not in parts]

    def failures(self, event: str) -> list[str]:
        """What ends being free of an event: itself, and its rivals unless it ends the journey itself; all that ends the
        journey, for no event."""
        if event and ends_journey(self.model.variables, event):
            return [event]
        return [*([event] if event else []), *self.rivals(event)]

    def gather(
        self, worlds: Sequence[World], read: Callable[[Journeys], dict[str, Tensor]], *, keep: Sequence[str]
    ) -> dict[str, NDArray[Any]]:
        """What `read` finds in each batch, patients last, joined over all; `keep`: the variables that it reads, beside
        those of the outcome."""
        parts = [
            read(journeys)
            for journeys in run_entrants(
                self.model,
                worlds,
                patients=self.patients,
                seed=self.seed,
                steps=self.effect.at,
                keep=list(dict.fromkeys([*list_read(self.effect), *keep])),
                where=self.where,
            )
        ]
        return {key: torch.cat([part[key] for part in parts], -1).numpy() for key in parts[0]}

    def gather_outcomes(self, worlds: Sequence[World]) -> Numbers:
        """The outcome, float64 (worlds, patients), NaN where it is undefined."""
        read = self.read_outcome
        found: Numbers = self.gather(worlds, lambda j: {"y": read(j)}, keep=[])["y"]
        return found

    def gather_natural(self) -> tuple[Numbers, Numbers]:
        """The outcome, float64 (3, patients), naturally and in the two worlds; and the natural value of the treatment
        at the decision, (patients,). NaN where undefined."""
        effect = self.effect
        found = self.gather(
            (self.natural(), *self.worlds()),
            lambda journeys: {"y": self.read_outcome(journeys), "x": self.read_natural(journeys)},
            keep=[effect.treatment],
        )
        return found["y"], found["x"]

    def read_outcome(self, journeys: Journeys) -> Tensor:
        """The outcome, float64 (worlds, patients). Raises NosographError where it must be binary and is not."""
        outcome = read_outcome(journeys, self.model, self.effect)
        if self.binary and self.model.variables[self.effect.outcome].kind == "event":
            outcome = torch.where(outcome > 1, 1.0, outcome)  # the risk of at least one
        if self.binary and not bool(((outcome == 0) | (outcome == 1) | torch.isnan(outcome)).all()):
            events = [v.name for v in self.model.variables.values() if v.kind == "event"]
            fix = f"{self.effect.treatment} -> {events[0]} @ …" if events else "an event as the outcome"
            raise fail(f"{self.effect.outcome} is not always 0 or 1", value=self.effect.text, fix=fix)
        return outcome

    def read_natural(self, journeys: Journeys) -> Tensor:
        """The value of the treatment at the decision in the first world, NaN for those who are not alive then:
        (patients,)."""
        effect, name = self.effect, self.effect.treatment
        steps = journeys.steps[name]
        if effect.decision not in steps and self.model.variables[name].kind != "static":
            raise fail(f"{name} is not decided then", value=effect.text, fix="another decision time")
        values = journeys.values[name][0, 0 if len(steps) == 1 else steps.index(effect.decision)]
        return torch.where(journeys.ended[0] > effect.decision, values.double(), torch.nan)

    def find_defined(self, *outcomes: Numbers) -> Mask:
        """Those for whom all of these are defined. Raises NosographError where they are not even two."""
        defined = np.asarray(~np.isnan(np.stack(outcomes)).any(0))
        if defined.sum() < 2:
            fix = "a wider population, more patients, or another time"
            raise fail("the outcome is defined for nobody", value=self.text, fix=fix)
        return defined

    def describe_contrast(self, outcomes: Numbers, *, what: str, note: str = "") -> Answer:
        """The average of outcomes[0] - outcomes[1], (2, patients), among those for whom both are defined; where the
        outcome has levels, the difference of each level's share."""
        if not self.model.variables[self.effect.outcome].levels:
            return self.describe_means(outcomes, what=what, note=note)
        defined = self.find_defined(*outcomes)
        first, second = outcomes[0][defined], outcomes[1][defined]
        return self.describe_shares(first, second, what=what, note=note, defined=defined)

    def describe_means(self, outcomes: Numbers, *, what: str, note: str = "") -> Answer:
        """The average of outcomes[0] - outcomes[1], (2, patients), among those for whom both are defined."""
        defined = self.find_defined(*outcomes)
        first, second = outcomes[0][defined], outcomes[1][defined]
        found = estimate_mean(first - second)
        coupled = COUPLING if self.effect.death == "survivors" else ""
        return Answer(
            question=self.text,
            value=found.value,
            interval=found.interval,
            method=f"{what}: the mean difference over {found.count:,} people, each in both worlds with the same noise",
            note=" ".join(part for part in (note, coupled, describe_undefined(defined)) if part),
            details={
                "means": {self.label(0): float(first.mean()), self.label(1): float(second.mean())},
                "standard_error": found.error,
                "patients": found.count,
                "undefined": float(1 - defined.mean()),
                "variance_gain": gain_of_pairing(first, second, float((first - second).var(ddof=1))),
            },
        )

    def describe_shares(self, first: Numbers, second: Numbers, *, what: str, note: str, defined: Mask) -> Answer:
        """The difference of each level's share between the two worlds: `first` and `second` are the places of the
        levels of those for whom both are `defined`."""
        outcome = self.model.variables[self.effect.outcome]
        differences, intervals = compare_levels(outcome, first, second)
        shares = describe_levels(outcome, {self.label(0): first, self.label(1): second})
        return Answer(
            question=self.text,
            value=differences,
            interval=intervals,
            method=f"{what}: the difference of the share of each level of {outcome.name}, over {len(first):,} people, "
            "each in both worlds with the same noise",
            note=" ".join(part for part in (note, describe_undefined(defined)) if part),
            details={**shares, "patients": len(first), "undefined": float(1 - defined.mean())},
        )


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
