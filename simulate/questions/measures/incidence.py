"""Cumulative incidence by cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..measure import Measure

if TYPE_CHECKING:
    from ..answer import Answer
    from ..question import Question


def compare_incidence(question: Question) -> Answer:
    """The difference of the cumulative incidence of each cause by the time: the share of the people at risk at the
    decision in whom that cause came first. Causes are the event, or the components of a composite one, and what
    else ends the journey. Nobody is censored, so the shares are the Aalen-Johansen estimates (1978, Scandinavian
    Journal of Statistics 5:141)."""
    from ..answer import Answer
    from ..estimates import estimate_mean
    from ..times import count_by_step, find_period, gather_times

    outcome = question.model.variables[question.effect.outcome]
    causes = [*(outcome.any_of or (outcome.name,)), *question.rivals(outcome.name)]
    times = gather_times(question, causes)
    start = find_period(question).start
    people = times.time.shape[1]
    found, risks, curves = {}, {}, {}
    for cause in causes:
        first, second = times.happened(cause).astype(float)
        found[cause] = estimate_mean(first - second)
        risks[cause] = {question.label(0): float(first.mean()), question.label(1): float(second.mean())}
        for world, had in enumerate((first, second)):
            steps, counts = count_by_step(question, start + times.time[world][had == 1])
            curves[f"{cause}, {question.label(world)}"] = [count / people for count in counts]
    return Answer(
        question=question.text,
        value={cause: each.value for cause, each in found.items()},
        interval={cause: each.interval for cause, each in found.items()},
        method=f"difference of cumulative incidences: of {people:,} people, each in both worlds with the same noise, "
        "the share in whom each cause came first",
        note=times.describe_left_out(outcome.name),
        details={
            **{f"incidence_of_{cause}": risk for cause, risk in risks.items()},
            "patients": people,
            "left_out": times.left_out,
            "curves": {"time": steps, **curves},
            "time_unit": question.model.clock.text[2],
        },
    )


INCIDENCE = Measure(
    "incidence",
    help="the difference of the cumulative incidence of each cause, what ends the journey and components among them",
    answer=compare_incidence,
    outcome="event",
)
