"""Gamma and Beta."""

from __future__ import annotations

import torch
from scipy import special
from torch import Tensor

from .base import Family, Number, as_doubles, empty_unless, outside
from .implicit import Law

# What float32 rounds to 0 and to 1: such a value stands for all the noise beyond.
LEAST, MOST = 2.0**-150, 1 - 2.0**-25


def _log_gamma_density(value: Tensor, shape: Tensor) -> Tensor:
    return torch.xlogy(shape - 1, value) - value - torch.lgamma(shape)


def _log_beta_density(value: Tensor, a: Tensor, b: Tensor) -> Tensor:
    normaliser = torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)
    return torch.xlogy(a - 1, value) + torch.xlogy(b - 1, 1 - value) - normaliser


GAMMA = Law(special.gammainc, special.gammaincc, special.gammaincinv, special.gammainccinv, _log_gamma_density)
BETA = Law(special.betainc, special.betaincc, special.betaincinv, special.betainccinv, _log_beta_density)


class Gamma(Family):
    """Gamma(shape, rate): mean shape / rate."""

    name = "Gamma"
    parameters = ("shape", "rate")
    constraints = ("positive", "positive")

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        value, shape, rate = as_doubles(value, *parameters)
        inside = value >= 0
        density = _log_gamma_density(torch.where(inside, value, 1.0) * rate, shape) + torch.log(rate)
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
    constraints = ("positive", "positive")

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        value, a, b = as_doubles(value, *parameters)
        inside = (value >= 0) & (value <= 1)
        return outside(_log_beta_density(torch.where(inside, value, 0.5), a, b), inside)

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        value, a, b = as_doubles(value, *parameters)
        noise = BETA.cumulative(torch.where(value == 1, MOST, value.clamp(LEAST, 1)), a, b)
        low, high = torch.where(value == 0, 0.0, noise), torch.where(value == 1, 1.0, noise)
        return empty_unless((value >= 0) & (value <= 1), low, high)

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        return BETA.quantile(probability, *as_doubles(*parameters))
