"""Gamma and Beta."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .base import Family, Number, as_doubles, empty_unless, outside
from .domain import POSITIVE
from .implicit import Array, Law
from .lazy import special, torch

if TYPE_CHECKING:
    from torch import Tensor

# Limits below and above which float32 rounds to 0 and to 1: such a value represents all noise beyond.
LEAST, MOST = 2.0**-150, 1 - 2.0**-25


class GammaLaw(Law):
    """Gamma of rate 1; its parameter is the shape."""

    def lower(self, value: Array, *theta: Array) -> Array:
        return special.gammainc(*theta, value)

    def upper(self, value: Array, *theta: Array) -> Array:
        return special.gammaincc(*theta, value)

    def lower_quantile(self, probability: Array, *theta: Array) -> Array:
        return special.gammaincinv(*theta, probability)

    def upper_quantile(self, probability: Array, *theta: Array) -> Array:
        return special.gammainccinv(*theta, probability)

    def log_density(self, value: Tensor, *theta: Tensor) -> Tensor:
        (shape,) = theta
        return torch.xlogy(shape - 1, value) - value - torch.lgamma(shape)


class BetaLaw(Law):
    """Beta; its parameters are a and b."""

    def lower(self, value: Array, *theta: Array) -> Array:
        return special.betainc(*theta, value)

    def upper(self, value: Array, *theta: Array) -> Array:
        return special.betaincc(*theta, value)

    def lower_quantile(self, probability: Array, *theta: Array) -> Array:
        return special.betaincinv(*theta, probability)

    def upper_quantile(self, probability: Array, *theta: Array) -> Array:
        return special.betainccinv(*theta, probability)

    def log_density(self, value: Tensor, *theta: Tensor) -> Tensor:
        a, b = theta
        normaliser = torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)
        return torch.xlogy(a - 1, value) + torch.xlogy(b - 1, 1 - value) - normaliser


GAMMA, BETA = GammaLaw(), BetaLaw()


class Gamma(Family):
    """Gamma(shape, rate): mean shape / rate."""

    name = "Gamma"
    parameters = ("shape", "rate")
    domains = (POSITIVE, POSITIVE)
    meaning = "positive and skewed: shape {shape} and rate {rate}, so with mean shape / rate"
    limits = (0.0, math.inf)

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        value, shape, rate = as_doubles(value, *parameters)
        inside = value >= 0
        density = GAMMA.log_density(torch.where(inside, value, 1.0) * rate, shape) + torch.log(rate)
        return outside(density, inside)

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        value, shape, rate = as_doubles(value, *parameters)
        noise = GAMMA.cumulative(value.clamp(min=LEAST) * rate, shape)
        return empty_unless(value >= 0, torch.where(value == 0, 0.0, noise), noise)

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        shape, rate = as_doubles(*parameters)
        return GAMMA.quantile(probability, shape) / rate


class Beta(Family):
    """Beta(a, b): mean a / (a + b)."""

    name = "Beta"
    parameters = ("a", "b")
    domains = (POSITIVE, POSITIVE)
    meaning = "between 0 and 1: a is {a} and b is {b}, so with mean a / (a + b)"
    limits = (0.0, 1.0)

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        value, a, b = as_doubles(value, *parameters)
        inside = (value >= 0) & (value <= 1)
        return outside(BETA.log_density(torch.where(inside, value, 0.5), a, b), inside)

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        value, a, b = as_doubles(value, *parameters)
        noise = BETA.cumulative(torch.where(value == 1, MOST, value.clamp(LEAST, 1)), a, b)
        low, high = torch.where(value == 0, 0.0, noise), torch.where(value == 1, 1.0, noise)
        return empty_unless((value >= 0) & (value <= 1), low, high)

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        return BETA.quantile(probability, *as_doubles(*parameters))
