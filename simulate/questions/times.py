"""Times to an event: of the people at risk at the decision, how long until the first of several events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...causal.model.clock import limit_of
from ...causal.program.journeys import Journeys, first_dates
from ...errors import fail
from .estimates import Mask, Numbers
from .question import Question


@dataclass(frozen=True)
class EventTimes:
    """Of the people at risk at the decision, in both worlds: `time` from the decision until the first of `events`, at
    most until the time of the outcome, in the clock's unit, and which it was: `cause`, its index, -1 for none by then.
    Each (2, people).

    `left_out`: the share of people who were not at risk.
    """

    time: Numbers
    cause: NDArray[np.int64]
    events: tuple[str, ...]
    left_out: float

    def happened(self, *events: str) -> Mask:
        """Whether one of these came first, (2, people)."""
        return np.isin(self.cause, [self.events.index(event) for event in events])

    def describe_left_out(self, event: str) -> str:
        """What to say of those who were not at risk, if there are any."""
        if self.left_out == 0:
            return ""
        return (
            f"{self.left_out:.2%} are left out: at the decision their journey had ended or they had had {event}, or "
            "the outcome is undefined for them."
        )


@dataclass(frozen=True)
class Period:
    """The time from the decision to that of the outcome, in the clock's unit since the start. What happens in it is
    later than `after` and no later than `by`, which allow for the rounding of times."""

    start: float
    end: float
    after: float
    by: float


def find_period(question: Question) -> Period:
    effect, clock = question.effect, question.model.clock
    after, by = limit_of(effect.decision, clock=clock), limit_of(effect.by, clock=clock)
    return Period(effect.decision * clock.dt, effect.by * clock.dt, after, by)


def count_by_step(question: Question, dates: Numbers) -> tuple[list[float], list[int]]:
    """The times from the decision to that of the outcome, in the clock's unit since the start: the ends of the steps
    and the time itself; and how many of these dates, (events,), are at or before each."""
    effect, clock = question.effect, question.model.clock
    steps = [step for step in range(effect.decision, effect.at + 1) if step < effect.by] + [effect.by]
    limits = np.array([limit_of(step, clock=clock) for step in steps])
    return [step * clock.dt for step in steps], np.searchsorted(np.sort(dates), limits, side="right").tolist()


def gather_times(question: Question, events: Sequence[str]) -> EventTimes:
    """The times to the first of `events`, in both worlds; where two come at one instant, that named first. At risk is
    who is there at the decision and, where the outcome happens only once, has not had it.

    Raises NosographError where nobody is at risk, and as `check_strategy` does.
    """
    check_strategy(question)
    effect, model = question.effect, question.model
    period = find_period(question)
    once = model.variables[effect.outcome].occurs == "once"

    def read(journeys: Journeys) -> dict[str, Tensor]:
        dates = torch.stack([first_dates(journeys, event, after=period.after) for event in events])
        date, cause = dates.min(0)
        at_risk = find_followed(question, journeys)
        if once:
            at_risk = at_risk & (first_dates(journeys, effect.outcome) > period.after).all(0)
        cause = torch.where(date <= period.by, cause, -1)
        return {"time": date.clamp(max=period.end) - period.start, "cause": cause, "at_risk": at_risk}

    found = question.gather(question.worlds(), read, keep=[effect.outcome, *events])
    at_risk = found["at_risk"]
    check_people(question, at_risk)
    return EventTimes(
        time=found["time"][:, at_risk],
        cause=found["cause"][:, at_risk],
        events=tuple(events),
        left_out=float(1 - at_risk.mean()),
    )


def check_strategy(question: Question) -> None:
    """Raise NosographError where a strategy is about one value at the time of the outcome, and so not about when events
    happen, or how often."""
    effect = question.effect
    if effect.death == "composite":
        fix = "an event with any_of, the outcome and death among its components"
        raise fail("when an event happens has no value for the dead", value=effect.text, fix=fix)
    if effect.death == "survivors":
        raise fail("survivors are not followed until they die", value=effect.text, fix="--measure risk, or strata")
    if effect.leaving == "last recorded":
        fix = "leaving: hypothetical, or treatment policy; --measure risk for what is recorded by the time"
        raise fail("when events happen is not asked of the record", value=effect.text, fix=fix)
    if effect.stopping == "while on treatment":
        fix = "stopping: treatment policy; --measure risk for events while on treatment"
        raise fail("people are followed after they stop", value=effect.text, fix=fix)


def find_followed(question: Question, journeys: Journeys) -> Tensor:
    """Whose journey goes on at the decision, and whose outcome is defined in all worlds: bool, (patients,)."""
    there = (journeys.ended_at > find_period(question).after).all(0)
    return there & ~torch.isnan(question.read_outcome(journeys)).any(0)


def check_people(question: Question, followed: NDArray[Any]) -> None:
    """Raise NosographError where fewer than two are followed."""
    if followed.sum() < 2:
        fix = "a wider population, more patients, or another time"
        raise fail("nobody is at risk at the decision", value=question.text, fix=fix)
