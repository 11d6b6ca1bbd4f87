"""Survival contrasts of two worlds: at a time, and the mean time restricted to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ....causal.model.clock import limit_of
from ..measure import Measure

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ....causal.program.journeys import Journeys
    from ..answer import Answer
    from ..question import Question


def compare_survival(question: Question) -> Answer:
    """The difference of the shares who are free of the event at a time, their ratio, and the difference of the
    restricted mean times. For an event that ends the journey, such as death, these are without that event; for another,
    without it and with the journey not ended, as for any composite end point.
    """
    from ..estimates import compare_shares

    found = _gather(question)
    answer = question.describe_contrast(found["free"], what="difference in survival free of the event")
    restricted = question.describe_contrast(found["time"], what="")
    ratio, interval = compare_shares(*found["free"])
    return answer.with_details(
        survival_ratio=ratio,
        survival_ratio_interval=interval,
        restricted_mean_difference=restricted.value,
        restricted_mean_interval=restricted.interval,
        restricted_means=restricted.details["means"],
        time_unit=question.model.clock.text[2],
    )


def compare_restricted_means(question: Question) -> Answer:
    """The difference of E[min(T, at)], T being the time free of the event as in `compare_survival`, in the clock's
    unit: the area between the survival curves (Royston and Parmar 2013, BMC Medical Research Methodology 13:152)."""
    answer = question.describe_contrast(_gather(question)["time"], what="difference in restricted mean survival time")
    return answer.with_details(time_unit=question.model.clock.text[2])


def _gather(question: Question) -> dict[str, NDArray[Any]]:
    """`free`: without the event at the time of the effect; `time`: how long so, at most until then."""
    import torch

    from ....causal.program.journeys import first_dates

    effect, model = question.effect, question.model
    ending = question.failures(effect.outcome)

    def read(journeys: Journeys) -> dict[str, Tensor]:
        first = torch.stack([first_dates(journeys, name) for name in ending]).amin(0)
        free = first > limit_of(effect.by, clock=model.clock)
        return {"free": free.double(), "time": first.clamp(max=effect.by * model.clock.dt)}

    return question.gather(question.worlds(), read, keep=ending)


SURVIVAL = Measure(
    "survival", help="the difference of the shares without the event", answer=compare_survival, outcome="event"
)
RMST = Measure(
    "rmst", help="the difference of restricted mean survival times", answer=compare_restricted_means, outcome="event"
)
