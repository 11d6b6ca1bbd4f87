"""Monte Carlo estimates over people, and their 95% intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    return share, (middle - half if share > 0 else 0.0, middle + half if share < 1 else 1.0)  # there exact: no rounding


def compare_shares(first: Numbers, second: Numbers) -> tuple[float | None, Interval | None]:
    """The ratio of two shares, or of other means that are never negative, over the same people, each (patients,), and
    its 95% interval. None where it is not defined."""
    return compare_products([first], [second])


def compare_products(above: Sequence[Numbers], below: Sequence[Numbers]) -> tuple[float | None, Interval | None]:
    """The product of the means of `above` over that of the means of `below`, all over the same people and never
    negative, each (patients,), and its 95% interval: that of its logarithm, by the delta method, the pairing taken into
    account. A ratio of rates is that of counts in one world and times in the other to the rest. None where it is not
    defined."""
    top, bottom = (math.prod(float(each.mean()) for each in sides) for sides in (above, below))
    if top == 0 or bottom == 0:
        return (0.0 if bottom > 0 else None), None
    parts = sum(each / each.mean() for each in above) - sum(each / each.mean() for each in below)
    error = estimate_mean(np.asarray(parts)).error
    ratio = top / bottom
    return ratio, (ratio * math.exp(-Z95 * error), ratio * math.exp(Z95 * error))


def gain_of_pairing(first: Numbers, second: Numbers, paired: float) -> float | None:
    """How many times the variance would be, of the same estimate from two cohorts of as many other people each: the
    variances of both over that of the pairs. `first`, `second`: each person's contribution in each world; `paired`: the
    variance of their difference. None where the worlds do not differ."""
    return float(first.var(ddof=1) + second.var(ddof=1)) / paired if paired > 0 else None
