"""How far the record follows each person's outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .design import Array

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FollowUp:
    """How far the record tells each person's outcome; arrays of (people,).

    `outcome`: NaN where the record does not tell; `until`: the time, in the clock's unit, until which it was followed,
    at most as long as needed; `lost`: the event by which it was lost, or ""; `visit`: the step of the visit that gives
    the outcome, -1 if there is none.
    """

    outcome: Array
    until: Array
    lost: NDArray[np.object_]
    visit: NDArray[np.int64]

    @classmethod
    def whole(cls, outcome: Array) -> FollowUp:
        """Everybody's outcome is what the record says, and nobody is lost."""
        count = len(outcome)
        return cls(outcome, np.full(count, np.inf), np.full(count, "", dtype=object), np.full(count, -1))

    @classmethod
    def read(cls, frame: pd.DataFrame) -> FollowUp:
        """From columns with these names."""
        return cls(
            frame["outcome"].to_numpy(dtype=np.float64),
            frame["until"].to_numpy(dtype=np.float64),
            frame["lost"].to_numpy(dtype=object),
            frame["visit"].to_numpy(dtype=np.int64),
        )
