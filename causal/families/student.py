"""Student's t."""

from __future__ import annotations

import math

import torch
from scipy import special
from torch import Tensor

from .base import Family, Number, as_doubles
from .implicit import Array, Law


def _log_density(value: Tensor, df: Tensor) -> Tensor:
    normaliser = torch.lgamma((df + 1) / 2) - torch.lgamma(df / 2) - torch.log(df * math.pi) / 2
    return normaliser - (df + 1) / 2 * torch.log1p(value * value / df)


def _upper(df: Array, value: Array) -> Array:
    return special.stdtr(df, -value)


def _upper_quantile(df: Array, probability: Array) -> Array:
    return -special.stdtrit(df, probability)


STUDENT = Law(special.stdtr, _upper, special.stdtrit, _upper_quantile, _log_density)


class StudentT(Family):
    """StudentT(df, location, scale)."""

    name = "StudentT"
    parameters = ("df", "location", "scale")
    constraints = ("positive", "real", "positive")

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        value, df, location, scale = as_doubles(value, *parameters)
        return _log_density((value - location) / scale, df) - torch.log(scale)

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        value, df, location, scale = as_doubles(value, *parameters)
        noise = STUDENT.cumulative((value - location) / scale, df)
        return noise, noise

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        df, location, scale = as_doubles(*parameters)
        return location + scale * STUDENT.quantile(probability, df)
