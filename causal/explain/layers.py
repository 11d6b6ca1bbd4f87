"""The layout of a drawing: nodes in layers, causes above effects.

After Gansner, Koutsofios, North & Vo, "A technique for drawing directed graphs" (IEEE Trans. Software Eng., 1993):
layers that keep edges short, barycenter ordering to avoid crossings, and positions that keep long edges straight. The
first and the last are solved as linear programs. An edge crosses a layer vertically in its own lane, so no edge runs
over a node.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

Edge = tuple[str, str]
Point = tuple[float, float]
LANE = 0.13  # inches: half the width of an edge's lane in a layer
SIDE = 0.11  # between a node and its neighbours
GAP = 0.42  # between layers, at least
FLAT = 0.44  # of a node's width, without edges: slopes and round corners
WIDEST = 9  # most nodes in a layer
SWEEPS = 24


@dataclass(frozen=True)
class Arrangement:
    """Coordinates in inches, y upwards, from (0, 0) to (`width`, `height`).

    `routes` has each edge's points from cause to effect; between the points of one pair and the next (0-1, 2-3, …) the
    edge is an S with vertical ends, and within a layer (1-2, 3-4, …) it is a vertical line.
    """

    centers: Mapping[str, Point]
    routes: Mapping[Edge, tuple[Point, ...]]
    width: float
    height: float


def arrange(sizes: Mapping[str, Point], edges: Sequence[Edge]) -> Arrangement:
    """Lay out a graph of nodes (name -> width and height in inches). It may have cycles, but no self-loops.

    Edges are given in order of precedence: one that closes a cycle with earlier ones is drawn upwards.
    """
    names = list(sizes)
    index = {name: i for i, name in enumerate(names)}
    pairs = [(index[cause], index[effect]) for cause, effect in edges]
    downward = _orient(pairs, nodes=len(names))
    layer = _split_wide(_assign_layers(downward, nodes=len(names)))
    chains = _add_lanes(downward, layer)
    rows: list[list[int]] = [[] for _ in range(max(layer, default=0) + 1)]
    for node, at in enumerate(layer):
        rows[at].append(node)
    segments = [segment for chain in chains for segment in itertools.pairwise(chain)]
    rows = _order(rows, segments)
    half = [sizes[name][0] / 2 + SIDE for name in names] + [LANE] * (len(layer) - len(names))
    x = _place(rows, segments, half, real=len(names))
    heights = [max((sizes[names[n]][1] for n in row if n < len(names)), default=0.0) for row in rows]
    bottoms, height = _stack(rows, heights, segments, x)
    middle = [bottom + tall / 2 for bottom, tall in zip(bottoms, heights, strict=True)]
    bands = [(bottom, bottom + tall) for bottom, tall in zip(bottoms, heights, strict=True)]
    ends = _find_ports(chains, x, [sizes[name] for name in names], [middle[at] for at in layer])
    routes = {}
    for edge, pair, chain, (first, last) in zip(edges, pairs, chains, ends, strict=True):
        route = [
            first,
            *(p for n in chain[1:-1] for p in ((x[n], bands[layer[n]][1]), (x[n], bands[layer[n]][0]))),
            last,
        ]
        routes[edge] = tuple(route if chain[0] == pair[0] else reversed(route))
    centers = {name: (x[i], middle[layer[i]]) for i, name in enumerate(names)}
    width = max((x[n] + half[n] for n in range(len(x))), default=0.0)
    return Arrangement(centers, routes, width, height)


def _orient(pairs: Sequence[tuple[int, int]], *, nodes: int) -> list[tuple[int, int]]:
    """The edges, reversed where they would close a cycle."""
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(nodes))
    turned = []
    for cause, effect in pairs:
        pair = (effect, cause) if nx.has_path(graph, effect, cause) else (cause, effect)
        graph.add_edge(*pair)
        turned.append(pair)
    return turned


def _assign_layers(pairs: Sequence[tuple[int, int]], *, nodes: int) -> list[int]:
    """Layer 0 is at the top; each edge goes down by at least one layer, and their total length is minimal."""
    from scipy.sparse import lil_array

    if not pairs:
        return [0] * nodes
    rows = lil_array((len(pairs), nodes))
    cost = np.zeros(nodes)
    for row, (upper, lower) in enumerate(pairs):
        rows[row, upper], rows[row, lower] = 1, -1
        cost[upper] -= 1
        cost[lower] += 1
    # the matrix is totally unimodular, so a vertex has whole values; no path is longer than `nodes`
    found = [round(value) for value in _minimize(cost, rows, -np.ones(len(pairs)), [(0, nodes)] * nodes)]
    used = {at: i for i, at in enumerate(sorted(set(found)))}
    return [used[at] for at in found]


def _split_wide(layer: Sequence[int]) -> list[int]:
    """Split layers of more than WIDEST nodes."""
    result = [0] * len(layer)
    start = 0
    for at in range(max(layer, default=-1) + 1):
        nodes = [node for node, found in enumerate(layer) if found == at]
        parts = -(-len(nodes) // WIDEST)
        for position, node in enumerate(nodes):
            result[node] = start + position * parts // len(nodes)
        start += parts
    return result


def _add_lanes(pairs: Sequence[tuple[int, int]], layer: list[int]) -> list[list[int]]:
    """The nodes of each edge, top to bottom, with a new one (added to `layer`) in each layer it crosses."""
    chains = []
    for upper, lower in pairs:
        passed = range(layer[upper] + 1, layer[lower])
        chains.append([upper, *range(len(layer), len(layer) + len(passed)), lower])
        layer.extend(passed)
    return chains


def _order(rows: list[list[int]], segments: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The rows, ordered for few crossings: barycenter sweeps with swaps of neighbours; the best order seen."""
    above: dict[int, list[int]] = {node: [] for row in rows for node in row}
    below: dict[int, list[int]] = {node: [] for row in rows for node in row}
    for upper, lower in segments:
        above[lower].append(upper)
        below[upper].append(lower)
    rows = [list(row) for row in rows]
    best, fewest = [list(row) for row in rows], _count_crossings(rows, below)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        for at in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            position = {node: i for i, node in enumerate(rows[at - 1 if down else at + 1])}
            centers = {
                node: sum(position[n] for n in neighbours[node]) / len(neighbours[node]) if neighbours[node] else i
                for i, node in enumerate(rows[at])
            }
            rows[at].sort(key=centers.__getitem__)
        _exchange(rows, above, below)
        crossings = _count_crossings(rows, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _count_crossings(rows: Sequence[Sequence[int]], below: Mapping[int, Sequence[int]]) -> int:
    total = 0
    for upper, lower in itertools.pairwise(rows):
        position = {node: i for i, node in enumerate(lower)}
        seen: list[int] = []
        for node in upper:
            ends = sorted(position[n] for n in below[node])
            total += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _exchange(rows: list[list[int]], above: Mapping[int, list[int]], below: Mapping[int, list[int]]) -> None:
    """Swap neighbours while that reduces crossings."""
    position = {node: i for row in rows for i, node in enumerate(row)}

    def crossings(left: int, right: int) -> int:
        return sum(
            position[a] > position[b] for side in (above, below) for a in side[left] for b in side[right]
        )  # fmt: skip

    improved = True
    while improved:
        improved = False
        for row in rows:
            for i in range(len(row) - 1):
                left, right = row[i], row[i + 1]
                if crossings(left, right) > crossings(right, left):
                    row[i], row[i + 1] = right, left
                    position[left], position[right] = i + 1, i
                    improved = True


def _place(
    rows: Sequence[Sequence[int]], segments: Sequence[tuple[int, int]], half: Sequence[float], *, real: int
) -> list[float]:
    """The x of each node in inches: neighbours do not overlap, and the weighted sum of horizontal steps is minimal."""
    from scipy.sparse import lil_array

    nodes = len(half)
    gaps = [(left, right) for row in rows for left, right in itertools.pairwise(row)]
    matrix = lil_array((len(gaps) + 2 * len(segments), nodes + len(segments)))
    bound = np.zeros(len(gaps) + 2 * len(segments))
    for i, (left, right) in enumerate(gaps):
        matrix[i, left], matrix[i, right], bound[i] = 1, -1, -(half[left] + half[right])
    cost = np.zeros(nodes + len(segments))
    for i, (a, b) in enumerate(segments):
        row, slack = len(gaps) + 2 * i, nodes + i
        matrix[row, a], matrix[row, b], matrix[row, slack] = 1, -1, -1
        matrix[row + 1, a], matrix[row + 1, b], matrix[row + 1, slack] = -1, 1, -1
        cost[slack] = (1, 2, 8)[(a >= real) + (b >= real)]  # long edges weigh most, to be straight
    bounds = [*((margin, None) for margin in half), *((0, None) for _ in segments)]
    if not len(bound):
        return list(half)
    cost[:nodes] = 1e-4  # ties: as far left as possible
    return [round(value, 4) for value in _minimize(cost, matrix, bound, bounds)[:nodes]]


def _minimize(cost: Any, matrix: Any, bound: Any, bounds: Sequence[tuple[float, float | None]]) -> list[float]:
    """Minimise cost . x subject to matrix x <= bound and `bounds`, by the simplex method, which gives a vertex."""
    from scipy.optimize import linprog

    result: Any = linprog(cost, A_ub=matrix.tocsr(), b_ub=bound, bounds=bounds, method="highs-ds")
    return [float(value) for value in result.x]


def _stack(
    rows: Sequence[Sequence[int]], heights: Sequence[float], segments: Sequence[tuple[int, int]], x: Sequence[float]
) -> tuple[list[float], float]:
    """The bottom of each row, and the total height; gaps are larger where edges go far sideways."""
    row_of = {node: at for at, row in enumerate(rows) for node in row}
    gaps = [GAP] * len(rows)
    for upper, lower in segments:
        gaps[row_of[upper]] = max(gaps[row_of[upper]], GAP + 0.07 * abs(x[upper] - x[lower]))
    gaps[-1:] = [0.0]
    height = sum(heights) + sum(gaps)
    bottoms, top = [], height
    for tall, gap in zip(heights, gaps, strict=True):
        bottoms.append(top - tall)
        top -= tall + gap
    return bottoms, height


def _find_ports(
    chains: Sequence[Sequence[int]], x: Sequence[float], sizes: Sequence[Point], y: Sequence[float]
) -> list[tuple[Point, Point]]:
    """Where each edge leaves its upper node and meets its lower one, in the order of their other ends."""
    sides: dict[tuple[int, int], list[tuple[float, int]]] = {}
    for number, chain in enumerate(chains):
        sides.setdefault((chain[0], -1), []).append((x[chain[1]], number))
        sides.setdefault((chain[-1], 1), []).append((x[chain[-2]], number))
    ports: dict[tuple[int, int], Point] = {}
    for (node, side), edges in sides.items():
        width, height = sizes[node]
        room = min(width - FLAT, 0.24 * (len(edges) - 1))
        for i, (_, number) in enumerate(sorted(edges)):
            shift = room * (i / (len(edges) - 1) - 0.5) if len(edges) > 1 else 0.0
            ports[number, side] = (x[node] + shift, y[node] + side * height / 2)
    return [(ports[number, -1], ports[number, 1]) for number in range(len(chains))]
