"""Journeys: the trajectories of a batch of patients in one or more worlds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..model.clock import times_of
from ..model.model import Model
from ..model.world import World
from .occurrences import Occurrences


@dataclass(frozen=True)
class Journeys:
    """Trajectories of a batch of patients in one or more worlds.

    `values[name]`: (worlds or 1, steps of that variable, patients); `steps[name]` lists these steps. An event's values
    say in which steps it happened (for a repeated composite how often), and `occurrences` say when: never after the end
    of the journey. Other values are not cut there: `living` says where they count.
    `recorded[name]`: whether each measurement was recorded, in the same shape. `ended`: (worlds or 1, patients), the
    step in which the journey ended; `closed`: the step in which the record ended. One past the last step if it did not.
    `ended_at`, `closed_at`: the instants, float64 (worlds, patients), in the clock's unit, infinite if it did not.
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
    ended_at: Tensor
    closed_at: Tensor

    def to(self, device: str) -> Journeys:
        """The same journeys with their tensors on another device."""

        def move(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
            return {name: tensor.to(device) for name, tensor in tensors.items()}

        occurrences = {
            name: Occurrences(*(tensor.to(device) for tensor in found.parts))
            for name, found in self.occurrences.items()
        }
        return replace(
            self,
            values=move(self.values),
            recorded=move(self.recorded),
            occurrences=occurrences,
            ended=self.ended.to(device),
            closed=self.closed.to(device),
            ended_at=self.ended_at.to(device),
            closed_at=self.closed_at.to(device),
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
        moved = [replace(o, patient=o.patient + start) for o, start in zip(found, starts, strict=False)]
        return Occurrences(*(torch.cat(parts) for parts in zip(*(o.parts for o in moved), strict=True)))

    return replace(
        first,
        patients=torch.cat([part.patients for part in parts]),
        values={name: join([part.values[name] for part in parts]) for name in first.values},
        recorded={name: join([part.recorded[name] for part in parts]) for name in first.recorded},
        occurrences={name: join_occurrences(name) for name in first.occurrences},
        ended=join([part.ended for part in parts]),
        closed=join([part.closed for part in parts]),
        ended_at=join([part.ended_at for part in parts]),
        closed_at=join([part.closed_at for part in parts]),
    )


def living(journeys: Journeys, steps: Sequence[int]) -> Tensor:
    """Whether the journey goes on in each of `steps`: bool, (worlds or 1, steps, patients)."""
    return torch.tensor(steps, dtype=torch.int32)[None, :, None] < journeys.ended[:, None, :]


def open_record(journeys: Journeys, steps: Sequence[int]) -> Tensor:
    """Whether the record is still open in each of `steps`: bool, the same shape."""
    return living(journeys, steps) & (
        torch.tensor(steps, dtype=torch.int32)[None, :, None] < journeys.closed[:, None, :]
    )


def first_dates(journeys: Journeys, event: str, *, after: float = -math.inf) -> Tensor:
    """When an event first happened later than `after`, in the clock's unit, infinite where it did not: float64,
    (worlds, patients)."""
    found, count = journeys.occurrences[event], len(journeys.patients)
    chosen = found.date > after
    dates = torch.full((len(journeys.worlds) * count,), torch.inf, dtype=torch.float64)
    dates.scatter_reduce_(0, (found.world * count + found.patient)[chosen], found.date[chosen], "amin")
    return dates.view(len(journeys.worlds), count)


def count_occurrences(
    journeys: Journeys, event: str, *, by: float | Tensor, after: float = -math.inf, on_record: bool = False
) -> Tensor:
    """How often an event happened later than `after` and no later than `by`, both in the clock's unit: float64,
    (worlds, patients), as `by` may be. `on_record`: as far as the record holds it."""
    found, count = journeys.occurrences[event], len(journeys.patients)
    last = by[found.world, found.patient] if isinstance(by, Tensor) else by
    chosen = (found.date > after) & (found.date <= last)
    if on_record:
        chosen = chosen & found.on_record
    place = (found.world * count + found.patient)[chosen]
    return torch.bincount(place, minlength=len(journeys.worlds) * count).double().view(len(journeys.worlds), count)


def times(steps: Sequence[int], *, model: Model) -> NDArray[np.float64]:
    """The steps' times in the clock's unit, as all tables have them."""
    return times_of(steps, clock=model.clock)
