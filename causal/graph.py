"""The causal graph of a model, when each of its arrows acts, and what interventions cut and reach. No torch here."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import networkx as nx

from .language import Read, reads
from .model import Model, Schedule, Variable
from .world import Intervention


def causal_graph(model: Model) -> nx.DiGraph[str]:
    """The causal graph: variables as nodes (`kind`, `recorded`), claims as edges (`lag`: the least, in steps)."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for variable in model.variables.values():
        graph.add_node(variable.name, kind=variable.kind, recorded=variable.recorded and variable.kind != "state")
    for variable in model.variables.values():
        for cause in {claim.cause for claim in variable.claims}:
            lags = [count_lag(read) for read in variable.reads if read.name == cause]
            graph.add_edge(cause, variable.name, lag=min(lags, default=0))
    return graph


def count_lag(read: Read) -> int:
    """How many steps back a read looks; `ever` and `since` speak of earlier steps."""
    return read.lag if read.same_step or read.lag else 1


def measured_steps(variable: Variable, *, steps: int) -> tuple[int, ...]:
    """The steps, 0 to `steps`, in which a measurement may be taken."""
    if isinstance(variable.when, Schedule):
        return tuple(k for k in range(steps + 1) if variable.when.includes(k))
    return tuple(range(steps + 1))


def evaluated_steps(variable: Variable, key: str, *, steps: int) -> tuple[int, ...]:
    """The steps in which the expression under `key` of `variable` is evaluated."""
    match variable.kind, key:
        case ("static", _) | (_, "start"):
            return (0,)
        case ("measurement", "when"):
            return tuple(range(steps + 1))
        case ("measurement", _):
            return measured_steps(variable, steps=steps)
        case ("event", _):
            return tuple(range(1, steps + 1))
    return tuple(range(0 if variable.start is None else 1, steps + 1))


@dataclass(frozen=True)
class Cut:
    """What one intervention does to the arrows into its target, in steps [first, stop) of the intervention.

    `cut`: the causes that have no say in those steps. `kept`: causes that decide whether a measurement is taken or
    missing, which goes on. `outside`: causes that are read only at other times (a start before the window, a mechanism
    after it). `added`: the variables that the intervention's own value reads, as a policy's does. `own_past`: whether
    the target's own past was cut, too.
    """

    intervention: Intervention
    cut: tuple[str, ...]
    kept: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    own_past: bool = False

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        return tuple((cause, self.intervention.target) for cause in self.cut)


def find_cut(model: Model, intervention: Intervention) -> Cut:
    """The arrows that the intervention cuts. A soft one (+=, *=) and one on a parameter cut none."""
    policy = {read.name for read in reads(intervention.value)} - {intervention.target}
    added = tuple(name for name in model.variables if name in policy)
    variable = model.variables.get(intervention.target)
    if variable is None or intervention.operator != "=":
        return Cut(intervention, (), added=added)
    by_key = {key: {read.name for read in reads(text)} for key, text in variable.expressions.items()}
    replaced: set[str] = set()
    for key in by_key.keys() & {"start", "mechanism"}:
        if any(intervention.active(step) for step in evaluated_steps(variable, key, steps=model.clock.steps)):
            replaced |= by_key[key]
    deciding = by_key.get("when", set()) | by_key.get("missing", set())
    causes = [name for name in model.variables if any(claim.cause == name for claim in variable.claims)]
    return Cut(
        intervention,
        cut=tuple(name for name in causes if name in replaced),
        kept=tuple(name for name in causes if name in deciding),
        outside=tuple(name for name in causes if name not in replaced | deciding),
        added=added,
        own_past=variable.name in replaced,
    )


def find_reach(model: Model, interventions: Iterable[Intervention]) -> dict[str, int]:
    """The variables that can differ from the factual world, each with the first step in which it can.

    They are the targets and their descendants, those included that a closed record or a competing event reaches; a path
    counts only if its arrows act at times that follow each other. Earlier steps, and all other variables, are the same
    in both worlds, bit for bit, as long as the journey lasts in both.
    """
    arrows: dict[str, list[_Arrow]] = {}
    for arrow in _find_arrows(model):
        arrows.setdefault(arrow.cause, []).append(arrow)
    queue = sorted(set(_find_sources(model, interventions)))
    reached: dict[str, int] = {}
    while queue:
        step, name = heapq.heappop(queue)
        if name in reached:
            continue
        reached[name] = step
        for arrow in arrows.get(name, ()):
            at = arrow.arrive(step)
            if at is not None and arrow.effect not in reached:
                heapq.heappush(queue, (at, arrow.effect))
    return {name: reached[name] for name in model.variables if name in reached}


@dataclass(frozen=True)
class _Arrow:
    """`effect` reads `cause`, `lag` steps back, in these steps."""

    cause: str
    effect: str
    lag: int
    steps: Sequence[int]

    def arrive(self, step: int) -> int | None:
        """The first step that a change of the cause, from `step` on, reaches; before step 0 a lag reads the start."""
        at = bisect_left(self.steps, step + self.lag if step > 0 else 0)
        return self.steps[at] if at < len(self.steps) else None


def _find_arrows(model: Model) -> Iterator[_Arrow]:
    steps = model.clock.steps
    closing = [v.name for v in model.variables.values() if v.ends == "record"]
    for variable in model.variables.values():
        for key, expression in variable.expressions.items():
            at = evaluated_steps(variable, key, steps=steps)
            for read in reads(expression):
                if read.name in model.variables and read.name != variable.name:
                    yield _Arrow(read.name, variable.name, count_lag(read), at)
        if variable.kind == "measurement":
            at = measured_steps(variable, steps=steps)
            yield from (_Arrow(event, variable.name, 0, at) for event in closing)
        if variable.competes:
            at = evaluated_steps(variable, "mechanism", steps=steps)
            rivals = (v.name for v in model.variables.values() if v.competes == variable.competes)
            yield from (_Arrow(name, variable.name, 0, at) for name in rivals if name != variable.name)


def _find_sources(model: Model, interventions: Iterable[Intervention]) -> Iterator[tuple[int, str]]:
    """Where the interventions act first: step and variable."""
    steps = model.clock.steps
    for intervention in interventions:
        for variable in model.variables.values():
            for key, expression in variable.expressions.items():
                at = evaluated_steps(variable, key, steps=steps)
                if intervention.target == variable.name and key in ("start", "mechanism"):
                    at = tuple(step for step in at if intervention.active(step))
                elif intervention.target not in {read.name for read in reads(expression)} & model.parameters.keys():
                    continue
                if at:
                    yield at[0], variable.name
