"""Composite events: `any_of` names their components, which may be composites themselves."""

from __future__ import annotations

from collections.abc import Mapping

from .model import Variable


def list_components(variables: Mapping[str, Variable], name: str) -> tuple[str, ...]:
    """The events that an event is made of, in the order of the model: for a composite the events with a mechanism that
    it leads to, each once; for any other event itself. Names without a variable are left out."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        at = waiting.pop()
        if at in seen or at not in variables:
            continue
        seen.add(at)
        if variables[at].any_of:
            waiting += variables[at].any_of
        else:
            found.add(at)
    return tuple(other for other in variables if other in found)


def ends_journey(variables: Mapping[str, Variable], name: str) -> bool:
    """Whether an event can only happen as the journey ends: it ends it, or all its components do."""
    return all(variables[part].ends == "journey" for part in list_components(variables, name))
