"""Whether an effect can be recovered from the record: DoWhy decides on the latent projection."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import networkx as nx

from ..model.model import Effect, Model
from .columns import Column, columns
from .dowhy import quiet_dowhy
from .paths import describe_path, open_path
from .projection import project
from .unroll import ENTERS, Graph, Node, final_node, survival_node, unroll, value_node

MOST_CANDIDATES = 12  # DoWhy tries all subsets if none is valid: 4,096 take about a second


@dataclass(frozen=True)
class Identification:
    """What the graph implies. `adjustment`: names of columns, meaningful if `identifiable`; `confounded`: whether a
    backdoor path is open without adjustment; `reason`: why the effect is not identifiable, in words."""

    identifiable: bool
    confounded: bool
    adjustment: tuple[str, ...] = ()
    reason: str = ""


def identify_effect(model: Model, effect: Effect) -> Identification:
    """Unroll the model, project it onto the record's columns, and ask DoWhy for an adjustment set."""
    offered = columns(model, effect)
    graph = unroll(model, until=max(effect.at, effect.decision), effect=effect)
    cause = value_node(model, effect.treatment, effect.decision)
    outcome = final_node(model, effect)
    if reason := _never_recorded(model, effect, offered):
        confounded = cause is not None and outcome is not None and _confounded(graph, cause, outcome)
        return Identification(False, confounded, reason=reason)
    if cause is None or outcome is None:  # both have columns, so both have nodes
        raise AssertionError(f"{effect.text}: no node for the treatment or the outcome")
    return _identify(model, effect, graph, offered, cause, outcome)


def identify(
    projection: nx.DiGraph[Any], treatment: Hashable, outcome: Hashable, *, always: Iterable[Hashable] = ()
) -> tuple[Hashable, ...] | None:
    """DoWhy's backdoor adjustment set on a projection (attribute `latent` marks unobserved nodes); None without one.

    Identified means that DoWhy's `backdoor` is not None; its instruments may be latent nodes. DoWhy starts from the set
    of all candidates and takes the first valid one. Nodes in `always` (selection) must be in the set, because the
    record is always conditioned on them.
    """
    import pandas as pd

    text = {node: str(node) for node in projection}
    back = {name: node for node, name in text.items()}
    graph = nx.relabel_nodes(projection, text)
    graph.add_edge(text[treatment], text[outcome])  # without a directed path DoWhy answers "zero" without a set
    observed = [text[node] for node, latent in projection.nodes(data="latent") if not latent]
    with quiet_dowhy() as dowhy:
        # only the names of the columns matter here
        model = dowhy.CausalModel(pd.DataFrame(columns=observed), text[treatment], text[outcome], graph=graph)
        estimand = model.identify_effect(method_name="maximal-adjustment", proceed_when_unidentifiable=True)
    if estimand.estimands["backdoor"] is None:
        return None
    # "backdoor" itself is the smallest set, which is empty in a randomized trial; the largest is more precise
    largest = max((names for names in estimand.backdoor_variables.values()), key=len)
    found = {back[name] for name in largest}
    if not _separates(_cut(projection, treatment), treatment, outcome, found | set(always)):
        return None
    return tuple(node for node in projection if node in found and node not in set(always))


def _identify(
    model: Model, effect: Effect, graph: Graph, offered: tuple[Column, ...], cause: Node, outcome: Node
) -> Identification:
    always = [ENTERS] if ENTERS in graph else []
    covariates = [column for column in offered if column.role == "covariate"]
    # the projection has the d-separations of the whole graph, and cutting the cause's arrows commutes with it
    cut = _cut(project(graph, [cause, outcome, *always, *[column.node for column in covariates]]), cause)
    confounded = not _separates(cut, cause, outcome, set(always))
    candidates = _candidates(cut, covariates, cause, outcome, set(always))
    given = {column.node for column in candidates} | set(always)
    if not _separates(cut, cause, outcome, given):
        candidates = candidates[:MOST_CANDIDATES]  # if the whole set is invalid, so is every subset; DoWhy confirms it
    projection = project(graph, [cause, outcome, *always, *[column.node for column in candidates]])
    found = identify(projection, cause, outcome, always=always)
    if found is None:
        whole = _cut(graph, cause)
        path = open_path(whole, cause, outcome, given)
        reason = f"not identifiable: {describe_path(path, whole, model)}" if path else "not identifiable"
        return Identification(False, confounded, reason=reason)
    chosen = tuple(column for column in candidates if column.node in found)
    names = tuple(column.name for column in chosen)
    if reason := _selection(model, effect, graph, cause, outcome, {column.node for column in chosen} | set(always)):
        return Identification(False, confounded, names, reason)
    return Identification(True, confounded, names)


def _never_recorded(model: Model, effect: Effect, offered: tuple[Column, ...]) -> str:
    for role, name in (("treatment", effect.treatment), ("outcome", effect.outcome)):
        if not any(column.role == role for column in offered):
            measured = [other.name for other in model.variables.values() if other.of == name and other.recorded]
            hint = f"; what is recorded of it: {', '.join(measured)}" if measured else ""
            return f"not identifiable: {name} is not recorded{hint}"
    return ""


def _candidates(
    cut: nx.DiGraph[Any], covariates: list[Column], cause: Node, outcome: Node, fixed: set[Node]
) -> list[Column]:
    """The covariates to offer to DoWhy.

    Ancestors of cause, outcome or selection: if any set of the covariates is valid, all of these together are (van der
    Zander, Liśkiewicz & Textor 2014, "Constructing separators and adjustment sets in ancestral graphs"). Others are
    added if the set stays valid: a baseline score does not cause a later one, but predicts it. A covariate that is
    independent of the outcome given the others and the cause only costs precision and is dropped.
    """
    ancestors = set().union(*(nx.ancestors(cut, node) for node in [cause, outcome, *fixed]))
    kept = [column for column in covariates if column.node in ancestors]
    if not _separates(cut, cause, outcome, {column.node for column in kept} | fixed):
        causes = nx.ancestors(cut, cause)
        return sorted(kept, key=lambda column: column.node not in causes)
    for column in covariates:
        given = {other.node for other in kept} | fixed
        if column.node not in given and _separates(cut, cause, outcome, {column.node, *given}):
            kept.append(column)
    for column in list(kept):
        others = {other.node for other in kept if other is not column} | fixed
        if nx.is_d_separator(cut, {cause, column.node}, {outcome}, others):
            kept.remove(column)
    return [column for column in covariates if column in kept]


def _selection(model: Model, effect: Effect, graph: Graph, cause: Node, outcome: Node, given: set[Node]) -> str:
    """Why an estimand that needs survival cannot be estimated from survivors; empty if it can, or needs none."""
    alive = survival_node(model, effect)
    if alive is None or nx.is_d_separator(graph, {outcome}, {alive}, given | {cause}):
        return ""
    path = open_path(graph, outcome, alive, given | {cause})
    how = f" ({describe_path(path, graph, model)})" if path else ""
    return f"not recoverable: selection by death{how}"


def _confounded(graph: Graph, cause: Node, outcome: Node) -> bool:
    return not _separates(_cut(graph, cause), cause, outcome, {ENTERS} & set(graph))


def _cut(graph: nx.DiGraph[Any], cause: Hashable) -> nx.DiGraph[Any]:
    """The graph without the arrows out of the cause, so that only backdoor paths remain."""
    cut: nx.DiGraph[Any] = graph.copy()
    cut.remove_edges_from(list(graph.out_edges(cause)))
    return cut


def _separates(cut: nx.DiGraph[Any], cause: Hashable, outcome: Hashable, given: set[Any]) -> bool:
    return nx.is_d_separator(cut, {cause}, {outcome}, given - {cause, outcome})
