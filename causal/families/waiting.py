"""Exponential and Weibull: waiting times."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .base import Family, Number, as_doubles, empty_unless, outside
from .domain import POSITIVE
from .lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


class Exponential(Family):
    """Exponential(rate): the waiting time at a constant rate, mean 1 / rate."""

    name = "Exponential"
    parameters = ("rate",)
    domains = (POSITIVE,)
    meaning = "positive: a waiting time at a constant rate of {rate}, so with mean 1 / rate"
    limits = (0.0, math.inf)

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        value, rate = as_doubles(value, *parameters)
        return outside(torch.log(rate) - rate * value, value >= 0)

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        value, rate = as_doubles(value, *parameters)
        noise = -torch.expm1(-rate * value)
        return empty_unless(value >= 0, noise, noise)

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        (rate,) = as_doubles(*parameters)
        return -torch.log1p(-probability.double()) / rate


class Weibull(Family):
    """Weibull(scale, shape): survival exp(-(x / scale) ** shape)."""

    name = "Weibull"
    parameters = ("scale", "shape")
    domains = (POSITIVE, POSITIVE)
    meaning = "positive: a waiting time of scale {scale} and shape {shape}, longer than x by exp(-(x/scale)^shape)"
    limits = (0.0, math.inf)

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        value, scale, shape = as_doubles(value, *parameters)
        log = torch.log(torch.where(value > 0, value, 1.0) / scale)
        density = torch.log(shape / scale) + (shape - 1) * log - torch.exp(shape * log)
        return outside(density, value > 0)

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        value, scale, shape = as_doubles(value, *parameters)
        hazard = torch.exp(shape * torch.log(torch.where(value > 0, value, 1.0) / scale))
        noise = -torch.expm1(-hazard)
        return empty_unless(value > 0, noise, noise)

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        scale, shape = as_doubles(*parameters)
        return scale * torch.exp(torch.log(-torch.log1p(-probability.double())) / shape)
