"""Who enters is selected: the graph in which back-door paths are looked for when the selection is always given.

The estimand is E[Y(a) - Y(b) | S], where S is who enters in the world without interventions. Adjusting for Z is right
where Y(a) is independent of the cause X given Z and S: then E[Y(a) | Z, S] = E[Y | X = a, Z, S]. If X does not
influence S, this is the back-door criterion with S among what is given. If it does, S belongs to the natural world and
Y(a) to another, and both share their noise, so the question is asked of a graph of both worlds (Balke & Pearl 1994,
"Probabilistic evaluation of counterfactual queries").
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import networkx as nx


def separate_worlds(
    graph: nx.DiGraph[Any], cause: Hashable, selection: Hashable | None, *, name: str = "natural"
) -> nx.DiGraph[Any]:
    """The graph of the world in which the cause is set, together with the natural cause and the natural selection.

    The arrows out of `cause` are removed, so that only back-door paths lead from it to the outcome. Where it influences
    `selection` (a node without children), the nodes between the two are added once more, as they are in the natural
    world: `(name, node)`, with the noise that both share: `("noise", node)`.
    """
    cut: nx.DiGraph[Any] = graph.copy()
    cut.remove_edges_from(list(graph.out_edges(cause)))
    if selection is None or selection not in nx.descendants(graph, cause):
        return cut
    between = nx.descendants(graph, cause) & nx.ancestors(graph, selection)
    natural = {node: (name, node) for node in between} | {selection: selection}
    cut.remove_edges_from(list(graph.in_edges(selection)))
    for node, twin in natural.items():
        cut.add_edges_from((natural.get(parent, parent), twin) for parent in graph.predecessors(node))
        if node != selection:
            cut.add_edges_from([(("noise", node), node), (("noise", node), twin)])
    return cut


def close_selection(graph: nx.DiGraph[Any], selection: Hashable) -> nx.DiGraph[Any]:
    """The graph among those who are selected, for a cause that does not influence the selection.

    Given the selection, its ancestors may depend on each other in any way, and what they do not influence keeps its
    mechanism. So one latent node, the selection itself, stands for all of them: it causes those ancestors and what they
    cause. It allows more dependence than there is: what is identifiable here is identifiable among the selected.
    """
    before = nx.ancestors(graph, selection)
    closed: nx.DiGraph[Any] = graph.copy()
    closed.remove_edges_from(list(closed.in_edges([*before, selection])))
    closed.add_edges_from((selection, node) for node in before)
    return closed
