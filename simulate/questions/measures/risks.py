"""Risks by a time: their difference and ratio, the number needed to treat, and the risk of a next event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ....errors import fail
from ..measure import Measure

if TYPE_CHECKING:
    from torch import Tensor

    from ....causal.program.journeys import Journeys
    from ..answer import Answer
    from ..question import Question


def compare_risks(question: Question) -> Answer:
    """The difference of risks by a time, and their ratio: cumulative incidence, in which those who died of something
    else before did not have the event."""
    from ..estimates import compare_shares

    outcomes = question.gather_outcomes(question.worlds())
    answer = question.describe_contrast(outcomes, what="risk difference")
    defined = question.find_defined(*outcomes)
    ratio, interval = compare_shares(outcomes[0][defined], outcomes[1][defined])
    return answer.with_details(risk_ratio=ratio, risk_ratio_interval=interval)


def count_needed(question: Question) -> Answer:
    """The number needed to treat: how many have the first level of the cause for one event fewer, or one more, by the
    time; 1 over the risk difference.

    Its interval is the reciprocal of that of the risk difference. Where that one contains 0, the numbers that are
    consistent with it are those from `one_fewer` up and those from `one_more` up, with infinity, which is no effect,
    between them (Altman 1998, BMJ 317:1309, doi 10.1136/bmj.317.7168.1309).
    """
    from dataclasses import replace

    answer = compare_risks(question)
    assert isinstance(answer.value, float)
    assert isinstance(answer.interval, tuple)
    low, high = answer.interval
    details: dict[str, Any] = {
        "for": "one event fewer" if answer.value < 0 else "one event more" if answer.value > 0 else "no difference",
        "risk_difference": answer.value,
        "risk_difference_interval": answer.interval,
    }
    interval, note = None, answer.note
    if low > 0 or high < 0:
        near, far = sorted((abs(low), abs(high)))
        interval = (1 / far, 1 / near)
    else:
        details |= {name: 1 / edge if edge else None for name, edge in {"one_fewer": -low, "one_more": high}.items()}
        words = "The interval of the risk difference contains 0, so that of the number is not one range: it goes from"
        words += " one_fewer up to infinity, and from there down to one_more."
        note = f"{words} {note}".strip()
    return replace(
        answer,
        value=1 / abs(answer.value) if answer.value else None,
        interval=interval,
        method=f"number needed to treat: 1 over the {answer.method}",
        note=note,
        details={**details, **answer.details},
    )


def compare_next(question: Question) -> Answer:
    """The difference of the risks of at least one event after a time (the decision, where none is named) and by the
    time of the outcome, whatever happened before, and their ratio. Over all who were there at the decision, so that
    the people compared are the same: those who died before the named time did not have a next event."""
    from ....causal.program.journeys import count_occurrences
    from ..estimates import compare_shares
    from ..times import check_people, check_strategy, find_followed, find_period

    check_strategy(question)
    name = question.effect.outcome
    after, by = _read_time(question), find_period(question).by

    def read(journeys: Journeys) -> dict[str, Tensor]:
        return {
            "had": (count_occurrences(journeys, name, after=after, by=by) > 0).double(),
            "there": (journeys.ended_at > after).double(),
            "followed": find_followed(question, journeys),
        }

    found = question.gather(question.worlds(), read, keep=[name])
    followed = found["followed"]
    check_people(question, followed)
    had, there = found["had"][:, followed], found["there"][:, followed].mean(1)
    since = question.argument or "the decision"
    answer = question.describe_contrast(had, what=f"difference in the risk of {name} after {since}")
    ratio, interval = compare_shares(*had)
    return answer.with_details(
        risk_ratio=ratio,
        risk_ratio_interval=interval,
        alive_then={question.label(world): float(there[world]) for world in (0, 1)},
        left_out=float(1 - followed.mean()),
    )


def _read_time(question: Question) -> float:
    """The time after which the next event counts, in the clock's unit since the start. Raises NosographError for one
    before the decision, or not before the outcome."""
    from ....causal.model.clock import limit_of
    from ....causal.model.duration import parse_instant

    effect, clock = question.effect, question.model.clock
    after = parse_instant(question.argument, clock=clock) if question.argument else effect.decision
    if not effect.decision <= after < effect.by:
        fix = "a time from the decision on, and before that after @"
        raise fail("a next event has no time to happen", value=f"{NEXT.name} {question.argument}", fix=fix)
    return limit_of(after, clock=clock)


RISK = Measure(
    "risk", help="the difference of risks by the time, and their ratio", answer=compare_risks, outcome="binary"
)
NNT = Measure(
    "nnt",
    help="the number needed to treat, for one event fewer or one more by the time",
    answer=count_needed,
    outcome="binary",
)
NEXT = Measure(
    "next",
    help="the difference of risks of an event after a time (without one, after the decision), whatever came before",
    answer=compare_next,
    outcome="event",
    argument="4 months",
    optional=True,
)
