"""Logistic."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from .base import Family, Number, as_doubles


class Logistic(Family):
    """Logistic(location, scale): its quantile is location + scale * log(u / (1 - u))."""

    name = "Logistic"
    parameters = ("location", "scale")
    constraints = ("real", "positive")

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        value, location, scale = as_doubles(value, *parameters)
        z = (value - location) / scale
        return logsigmoid(z) + logsigmoid(-z) - torch.log(scale)

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        value, location, scale = as_doubles(value, *parameters)
        noise = torch.exp(logsigmoid((value - location) / scale))
        return noise, noise

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        location, scale = as_doubles(*parameters)
        u = probability.double()
        return location + scale * (torch.log(u) - torch.log1p(-u))
