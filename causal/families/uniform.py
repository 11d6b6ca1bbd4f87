"""Uniform, driven by a uniform draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Family, Number, Range, as_doubles, as_tensors, empty_unless, outside
from .domain import REAL
from .lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


class Uniform(Family):
    """Uniform(low, high) with high >= low; a constant if they are equal."""

    name = "Uniform"
    parameters = ("low", "high")
    domains = (REAL, REAL)
    joint_rule = "finite, with high at least low"
    meaning = "every value between {low} and {high} is equally likely"
    noise = "uniform"

    def valid(self, *parameters: Number) -> tuple[Tensor, ...]:
        low, high = as_tensors(*parameters)
        return REAL.contains(low), REAL.contains(high) & (high >= low)

    def support(self, *ranges: Range) -> Range:
        low, high = ranges
        return low[0], high[1]

    def contradicts(self, *ranges: Range) -> bool:
        low, high = ranges
        return low[0] > high[1]

    def push(self, noise: Tensor, *parameters: Number) -> Tensor:
        low, high = as_tensors(*parameters)
        return low + (high - low) * noise.to(low.dtype)

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        value, low, high = as_tensors(value, *parameters)
        return outside(-torch.log(high - low), (value >= low) & (value <= high))

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        value, low, high = as_tensors(value, *parameters)
        wide = high > low
        noise = (value - low) / torch.where(wide, high - low, 1.0)
        ends = torch.where(wide, noise, 0.0), torch.where(wide, noise, 1.0)  # a constant tells nothing about its noise
        return empty_unless((value >= low) & (value <= high), *ends)

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        low, high = as_doubles(*parameters)
        return low + (high - low) * probability.double()
