"""The report's figures, as inline SVG: curves by world, intervals, and a patient's timeline.

They are drawn here rather than by matplotlib so that they take the page's colours, light or dark, and stay small.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...causal.model.model import Model, Variable
from .html import WORLD_STYLES, Markup, tag
from .summaries import Array, Curve, Example, Incidence

WIDTH, HEIGHT = 320, 200
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 22, 34
MOST_BANDS = 4  # worlds whose bands can still be told apart
MOST_TRACKS = 8  # measurements of a timeline
SYMBOLS = {"1": "", "a": "years", "mo": "months", "wk": "weeks", "d": "days", "h": "hours"}


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` onto pixels from `first` to `last`."""

    low: float
    high: float
    first: float
    last: float

    def __call__(self, value: float) -> float:
        return self.first + (value - self.low) / (self.high - self.low) * (self.last - self.first)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values within the scale, 1, 2 or 5 times a power of ten apart."""
        rough = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= rough * (1 - 1e-9))
        start, stop = math.ceil(self.low / step - 1e-6), math.floor(self.high / step + 1e-6)
        return [round(n * step, 12) for n in range(start, stop + 1)]


def span(values: Array | Sequence[float]) -> tuple[float, float]:
    """The range of the finite values, never empty."""
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    reach = high - low
    if reach <= 1e-9 * max(abs(low), abs(high), 1e-300):
        reach = max(abs(low), 1.0)
        return low - reach / 2, high + reach / 2
    return low, high


def show(value: float) -> str:
    """A number for a label: three digits, or all before the point."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace("-", "−")


def show_unit(unit: str) -> str:
    """A UCUM code as people write it: no brackets, and years for `a`."""
    return SYMBOLS.get(unit, re.sub(r"[\[\]{}]", "", unit))


def world_class(number: int) -> str:
    return f"w{number % WORLD_STYLES}"


def draw_key(number: int) -> Markup:
    """The line of a world, for the legend."""
    line = tag("path", class_="curve", d="M1 6H33")
    return tag("svg", tag("g", line, class_=world_class(number)), viewBox="0 0 34 12", aria_hidden="true")


def draw_curve(curve: Curve, *, end: float, clock: str, label: str) -> Markup:
    """Mean and band by world over time from 0 to `end`; `clock` is the axis's unit, `label` what a reader hears."""
    shares = (0.0, 1.0) if curve.share else span(np.concatenate([curve.mean, curve.low, curve.high]))
    x, y = Scale(0, end, LEFT, WIDTH - RIGHT), Scale(*shares, HEIGHT - BOTTOM, TOP)
    bands, lines = [], []
    for world in range(len(curve.mean)):
        if len(curve.mean) <= MOST_BANDS and np.isfinite(curve.low[world]).any():
            bands.append(tag("g", _band(curve, world, x, y), class_=world_class(world)))
        lines.append(tag("g", *_line(curve.times, curve.mean[world], x, y), class_=world_class(world)))
    unit = "share" if curve.share else show_unit(curve.variable.unit)
    axes = _axes(x, y, unit=unit, clock=clock, percent=curve.share)
    return _svg(*axes, *bands, *lines, width=WIDTH, height=HEIGHT, label=label)


def draw_incidence(found: Incidence, *, clock: str, label: str, top: float) -> Markup:
    """Cumulative incidence by world as steps, up to the share `top`, with the numbers at risk below."""
    worlds, patients = len(found.had), found.at_risk[:, :1] + found.had[:, :1]
    height = HEIGHT + 14 * (worlds + 1)
    x, y = Scale(0, float(found.times[-1]), LEFT, WIDTH - RIGHT), Scale(0, top, HEIGHT - BOTTOM, TOP)
    parts = _axes(x, y, unit="share", clock=clock, percent=True)
    for world in range(worlds):
        share = found.had[world] / max(int(patients.max()), 1)
        steps = f"M{x(0):.1f} {y(share[0]):.1f}" + "".join(
            f"H{x(t):.1f}V{y(s):.1f}" for t, s in zip(found.times[1:], share[1:], strict=True)
        )
        parts.append(tag("g", tag("path", class_="curve", d=steps), class_=world_class(world)))
    parts.append(tag("text", "at risk", x=2, y=HEIGHT + 8, class_="strong"))
    marks = [t for t in x.ticks(5) if t <= found.times[-1]]
    places = np.searchsorted(found.times, np.asarray(marks) - 1e-9)
    for world in range(worlds):
        line = HEIGHT + 22 + 14 * world
        key = tag("path", class_="curve", d=f"M2 {line - 4}H18")
        parts.append(tag("g", key, class_=world_class(world)))
        for mark, place in zip(marks, places, strict=True):
            anchor = "end" if x(mark) > WIDTH - 24 else "middle"
            shift = WIDTH - 2 if anchor == "end" else x(mark)
            parts.append(tag("text", f"{found.at_risk[world, place]:,}", x=f"{shift:.1f}", y=line, text_anchor=anchor))
    return _svg(*parts, width=WIDTH, height=height, label=label)


def draw_interval(x: Scale, *, estimate: float, low: float, high: float, truth: float | None, naive: bool) -> Markup:
    """One row of a forest plot: an interval, its estimate, and the truth as a line through all rows. `x` is in percent
    of the cell's width."""

    def line(first: float, last: float, top: int, bottom: int, kind: str) -> Markup:
        ends = {"x1": f"{x(first):.2f}%", "x2": f"{x(last):.2f}%", "y1": str(top), "y2": str(bottom)}
        return tag("line", **ends, class_=kind)

    parts = [line(0, 0, -14, 40, "grid")] if x.low <= 0 <= x.high else []
    parts += [] if truth is None else [line(truth, truth, -14, 40, "truth")]
    parts.append(line(low, high, 13, 13, "whisker"))
    parts += [line(end, end, 9, 17, "whisker") for end in (low, high)]
    if naive:
        parts.append(tag("rect", x=f"{x(estimate):.2f}%", y=9, width=8, height=8, transform="translate(-4 0)"))
    else:
        parts.append(tag("circle", cx=f"{x(estimate):.2f}%", cy=13, r=4.5))
    return tag("svg", *parts, aria_hidden="true")


def draw_timeline(
    example: Example, world: int, *, model: Model, end: float, unit: str, shown: Sequence[str], label: str
) -> Markup:
    """What a patient's record holds in one world, a track a measurement (the base world's values beside as rings), a
    bar a treatment, and the events that happened, ringed where no record holds them."""
    width, line = 380, 4.0
    x = Scale(0, end, 46, width - 12)
    mine, base = example.timelines[world], example.timelines[0]
    stops = {model.variables[name].ends: time for time, name, _ in reversed(mine.events)}
    last, closed = stops.get("journey", end), min(stops.get("journey", end), stops.get("record", end))
    parts: list[Markup] = []
    for name in shown:
        variable = model.variables[name]
        points = mine.values.get(name, [])
        if variable.kind == "treatment" and not variable.levels:
            parts += _treatment(variable, points, x, line, closed, world)
            line += 30
            continue
        every = [value for timeline in example.timelines for _, value in timeline.values.get(name, [])]
        y = Scale(*span(every), line + 46, line + 20)
        parts += [_label(variable, line), tag("path", class_="grid", d=f"M{x.first} {line + 50}H{x.last}")]
        for value in sorted({min(every), max(every)}) if every else ():
            text = variable.levels[round(value)] if variable.levels and value == round(value) else show(value)
            parts.append(tag("text", text, x=38, y=f"{y(value) + 4:.1f}", text_anchor="end"))
        if world:
            rings = [_dot(x(t), y(v), "mark", r=3.2, fill="none") for t, v in base.values.get(name, [])]
            parts.append(tag("g", *rings, class_=f"{world_class(0)} ghost"))
        dots = [_dot(x(t), y(v), "dot", r=2.4) for t, v in points]
        path = "M" + "L".join(f"{x(t):.1f} {y(v):.1f}" for t, v in points)
        dots += [tag("path", class_="mark", d=path, fill="none", opacity=".6")] if len(points) > 1 else []
        parts.append(tag("g", *dots, class_=world_class(world)))
        line += 58
    for name in dict.fromkeys(event for timeline in example.timelines for _, event, _ in timeline.events):
        parts += [_label(model.variables[name], line), tag("path", class_="grid", d=f"M{x.first} {line + 23}H{x.last}")]
        marks = []
        for time, event, recorded in mine.events:
            if event == name:
                place, down = x(time), line + 23
                diamond = (
                    f"M{place - 5:.1f} {down}L{place:.1f} {down - 5}L{place + 5:.1f} {down}L{place:.1f} {down + 5}Z"
                )
                marks.append(tag("path", d=diamond, class_="mark dot" if recorded else "mark", fill="none"))
        parts.append(tag("g", *marks, class_=world_class(world)))
        line += 34
    if last < end:
        parts.insert(
            0, tag("rect", x=f"{x(last):.1f}", y=0, width=f"{x.last - x(last):.1f}", height=line, class_="end")
        )
    for mark in x.ticks(5):
        parts.append(tag("text", show(mark), x=f"{x(mark):.1f}", y=line + 12, text_anchor="middle"))
    parts.append(tag("text", f"time ({unit})", x=x.last, y=line + 26, text_anchor="end"))
    return _svg(*parts, width=width, height=round(line + 30), label=label)


def _treatment(
    variable: Variable, points: list[tuple[float, float]], x: Scale, line: float, closed: float, world: int
) -> list[Markup]:
    bars = []
    highest = max([value for _, value in points] + [1.0])
    for place, (time, value) in enumerate(points):
        until = min(points[place + 1][0] if place + 1 < len(points) else closed, closed)
        if value > 0 and until > time:
            height = 3 + 5 * value / highest
            box = {"x": f"{x(time):.1f}", "y": f"{line + 23 - height / 2:.1f}"}
            bars.append(tag("rect", **box, width=f"{x(until) - x(time):.1f}", height=f"{height:.1f}", class_="dot"))
    rail = tag("path", class_="grid", d=f"M{x.first} {line + 23}H{x.last}")
    return [_label(variable, line), rail, tag("g", *bars, class_=world_class(world))]


def _label(variable: Variable, line: float) -> Markup:
    text, unit = variable.title or variable.name, show_unit(variable.unit)
    text = text if len(text) <= 52 else text[:51].rstrip() + "…"
    return tag("text", text + (f", {unit}" if unit else ""), x=2, y=f"{line + 11:.1f}", class_="strong")


def _dot(x: float, y: float, kind: str, **more: object) -> Markup:
    return tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", class_=kind, **more)


def _band(curve: Curve, world: int, x: Scale, y: Scale) -> Markup:
    kept = np.isfinite(curve.low[world])
    at, low, high = curve.times[kept], curve.low[world, kept], curve.high[world, kept]
    there = [f"{x(t):.1f} {y(v):.1f}" for t, v in zip(at, high, strict=True)]
    back = [f"{x(t):.1f} {y(v):.1f}" for t, v in zip(at[::-1], low[::-1], strict=True)]
    return tag("path", class_="band", d="M" + "L".join(there + back) + "Z")


def _line(at: Array, values: Array, x: Scale, y: Scale) -> list[Markup]:
    kept = np.isfinite(values)
    points = [(x(t), y(v)) for t, v in zip(at[kept], values[kept], strict=True)]
    if not points:
        return []
    line = tag("path", class_="curve", d="M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points))
    dots = [_dot(a, b, "dot", r=2.2) for a, b in points] if len(points) <= 30 else []
    return [line, *dots]


def _axes(x: Scale, y: Scale, *, unit: str, clock: str, percent: bool) -> list[Markup]:
    parts = []
    for mark in y.ticks(5):
        text = f"{100 * mark:.3g}%" if percent else show(mark)
        parts.append(tag("path", class_="grid", d=f"M{x.first:.1f} {y(mark):.1f}H{x.last:.1f}"))
        parts.append(tag("text", text, x=f"{x.first - 5:.1f}", y=f"{y(mark) + 4:.1f}", text_anchor="end"))
    for mark in x.ticks(5):
        parts.append(tag("path", class_="axis", d=f"M{x(mark):.1f} {y.first:.1f}v4"))
        parts.append(tag("text", show(mark), x=f"{x(mark):.1f}", y=f"{y.first + 16:.1f}", text_anchor="middle"))
    parts.append(tag("path", class_="axis", d=f"M{x.first:.1f} {y.first:.1f}H{x.last:.1f}"))
    parts.append(tag("text", unit, x=2, y=10, class_="strong"))
    parts.append(tag("text", f"time ({clock})", x=x.last, y=f"{y.first + 30:.1f}", text_anchor="end"))
    return parts


def _svg(*parts: Markup, width: int, height: int, label: str) -> Markup:
    return tag("svg", *parts, viewBox=f"0 0 {width} {height}", role="img", aria_label=label)
