"""Durations as people write them, and the steps they fall on."""

from __future__ import annotations

import re

from ...errors import fail, nearest
from .model import Clock

YEARS = {"year": 1.0, "month": 1 / 12, "week": 7 / 365.25, "day": 1 / 365.25, "hour": 1 / 8766, "minute": 1 / 525_960}
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
    """The step at `text` after the start. Raises NosographError for a time off the grid or past the horizon."""
    return parse_steps([text], clock=clock)[0]


def parse_steps(texts: list[str], *, clock: Clock) -> tuple[int, ...]:
    """The steps of several durations; a bare number takes the unit of the next duration with one ("6 to 18 months")."""
    steps: list[int] = []
    unit = ""
    for text in reversed(texts):
        match = DURATION.fullmatch(text)
        unit = match["unit"] if match else unit
        years = parse_duration(text if match or not unit else f"{text} {unit}")
        exact = years / clock.step
        if exact > clock.steps + 0.5:
            raise fail("time past the horizon", value=text, fix=f"at most {clock.text[1]}")
        step = round(exact)
        if abs(exact - step) > 1e-6 * max(1.0, exact):
            raise fail("time off the grid of steps", value=text, fix=f"a multiple of {clock.text[0]}")
        steps.append(step)
    return tuple(reversed(steps))
