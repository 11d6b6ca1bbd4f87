"""Hazard: an event in continuous time, looked at step by step; and hazards that compete."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Number, as_doubles, as_tensors
from .bernoulli import Bernoulli

BERNOULLI = Bernoulli()


class Hazard(Bernoulli):
    """Hazard(rate), per unit of time: the event falls in (t - dt, t] with probability 1 - exp(-rate * dt).

    Every method takes (rate, dt). The noise is the uniform of a keyed exponential -log1p(-u), the event's waiting time
    in units of 1 / rate; so u also dates the event within its step (`event_delay`).
    """

    name = "Hazard"
    parameters = ("rate",)
    constraints = ("nonnegative",)

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
    """Probability of an event within dt: 1 - exp(-rate * dt), exact also where it is small."""
    rate, dt = as_tensors(rate, dt)
    return -torch.expm1(-rate * dt)


def event_delay(noise: Tensor, rate: Number) -> Tensor:
    """Time from the start of the step to the event that uniform `noise` makes at `rate`: -log1p(-noise) / rate."""
    (rate,) = as_tensors(rate)
    return -torch.log1p(-noise.to(rate.dtype)) / rate


def compete(noise: Tensor, *rates: Number, dt: float) -> tuple[Tensor, Tensor]:
    """Which of competing hazards happens within dt, and when.

    noise: (members, ...), uniform, each row keyed by its member; one rate a member. Each member waits its keyed
    exponential over its rate; the least wait wins if it is under dt. Returns (winner, delay): the member's index or -1
    (int8), and its wait, between 0 and dt (infinite where nothing happens).
    """
    waits = [event_delay(row, rate) for row, rate in zip(noise, rates, strict=True)]
    winner = torch.zeros((), dtype=torch.int8)
    delay = waits[0]
    for member, wait in enumerate(waits[1:], start=1):
        sooner = wait < delay
        winner, delay = torch.where(sooner, member, winner).to(torch.int8), torch.where(sooner, wait, delay)
    happens = delay < as_tensors(dt)[0]
    return torch.where(happens, winner, -1).to(torch.int8), torch.where(happens, delay, torch.inf)
