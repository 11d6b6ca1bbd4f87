"""The estimates of a point treatment from one sample, which share its design and its weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..model.model import Effect
from .columns import Column
from .design import Array, Mask, basis, encode
from .dowhy import Refutation, linear_regression, propensity_weighting, refute
from .estimate import (
    PROPENSITY_FLOOR,
    TOLERATED,
    Estimate,
    augmented_weighting,
    cross_fitted_propensity,
    design_effect,
    interacted_regression,
    repeat_rows,
)
from .sample import Sample, level_name

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Analysis:
    """Shared by the estimators: the encoded frame, the design matrix and the propensities of the two levels."""

    frame: pd.DataFrame  # the encoded adjustment set, then the treatment and the outcome
    adjustment: Sequence[Column]
    raw: pd.DataFrame
    cause: Column
    outcome: str
    contrast: tuple[float, float]
    design: Array
    propensities: tuple[Array, Array]
    weights: Array  # 0 for those whose outcome is not known

    @classmethod
    def prepare(cls, sample: Sample, adjustment: Sequence[Column], effect: Effect, weights: Array) -> Analysis:
        treatment, outcome, kept = sample.treatment, sample.outcome_column, sample.frame
        assert treatment is not None
        assert outcome is not None
        cause, contrast = sample.cause, effect.contrast
        if set(np.unique(cause)) == set(contrast):  # two groups: DoWhy's weighting needs 0 and 1
            cause, contrast = (cause == contrast[0]).astype(np.float64), (1.0, 0.0)
        encoded = encode(kept, adjustment)
        arms = [(cause == level) & (weights > 0) for level in contrast]
        design, plain = basis(encoded, arms), basis(encoded, arms, products=False)
        first = cross_fitted_propensity(cause, plain, contrast[0])
        binary = set(np.unique(cause)) == {0.0, 1.0}
        second = 1 - first if binary else cross_fitted_propensity(cause, plain, contrast[1])
        frame = encoded.copy()
        frame[treatment.name], frame[outcome.name] = cause, kept[outcome.name]
        return cls(frame, adjustment, kept, treatment, outcome.name, contrast, design, (first, second), weights)

    def only(self, rows: Mask) -> Analysis:
        """The same of some of the people, unweighted."""
        first, second = self.propensities
        return replace(
            self,
            frame=self.frame[rows],
            raw=self.raw[rows],
            design=self.design[rows],
            propensities=(first[rows], second[rows]),
            weights=np.ones(int(rows.sum())),
        )

    def find_gap(self, effect: Effect) -> str:
        """Who has a propensity under `PROPENSITY_FLOOR`, in words; empty if at most a share of `TOLERATED`."""
        for level, propensity in zip(effect.contrast, self.propensities, strict=True):
            rare = propensity < PROPENSITY_FLOOR
            if rare.mean() > TOLERATED:
                where = describe_region(self.raw, self.adjustment, rare)
                return (
                    f"not recoverable: positivity: {rare.mean():.0%} of the people have under {PROPENSITY_FLOOR:.1%} "
                    f"probability of {effect.treatment} = {level_name(self.cause, level)}{where}"
                )
        return ""

    def estimate(self) -> tuple[Estimate, ...]:
        cause, outcome = self._arrays()
        sample = self._weighted()
        widen = design_effect(self.weights) ** 0.5
        found = [linear_regression(sample, self.cause.name, self.outcome, self.contrast)[0]]
        if set(np.unique(cause)) == {0.0, 1.0} and len(sample.columns) > 2:
            found.append(propensity_weighting(sample, self.cause.name, self.outcome))
        found = [replace(estimate, standard_error=estimate.standard_error * widen) for estimate in found]
        found.append(interacted_regression(outcome, cause, self.design, self.contrast, self.weights))
        return (*found, self.estimate_augmented())

    def estimate_augmented(self) -> Estimate:
        cause, outcome = self._arrays()
        return augmented_weighting(outcome, cause, self.design, self.contrast, self.propensities, self.weights)

    def refute(self, seed: int) -> tuple[Refutation, ...]:
        return refute(self._weighted(), self.cause.name, self.outcome, self.contrast, seed=seed)

    def _arrays(self) -> tuple[Array, Array]:
        cause: Array = self.frame[self.cause.name].to_numpy(dtype=np.float64)
        outcome: Array = self.frame[self.outcome].to_numpy(dtype=np.float64)
        return cause, outcome

    def _weighted(self) -> pd.DataFrame:
        """The frame with each person as often as her weight asks for, since DoWhy's estimators take no weights."""
        if (self.weights == 1).all():
            return self.frame
        return self.frame.iloc[repeat_rows(self.weights)].reset_index(drop=True)


def describe_region(frame: pd.DataFrame, adjustment: Sequence[Column], rare: Mask) -> str:
    """The covariate and cut that best separate the flagged rows from the others, as ": above all where age > 80"."""
    best, words = 0.0, ""
    for column in adjustment:
        values = frame[column.name].to_numpy(dtype=np.float64)
        if column.levels:
            cuts = [(values == code, f'= "{level}"') for code, level in enumerate(column.levels)]
        else:
            points = np.unique(np.nanquantile(values, np.linspace(0.01, 0.99, 99)))
            cuts = [(values <= point, f"<= {point:.3g}") for point in points]
            cuts += [(values > point, f"> {point:.3g}") for point in points]
        for inside, text in cuts:
            score = float(inside[rare].mean() - inside[~rare].mean()) if not rare.all() else 0.0
            if score > best:
                best, words = score, f", above all where {column.name} {text}"
    return words
