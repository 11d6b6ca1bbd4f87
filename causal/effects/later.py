"""The columns of the record after the decision: they are no adjustment set, but an effect may be identified by them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import networkx as nx

from ..language.syntax import find_draw
from ..model.model import Effect, Model, Variable
from .columns import Column
from .unroll import Graph, Node, value_node


def later_columns(model: Model, effect: Effect, graph: Graph, known: Iterable[Column]) -> tuple[Column, ...]:
    """What is recorded between the decision and the outcome and is not among `known`, of the nodes of `graph`.

    Without what follows from the rest, such as a treatment that is only carried forward: it is never seen with another
    value, so nothing can be learned from it.
    """
    found: dict[Node, Column] = {}
    taken = {column.node for column in known}
    for variable in model.variables.values():
        if variable.recorded and variable.kind != "state":
            for step, node in _nodes(model, variable, effect):
                if node in graph and node not in taken:
                    name = variable.name if variable.kind == "static" else f"{variable.name}@{step}"
                    found[node] = Column(name, variable.name, step, "mediator", node, variable.levels)
    determined = set(taken)
    for node in nx.topological_sort(graph):
        if is_certain(model, node) and determined.issuperset(graph.pred[node]):
            found.pop(node, None)
            determined.add(node)
        elif node in found:
            determined.add(node)
    return tuple(found.values())


def is_certain(model: Model, node: Node) -> bool:
    """Whether a node is a function of its parents alone, without noise of its own."""
    if len(node) == 3:
        return node[0] not in ("recorded", "race")
    variable, step = model.variables[node[0]], node[1]
    rule = variable.start if step == 0 and variable.start is not None else variable.mechanism
    return rule is None or find_draw(rule) is None


def _nodes(model: Model, variable: Variable, effect: Effect) -> Iterator[tuple[int, Node]]:
    """The nodes of a variable, each with the step by which it is known; an event's says whether it happened by then."""
    if variable.kind == "static":
        yield 0, (variable.name, 0)
        return
    closes = any(other.ends == "record" for other in model.variables.values())
    for step in range(effect.decision, effect.at + 1):
        if variable.kind != "event":
            if (node := value_node(model, variable.name, step)) is not None:
                yield node[-1], node
        elif step > 0 and not closes and variable.occurs == "once":
            yield step, ("ever", variable.name, step + 1)
