"""Hazard: an event in continuous time, evaluated step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Number, as_doubles, as_tensors
from .bernoulli import Bernoulli
from .domain import NONNEGATIVE
from .lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

BERNOULLI = Bernoulli()


class Hazard(Bernoulli):
    """Hazard(rate), per unit of time: the event falls in (t - dt, t] with probability 1 - exp(-rate * dt).

    Every method takes (rate, dt). The noise is the uniform of a keyed exponential -log1p(-u), the event's waiting time
    in units of 1 / rate; so u also dates the event within its step (`event_delay`).
    """

    name = "Hazard"
    parameters = ("rate",)
    domains = (NONNEGATIVE,)
    meaning = "happens within a step with probability 1 - exp(-rate * dt), the rate being {rate} per {unit}"
    continuous_time = True

    def push(self, noise: Tensor, *parameters: Number) -> Tensor:
        return BERNOULLI.push(noise, chance_within(*parameters))

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        rate, dt = as_tensors(*parameters)
        return torch.where(value.bool(), torch.log(chance_within(rate, dt)), -rate * dt)

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        return BERNOULLI.recover(value, chance_within(*parameters))

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        rate, dt = as_doubles(*parameters)
        return BERNOULLI.quantile(probability, -torch.expm1(-rate * dt))


def chance_within(rate: Number, dt: Number) -> Tensor:
    """Probability of an event within dt: 1 - exp(-rate * dt), exact also for small ones."""
    rate, dt = as_tensors(rate, dt)
    return -torch.expm1(-rate * dt)


def event_delay(noise: Tensor, rate: Number) -> Tensor:
    """Time from the start of the step to the event, for uniform `noise` and a `rate`: -log1p(-noise) / rate."""
    (rate,) = as_tensors(rate)
    return -torch.log1p(-noise.to(rate.dtype)) / rate
