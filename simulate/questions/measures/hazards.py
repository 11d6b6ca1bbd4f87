"""Hazards compared: Cox's hazard ratio, and the log-rank test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..measure import Measure

if TYPE_CHECKING:
    from ..answer import Answer
    from ..question import Question
    from ..times import EventTimes

MARGINAL = (
    "It is marginal and not collapsible: the hazard ratio given a covariate is another one, even where nothing is "
    "confounded. Where the hazards are not proportional it is a mean of their ratio over time, weighted by the events, "
    "and changes with the time of the outcome."
)
AS_IN_A_TRIAL = (
    "It grows with the number of people. It has no p-value: the same people are in both arms, so chance moves it "
    "less than in a trial."
)


def compare_hazards(question: Question) -> Answer:
    """The hazard ratio of the first time of the event after the decision, as Cox's model has it of the two worlds'
    people as two arms, censored by the time of the outcome alone. Who dies of something else leaves the risk set: the
    hazard is that of this cause. The interval is of its logarithm, a person's two contributions paired."""
    import math

    from ..answer import Answer
    from ..estimates import Z95, gain_of_pairing
    from ..risk_sets import fit_hazard_ratio

    times = _gather(question)
    found = fit_hazard_ratio(times.time, times.happened(question.effect.outcome))
    ratio = interval = error = gain = None
    note = MARGINAL
    if found is None:
        note = f"It is not finite: the events in one world tell nothing of the hazard in the other. {note}"
    else:
        people, both = len(found.parts[0]), found.parts.sum(0)
        ratio, error = math.exp(found.log), math.sqrt(float((both**2).sum()))
        interval = (ratio * math.exp(-Z95 * error), ratio * math.exp(Z95 * error))
        gain = gain_of_pairing(found.parts[0], found.parts[1], error**2 / (people - 1))
    return Answer(
        question=question.text,
        value=ratio,
        interval=interval,
        method=f"hazard ratio: Cox's partial likelihood (Efron's ties) of {times.time.shape[1]:,} people in each "
        "world, followed until the time of the outcome; the interval takes the pairing into account",
        note=_join(note, times),
        details={**_describe(question, times), "log_standard_error": error, "variance_gain": gain},
    )


def compare_log_rank(question: Question) -> Answer:
    """The chi-square of the log-rank test (Mantel 1966, Cancer Chemotherapy Reports 50:163) of the two worlds' people
    as the two arms of a trial, followed as in `compare_hazards`."""
    from ..answer import Answer
    from ..risk_sets import compare_ranks

    times = _gather(question)
    people = times.time.shape[1]
    found = compare_ranks(times.time, times.happened(question.effect.outcome))
    note = AS_IN_A_TRIAL if found else f"No event tells the worlds apart. {AS_IN_A_TRIAL}"
    return Answer(
        question=question.text,
        value=found.z**2 if found else None,
        interval=None,
        method=f"log-rank chi-square, as in a trial with {people:,} people in each arm, followed until the time of the "
        "outcome",
        note=_join(note, times),
        details={
            **_describe(question, times),
            "expected": {question.label(0): found.expected} if found else None,
            "z": found.z if found else None,
        },
    )


def _gather(question: Question) -> EventTimes:
    from ..times import gather_times

    outcome = question.effect.outcome
    return gather_times(question, [outcome, *question.rivals(outcome)])


def _join(note: str, times: EventTimes) -> str:
    """The note, with who is no longer at risk and who never was."""
    event, *rivals = times.events
    gone = f"People in whom {' or '.join(rivals)} came first are no longer at risk." if rivals else ""
    return " ".join(part for part in (note, gone, times.describe_left_out(event)) if part)


def _describe(question: Question, times: EventTimes) -> dict[str, Any]:
    events = times.happened(times.events[0]).sum(1)
    return {
        "events": {question.label(world): int(events[world]) for world in (0, 1)},
        "patients": times.time.shape[1],
        "left_out": times.left_out,
    }


HAZARD_RATIO = Measure(
    "hazard-ratio", help="the hazard ratio of the first event, as Cox has it", answer=compare_hazards, outcome="event"
)
LOG_RANK = Measure(
    "log-rank",
    help="the log-rank statistic, as in a trial with as many people in each arm",
    answer=compare_log_rank,
    outcome="event",
)
