"""Weights for those whose outcome the record kept: 1 / the probability of being kept, from pooled regressions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..language import Read
from ..language.syntax import find_draw
from ..model.model import Effect, Model
from .columns import Column
from .design import Array, Mask, basis, encode
from .estimate import PROPENSITY_FLOOR, TOLERATED
from .follow_up import FollowUp
from .g_formula import History
from .losses import Loss

if TYPE_CHECKING:
    import pandas as pd

MOST_PERIODS = 24  # indicators of time in a regression; more steps share them


def weigh(
    model: Model, effect: Effect, losses: Sequence[Loss], history: History, follow: FollowUp
) -> tuple[Array, str]:
    """Everybody's weight, 0 for those without an outcome; or why there are none, in words.

    A person-step is a step of somebody who is followed. In each, the probability of an event that loses her is a
    logistic regression on indicators of time and on what the loss reads, over all person-steps; without reads it is the
    share of the step, and the product that of Kaplan and Meier. In the step in which she dies or has her outcome she is
    at risk for a part of it only: the probability of being kept is raised to that part. Missed visits are one such
    regression over the visits that give an outcome. Nothing is trimmed: if a loss is almost certain for more than 1% of
    the people, that is why there are no weights.
    """
    kept = np.ones(len(follow.outcome))
    for loss in losses:
        rows = _find_visits(follow) if loss.visits else _find_steps(model, effect, loss, follow)
        if not rows.happened.any():
            continue
        chance = _fit(model, loss, rows, history)
        certain = np.unique(rows.person[chance > 1 - PROPENSITY_FLOOR])
        if len(certain) > TOLERATED * len(kept):
            share = f"{len(certain) / len(kept):.0%} of the people"
            return kept, f"not recoverable: positivity: {share} are almost certainly lost to {loss.text}"
        np.multiply.at(kept, rows.person, (1 - chance) ** rows.part)
    known = ~np.isnan(follow.outcome)
    return np.where(known, 1 / np.where(known, kept, 1.0), 0.0), ""


@dataclass(frozen=True)
class _Rows:
    """Person-steps. `part`: the share of the step at risk; `happened`: whether the loss happened in it."""

    person: NDArray[np.intp]
    step: NDArray[np.int64]
    part: Array
    happened: Mask


def _find_steps(model: Model, effect: Effect, loss: Loss, follow: FollowUp) -> _Rows:
    dt, start = model.clock.dt, effect.decision
    lasted = np.round(follow.until / dt - start, 6)
    count = np.maximum(np.ceil(lasted), 0).astype(np.int64)
    person = np.repeat(np.arange(len(count)), count)
    step = start + 1 + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    part = np.minimum(lasted[person] - (step - start - 1), 1.0)
    happened = (follow.lost[person] == loss.name) & (step == start + count[person])
    mechanism = model.variables[loss.name].mechanism
    draw = find_draw(mechanism) if mechanism is not None else None
    if draw is None or draw.family != "Hazard":  # it happens at the end of a step, which she did not live to see
        part = np.floor(part)
    part = np.where(happened, 1.0, part)
    at_risk = part > 0
    return _Rows(person[at_risk], step[at_risk], part[at_risk], happened[at_risk])


def _find_visits(follow: FollowUp) -> _Rows:
    """The visits that would give an outcome, of those who were followed until then."""
    person = np.flatnonzero((follow.visit >= 0) & (follow.lost == ""))
    return _Rows(person, follow.visit[person], np.ones(len(person)), np.isnan(follow.outcome[person]))


def _fit(model: Model, loss: Loss, rows: _Rows, history: History) -> Array:
    """The probability of the loss in each person-step."""
    steps, period = np.unique(rows.step, return_inverse=True)
    if not loss.reads:
        share = np.bincount(period, rows.happened) / np.bincount(period, rows.part)
        result: Array = np.minimum(share, 1.0)[period]
        return result
    period = period * min(len(steps), MOST_PERIODS) // len(steps)
    encoded = _encode_reads(model, loss, rows, history)
    terms = basis(encoded, [rows.happened, ~rows.happened])[:, 1:]
    cell = encoded.assign(period=period).groupby([*encoded, "period"], sort=False).ngroup().to_numpy()
    first = np.unique(cell, return_index=True)[1]  # person-steps with equal terms are one row of the regression
    times = (period[first, None] == np.arange(1, period.max() + 1)).astype(np.float64)
    design = np.column_stack([terms[first], times])
    at_risk, lost = np.bincount(cell, rows.part), np.bincount(cell, rows.part * rows.happened)
    state = random.getstate()  # scikit-learn's first import draws from Python's generator: restore it
    from sklearn.linear_model import LogisticRegression

    random.setstate(state)
    fitted = LogisticRegression(C=100.0, solver="newton-cholesky", max_iter=200)
    outcome = np.repeat([False, True], len(design))
    weight = np.concatenate([at_risk - lost, lost])
    fitted.fit(np.tile(design, (2, 1))[weight > 0], outcome[weight > 0], sample_weight=weight[weight > 0])
    found: Array = fitted.predict_proba(design)[:, 1][cell]
    return found


def _encode_reads(model: Model, loss: Loss, rows: _Rows, history: History) -> pd.DataFrame:
    import pandas as pd

    columns, values = [], {}
    for read in loss.reads:
        name = f"{read.how} {read.name}[-{read.lag}]"
        levels = model.variables[read.name].levels if read.how == "value" else ()
        columns.append(Column(name, read.name, read.lag, "covariate", (read.name, 0), levels))
        values[name] = _read(model, loss, read, rows, history)
    return encode(pd.DataFrame(values), columns)


def _read(model: Model, loss: Loss, read: Read, rows: _Rows, history: History) -> Array:
    """What a person-step reads, from the record."""
    variable = model.variables[read.name]
    if variable.kind == "static":
        static: Array = history.statics[read.name].to_numpy(dtype=np.float64)[rows.person]
        return static
    past = read.how in ("ever", "since")
    values = history.steps[f"since({read.name})" if past else read.name]
    found: Array = values[rows.person, np.maximum(rows.step - read.lag, 0)]
    if read.how == "value":
        return found
    return found if read.how == "since" else (~np.isnan(found)).astype(np.float64)
