"""Nosograph: a disease, written as a cited causal graph, becomes patients. Torch comes when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .causal.explain.draw import draw
    from .causal.explain.explain import explain
    from .causal.model.load import load_model as load
    from .causal.program.program import program
    from .errors import NosographError
    from .renderers.check import check_run
    from .renderers.readback.verify import verify
    from .renderers.render import render
    from .simulate.cohort import open_run as open
    from .simulate.cohort import simulate
    from .simulate.falsification.falsify import falsify
    from .simulate.questions.ask import ask

_HOMES = {
    "NosographError": ("errors", "NosographError"),
    "ask": ("simulate.questions.ask", "ask"),
    "check_run": ("renderers.check", "check_run"),
    "draw": ("causal.explain.draw", "draw"),
    "explain": ("causal.explain.explain", "explain"),
    "falsify": ("simulate.falsification.falsify", "falsify"),
    "load": ("causal.model.load", "load_model"),
    "open": ("simulate.cohort", "open_run"),
    "program": ("causal.program.program", "program"),
    "render": ("renderers.render", "render"),
    "simulate": ("simulate.cohort", "simulate"),
    "verify": ("renderers.readback.verify", "verify"),
}
__all__ = [
    "NosographError", "ask", "check_run", "draw", "explain", "falsify", "load", "open", "program", "render", "simulate",
    "verify",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value = getattr(import_module(f".{module}", __name__), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
