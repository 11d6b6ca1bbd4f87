"""One patient in one world, as recorded: what renderers render."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Row:
    """A row of the record. `value` is a level's name where the variable has levels."""

    variable: str
    step: int
    time: float  # in the clock's unit, since entry
    value: float | str


@dataclass(frozen=True)
class Happening:
    """A recorded event. `time` may lie within the step, whose end is `step`."""

    event: str
    step: int
    time: float


@dataclass(frozen=True)
class Journey:
    """One patient in one world, as recorded; `truth` (each variable at the steps `truth_steps`) only for renderers that
    ask for it.

    `rows` and `events` are in the order of time. No record is kept after `end`, which `ended_by` (an event, on record
    or not; empty where the run's last step came first) brought about.
    """

    patient: int
    world: str
    statics: Mapping[str, float | str]
    rows: tuple[Row, ...]
    events: tuple[Happening, ...]
    end: float
    ended_by: str = ""
    truth: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    truth_steps: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
