"""The front door: the cause acts through recorded mediators, which nothing hidden confounds.

Pearl 1995, "Causal diagrams for empirical research"; with covariates: Fulcher, Shpitser, Marealle & Tchetgen Tchetgen
2020, "Robust inference on population indirect causal effects: the generalized front door criterion", JRSS B 82:199.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from .design import Array, Mask
from .estimate import FEWEST, PROPENSITY_FLOOR, TOLERATED, Estimate, error_of_mean, make_folds

FRONT_DOOR = "front door, weighted and modelled"
MOST_VALUES = 12  # of the cause, and of the mediators together


@dataclass(frozen=True)
class FrontDoor:
    """The effect is identified by these mediators, given these covariates."""

    mediators: tuple[Hashable, ...]
    covariates: tuple[Hashable, ...]


def find_front_door(
    graph: nx.DiGraph[Any],
    cause: Hashable,
    outcome: Hashable,
    *,
    recorded: Sequence[Hashable],
    covariates: Sequence[Hashable],
) -> FrontDoor | None:
    """The fewest mediators that meet the front-door criterion, first without covariates, then with all; None without.

    The mediators intercept every directed path; given the covariates, no back-door path leads from the cause to them,
    and given the cause too, none from them to the outcome. `recorded`: candidates; `covariates`: not caused by the
    cause, and all ancestors of the outcome or of a mediator among them.
    """
    between = nx.descendants(graph, cause) & nx.ancestors(graph, outcome) if cause in graph else set()
    on_path = [node for node in recorded if node in between]
    for mediators in _choices(graph, cause, outcome, on_path):
        rest = graph.subgraph([node for node in graph if node not in mediators])
        if nx.has_path(rest, cause, outcome):
            continue
        for given in [()] if not covariates else [(), tuple(covariates)]:
            if _is_front_door(graph, cause, outcome, set(mediators), set(given)):
                return FrontDoor(mediators, given)
    return None


def _choices(
    graph: nx.DiGraph[Any], cause: Hashable, outcome: Hashable, on_path: list[Hashable]
) -> Iterator[tuple[Hashable, ...]]:
    """Each node alone, those next to the cause, those next to the outcome, all: in the sense of nothing recorded in
    between."""
    yield from ((node,) for node in on_path)
    for start, arrows in ((cause, graph), (outcome, graph.reverse(copy=False))):
        blocked = arrows.subgraph([node for node in graph if node not in on_path])
        near = {start, *nx.descendants(blocked, start)}
        yield tuple(node for node in on_path if near & set(arrows.predecessors(node)))
    yield tuple(on_path)


def _is_front_door(
    graph: nx.DiGraph[Any], cause: Hashable, outcome: Hashable, mediators: set[Hashable], given: set[Hashable]
) -> bool:
    first, second = graph.copy(), graph.copy()
    first.remove_edges_from(list(graph.out_edges(cause)))
    second.remove_edges_from(list(graph.out_edges(mediators)))
    return bool(mediators) and bool(
        nx.is_d_separator(first, {cause}, mediators, given)
        and nx.is_d_separator(second, mediators, {outcome}, given | {cause})
    )


def estimate_front_door(
    outcome: Array, cause: Array, cells: Array, design: Array, contrast: tuple[float, float]
) -> tuple[Estimate | None, str]:
    """E[Y(a)] - E[Y(b)] by the front door; or None, and why.

    `cells`: the number of the mediators' joint value; `design`: (rows, terms) of the covariates, intercept first. The
    outcome is modelled for each value of cause and mediators. The estimate is the mean of the efficient influence
    function of Fulcher et al. (2020, theorem 1), cross-fitted, and the interval comes from that function. Without
    covariates nothing is assumed of any functional form.
    """
    levels, values = np.unique(cause), np.unique(cells)
    own, cell, rows = np.searchsorted(levels, cause), np.searchsorted(values, cells), np.arange(len(outcome))
    shares = _predict_probabilities(own, design, np.ones(len(own), dtype=np.bool_))  # (cause, rows)
    chances = np.stack([_predict_probabilities(cell, design, own == level) for level in range(len(levels))])
    rare = np.minimum(shares.min(0), chances.min((0, 1))) < PROPENSITY_FLOOR
    if rare.mean() > TOLERATED:
        least = f"under {PROPENSITY_FLOOR:.1%} probability of a value of the cause or the mediator"
        return None, f"not recoverable: positivity: {rare.mean():.0%} of the people have {least}"
    expected = np.stack(
        [
            [_predict_outcome(outcome, design, (own == level) & (cell == value)) for value in range(len(values))]
            for level in range(len(levels))
        ]
    )  # (cause, mediator, rows)
    averaged = np.einsum("xn,xmn->mn", shares, expected)
    residual = outcome - expected[own, cell, rows]
    parts = []
    for level in np.searchsorted(levels, contrast):
        weight = chances[level, cell, rows] / chances[own, cell, rows]
        plain = np.einsum("mn,mn->n", chances[level], averaged)
        through = np.einsum("mn,mn->n", chances[level], expected[own, :, rows].T)
        arm = (own == level) / shares[level]
        parts.append(weight * residual + arm * (averaged[cell, rows] - plain) + through)
    difference = parts[0] - parts[1]
    return Estimate(FRONT_DOOR, float(difference.mean()), error_of_mean(difference)), ""


def find_gap(cause: Array, cells: Array, contrast: tuple[float, float]) -> str:
    """Why there are too few people for an estimate, or too many values; else empty."""
    levels, values = np.unique(cause), np.unique(cells)
    if max(len(levels), len(values)) > MOST_VALUES:
        return f"no estimator here for a cause, or mediators, of more than {MOST_VALUES} values"
    if not set(contrast) <= set(levels):
        return "not recoverable: positivity: nobody has a level of the contrast"
    fewest = min(int(((cause == level) & (cells == value)).sum()) for level in levels for value in values)
    if fewest < FEWEST:
        return f"not recoverable: positivity: {fewest} people have one of the pairs of values of cause and mediator"
    return ""


def _predict_probabilities(labels: NDArray[np.intp], design: Array, among: Mask) -> Array:
    """P(label | covariates, `among`) for everybody, (labels, rows), predicted from the other folds."""
    state = random.getstate()  # scikit-learn's first import draws from Python's generator: restore it
    from sklearn.linear_model import LogisticRegression

    random.setstate(state)

    count, terms = int(labels.max()) + 1, design[:, 1:]
    found = np.empty((count, len(labels)))
    for fold in make_folds(len(labels)):
        rows = ~fold & among
        if terms.shape[1]:
            model = LogisticRegression(C=1.0, max_iter=500).fit(terms[rows], labels[rows])
            found[:, fold] = model.predict_proba(terms[fold]).T
        else:
            found[:, fold] = (np.bincount(labels[rows], minlength=count) / rows.sum())[:, None]
    return np.clip(found, 1e-9, 1.0)


def _predict_outcome(outcome: Array, design: Array, among: Mask) -> Array:
    predicted = np.empty(len(outcome))
    for fold in make_folds(len(outcome)):
        rows = ~fold & among
        predicted[fold] = design[fold] @ np.linalg.lstsq(design[rows], outcome[rows], rcond=None)[0]
    return predicted
