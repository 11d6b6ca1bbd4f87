"""Noisy-or with a shared severity: how often a finding occurs that several causes can each produce.

Each cause has a liability, strength * severity + sqrt(1 - strength^2) * its own noise, both standard normal, and acts
if the liability is under a threshold (D. S. Falconer 1965, "The inheritance of liability to certain diseases";
a one-factor Gaussian copula, which keeps each cause's own probability). Given the severity the causes are independent,
so only one integral over it remains.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

REACH = 8.0  # the severity is integrated from -REACH to REACH, all but a probability of 1e-15
CAUSES = 64  # number of causes for which the quadrature is designed; more lose digits slowly
DIGITS = 20.0  # of the error bound, as a natural logarithm
FINEST = 2e-4  # smallest distance of nodes; too coarse for strengths above 0.999999
ENOUGH = 1e-12
STANDARD = NormalDist()


def probit(p: float) -> float:
    """The standard normal quantile of `p`: minus infinity at 0 and below, infinity at 1 and above."""
    if math.isnan(p):
        return math.nan
    return -math.inf if p <= 0 else math.inf if p >= 1 else STANDARD.inv_cdf(p)


def union(probabilities: Iterable[float], strength: float) -> float:
    """The probability that at least one of several causes acts, given their own `probabilities`. Their liabilities
    share a severity with loading `strength`, from -1 to 1.

    Exact to about 1e-9. NaN if the strength or a probability is out of range.
    """
    own = tuple(sorted(p for p in probabilities if p != 0))
    if not all(0 <= p <= 1 for p in own) or not -1 <= strength <= 1:
        return math.nan
    if not own or own[-1] == 1:
        return own[-1] if own else 0.0
    if abs(strength) == 1:
        return own[-1]
    return max(own[-1], 1 - float(_nodes(abs(strength))[1] @ _spared(own, abs(strength))))


def leak(frequency: float, strength: float, *probabilities: float) -> float:
    """The probability of an additional cause such that, with causes of the given `probabilities`, all coupled by
    `strength`, at least one acts with probability `frequency`; 0 if the others reach it alone.

    It is the q of 1 - frequency = E[(1 - q(s)) * product of (1 - p(s))] over the severity s. Exact to about 1e-9. NaN
    if an argument is out of range.
    """
    return _leak(float(frequency), abs(float(strength)), tuple(sorted(float(p) for p in probabilities if p != 0)))


@lru_cache(maxsize=4096)
def _leak(frequency: float, strength: float, own: tuple[float, ...]) -> float:
    if not all(0 <= p <= 1 for p in (frequency, strength, *own)):
        return math.nan
    if not own or frequency == 0 or own[-1] >= frequency:
        return 0.0 if own and frequency > 0 else frequency
    if frequency == 1 or strength == 1:
        return frequency
    severity, weights = _nodes(strength)
    rest = weights * _spared(own, strength)
    excess = frequency - 1 + float(rest.sum())  # what the others do not reach
    return _solve(frequency, excess, strength, severity, rest) if excess > ENOUGH else 0.0


def _solve(
    frequency: float, excess: float, strength: float, severity: NDArray[np.float64], rest: NDArray[np.float64]
) -> float:
    """The probability that leaves 1 - frequency of `rest`: Newton's method on its threshold, within a bracket."""
    width = math.sqrt(1 - strength**2)
    low, high = probit(excess), probit(frequency)  # a cause adds at most its probability
    threshold = high
    for _ in range(60):
        z = (threshold - strength * severity) / width
        error = excess - float(rest @ _cumulate(z))
        low, high = (threshold, high) if error > 0 else (low, threshold)
        slope = float(rest @ np.exp(-0.5 * z * z)) / (width * math.sqrt(2 * math.pi))
        step = error / slope if slope > 0 else math.inf
        new = threshold + step
        if not low <= new <= high:
            new = (low + high) / 2
        if abs(new - threshold) < ENOUGH:
            break
        threshold = new
    return min(STANDARD.cdf(threshold), frequency)


@lru_cache(maxsize=64)
def _nodes(strength: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes of the severity and their weights: the trapezoid rule, whose error for an entire function that grows no
    faster than exp(a y^2 / 2) along the imaginary axis falls as exp(-(2 pi / step)^2 / (2 a)) (L. N. Trefethen and
    J. A. C. Weideman 2014, "The exponentially convergent trapezoidal rule")."""
    growth = 1 + CAUSES * strength**2 / (1 - strength**2)
    step = max(2 * math.pi / math.sqrt(2 * DIGITS * growth), FINEST)
    severity = np.linspace(-REACH, REACH, 2 * math.ceil(REACH / step) + 1)
    weights = np.exp(-0.5 * severity**2)
    return severity, weights / weights.sum()


def _spared(own: tuple[float, ...], strength: float) -> NDArray[np.float64]:
    """The probability that none of the causes acts, at each node of the severity."""
    product = np.ones_like(_nodes(strength)[0])
    for p in own:
        product *= _spare(p, strength)
    return product


@lru_cache(maxsize=4096)
def _spare(p: float, strength: float) -> NDArray[np.float64]:
    return _cumulate((strength * _nodes(strength)[0] - probit(p)) / math.sqrt(1 - strength**2))


def _cumulate(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """The standard normal distribution function. `math.erfc` on a few hundred nodes takes less time than importing a
    faster implementation."""
    return np.array([0.5 * math.erfc(x) for x in (z * -math.sqrt(0.5)).tolist()])
