"""Estimates of an average contrast E[Y(a)] - E[Y(b)] over all rows of the frame, with intervals."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from .design import Array, Mask

PROPENSITY_FLOOR = 0.005  # a probability of treatment below this counts as zero
TOLERATED = 0.01  # most people, as a share, below the floor for an effect to be recoverable
FOLDS = 5
ROUNDING = 1e-9  # of an interval without width, where the covariates determine the outcome
FEWEST = 20  # fewest rows with each level


@dataclass(frozen=True)
class Estimate:
    """An estimate with its standard error. `interval` is the individual 95% one."""

    method: str
    estimate: float
    standard_error: float

    @property
    def interval(self) -> tuple[float, float]:
        return self.interval_at(0.95)

    def interval_at(self, level: float) -> tuple[float, float]:
        """The normal interval at `level`, for example 0.95."""
        reach = self.reach(level=level)
        return self.estimate - reach, self.estimate + reach

    def reach(self, *, level: float = 0.95, truth_error: float = 0.0) -> float:
        """Half the width of the normal interval at `level`, for a truth that is itself known up to `truth_error`."""
        return float(norm.isf((1 - level) / 2)) * float(np.hypot(self.standard_error, truth_error))

    def covers(self, truth: float, *, level: float = 0.95, truth_error: float = 0.0) -> bool:
        """Whether the interval covers `truth`, which is itself known up to `truth_error` (a standard error)."""
        return abs(self.estimate - truth) <= self.reach(level=level, truth_error=truth_error) + ROUNDING


def naive_difference(outcome: Array, treatment: Array, contrast: tuple[float, float]) -> Estimate:
    """The unadjusted difference of the two groups' means, with Welch's standard error."""
    groups = [outcome[treatment == level] for level in contrast]
    error = np.sqrt(sum(group.var(ddof=1) / len(group) for group in groups))
    return Estimate("difference of means", float(groups[0].mean() - groups[1].mean()), float(error))


def interacted_regression(
    outcome: Array, treatment: Array, design: Array, contrast: tuple[float, float], weights: Array | None = None
) -> Estimate:
    """Regression with all treatment-by-covariate terms (Lin 2013, Annals of Applied Statistics 7:295), which is one
    regression per arm, averaged over everybody's covariates. `design`: (rows, terms), intercept first. `weights` of 0:
    people whose outcome is not known, whose covariates count all the same.

    The standard error is robust (residuals weighted as in HC3), and accounts for sampling of the covariates. It takes
    the weights as known, which is conservative: estimated ones vary less (Robins, Rotnitzky & Zhao 1995, JASA 90:106).
    """
    weights = np.ones(len(outcome)) if weights is None else weights
    arms = [_arm_regression(outcome, np.where(treatment == level, weights, 0.0), design) for level in contrast]
    estimate = arms[0][0].mean() - arms[1][0].mean()
    influence = arms[0][0] + arms[0][1] - arms[1][0] - arms[1][1]
    return Estimate("regression with treatment-by-covariate terms", float(estimate), error_of_mean(influence))


def augmented_weighting(
    outcome: Array,
    treatment: Array,
    design: Array,
    contrast: tuple[float, float],
    propensities: tuple[Array, Array],
    weights: Array | None = None,
) -> Estimate:
    """Augmented inverse probability weighting (Robins, Rotnitzky & Zhao 1994), cross-fitted, its interval from the
    influence function (Chernozhukov et al. 2018). `propensities`: those of `cross_fitted_propensity` for each level.

    The outcome is modelled in each arm and predicted for everybody, so the average is over all who enter, even if the
    cause has more than two levels. `weights` are as in `interacted_regression`.
    """
    weights = np.ones(len(outcome)) if weights is None else weights
    pseudo = []
    for level, propensity in zip(contrast, propensities, strict=True):
        has = (treatment == level) & (weights > 0)
        predicted = np.empty(len(outcome))
        for fold in make_folds(len(outcome)):
            root = np.sqrt(weights[~fold & has])
            others = root[:, None] * design[~fold & has], root * outcome[~fold & has]
            predicted[fold] = design[fold] @ np.linalg.lstsq(*others, rcond=None)[0]
        pseudo.append(predicted + np.where(has, weights / propensity * (outcome - predicted), 0.0))
    difference = pseudo[0] - pseudo[1]
    return Estimate("augmented inverse probability weighting", float(difference.mean()), error_of_mean(difference))


def cross_fitted_propensity(treatment: Array, design: Array, level: float) -> Array:
    """P(treatment = level | covariates) for everybody, predicted from the other folds (rows modulo 5).

    Logistic regression with a unit ridge on the design's standardized terms (not the intercept), which matters only
    if the groups are almost separable.
    """
    state = random.getstate()  # scikit-learn's first import draws from Python's generator: restore it
    from sklearn.linear_model import LogisticRegression

    random.setstate(state)

    has, terms = treatment == level, design[:, 1:]
    predicted = np.empty(len(treatment))
    for fold in make_folds(len(treatment)):
        if terms.shape[1]:
            model = LogisticRegression(C=1.0, solver="newton-cholesky", max_iter=200)
            predicted[fold] = model.fit(terms[~fold], has[~fold]).predict_proba(terms[fold])[:, 1]
        else:
            predicted[fold] = has[~fold].mean()
    return np.clip(predicted, 1e-9, 1.0)


def weighting_error(outcome: Array, treated: Array, design: Array, propensity: Array) -> float:
    """The standard error of the self-normalized weighting estimate with an estimated logistic propensity: the
    influence function less its projection on the propensity's scores (Lunceford & Davidian 2004)."""
    weights = (treated / propensity, (1 - treated) / (1 - propensity))
    means = [np.sum(weight * outcome) / np.sum(weight) for weight in weights]
    influence = weights[0] * (outcome - means[0]) - weights[1] * (outcome - means[1])
    scores = design * (treated - propensity)[:, None]
    rest = influence - scores @ np.linalg.lstsq(scores, influence, rcond=None)[0]
    return float(rest.std(ddof=design.shape[1]) / np.sqrt(len(rest)))


def repeat_rows(weights: Array) -> NDArray[np.intp]:
    """As many row numbers as there are weights above 0, each as often as its weight asks for (systematic sampling):
    a sample in which each row counts once."""
    kept = int((weights > 0).sum())
    marks = np.floor(np.cumsum(weights) / weights.sum() * kept + 0.5).astype(np.int64)
    return np.repeat(np.arange(len(weights)), np.diff(marks, prepend=0))


def design_effect(weights: Array) -> float:
    """How much larger unequal weights make a variance (Kish 1965, "Survey sampling"): at least 1."""
    held = weights[weights > 0]
    return float(len(held) * np.sum(held**2) / np.sum(held) ** 2)


def error_of_mean(values: Array) -> float:
    """The standard error of a mean of independent values."""
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def _arm_regression(outcome: Array, weights: Array, design: Array) -> tuple[Array, Array]:
    """Everybody's predicted outcome under one level, and each row's influence on its mean through the coefficients.
    `weights`: 0 for those without the level, and without an outcome."""
    has = weights > 0
    root = np.sqrt(weights[has])
    orthogonal, triangle = np.linalg.qr(root[:, None] * design[has])
    coefficients = np.linalg.solve(triangle, orthogonal.T @ (root * outcome[has]))
    leverage = np.minimum(np.sum(orthogonal**2, axis=1), 0.999)
    residuals = root * (outcome[has] - design[has] @ coefficients) / (1 - leverage)
    influence = np.zeros(len(outcome))
    influence[has] = len(outcome) * (orthogonal @ np.linalg.solve(triangle.T, design.mean(axis=0))) * residuals
    return design @ coefficients, influence


def make_folds(rows: int) -> list[Mask]:
    """The rows of each fold: by their number, modulo 5."""
    number = np.arange(rows) % FOLDS
    return [number == fold for fold in range(FOLDS)]
