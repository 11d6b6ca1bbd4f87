"""The causal graph of a model, unrolled in time: nodes for each variable and step, and for the record.

Nodes are `(name, step)` for variables (statics at step 0) and `(kind, name, step)` for quantities derived from them:

| kind | meaning |
|---|---|
| "recorded" | whether a measurement is taken and recorded in this step, if that is random |
| "last" | the last recorded value of a measurement by this step, or "none yet" |
| "ever", "since" | whether, and how long ago, an event happened in an earlier step |
| "race" | which of a group of competing events happens |
| "alive" | whether no event has ended the journey by this step |
| "final" | an outcome by this step, as the effect's strategies have it |
| "enters" | whether a patient belongs to the population (and is alive and on the record at the decision) |

Parameters, `t` and `dt` are constants, not nodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import networkx as nx

from ...errors import fail
from ..language import Expression, Read, reads
from ..model.model import Effect, Model, Schedule, Variable
from ..model.strategies import counts_missed, find_last_due, keep_record_open

Node: TypeAlias = tuple[str, int] | tuple[str, str, int]
Graph: TypeAlias = "nx.DiGraph[Node]"
ENTERS: Node = ("enters", "population", 0)


def unroll(model: Model, *, until: int, effect: Effect | None = None) -> Graph:
    """The unrolled graph of `model` for the steps 0 to `until`; with `effect`, including its outcome and population,
    and without the endings that its outcome goes on after (`keep_record_open`).

    A lag that reaches before step 0 reads step 0. Every derived node is a function of its parents, so the graph is
    that of a structural causal model in which each node is either latent or recorded.
    """
    graph: Graph = nx.DiGraph()
    entering = _entering(model, effect) if effect is not None else []
    model = keep_record_open(model, effect) if effect is not None else model
    ending = [variable.name for variable in model.variables.values() if variable.ends == "journey"]
    for step in range(until + 1):
        for variable in model.variables.values():
            if variable.kind != "static" or step == 0:
                _add_variable(graph, model, variable, step)
        if ending and step > 0:
            _connect(graph, ("alive", "", step), _alive(model, step - 1), *[(name, step) for name in ending])
    if effect is not None:
        _add_final(graph, model, effect)
        if entering:
            _connect(graph, ENTERS, *entering)
    if not nx.is_directed_acyclic_graph(graph):
        loop = " -> ".join(str(edge[0][-2]) for edge in nx.find_cycle(graph))
        raise fail(
            "these variables read each other within one step",
            value=loop,
            fix="read x[-1] for one of them, or add a start",
        )
    return graph


def _entering(model: Model, effect: Effect) -> list[Node]:
    """What decides who enters: the population, and not having died, left or had the outcome's event by the decision."""
    endings = [variable.name for variable in model.variables.values() if variable.ends != "nothing"]
    outcome = model.variables[effect.outcome]
    endings += [outcome.name] if outcome.kind == "event" and outcome.occurs == "once" else []
    by_then: list[Node] = [(name, step) for name in endings for step in range(1, effect.decision + 1)]
    return [*find_sources(model, reads(model.population, effect.population), 0), *by_then]


def last_recorded(model: Model, name: str, step: int) -> Node | None:
    """The node of a measurement's last recorded value by `step`; None if there cannot be one yet.

    If it is certain which measurement that is, this is the node of the measurement itself.
    """
    variable = model.variables[name]
    for earlier in range(step, -1, -1):
        if _may_record(variable, earlier):
            return ("last", name, earlier) if _is_random(model, variable, earlier) else (name, earlier)
    return None


def value_node(model: Model, name: str, step: int) -> Node | None:
    """The node that a read of `name` at `step` uses: None for constants (a parameter, `t`, or an event at step 0)."""
    variable = model.variables.get(name)
    if variable is None or (variable.kind == "event" and step == 0):
        return None
    if variable.kind == "static":
        return (name, 0)
    return last_recorded(model, name, step) if variable.kind == "measurement" else (name, step)


def final_node(model: Model, effect: Effect) -> Node | None:
    """The node of the effect's outcome; None if it is never recorded. A value that is always that of one step is its
    own node; otherwise death, stopping, missed visits and visits at will decide which value it is."""
    model = keep_record_open(model, effect)
    outcome = model.variables[effect.outcome]
    dies = effect.death != "survivors" and _alive(model, effect.at) is not None
    if dies or outcome.kind == "event" or effect.stopping == "while on treatment":
        return ("final", effect.outcome, effect.at)
    due = find_last_due(effect, model)
    if due is not None and counts_missed(effect, model):
        return (effect.outcome, due)
    return value_node(model, effect.outcome, effect.at)


def survival_node(model: Model, effect: Effect) -> Node | None:
    """The node of being alive at the outcome's step if the estimand is of survivors; else None."""
    return _alive(model, effect.at) if effect.death == "survivors" else None


def _connect(graph: Graph, node: Node, *parents: Node | None) -> None:
    graph.add_node(node)
    graph.add_edges_from((parent, node) for parent in parents if parent is not None and parent != node)


def _alive(model: Model, step: int) -> Node | None:
    ends = any(variable.ends == "journey" for variable in model.variables.values())
    return ("alive", "", step) if ends and step > 0 else None


def _ended_record(model: Model, step: int) -> list[Node]:
    """The events up to `step` that stop the recording."""
    names = [variable.name for variable in model.variables.values() if variable.ends == "record"]
    return [(name, earlier) for name in names for earlier in range(1, step + 1)]


def _may_record(variable: Variable, step: int) -> bool:
    return not isinstance(variable.when, Schedule) or variable.when.includes(step)


def _is_random(model: Model, variable: Variable, step: int) -> bool:
    return (
        isinstance(variable.when, Expression)
        or variable.missing is not None
        or (step > 0 and any(other.ends == "record" for other in model.variables.values()))
    )


def find_sources(model: Model, found: Iterable[Read], step: int, *, measurement: str = "") -> list[Node]:
    """The nodes that these reads refer to at `step`.

    `measurement`: the one that reads; reading itself means its previous recorded value, if any.
    """
    nodes: list[Node] = []
    for read in sorted(found):
        at = max(step - read.lag, 0)
        if read.name == measurement:
            own = last_recorded(model, measurement, step - max(read.lag, 1)) if step >= max(read.lag, 1) else None
            nodes += [own] if own is not None else []
        elif read.how in ("ever", "since"):
            if read.name in model.variables and at > 1:  # events cannot happen at step 0
                nodes.append((read.how, read.name, at))
        elif (node := value_node(model, read.name, at)) is not None:
            # recorded(x) reads a function of the last recorded value
            nodes.append(node)
    return nodes


def _add_variable(graph: Graph, model: Model, variable: Variable, step: int) -> None:
    if variable.kind == "event":
        _add_event(graph, model, variable, step)
    elif variable.kind == "measurement":
        _add_measurement(graph, model, variable, step)
    else:
        rule = variable.start if step == 0 and variable.start is not None else variable.mechanism
        parents = find_sources(model, reads(rule), step)
        if rule is None and step > 0:
            parents = [(variable.name, step - 1)]
        _connect(graph, (variable.name, step), *parents)


def _add_event(graph: Graph, model: Model, variable: Variable, step: int) -> None:
    name = variable.name
    if step > 1:
        for how in ("ever", "since"):
            earlier: Node | None = (how, name, step - 1) if step > 2 else None
            _connect(graph, (how, name, step), earlier, (name, step - 1))
    if step == 0:
        return
    parents = find_sources(model, reads(variable.mechanism), step)
    parents += [(component, step) for component in variable.any_of]
    if variable.occurs == "once" and step > 1:
        parents.append(("ever", name, step))
    if variable.competes:
        # one race a group: who wins depends on the rates of all, and on noise that they share
        _connect(graph, ("race", variable.competes, step), *parents)
        parents = [("race", variable.competes, step)]
    _connect(graph, (name, step), *parents)


def _add_measurement(graph: Graph, model: Model, variable: Variable, step: int) -> None:
    name = variable.name
    if not _may_record(variable, step):
        return
    parents = find_sources(model, reads(variable.mechanism), step, measurement=name)
    if variable.of:
        parents.append((variable.of, 0 if model.variables[variable.of].kind == "static" else step))
    _connect(graph, (name, step), *parents)
    if _is_random(model, variable, step):
        when = variable.when if isinstance(variable.when, Expression) else None
        causes = find_sources(model, reads(when, variable.missing), step, measurement=name)
        _connect(graph, ("recorded", name, step), *causes, *_ended_record(model, step))
        earlier = last_recorded(model, name, step - 1) if step > 0 else None
        _connect(graph, ("last", name, step), earlier, (name, step), ("recorded", name, step))


def _add_final(graph: Graph, model: Model, effect: Effect) -> None:
    """Add the chain of the outcome by each step: what becomes of it while alive, and on treatment if it ends there."""
    name, variable = effect.outcome, model.variables[effect.outcome]
    missed = counts_missed(effect, model) and isinstance(variable.when, Schedule)
    earlier: Node | None = None
    for step in range(effect.at + 1):
        parents: list[Node | None] = [earlier, _alive(model, step)]
        if effect.stopping == "while on treatment" and step > effect.decision:
            parents.append(value_node(model, effect.treatment, step))
        if variable.kind == "event":
            parents += [(name, step) if step else None, *_ended_record(model, step)]
        elif variable.kind == "measurement":
            if _may_record(variable, step):
                random = _is_random(model, variable, step) and not missed
                parents += [(name, step), ("recorded", name, step) if random else None]
        elif variable.kind != "static" or step == 0:
            parents.append((name, step))
        node: Node = ("final", name, step)
        _connect(graph, node, *parents)
        earlier = node
