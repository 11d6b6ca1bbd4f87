"""DoWhy imported and run without its noise, and without anything of its left behind in the process."""

from __future__ import annotations

import logging
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quiet_dowhy(seed: int = 0) -> Iterator[Any]:
    """The module `dowhy`, with the global generators of numpy and Python seeded with `seed` for the while (DoWhy draws
    from them).

    Warnings, DoWhy's log level, the generators' states and the display hook (which DoWhy replaces when it is imported)
    are afterwards what they were.
    """
    import numpy as np

    logger = logging.getLogger("dowhy")
    level, hook, state = logger.level, sys.displayhook, np.random.get_state()  # noqa: NPY002
    own_state = random.getstate()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import dowhy

            sys.displayhook = hook
            logger.setLevel(logging.CRITICAL)
            np.random.seed(seed)  # noqa: NPY002
            random.seed(seed)
            yield dowhy
    finally:
        sys.displayhook = hook
        logger.setLevel(level)
        np.random.set_state(state)  # noqa: NPY002
        random.setstate(own_state)
