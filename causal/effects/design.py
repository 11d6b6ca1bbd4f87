"""Turn the frame's columns into regression terms."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .columns import Column

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
FEW = 6  # most distinct values of a column that get an indicator each
ROWS_PER_TERM = 15  # in the smallest arm, for each term of a basis


def encode(frame: pd.DataFrame, adjustment: Sequence[Column]) -> pd.DataFrame:
    """Encode the adjustment set: categoricals one-hot, gaps as the column's mean plus an indicator "… missing".

    Conditioning on a column with gaps *is* conditioning on the pair (whether it is present, its value if so).
    Constant columns are dropped. Columns: "age", "sex is female", "mmse@0 missing". Rows and order are the frame's.
    """
    import pandas as pd

    found: dict[str, Array] = {}
    for column in adjustment:
        values = frame[column.name].to_numpy(dtype=np.float64)
        gap = np.isnan(values)
        if column.levels:
            for code, level in enumerate(column.levels[1:], 1):
                found[f"{column.name} is {level}"] = (values == code).astype(np.float64)
        elif not gap.all():
            found[column.name] = np.where(gap, values[~gap].mean(), values)
        found[f"{column.name} missing"] = gap.astype(np.float64)
    varying = {name: values for name, values in found.items() if np.ptp(values) > 0}
    return pd.DataFrame(varying, index=frame.index)


def basis(encoded: pd.DataFrame, arms: Sequence[Mask], *, products: bool = True) -> Array:
    """A design matrix (rows, terms), intercept first: the richest of three kinds that the smallest arm can support.

    Linear; with cubic splines of columns of many values (restricted to be linear in the tails: Harrell 2015,
    "Regression modeling strategies", section 2.4.5) and indicators for those of few; and with all products of two
    columns (not for propensities: the far tails of a product give weights of thousands). Columns are standardized;
    terms that are linear combinations of others, in all rows or in an arm, are dropped.
    """
    columns = [_standard(encoded[name].to_numpy()) for name in encoded]
    linear = list(columns)
    curved = [term for values in columns for term in _curve(values)]
    crossed = [a * b for a, b in combinations(columns, 2)] if products else []
    kinds = [[*linear, *curved, *crossed], [*linear, *curved], linear]
    most = min(int(arm.sum()) for arm in arms) // ROWS_PER_TERM
    terms = next((kind for kind in kinds if len(kind) < most), linear)
    design = np.column_stack([np.ones(len(encoded)), *terms])
    for rows in [np.ones(len(encoded), dtype=np.bool_), *arms]:
        design = np.ascontiguousarray(design[:, _independent(design[rows])])
    return design


def _standard(values: Array) -> Array:
    standard: Array = (values - values.mean()) / values.std()
    return standard


def _curve(values: Array) -> list[Array]:
    """The nonlinear terms of a column: indicators for few values, else those of a restricted cubic spline."""
    distinct = np.unique(values)
    if len(distinct) <= FEW:
        return [(values == value).astype(np.float64) for value in distinct[2:]]
    knots = np.unique(np.quantile(values, [0.05, 0.275, 0.5, 0.725, 0.95]))
    if len(knots) < 3:
        return [values**2]
    last, before = knots[-1], knots[-2]

    def cube(knot: float) -> Array:
        return np.maximum(values - knot, 0.0) ** 3

    scale = (last - knots[0]) ** 2
    return [
        (cube(knot) - cube(before) * (last - knot) / (last - before) + cube(last) * (before - knot) / (last - before))
        / scale
        for knot in knots[:-2]
    ]


def _independent(matrix: Array) -> Mask:
    """Which columns are not linear combinations of the columns to their left."""
    scaled = matrix / np.maximum(np.linalg.norm(matrix, axis=0), 1e-300)
    diagonal = np.zeros(matrix.shape[1])
    triangle = np.linalg.qr(scaled, mode="r")
    diagonal[: len(triangle)] = np.abs(np.diag(triangle))
    return diagonal > 1e-6
