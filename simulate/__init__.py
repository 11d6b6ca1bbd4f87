"""From the SCM to cohorts, trials and answers, written down and run on many cores.

The package bears the name of the function that a notebook calls: `nosograph.simulate(model, …)` is that function,
whichever of the two was imported first.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from .cohort import simulate

        return simulate(*arguments, **options)


sys.modules[__name__].__class__ = _Room
