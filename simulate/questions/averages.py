"""Average, quantile and risk contrasts of two worlds, and the effect on the treated."""

from __future__ import annotations

import math

import numpy as np

from ...errors import fail
from .answer import Answer, Interval
from .question import (
    Z95,
    Numbers,
    Question,
    describe_contrast,
    describe_undefined,
    estimate_mean,
    find_defined,
    need_yes_or_no,
)

RESAMPLES = 400


def average(question: Question) -> Answer:
    """The average effect E[Y(first) - Y(second)] (Rubin 1974, Journal of Educational Psychology 66:688), among those
    who meet the question's condition: a conditional average effect where it has one."""
    return describe_contrast(question, question.gather_outcomes(question.worlds()), what="average effect")


def on_the_treated(question: Question) -> Answer:
    """E[Y(first) - Y(second) | the treatment was naturally at its first level, at the decision] (Heckman and Robb
    1985, Journal of Econometrics 30:239). Raises NosographError where nobody naturally has it."""
    effect = question.effect
    found = question.gather(
        (question.natural(), *question.worlds()),
        lambda j: {"y": question.read_outcome(j), "x": question.read_natural(j)},
        keep=[effect.outcome, effect.treatment],
    )
    treated = found["x"] == effect.contrast[0]
    if treated.sum() < 2:
        raise fail(f"nobody naturally has {question.label(0)}", value=question.text, fix="more patients: -n 100000")
    answer = describe_contrast(question, found["y"][1:, treated], what=f"effect on those with {question.label(0)}")
    return answer.with_details(treated=float(treated.mean()))


def quantile(question: Question) -> Answer:
    """The difference of the outcome's quantiles in the two worlds (Doksum 1974, Annals of Statistics 2:267): of the
    two distributions, not a quantile of the persons' differences. The interval is the percentile one of a bootstrap of
    persons with both their worlds (Efron 1979, Annals of Statistics 7:1)."""
    q = question.quantile
    outcomes = question.gather_outcomes(question.worlds())
    defined = find_defined(question, *outcomes)
    first, second = outcomes[0][defined], outcomes[1][defined]
    levels = (float(np.quantile(first, q)), float(np.quantile(second, q)))
    paired, unpaired = _resample(first, second, q, seed=question.seed)
    low, high = (float(edge) for edge in np.quantile(paired, (0.025, 0.975)))
    note = "It compares two distributions; nobody need have this difference herself."
    return Answer(
        question=question.text,
        value=levels[0] - levels[1],
        interval=(low, high),
        method=f"effect on the {q:g} quantile: over {len(first):,} people, each in both worlds with the same noise; "
        f"the interval from {RESAMPLES} bootstraps of pairs",
        note=" ".join(part for part in (note, describe_undefined(defined)) if part),
        details={
            "quantiles": {question.label(0): levels[0], question.label(1): levels[1]},
            "patients": len(first),
            "undefined": float(1 - defined.mean()),
            "variance_gain": float(unpaired.var() / paired.var()) if paired.var() > 0 else None,
        },
    )


def _resample(first: Numbers, second: Numbers, q: float, *, seed: int) -> tuple[Numbers, Numbers]:
    """Bootstrapped differences of quantiles: of pairs, and of two cohorts resampled apart."""
    generator = np.random.Generator(np.random.Philox(seed))
    paired, unpaired = np.empty(RESAMPLES), np.empty(RESAMPLES)
    for i in range(RESAMPLES):
        chosen, others = generator.integers(len(first), size=(2, len(first)))
        here = np.quantile(first[chosen], q)
        paired[i] = here - np.quantile(second[chosen], q)
        unpaired[i] = here - np.quantile(second[others], q)
    return paired, unpaired


def risk(question: Question) -> Answer:
    """The difference of risks by a time, and their ratio: cumulative incidence, in which those who died of something
    else before did not have the event. The ratio's interval is that of its logarithm, by the delta method, the pairing
    of the worlds taken into account. Raises NosographError where the outcome is not one that happens or not."""
    outcomes = question.gather_outcomes(question.worlds())
    need_yes_or_no(question, outcomes)
    answer = describe_contrast(question, outcomes, what="risk difference")
    defined = find_defined(question, *outcomes)
    ratio, interval = compare_shares(outcomes[0][defined], outcomes[1][defined])
    return answer.with_details(risk_ratio=ratio, risk_ratio_interval=interval)


def compare_shares(first: Numbers, second: Numbers) -> tuple[float | None, Interval | None]:
    """The ratio of two shares over the same people and its 95% interval; None where it is not defined."""
    a, b = float(first.mean()), float(second.mean())
    if a == 0 or b == 0:
        return (0.0 if b > 0 else None), None
    error = estimate_mean(first / a - second / b).error
    return a / b, (a / b * math.exp(-Z95 * error), a / b * math.exp(Z95 * error))
