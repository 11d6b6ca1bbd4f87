"""The columns of the record for an effect: covariates known before the decision, treatment, and outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import networkx as nx

from ..model.model import Effect, Model, Variable
from ..model.strategies import keep_record_open
from .unroll import Graph, Node, final_node, unroll, value_node


@dataclass(frozen=True)
class Column:
    """One column of the frame (float64; NaN where nothing is recorded; level indices for a categorical).

    A static: its value; a measurement: its last recorded value by `step`; a treatment: its value at `step`; an event: 1
    if it happened by `step`, else 0; the outcome: what the effect's strategies make of it, NaN where the record does
    not tell.
    `node` is the column's node in the unrolled graph.
    """

    name: str
    variable: str
    step: int
    role: Literal["covariate", "mediator", "treatment", "outcome"]
    node: Node
    levels: tuple[str, ...] = ()
    instant: float | None = None  # of an outcome: as `Effect.instant`


def columns(model: Model, effect: Effect) -> tuple[Column, ...]:
    """The columns of the frame for `effect`, covariates first, then the treatment, then the outcome.

    Covariates are recorded, known at the decision and not caused by it: statics, measurements at step 0, and the other
    treatments at the decision. For a later decision also: measurements until then, the treatment itself in the step
    before, and earlier events. A treatment or an outcome that is never recorded has no column.
    """
    model = keep_record_open(model, effect)
    graph = unroll(model, until=effect.decision)
    treatment = model.variables[effect.treatment]
    cause = value_node(model, effect.treatment, effect.decision)
    found = [
        column
        for variable in model.variables.values()
        if variable.recorded and variable.name != effect.treatment
        for column in _covariates(model, variable, effect.decision)
    ]
    if effect.decision > 0 and treatment.recorded and treatment.kind == "treatment":
        found.append(_column(treatment, effect.decision - 1, (treatment.name, effect.decision - 1)))
    final = final_node(model, effect)
    caused = _descendants(graph, cause)
    caused |= {(effect.outcome, effect.at), *([final] if final is not None else [])}
    found = [column for column in found if column.node not in caused]
    if cause is not None and treatment.recorded and treatment.kind != "state":
        found.append(_column(treatment, effect.decision, cause, role="treatment"))
    outcome = model.variables[effect.outcome]
    if final is not None and outcome.recorded and outcome.kind != "state":
        name, by = f"{outcome.name}@{effect.at}", effect.instant
        found.append(Column(name, outcome.name, effect.at, "outcome", final, outcome.levels, by))
    return tuple(found)


def _covariates(model: Model, variable: Variable, decision: int) -> list[Column]:
    if variable.kind == "static":
        return [_column(variable, 0, (variable.name, 0))]
    if variable.kind == "treatment":
        return [_column(variable, decision, (variable.name, decision))]
    if variable.kind == "measurement":
        nodes = {step: value_node(model, variable.name, step) for step in sorted({0, decision})}
        if nodes[decision] == nodes[0]:
            nodes = {0: nodes[0]}
        return [_column(variable, step, node) for step, node in nodes.items() if node is not None]
    if variable.kind == "event" and variable.ends != "journey" and decision > 1:
        return [_column(variable, decision - 1, ("ever", variable.name, decision))]
    return []


def _column(variable: Variable, step: int, node: Node, role: Literal["covariate", "treatment"] = "covariate") -> Column:
    name = variable.name if variable.kind == "static" else f"{variable.name}@{step}"
    return Column(name, variable.name, step, role, node, variable.levels)


def _descendants(graph: Graph, node: Node | None) -> set[Node]:
    return {node, *nx.descendants(graph, node)} if node is not None and node in graph else set()
