"""An adjustment set on a causal graph, where who enters is always given: DoWhy finds it on the latent projection."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx

from .dowhy import quiet_dowhy
from .projection import project
from .selection import separate_worlds

MOST_CANDIDATES = 12  # DoWhy tries all subsets if none is valid: 4,096 take about a second


@dataclass(frozen=True)
class Adjustment:
    """`nodes`: the adjustment set, None if there is none. `confounded`: whether a back-door path is open without one.

    `cut`: the graph in which only back-door paths lead from the cause to the outcome; `offered`: the covariates that
    might have been an adjustment set; `always`: what is given in any case.
    """

    nodes: tuple[Any, ...] | None
    confounded: bool
    cut: nx.DiGraph[Any]
    offered: tuple[Any, ...]
    always: frozenset[Any]

    @property
    def given(self) -> frozenset[Any]:
        return self.always.union(self.offered if self.nodes is None else self.nodes)


def find_adjustment(
    graph: nx.DiGraph[Any],
    cause: Hashable,
    outcome: Hashable,
    covariates: Sequence[Hashable],
    *,
    selection: Hashable | None = None,
) -> Adjustment:
    """The covariates to adjust for among those who are selected (`selection`: a node without children). The covariates
    are not caused by the cause. The effect is E[Y(a) - Y(b)] given the selection in the natural world."""
    always = frozenset() if selection is None else frozenset({selection})
    whole = separate_worlds(graph, cause, selection)
    # the projection has the d-separations of the whole graph
    cut = project(whole, [cause, outcome, *always, *covariates])
    candidates = _choose_candidates(cut, covariates, cause, outcome, always)
    if not separates(cut, cause, outcome, always.union(candidates)):
        candidates = candidates[:MOST_CANDIDATES]  # if the whole set is invalid, so is every subset; DoWhy confirms it
    projection = project(whole, [cause, outcome, *always, *candidates])
    nodes = ask_dowhy(projection, cause, outcome, always=always)
    confounded = not separates(cut, cause, outcome, always)
    return Adjustment(nodes, confounded, whole, tuple(candidates), always)


def ask_dowhy(
    projection: nx.DiGraph[Any], cause: Hashable, outcome: Hashable, *, always: Iterable[Hashable] = ()
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
    graph.add_edge(text[cause], text[outcome])  # without a directed path DoWhy answers "zero" without a set
    observed = [text[node] for node, latent in projection.nodes(data="latent") if not latent]
    with quiet_dowhy() as dowhy:
        # only the names of the columns matter here
        model = dowhy.CausalModel(pd.DataFrame(columns=observed), text[cause], text[outcome], graph=graph)
        estimand = model.identify_effect(method_name="maximal-adjustment", proceed_when_unidentifiable=True)
    if estimand.estimands["backdoor"] is None:
        return None
    # "backdoor" itself is the smallest set, which is empty in a randomized trial; the largest is more precise
    largest = max((names for names in estimand.backdoor_variables.values()), key=len)
    found = {back[name] for name in largest}
    cut: nx.DiGraph[Any] = projection.copy()
    cut.remove_edges_from([(cause, other) for other in projection.successors(cause) if other not in set(always)])
    if not separates(cut, cause, outcome, found.union(always)):
        return None
    return tuple(node for node in projection if node in found and node not in set(always))


def separates(cut: nx.DiGraph[Any], cause: Hashable, outcome: Hashable, given: Iterable[Hashable]) -> bool:
    """Whether every path between the two is blocked."""
    return nx.is_d_separator(cut, {cause}, {outcome}, set(given) - {cause, outcome})


def _choose_candidates(
    cut: nx.DiGraph[Any], covariates: Sequence[Hashable], cause: Hashable, outcome: Hashable, fixed: frozenset[Hashable]
) -> list[Hashable]:
    """The covariates to offer to DoWhy.

    Ancestors of cause, outcome or selection: if any set of the covariates is valid, all of these together are (van der
    Zander, Liśkiewicz & Textor 2014, "Constructing separators and adjustment sets in ancestral graphs"). Others are
    added if the set stays valid: a baseline score does not cause a later one, but predicts it. A covariate that is
    independent of the outcome given the others and the cause only costs precision and is dropped.
    """
    ancestors = set().union(*(nx.ancestors(cut, node) for node in [cause, outcome, *fixed]))
    kept = [node for node in covariates if node in ancestors]
    if not separates(cut, cause, outcome, fixed.union(kept)):
        causes = nx.ancestors(cut, cause)
        return sorted(kept, key=lambda node: node not in causes)
    for node in covariates:
        given = fixed.union(kept)
        if node not in given and separates(cut, cause, outcome, given | {node}):
            kept.append(node)
    for node in list(kept):
        others = fixed.union(kept) - {node}
        if nx.is_d_separator(cut, {cause, node}, {outcome}, set(others)):
            kept.remove(node)
    return [node for node in covariates if node in kept]
