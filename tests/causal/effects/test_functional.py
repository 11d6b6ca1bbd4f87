"""What can be identified at all: textbook graphs, and random ones, against exact discrete models and y0."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import networkx as nx
import numpy as np
import pytest
from y0.algorithm.identify import identify_outcomes
from y0.dsl import Variable
from y0.graph import NxMixedGraph

from nosograph.causal.effects.functional import Hedge, find_functional, find_hedge, write_functional
from nosograph.causal.effects.projection import project

from .exact import ExactModel

IDENTIFIABLE = {
    "no effect": ("", "xy", "P(y)"),
    "back door": ("zx zy xy", "", "Σ_{z} P(z) P(y | z, x)"),
    "M-bias": ("xy", "xz zy", "P(y | x)"),
    "front door": ("xm my", "xy", "Σ_{m} P(m | x) Σ_{x'} P(x') P(y | x', m)"),
    "front door, with a covariate": (
        "xm my zx zm zy",
        "xy",
        "Σ_{z, m} P(z) P(m | z, x) Σ_{x'} P(x' | z) P(y | z, x', m)",
    ),
    "napkin": (
        "wr rx xy",
        "wx wy",
        "[Σ_{w} P(w) P(x | w, r) P(y | w, r, x)] / [Σ_{y'} Σ_{w} P(w) P(x | w, r) P(y' | w, r, x)]",
    ),
    "a front door whose covariates are confounded": ("vx vz xz zy xw wy vw", "xy", ""),
    "a confounder beside a confounded instrument": ("xz zy wx wz", "xy wx", ""),
    "a front door of two": ("xa xb ay by ab", "xy", ""),
    "a confounded child that is no way to the outcome": ("xz xy", "xz zy", "P(y | x)"),
}
HEDGES = {
    "bow": ("xy", "xy", "xy"),
    "bow on the mediator": ("xm my", "xm", "xm"),
    "a confounded instrument is none": ("zx xy", "zx xy", "xy"),
    "a path of hidden causes": ("xz zy", "xz zy", "xzy"),
    "two front doors in a row": ("xa ab by", "xb ay xy", "xaby"),
}


def make_graph(arrows: str, shared: str) -> nx.DiGraph[Any]:
    """`arrows`: "xm my"; `shared`: pairs with a hidden common cause, "xy"."""
    graph: nx.DiGraph[Any] = nx.DiGraph()
    graph.add_nodes_from("xy")
    graph.add_edges_from((pair[0], pair[1]) for pair in arrows.split())
    graph.add_edges_from((f"hidden {pair}", node) for pair in shared.split() for node in pair)
    return graph


def recorded(graph: nx.DiGraph[Any]) -> list[str]:
    return sorted(node for node in graph if not node.startswith("hidden"))


def check_functional(graph: nx.DiGraph[Any], seed: int, *, cause: str = "x", outcome: str = "y") -> None:
    """The functional of the recorded nodes' distribution is the law under intervention, whatever else it reads."""
    functional = find_functional(project(graph, recorded(graph)), cause, outcome)
    model = ExactModel.draw(graph, seed)
    hidden = tuple(axis for axis, node in enumerate(model.nodes) if str(node).startswith("hidden"))
    claimed = model.evaluate(functional, model.joint().sum(hidden, keepdims=True))
    for level in (0, 1):
        acted = model.joint({cause: level})
        law = acted.sum(tuple(axis for axis, node in enumerate(model.nodes) if node != outcome))
        at = claimed if claimed.shape[model.axis(cause)] == 1 else np.take(claimed, [level], model.axis(cause))
        for given in np.moveaxis(at, model.axis(outcome), -1).reshape(-1, 2):
            assert given == pytest.approx(law, abs=1e-12), (seed, graph.edges)


def check_hedge(graph: nx.DiGraph[Any], hedge: Hedge, cause: str) -> None:
    """Two sets, one in the other, each connected by hidden causes and made of ancestors of the same roots; only the
    larger holds the cause (Shpitser & Pearl 2006)."""
    assert cause in hedge.whole
    assert cause not in hedge.part
    assert set(hedge.part) < set(hedge.whole)
    for nodes in (hedge.whole, hedge.part):
        arcs = nx.Graph()
        arcs.add_nodes_from(nodes)
        for hidden in (node for node in graph if node.startswith("hidden")):
            arcs.add_edges_from(combinations([child for child in graph[hidden] if child in nodes], 2))
        assert nx.is_connected(arcs)
        inside = graph.subgraph(nodes)
        above = set(hedge.part).union(*(nx.ancestors(inside, root) for root in hedge.part))
        assert above == set(nodes)


@pytest.mark.parametrize("name", IDENTIFIABLE)
def test_textbook_effects_are_identified_and_the_functional_is_right(name: str) -> None:
    arrows, shared, written = IDENTIFIABLE[name]
    graph = make_graph(arrows, shared)
    projection = project(graph, recorded(graph))
    assert find_hedge(projection, "x", "y") is None
    if written:
        functional = find_functional(projection, "x", "y")
        assert write_functional(functional, {node: node for node in graph}, free="xy") == written
    for seed in range(3):
        check_functional(graph, seed)


@pytest.mark.parametrize("name", HEDGES)
def test_textbook_hedges(name: str) -> None:
    arrows, shared, whole = HEDGES[name]
    graph = make_graph(arrows, shared)
    projection = project(graph, recorded(graph))
    hedge = find_hedge(projection, "x", "y")
    assert isinstance(hedge, Hedge)
    assert hedge.whole == tuple(whole)
    assert "x" not in hedge.part
    with pytest.raises(ValueError, match="not identifiable"):
        find_functional(projection, "x", "y")


def test_random_graphs_have_the_verdict_of_y0_and_a_functional_that_is_right() -> None:
    identified = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        names = [f"v{number}" for number in range(int(random.integers(3, 6)))]
        arrows = [pair for pair in combinations(names, 2) if random.random() < 0.5]
        shared = [pair for pair in combinations(names, 2) if random.random() < 0.3]
        cause, outcome = names[int(random.integers(0, len(names) - 1))], names[-1]
        graph: nx.DiGraph[Any] = nx.DiGraph()
        graph.add_nodes_from(names)
        graph.add_edges_from(arrows)
        graph.add_edges_from((f"hidden {a} {b}", node) for a, b in shared for node in (a, b))
        mixed = NxMixedGraph.from_edges(
            nodes={Variable(name) for name in names},
            directed=[(Variable(a), Variable(b)) for a, b in arrows],
            undirected=[(Variable(a), Variable(b)) for a, b in shared],
        )
        verdict = identify_outcomes(mixed, Variable(cause), Variable(outcome))
        hedge = find_hedge(project(graph, names), cause, outcome)
        assert (hedge is None) == (verdict is not None), (seed, graph.edges)
        if not _reaches_a_child(graph, cause, outcome):
            assert hedge is None
        if hedge is not None:
            check_hedge(graph, hedge, cause)
        else:
            identified += 1
            check_functional(graph, seed, cause=cause, outcome=outcome)
    assert 100 < identified < 180


def _reaches_a_child(graph: nx.DiGraph[Any], cause: str, outcome: str) -> bool:
    """Whether hidden causes connect the cause to one of its children, among the outcome's ancestors: Tian & Pearl 2002
    proved that the effect is identifiable if they do not."""
    kept = graph.subgraph(nx.ancestors(graph, outcome) | {outcome})
    arcs = nx.Graph([edge for edge in kept.edges if edge[0].startswith("hidden")])
    connected = nx.node_connected_component(arcs, cause) if cause in arcs else {cause}
    return cause in kept and bool(connected & set(kept.successors(cause)))
