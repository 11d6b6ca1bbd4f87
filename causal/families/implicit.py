"""Quantiles that have no closed form: scipy's, with gradients by the implicit function theorem.

scipy.special's functions are scalar loops, so their bits do not depend on position.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

Array = NDArray[np.float64]
Function = Callable[..., Array]


@dataclass(frozen=True)
class Law:
    """A standard law. Each function takes the parameters, then a value or a probability.

    `upper` and `upper_quantile` are the survival function and its inverse: exact where `lower` is near 1.
    """

    lower: Function
    upper: Function
    lower_quantile: Function
    upper_quantile: Function
    log_density: Callable[..., Tensor]

    def quantile(self, probability: Tensor, *parameters: Tensor) -> Tensor:
        """The value at `probability`, float64, differentiable in everything."""
        value: Tensor = _Quantile.apply(self, probability.double(), *parameters)  # type: ignore[no-untyped-call]
        return value

    def cumulative(self, value: Tensor, *parameters: Tensor) -> Tensor:
        """The probability of at most `value`, float64. It carries no gradient."""
        arrays = [tensor.detach().numpy() for tensor in (*parameters, value)]
        return torch.as_tensor(self.lower(*arrays))


class _Quantile(torch.autograd.Function):
    """x(u, theta) with F(x, theta) = u: dx/du = 1 / f, dx/dtheta = -(dF/dtheta) / f."""

    @staticmethod
    def forward(ctx: Any, law: Law, probability: Tensor, *parameters: Tensor) -> Tensor:
        u, *theta = np.broadcast_arrays(*(tensor.detach().numpy() for tensor in (probability, *parameters)))
        value = np.empty(u.shape)
        low, high = u <= 0.5, u > 0.5
        value[low] = law.lower_quantile(*(part[low] for part in theta), u[low])
        value[high] = law.upper_quantile(*(part[high] for part in theta), 1 - u[high])
        result = torch.from_numpy(value)
        ctx.law = law
        ctx.save_for_backward(probability, result, *parameters)
        return result

    @staticmethod
    @once_differentiable
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


def _slope(law: Law, probability: Tensor, value: Tensor, parameters: list[Tensor], index: int) -> Array:
    """dF/dtheta[index] at the value: a central difference of fourth order, from the side of the nearer tail."""
    u, x, *theta = np.broadcast_arrays(*(tensor.detach().numpy() for tensor in (probability, value, *parameters)))
    near_zero = u <= 0.5
    step = 1e-3 * theta[index] / np.sqrt(1 + theta[index])  # small beside the parameter and beside the law's width

    def shifted(steps: int) -> Array:
        moved = [*theta[:index], theta[index] + steps * step, *theta[index + 1 :]]
        return np.where(near_zero, law.lower(*moved, x), -law.upper(*moved, x))

    slope: Array = (8 * (shifted(1) - shifted(-1)) - (shifted(2) - shifted(-2))) / (12 * step)
    return slope
