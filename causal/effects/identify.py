"""Whether an effect can be recovered from the record, and by what: DoWhy finds the adjustment set on the latent
projection; where there is none, a front door or another functional of the record may identify the effect."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import networkx as nx

from ..model.model import Effect, Model
from ..model.strategies import keep_record_open
from .adjustment import Adjustment, find_adjustment, separates
from .columns import Column, columns
from .front_door import find_front_door
from .functional import find_functional, find_hedge, write_functional
from .later import later_columns
from .paths import describe_path, open_path
from .projection import project
from .selection import close_selection, separate_worlds
from .unroll import ENTERS, Graph, Node, final_node, survival_node, unroll, value_node

MOST_RECORDED = 300  # quantities for which other ways than adjustment are looked for
MOST_SHOWN = 12  # quantities of a functional or a hedge that is written out

Way: TypeAlias = Literal["", "adjustment", "adjustment at each decision", "front door", "functional"]


@dataclass(frozen=True)
class Identification:
    """What the graph implies. `identified_by`: the way, empty if there is none; `adjustment`: names of columns (with a
    front door, its covariates), meaningful if `identifiable`; `confounded`: whether a back-door path is open without
    adjustment; `mediators`: the columns of a front door; `functional`: what identifies the effect in the third way.
    `reason`: why the effect is not identifiable, in words; `hedge`: the columns of the hedge that proves it, empty
    where another reason comes first.
    """

    identifiable: bool
    confounded: bool
    adjustment: tuple[str, ...] = ()
    reason: str = ""
    identified_by: Way = ""
    mediators: tuple[Column, ...] = ()
    functional: str = ""
    hedge: tuple[str, ...] = ()


def identify_effect(model: Model, effect: Effect) -> Identification:
    """Unroll the model, project it onto the record's columns, and ask DoWhy for an adjustment set; without one, look
    for another way."""
    offered = columns(model, effect)
    graph = unroll(model, until=max(effect.at, effect.decision), effect=effect)
    model = keep_record_open(model, effect)
    cause = value_node(model, effect.treatment, effect.decision)
    outcome = final_node(model, effect)
    if reason := _never_recorded(model, effect, offered):
        confounded = cause is not None and outcome is not None and _is_confounded(graph, cause, outcome)
        return Identification(False, confounded, reason=reason)
    if cause is None or outcome is None:  # both have columns, so both have nodes
        raise AssertionError(f"{effect.text}: no node for the treatment or the outcome")
    names = {column.node: column.name for column in offered if column.role == "covariate"}
    found = find_adjustment(graph, cause, outcome, list(names), selection=ENTERS if ENTERS in graph else None)
    if found.nodes is not None:
        adjustment = tuple(name for node, name in names.items() if node in found.nodes)
        if reason := _survival(model, effect, graph, cause, outcome, {*found.given}):
            return Identification(False, found.confounded, adjustment, reason)
        return Identification(True, found.confounded, adjustment, identified_by="adjustment")
    reason = _explain(model, effect, graph, cause, outcome, found)
    refused = Identification(False, found.confounded, reason=reason)
    if explain_selection(model, effect, graph, cause) or survival_node(model, effect) is not None:
        return refused
    return _look_further(model, effect, graph, offered, cause, outcome, refused)


def _look_further(
    model: Model,
    effect: Effect,
    graph: Graph,
    offered: Sequence[Column],
    cause: Node,
    outcome: Node,
    refused: Identification,
) -> Identification:
    """The identification by another way than adjustment, or `refused` with the hedge."""
    closed = close_selection(graph, ENTERS) if ENTERS in graph else graph
    acting = nx.ancestors(closed, outcome)
    known = [column for column in offered if column.role == "covariate" and column.node in acting]
    later = [column for column in later_columns(model, effect, graph, offered) if column.node in acting]
    if len(known) + len(later) > MOST_RECORDED:
        beyond = f"the record holds {len(known) + len(later)} quantities on the way, too many to look for another way"
        return replace(refused, reason=f"{refused.reason}; {beyond}")
    names: dict[Hashable, str] = {column.node: column.name for column in (*offered, *later)}
    projection = project(closed, [cause, outcome, *(column.node for column in (*known, *later))])
    if hedge := find_hedge(projection, cause, outcome):
        columns_of = tuple(names[node] for node in hedge.whole)
        more = f"; the hedge: {', '.join(columns_of)}" if 2 < len(columns_of) <= MOST_SHOWN else ""  # else a bow
        return replace(refused, hedge=columns_of, reason=refused.reason + more)
    door = find_front_door(closed, cause, outcome, recorded=[c.node for c in later], covariates=[c.node for c in known])
    if door is not None:
        return Identification(
            True,
            refused.confounded,
            tuple(column.name for column in known if column.node in door.covariates),
            identified_by="front door",
            mediators=tuple(column for column in later if column.node in door.mediators),
        )
    written = f"of {len(projection)} quantities"
    if len(projection) <= MOST_SHOWN:
        written = write_functional(find_functional(projection, cause, outcome), names, free=(cause, outcome))
    return Identification(True, refused.confounded, identified_by="functional", functional=written)


def _explain(model: Model, effect: Effect, graph: Graph, cause: Node, outcome: Node, found: Adjustment) -> str:
    """Why there is no adjustment set: selection if there would be one among everybody, else an open path."""
    everybody = separate_worlds(graph, cause, None)
    if found.always and separates(everybody, cause, outcome, found.offered):
        return explain_selection(model, effect, graph, cause) or (
            f"not recoverable: selection by {_describe_population(model, effect)} "
            f"({describe_path(open_path(found.cut, cause, outcome, found.given), graph, model)})"
        )
    path = open_path(everybody, cause, outcome, found.given)
    return f"not identifiable: {describe_path(path, graph, model)}" if path else "not identifiable"


def explain_selection(model: Model, effect: Effect, graph: Graph, cause: Node) -> str:
    """How the cause influences who enters, in words; empty if it does not."""
    if ENTERS not in nx.descendants(graph, cause):
        return ""
    path = nx.shortest_path(graph, cause, ENTERS)
    shown = path[:-1] if len(path) > 2 else path  # the condition is named already
    how = describe_path(shown, graph, model)
    return f"not recoverable: selection by {_describe_population(model, effect)} ({how})"


def _describe_population(model: Model, effect: Effect) -> str:
    conditions = [str(condition) for condition in (model.population, effect.population) if condition is not None]
    return " and ".join(conditions) or "being alive at the decision"


def _never_recorded(model: Model, effect: Effect, offered: tuple[Column, ...]) -> str:
    for role, name in (("treatment", effect.treatment), ("outcome", effect.outcome)):
        if not any(column.role == role for column in offered):
            measured = [other.name for other in model.variables.values() if other.of == name and other.recorded]
            hint = f"; what is recorded of it: {', '.join(measured)}" if measured else ""
            return f"not identifiable: {name} is not recorded{hint}"
    return ""


def _survival(model: Model, effect: Effect, graph: Graph, cause: Node, outcome: Node, given: set[Node]) -> str:
    """Why an estimand that needs survival cannot be estimated from survivors; empty if it can, or needs none."""
    alive = survival_node(model, effect)
    if alive is None or nx.is_d_separator(graph, {outcome}, {alive}, given | {cause}):
        return ""
    path = open_path(graph, outcome, alive, given | {cause})
    how = f" ({describe_path(path, graph, model)})" if path else ""
    return f"not recoverable: selection by death{how}"


def _is_confounded(graph: Graph, cause: Node, outcome: Node) -> bool:
    selection = ENTERS if ENTERS in graph else None
    always = set() if selection is None else {selection}
    return not separates(separate_worlds(graph, cause, selection), cause, outcome, always)
