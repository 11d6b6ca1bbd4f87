"""Journeys: the trajectories of a batch of patients in one or more worlds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..model.model import Model
from ..model.world import World


@dataclass(frozen=True)
class Occurrences:
    """When an event happened: one entry per occurrence, four tensors of equal length. `date` is in the clock's unit."""

    world: Tensor
    patient: Tensor  # the index in the batch
    step: Tensor
    date: Tensor


@dataclass(frozen=True)
class Journeys:
    """Trajectories of a batch of patients in one or more worlds, not yet cut at the end of the journey.

    `values[name]`: (worlds or 1, steps of that variable, patients); `steps[name]` lists these steps.
    `recorded[name]`: whether each measurement was recorded, in the same shape. `ended`: (worlds or 1, patients), the
    step in which the journey ended; `closed`: the step in which the record ended. One past the last step if it did not.
    """

    worlds: tuple[World, ...]
    patients: Tensor
    last_step: int
    values: dict[str, Tensor]
    steps: dict[str, tuple[int, ...]]
    recorded: dict[str, Tensor]
    occurrences: dict[str, Occurrences]
    ended: Tensor
    closed: Tensor

    def to(self, device: str) -> Journeys:
        """The same journeys with their tensors on another device."""

        def move(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
            return {name: tensor.to(device) for name, tensor in tensors.items()}

        occurrences = {
            name: Occurrences(*(tensor.to(device) for tensor in (o.world, o.patient, o.step, o.date)))
            for name, o in self.occurrences.items()
        }
        return replace(
            self,
            values=move(self.values),
            recorded=move(self.recorded),
            occurrences=occurrences,
            ended=self.ended.to(device),
            closed=self.closed.to(device),
        )


def join_journeys(parts: Sequence[Journeys]) -> Journeys:
    """Join batches of one cohort in the same worlds."""
    first, count = parts[0], len(parts[0].worlds)
    starts = list(accumulate((len(part.patients) for part in parts), initial=0))

    def join(tensors: Sequence[Tensor]) -> Tensor:
        worlds = count if any(tensor.shape[0] == count for tensor in tensors) else 1
        return torch.cat([tensor.expand(worlds, *tensor.shape[1:]) for tensor in tensors], dim=-1)

    def join_occurrences(name: str) -> Occurrences:
        found = [part.occurrences[name] for part in parts]
        return Occurrences(
            world=torch.cat([occurrences.world for occurrences in found]),
            patient=torch.cat([o.patient + start for o, start in zip(found, starts, strict=False)]),
            step=torch.cat([occurrences.step for occurrences in found]),
            date=torch.cat([occurrences.date for occurrences in found]),
        )

    return replace(
        first,
        patients=torch.cat([part.patients for part in parts]),
        values={name: join([part.values[name] for part in parts]) for name in first.values},
        recorded={name: join([part.recorded[name] for part in parts]) for name in first.recorded},
        occurrences={name: join_occurrences(name) for name in first.occurrences},
        ended=join([part.ended for part in parts]),
        closed=join([part.closed for part in parts]),
    )


def living(journeys: Journeys, steps: Sequence[int]) -> Tensor:
    """Whether the journey goes on in each of `steps`: bool, (worlds or 1, steps, patients)."""
    return torch.tensor(steps, dtype=torch.int32)[None, :, None] < journeys.ended[:, None, :]


def open_record(journeys: Journeys, steps: Sequence[int]) -> Tensor:
    """Whether the record is still open in each of `steps`: bool, the same shape."""
    return living(journeys, steps) & (
        torch.tensor(steps, dtype=torch.int32)[None, :, None] < journeys.closed[:, None, :]
    )


def times(steps: Sequence[int], *, model: Model) -> NDArray[np.float64]:
    """The steps' times in the clock's unit, rounded to a billionth."""
    return np.round(np.asarray(steps, dtype=np.float64) * model.clock.step / model.clock.unit, 9)
