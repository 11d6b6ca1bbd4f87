"""Logistic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Family, Number, as_doubles
from .domain import POSITIVE, REAL
from .lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


class Logistic(Family):
    """Logistic(location, scale): its quantile is location + scale * log(u / (1 - u))."""

    name = "Logistic"
    parameters = ("location", "scale")
    domains = (REAL, POSITIVE)
    meaning = "a bell curve with somewhat heavier tails around {location}, scale {scale}"

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        value, location, scale = as_doubles(value, *parameters)
        z = (value - location) / scale
        return torch.nn.functional.logsigmoid(z) + torch.nn.functional.logsigmoid(-z) - torch.log(scale)

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        value, location, scale = as_doubles(value, *parameters)
        noise = torch.exp(torch.nn.functional.logsigmoid((value - location) / scale))
        return noise, noise

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        location, scale = as_doubles(*parameters)
        u = probability.double()
        return location + scale * (torch.log(u) - torch.log1p(-u))
