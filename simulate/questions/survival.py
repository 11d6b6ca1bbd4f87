"""Survival contrasts of two worlds: at a time, and the mean time restricted to it."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from ...causal.program.journeys import Journeys
from ...errors import fail
from .answer import Answer
from .averages import compare_shares
from .question import Question, describe_contrast
from .trajectories import first_dates


def survival(question: Question) -> Answer:
    """The difference of the shares who are free of the event at a time, their ratio, and the difference of the
    restricted mean times. For an event that ends the journey, such as death, these are without that event; for another,
    without it and with the journey not ended, as for any composite end point. Raises NosographError where the outcome
    is no event.
    """
    found = _gather(question)
    answer = describe_contrast(question, found["free"], what="difference in survival free of the event")
    restricted = describe_contrast(question, found["time"], what="")
    ratio, interval = compare_shares(*found["free"])
    return answer.with_details(
        survival_ratio=ratio,
        survival_ratio_interval=interval,
        restricted_mean_difference=restricted.value,
        restricted_mean_interval=restricted.interval,
        restricted_means=restricted.details["means"],
        time_unit=question.model.clock.text[2],
    )


def restricted_mean(question: Question) -> Answer:
    """The difference of E[min(T, at)], T being the time free of the event as in `survival`, in the clock's unit: the
    area between the survival curves (Royston and Parmar 2013, BMC Medical Research Methodology 13:152)."""
    answer = describe_contrast(question, _gather(question)["time"], what="difference in restricted mean survival time")
    return answer.with_details(time_unit=question.model.clock.text[2])


def _gather(question: Question) -> dict[str, NDArray[Any]]:
    """`free`: without the event at the time of the effect; `time`: how long so, at most until then."""
    effect, model = question.effect, question.model
    if model.variables[effect.outcome].kind != "event":
        events = [v.name for v in model.variables.values() if v.kind == "event"]
        fix = f"{effect.treatment} -> {events[0]} @ …" if events else "a model with events"
        raise fail(f"{effect.outcome} is no event, and has no survival", value=effect.text, fix=fix)
    ending = question.failures(effect.outcome)

    def read(journeys: Journeys) -> dict[str, Tensor]:
        first = torch.stack([first_dates(journeys, name) for name in ending]).amin(0)
        return {"free": torch.isinf(first).double(), "time": first.clamp(max=effect.at * model.clock.dt)}

    return question.gather(question.worlds(), read, keep=ending)
