"""DoWhy imported and run without its noise, and without anything of its left behind in the process."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quiet_dowhy(seed: int = 0) -> Iterator[Any]:
    """The module `dowhy`, with numpy's global generator seeded with `seed` for the while (DoWhy draws from it).

    Warnings, DoWhy's log level, the generator's state and the display hook (which DoWhy replaces when it is imported)
    are afterwards what they were.
    """
    import numpy as np

    logger = logging.getLogger("dowhy")
    level, hook, state = logger.level, sys.displayhook, np.random.get_state()  # noqa: NPY002
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import dowhy

            sys.displayhook = hook
            logger.setLevel(logging.CRITICAL)
            np.random.seed(seed)  # noqa: NPY002
            yield dowhy
    finally:
        sys.displayhook = hook
        logger.setLevel(level)
        np.random.set_state(state)  # noqa: NPY002
