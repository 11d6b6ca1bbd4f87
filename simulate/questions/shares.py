"""A contrast of an outcome that has levels: the share of each level in both worlds, and of ordered ones the medians."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...causal.model.model import Variable
from .answer import Interval
from .estimates import Numbers, estimate_mean


def compare_levels(outcome: Variable, first: Numbers, second: Numbers) -> tuple[dict[str, float], dict[str, Interval]]:
    """The difference of each level's share, first less second, and its 95% interval over people who are in both worlds.

    `first`, `second`: the places of the levels, (patients,).
    """
    found = {
        level: estimate_mean((first == place).astype(np.float64) - (second == place))
        for place, level in enumerate(outcome.levels)
    }
    return {level: f.value for level, f in found.items()}, {level: f.interval for level, f in found.items()}


def describe_levels(outcome: Variable, worlds: dict[str, Numbers]) -> dict[str, Any]:
    """The share of each level in each world, by the world's label, and the median level where levels are ordered."""
    details: dict[str, Any] = {
        f"shares, {label}": {level: float((places == k).mean()) for k, level in enumerate(outcome.levels)}
        for label, places in worlds.items()
    }
    if outcome.has_order:
        details["medians"] = {label: find_median(outcome, places) for label, places in worlds.items()}
    return details


def find_median(outcome: Variable, places: Numbers) -> str:
    """The lowest level that at least half of the people have or are below."""
    return outcome.levels[int(np.quantile(places, 0.5, method="inverted_cdf"))]
