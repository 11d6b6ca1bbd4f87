"""When events happened, and what the end of a journey or of its record cuts off.

A step is the interval (t - dt, t]. A hazard's event has an instant within it, any other event happens at t. The end of
a journey ends it at its own instant: what fell earlier in the same step stays, what fell later never was. At one
instant the order is: other events; those that end something, as declared; then measurements and treatments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..model.model import Variable


@dataclass(frozen=True)
class Occurrences:
    """When an event happened: one entry an occurrence, tensors of equal length. `date` is in the clock's unit;
    `on_record`: whether the record still held it."""

    world: Tensor
    patient: Tensor  # the index in the batch
    step: Tensor
    date: Tensor
    on_record: Tensor

    def take(self, chosen: Tensor) -> Occurrences:
        """Those at the given positions, or where `chosen` is true."""
        return Occurrences(*(part[chosen] for part in self.parts))

    @property
    def parts(self) -> tuple[Tensor, ...]:
        return self.world, self.patient, self.step, self.date, self.on_record


@dataclass(frozen=True)
class Ending:
    """The first of the events that end something: its `date`, float64 (worlds, patients), infinite where there is none,
    and its `rank`, its place among all events as declared."""

    date: Tensor
    rank: Tensor

    def admits(self, found: Occurrences, rank: int) -> Tensor:
        """Which occurrences of an event come no later. `rank`: the event's own, -1 if it ends nothing."""
        date, first = self.date[found.world, found.patient], self.rank[found.world, found.patient]
        return (found.date < date) | ((found.date == date) & (rank <= first))


def find_ending(found: Mapping[str, Occurrences], ranks: Mapping[str, int], *, worlds: int, patients: int) -> Ending:
    """The first occurrence of any of these events, of each patient in each world."""
    date = torch.full((worlds * patients,), torch.inf, dtype=torch.float64)
    for occurrences in found.values():
        date.scatter_reduce_(0, _place(occurrences, patients), occurrences.date, "amin")
    rank = torch.full((worlds * patients,), len(ranks), dtype=torch.int64)
    for name, occurrences in found.items():
        place = _place(occurrences, patients)
        place = place[occurrences.date == date[place]]
        rank[place] = rank[place].clamp(max=ranks[name])
    return Ending(date.view(worlds, patients), rank.view(worlds, patients))


def _place(found: Occurrences, patients: int) -> Tensor:
    return found.world * patients + found.patient


def cut_occurrences(
    found: Mapping[str, Occurrences], events: Sequence[Variable], *, worlds: int, patients: int
) -> tuple[dict[str, Occurrences], Ending, Ending]:
    """Each event's occurrences that came no later than the end of the journey, each with whether it is on the record;
    the ends of the journeys and those of the records. `events`: all the model's events, as declared."""
    ranks = {event.name: rank for rank, event in enumerate(events)}
    own = {event.name: -1 if event.ends == "nothing" else ranks[event.name] for event in events}

    def end(kind: str, among: Mapping[str, Occurrences]) -> Ending:
        ending = {event.name: among[event.name] for event in events if event.ends == kind and event.name in among}
        return find_ending(ending, ranks, worlds=worlds, patients=patients)

    journey = end("journey", found)
    lived = {name: each.take(journey.admits(each, own[name])) for name, each in found.items()}
    record = end("record", lived)
    held = {name: replace(each, on_record=record.admits(each, own[name])) for name, each in lived.items()}
    return held, journey, record


def unite_occurrences(parts: Sequence[Occurrences], *, once: bool, patients: int) -> Occurrences:
    """The occurrences of a composite event: all those of its components, by date; with `once`, each patient's first."""
    joined = Occurrences(*(torch.cat(each) for each in zip(*(part.parts for part in parts), strict=True)))
    place = _place(joined, patients)
    order = torch.argsort(joined.date, stable=True)
    order = order[torch.argsort(place[order], stable=True)]
    joined, place = joined.take(order), place[order]
    if once and len(place):
        first = torch.ones_like(place, dtype=torch.bool)
        first[1:] = place[1:] != place[:-1]
        joined = joined.take(first)
    return joined
