"""Whether two samples of patients come from one distribution, with a false-alarm rate that holds at any size.

Patients of the two samples are compared in pairs, the first with the first. If both come from one distribution, each
difference is as likely as its negative, so that by Hoeffding (1963) the sum of the differences over the root of the sum
of their squares exceeds z in absolute value with probability at most 2 exp(-z^2 / 2), whatever the distribution. That
serves means, spreads, correlations and slopes alike, since what is estimated on the way (a mean, ranks, a regression)
is estimated on both samples together and so is the same when a pair is exchanged. The shape as a whole is compared by
Kolmogorov and Smirnov's test.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp, rankdata

Floats = NDArray[np.float64]
Columns = dict[str, Floats]  # name -> (patients,), NaN where there is no value
Relations = dict[str, tuple[Floats, Columns]]  # name -> an outcome and what it is regressed on


@dataclass(frozen=True)
class Comparison:
    what: str
    by: str
    p: float
    first: float
    second: float

    def __str__(self) -> str:
        return f"{self.what}, {self.by}: {self.first:.5g} against {self.second:.5g}, p = {self.p:.1e}"


def find_disagreements(comparisons: Sequence[Comparison], *, alarm: float) -> list[str]:
    """What differs, the worst first. `alarm`: the probability of any at all between two samples of one distribution
    (by Bonferroni's bound)."""
    worst = sorted((c for c in comparisons if c.p < alarm / len(comparisons)), key=lambda c: c.p)
    return [str(comparison) for comparison in worst]


def compare_columns(first: Columns, second: Columns) -> list[Comparison]:
    """Mean, spread and shape of each column (of a binary one, the mean says all). Raises ValueError where the two do
    not have the same columns, or nobody has a value."""
    if first.keys() != second.keys():
        raise ValueError(f"columns of one sample only: {sorted(first.keys() ^ second.keys())}")
    found = []
    for name in first:
        x, y = (column[~np.isnan(column)].astype(np.float64) for column in (first[name], second[name]))
        if min(len(x), len(y)) == 0:
            raise ValueError(f"nobody has a value of {name!r}")
        found.append(_compare_means(name, "mean", x, y))
        if not (_is_binary(x) and _is_binary(y)):
            found += _compare_shapes(name, x, y)
    return found


def compare_correlations(first: Columns, second: Columns, *, names: Sequence[str]) -> list[Comparison]:
    """The rank correlation of each pair of the columns in `names`, those without a value in the middle."""
    ranks = {name: _rank_together(first[name], second[name]) for name in names}
    found = []
    for one, other in combinations(names, 2):
        x, y = (a * b for a, b in zip(ranks[one], ranks[other], strict=True))
        found.append(_compare_means(f"{one} with {other}", "correlation", x, y))
    return found


def compare_relations(first: Relations, second: Relations) -> list[Comparison]:
    """The residuals of each outcome's linear regression, fitted to both samples together: their mean (the intercept),
    their products with each regressor (the slopes), their spread and their shape."""
    found = []
    for name in first:
        tables = [np.column_stack([outcome, *causes.values()]) for outcome, causes in (first[name], second[name])]
        tables = [table[~np.isnan(table).any(axis=1)].astype(np.float64) for table in tables]
        size = min(map(len, tables))
        both = np.concatenate([table[:size] for table in tables])
        causes = both[:, 1:] - both[:, 1:].mean(axis=0)
        causes /= np.maximum(causes.std(axis=0), 1e-12)
        design = np.column_stack([np.ones(2 * size), causes])
        residuals = both[:, 0] - design @ np.linalg.lstsq(design, both[:, 0], rcond=1e-9)[0]
        for label, regressor in zip(("intercept", *first[name][1]), design.T, strict=True):
            products = residuals * regressor
            found.append(_compare_means(f"{name} on {label}", "slope", products[:size], products[size:]))
        if not _is_binary(both[:, 0]):
            found += _compare_shapes(f"{name}, residual", residuals[:size], residuals[size:])
    return found


def select_strata(columns: Mapping[str, Floats], name: str, strata: Mapping[str, NDArray[np.bool_]]) -> Columns:
    """The column `name` within each stratum that has anybody: one column a stratum, no value outside it."""
    return {f"{name} | {label}": np.where(inside, columns[name], np.nan) for label, inside in strata.items()}


def _is_binary(x: Floats) -> bool:
    return bool(np.isin(x, (0, 1)).all())


def _compare_means(what: str, by: str, x: Floats, y: Floats) -> Comparison:
    size = min(len(x), len(y))
    differences = x[:size] - y[:size]
    scale = float(np.sqrt((differences**2).sum()))
    z = float(differences.sum()) / scale if scale else 0.0
    return Comparison(what, by, min(1.0, float(2 * np.exp(-(z**2) / 2))), float(x.mean()), float(y.mean()))


def _compare_shapes(what: str, x: Floats, y: Floats) -> list[Comparison]:
    size = min(len(x), len(y))
    middle = (x[:size].mean() + y[:size].mean()) / 2
    p = float(ks_2samp(x, y, method="asymp").pvalue)
    return [
        _compare_means(what, "spread", (x - middle) ** 2, (y - middle) ** 2),
        Comparison(what, "shape", p, float(np.median(x)), float(np.median(y))),
    ]


def _rank_together(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Ranks in both samples together, -1 to 1; 0 where there is no value. Cut to the pairs of patients."""
    size = min(len(first), len(second))
    both = np.concatenate([first[:size], second[:size]])
    present = ~np.isnan(both)
    ranks = np.zeros(2 * size)
    ranks[present] = 2 * (rankdata(both[present]) - 0.5) / present.sum() - 1
    return ranks[:size], ranks[size:]
