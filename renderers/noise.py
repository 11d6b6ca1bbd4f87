"""The noise of renderers: the keyed generator's, under names of their own and without the world, so twins share it."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ..causal.model.model import Clock
from ..causal.program.noise import draw_number

Choice = TypeVar("Choice")
DAYS = 7 * 365  # in which people enter
WEEK = 7 / 365.25


@dataclass(frozen=True)
class Noise:
    """All draws of one patient at one step: pure functions of (seed, modality, name, patient, step).

    The world is no part of the key: whatever is called by the same name is the same in every world of the patient.
    """

    seed: int
    modality: str
    patient: int
    step: int

    def uniform(self, name: str, count: int = 1) -> tuple[float, ...]:
        """`count` uniforms strictly inside (0, 1)."""
        full = f"{self.modality}/{name}"
        return tuple(
            draw_number(seed=self.seed, name=full, patient=self.patient, step=self.step, component=str(index))
            for index in range(count)
        )

    def choose(self, name: str, options: Sequence[Choice], weights: Sequence[float] | None = None) -> Choice:
        """One of `options`, by `weights` (equal ones by default)."""
        u = draw_number(
            seed=self.seed, name=f"{self.modality}/{name}", patient=self.patient, step=self.step, component="0"
        )
        if weights is None:
            return options[int(u * len(options))]
        place = u * sum(weights)
        for option, weight in zip(options, weights, strict=True):
            place -= weight
            if place < 0:
                return option
        return options[-1]

    def of_patient(self) -> Noise:
        """The same at every time: what stays a patient's own."""
        return replace(self, modality=f"{self.modality}/patient", step=0)

    def of_author(self, author: int) -> Noise:
        """The same for every patient and time: an author's habits."""
        return replace(self, modality=f"{self.modality}/author", patient=author, step=0)


def invent_entry(seed: int, patient: int, *, clock: Clock) -> datetime.datetime:
    """The calendar that a patient's time 0 stands at, invented for documents and images that carry dates: the same in
    every world and modality.

    A weekday of 2015 to 2021 in office hours; any hour of any day where the clock counts in less than a week, as on a
    ward. A journey of more than ten years begins as many years earlier.
    """
    day, hour, quarter = Noise(seed, "calendar", patient, 0).uniform("entry", 3)
    years = max(0, math.ceil(clock.horizon) - 10)
    date = datetime.datetime(2015 - years, 1, 1) + datetime.timedelta(days=int(day * DAYS))
    if clock.unit < WEEK:
        return date + datetime.timedelta(hours=int(hour * 24), minutes=15 * int(quarter * 4))
    date += datetime.timedelta(days=7 - date.weekday() if date.weekday() >= 5 else 0)
    return date + datetime.timedelta(hours=9 + int(hour * 8), minutes=15 * int(quarter * 4))
