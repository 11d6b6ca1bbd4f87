"""The clock of a document: its steps, the times of tables in them, and the schedules of measurements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import fail
from .duration import TOLERANCE, is_whole, parse_duration, parse_step, parse_steps, write_time
from .model import Clock, Schedule

MAXIMUM_STEPS = 1_000_000


def parse_clock(step: str, horizon: str, unit: str) -> Clock:
    """The clock of a document. A horizon that is no whole number of steps ends at the last whole step before it.

    Raises NosographError for a horizon shorter than a step or of too many steps.
    """
    length, asked = parse_duration(step), parse_duration(horizon)
    if length <= 0:
        raise fail("the step must be longer than 0", fix="step: 1 month", value=step)
    ratio = asked / length
    if not 1 - TOLERANCE <= ratio <= MAXIMUM_STEPS + TOLERANCE:
        raise fail(
            f"the horizon must be from 1 to {MAXIMUM_STEPS:,} steps",
            fix=f"a horizon of at least {step}" if ratio < 1 else "a longer step, or a shorter horizon",
            value=f"horizon {horizon}, step {step}",
        )
    clock = Clock(length, asked, parse_duration(f"1 {unit}"), (step, horizon, unit))
    if is_whole(ratio):
        return clock
    steps = math.floor(ratio)
    return replace(clock, horizon=steps * length, shortened=write_time(steps, clock=clock))


def write_steps(clock: Clock) -> str:
    """The steps of a clock in words: "10 years in 120 steps of 1 month", and the horizon if the last step is before
    it."""
    short = f", the last before {clock.text[1]}" if clock.shortened else ""
    return f"{clock.end} in {clock.steps} steps of {clock.text[0]}{short}"


def times_of(steps: Sequence[int] | NDArray[Any], *, clock: Clock) -> NDArray[np.float64]:
    """The steps' times in the clock's unit, as all tables have them."""
    return round_times(np.asarray(steps, dtype=np.float64) * clock.step / clock.unit, clock=clock)


def round_times(times: Sequence[float] | NDArray[Any], *, clock: Clock) -> NDArray[np.float64]:
    """Times in the clock's unit, rounded to a billionth of it, or to a millionth of a step if that is less."""
    exact: NDArray[np.float64] = np.asarray(times, dtype=np.float64)
    return exact.round(max(9, 6 + math.ceil(-math.log10(clock.dt))))


def time_of(step: int, *, clock: Clock) -> float:
    """The time of one step, as `times_of` gives it."""
    return float(times_of([step], clock=clock)[0])


def limit_of(steps: float, *, clock: Clock) -> float:
    """The greatest time, in the clock's unit, that is at or before an instant given in steps."""
    return (steps + TOLERANCE) * clock.dt


def steps_at(times: NDArray[Any] | Sequence[float], *, clock: Clock) -> NDArray[np.int64]:
    """The steps at these times, in the clock's unit, which are on the grid."""
    return np.rint(np.asarray(times, dtype=np.float64) / clock.dt).astype(np.int64)


def steps_around(times: NDArray[Any] | Sequence[float], *, clock: Clock) -> NDArray[np.int64]:
    """The steps k that contain these times, in the clock's unit: in (t - dt, t], t being k dt."""
    return np.ceil(np.asarray(times, dtype=np.float64) / clock.dt - TOLERANCE).astype(np.int64)


def parse_schedule(text: str, *, clock: Clock) -> Schedule | None:
    """`every 6 months`, `every 6 months from 12 months` or `at 0, 6, 18 months` as steps; None if the text is not
    a schedule but an expression. Raises NosographError for times off the grid or beyond the horizon."""
    head, _, rest = text.strip().partition(" ")
    if head == "every":
        interval, _, first = rest.partition(" from ")
        interval = interval if interval.strip()[:1].isdigit() else f"1 {interval}"
        every = parse_step(interval, clock=clock)
        if every == 0:
            raise fail("a schedule needs an interval", fix="every 1 month", value=text)
        return Schedule(every=every, first=parse_step(first, clock=clock) if first else 0, text=text.strip())
    if head == "at":
        times = rest.split(",")
        if times[-1].strip() == "0":  # zero needs no unit
            times[-1] = f"0 {clock.text[2]}"
        steps = parse_steps(times, clock=clock)
        if len(set(steps)) != len(steps):
            raise fail("duplicate time", fix="at 0, 6, 18 months", value=text)
        return Schedule(at=tuple(sorted(steps)), text=text.strip())
    return None
