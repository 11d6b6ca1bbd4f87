"""The build that bits depend on: versions of libraries, and what the processor can do."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version

LIBRARIES = ("nosograph", "torch", "pyro-ppl", "numpy", "numba", "pyarrow")


@cache
def describe_build() -> dict[str, str]:
    """What two processes must have in common to make the same bytes."""
    import torch

    return {
        **{name: version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(),
    }
