"""Normal and LogNormal: driven by a standard normal draw."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .base import Family, Number, as_doubles, as_tensors, outside
from .domain import NONNEGATIVE, REAL
from .lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


class Normal(Family):
    """Normal(mean, scale); a scale of 0 is the constant `mean`."""

    name = "Normal"
    parameters = ("mean", "scale")
    domains = (REAL, NONNEGATIVE)
    meaning = (
        "a bell curve around {mean} with standard deviation {scale}: about 95 of 100 values lie within two of these"
    )
    noise = "normal"

    def push(self, noise: Tensor, *parameters: Number) -> Tensor:
        mean, scale = as_tensors(*parameters)
        return mean + scale * noise.to(mean.dtype)

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        value, mean, scale = as_tensors(value, *parameters)
        spread = scale > 0
        width = torch.where(spread, scale, 1.0)
        z = (value - mean) / width
        density = -(z * z) / 2 - torch.log(width) - HALF_LOG_TWO_PI
        return torch.where(spread, density, torch.where(value == mean, torch.inf, -torch.inf))

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        value, mean, scale = as_tensors(value, *parameters)
        spread = scale > 0
        noise = (value - mean) / torch.where(spread, scale, 1.0)
        # a constant tells nothing about its noise, or contradicts the value
        free = torch.where(value == mean, torch.inf, -torch.inf)
        return torch.where(spread, noise, -free), torch.where(spread, noise, free)

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        mean, scale = as_doubles(*parameters)
        noise: Tensor = torch.special.ndtri(probability.double())
        return mean + scale * noise


class LogNormal(Family):
    """LogNormal(mu, sigma): the exponential of Normal(mu, sigma)."""

    name = "LogNormal"
    parameters = ("mu", "sigma")
    domains = (REAL, NONNEGATIVE)
    meaning = "positive and skewed: its logarithm is a bell curve around {mu} with standard deviation {sigma}"
    limits = (0.0, math.inf)
    noise = "normal"

    def push(self, noise: Tensor, *parameters: Number) -> Tensor:
        return torch.exp(NORMAL.push(noise, *parameters))

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        (value,) = as_tensors(value)
        log = torch.log(torch.where(value > 0, value, 1.0))
        return outside(NORMAL.log_prob(log, *parameters) - log, value > 0)

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        (value,) = as_tensors(value)
        low, high = NORMAL.recover(torch.log(torch.where(value > 0, value, 1.0)), *parameters)
        return torch.where(value > 0, low, torch.inf), torch.where(value > 0, high, -torch.inf)

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        return torch.exp(NORMAL.quantile(probability, *parameters))


NORMAL = Normal()
