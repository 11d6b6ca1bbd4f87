"""Durations as people write them, and the steps they fall on."""

from __future__ import annotations

import re
from decimal import Decimal

from ...errors import fail, nearest
from .model import Clock

YEARS = {"year": 1.0, "month": 1 / 12, "week": 7 / 365.25, "day": 1 / 365.25, "hour": 1 / 8766, "minute": 1 / 525_960}
TOLERANCE = 1e-6  # of a step: the rounding error allowed wherever a time is compared with a step
GRID = 0.01  # of a step: the error allowed in a time that a person wrote with few decimals
DURATION = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[A-Za-z]+)\s*")


def parse_duration(text: str) -> float:
    """The duration in years (12 months, 365.25 days). Raises NosographError for anything but a number and a unit."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise fail("a duration is a number and a unit of time", value=text, fix="18 months")
    unit = match["unit"].removesuffix("s").lower()
    if unit not in YEARS:
        raise fail(
            f"{match['unit']!r} is not a unit of time",
            value=text,
            fix=f"{match['number']} {nearest(unit, YEARS) or 'months'}",
        )
    return float(match["number"]) * YEARS[unit]


def parse_step(text: str, *, clock: Clock) -> int:
    """The step at `text` after the start. Raises NosographError for a time off the grid or past the last step."""
    return parse_steps([text], clock=clock)[0]


def parse_steps(texts: list[str], *, clock: Clock) -> tuple[int, ...]:
    """The steps of several durations; a bare number takes the unit of the next duration with one ("6 to 18 months")."""
    steps: list[int] = []
    unit = ""
    for text in reversed(texts):
        match = DURATION.fullmatch(text)
        unit = match["unit"] if match else unit
        exact = parse_instant(text if match or not unit else f"{text} {unit}", clock=clock)
        if not exact.is_integer():
            near = write_time(min(max(round(exact), 1), clock.steps), clock=clock)
            raise fail("time off the grid of steps", value=text, fix=f"a multiple of {clock.text[0]}, such as {near}")
        steps.append(int(exact))
    return tuple(reversed(steps))


def parse_instant(text: str, *, clock: Clock) -> float:
    """The time at `text` after the start, in steps: a whole number where it is on the grid. Raises NosographError for
    a time past the last step."""
    exact = parse_duration(text) / clock.step
    if exact > clock.steps + TOLERANCE:
        raise fail("time past the horizon", value=text, fix=f"at most {clock.end}")
    return float(round(exact)) if is_whole(exact) else exact


def is_whole(steps: float) -> bool:
    """Whether a time in steps is on the grid, up to the rounding of floating-point numbers."""
    return abs(steps - round(steps)) <= TOLERANCE


def write_time(steps: float, *, clock: Clock) -> str:
    """A time, given in steps, in the unit in which the step is written: "18 months", "0.3 minutes". It is exact, and
    can be read again, where the steps are whole."""
    match = DURATION.fullmatch(clock.text[0])
    assert match is not None
    number, unit = Decimal(match["number"]) * Decimal(str(round(steps, 6))), match["unit"].removesuffix("s")
    return f"{number.normalize():f} {unit}" + ("" if number == 1 else "s")


def describe_time(step: float, clock: Clock) -> str:
    """`6 months` for step 6 of a clock of `1 month`; `the start` for step 0."""
    return write_time(step, clock=clock) if step else "the start"
