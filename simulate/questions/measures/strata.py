"""Principal strata: what happens to people in both worlds jointly."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ....errors import fail
from ..measure import Measure

if TYPE_CHECKING:
    from torch import Tensor

    from ....causal.program.journeys import Journeys
    from ..answer import Answer, Interval
    from ..estimates import Mask, MonteCarloEstimate, Numbers
    from ..question import Question


def stratify(question: Question) -> Answer:
    """The shares of the principal strata (Frangakis and Rubin 2002, Biometrics 58:21): people by what they would have
    been under both levels of the treatment; and the effect on the outcome in each, that among the always-survivors
    first of all.

    What stratifies is whether the journey lasts to the time of the effect (survival); where an event is named as
    mediator, being without it, too; where the outcome itself is an event, being without that, and then there is no
    effect within a stratum beside it. With bounds on the share of those without it in both worlds that no coupling can
    leave (Frechet). Raises NosographError for a mediator that is no event, and where no journey ever ends.
    """
    import numpy as np

    from ..answer import COUPLING, Answer
    from ..estimates import estimate_mean, estimate_share

    if question.effect.death == "while alive":  # a stratum's effect is among the people who are alive in both worlds
        question = replace(question, effect=replace(question.effect, death="survivors"))
    by = question.mediator
    outcome = question.model.variables[question.effect.outcome]
    if by and by not in (v.name for v in question.model.variables.values() if v.kind == "event"):
        raise fail(f"strata are by an event, and {by!r} is none", value=by, fix="an event, or no mediator: survival")
    itself = not by and outcome.kind == "event"
    failures = question.failures(outcome.name if itself else by)
    if not failures:
        raise fail("no journey ends in this model", value=question.text, fix="--mediator with an event")
    free, outcomes = _gather(question, failures)
    first, second = question.label(0), question.label(1)
    words = f"without {' or '.join(failures)}"
    shares: dict[str, float] = {}
    intervals: dict[str, Interval] = {}
    effects: dict[str, MonteCarloEstimate] = {}
    for name, member in {
        f"{words} in both": free[0] & free[1],
        f"{words} only with {first}": free[0] & ~free[1],
        f"{words} only with {second}": ~free[0] & free[1],
        f"{words} in neither": ~free[0] & ~free[1],
    }.items():
        shares[name], intervals[name] = estimate_share(member)
        difference = outcomes[0, member] - outcomes[1, member]
        difference = difference[~np.isnan(difference)]
        if not itself and len(difference) > 1:
            effects[name] = estimate_mean(difference)
    a, b = float(free[0].mean()), float(free[1].mean())
    bounds = (max(0.0, a + b - 1), min(a, b))
    details: dict[str, Any] = {"patients": free.shape[1], "free": {first: a, second: b}, "bounds_of_both": bounds}
    if effects:
        details["effects"] = {name: found.value for name, found in effects.items()}
        details["effect_intervals"] = {name: found.interval for name, found in effects.items()}
    return Answer(
        question=question.text,
        value=shares,
        interval=intervals,
        method=f"principal strata by being {words} at the time, over {free.shape[1]:,} people in both worlds",
        note=COUPLING,
        details=details,
    )


def _gather(question: Question, failures: list[str]) -> tuple[Mask, Numbers]:
    """Who is without all of these events at the time of the effect, and the outcome: each (worlds, patients)."""
    import torch

    from ....causal.model.clock import limit_of
    from ....causal.program.journeys import first_dates

    by = limit_of(question.effect.by, clock=question.model.clock)

    def read(journeys: Journeys) -> dict[str, Tensor]:
        first = torch.stack([first_dates(journeys, name) for name in failures]).amin(0)
        return {"free": first > by, "y": question.read_outcome(journeys)}

    found = question.gather(question.worlds(), read, keep=failures)
    return found["free"], found["y"]


STRATA = Measure(
    "strata", help="shares of the principal strata, and the effect in each", answer=stratify, mediator="optional"
)
