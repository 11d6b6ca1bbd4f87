"""Journeys: the trajectories of a batch of patients in one or more worlds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from .world import World


@dataclass(frozen=True)
class Occurrences:
    """When an event happened: one entry each, all four of equal length. `date` is in the clock's unit."""

    world: Tensor
    patient: Tensor  # the index in the batch
    step: Tensor
    date: Tensor


@dataclass(frozen=True)
class Journeys:
    """Trajectories of a batch of patients in one or more worlds, before the end of a journey is applied.

    `values[name]`: (worlds or 1, steps of that variable, patients); `steps[name]` says which steps these are.
    `recorded[name]`: whether each measurement was recorded, in the same shape. `ended`: (worlds or 1, patients), the
    step in which the journey ended, and `closed` that in which the record did: one past the last step if it did not.
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
