"""The latent projection, against networkx's d-separation on the whole graph."""

from __future__ import annotations

import time
from itertools import chain, combinations

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from nosograph.causal.effects.paths import open_path
from nosograph.causal.effects.projection import project

NODES = 9
PAIRS = list(combinations(range(NODES), 2))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[nx.DiGraph, list[int]]:
    edges = draw(st.lists(st.sampled_from(PAIRS), unique=True, max_size=18))
    order = draw(st.permutations(range(NODES)))
    observed = draw(st.lists(st.integers(0, NODES - 1), unique=True, min_size=2, max_size=5))
    graph: nx.DiGraph = nx.DiGraph()
    graph.add_nodes_from(range(NODES))
    graph.add_edges_from((order[a], order[b]) for a, b in edges)
    return graph, observed


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_the_projection_keeps_every_d_separation(case: tuple[nx.DiGraph, list[int]]) -> None:
    graph, observed = case
    projection = project(graph, observed)
    for a, b in combinations(observed, 2):
        others = [node for node in observed if node not in (a, b)]
        for fixed in chain.from_iterable(combinations(others, size) for size in range(len(others) + 1)):
            expected = nx.is_d_separator(graph, {a}, {b}, set(fixed))
            assert nx.is_d_separator(projection, {a}, {b}, set(fixed)) == expected


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_there_is_an_open_path_exactly_where_nothing_separates(case: tuple[nx.DiGraph, list[int]]) -> None:
    graph = nx.relabel_nodes(case[0], {number: (f"v{number}", 0) for number in range(NODES)})
    start, end, *fixed = [(f"v{number}", 0) for number in case[1]]
    path = open_path(graph, start, end, fixed)
    assert bool(path) != nx.is_d_separator(graph, {start}, {end}, set(fixed))
    for before, node, after in zip(path, path[1:], path[2:], strict=False):
        collides = graph.has_edge(before, node) and graph.has_edge(after, node)
        opened = bool(({node} | nx.descendants(graph, node)) & set(fixed))
        assert opened if collides else node not in fixed


def test_the_projection_of_a_front_door() -> None:
    graph = nx.DiGraph([("u", "x"), ("u", "y"), ("x", "m"), ("m", "l"), ("l", "y"), ("e", "m")])
    projection = project(graph, ["x", "m", "y"])
    assert set(projection.edges) == {("x", "m"), ("m", "y"), ("U1", "x"), ("U1", "y")}


def test_thirty_variables_of_24_steps_take_under_two_seconds() -> None:
    graph: nx.DiGraph = nx.DiGraph()
    for step in range(24):
        for number in range(30):
            if step:
                graph.add_edge((number, step - 1), (number, step))
                graph.add_edges_from((((number + other) % 30, step - 1), (number, step)) for other in (1, 7, 11))
    observed = [*[(number, 0) for number in range(0, 30, 2)], (3, 23)]
    start = time.perf_counter()
    projection = project(graph, observed)
    assert time.perf_counter() - start < 2
    assert projection.has_edge((0, 0), (3, 23))
