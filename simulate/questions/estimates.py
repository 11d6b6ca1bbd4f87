"""Monte Carlo estimates over people, and their 95% intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .answer import Interval

Z95 = 1.959963984540054  # the 0.975 quantile of the standard normal
Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class MonteCarloEstimate:
    """An estimate, its standard error, and how many people it rests on."""

    value: float
    error: float
    count: int

    @property
    def interval(self) -> Interval:
        """The 95% interval, of the normal approximation."""
        return (self.value - Z95 * self.error, self.value + Z95 * self.error)


def estimate_mean(values: Numbers) -> MonteCarloEstimate:
    """The mean of independent people, (patients,), and its standard error."""
    return MonteCarloEstimate(float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values)), len(values))


def estimate_share(members: Mask) -> tuple[float, Interval]:
    """The share of people, (patients,), and its 95% interval (Wilson 1927, JASA 22:209), honest at none and all."""
    count, share = len(members), float(members.mean())
    middle = (share + Z95**2 / (2 * count)) / (1 + Z95**2 / count)
    half = Z95 / (1 + Z95**2 / count) * math.sqrt(share * (1 - share) / count + Z95**2 / (4 * count**2))
    return share, (max(0.0, middle - half), min(1.0, middle + half))


def compare_shares(first: Numbers, second: Numbers) -> tuple[float | None, Interval | None]:
    """The ratio of two shares over the same people, each (patients,) of 0 and 1, and its 95% interval: that of its
    logarithm, by the delta method, the pairing taken into account. None where it is not defined."""
    a, b = float(first.mean()), float(second.mean())
    if a == 0 or b == 0:
        return (0.0 if b > 0 else None), None
    error = estimate_mean(first / a - second / b).error
    return a / b, (a / b * math.exp(-Z95 * error), a / b * math.exp(Z95 * error))


def gain_of_pairing(first: Numbers, second: Numbers, paired: float) -> float | None:
    """How many times the variance would be, of the same estimate from two cohorts of as many other people each: the
    variances of both over that of the pairs. `first`, `second`: each person's contribution in each world; `paired`: the
    variance of their difference. None where the worlds do not differ."""
    return float(first.var(ddof=1) + second.var(ddof=1)) / paired if paired > 0 else None
