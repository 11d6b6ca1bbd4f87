"""Distribution families: how a variable's noise becomes its value.

A family is a class in a module of this folder, and is found automatically. The class defines everything about it: its
name and parameters in the language, their domains, its meaning in words, its noise and its arithmetic.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from .base import Family, restrict
from .hazard import event_delay


def _find_families() -> dict[str, Family]:
    """Every family that the modules of this folder define, by name."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    families: dict[str, Family] = {}
    for module in modules:
        for kind in vars(module).values():
            if inspect.isclass(kind) and issubclass(kind, Family) and not inspect.isabstract(kind):
                assert type(families.get(kind.name, kind())) is kind, f"two families are named {kind.name}"
                families[kind.name] = kind()
    return dict(sorted(families.items()))


FAMILIES = _find_families()

__all__ = ["FAMILIES", "Family", "event_delay", "restrict"]
