"""Examine one effect: is it identifiable, and do the estimates from the record cover the truth?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..model.model import Effect, Model
from ..model.strategies import describe_strategies
from .analysis import Analysis
from .columns import Column, columns
from .design import Array
from .dowhy import Refutation
from .estimate import (
    Estimate,
)
from .follow_up import FollowUp
from .front_door import FRONT_DOOR
from .g_formula import G_FORMULA, g_formula
from .identify import Identification, identify_effect
from .losses import Loss, find_losses
from .regimes import find_decisions, find_limit, identify_regime, is_regime
from .sample import Sample
from .weights import weigh
from .without_adjustment import estimate_without_adjustment

if TYPE_CHECKING:
    import pandas as pd

FAMILY_WISE_ERROR = 0.001
RISK_MARGIN = 0.02
STANDARD_MARGIN = 0.1  # standard deviations of the outcome
DECIDING = ("regression with treatment-by-covariate terms", "augmented inverse probability weighting")


@dataclass(frozen=True)
class Examination:
    """The results of DoWhy and our estimates for an effect, and the truth from the worlds (None if not given).

    `recovered`: whether both deciding estimates (`DECIDING`: those that are consistent for an average contrast when
    effects vary; for a regime, that of the g-formula) cover the truth at the table's level (`pass_level`); None if
    there are no estimates or no truth, or if the intervals are too wide to tell (`find_margin`). `naive_misses`:
    whether the unadjusted difference (by the treatment at the decision) excludes the truth at the same level; None
    if the graph shows no confounding. `reason`: why there is no estimate or no verdict, or the caveats of a
    regime's estimate. `strategies`: those of the effect, in a line. `compared_with`: what `truth` is called, since
    a contrast of last recorded values is no truth of an effect. `complete_cases`: the estimate among those whose
    outcome is known, without weights, which ignores the losses; None if nobody is lost. `losses`: how outcomes are
    lost, and by what. `identified_by`: the way (`Identification`), empty if there is none; `mediators`: the columns
    of a front door; `hedge`: those that prove that the effect is not identifiable. `rows`: people whose outcome is
    known; `left_out`: the share without a treatment or an outcome.
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
    strategies: str = ""
    compared_with: str = "truth"
    complete_cases: Estimate | None = None
    losses: tuple[str, ...] = ()
    identified_by: str = ""
    mediators: tuple[str, ...] = ()
    hedge: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The row of `verify --json`; intervals are the individual 95% ones."""
        return {
            "effect": self.effect,
            "truth": self.truth,
            "naive": _as_json(self.naive),
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
            "recovered": self.recovered,
            "naive_misses": self.naive_misses,
            "reason": self.reason,
            "confounded": self.confounded,
            "adjustment": list(self.adjustment),
            "identified_by": self.identified_by,
            "mediators": list(self.mediators),
            "hedge": list(self.hedge),
            "losses": list(self.losses),
            "rows": self.rows,
            "left_out": self.left_out,
            "truth_error": self.truth_error,
            "strategies": self.strategies,
            "compared_with": self.compared_with,
            "complete_cases": _as_json(self.complete_cases),
        }

    def covers(self, estimate: Estimate) -> bool | None:
        """Whether the estimate's 95% interval covers the truth (None without a truth)."""
        return None if self.truth is None else estimate.covers(self.truth, truth_error=self.truth_error)


def _as_json(estimate: Estimate | None) -> dict[str, Any] | None:
    return None if estimate is None else {"estimate": estimate.estimate, "interval": list(estimate.interval)}


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
    follow_up: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
    truth: float | None,
    truth_error: float = 0.0,
    seed: int = 0,
    number_of_effects: int = 1,
) -> Examination:
    """Examine one effect on a frame with the columns of `columns(model, effect)`, one row per person.

    `identification`: that of the effect, if it is known already (`identify`); the frame also has the columns of its
    mediators, without which there is no estimate by the front door. `follow_up` (from `build_follow_up`) says whose
    outcome the record tells, `history` (from `build_history`) what it held over time; both are of the same people.
    Without `follow_up` the frame's outcome is taken as it is, and rows without one are dropped. `truth_error` is the
    standard error of `truth`, `number_of_effects`: of the table. Rows without a treatment are dropped and counted. If
    the graph has no adjustment set, if outcomes are lost by what is not recorded, or if more than 1% of the people have
    a probability under 0.5% of a level of the contrast, `reason` says so and nothing is estimated: weights are never
    trimmed. Raises ValueError for missing columns or people.
    """
    identification = identification or identify(model, effect)
    offered = columns(model, effect)
    if lacking := [column.name for column in offered if column.name not in frame]:
        raise ValueError(f"the frame lacks the columns {', '.join(lacking)}")
    sample = Sample.prepare(frame, offered, follow_up, history, steps=effect.at + 1)
    regime = is_regime(model, effect)
    losses: tuple[Loss, ...] = ()
    if identification.identifiable or effect.death == "survivors":
        nodes = [column.node for column in offered if column.name in identification.adjustment]
        losses, reason = find_losses(model, effect, nodes)
        if reason:
            identification = replace(identification, identifiable=False, reason=reason)
    level = pass_level(number_of_effects)
    naive = sample.compare(effect)
    misses: bool | None = None
    if identification.confounded and naive is not None and truth is not None:
        misses = not naive.covers(truth, level=level, truth_error=truth_error)

    found = _Found()
    if identification.identifiable:
        adjustment = [column for column in offered if column.role == "covariate"]
        if not regime:
            adjustment = [column for column in adjustment if column.name in identification.adjustment]
        found = _estimate(model, effect, sample, adjustment, losses, identification, seed=seed)
    reason = found.reason or identification.reason
    recovered: bool | None = None
    if found.estimates and truth is not None:
        deciding = [estimate for estimate in found.estimates if estimate.method in (*DECIDING, G_FORMULA, FRONT_DOOR)]
        recovered = all(estimate.covers(truth, level=level, truth_error=truth_error) for estimate in deciding)
        margin = find_margin(model, effect, sample.outcome)
        if recovered and (wide := _too_wide(deciding, truth, margin, level=level, truth_error=truth_error)):
            recovered, reason = None, f"{wide}; {reason}" if reason else wide
    return Examination(
        effect=effect.text or f"{effect.treatment} -> {effect.outcome} @ step {effect.at}",
        strategies=describe_strategies(effect, model),
        compared_with="last recorded" if "last recorded" in (effect.leaving, effect.missed) else "truth",
        truth=truth,
        truth_error=truth_error,
        naive=naive,
        complete_cases=found.complete_cases,
        estimates=found.estimates,
        refutations=found.refutations,
        identifiable=identification.identifiable,
        confounded=identification.confounded,
        recovered=recovered,
        naive_misses=misses,
        reason=reason,
        adjustment=identification.adjustment,
        identified_by=identification.identified_by,
        mediators=tuple(column.name for column in identification.mediators),
        hedge=identification.hedge,
        losses=tuple(loss.text for loss in losses),
        rows=int(sample.known.sum()),
        left_out=1 - float(sample.known.sum()) / len(frame) if len(frame) else 0.0,
    )


def find_margin(model: Model, effect: Effect, outcome: Array) -> float:
    """The size under which a truth counts as none: two points of risk, 0.1 standard deviations of another outcome."""
    variable = model.variables[effect.outcome]
    if variable.kind == "event" and variable.occurs == "once":
        return RISK_MARGIN
    known = outcome[~np.isnan(outcome)]
    return STANDARD_MARGIN * float(known.std()) if len(known) else 0.0


def _too_wide(deciding: Sequence[Estimate], truth: float, margin: float, *, level: float, truth_error: float) -> str:
    """Why intervals that cover the truth show nothing, in words: they would cover no effect, or a large one, as well.
    Empty if they are narrow enough."""
    half = max(estimate.reach(level=level, truth_error=truth_error) for estimate in deciding)
    size = abs(truth) if abs(truth) >= margin else margin
    if half < size:
        return ""
    than = "the effect itself" if abs(truth) >= margin else f"the margin for no effect, {margin:.2g}"
    return f"too few to tell: the deciding interval is ±{half:.2g}, which is wider than {than}"


@dataclass(frozen=True)
class _Found:
    """The estimates of an effect that is identifiable, or why there are none."""

    estimates: tuple[Estimate, ...] = ()
    refutations: tuple[Refutation, ...] = ()
    complete_cases: Estimate | None = None
    reason: str = ""


def _estimate(
    model: Model,
    effect: Effect,
    sample: Sample,
    adjustment: Sequence[Column],
    losses: Sequence[Loss],
    identification: Identification,
    *,
    seed: int,
) -> _Found:
    """The g-formula's estimate of a regime; else those of DoWhy and ours, weighted for losses."""
    regime = is_regime(model, effect)
    if limit := find_limit(model, effect) if regime else "":
        return _Found(reason=limit)
    if sample.history is None and (regime or any(loss.reads for loss in losses)):
        what = f"{effect.treatment} changes after the decision by its own rule" if regime else "outcomes are lost"
        return _Found(reason=f"{'a regime: ' * regime}{what}, so the history is needed")
    if reason := sample.find_shortage(effect):
        return _Found(reason=reason)
    if identification.identified_by in ("front door", "functional"):
        return _estimate_otherwise(effect, sample, adjustment, identification)
    weights = np.where(sample.known, 1.0, 0.0)
    if losses and not regime:
        assert sample.follow is not None
        weights, reason = weigh(model, effect, losses, sample.people, sample.follow)
        if reason:
            return _Found(reason=reason)
    analysis = Analysis.prepare(sample, adjustment, effect, weights)
    if reason := analysis.find_gap(effect):
        return _Found(reason=reason)
    if regime:
        follow = sample.follow or FollowUp.whole(sample.outcome)
        found, notes = g_formula(model, effect, find_decisions(model, effect), sample.people, follow)
        return _Found(() if found is None else (found,), reason=notes)
    complete = None
    if not sample.known.all():
        complete = analysis.only(sample.known).estimate_augmented()
        complete = replace(complete, method="complete cases, unweighted")
    return _Found(analysis.estimate(), analysis.refute(seed), complete)


def _estimate_otherwise(
    effect: Effect, sample: Sample, adjustment: Sequence[Column], identification: Identification
) -> _Found:
    """The estimates of an effect that no adjustment identifies, which take no weights."""
    if not sample.known.all() and identification.identified_by == "front door":
        return _Found(reason="identifiable by front door, but outcomes are lost, and its estimate takes no weights")
    assert sample.treatment is not None
    assert sample.outcome_column is not None
    found, reason = estimate_without_adjustment(
        sample.frame,
        identification,
        treatment=sample.treatment,
        outcome=sample.outcome_column,
        covariates=adjustment,
        contrast=effect.contrast,
    )
    return _Found(found, reason=reason)
