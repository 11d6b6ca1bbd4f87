"""Estimates of an effect that no adjustment identifies: by the front door, or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .columns import Column
from .design import Array, basis, encode
from .dowhy import two_stage_regression
from .estimate import Estimate
from .front_door import estimate_front_door, find_gap
from .identify import Identification

if TYPE_CHECKING:
    import pandas as pd


def estimate_without_adjustment(
    frame: pd.DataFrame,
    identification: Identification,
    *,
    treatment: Column,
    outcome: Column,
    covariates: Sequence[Column],
    contrast: tuple[float, float],
) -> tuple[tuple[Estimate, ...], str]:
    """The front door's estimates, DoWhy's and then ours, and what to say of them; without an estimate, why.

    `frame`: a row for each person with a treatment and an outcome; it needs the columns of the mediators.
    """
    if identification.identified_by == "functional":
        return (), f"identifiable by a functional, {identification.functional}; no estimator here"
    names = [column.name for column in identification.mediators]
    through = f"identifiable by front door, through {', '.join(names)}"
    if lacking := [name for name in names if name not in frame]:
        return (), f"{through}; the frame lacks {', '.join(lacking)}"
    cause: Array = frame[treatment.name].to_numpy(dtype=np.float64)
    known = [column for column in covariates if column.name in identification.adjustment]
    # a gap in a mediator is a value of its own
    joint = frame[names].fillna(np.inf).to_numpy(dtype=np.float64)
    cells = np.unique(joint, axis=0, return_inverse=True)[1].reshape(-1).astype(np.float64)
    if reason := find_gap(cause, cells, contrast):
        return (), f"{through}; {reason}"
    arms = [(cause == level) & (cells == cell) for level in np.unique(cause) for cell in np.unique(cells)]
    design = basis(encode(frame, known), arms)
    found, reason = estimate_front_door(frame[outcome.name].to_numpy(dtype=np.float64), cause, cells, design, contrast)
    if found is None:
        return (), f"{through}; {reason}"
    binary = set(np.unique(cause)) == {0.0, 1.0} and contrast == (1.0, 0.0)
    if len(names) == 1 and not known and binary and np.isfinite(joint).all():
        linear = two_stage_regression(frame, treatment=treatment.name, mediator=names[0], outcome=outcome.name)
        return (linear, found), f"{through}; DoWhy's estimate is right for linear effects alone"
    return (found,), through
