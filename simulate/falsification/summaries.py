"""Simulated and real people side by side: each quantity at its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...causal.effects.columns import Column
from ...causal.effects.design import Array

if TYPE_CHECKING:
    import pandas as pd

QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class SummaryPair:
    """One quantity, or the share of one of its levels, in the table and in simulated people.

    Of each: how many have it, mean, standard deviation and `QUANTILES` (of a share: the mean alone); all None where
    nobody has it. `difference`: of the means, simulated less real, in the real standard deviations (None if that is 0).
    """

    name: str
    real: dict[str, float | None]
    simulated: dict[str, float | None]
    difference: float | None

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "real": self.real, "simulated": self.simulated, "difference": self.difference}


def compare(real: pd.DataFrame, simulated: pd.DataFrame, quantities: Sequence[Column]) -> tuple[SummaryPair, ...]:
    """A comparison for each quantity in order; for each level of those that have levels."""
    found = []
    for column in quantities:
        pair = [frame[column.name].dropna().to_numpy(dtype=np.float64) for frame in (real, simulated)]
        if column.levels:
            for code, level in enumerate(column.levels):
                found.append(_compare(f'{column.name} = "{level}"', *((v == code).astype(np.float64) for v in pair)))
        else:
            found.append(_compare(column.name, *pair))
    return tuple(found)


def _compare(name: str, real: Array, simulated: Array) -> SummaryPair:
    ours, theirs = _describe(simulated), _describe(real)
    difference = None
    if len(real) and len(simulated) and real.std() > 0:
        difference = float((simulated.mean() - real.mean()) / real.std())
    return SummaryPair(name, theirs, ours, difference)


def _describe(values: Array) -> dict[str, float | None]:
    names = ("mean", "sd", *(f"{level:.0%}" for level in QUANTILES))
    count: dict[str, float | None] = {"n": len(values)}
    if not len(values):
        return {**count, **dict.fromkeys(names)}
    if set(np.unique(values)) <= {0.0, 1.0}:
        return {**count, **dict.fromkeys(names), "mean": float(values.mean())}
    numbers = (values.mean(), values.std(ddof=1) if len(values) > 1 else 0.0, *np.quantile(values, QUANTILES))
    return {**count, **{key: float(number) for key, number in zip(names, numbers, strict=True)}}
