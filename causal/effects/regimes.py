"""Sustained strategies for a treatment that changes by its own rule: is their effect identifiable from the record?

Repeated decisions have no adjustment set if a covariate is both a consequence of earlier decisions and a reason for
later ones. The effect is identified if each decision, given the record so far, has no open back-door path to the
outcome (the sequential back-door criterion: Pearl & Robins 1995, "Probabilistic evaluation of sequential plans from
causal models with hidden variables").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import networkx as nx

from ..language.syntax import Name
from ..model.model import Effect, Model, Variable
from ..model.strategies import keep_record_open
from .columns import Column, columns
from .identify import Identification, explain_selection, identify_effect
from .later import is_certain
from .paths import describe_path, open_path
from .unroll import ENTERS, Graph, Node, final_node, unroll, value_node


@dataclass(frozen=True)
class Decision:
    """A step at which the treatment affects the outcome, and the record at the time of the decision.

    `known`: columns of the history: first those that the treatment's rule reads, then the latest of each variable, then
    older ones. `inputs`: the number of columns that the rule reads.
    """

    step: int
    known: tuple[Column, ...]
    inputs: int


def is_regime(model: Model, effect: Effect) -> bool:
    """Whether the strategy is sustained, but without intervention the treatment could change after the decision."""
    variable = model.variables[effect.treatment]
    stays = variable.kind == "static" or variable.mechanism in (None, Name(variable.name, 1))
    return effect.strategy == "sustained" and not stays


def identify_regime(model: Model, effect: Effect) -> Identification:
    """Whether the effect of a sustained strategy is identifiable; `adjustment` names the variables of the history.

    If it is not, `reason` is an open path from the first decision that depends on more than the record.
    """
    point = identify_effect(model, effect)
    if {"treatment", "outcome"} - {column.role for column in columns(model, effect)}:
        return point
    graph, outcome = _unroll(model, effect)
    model = keep_record_open(model, effect)
    names: dict[str, None] = {}
    for step in _steps(graph, model, effect, outcome):
        decision: Node = (effect.treatment, step)
        after: set[Node] = nx.descendants(graph, decision)
        if reason := explain_selection(model, effect, graph, decision):
            return Identification(False, point.confounded, reason=reason)
        found = _known(model, effect, graph, step, after)
        names.update(dict.fromkeys(column.variable for column in found))
        given = _given(model, graph, step, found)
        if ending := sorted({node[-2] or "death" for node in given & after}):
            return Identification(False, point.confounded, point.adjustment, _same_step(effect, str(ending[0])))
        cut = graph.copy()
        cut.remove_edges_from(list(graph.out_edges(decision)))
        later = [(effect.treatment, other) for other in range(step + 1, effect.at + 1)]
        cut.remove_edges_from(list(graph.in_edges(later)))
        if not nx.is_d_separator(cut, {decision}, {outcome}, given):
            path = describe_path(open_path(cut, decision, outcome, given), cut, model)
            reason = f"not identifiable: {path} ({effect.treatment} as decided at step {step})"
            return Identification(False, point.confounded, reason=reason)
    history = tuple(name for name in names if name != effect.treatment)
    return Identification(True, point.confounded, history, identified_by="adjustment at each decision")


def find_decisions(model: Model, effect: Effect) -> tuple[Decision, ...]:
    """The steps, from the effect's decision on, at which the treatment can act on the outcome other than through its
    own later values, in order, each with what is recorded by then and not caused by it. Later steps know more."""
    graph, outcome = _unroll(model, effect)
    model = keep_record_open(model, effect)
    found = []
    for step in _steps(graph, model, effect, outcome):
        known = _known(model, effect, graph, step, nx.descendants(graph, (effect.treatment, step)))
        read = set(graph.predecessors((effect.treatment, step)))
        latest = {column.variable: column.step for column in sorted(known, key=lambda column: column.step)}

        def rank(column: Column, read: set[Node] = read, latest: dict[str, int] = latest) -> tuple[int, int]:
            if _is_read(column, read):
                return (0, 0)
            return (1, 0) if latest[column.variable] == column.step else (2, -column.step)

        known.sort(key=rank)
        found.append(Decision(step, tuple(known), sum(_is_read(column, read) for column in known)))
    return tuple(found)


def find_limit(model: Model, effect: Effect) -> str:
    """Why there is no estimate for an identified regime; empty if there is one."""
    treatment, ending = model.variables[effect.treatment], _closing(model)
    if treatment.kind != "treatment":
        return f"a regime: no estimate for a strategy on a {treatment.kind}"
    if effect.death != "while alive":
        return f'a regime: no estimate for "death: {effect.death}"'
    if silent := [variable.name for variable in ending if not variable.recorded]:
        return f"a regime: {silent[0]} ends the record but is not recorded"
    leaving = [variable.name for variable in ending if variable.ends == "record"]
    if leaving and model.variables[effect.outcome].kind != "measurement":
        return f"a regime: {effect.outcome} continues after {leaving[0]}, but {effect.treatment} is not recorded then"
    return ""


def _unroll(model: Model, effect: Effect) -> tuple[Graph, Node]:
    outcome = final_node(model, effect)
    assert outcome is not None  # it has a column
    return unroll(model, until=max(effect.at, effect.decision), effect=effect), outcome


def _steps(graph: Graph, model: Model, effect: Effect, outcome: Node) -> list[int]:
    name = effect.treatment
    nodes = [(name, step) for step in range(effect.decision, effect.at + 1)]
    cut = graph.copy()
    cut.remove_edges_from(list(graph.in_edges(nodes)))
    acting = nx.ancestors(cut, outcome)
    return [node[1] for node in nodes if node in acting]


def _known(model: Model, effect: Effect, graph: Graph, step: int, after: set[Node]) -> list[Column]:
    """The history's columns by `step`: statics, every value of measurements and treatments, and how long ago events
    happened (for an event that happens once, only the latest)."""
    read = set(graph.predecessors((effect.treatment, step)))
    found: dict[Node, Column] = {}
    for variable in model.variables.values():
        if not variable.recorded or variable.kind == "state":
            continue
        for node in _nodes(model, variable, step):
            own = node == (effect.treatment, step)
            unread = variable.kind == "event" and len(node) == 2 and node not in read
            if node in graph and node not in after and not own and not unread:
                found[node] = _column(variable, node)
    return list(found.values())


def _nodes(model: Model, variable: Variable, step: int) -> Iterator[Node]:
    if variable.kind == "static":
        yield (variable.name, 0)
    elif variable.kind == "event":
        if variable.ends == "nothing":
            first = step if variable.occurs == "once" else 2
            yield from (("since", variable.name, earlier) for earlier in range(first, step + 1))
            yield (variable.name, step)
    else:
        for earlier in range(step + 1):
            node = value_node(model, variable.name, earlier)
            if node is not None:
                yield node


def _column(variable: Variable, node: Node) -> Column:
    name, step = variable.name, node[-1]
    label = name if variable.kind == "static" else f"{name}@{step}"
    if node[0] == "since" and len(node) == 3:
        label = f"since({name})@{step}"
    return Column(label, name, step, "covariate", node, variable.levels)


def _is_read(column: Column, read: Iterable[Node]) -> bool:
    node = column.node
    return node in read or (node[0] == "since" and ("ever", *node[1:]) in read)


def _given(model: Model, graph: Graph, step: int, found: list[Column]) -> set[Node]:
    """The nodes known at a decision: the columns, the past of recorded events, that the record is open, who enters, and
    what is determined by these."""
    given = {column.node for column in found} | {ENTERS}
    for variable in model.variables.values():
        if variable.kind == "event" and variable.recorded:
            last = step if variable.ends != "nothing" else step - 1
            given |= {(variable.name, earlier) for earlier in range(1, last + 1)}
            given |= {(how, variable.name, earlier) for how in ("ever", "since") for earlier in range(2, step + 1)}
    given |= {("alive", "", earlier) for earlier in range(1, step + 1)}
    given &= set(graph)
    for node in nx.topological_sort(graph):
        if node not in given and node[-1] <= step and _is_known(model, node) and given.issuperset(graph.pred[node]):
            given.add(node)
    return given


def _is_known(model: Model, node: Node) -> bool:
    """Whether a node of a static or a state is a function of its parents alone."""
    variable = model.variables.get(node[0]) if len(node) == 2 else None
    return variable is not None and variable.kind in ("static", "state") and is_certain(model, node)


def _closing(model: Model) -> list[Variable]:
    return [variable for variable in model.variables.values() if variable.ends != "nothing"]


def _same_step(effect: Effect, ending: str) -> str:
    return f"not recoverable: {ending} ends the record in the same step as a decision on {effect.treatment}"
