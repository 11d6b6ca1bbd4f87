"""How the record loses outcomes (people leave it, visits are missed, deaths that the effect's worlds do not have), and
weights for those whose outcome it kept.

Who is left is selected after the treatment, by what happened since: no baseline adjustment mends that. The effect is
identified if each loss, given what the record knows by then, says nothing about the outcome (the sequential back-door
criterion of Pearl & Robins 1995). Each person with an outcome then counts once for herself and for those like her who
were lost: 1 / probability of not being lost (Robins & Finkelstein 2000, Biometrics 56:779).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import networkx as nx

from ..language import Read, reads
from ..model.model import Effect, Model, Schedule, Variable
from ..model.strategies import counts_missed, keep_record_open, list_losses, list_readers
from .paths import describe_path, open_path
from .unroll import ENTERS, Graph, Node, final_node, find_sources, unroll, value_node


@dataclass(frozen=True)
class Loss:
    """One way in which outcomes are lost: an event, or missed visits of the outcome itself.

    `reads`: what its weights condition on, relative to the step of the loss.
    """

    name: str
    reads: tuple[Read, ...]
    kind: Literal["leaving the record", "death", "missed visits"] = "leaving the record"

    @property
    def visits(self) -> bool:
        return self.kind == "missed visits"

    @property
    def text(self) -> str:
        names = ", ".join(dict.fromkeys(read.name for read in self.reads)) or "time alone"
        return f"{'missed visits of ' if self.visits else ''}{self.name} by {names}"


def find_losses(model: Model, effect: Effect, adjustment: Iterable[Node]) -> tuple[tuple[Loss, ...], str]:
    """What the outcome's losses are and depend on, and why they cannot be weighted for, in words (else empty).

    `adjustment`: the nodes that the estimate conditions on beside the treatment. A cause of a loss that says nothing
    about these, the treatment or the outcome, such as the calendar, is left out: weights that condition on it are only
    less stable.
    """
    if reason := _find_unknown(model, effect):
        return (), reason
    events, outcome = list_losses(effect, model), model.variables[effect.outcome]
    missed = outcome.kind == "measurement" and outcome.missing is not None and counts_missed(effect, model)
    if not events and not missed:
        return (), ""
    graph, end = unroll(model, until=max(effect.at, effect.decision), effect=effect), final_node(model, effect)
    model = keep_record_open(model, effect)
    if end is None or outcome.kind == "static":
        return (), ""
    steps = range(effect.decision + 1, effect.at + 1)
    nodes: dict[Loss, list[tuple[int, Node]]] = {}
    for event in events:
        kind: Literal["death", "leaving the record"] = "death" if event.ends == "journey" else "leaving the record"
        loss = Loss(event.name, _relevant_reads(model, event), kind)
        nodes[loss] = [(step, (event.name, step)) for step in steps if (event.name, step) in graph]
    if missed:
        own = tuple(
            replace(read, lag=max(read.lag, 1)) if read.name == outcome.name else read
            for read in sorted(reads(outcome.missing))
            if read.name in model.variables
        )
        loss = Loss(outcome.name, own, "missed visits")
        visits = [(step, ("recorded", outcome.name, step)) for step in range(effect.at + 1)]
        nodes[loss] = [(step, node) for step, node in visits if node in graph]
    cut = graph.copy()
    cut.remove_edges_from([edge for found in nodes.values() for _, node in found for edge in graph.out_edges(node)])
    cause = value_node(model, effect.treatment, effect.decision)
    asked = {end, *adjustment, *([cause] if cause is not None else [])} & set(cut)
    found = []
    for loss, places in nodes.items():
        kept, reason = _judge(model, cut, loss, places, end, asked)
        if reason:
            return (), reason
        found.append(kept)
    return tuple(found), ""


def _find_unknown(model: Model, effect: Effect) -> str:
    """Why what the record holds cannot tell the outcome from a loss, whatever it depends on."""
    mortal = any(variable.ends == "journey" for variable in model.variables.values())
    if effect.death == "survivors" and mortal:
        return "not recoverable: it is about the people alive in both worlds, and a record has one world"
    for variable in model.variables.values():
        if variable.ends != "nothing" and not variable.recorded and effect.leaving != "last recorded":
            return f"not recoverable: {variable.name} ends the record but is not recorded"
    if effect.leaving == "treatment policy":
        for variable in model.variables.values():
            if variable.ends == "record" and (readers := list_readers(model, variable.name)):
                return f"not recoverable: {readers[0]} depends on {variable.name}, after which there is no record"
    outcome = model.variables[effect.outcome]
    at_will = outcome.kind == "measurement" and not isinstance(outcome.when, Schedule) and outcome.when is not None
    if at_will and outcome.missing is not None and counts_missed(effect, model):
        return f"not recoverable: a missed visit of {outcome.name} looks like one that was not due"
    return ""


def _relevant_reads(model: Model, event: Variable) -> tuple[Read, ...]:
    """What a loss depends on: what it reads, and what its competitors do, without its own past."""
    group = [v for v in model.variables.values() if event.competes and v.competes == event.competes] or [event]
    found = {read for variable in group for read in reads(variable.mechanism)}
    return tuple(sorted(read for read in found if read.name in model.variables and read.name != event.name))


def _judge(
    model: Model, cut: nx.DiGraph[Any], loss: Loss, places: list[tuple[int, Node]], end: Node, asked: set[Node]
) -> tuple[Loss, str]:
    """The loss with what its weights must condition on; or why no weights help. `asked`: the nodes of the estimate, of
    which `end` is the outcome."""
    always = {ENTERS} & set(cut)
    own = loss.name if loss.visits else ""
    sources = {
        read: {node for step, _ in places for node in find_sources(model, [read], step, measurement=own)} & set(cut)
        for read in loss.reads
    }
    known = {read for read in loss.reads if _is_recorded(model.variables[read.name])}
    kept: list[Read] = []
    for read, nodes in sources.items():
        others = always.union(*(sources[other] for other in known if other != read)) - asked
        if nodes & asked or (nodes - others and not nx.is_d_separator(cut, nodes - others, asked, others)):
            kept.append(read)
    if all(read in known for read in kept):
        return replace(loss, reads=tuple(kept)), ""
    for step, node in places:
        history = (_find_history(model, cut, step, loss) | always | asked) - {node, end} - nx.descendants(cut, node)
        if not nx.is_d_separator(cut, {node}, {end}, history):
            path = describe_path(open_path(cut, node, end, history), cut, model)
            return loss, f"not recoverable: selection by {loss.kind}: {path}"
    return replace(loss, reads=_read_everything(model, loss)), ""


def _is_recorded(variable: Variable) -> bool:
    return variable.recorded and variable.kind != "state"


def _find_history(model: Model, cut: Graph, step: int, loss: Loss) -> set[Node]:
    """The nodes that the record has shown before a loss at `step`."""
    names = {variable.name for variable in model.variables.values() if _is_recorded(variable)}
    derived = {"last": 1, "recorded": 1, "ever": 0, "since": 0, "alive": 1}
    found = set()
    for node in cut:
        if len(node) == 3:
            back = derived.get(node[0])
            shown = back is not None and node[-1] <= step - back and (node[0] == "alive" or node[1] in names)
        elif node[0] in names:
            variable = model.variables[node[0]]
            random = variable.kind == "measurement" and ("recorded", *node) in cut
            shown = not random and (variable.kind == "static" or node[1] < step)
        else:
            shown = False
        if shown:
            found.add(node)
    return found


def _read_everything(model: Model, loss: Loss) -> tuple[Read, ...]:
    """The latest value of all that is recorded, before the step of the loss."""
    found = []
    for variable in model.variables.values():
        if _is_recorded(variable) and variable.name != loss.name and variable.ends == "nothing":
            how = "since" if variable.kind == "event" else "value"
            found.append(Read(variable.name, 0 if variable.kind in ("event", "static") else 1, how))
    return tuple(found)
