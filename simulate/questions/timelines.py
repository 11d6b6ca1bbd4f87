"""What a picture of twins shows: each variable in each world over time, with bands, evidence, events, interventions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """A value over `Timelines.times`, each (times,), NaN where there is none (after the end of a journey). Where it is
    known exactly, the three are the same array."""

    low: Numbers
    middle: Numbers
    high: Numbers

    @property
    def exact(self) -> bool:
        return self.low is self.middle and self.high is self.middle


@dataclass(frozen=True)
class TimelineVariable:
    """One variable in all worlds. `evidence`: (time, value) of what was observed of it, if anything."""

    name: str
    title: str
    unit: str  # UCUM, or empty
    worlds: Mapping[str, Band]  # by the world's name, the factual one first
    evidence: tuple[tuple[float, float], ...] = ()
    levels: tuple[str, ...] = ()  # of a categorical, whose values are their indices


@dataclass(frozen=True)
class TimelineEvent:
    """An event in one world: at `time` where it is known to have happened (None: it did not), or, of a posterior, the
    probability that it has happened by each of `Timelines.times`."""

    world: str
    name: str
    title: str
    time: float | None = None
    probability: Numbers | None = None
    ends: str = "nothing"  # as in the model: "journey", "record" or "nothing"


@dataclass(frozen=True)
class TimelineIntervention:
    """An intervention in a world, acting in [start, stop)."""

    world: str
    text: str
    start: float
    stop: float


@dataclass(frozen=True)
class Timelines:
    """`unit`: the unit of all times ("year"). `title`: whose they are, in a few words."""

    title: str
    unit: str
    times: Numbers
    variables: tuple[TimelineVariable, ...]
    events: tuple[TimelineEvent, ...] = ()
    interventions: tuple[TimelineIntervention, ...] = ()
