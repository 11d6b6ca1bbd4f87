"""Student's t."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .base import Family, Number, as_doubles
from .domain import POSITIVE, REAL
from .implicit import Array, Law
from .lazy import special, torch

if TYPE_CHECKING:
    from torch import Tensor


class StudentLaw(Law):
    """Student's t around 0 with scale 1; its parameter is the degrees of freedom."""

    def lower(self, value: Array, *theta: Array) -> Array:
        return special.stdtr(*theta, value)

    def upper(self, value: Array, *theta: Array) -> Array:
        return special.stdtr(*theta, -value)

    def lower_quantile(self, probability: Array, *theta: Array) -> Array:
        return special.stdtrit(*theta, probability)

    def upper_quantile(self, probability: Array, *theta: Array) -> Array:
        return -special.stdtrit(*theta, probability)

    def log_density(self, value: Tensor, *theta: Tensor) -> Tensor:
        (df,) = theta
        normaliser = torch.lgamma((df + 1) / 2) - torch.lgamma(df / 2) - torch.log(df * math.pi) / 2
        return normaliser - (df + 1) / 2 * torch.log1p(value * value / df)


STUDENT = StudentLaw()


class StudentT(Family):
    """StudentT(df, location, scale)."""

    name = "StudentT"
    parameters = ("df", "location", "scale")
    domains = (POSITIVE, REAL, POSITIVE)
    meaning = "a bell curve with heavier tails around {location}: scale {scale}, {df} degrees of freedom"

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        value, df, location, scale = as_doubles(value, *parameters)
        return STUDENT.log_density((value - location) / scale, df) - torch.log(scale)

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        value, df, location, scale = as_doubles(value, *parameters)
        noise = STUDENT.cumulative((value - location) / scale, df)
        return noise, noise

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        df, location, scale = as_doubles(*parameters)
        return location + scale * STUDENT.quantile(probability, df)
