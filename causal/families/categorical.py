"""Categorical by the Gumbel-max trick, with noise keyed by the names of levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .base import Family, Number, Range, as_doubles, as_tensors
from .domain import NONNEGATIVE
from .lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


class Categorical(Family):
    """Named levels with weights (they need not sum to 1); the value is the level's index, int8.

    M. Oberst and D. Sontag, "Counterfactual off-policy evaluation with Gumbel-max structural causal models", ICML 2019.
    In terms of exponentials: level k waits E_k / weight_k, where E_k = -log1p(-u_k) is the level's own noise, and the
    level with the shortest wait is the value. So raising a level's weight can only move patients into that level.

    `noise` is (levels, ...), one uniform per level, keyed by the level's name; there is one weight per level.
    """

    name = "Categorical"
    parameters = ("weight",)
    domains = (NONNEGATIVE,)
    joint_rule = "zero or more, with at least one positive"
    meaning = "one of these, by weight: {levels}"
    noise = "uniform"
    discrete = True
    has_levels = True
    noise_by_level = True

    def valid(self, *parameters: Number) -> tuple[Tensor, ...]:
        """Weights are not negative, and at least one is positive."""
        some = _total(as_tensors(*parameters)) > 0
        return tuple(each & some for each in super().valid(*parameters))

    def contradicts(self, *ranges: Range) -> bool:
        return max(high for _, high in ranges) <= 0

    def push(self, noise: Tensor, *parameters: Number) -> Tensor:
        waits = [-torch.log1p(-u) / weight for u, weight in zip(noise, as_tensors(*parameters), strict=True)]
        level, least = torch.zeros((), dtype=torch.int8), waits[0]
        for index, wait in enumerate(waits[1:], start=1):
            sooner = wait < least
            level = torch.where(sooner, torch.tensor(index, dtype=torch.int8), level)
            least = torch.where(sooner, wait, least)
        return level.expand(least.shape)

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        weights = as_doubles(*parameters)
        chosen = torch.zeros((), dtype=torch.float64)
        for level, weight in enumerate(weights):
            chosen = torch.where(value == level, weight, chosen)
        return torch.log(chosen) - torch.log(_total(weights))

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        """The box around the noise that gives `value`: all of (0, 1) for each level, if the value is possible.

        The noise that gives a value is not a box; `draw_consistent` draws from it exactly.
        """
        possible = torch.isfinite(self.log_prob(value, *parameters))
        shape = (len(parameters), *possible.shape)
        return (~possible).double().expand(shape), possible.double().expand(shape)

    def draw_consistent(self, fresh: Tensor, value: Tensor, *parameters: Number) -> Tensor:
        """Noise given `value`, by Oberst and Sontag's top-down sampling.

        The shortest wait T is exponential with the total weight as rate, whichever level has it; every other level
        waits T plus its own exponential (no memory).
        """
        weights = as_doubles(*parameters)
        own = [-torch.log1p(-u.double()) for u in fresh]
        first = torch.zeros((), dtype=torch.float64)
        for level, exponential in enumerate(own):
            first = torch.where(value == level, exponential, first)
        least = first / _total(weights)
        waits = [
            least * weight + torch.where(value == level, 0.0, exponential)
            for level, (weight, exponential) in enumerate(zip(weights, own, strict=True))
        ]
        shape = _total(waits).shape
        return -torch.expm1(-torch.stack([wait.expand(shape) for wait in waits]))

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        """The first level, in order, at which the cumulative shares reach `probability` (float64 index)."""
        weights = as_doubles(*parameters)
        reached = probability.double() * _total(weights)
        summed, level = weights[0], torch.zeros_like(reached)
        for weight in weights[1:]:
            level = level + (summed < reached)
            summed = summed + weight
        return level


def _total(weights: Sequence[Tensor]) -> Tensor:
    total = weights[0]
    for weight in weights[1:]:
        total = total + weight
    return total
