"""The interface of distribution families: push noise forward, log-probability, recover the noise, quantile.

Each value is the quantile of one uniform (no rejection), so one noise draw couples all worlds of a patient. For
families that are not additive in their noise, including counts and hazards, that coupling across worlds is a choice
that no data can test.

Parameters are numbers or tensors that broadcast. Bits depend on neither position nor length: a number becomes the
float32 tensor that it would be if run alone, and only stable kernels are used.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from .domain import Domain
from .lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

Number: TypeAlias = "Tensor | float"
Range = tuple[float, float]
Noise = Literal["normal", "uniform", "uniform64"]


def as_tensors(*values: Number) -> tuple[Tensor, ...]:
    """Convert all to tensors of one type: float64 if any of them is, else float32."""
    double = any(isinstance(value, torch.Tensor) and value.dtype == torch.float64 for value in values)
    dtype = torch.float64 if double else torch.float32
    return tuple(v.to(dtype) if isinstance(v, torch.Tensor) else torch.tensor(v, dtype=dtype) for v in values)


def as_doubles(*values: Number) -> tuple[Tensor, ...]:
    """Convert all to float64 tensors; numbers are rounded to float32 first, as tensors of them would be."""
    return tuple(tensor.double() for tensor in as_tensors(*values))


class Family(ABC):
    """A family of distributions: all that the program knows about it. It has no state, so one instance is enough.

    A subclass in any module of this folder that has a `name` is part of the language: `FAMILIES` finds it.
    """

    name: ClassVar[str]  # in the language
    parameters: ClassVar[tuple[str, ...]]  # their names, in order
    domains: ClassVar[tuple[Domain, ...]]  # one for each parameter; the last also for further ones
    limits: ClassVar[Range] = (-math.inf, math.inf)  # of its values, whatever the parameters
    joint_rule: ClassVar[str] = ""  # what `valid` requires of the parameters jointly, completing "it must be …"
    meaning: ClassVar[str]  # in words, with {parameter} for each parameter and {unit} of time; and {levels}
    noise: ClassVar[Noise] = "uniform64"  # its kind; "uniform" is float32 and exact near 0, "uniform64" at both ends
    discrete: ClassVar[bool] = False
    binary: ClassVar[bool] = False  # values are true and false
    has_levels: ClassVar[bool] = False  # it takes named levels; values are level indices
    ordered: ClassVar[bool] = False  # its levels are: it takes a location, and thresholds between neighbouring levels
    noise_by_level: ClassVar[bool] = False  # a noise of its own for each level, keyed by the level's name
    continuous_time: ClassVar[bool] = False  # an event at a time within the step; methods also take dt

    def get_domain(self, index: int) -> Domain:
        """The domain of parameter number `index`."""
        return self.domains[min(index, len(self.domains) - 1)]

    def support(self, *ranges: Range) -> Range:
        """The least and greatest value, given the least and greatest of each parameter."""
        return self.limits

    def contradicts(self, *ranges: Range) -> bool:
        """Whether no parameters in these ranges are jointly valid, though each may be alone."""
        return False

    def valid(self, *parameters: Number) -> tuple[Tensor, ...]:
        """For each parameter, where its value is valid (bool)."""
        values = as_tensors(*parameters)
        return tuple(self.get_domain(index).contains(value) for index, value in enumerate(values))

    def push(self, noise: Tensor, *parameters: Number) -> Tensor:
        """The value for the noise: float32 (float64 if a parameter is), differentiable where continuous."""
        return self.quantile(noise, *parameters).to(as_tensors(*parameters)[0].dtype)

    @abstractmethod
    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        """Logarithm of the density or probability of `value`; minus infinity outside the support."""

    @abstractmethod
    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        """(low, high) of the noise that gives `value`; equal if exact, low > high if no noise gives it."""

    @abstractmethod
    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        """The least value whose cumulative probability reaches `probability`, in (0, 1); computed in float64."""

    def draw_consistent(self, fresh: Tensor, value: Tensor, *parameters: Number) -> Tensor:
        """Draw noise conditional on `value`, from `fresh` noise of the family's kind."""
        return restrict(self.noise, fresh, *self.recover(value, *parameters))


def restrict(noise: Noise, fresh: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Draw noise conditional on lying in [low, high], from `fresh` noise. Float64."""
    if torch.equal(low, high):  # known exactly: nothing to draw
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


def outside(log_prob: Tensor, inside: Tensor) -> Tensor:
    """`log_prob`, but minus infinity where the value is not `inside` the support."""
    return torch.where(inside, log_prob, -torch.inf)


def empty_unless(possible: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """(low, high), but the empty interval (1, 0) where the value is impossible."""
    return torch.where(possible, low, 1.0), torch.where(possible, high, 0.0)
