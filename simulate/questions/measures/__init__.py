"""The measures of an effect. To add one, add a file here that has a `Measure`; nothing else lists them.

A module here is imported for `--help`: numpy, torch and what needs them are imported inside its functions.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from ..measure import Measure


@cache
def list_measures() -> dict[str, Measure]:
    """Every measure by its name: those that the modules of this folder have, in the order of the modules' names."""
    found: dict[str, Measure] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        for value in vars(import_module(f".{module}", __name__)).values():
            if isinstance(value, Measure) and found.setdefault(value.name, value) is not value:
                raise ValueError(f"two measures have the name {value.name!r}; one of them is in {module}.py")
    return found
