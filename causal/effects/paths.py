"""The shortest open path between two nodes of an unrolled graph, and its description in words."""

from __future__ import annotations

import heapq
from collections.abc import Collection
from typing import Any

import networkx as nx

from ..model.model import Model
from .unroll import Graph, Node

HELPERS = {
    "recorded": "whether {} is recorded",
    "last": "{}",
    "final": "{}",
    "ever": "{}",
    "since": "{}",
    "race": "{}",
    "alive": "survival",
    "enters": "who enters",
}


COLLIDER, SELECTION, VARIABLE, STEP = 1_000_000, 10_000, 1_000, 1


def open_path(graph: Graph, start: Node, end: Node, given: Collection[Node]) -> list[Node]:
    """The path from `start` to `end` open given `given` (d-connection) that is simplest to describe, or an empty list.

    Dijkstra over (node, whether it was entered along an arrow): a chain or fork is open if its node is not
    given, a collider if it or a descendant is (Shachter 1998, "Bayes-ball"). Steps of one variable cost little; paths
    through colliders, or through whether something is recorded, are used only if there is no other.
    """
    fixed = set(given)
    opened = fixed.union(*(nx.ancestors(graph, node) for node in fixed if node in graph))
    queue: list[tuple[int, int, Node, bool, tuple[Any, ...] | None]] = [(0, 0, start, False, None)]
    seen: set[tuple[Node, bool]] = set()
    count = 0
    while queue:
        cost, _, node, along, trail = heapq.heappop(queue)
        if (node, along) in seen:
            continue
        seen.add((node, along))
        link = (node, trail)
        if node == end:
            return _unlink(link)
        steps: list[tuple[Node, bool, int]] = []
        if node not in fixed or node == start:
            steps += [(child, True, 0) for child in graph.successors(node)]
            if not along:
                steps += [(parent, False, 0) for parent in graph.predecessors(node)]
        if along and node in opened:
            steps += [(parent, False, COLLIDER) for parent in graph.predecessors(node)]
        for other, direction, price in steps:
            count += 1
            price += _price(node, other)
            heapq.heappush(queue, (cost + price, count, other, direction, link))
    return []


def describe_path(path: list[Node], graph: Graph, model: Model) -> str:
    """A path in words, with consecutive steps of one variable merged: "treated <- frailty (not recorded) -> mmse"."""
    labels = [_label(node) for node in path]
    words = [labels[0]]
    for index in range(1, len(path)):
        if labels[index] != labels[index - 1]:
            forward = graph.has_edge(path[index - 1], path[index])
            hidden = labels[index] not in (labels[0], labels[-1]) and _is_hidden(path[index], model)
            words += ["->" if forward else "<-", labels[index] + " (not recorded)" * hidden]
    return " ".join(words)


def _price(node: Node, other: Node) -> int:
    price = STEP if _label(node) == _label(other) else VARIABLE
    return price + SELECTION * (other[0] in ("recorded", "alive"))


def _unlink(link: tuple[Any, ...] | None) -> list[Node]:
    path: list[Node] = []
    while link is not None:
        path.append(link[0])
        link = link[1]
    return path[::-1]


def _label(node: Node) -> str:
    return HELPERS[node[0]].format(node[1]) if len(node) == 3 else node[0]


def _is_hidden(node: Node, model: Model) -> bool:
    variable = model.variables.get(node[1] if len(node) == 3 else node[0])
    return variable is not None and (variable.kind == "state" or not variable.recorded)
