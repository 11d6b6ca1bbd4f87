"""What every distribution family knows: push noise forward, log-probability, recover the noise, quantile.

Each value is the quantile of one uniform (no rejection), so one noise draw moves all worlds of a patient together. For
families that are not additive in their noise, counts and hazards included, that coupling across worlds is a choice
which no data can test.

Parameters are numbers or tensors that broadcast. Bits depend neither on position nor on length: a number is made the
float32 tensor that it would be in a world of its own, and only stable kernels are used.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor

Number = Tensor | float
Constraint = Literal["real", "positive", "nonnegative", "probability", "count"]
Noise = Literal["normal", "uniform", "uniform64"]


def as_tensors(*values: Number) -> tuple[Tensor, ...]:
    """All as tensors of one type: float64 if any tensor among them is, else float32."""
    double = any(isinstance(value, Tensor) and value.dtype == torch.float64 for value in values)
    dtype = torch.float64 if double else torch.float32
    return tuple(v.to(dtype) if isinstance(v, Tensor) else torch.tensor(v, dtype=dtype) for v in values)


def as_doubles(*values: Number) -> tuple[Tensor, ...]:
    """All as float64 tensors; a number is rounded to float32 first, as a tensor of it would have been."""
    return tuple(tensor.double() for tensor in as_tensors(*values))


def satisfies(constraint: Constraint, value: Tensor) -> Tensor:
    """Where a parameter may have this value (bool). NaN and the infinities never may."""
    finite = torch.isfinite(value)
    if constraint == "positive":
        return finite & (value > 0)
    if constraint == "nonnegative":
        return finite & (value >= 0)
    if constraint == "probability":
        return finite & (value >= 0) & (value <= 1)
    if constraint == "count":
        return finite & (value >= 0) & (value == torch.floor(value))
    return finite


class Family(ABC):
    """A family of distributions. It has no state: one instance serves everybody.

    `noise` names the draw that drives it: "normal", "uniform" (float32, exact near 0) or "uniform64" (both tails
    exact). `constraints` has one entry a parameter; the last holds for all further ones.
    """

    name: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]]
    constraints: ClassVar[tuple[Constraint, ...]]
    noise: ClassVar[Noise] = "uniform64"
    discrete: ClassVar[bool] = False

    def valid(self, *parameters: Number) -> tuple[Tensor, ...]:
        """For each parameter, where it may have its value (bool)."""
        kinds = self.constraints + self.constraints[-1:] * (len(parameters) - len(self.constraints))
        return tuple(satisfies(kind, value) for kind, value in zip(kinds, as_tensors(*parameters), strict=True))

    def push(self, noise: Tensor, *parameters: Number) -> Tensor:
        """The value that the noise gives: float32 (float64 if a parameter is), differentiable where continuous."""
        return self.quantile(noise, *parameters).to(as_tensors(*parameters)[0].dtype)

    @abstractmethod
    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        """Logarithm of the density or probability of `value`; minus infinity outside the support."""

    @abstractmethod
    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        """(low, high) of the noise that gives `value`; equal where exact, low > high where no noise gives it."""

    @abstractmethod
    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        """The least value whose cumulative probability reaches `probability`, in (0, 1); computed in float64."""

    def draw_consistent(self, fresh: Tensor, value: Tensor, *parameters: Number) -> Tensor:
        """Noise distributed as it is given `value`, made from `fresh` noise of the family's own kind."""
        return restrict(self.noise, fresh, *self.recover(value, *parameters))


def restrict(noise: Noise, fresh: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """`fresh` noise squeezed into [low, high]: noise distributed as it is given that it lies there. Float64."""
    if torch.equal(low, high):  # known exactly: there is nothing to draw
        return low.double()
    low, high, fresh = low.double(), high.double(), fresh.double()
    if noise != "normal":
        return low + (high - low) * fresh
    mirrored = low + high > 0  # work in the lower tail, where probabilities are exact
    near, far = torch.where(mirrored, -high, low), torch.where(mirrored, -low, high)
    floor, ceiling = torch.special.ndtr(near), torch.special.ndtr(far)
    share = torch.special.ndtr(torch.where(mirrored, -fresh, fresh))
    inside = torch.special.ndtri(floor + (ceiling - floor) * share).clamp(near, far)
    inside = torch.where(near == far, near, inside)
    return torch.where(mirrored, -inside, inside)


def log_mass(noise: Noise, low: Tensor, high: Tensor) -> Tensor:
    """Log-probability that the noise lies in [low, high]: the score of a value known only as a set. Float64."""
    low, high = low.double(), high.double()
    if noise == "normal":
        mirrored = low + high > 0
        low, high = torch.where(mirrored, -high, low), torch.where(mirrored, -low, high)
        low, high = torch.special.ndtr(low), torch.special.ndtr(high)
    return torch.log((high - low).clamp(min=0))


def outside(log_prob: Tensor, inside: Tensor) -> Tensor:
    """`log_prob`, and minus infinity where the value is not `inside` the support."""
    return torch.where(inside, log_prob, -torch.inf)


def empty_unless(possible: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """(low, high), and the empty interval (1, 0) where the value is not possible."""
    return torch.where(possible, low, 1.0), torch.where(possible, high, 0.0)
