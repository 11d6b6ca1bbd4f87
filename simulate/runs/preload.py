"""What the process that workers are forked from has loaded, so that each need not: torch, the tables, the compiled
kernels of the noise. Importing this module does it."""

from __future__ import annotations

import torch

from ...causal.program.noise import DRAWS
from . import shard as shard


def load_kernels() -> None:
    """Draw once of each kind: the first draw loads the kernel, which takes most of a second."""
    torch.set_num_threads(1)  # no thread is there when workers are forked
    for draw in DRAWS.values():
        draw(seed=0, name="", patients=torch.arange(1), steps=1)


load_kernels()
