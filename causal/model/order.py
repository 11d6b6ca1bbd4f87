"""The order in which variables are computed within one step, and the cycles that prevent one."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from ...errors import fail
from ..language import Read, reads
from .model import Model, Variable
from .world import World

Waits = Mapping[str, Sequence[str]]  # variable -> the variables needed before it, within a step


def find_waits(
    model: Model, *, first: bool, worlds: Sequence[World] = (), grouped: bool = True
) -> dict[str, list[str]]:
    """The variables that each variable waits for within one step; `first` means step 0, where a lag reads the start.

    Policies in `worlds` count too. A composite event waits for its components; a measurement for the events that end
    the record. Competing events are decided together, so with `grouped` each waits for the causes of all.
    """
    waits: dict[str, dict[str, None]] = {name: {} for name in model.variables}
    for name, variable in model.variables.items():
        for read in sorted(_find_reads(variable, first)):
            if read.name in model.variables and _waits(read, first):
                waits[name][read.name] = None
        waits[name] |= {part: None for part in variable.any_of if part in model.variables}
    for intervention in (i for world in worlds for i in world.interventions):
        acts = intervention.active(0) if first else intervention.stop > 1
        for read in sorted(reads(intervention.value)) if acts and intervention.target in waits else ():
            if read.name in model.variables and _waits(read, first):
                waits[intervention.target][read.name] = None
    closing = [event.name for event in model.variables.values() if event.ends == "record"]
    groups: dict[str, list[str]] = {}
    for name, variable in model.variables.items():
        if variable.kind == "measurement":
            waits[name] |= dict.fromkeys(closing)
        if variable.competes and grouped:
            groups.setdefault(variable.competes, []).append(name)
    for members in groups.values():
        causes = dict.fromkeys(cause for member in members for cause in waits[member])
        for member in members:
            waits[member] = causes
    if first:  # before step 0 a variable's own past is its natural start
        return {name: [cause for cause in causes if cause != name] for name, causes in waits.items()}
    return {name: list(causes) for name, causes in waits.items()}


def _find_reads(variable: Variable, first: bool) -> frozenset[Read]:
    """The reads of the expressions that are evaluated in step 0 (`first`) or in a later step."""
    if variable.kind == "measurement":
        return variable.reads
    if variable.kind == ("event" if first else "static"):  # events cannot happen in step 0; statics are drawn there
        return frozenset()
    return reads(variable.start if first and variable.start is not None else variable.mechanism)


def _waits(read: Read, first: bool) -> bool:
    return read.same_step or (first and read.how in ("value", "recorded"))


def find_cycle(waits: Waits) -> list[str]:
    """A cycle from cause to effect, ending with its first node; empty if there is none."""
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle
    return []


def order_variables(model: Model, *, first: bool, worlds: Sequence[World] = ()) -> list[str]:
    """The variables in topological order. Ties: what ends something comes first, then the order of declaration.
    Raises NosographError with the cycle if there is one.
    """
    waits = find_waits(model, first=first, worlds=worlds)
    if cycle := find_cycle(waits):
        acting = [i.text for world in worlds for i in world.interventions if i.target in cycle and reads(i.value)]
        under = f", under {'; '.join(dict.fromkeys(acting))}" if acting else ""
        raise fail(
            f"variables read each other within one time step{under}",
            node=cycle[0],
            value=" -> ".join(cycle),
            fix=f"{cycle[-2]}[-1] for the last step's value somewhere in the loop",
        )
    rank = {name: (model.variables[name].ends == "nothing", index) for index, name in enumerate(model.variables)}
    names = list(model.variables)
    sorter = TopologicalSorter(waits)
    sorter.prepare()
    ready: list[tuple[bool, int]] = []
    order = []
    while sorter.is_active():
        for name in sorter.get_ready():
            heapq.heappush(ready, rank[name])
        name = names[heapq.heappop(ready)[1]]
        order.append(name)
        sorter.done(name)
    return order
