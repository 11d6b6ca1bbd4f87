"""Quantiles without a closed form: scipy's, with gradients by the implicit function theorem.

scipy.special's functions are scalar loops, so their bits do not depend on position.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]


class Law(ABC):
    """A standard distribution. Each function takes a value or a probability, then the law's parameters.

    `upper` and `upper_quantile` are the survival function and its inverse: exact where `lower` is near 1.
    """

    @abstractmethod
    def lower(self, value: Array, *theta: Array) -> Array:
        """The probability of at most `value`."""

    @abstractmethod
    def upper(self, value: Array, *theta: Array) -> Array:
        """The probability of more than `value`."""

    @abstractmethod
    def lower_quantile(self, probability: Array, *theta: Array) -> Array:
        """The value whose `lower` is `probability`."""

    @abstractmethod
    def upper_quantile(self, probability: Array, *theta: Array) -> Array:
        """The value whose `upper` is `probability`."""

    @abstractmethod
    def log_density(self, value: Tensor, *theta: Tensor) -> Tensor:
        """The logarithm of the density at `value`."""

    def quantile(self, probability: Tensor, *parameters: Tensor) -> Tensor:
        """The value at `probability`, float64, differentiable in all arguments."""
        value: Tensor = _quantile_function().apply(self, probability.double(), *parameters)
        return value

    def cumulative(self, value: Tensor, *parameters: Tensor) -> Tensor:
        """The probability of at most `value`, float64. It carries no gradient."""
        return torch.as_tensor(self.lower(*(tensor.detach().numpy() for tensor in (value, *parameters))))


@cache
def _quantile_function() -> Any:
    """The torch function with the gradient. Its class is made on first use, because it inherits from torch's."""

    class QuantileFunction(torch.autograd.Function):
        """x(u, theta) with F(x, theta) = u: dx/du = 1 / f, dx/dtheta = -(dF/dtheta) / f."""

        @staticmethod
        def forward(ctx: Any, law: Law, probability: Tensor, *parameters: Tensor) -> Tensor:
            u, *theta = np.broadcast_arrays(*(tensor.detach().numpy() for tensor in (probability, *parameters)))
            value = np.empty(u.shape)
            low, high = u <= 0.5, u > 0.5
            value[low] = law.lower_quantile(u[low], *(part[low] for part in theta))
            value[high] = law.upper_quantile(1 - u[high], *(part[high] for part in theta))
            result = torch.from_numpy(value)
            ctx.law = law
            ctx.save_for_backward(probability, result, *parameters)
            return result

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
            law: Law = ctx.law
            probability, value, *parameters = ctx.saved_tensors
            density = torch.exp(law.log_density(value, *parameters))
            share = torch.where(torch.isfinite(density) & (density > 0), gradient / density, 0.0)
            gradients: list[Tensor | None] = [
                None,
                share.sum_to_size(probability.shape) if ctx.needs_input_grad[1] else None,
            ]
            for index, parameter in enumerate(parameters):
                if not ctx.needs_input_grad[2 + index]:
                    gradients.append(None)
                    continue
                slope = torch.from_numpy(_slope(law, probability, value, parameters, index))
                gradients.append((-slope * share).sum_to_size(parameter.shape))
            return tuple(gradients)

    return QuantileFunction


def _slope(law: Law, probability: Tensor, value: Tensor, parameters: list[Tensor], index: int) -> Array:
    """dF/dtheta[index] at the value: a central difference of fourth order, from the side of the nearer tail."""
    u, x, *theta = np.broadcast_arrays(*(tensor.detach().numpy() for tensor in (probability, value, *parameters)))
    near_zero = u <= 0.5
    # small compared with the parameter and with the width of the distribution
    step = 1e-3 * theta[index] / np.sqrt(1 + theta[index])

    def shifted(steps: int) -> Array:
        moved = [*theta[:index], theta[index] + steps * step, *theta[index + 1 :]]
        return np.where(near_zero, law.lower(x, *moved), -law.upper(x, *moved))

    slope: Array = (8 * (shifted(1) - shifted(-1)) - (shifted(2) - shifted(-2))) / (12 * step)
    return slope
