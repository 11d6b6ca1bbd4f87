"""Import torch and scipy on first use: the parser only needs the families' names and parameters."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any


class LazyModule:
    """A module that is imported when one of its attributes is first read."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, value)  # from now on Python finds it without calling this method
        return value


if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import torch
    from numpy.typing import NDArray

    class Special:
        """scipy.special; only functions from arrays to arrays are used here."""

        def __getattr__(self, name: str) -> Callable[..., NDArray[np.float64]]: ...

    special = Special()
else:
    torch = LazyModule("torch")
    special = LazyModule("scipy.special")

__all__ = ["special", "torch"]
