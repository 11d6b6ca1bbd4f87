"""Bernoulli: true iff the uniform is below the probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Family, Number, Range, as_doubles, as_tensors
from .domain import PROBABILITY
from .lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


class Bernoulli(Family):
    """Bernoulli(probability): True iff u < probability. The uniform is exact near 0, so small probabilities
    are exact too."""

    name = "Bernoulli"
    parameters = ("probability",)
    domains = (PROBABILITY,)
    meaning = "{probability} is the probability of 1; otherwise it is 0"
    limits = (0.0, 1.0)
    noise = "uniform"
    discrete = True
    binary = True

    def support(self, *ranges: Range) -> Range:
        """Only 0 with a probability of 0."""
        return (0.0, 0.0) if ranges[0] == (0, 0) else self.limits

    def push(self, noise: Tensor, *parameters: Number) -> Tensor:
        (probability,) = as_tensors(*parameters)
        return noise < probability

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        (probability,) = as_tensors(*parameters)
        return torch.where(value.bool(), torch.log(probability), torch.log1p(-probability))

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        """True: (0, probability); False: (probability, 1). Empty if the value has probability 0."""
        (probability,) = as_tensors(*parameters)
        happened = value.bool()
        low, high = torch.where(happened, 0.0, probability), torch.where(happened, probability, 1.0)
        return torch.where(low < high, low, 1.0), torch.where(low < high, high, 0.0)

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        """False up to 1 - probability, then True: the least value in the order False, True (float64, 0 or 1).

        Note that `push` counts from the other end, where the float32 uniform is exact.
        """
        (chance,) = as_doubles(*parameters)
        return (probability.double() > 1 - chance).double()
