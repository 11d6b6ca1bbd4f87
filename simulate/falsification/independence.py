"""A test of conditional independence for quantities of any type: the generalised covariance measure.

Shah and Peters 2020, "The hardness of conditional independence testing and the generalised covariance measure" (Annals
of Statistics 48:1514): what is left of x and of y after regressions on z is uncorrelated. Where x or y has several
columns, the covariances are joined in one chi-squared statistic. It sees what moves a mean, and not what moves a spread
alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from ...causal.effects.design import FEW, Array, basis

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 50  # people of a test
LEFT = 1e-8  # the share of a variance under which nothing is left to test


def find_p_value(x: Array, y: Array, z: pd.DataFrame) -> float | None:
    """The p-value of x and y, each (people,) with levels as numbers, being independent given the columns of z (people,
    terms), encoded. None where nothing can be tested: too few people, or no variation left of one of them.

    x and y of few values are taken apart into indicators. The regressions are linear in splines and products of z's
    columns (`causal.effects.design.basis`), as far as there are people for that.
    """
    if len(x) < FEWEST:
        return None
    z = z.loc[:, [bool(np.ptp(z[name].to_numpy()) > 0) for name in z]]
    design = basis(z, [np.ones(len(x), dtype=np.bool_)])
    left, right = _residuals(x, design), _residuals(y, design)
    if not left.shape[1] or not right.shape[1]:
        return None
    products = (left[:, :, None] * right[:, None, :]).reshape(len(x), -1)
    mean = products.mean(axis=0)
    spread = np.atleast_2d(np.cov(products.T))
    rank = int(np.linalg.matrix_rank(spread))
    if rank == 0:
        return None
    statistic = len(x) * float(mean @ np.linalg.pinv(spread) @ mean)
    return float(stats.chi2.sf(statistic, rank))


def _residuals(values: Array, design: Array) -> Array:
    """What the design leaves of the values, or of their indicators; columns of which it leaves nothing are dropped."""
    distinct = np.unique(values)
    if len(distinct) <= FEW:
        columns = (values[:, None] == distinct[1:]).astype(np.float64)
    else:
        columns = values[:, None] - values.mean()
    fitted = design @ np.linalg.lstsq(design, columns, rcond=None)[0]
    rest: Array = columns - fitted
    kept = rest.var(axis=0) > LEFT * np.maximum(columns.var(axis=0), 1e-300)
    scaled: Array = rest[:, kept] / rest[:, kept].std(axis=0)
    return scaled
