"""The independencies that a model's graph implies among recorded quantities, whatever is latent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import networkx as nx

from ..language import reads
from ..model.duration import write_time
from ..model.model import Model
from .columns import Column
from .projection import project
from .unroll import ENTERS, Graph, Node, find_sources, unroll


@dataclass(frozen=True)
class Implication:
    """`first` and `second` (in order of time) are independent given `given`, among the people who have all of them.

    `selected`: the nodes that choose these people; `arrow`: variables, from cause to effect, that would not imply it;
    `either`: whether the arrow may point the other way, since neither comes first.
    """

    first: Column
    second: Column
    given: tuple[Column, ...]
    selected: frozenset[Node]
    arrow: tuple[str, str]
    either: bool

    def __str__(self) -> str:
        given = ", ".join(column.name for column in self.given)
        return f"{self.first.name} and {self.second.name}" + (f" given {given}" if given else "")


@dataclass(frozen=True)
class Unrolled:
    """A model's graph over time with the nodes that choose who is seen: `ENTERS`, who is of the population, and
    ("open", "", step), whose record has not ended by a step."""

    model: Model
    graph: Graph

    def find_implications(self, quantities: Sequence[Column]) -> tuple[Implication, ...]:
        """One for each two quantities that some others separate, with a minimal set of these (van der Zander and
        Liśkiewicz 2020, "Finding minimal d-separators in linear time and applications").

        It holds with the latent variables marginalised, and among the people who have the quantities: being in the
        population, still on the record and measured are always given.
        """
        selection = {column.node: self._find_selection(column) for column in quantities}
        always = {ENTERS} & set(self.graph)
        kept = [*selection, *always.union(*selection.values())]
        small = project(self.graph, dict.fromkeys(kept))
        order = {node: place for place, node in enumerate(nx.topological_sort(self.graph))}
        names = {column.node: column for column in quantities}
        found = []
        in_time = sorted(quantities, key=lambda c: (c.step, not self._is_static(c), order[c.node]))
        for pair in combinations(in_time, 2):
            first, second = pair
            included = always | selection[first.node] | selection[second.node]
            nodes = set(selection) - {first.node, second.node}
            given = _separate(small, first.node, second.node, included, nodes)
            if given is None:
                continue
            selected = included.union(*(selection[node] for node in given))
            if not nx.is_d_separator(small, {first.node}, {second.node}, given | selected):
                continue
            together = first.step == second.step and self._is_static(first) == self._is_static(second)
            either = together and first.node not in nx.ancestors(self.graph, second.node)
            columns = tuple(sorted((names[node] for node in given), key=lambda c: (c.step, c.name)))
            arrow = (first.variable, second.variable)
            found.append(Implication(first, second, columns, frozenset(selected), arrow, either))
        return tuple(found)

    def count_mended(self, arrow: tuple[Column, Column], claims: Sequence[Implication]) -> int:
        """How many of the claims no longer follow if an arrow leads from one quantity to the other, and so with the
        same lag at all times."""
        graph = self.graph.copy()
        start, end, step = arrow[0].node, arrow[1].node, arrow[0].step
        for k in range(-step, max(node[-1] for node in self.graph) + 1):
            a, b = ((*start[:-1], start[-1] + k), (*end[:-1], end[-1] + k))
            for cause in {a, start} if self._is_static(arrow[0]) else {a}:
                for effect in {b, end} if self._is_static(arrow[1]) else {b}:
                    if cause in graph and effect in graph:
                        graph.add_edge(cause, effect)
        if not nx.is_directed_acyclic_graph(graph):
            return 0
        return sum(not _holds(graph, claim) for claim in claims)

    def _is_static(self, column: Column) -> bool:
        return self.model.variables[column.variable].kind == "static"

    def _find_selection(self, column: Column) -> set[Node]:
        """What chooses the people who have the quantity: that it is measured, and their record not ended before."""
        recorded: Node = ("recorded", column.variable, column.step)
        open_: Node = ("open", "", column.step)
        return set() if self._is_static(column) else {recorded, open_} & set(self.graph)

    def list_quantities(self, steps: Sequence[int]) -> tuple[Column, ...]:
        """What is recorded: statics, and at these steps measurements, treatments, and whether an event has happened by
        then; without the events that end the record."""
        found = []
        for variable in self.model.variables.values():
            if not variable.recorded or variable.kind == "state" or variable.ends != "nothing":
                continue
            for step in [0] if variable.kind == "static" else steps:
                node: Node = (variable.name, step)
                if variable.kind == "event":
                    node = ("ever", variable.name, step + 1)
                if node in self.graph:
                    time = write_time(step, clock=self.model.clock)
                    name = variable.name if variable.kind == "static" else f"{variable.name} @ {time}"
                    found.append(Column(name, variable.name, step, "covariate", node, variable.levels))
        return tuple(found)


def unroll_selected(model: Model, *, until: int) -> Unrolled:
    """The graph of `model` until a step, with the nodes that choose who is seen."""
    graph = unroll(model, until=until + 1)
    ending = [variable.name for variable in model.variables.values() if variable.ends != "nothing"]
    for step in range(1, until + 1) if ending else ():
        earlier: list[Node] = [("open", "", step - 1)] if step > 1 else []
        graph.add_edges_from((node, ("open", "", step)) for node in [*earlier, *((name, step) for name in ending)])
    graph.add_edges_from((node, ENTERS) for node in find_sources(model, reads(model.population), 0))
    return Unrolled(model, graph)


def _separate(
    graph: nx.DiGraph[Any], first: Node, second: Node, included: set[Node], nodes: set[Node]
) -> set[Node] | None:
    """A minimal set of `nodes` that separates two nodes together with `included`; None if there is none."""
    if graph.has_edge(first, second) or graph.has_edge(second, first):
        return None
    found = nx.find_minimal_d_separator(graph, {first}, {second}, included=included, restricted=included | nodes)
    return None if found is None else found - included


def _holds(graph: Graph, claim: Implication) -> bool:
    given = {column.node for column in claim.given} | claim.selected
    return bool(nx.is_d_separator(graph, {claim.first.node}, {claim.second.node}, given))
