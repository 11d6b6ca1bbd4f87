"""The effect on a quantile of the outcome."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ....errors import fail
from ..measure import Measure

if TYPE_CHECKING:
    from ..answer import Answer
    from ..estimates import Numbers
    from ..question import Question

RESAMPLES = 400


def compare_quantiles(question: Question) -> Answer:
    """The difference of the outcome's quantiles in the two worlds (Doksum 1974, Annals of Statistics 2:267): of the
    two distributions, not a quantile of the persons' differences. The interval is the percentile one of a bootstrap of
    persons with both their worlds (Efron 1979, Annals of Statistics 7:1)."""
    import numpy as np

    from ..answer import Answer
    from ..question import describe_undefined

    q = _read_quantile(question.argument)
    outcomes = question.gather_outcomes(question.worlds())
    defined = question.find_defined(*outcomes)
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


def _read_quantile(text: str) -> float:
    """Raises NosographError for anything but a number between 0 and 1."""
    try:
        quantile = float(text)
    except ValueError:
        quantile = math.nan
    if not 0 < quantile < 1:
        raise fail("a quantile lies between 0 and 1", value=text, fix=f"--measure {QUANTILE.usage}")
    return quantile


def _resample(first: Numbers, second: Numbers, q: float, *, seed: int) -> tuple[Numbers, Numbers]:
    """Bootstrapped differences of quantiles: of pairs, and of two cohorts resampled apart."""
    import numpy as np

    generator = np.random.Generator(np.random.Philox(seed))
    paired, unpaired = np.empty(RESAMPLES), np.empty(RESAMPLES)
    for i in range(RESAMPLES):
        chosen, others = generator.integers(len(first), size=(2, len(first)))
        here = np.quantile(first[chosen], q)
        paired[i] = here - np.quantile(second[chosen], q)
        unpaired[i] = here - np.quantile(second[others], q)
    return paired, unpaired


QUANTILE = Measure(
    "quantile", help="the difference of the two distributions' quantiles", answer=compare_quantiles, argument="0.9"
)
