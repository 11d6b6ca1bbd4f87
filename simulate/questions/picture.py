"""Twin timelines as a picture: one patient, or a posterior, in several worlds. Worlds differ in colour (Okabe & Ito
2008, for all eyes), in dashes and in markers."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...causal.explain.picture import FONT, measure_text, write_picture
from .timelines import Band, Numbers, TimelineEvent, Timelines, TimelineVariable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

VARIABLES = 8  # panels at most
PROBABILITIES = 4  # of events
WIDTH = 7.4  # inches, as all lengths below
LEFT, RIGHT, GAP = 0.75, 0.2, 0.8
PANEL, BETWEEN, LANE = 1.15, 0.62, 0.21
LANE_LABEL = 1.9
FACTUAL = "#222222"
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
DASHES: tuple[Any, ...] = ((0, (5, 1.4)), (0, (1.6, 1.1)), (0, (6, 1.4, 1.6, 1.4)), (0, (3, 1.2)))
MARKERS = "oDs^vP"
SMALL, TINY = 8.0, 7.5  # points
LOOK: dict[str, Any] = {
    "font.family": [FONT],
    "font.size": TINY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8a8a",
    "axes.linewidth": 0.7,
    "xtick.color": "#8a8a8a",
    "ytick.color": "#8a8a8a",
    "xtick.labelcolor": "#333333",
    "ytick.labelcolor": "#333333",
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
}


@dataclass(frozen=True)
class _Style:
    """How a world looks."""

    name: str
    color: str
    dashes: Any
    marker: str
    place: int  # 0 is the factual one


def draw_twins(timelines: Timelines, path: str | Path) -> Path:
    """Write twin timelines as `.svg`, `.png` or `.pdf`, the same bytes each time. Raises NosographError otherwise."""
    return write_picture(lambda: figure_twins(timelines), path)


def figure_twins(timelines: Timelines) -> Figure:
    """The picture as a matplotlib figure, without pyplot: what was done and what happened on lanes, then up to eight
    variables, those that the worlds change most first, then the probabilities of events.

    What can be found in it has an id: `lanes`, `variable-NAME` and `event-NAME`.
    """
    import matplotlib.style

    with matplotlib.style.context(["default", LOOK]):
        figure = _draw(timelines)
        figure.draw_without_rendering()  # ticks are made when they are first drawn, and take the settings of then
        return figure


def choose_variables(timelines: Timelines) -> list[TimelineVariable]:
    """The variables to show: those that differ between worlds, the most changed first, then those with evidence; all
    where there are none of these. Eight at most."""
    change = {variable.name: measure_change(variable) for variable in timelines.variables}
    told = [v for v in timelines.variables if change[v.name] > 0 or v.evidence] or list(timelines.variables)
    return sorted(told, key=lambda v: -change[v.name])[:VARIABLES]  # sorting keeps the order of equals


def measure_change(variable: TimelineVariable) -> float:
    """The greatest difference from the first world, as a share of the range that the variable has in the picture."""
    bands = list(variable.worlds.values())
    values = np.concatenate([np.ravel(edge) for band in bands for edge in (band.low, band.high)])
    values = values[np.isfinite(values)]
    span = float(np.ptp(values)) if len(values) else 0.0
    if span == 0:
        return 0.0
    differences = [np.abs(band.middle - bands[0].middle) for band in bands[1:]]
    return max((float(np.nanmax(d)) / span for d in differences if np.isfinite(d).any()), default=0.0)


def _draw(timelines: Timelines) -> Figure:
    from matplotlib.figure import Figure

    timelines, worlds = _trim(timelines), _dress_worlds(timelines)
    variables, chances = choose_variables(timelines), _choose_chances(timelines)
    panels = len(variables) + len(chances)
    columns = 1 if panels <= 2 else 2
    rows = -(-panels // columns)
    legend = _list_keys(timelines, worlds)
    keys = _break_rows([label for _, label in legend], width=WIDTH - LEFT)
    title = textwrap.wrap(timelines.title, 80)
    lanes = _count_lanes(timelines)
    lane_height = lanes * LANE + 0.5 if lanes else 0.0
    head = 0.22 * len(title) + 0.2 * len(keys) + 0.2
    height = head + lane_height + rows * (PANEL + BETWEEN) + 0.12
    figure = Figure(figsize=(WIDTH, height), dpi=100, facecolor="white")

    def place(left: float, top: float, width: float, tall: float) -> Axes:
        return figure.add_axes((left / WIDTH, 1 - (top + tall) / height, width / WIDTH, tall / height))

    for i, line in enumerate(title):
        y = 1 - (0.2 + 0.22 * i) / height
        figure.text(0.12 / WIDTH, y, line, size=11, weight="bold", va="center", parse_math=False)
    _draw_keys(figure, legend, keys, top=0.22 * len(title) + 0.18, height=height)
    if lanes:
        axes = place(LANE_LABEL, head + 0.08, WIDTH - LANE_LABEL - RIGHT, lanes * LANE)
        _draw_lanes(axes, timelines, worlds, lanes)
    width = (WIDTH - LEFT - RIGHT - (columns - 1) * GAP) / columns
    items: list[TimelineVariable | list[TimelineEvent]] = [*variables, *chances]
    for index, item in enumerate(items):
        row, column = divmod(index, columns)
        top = head + lane_height + row * (PANEL + BETWEEN) + 0.24
        axes = place(LEFT + column * (width + GAP), top, width, PANEL)
        if isinstance(item, TimelineVariable):
            _draw_variable(axes, item, timelines, worlds)
        else:
            _draw_chance(axes, item, timelines, worlds)
        _frame(axes, timelines, worlds, label=index + columns >= panels)
    return figure


def _trim(timelines: Timelines) -> Timelines:
    """Without the time in which nobody lives in any world."""
    living = np.zeros(len(timelines.times), dtype=bool)
    for band in (band for variable in timelines.variables for band in variable.worlds.values()):
        living |= np.isfinite(band.middle)
    if not living.any() or living[-1]:
        return timelines
    kept = min(int(np.flatnonzero(living)[-1]) + 2, len(living))
    kept = min(kept + kept // 20, len(living))
    variables = tuple(
        replace(v, worlds={name: _cut(band, kept) for name, band in v.worlds.items()}) for v in timelines.variables
    )
    events = tuple(
        replace(e, probability=None if e.probability is None else e.probability[:kept]) for e in timelines.events
    )
    return replace(timelines, times=timelines.times[:kept], variables=variables, events=events)


def _cut(band: Band, kept: int) -> Band:
    return Band(band.low[:kept], band.middle[:kept], band.high[:kept])


def _dress_worlds(timelines: Timelines) -> dict[str, _Style]:
    """A look for each world, in the order of the variables' worlds: the factual one first."""
    names = dict.fromkeys(name for variable in timelines.variables for name in variable.worlds)
    names |= dict.fromkeys([e.world for e in timelines.events] + [i.world for i in timelines.interventions])
    looks = {}
    for i, name in enumerate(names):
        color = FACTUAL if i == 0 else COLORS[(i - 1) % len(COLORS)]
        dashes = "solid" if i == 0 else DASHES[(i - 1) % len(DASHES)]
        looks[name] = _Style(name, color, dashes, MARKERS[i % len(MARKERS)], i)
    return looks


def _choose_chances(timelines: Timelines) -> list[list[TimelineEvent]]:
    """The events that are known by their probability, each in all its worlds, the likeliest first."""
    groups: dict[str, list[TimelineEvent]] = {}
    for event in timelines.events:
        if event.probability is not None:
            groups.setdefault(event.name, []).append(event)

    def highest(group: Sequence[TimelineEvent]) -> float:
        return max(float(np.nanmax(e.probability)) for e in group if e.probability is not None)

    likely = [group for group in groups.values() if highest(group) > 0]
    return sorted(likely, key=highest, reverse=True)[:PROBABILITIES]


def _dated(timelines: Timelines) -> dict[str, list[TimelineEvent]]:
    """The events with a date in some world, by name."""
    found: dict[str, list[TimelineEvent]] = {}
    for event in timelines.events:
        if event.time is not None:
            found.setdefault(event.name, []).append(event)
    return found


def _count_lanes(timelines: Timelines) -> int:
    return len(timelines.interventions) + len(_dated(timelines))


def _draw_lanes(axes: Axes, timelines: Timelines, worlds: dict[str, _Style], lanes: int) -> None:
    """A lane an intervention, with a bar while it acts; then a lane an event, with a marker a world."""
    first, last = float(timelines.times[0]), float(timelines.times[-1])
    axes.set_gid("lanes")
    axes.set_xlim(first, last)
    axes.set_ylim(lanes, 0)
    labels = []
    for lane, item in enumerate(timelines.interventions):
        start, stop = max(item.start, first), min(item.stop, last)
        look = worlds[item.world]
        axes.barh(lane + 0.5, max(stop - start, (last - first) / 250), left=start, height=0.72, color=look.color,
                  alpha=0.28, edgecolor=look.color, linewidth=0)  # fmt: skip
        late = start > first + 0.55 * (last - first)
        words = textwrap.shorten(item.text, 88, placeholder=" …")
        _write(
            axes, (stop if late else start), lane + 0.5, words, ha="right" if late else "left", shift=-3 if late else 3
        )
        labels.append((item.world, look.color))
    for lane, group in enumerate(_dated(timelines).values(), start=len(labels)):
        axes.axhline(lane + 0.5, color="#d5d5d5", linewidth=0.6, zorder=0)
        for event in group:
            look = worlds[event.world]
            y = lane + 0.5 + (look.place - (len(worlds) - 1) / 2) * min(0.34, 0.7 / len(worlds))
            axes.plot(
                [float(event.time or 0)],
                [y],
                look.marker,
                color=look.color,
                markersize=4.2 if len(worlds) < 4 else 3.2,
                clip_on=False,
            )
        labels.append((group[0].title or group[0].name, "black"))
    for lane, (words, color) in enumerate(labels):
        axes.annotate(
            _fit(words, LANE_LABEL - 0.2, TINY), (0, lane + 0.5), xycoords=("axes fraction", "data"),
            xytext=(-5, 0), textcoords="offset points", ha="right", va="center", color=color, parse_math=False,
        )  # fmt: skip
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(_tell_time(timelines.unit), size=TINY, labelpad=1)


def _draw_variable(axes: Axes, variable: TimelineVariable, timelines: Timelines, worlds: dict[str, _Style]) -> None:
    axes.set_gid(f"variable-{_identify(variable.name)}")
    stepped = bool(variable.levels) or _is_switch(variable)
    for name, band in variable.worlds.items():
        _draw_band(axes, timelines.times, band, worlds[name], stepped=stepped)
        ends = [e.time for e in timelines.events if e.world == name and e.ends == "journey" and e.time is not None]
        alive = np.flatnonzero(np.isfinite(band.middle))
        if ends and len(alive):
            x, y = ends[0], band.middle[alive[-1]]
            axes.plot(
                [x], [y], "x", color=worlds[name].color, markersize=5, markeredgewidth=1.4, zorder=5, clip_on=False
            )
    if variable.evidence:
        times, values = zip(*variable.evidence, strict=True)
        axes.plot(times, values, "o", markerfacecolor="white", markeredgecolor="black", markeredgewidth=0.9,
                  markersize=3.6 if len(times) <= 30 else 2.4, zorder=6, clip_on=False)  # fmt: skip
    if variable.levels:
        axes.set_yticks(range(len(variable.levels)), [level.replace("_", " ") for level in variable.levels])
        axes.set_ylim(-0.35, len(variable.levels) - 0.65)
    elif stepped:
        axes.set_yticks([0, 1], ["no", "yes"])
        axes.set_ylim(-0.25, 1.25)
    else:
        axes.margins(y=0.08)
        axes.locator_params(axis="y", nbins=4)
        axes.ticklabel_format(axis="y", useOffset=False)
    _title(axes, variable.title or variable.name, _tell_unit(variable.unit))


def _draw_chance(axes: Axes, group: Sequence[TimelineEvent], timelines: Timelines, worlds: dict[str, _Style]) -> None:
    axes.set_gid(f"event-{_identify(group[0].name)}")
    top = 0.0
    for event in group:
        assert event.probability is not None
        _draw_band(axes, timelines.times, Band(*[event.probability] * 3), worlds[event.world], stepped=False)
        top = max(top, float(np.nanmax(event.probability)))
    axes.set_ylim(0, min(1.0, 1.15 * top) if top < 0.8 else 1.02)
    axes.locator_params(axis="y", nbins=4)
    _title(axes, group[0].title or group[0].name, "probability by then")


def _draw_band(axes: Axes, times: Numbers, band: Band, look: _Style, *, stepped: bool) -> None:
    style: Any = "steps-post" if stepped else "default"
    if not band.exact and not np.array_equal(band.low, band.high, equal_nan=True):
        axes.fill_between(times, band.low, band.high, color=look.color, alpha=0.16, linewidth=0,
                          step="post" if stepped else None)  # fmt: skip
    axes.plot(times, band.middle, color=look.color, linestyle=look.dashes, linewidth=1.5 if look.place else 1.8,
              drawstyle=style, zorder=3 + 0.01 * look.place, solid_capstyle="butt")  # fmt: skip


def _frame(axes: Axes, timelines: Timelines, worlds: dict[str, _Style], *, label: bool) -> None:
    """The time axis, and the windows of interventions in the colours of their worlds."""
    first, last = float(timelines.times[0]), float(timelines.times[-1])
    axes.set_xlim(first, last)
    windows = [(worlds[i.world], max(i.start, first), min(i.stop, last)) for i in timelines.interventions]
    windows = [window for window in windows if window[1:] != (first, last) and window[1] < last]  # not what always acts
    for look, start, stop in windows:
        for edge in (start, stop) if stop < last else (start,):
            axes.axvline(edge, color=look.color, alpha=0.5, linewidth=0.7, zorder=1)
        if len({window[0].name for window in windows}) == 1:  # the tints of several would mix
            axes.axvspan(start, stop, color=look.color, alpha=0.07, linewidth=0, zorder=0)
    axes.locator_params(axis="x", nbins=6)
    if label:
        axes.set_xlabel(_tell_time(timelines.unit), size=TINY, labelpad=1)


def _list_keys(timelines: Timelines, worlds: dict[str, _Style]) -> list[tuple[Line2D, str]]:
    from matplotlib.lines import Line2D

    dated = bool(_dated(timelines))
    keys: list[tuple[Line2D, str]] = [
        (Line2D([], [], color=w.color, linestyle=w.dashes, linewidth=1.8, marker=w.marker if dated else "",
                markersize=4.2), w.name)
        for w in worlds.values()
    ]  # fmt: skip
    if any(variable.evidence for variable in timelines.variables):
        point = Line2D([], [], linestyle="", marker="o", markerfacecolor="white", markeredgecolor="black", markersize=4)
        keys.append((point, "observed"))
    if any(event.ends == "journey" and event.time is not None for event in timelines.events):
        keys.append((Line2D([], [], linestyle="", marker="x", color="#555555", markeredgewidth=1.4, markersize=5),
                     "the journey ends"))  # fmt: skip
    return keys


def _break_rows(labels: Sequence[str], *, width: float) -> list[list[int]]:
    """Which labels stand in which row of the legend, so that each row fits."""
    rows: list[list[int]] = [[]]
    used = 0.0
    for i, label in enumerate(labels):
        wide = 0.62 + 0.068 * min(len(label), 60)
        if rows[-1] and used + wide > width:
            rows.append([])
            used = 0.0
        rows[-1].append(i)
        used += wide
    return rows


def _draw_keys(
    figure: Figure, keys: Sequence[tuple[Any, str]], rows: list[list[int]], *, top: float, height: float
) -> None:
    for i, row in enumerate(rows):
        handles = [keys[k][0] for k in row]
        labels = [textwrap.shorten(keys[k][1], 60, placeholder=" …") for k in row]
        corner = (0.06 / WIDTH, 1 - (top + 0.2 * i) / height)
        legend = figure.legend(handles, labels, loc="upper left", bbox_to_anchor=corner, ncols=len(row), frameon=False,
                               fontsize=SMALL, handlelength=2.6, borderpad=0.2, columnspacing=1.6)  # fmt: skip
        for text in legend.get_texts():
            text.set_parse_math(False)


def _write(axes: Axes, x: float, y: float, words: str, *, ha: str, shift: float) -> None:
    axes.annotate(words, (x, y), xytext=(shift, 0), textcoords="offset points", ha=ha, va="center", size=TINY,
                  parse_math=False, annotation_clip=False)  # fmt: skip


def _title(axes: Axes, title: str, unit: str) -> None:
    width = axes.get_position().width * WIDTH - (measure_text(unit, TINY) + 0.12 if unit else 0)
    axes.annotate(_fit(title, width, SMALL, bold=True), (0, 1), xycoords="axes fraction", xytext=(0, 6),
                  textcoords="offset points", size=SMALL, weight="bold", va="bottom", parse_math=False)  # fmt: skip
    axes.annotate(unit, (1, 1), xycoords="axes fraction", xytext=(0, 6), textcoords="offset points", size=TINY,
                  color="#555555", ha="right", va="bottom", parse_math=False)  # fmt: skip


def _fit(words: str, width: float, size: float, *, bold: bool = False) -> str:
    """As much as fits into `width` inches: all of it, else what stands before a comma or a bracket, else a part."""
    if measure_text(words, size, bold=bold) <= width:
        return words
    kept = re.split(r",| \(", words)[0]
    shown = kept
    while measure_text(shown, size, bold=bold) > width and len(kept) > 1:
        kept = kept[:-1]
        shown = f"{kept.rstrip()}…"
    return shown


def _is_switch(variable: TimelineVariable) -> bool:
    """Whether it is off or on, and known: a treatment, as a rule."""
    values = np.concatenate([band.middle for band in variable.worlds.values()])
    exact = all(np.array_equal(band.low, band.high, equal_nan=True) for band in variable.worlds.values())
    return exact and bool(np.isin(values[np.isfinite(values)], (0, 1)).all())


def _tell_unit(unit: str) -> str:
    """A UCUM unit in words: `[Centiloid]` and `{score}` without their brackets, and no unit for a pure number."""
    return "" if unit == "1" else re.sub(r"[\[\]{}]", "", unit)


def _tell_time(unit: str) -> str:
    return f"time, {unit}s" if not unit.endswith("s") else f"time, {unit}"


def _identify(name: str) -> str:
    return re.sub(r"[^\w-]", "-", name)
