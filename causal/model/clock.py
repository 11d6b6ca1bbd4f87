"""The clock of a document, and the schedules of its measurements in steps of that clock."""

from __future__ import annotations

from ...errors import fail
from .duration import parse_duration, parse_step, parse_steps
from .model import Clock, Schedule

MAXIMUM_STEPS = 1_000_000
TOLERANCE = 1e-6  # in steps: the floating-point error allowed for a whole number of steps


def parse_clock(step: str, horizon: str, unit: str) -> Clock:
    """The clock of a document. Raises NosographError if the horizon is not a whole number of steps."""
    clock = Clock(parse_duration(step), parse_duration(horizon), parse_duration(f"1 {unit}"), (step, horizon, unit))
    if clock.step <= 0:
        raise fail("the step must be longer than 0", fix="step: 1 month", value=step)
    ratio = clock.horizon / clock.step
    if not 0.5 < ratio <= MAXIMUM_STEPS or abs(ratio - round(ratio)) > TOLERANCE * max(1.0, ratio):
        raise fail(
            f"the horizon must be a whole number of steps, from 1 to {MAXIMUM_STEPS:,}",
            fix=f"a horizon that is a multiple of {step}",
            value=f"horizon {horizon}, step {step}",
        )
    return clock


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
