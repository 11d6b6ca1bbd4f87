"""Exact discrete models: every node has two or three values, and all probabilities are computed by enumeration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from nosograph.causal.effects.functional import Conditional, Functional, Product, Ratio, Sum

Values = NDArray[np.int64]
Table = NDArray[np.float64]


@dataclass(frozen=True)
class ExactModel:
    """A random discrete model on a graph: `nodes` in topological order are the axes of every table."""

    graph: nx.DiGraph[Any]
    nodes: tuple[Any, ...]
    sizes: tuple[int, ...]
    tables: dict[Any, Table]  # P(node | parents), with an axis of size 1 for each other node

    @classmethod
    def draw(cls, graph: nx.DiGraph[Any], seed: int, *, sizes: dict[Any, int] | None = None) -> ExactModel:
        random = np.random.default_rng(seed)
        nodes = tuple(nx.topological_sort(graph))
        count = {node: (sizes or {}).get(node, 2) for node in nodes}
        tables = {}
        for node in nodes:
            near = {node, *graph.predecessors(node)}
            shape = [count[other] if other in near else 1 for other in nodes]
            weights = random.gamma(0.8, size=shape) + 0.03
            tables[node] = weights / weights.sum(nodes.index(node), keepdims=True)
        return cls(graph, nodes, tuple(count.values()), tables)

    def joint(self, do: dict[Any, int] | None = None, *, tables: dict[Any, Table] | None = None) -> Table:
        """The joint distribution, naturally or with nodes set."""
        found = np.ones(self.sizes)
        for node, table in (tables or self.tables).items():
            if node in (do or {}):
                point = np.zeros([self.sizes[self.axis(node)] if other == node else 1 for other in self.nodes])
                np.put_along_axis(point, np.full([1] * len(self.nodes), (do or {})[node]), 1.0, self.axis(node))
                table = point
            found = found * table
        return found

    def axis(self, node: Any) -> int:
        return self.nodes.index(node)

    def mean(self, joint: Table, outcome: Any) -> float:
        """The mean of the outcome's index in a joint distribution, which is normalized first."""
        axes = tuple(number for number in range(len(self.nodes)) if number != self.axis(outcome))
        law = joint.sum(axes) / joint.sum()
        return float(law @ np.arange(len(law)))

    def evaluate(self, functional: Functional, joint: Table) -> Table:
        """A functional, from the joint distribution alone, with an axis of size 1 for what it does not depend on."""
        match functional:
            case Conditional(node, given):
                rest = tuple(n for n, other in enumerate(self.nodes) if other != node and other not in given)
                law: Table = joint.sum(rest, keepdims=True)
                return law / law.sum(self.axis(node), keepdims=True)
            case Product(factors):
                product = np.ones([1] * len(self.nodes))
                for factor in factors:
                    product = product * self.evaluate(factor, joint)
                return product
            case Ratio(above, below):
                return self.evaluate(above, joint) / self.evaluate(below, joint)
            case Sum(over, term):
                total = self.evaluate(term, joint)
                for node in over:
                    if total.shape[self.axis(node)] == 1:  # a sum over values that the term does not read
                        total = total * self.sizes[self.axis(node)]
                    total = total.sum(self.axis(node), keepdims=True)
                return total


@dataclass(frozen=True)
class ResponseModel:
    """A random structural model: each node is a function of its parents and a noise of `len(weights)` values, so that
    every world of every person is known. Two of the noise's values give 0 and 1 whatever the parents are."""

    nodes: tuple[Any, ...]
    parents: dict[Any, list[Any]]
    responses: dict[Any, Values]  # (noise, parents' joint value) -> 0 or 1
    weights: Table  # of every person, who is one joint value of all noise

    @classmethod
    def draw(cls, graph: nx.DiGraph[Any], seed: int, *, noises: int = 4) -> ResponseModel:
        random = np.random.default_rng(seed)
        nodes = tuple(nx.topological_sort(graph))
        parents = {node: list(graph.predecessors(node)) for node in nodes}
        responses, weights = {}, np.ones([noises] * len(nodes))
        for number, node in enumerate(nodes):
            responses[node] = random.integers(0, 2, size=(noises, 2 ** len(parents[node])))
            responses[node][0], responses[node][1] = 0, 1
            shape = [noises if axis == number else 1 for axis in range(len(nodes))]
            weights = weights * random.dirichlet(np.full(noises, 2.0)).reshape(shape)
        return cls(nodes, parents, responses, weights)

    def run(self, do: dict[Any, int] | None = None) -> dict[Any, Values]:
        """Every node's value for every person in one world."""
        noise = np.indices(self.weights.shape)
        found: dict[Any, Values] = {}
        for number, node in enumerate(self.nodes):
            if node in (do or {}):
                found[node] = np.full(self.weights.shape, (do or {})[node])
                continue
            index = np.zeros(self.weights.shape, dtype=np.int64)
            for parent in self.parents[node]:
                index = 2 * index + found[parent]
            found[node] = self.responses[node][noise[number], index]
        return found
