"""Ordered levels by the cumulative-logit (proportional-odds) model."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from .base import Family, Number, Range, as_doubles, as_tensors, empty_unless
from .domain import REAL
from .lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


class OrderedLogistic(Family):
    """OrderedLogistic(location; thresholds): level k or one below it has probability expit(threshold_k - location).

    P. McCullagh, "Regression models for ordinal data", Journal of the Royal Statistical Society B 42:109-142, 1980.
    There is one threshold between each two neighbours; the value is the level's index, int8. A greater location moves
    everybody up or leaves them where they are, since one uniform draw couples all worlds.
    """

    name = "OrderedLogistic"
    parameters = ("location", "threshold")
    domains = (REAL, REAL)
    joint_rule = "in increasing order"
    meaning = "one of these, in order, by where a logistic curve around {location} falls: {levels}"
    discrete = True
    has_levels = True
    ordered = True

    def valid(self, *parameters: Number) -> tuple[Tensor, ...]:
        """All are finite, and the thresholds increase."""
        location, first, *rest = super().valid(*parameters)
        found, (_, *thresholds) = [location, first], as_tensors(*parameters)
        for own, below, above in zip(rest, thresholds, thresholds[1:], strict=False):
            found.append(own & (below <= above))
        return tuple(found)

    def contradicts(self, *ranges: Range) -> bool:
        return any(below[0] > above[1] for below, above in itertools.pairwise(ranges[1:]))

    def push(self, noise: Tensor, *parameters: Number) -> Tensor:
        return self.quantile(noise, *parameters).to(torch.int8)

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        """log(expit(b) - expit(a)) = log expit(b) + log expit(-a) + log(1 - exp(a - b)), accurate in both tails."""
        low, high = _bounds(value, *parameters)
        log_expit = torch.nn.functional.logsigmoid
        inside = log_expit(high) + log_expit(-low) + torch.log(-torch.expm1(low - high))
        return torch.where(_known(value, parameters), inside, -torch.inf)

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        low, high = (torch.exp(torch.nn.functional.logsigmoid(bound)) for bound in _bounds(value, *parameters))
        return empty_unless(_known(value, parameters) & (low < high), low, high)

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        """How many thresholds have a cumulative probability below `probability` (float64)."""
        location, *thresholds = as_doubles(*parameters)
        u = probability.double()
        level = torch.zeros_like(u + location)
        for threshold in thresholds:
            level = level + (torch.exp(torch.nn.functional.logsigmoid(threshold - location)) < u)
        return level


def _bounds(value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
    """The thresholds below and above a level, each minus the location; infinite at the ends. Float64."""
    location, *thresholds = as_doubles(*parameters)
    high = torch.full_like(value, torch.inf, dtype=torch.float64)
    low = -high
    for index, threshold in enumerate(thresholds):
        low = torch.where(value == index + 1, threshold - location, low)
        high = torch.where(value == index, threshold - location, high)
    return low, high


def _known(value: Tensor, parameters: tuple[Number, ...]) -> Tensor:
    """Whether it is the index of a level: there are as many levels as parameters."""
    return (value >= 0) & (value < len(parameters)) & (value == torch.floor(value.double()))
