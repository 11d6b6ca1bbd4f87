"""The g-formula by iterated conditional expectations: the effect of a sustained strategy, from the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..model.clock import limit_of
from ..model.model import Effect, Model
from .columns import Column
from .design import FEW, ROWS_PER_TERM, Array, Mask, basis, encode
from .estimate import FEWEST, TOLERATED, Estimate, error_of_mean
from .follow_up import FollowUp
from .regimes import Decision

if TYPE_CHECKING:
    import pandas as pd

G_FORMULA = "g-formula (iterated conditional expectations), ours"
FEW_COLUMNS = 12  # most columns of a history to use with products


@dataclass(frozen=True)
class History:
    """Everybody's record over time: `statics` has one row per person; `steps` maps the columns of `build_history` to
    arrays of (people, steps from 0)."""

    statics: pd.DataFrame
    steps: dict[str, Array]

    @classmethod
    def align(cls, history: pd.DataFrame, kept: pd.DataFrame, *, steps: int) -> History:
        """The history of the people in `kept` (its index: patients). Raises ValueError if some have none."""
        import pandas as pd

        patients = pd.Index(history.index.get_level_values(0)[::steps])
        where = patients.get_indexer(kept.index)
        if len(history) != len(patients) * steps or (where < 0).any():
            raise ValueError(f"the history lacks people, or does not have {steps} steps of each")
        arrays = {str(name): history[name].to_numpy(dtype=np.float64).reshape(-1, steps)[where] for name in history}
        return cls(kept.reset_index(drop=True), arrays)

    def value(self, column: Column) -> Array:
        if column.name in self.statics:
            values: Array = self.statics[column.name].to_numpy(dtype=np.float64)
            return values
        key = f"since({column.variable})" if column.node[0] == "since" else column.variable
        return self.steps[key][:, column.step]


@dataclass(frozen=True)
class _Round:
    """One regression. `at_risk`: the positions of those who followed the strategy before; `follows`: who of them also
    follows it at this step. The design matrix of these is `orthogonal @ triangle`, that of the others `rest`."""

    at_risk: NDArray[np.intp]
    follows: Mask
    orthogonal: Array
    triangle: Array
    rest: Array


@dataclass(frozen=True)
class _Strategy:
    """One strategy's rounds, in order of time. `unsupported`: by variable, people with a value that no follower has;
    `began`: the number of followers at first; `few`: their number when it became too small to continue."""

    rounds: list[_Round]
    unsupported: dict[str, Mask]
    began: int
    shortened: bool
    few: int | None = None


def g_formula(
    model: Model, effect: Effect, decisions: Sequence[Decision], history: History, follow: FollowUp
) -> tuple[Estimate | None, str]:
    """The average contrast of two sustained strategies by iterated conditional expectations (Bang & Robins 2005,
    doi:10.1111/j.1541-0420.2005.00377.x; the g-formula: Robins 1986), and its caveats in words.

    Backwards over the steps at which somebody deviates: the next expectation is regressed on the history among those
    who have followed the strategy up to and including the step, and are still followed at the next, and predicted for
    all who had followed it before: the lost are treated as those who deviate. An outcome that is known before the step,
    such as that of the dead, stays unchanged. There are no weights to trim, but where nobody follows, the regressions
    extrapolate; the caveats say for whom. The standard error is that of the stacked least squares, from their influence
    function (residuals as in HC3). No estimate if too few follow a strategy.
    """
    notes, parts = [], []
    for level in effect.contrast:
        words = f"{effect.treatment} = {_level_name(model, effect, level)}"
        strategy = _follow(model, effect, decisions, history, follow, level)
        if strategy.few is not None:
            return None, f"not recoverable: positivity: {strategy.few} people of {len(follow.outcome)} keep to {words}"
        parts.append(_iterate(strategy.rounds, follow.outcome))
        notes += _describe(model, strategy, words)
    expected = parts[0][0] - parts[1][0]
    influence = expected + parts[0][1] - parts[1][1]
    return Estimate(G_FORMULA, float(expected.mean()), error_of_mean(influence)), "; ".join(notes)


def _follow(
    model: Model, effect: Effect, decisions: Sequence[Decision], history: History, follow: FollowUp, level: float
) -> _Strategy:
    treatment = history.steps[effect.treatment]
    known = ~np.isnan(follow.outcome)
    lost = np.where(known, np.inf, np.where(follow.lost == "", follow.visit * model.clock.dt, follow.until))
    times = [limit_of(decision.step, clock=model.clock) for decision in decisions]
    followed = np.ones(len(treatment), dtype=np.bool_)
    rounds: list[_Round] = []
    unsupported: dict[str, Mask] = {}
    began, shortened = 0, False
    for decision, now, later in zip(decisions, times, [*times[1:], np.inf], strict=True):
        open_ = followed & ~(known & (follow.until <= now))
        follows = open_ & (treatment[:, decision.step] == np.float32(level)) & ((lost > later) | known)
        followed &= ~open_ | follows
        if decision is decisions[0]:
            began = int(follows.sum())
        if follows.sum() == open_.sum():  # nobody deviates, so there is nothing to predict
            continue
        if follows.sum() < max(FEWEST, ROWS_PER_TERM * (1 + decision.inputs)):
            return _Strategy(rounds, unsupported, began, shortened, few=int(follows.sum()))
        frame, columns = _known(history, decision, open_)
        keeps = follows[open_]
        if decision.step > effect.decision:  # at the first decision the propensities have been checked
            for column in columns:
                if (alone := _find_unsupported(frame[column.name].to_numpy(dtype=np.float64), keeps)).any():
                    mask = unsupported.setdefault(column.variable, np.zeros(len(treatment), dtype=np.bool_))
                    mask[np.flatnonzero(open_)[alone]] = True
        encoded = encode(frame, columns)
        most = max(int(keeps.sum()) // ROWS_PER_TERM - 1, 1)
        shortened |= encoded.shape[1] > most
        encoded = encoded.iloc[:, :most]
        design = basis(encoded, [keeps], products=encoded.shape[1] <= FEW_COLUMNS)
        orthogonal, triangle = np.linalg.qr(design[keeps])
        rounds.append(_Round(np.flatnonzero(open_), keeps, orthogonal, triangle, design[~keeps]))
    return _Strategy(rounds, unsupported, began, shortened)


def _iterate(rounds: Sequence[_Round], outcome: Array) -> tuple[Array, Array]:
    """Everybody's expected outcome under the strategy, given what is known at the first round, and each row's influence
    on the mean through the regressions.

    Forwards, each round turns the weights of those at risk into weights of its followers. Backwards, each round
    replaces the followers' expectations by fitted values, and those of the others by predictions.
    """
    counts = np.ones(len(outcome))  # the weight of a person's next expectation in the mean
    weights = []
    for round_ in rounds:
        mine = counts[round_.at_risk]
        pull = round_.rest.T @ mine[~round_.follows] + round_.triangle.T @ (round_.orthogonal.T @ mine[round_.follows])
        weight = np.zeros(len(mine))
        weight[round_.follows] = round_.orthogonal @ np.linalg.solve(round_.triangle.T, pull)
        counts[round_.at_risk] = weight
        weights.append(weight)
    expected, influence = outcome.copy(), np.zeros(len(outcome))
    for round_, weight in zip(reversed(rounds), reversed(weights), strict=True):
        following = expected[round_.at_risk[round_.follows]]
        turned = round_.orthogonal.T @ following
        fitted = round_.orthogonal @ turned
        leverage = np.minimum(np.sum(round_.orthogonal**2, axis=1), 0.999)
        influence[round_.at_risk[round_.follows]] += weight[round_.follows] * (following - fitted) / (1 - leverage)
        expected[round_.at_risk[round_.follows]] = fitted
        expected[round_.at_risk[~round_.follows]] = round_.rest @ np.linalg.solve(round_.triangle, turned)
    return expected, influence


def _known(history: History, decision: Decision, rows: Mask) -> tuple[pd.DataFrame, list[Column]]:
    """What is known at a decision about the people in `rows`; earlier values of a variable only if they differ."""
    import pandas as pd

    kept: dict[str, Array] = {}
    columns: list[Column] = []
    for column in decision.known:
        values = history.value(column)[rows]
        same = [other for other in columns if other.variable == column.variable]
        if not any(np.array_equal(values, kept[other.name], equal_nan=True) for other in same):
            kept[column.name] = values
            columns.append(column)
    return pd.DataFrame(kept), columns


def _find_unsupported(values: Array, follows: Mask) -> Mask:
    """Whose value (or gap) no follower has; for columns of many values, who is outside the followers' range."""
    gap = np.isnan(values)
    present = values[follows & ~gap]
    alone: Mask = gap & ~gap[follows].any()
    if not len(present):
        return alone | ~gap
    if len(np.unique(values[~gap])) <= FEW:
        return alone | ~(gap | np.isin(values, present))
    alone = alone | (values < present.min()) | (values > present.max())
    return alone


def _describe(model: Model, strategy: _Strategy, words: str) -> list[str]:
    notes = []
    for name, mask in strategy.unsupported.items():
        if mask.sum() > TOLERATED * strategy.began:
            share = mask.sum() / strategy.began
            where = f"after {name}" if model.variables[name].kind == "event" else f"at some values of {name}"
            notes.append(
                f"positivity: nobody keeps to {words} {where} ({share:.0%} of those who began): the g-formula "
                "extrapolates over them"
            )
    if strategy.shortened:
        notes.append(f"too few keep to {words} to use the whole history: only its latest values are used")
    return notes


def _level_name(model: Model, effect: Effect, level: float) -> str:
    levels = model.variables[effect.treatment].levels
    return f'"{levels[int(level)]}"' if levels else f"{level:g}"
