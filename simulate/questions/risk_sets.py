"""Two arms followed for an event: who was at risk when it happened, and what Cox and the log-rank test make of that."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from .estimates import Mask, Numbers

STEEPEST = 30.0  # a logarithm of a hazard ratio; an estimate beyond it is infinite


@dataclass(frozen=True)
class RiskSets:
    """The events of two arms, one entry an event in either, by time, each (events,).

    `at_risk`, `events`: of the first arm (0) and the second (1), how many were at risk then and how many had the event
    at that time, (2, events). `rank`: how many of the events at the same time come before this one in the list.
    """

    time: Numbers
    at_risk: Numbers
    events: Numbers
    rank: Numbers

    @property
    def earlier(self) -> Numbers:
        """The share of the events at the same time that Efron's approximation takes as past."""
        return np.asarray(self.rank / self.events.sum(0))


@dataclass(frozen=True)
class HazardRatio:
    """The logarithm of a hazard ratio, first arm over second, and each person's part in its error, (2, people): its
    variance is the sum of the squares of what independent people contribute."""

    log: float
    parts: Numbers


def find_risk_sets(time: Numbers, happened: Mask) -> RiskSets:
    """The risk sets of two arms. `time`: when each person of each arm had the event or was last seen without it,
    (2, people), `happened`: which of the two."""
    dates = np.sort(time[happened])
    unique, start, count = np.unique(dates, return_index=True, return_counts=True)
    at_risk, events = np.empty((2, len(unique))), np.empty((2, len(unique)))
    for arm in (0, 1):
        at_risk[arm] = time.shape[1] - np.searchsorted(np.sort(time[arm]), unique, side="left")
        own = np.sort(time[arm][happened[arm]])
        events[arm] = np.searchsorted(own, unique, side="right") - np.searchsorted(own, unique, side="left")
    rank = np.arange(len(dates)) - np.repeat(start, count)
    return RiskSets(dates, np.repeat(at_risk, count, axis=1), np.repeat(events, count, axis=1), rank.astype(float))


def fit_hazard_ratio(time: Numbers, happened: Mask) -> HazardRatio | None:
    """The hazard ratio of two arms: the maximum of Cox's partial likelihood (Cox 1972, JRSS B 34:187), ties as Efron
    has them (1977, JASA 72:557). Arguments as in `find_risk_sets`. None where the maximum is not finite.

    `parts` are the score residuals over the information (Lin and Wei 1989, JASA 84:1074), so that people who are in
    both arms add theirs before they are squared.
    """
    sets = find_risk_sets(time, happened)
    total = float(happened[0].sum())

    def score(log: float) -> float:
        return total - float(_weigh(sets, log)[0].sum())

    if not len(sets.time) or not score(-STEEPEST) > 0 > score(STEEPEST):
        return None
    log = float(brentq(score, -STEEPEST, STEEPEST, xtol=1e-13, rtol=1e-14))
    share, whole = _weigh(sets, log)
    information = float((share * (1 - share)).sum())
    parts = np.stack([_score_residuals(sets, log, arm, share, whole, time[arm], happened[arm]) for arm in (0, 1)])
    return HazardRatio(log, parts / information)


def _weigh(sets: RiskSets, log: float) -> tuple[Numbers, Numbers]:
    """At each event: the first arm's share of the weight at risk, and that weight."""
    weight = math.exp(log)
    remaining = sets.at_risk - sets.earlier * sets.events
    whole = weight * remaining[0] + remaining[1]
    return np.asarray(weight * remaining[0] / whole), np.asarray(whole)


def _score_residuals(
    sets: RiskSets, log: float, arm: int, share: Numbers, whole: Numbers, time: Numbers, happened: Mask
) -> Numbers:
    """Each person's score residual, (people,): at the own event, the covariate less its mean in the risk set, and at
    every event while at risk, the same times the person's hazard. One who has the event counts in the tie as
    Efron weights it."""
    x, weight = 1.0 - arm, math.exp(log) if arm == 0 else 1.0
    step = weight * (x - share) / whole
    unique, start, count = np.unique(sets.time, return_index=True, return_counts=True)
    whole_tie = np.add.reduceat(step, start)
    own_tie = np.add.reduceat((1 - sets.earlier) * step, start)
    mean = np.add.reduceat(share, start) / count
    passed = np.concatenate([[0.0], np.cumsum(whole_tie)])
    residual = -passed[np.searchsorted(unique, time, side="right")]
    place = np.searchsorted(unique, time[happened])
    residual[happened] += x - mean[place] + whole_tie[place] - own_tie[place]
    return np.asarray(residual)


@dataclass(frozen=True)
class LogRank:
    """The log-rank test: the first arm's events, those expected if both hazards were equal, and the variance."""

    observed: float
    expected: float
    variance: float

    @property
    def z(self) -> float:
        return (self.observed - self.expected) / math.sqrt(self.variance)


def compare_ranks(time: Numbers, happened: Mask) -> LogRank | None:
    """The log-rank test of two arms (Mantel 1966, Cancer Chemotherapy Reports 50:163), with the hypergeometric
    variance. Arguments as in `find_risk_sets`. None where no event tells the arms apart."""
    sets = find_risk_sets(time, happened)
    first = sets.rank == 0
    (n, other), d = sets.at_risk[:, first], sets.events[:, first].sum(0)
    both = n + other
    variance = float((d * n / both * other / both * (both - d) / np.maximum(both - 1, 1)).sum())
    expected = float((d * n / both).sum())
    return LogRank(float(happened[0].sum()), expected, variance) if variance > 0 else None
