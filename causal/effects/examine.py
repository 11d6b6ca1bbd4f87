"""Examine one effect: is it identifiable, and do the estimates from the record cover the truth?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..model.model import Effect, Model
from .columns import Column, columns
from .design import Array, Mask, basis, encode
from .dowhy import Refutation, linear_regression, propensity_weighting, refute
from .estimate import (
    FEWEST,
    PROPENSITY_FLOOR,
    TOLERATED,
    Estimate,
    augmented_weighting,
    cross_fitted_propensity,
    interacted_regression,
    naive_difference,
)
from .front_door import FRONT_DOOR
from .g_formula import G_FORMULA, History, g_formula
from .identify import Identification, identify_effect
from .regimes import find_decisions, find_limit, identify_regime, is_regime
from .without_adjustment import estimate_without_adjustment

if TYPE_CHECKING:
    import pandas as pd

FAMILY_WISE_ERROR = 0.001
DECIDING = ("regression with treatment-by-covariate terms", "augmented inverse probability weighting")


@dataclass(frozen=True)
class Examination:
    """The results of DoWhy and our estimates for an effect, and the truth from the worlds (None if not given).

    `recovered`: whether both deciding estimates (`DECIDING`: those that are consistent for an average contrast when
    effects vary; for a regime, that of the g-formula) cover the truth at the table's level (`pass_level`); None if
    there are no estimates or no truth. `naive_misses`: whether the unadjusted difference (by the treatment at the
    decision) excludes the truth at the same level; None if the graph shows no confounding. `reason`: why there is no
    estimate, or the caveats of a regime's estimate.
    `identified_by`: the way (`Identification`), empty if there is none; `mediators`: the columns of a front door;
    `hedge`: those that prove that the effect is not identifiable.
    `rows`: people in the analysis; `left_out`: the share without a treatment or an outcome.
    """

    effect: str
    truth: float | None
    naive: Estimate | None
    estimates: tuple[Estimate, ...]
    refutations: tuple[Refutation, ...]
    identifiable: bool
    confounded: bool
    recovered: bool | None
    naive_misses: bool | None
    reason: str
    adjustment: tuple[str, ...]
    rows: int
    left_out: float
    truth_error: float = 0.0
    identified_by: str = ""
    mediators: tuple[str, ...] = ()
    hedge: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The row of `verify --json`; intervals are the individual 95% ones."""
        naive = self.naive
        return {
            "effect": self.effect,
            "truth": self.truth,
            "naive": None if naive is None else {"estimate": naive.estimate, "interval": list(naive.interval)},
            "estimates": [
                {
                    "method": estimate.method,
                    "estimate": estimate.estimate,
                    "interval": list(estimate.interval),
                    "covers": self.covers(estimate),
                }
                for estimate in self.estimates
            ],
            "refutations": [
                {"name": refutation.name, "value": refutation.value, "passed": refutation.passed}
                for refutation in self.refutations
            ],
            "identifiable": self.identifiable,
            "identified_by": self.identified_by,
            "mediators": list(self.mediators),
            "hedge": list(self.hedge),
            "recovered": self.recovered,
            "naive_misses": self.naive_misses,
            "reason": self.reason,
            "confounded": self.confounded,
            "adjustment": list(self.adjustment),
            "rows": self.rows,
            "left_out": self.left_out,
            "truth_error": self.truth_error,
        }

    def covers(self, estimate: Estimate) -> bool | None:
        """Whether the estimate's 95% interval covers the truth (None without a truth)."""
        return None if self.truth is None else estimate.covers(self.truth, truth_error=self.truth_error)


def pass_level(number_of_effects: int) -> float:
    """The level of the deciding intervals: family-wise error 0.001 over the table's effects and the two deciding
    estimates of each (Bonferroni)."""
    return 1 - FAMILY_WISE_ERROR / (len(DECIDING) * number_of_effects)


def identify(model: Model, effect: Effect) -> Identification:
    """Whether and how the effect can be recovered, of a regime or of a point treatment."""
    return identify_regime(model, effect) if is_regime(model, effect) else identify_effect(model, effect)


def examine(
    model: Model,
    effect: Effect,
    frame: pd.DataFrame,
    *,
    identification: Identification | None = None,
    history: pd.DataFrame | None = None,
    truth: float | None,
    truth_error: float = 0.0,
    seed: int = 0,
    number_of_effects: int = 1,
) -> Examination:
    """Examine one effect on a frame with the columns of `columns(model, effect)`, one row per person.

    `identification`: that of the effect, if it is known already (`identify`); the frame also has the columns of its
    mediators, without which there is no estimate by the front door.
    `truth_error` is the standard error of `truth`, `number_of_effects`: of the table. Rows without a treatment or
    an outcome are dropped and counted. If the graph has no adjustment set, or more than 1% of the people have a
    probability under 0.5% of a level of the contrast, `reason` says so and nothing is estimated: weights are never
    trimmed. A regime (`is_regime`) needs the `history` of the same patients, from `build_history`. Raises ValueError
    for missing columns, or for people missing from the history.
    """
    regime = is_regime(model, effect)
    identification = identification or identify(model, effect)
    offered = columns(model, effect)
    if lacking := [column.name for column in offered if column.name not in frame]:
        raise ValueError(f"the frame lacks the columns {', '.join(lacking)}")
    roles: dict[str, Column] = {column.role: column for column in offered}
    names = [roles[role].name for role in ("treatment", "outcome") if role in roles]
    present = frame.dropna(subset=names)
    kept = present.reset_index(drop=True)
    naive = _naive(kept, roles, effect) if len(names) == 2 else None
    level = pass_level(number_of_effects)
    misses: bool | None = None
    if identification.confounded and naive is not None and truth is not None:
        misses = not naive.covers(truth, level=level, truth_error=truth_error)

    estimates: tuple[Estimate, ...] = ()
    refutations: tuple[Refutation, ...] = ()
    recovered: bool | None = None
    reason = identification.reason
    if identification.identifiable:
        adjustment = [column for column in offered if column.role == "covariate"]
        if not regime:
            adjustment = [column for column in adjustment if column.name in identification.adjustment]
        reason = _without_history(model, effect, history) if regime else ""
        reason = reason or _too_few(kept, roles["treatment"], effect)
        if not reason and identification.identified_by not in ("front door", "functional"):
            analysis = _Analysis.prepare(kept, roles["treatment"], roles["outcome"], adjustment, effect)
            reason = analysis.find_gap(effect)
        if not reason and identification.identified_by in ("front door", "functional"):
            estimates, reason = estimate_without_adjustment(
                kept,
                identification,
                treatment=roles["treatment"],
                outcome=roles["outcome"],
                covariates=adjustment,
                contrast=effect.contrast,
            )
        elif not reason and history is not None and regime:
            estimates, reason = _examine_regime(model, effect, present, history, roles["outcome"].name)
        elif not reason:
            estimates, refutations = analysis.estimate(), analysis.refute(seed)
    if estimates and truth is not None:
        deciding = [estimate for estimate in estimates if estimate.method in (*DECIDING, G_FORMULA, FRONT_DOOR)]
        recovered = all(estimate.covers(truth, level=level, truth_error=truth_error) for estimate in deciding)
    return Examination(
        effect=effect.text or f"{effect.treatment} -> {effect.outcome} @ step {effect.at}",
        truth=truth,
        truth_error=truth_error,
        naive=naive,
        estimates=estimates,
        refutations=refutations,
        identifiable=identification.identifiable,
        confounded=identification.confounded,
        recovered=recovered,
        naive_misses=misses,
        reason=reason,
        adjustment=identification.adjustment,
        identified_by=identification.identified_by,
        mediators=tuple(column.name for column in identification.mediators),
        hedge=identification.hedge,
        rows=len(kept),
        left_out=1 - len(kept) / len(frame) if len(frame) else 0.0,
    )


@dataclass(frozen=True)
class _Analysis:
    """Shared by the estimators: the encoded frame, the design matrix and the propensities of the two levels."""

    frame: pd.DataFrame  # the encoded adjustment set, then the treatment and the outcome
    adjustment: Sequence[Column]
    raw: pd.DataFrame
    cause: Column
    outcome: str
    contrast: tuple[float, float]
    design: Array
    propensities: tuple[Array, Array]

    @classmethod
    def prepare(
        cls, kept: pd.DataFrame, treatment: Column, outcome: Column, adjustment: Sequence[Column], effect: Effect
    ) -> _Analysis:
        cause = kept[treatment.name].to_numpy(dtype=np.float64)
        contrast = effect.contrast
        if set(np.unique(cause)) == set(contrast):  # two groups: DoWhy's weighting needs 0 and 1
            cause, contrast = (cause == contrast[0]).astype(np.float64), (1.0, 0.0)
        encoded = encode(kept, adjustment)
        arms = [cause == level for level in contrast]
        design, plain = basis(encoded, arms), basis(encoded, arms, products=False)
        first = cross_fitted_propensity(cause, plain, contrast[0])
        binary = set(np.unique(cause)) == {0.0, 1.0}
        second = 1 - first if binary else cross_fitted_propensity(cause, plain, contrast[1])
        frame = encoded.copy()
        frame[treatment.name], frame[outcome.name] = cause, kept[outcome.name]
        return cls(frame, adjustment, kept, treatment, outcome.name, contrast, design, (first, second))

    def find_gap(self, effect: Effect) -> str:
        """Who has a propensity under `PROPENSITY_FLOOR`, in words; empty if at most a share of `TOLERATED`."""
        for level, propensity in zip(effect.contrast, self.propensities, strict=True):
            rare = propensity < PROPENSITY_FLOOR
            if rare.mean() > TOLERATED:
                where = describe_region(self.raw, self.adjustment, rare)
                return (
                    f"not recoverable: positivity: {rare.mean():.0%} of the people have under {PROPENSITY_FLOOR:.1%} "
                    f"probability of {effect.treatment} = {_level_name(self.cause, level)}{where}"
                )
        return ""

    def estimate(self) -> tuple[Estimate, ...]:
        cause = self.frame[self.cause.name].to_numpy(dtype=np.float64)
        outcome = self.frame[self.outcome].to_numpy(dtype=np.float64)
        found = [linear_regression(self.frame, self.cause.name, self.outcome, self.contrast)[0]]
        if set(np.unique(cause)) == {0.0, 1.0} and len(self.frame.columns) > 2:
            found.append(propensity_weighting(self.frame, self.cause.name, self.outcome))
        found.append(interacted_regression(outcome, cause, self.design, self.contrast))
        found.append(augmented_weighting(outcome, cause, self.design, self.contrast, self.propensities))
        return tuple(found)

    def refute(self, seed: int) -> tuple[Refutation, ...]:
        return refute(self.frame, self.cause.name, self.outcome, self.contrast, seed=seed)


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


def _level_name(column: Column, level: float) -> str:
    return f'"{column.levels[int(level)]}"' if column.levels else f"{level:g}"


def _naive(kept: pd.DataFrame, roles: dict[str, Column], effect: Effect) -> Estimate | None:
    cause = kept[roles["treatment"].name].to_numpy(dtype=np.float64)
    if any((cause == level).sum() < 2 for level in effect.contrast):
        return None
    return naive_difference(kept[roles["outcome"].name].to_numpy(dtype=np.float64), cause, effect.contrast)


def _too_few(kept: pd.DataFrame, treatment: Column, effect: Effect) -> str:
    cause = kept[treatment.name].to_numpy(dtype=np.float64)
    for level in effect.contrast:
        count = int((cause == level).sum())
        if count < FEWEST:
            what = f"{effect.treatment} = {_level_name(treatment, level)}"
            return f"not recoverable: positivity: {count} people of {len(cause)} have {what}"
    return ""


def _without_history(model: Model, effect: Effect, history: pd.DataFrame | None) -> str:
    """Why a regime has no estimate, as far as is known without the data."""
    if limit := find_limit(model, effect):
        return limit
    if history is None:
        return f"a regime: {effect.treatment} changes after the decision by its own rule, so the history is needed"
    return ""


def _examine_regime(
    model: Model, effect: Effect, present: pd.DataFrame, history: pd.DataFrame, outcome: str
) -> tuple[tuple[Estimate, ...], str]:
    people = History.align(history, present, steps=effect.at + 1)
    values: Array = people.statics[outcome].to_numpy(dtype=np.float64)
    found, notes = g_formula(model, effect, find_decisions(model, effect), people, values)
    return (() if found is None else (found,)), notes
