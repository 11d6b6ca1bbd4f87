"""The latent projection of a causal graph onto recorded nodes (Verma & Pearl 1990, "Equivalence and synthesis of
causal models"; its hyperedges: Evans 2016, "Graphs for margins of Bayesian networks")."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import networkx as nx


def project(graph: nx.DiGraph[Any], observed: Iterable[Hashable]) -> nx.DiGraph[Any]:
    """The latent projection of `graph` onto `observed`, with the same d-separations among them as the whole graph.

    `a -> b` where a directed path leads from a to b through latent nodes only. Nodes that share a latent cause get an
    explicit one, "U1", "U2", … (attribute `latent`), one for each maximal set of them rather than for each pair, which
    changes no d-separation. Linear in the edges, times the observed nodes (as bits) and the latent sets kept.
    """
    kept = list(dict.fromkeys(observed))
    position = {node: 1 << index for index, node in enumerate(kept)}
    relevant = set(kept)
    for node in kept:
        relevant |= nx.ancestors(graph, node)
    reach: dict[Any, int] = {}  # the observed nodes reached through latent ones
    shared: set[int] = set()
    for node in reversed(list(nx.topological_sort(graph.subgraph(relevant)))):
        bits = 0
        for child in graph.successors(node):
            if child in relevant:
                bits |= position.get(child) or reach[child]
        reach[node] = bits
        if node not in position and bits & (bits - 1):
            shared.add(bits)

    projection: nx.DiGraph[Any] = nx.DiGraph()
    projection.add_nodes_from(kept, latent=False)
    for node in kept:
        projection.add_edges_from((node, other) for other in kept if reach[node] & position[other])
    largest: list[int] = []
    for bits in sorted(shared, key=lambda bits: (-bits.bit_count(), bits)):
        if all(bits & other != bits for other in largest):
            largest.append(bits)
    for number, bits in enumerate(largest, 1):
        name = f"U{number}"
        projection.add_node(name, latent=True)
        projection.add_edges_from((name, other) for other in kept if bits & position[other])
    return projection
