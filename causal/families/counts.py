"""Counts: Poisson, Binomial, NegativeBinomial. The value is the least count whose cumulative probability reaches u."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .base import Family, Number, Range, as_doubles, empty_unless, outside
from .domain import COUNT, NONNEGATIVE, POSITIVE, PROBABILITY
from .lazy import special, torch

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]
SEARCH_LIMIT = 200  # doublings and halvings: more than counts below 2**53 need


class Count(Family):
    """The common part of counts: an exact search for the quantile by comparing cumulative probabilities."""

    discrete = True
    limits = (0.0, math.inf)

    @abstractmethod
    def moments(self, *theta: Array) -> tuple[Array, Array]:
        """Mean and variance."""

    @abstractmethod
    def lower(self, count: Array, *theta: Array) -> Array:
        """Probability of at most `count` (0 or more)."""

    @abstractmethod
    def upper(self, count: Array, *theta: Array) -> Array:
        """Probability of more than `count` (0 or more)."""

    def most(self, *theta: Array) -> Array:
        """The largest possible count."""
        return np.full(np.shape(theta[0]), np.inf)

    def quantile(self, probability: Tensor, *parameters: Number) -> Tensor:
        tensors = (probability.double(), *as_doubles(*parameters))
        arrays = np.broadcast_arrays(*(tensor.detach().numpy() for tensor in tensors))
        found = self._search(*(array.ravel() for array in arrays))
        return torch.from_numpy(found.reshape(arrays[0].shape))

    def _search(self, u: Array, *theta: Array) -> Array:
        """Start at the normal approximation, stride outwards until the count is bracketed, then bisect."""
        mean, variance = self.moments(*theta)
        short, enough = np.full(u.shape, -1.0), self.most(*theta)  # bounds: too small, and large enough
        guess = np.floor(mean + np.sqrt(variance) * special.ndtri(u)).clip(0, np.maximum(enough - 1, 0))
        active = np.flatnonzero((enough - short > 1) & ~np.isnan(guess))
        guess, stride = guess[active], 1.0
        for _ in range(SEARCH_LIMIT):
            if not active.size:
                break
            reached = self._reaches(guess, u[active], *(part[active] for part in theta))
            enough[active] = np.where(reached, guess, enough[active])
            short[active] = np.where(reached, short[active], guess)
            low, high = short[active], enough[active]
            middle = np.floor((low + high) / 2)
            guess = np.where(reached, np.maximum(high - stride, middle), np.minimum(low + stride, middle))
            active, guess = active[high - low > 1], guess[high - low > 1]
            stride *= 2
        return np.where(np.isnan(mean + variance), np.nan, enough)

    def _reaches(self, count: Array, u: Array, *theta: Array) -> NDArray[np.bool_]:
        """Whether the cumulative probability of `count` is at least u, compared from the side of the nearer tail."""
        result = np.empty(u.shape, bool)
        low = u <= 0.5
        high = ~low
        result[low] = self.lower(count[low], *(part[low] for part in theta)) >= u[low]
        result[high] = self.upper(count[high], *(part[high] for part in theta)) <= 1 - u[high]
        return result

    def recover(self, value: Tensor, *parameters: Number) -> tuple[Tensor, Tensor]:
        """The cumulative probabilities of value - 1 and of value."""
        value, *theta = as_doubles(value, *parameters)
        count, *arrays = np.broadcast_arrays(*(tensor.detach().numpy() for tensor in (value, *theta)))
        possible = (count >= 0) & (count == np.floor(count)) & (count <= self.most(*arrays))
        high = self.lower(count.clip(0), *arrays)
        low = np.where(count >= 1, self.lower((count - 1).clip(0), *arrays), 0.0)
        return empty_unless(*(torch.as_tensor(part) for part in (possible & (low < high), low, high)))


def _whole(value: Tensor) -> Tensor:
    return (value >= 0) & (value == torch.floor(value))


class Poisson(Count):
    """Poisson(rate): mean and variance are the rate."""

    name = "Poisson"
    parameters = ("rate",)
    domains = (NONNEGATIVE,)
    meaning = "a count with mean {rate}, and the same variance"

    def moments(self, *theta: Array) -> tuple[Array, Array]:
        return theta[0], theta[0]

    def lower(self, count: Array, *theta: Array) -> Array:
        return special.gammaincc(count + 1, theta[0])

    def upper(self, count: Array, *theta: Array) -> Array:
        return special.gammainc(count + 1, theta[0])

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        value, rate = as_doubles(value, *parameters)
        inside = _whole(value)
        count = torch.where(inside, value, 0.0)
        return outside(torch.xlogy(count, rate) - rate - torch.lgamma(count + 1), inside)


class Binomial(Count):
    """Binomial(count, probability)."""

    name = "Binomial"
    parameters = ("count", "probability")
    domains = (COUNT, PROBABILITY)
    meaning = "a count: how many of {count} succeed, where the probability for each is {probability}"

    def moments(self, *theta: Array) -> tuple[Array, Array]:
        n, p = theta
        return n * p, n * p * (1 - p)

    def support(self, *ranges: Range) -> Range:
        return 0.0, ranges[0][1]

    def most(self, *theta: Array) -> Array:
        return theta[0].astype(float)

    def lower(self, count: Array, *theta: Array) -> Array:
        n, p = theta
        probability = special.betainc(np.maximum(n - count, 1.0), count + 1, 1 - p)
        return np.where(count < n, probability, 1.0)

    def upper(self, count: Array, *theta: Array) -> Array:
        n, p = theta
        probability = special.betainc(count + 1, np.maximum(n - count, 1.0), p)
        return np.where(count < n, probability, 0.0)

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        value, n, p = as_doubles(value, *parameters)
        inside = _whole(value) & (value <= n)
        k = torch.where(inside, value, 0.0)
        ways = torch.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)
        return outside(ways + torch.xlogy(k, p) + torch.special.xlog1py(n - k, -p), inside)


class NegativeBinomial(Count):
    """NegativeBinomial(mean, shape): variance mean + mean**2 / shape; a Poisson whose rate is Gamma distributed."""

    name = "NegativeBinomial"
    parameters = ("mean", "shape")
    domains = (NONNEGATIVE, POSITIVE)
    meaning = "a count with mean {mean} and shape {shape}: its variance is mean + mean^2 / shape"

    def moments(self, *theta: Array) -> tuple[Array, Array]:
        mean, shape = theta
        return mean, mean + mean * mean / shape

    def lower(self, count: Array, *theta: Array) -> Array:
        mean, shape = theta
        return special.betainc(shape, count + 1, shape / (shape + mean))

    def upper(self, count: Array, *theta: Array) -> Array:
        mean, shape = theta
        return special.betainc(count + 1, shape, mean / (shape + mean))

    def log_prob(self, value: Tensor, *parameters: Number) -> Tensor:
        value, mean, shape = as_doubles(value, *parameters)
        inside = _whole(value)
        k = torch.where(inside, value, 0.0)
        ways = torch.lgamma(k + shape) - torch.lgamma(k + 1) - torch.lgamma(shape)
        return outside(ways - shape * torch.log1p(mean / shape) + torch.xlogy(k, mean / (shape + mean)), inside)
