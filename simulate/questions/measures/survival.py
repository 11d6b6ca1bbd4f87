"""Survival contrasts of two worlds: at a time, and the mean time restricted to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..measure import Measure

if TYPE_CHECKING:
    from ..answer import Answer
    from ..question import Question
    from ..times import EventTimes


def compare_survival(question: Question) -> Answer:
    """The difference of the shares who are free of the event at a time, their ratio, and the difference of the
    restricted mean times. For an event that ends the journey, such as death, these are without that event; for another,
    without it and with the journey not ended, as for any composite end point.
    """
    from ..estimates import compare_shares

    times = _gather(question)
    free = (times.cause == -1).astype(float)
    answer = question.describe_contrast(free, what="difference in survival free of the event", note=_note(times))
    restricted = question.describe_contrast(times.time, what="")
    ratio, interval = compare_shares(*free)
    return answer.with_details(
        survival_ratio=ratio,
        survival_ratio_interval=interval,
        restricted_mean_difference=restricted.value,
        restricted_mean_interval=restricted.interval,
        restricted_means=restricted.details["means"],
        **_describe_time(question, times),
    )


def compare_restricted_means(question: Question) -> Answer:
    """The difference of E[min(T, at)], T being the time from the decision free of the event as in `compare_survival`,
    in the clock's unit: the area between the survival curves (Royston and Parmar 2013, BMC Medical Research Methodology
    13:152). Nobody is censored, so each person has a difference, and the error is that of their mean."""
    times = _gather(question)
    answer = question.describe_contrast(
        times.time, what="difference in restricted mean survival time", note=_note(times)
    )
    return answer.with_details(**_describe_time(question, times))


def _gather(question: Question) -> EventTimes:
    from ..times import gather_times

    return gather_times(question, question.failures(question.effect.outcome))


def _note(times: EventTimes) -> str:
    return times.describe_left_out(times.events[0])


def _describe_time(question: Question, times: EventTimes) -> dict[str, object]:
    others = [event for event in question.rivals(times.events[0]) if event not in times.events]
    counted = {"counted_as_free_after": " or ".join(others)} if others else {}
    return {
        "free_of": " and ".join(times.events),
        **counted,
        "time_unit": question.model.clock.text[2],
        "left_out": times.left_out,
    }


SURVIVAL = Measure(
    "survival", help="the difference of the shares without the event", answer=compare_survival, outcome="event"
)
RMST = Measure(
    "rmst", help="the difference of restricted mean survival times", answer=compare_restricted_means, outcome="event"
)
