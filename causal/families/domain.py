"""The allowed values of a distribution's parameter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Domain:
    """The finite numbers from `low` to `high`. `rule` completes "it must be …"; `fix` shows how to satisfy it."""

    rule: str
    low: float = -math.inf
    high: float = math.inf
    open: bool = False  # excludes `low`
    whole: bool = False
    fix: str = "exp(…) or max(…, a small number)"

    def contains(self, value: Tensor) -> Tensor:
        """Where `value` lies in the domain (bool). NaN and the infinities never do."""
        inside = torch.isfinite(value)
        if self.low > -math.inf:
            inside = inside & (value > self.low if self.open else value >= self.low)
        if self.high < math.inf:
            inside = inside & (value <= self.high)
        return inside & (value == torch.floor(value)) if self.whole else inside

    def covers(self, low: float, high: float) -> bool:
        """Whether the range from `low` to `high` lies within the domain's bounds; false if one is NaN."""
        return (low > self.low or (low == self.low and not self.open)) and high <= self.high

    def excludes(self, low: float, high: float) -> bool:
        """Whether no number from `low` to `high` is in the domain."""
        if low == high and (math.isinf(low) or (self.whole and not low.is_integer())):
            return True
        return high < self.low or (high == self.low and self.open) or low > self.high


REAL = Domain(rule="a finite number", fix="clip(…, low, high)")
POSITIVE = Domain(rule="positive", low=0.0, open=True)
NONNEGATIVE = Domain(rule="zero or more", low=0.0)
PROBABILITY = Domain(rule="between 0 and 1", low=0.0, high=1.0, fix="expit(…) or clip(…, 0, 1)")
COUNT = Domain(rule="a whole number, zero or more", low=0.0, whole=True)
