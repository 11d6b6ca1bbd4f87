"""Principal strata: what happens to people in both worlds jointly."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from ...causal.journeys import Journeys
from ...causal.model import Effect
from ...errors import fail
from ..answer import COUPLING, Answer, Interval
from ..contrast import read_outcome
from .question import Estimate, Mask, Numbers, Question, estimate_mean, estimate_share, need_yes_or_no


def strata(question: Question) -> Answer:
    """The shares of the principal strata (Frangakis and Rubin 2002, Biometrics 58:21): people by what they would have
    been under both levels of the treatment; and the effect on the outcome in each, that among the always-survivors
    first of all.

    What stratifies is survival to the time of the effect, and where a mediator that happens or not is named, being
    free of it and alive; where the outcome itself is an event, being free of it and alive, and then there is no effect
    within a stratum beside it. With bounds on the always-survivors' share that no coupling can leave (Frechet).
    """
    by = question.mediator
    outcome = question.model.variables[question.effect.outcome]
    itself = not by and outcome.kind == "event"
    free, outcomes = _gather(question, question.effect.outcome if itself else by)
    first, second = question.label(0), question.label(1)
    words = f"without {by or outcome.name}" if by or (itself and outcome.ends != "journey") else "alive"
    shares: dict[str, float] = {}
    intervals: dict[str, Interval] = {}
    effects: dict[str, Estimate] = {}
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
    details: dict[str, Any] = {
        "patients": free.shape[1],
        "free": {first: a, second: b},
        "bounds_of_both": (max(0.0, a + b - 1), min(a, b)),
    }
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


def _gather(question: Question, event: str) -> tuple[Mask, Numbers]:
    """Who is alive, and free of the event if one is named, and the outcome: each (worlds, patients)."""
    effect, model = question.effect, question.model
    if event and event not in model.variables:
        raise fail(f"there is no variable {event!r}", value=event, fix="an event of the model")
    by = Effect(effect.treatment, event, effect.at, text=f"{effect.treatment} -> {event}") if event else None

    def read(journeys: Journeys) -> dict[str, Tensor]:
        shape = (len(journeys.worlds), len(journeys.patients))
        found = {"alive": (journeys.ended > effect.at).expand(shape), "y": question.read_outcome(journeys)}
        return found if by is None else {**found, "s": read_outcome(journeys, model, by).double()}

    found = question.gather(question.worlds(), read, keep=[effect.outcome, *([event] if event else [])])
    if by is not None:
        need_yes_or_no(question, found["s"])
    free = found["alive"] & (found["s"] == 0) if event else found["alive"]
    return free, found["y"]
