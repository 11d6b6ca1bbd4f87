"""The report's results: effects against the truth, journeys as curves, events as incidences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...causal.effects.examine import DECIDING
from ...causal.model.model import Variable
from ...simulate.cohort import Run
from .figures import MOST_BANDS, Scale, draw_curve, draw_incidence, draw_interval, draw_key, show, show_unit, span
from .html import Markup, count_of, join, table, tag
from .summaries import Curve, Incidence, count_events, count_followed, follow, name_worlds

MOST_PANELS = 40
MOST_SHARES = 12  # of these, curves of states that are 0 or 1: the others are in a table
Document = dict[str, Any]


def run_end(run: Run) -> float:
    """The last time of the run, in the clock's unit."""
    return float(int(run.manifest["steps"]) * run.model.clock.dt)


def clock_unit(run: Run) -> str:
    return run.model.clock.text[2] + "s"


def legend(run: Run) -> Markup:
    items = [tag("li", draw_key(number), name) for number, name in enumerate(name_worlds(run))]
    return tag("ul", *items, class_="legend", aria_label="Worlds")


def name_of(variable: Variable) -> str:
    return variable.title or variable.name


def caption(variable: Variable, detail: str = "", title: str = "") -> Markup:
    concept = f"{variable.concept}. " if variable.concept else ""
    words = join(
        tag("strong", title or name_of(variable)), tag("br"), tag("code", variable.name), f" {concept}{detail}"
    )
    return tag("figcaption", words)


# --- effects ----------------------------------------------------------------------------------------------------------


def tell_effects(run: Run, examined: Document | None) -> Markup:
    if examined is None and not run.model.effects:
        return tag("p", "The model declares no effects, and no verification is kept with this run.")
    if examined is None:
        command = tag("code", "nosograph verify .")
        words = " in this folder examines the model's declared effects on its record."
        return tag("p", "No verification is kept with this run. ", command, words)
    effects = examined["effects"]
    tested = [effect for effect in effects if effect["recovered"] is not None]
    found = sum(effect["recovered"] for effect in tested)
    intro = (
        f"The true effects come from pairs of worlds that share their noise. DoWhy got the causal graph and the record "
        f"of {examined['patients']:,} patients (seed {examined['seed']}) alone. Of {count_of(len(effects), 'effect')}, "
        f"{len(tested)} could be asked of the record, and {found} came back. Intervals are individual 95% ones. "
        f"The verdict rests on the {DECIDING[0]} and the {DECIDING[1]}, which are consistent when effects differ "
        f"between people, at wider intervals: an honest table fails once in a thousand times."
    )
    return join(tag("p", intro), *(draw_effect(effect) for effect in effects))


def verdict_of(effect: Document) -> Markup:
    """What came of an effect, in words."""
    if not effect["identifiable"]:
        kind, words = "open", f"Not identifiable from the record: {effect['reason'].removeprefix('not identifiable: ')}"
    elif effect["recovered"] is None:
        reason = effect["reason"] or "there is no truth to compare with"
        kind, words = "open", reason[0].upper() + reason[1:] if effect["estimates"] else f"Not asked: {reason}"
    else:
        kind, words = ("good", "✓ Recovered") if effect["recovered"] else ("bad", "✗ Missed by the adjusted estimates")
        if effect["naive_misses"] is not None:
            words += ", and missed without adjustment" if effect["naive_misses"] else ", and not missed without either"
    return tag("p", words.rstrip(".") + ".", class_=f"verdict {kind}")


def draw_effect(effect: Document) -> Markup:
    """A card: the verdict, the estimates with their intervals against the truth, and the refutations."""
    rows = [("without adjustment", effect["naive"], None)] if effect["naive"] else []
    rows += [("complete cases, unweighted", effect["complete_cases"], None)] if effect.get("complete_cases") else []
    rows += [(found["method"], found, found["covers"]) for found in effect["estimates"]]
    parts = [tag("h3", effect["effect"]), verdict_of(effect)]
    parts += [tag("p", effect["strategies"].capitalize() + ".")] if effect.get("strategies") else []
    truth, compared_with = effect["truth"], effect.get("compared_with", "truth")
    if rows:
        digits = count_digits([found["interval"] for _, found, _ in rows])
        ends = [value for _, found, _ in rows for value in found["interval"]]
        low, high = span([*ends, *([] if truth is None else [truth])])
        x = Scale(low - 0.06 * (high - low), high + 0.06 * (high - low), 0, 100)
        lines = [draw_estimate(name, found, covers, truth=truth, x=x, digits=digits) for name, found, covers in rows]
        value = "not computed" if truth is None else f"{truth:+.{digits}f}".replace("-", "−")
        top = tag("tr", tag("th", compared_with, scope="row"), tag("td", class_="plot"), tag("td", value))
        marks = [tag("span", show(mark), style=f"left:{x(mark):.1f}%") for mark in x.ticks(4)]
        scale = tag("td", tag("div", *marks, class_="scale"), class_="plot", aria_hidden="true")
        foot = tag("tr", tag("td"), scale, tag("td"))
        parts.append(tag("table", tag("tbody", top, *lines, foot), class_="forest"))
    elif truth is not None:
        parts.append(tag("p", f"The {compared_with} is {truth:+.4g}.".replace("-", "−")))
    return tag("article", *parts, tell_analysis(effect), class_="card")


def draw_estimate(
    name: str, found: Document, covers: bool | None, *, truth: float | None, x: Scale, digits: int
) -> Markup:
    low, high = found["interval"]
    plot = draw_interval(x, estimate=found["estimate"], low=low, high=high, truth=truth, naive=covers is None)
    value, interval = (
        text.replace("-", "−")
        for text in (f"{found['estimate']:+.{digits}f} ", f"({low:+.{digits}f} to {high:+.{digits}f})")
    )
    inside = covers if covers is not None else truth is None or low <= truth <= high
    mark = "" if inside else tag("span", " misses the truth", class_="soft")
    cells = (
        tag("th", name, scope="row"),
        tag("td", plot, class_="plot"),
        tag("td", value, tag("span", interval, class_="together"), mark),
    )
    return tag("tr", *cells, class_="naive" if covers is None else None)


def count_digits(intervals: list[list[float]]) -> int:
    """Decimals that leave three digits of the narrowest interval's width."""
    widths = [high - low for low, high in intervals if 0 < high - low < math.inf]
    return min(6, max(0, 2 - math.floor(math.log10(min(widths))))) if widths else 3


def tell_analysis(effect: Document) -> Markup:
    parts = []
    if effect["refutations"]:
        marks = {True: "passed", False: "failed", None: "a measure, no test"}
        rows: list[list[object]] = [
            [item["name"], show(item["value"]), marks[item["passed"]]] for item in effect["refutations"]
        ]
        failed = sum(item["passed"] is False for item in effect["refutations"])
        title = f"Refutations of DoWhy's linear regression: {f'{failed} failed' if failed else 'none failed'}"
        parts.append(tag("details", tag("summary", title), table(["refuter", "value", ""], rows)))
    people = f"{effect['rows']:,} people in the analysis"
    if effect["left_out"]:
        people += f"; {effect['left_out']:.1%} left out, without a treatment or an outcome"
    adjusted = f". Adjusted for {', '.join(effect['adjustment'])}" if effect["adjustment"] else ""
    return join(*parts, tag("p", people, adjusted, ".", class_="soft"))


# --- journeys and events ----------------------------------------------------------------------------------------------


def name_some(names: Sequence[str], most: int = 12) -> str:
    """The first of many names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def tell_journeys(run: Run) -> Markup:
    held = set(run.truth_columns())
    kinds = ("state", "measurement", "treatment")
    ordered = [v for kind in kinds for v in run.model.variables.values() if v.kind == kind]
    shown = [variable for variable in ordered if variable.name in held]
    absent = [variable.name for variable in ordered if variable.name not in held]
    found = [curve for variable in shown for curve in follow(run, variable)]
    curves, findings = choose_curves(found)
    valued = {curve.variable.name for curve in found}
    empty = [variable.name for variable in shown if variable.name not in valued]
    told = {curve.variable.name for curve in findings}
    left = [title_of_curve(c) for c in found if c not in curves and not {c.variable.name, c.variable.of} & told]
    followed = count_followed(run)
    whom = "all patients" if followed == len(run) else f"the first {followed:,} of {len(run):,} patients"
    notes = f"Mean of those alive, with the band from the 10th to the 90th percentile; over {whom}. "
    notes += "Measurements are those that were due, the missed ones included; shares have no band."
    notes += (
        " So many bands would hide each other: they are in the numbers." if len(name_worlds(run)) > MOST_BANDS else ""
    )
    notes += f" Not kept in this run's truth: {name_some(absent)}." if absent else ""
    notes += f" Without values: {name_some(empty)}." if empty else ""
    notes += " Shown is what differs most between worlds." if (left or told) and len(name_worlds(run)) > 1 else ""
    notes += " Measurements of the findings in the table are not drawn." if told else ""
    notes += f" Left out: {name_some(left)}." if left else ""
    panels = [tag("figure", caption_curve(curve), draw(curve, run)) for curve in curves]
    numbers = tag("details", tag("summary", "The numbers behind the curves"), tabulate_curves(curves, run))
    parts = tag("div", *panels, class_="panels"), numbers if curves else ""
    return join(tag("p", notes), legend(run), *parts, tabulate_findings(findings, run) if findings else "")


def choose_curves(found: Sequence[Curve]) -> tuple[list[Curve], list[Curve]]:
    """The curves to draw, in their order, and the findings for a table. Of very many states that are 0 or 1 only some
    are drawn, and none of what measures them."""
    binary = [c for c in found if c.share and not c.level and c.variable.kind != "treatment"]
    if len(binary) <= MOST_SHARES:
        return pick_telling(found, MOST_PANELS), []
    names = {curve.variable.name for curve in binary}
    findings = [curve for curve in binary if curve.variable.of not in names]
    others = [curve for curve in found if curve not in binary]
    drawn = pick_telling(findings, MOST_SHARES)
    return pick_telling(others, MOST_PANELS - len(drawn)) + drawn, findings


def pick_telling(curves: Sequence[Curve], most: int) -> list[Curve]:
    """The `most` that differ most between worlds, of what is alike the recorded ones first; in the order given."""
    if len(curves) <= most:
        return list(curves)
    ranked = sorted(
        curves, key=lambda c: (-_difference(c), not (c.variable.kind == "measurement" and c.variable.recorded))
    )
    chosen = ranked[:most]
    return [curve for curve in curves if curve in chosen]


def _difference(curve: Curve) -> float:
    """The greatest difference between two worlds at any time: of shares as it is, of other means as a part of their
    range."""
    low, high = (0.0, 1.0) if curve.share else span(curve.mean)
    known = curve.mean[:, np.isfinite(curve.mean).all(axis=0)]
    return float(np.ptp(known, axis=0).max() / (high - low)) if known.size else 0.0


def tabulate_findings(findings: Sequence[Curve], run: Run) -> Markup:
    """The share with each finding at its last time, by world."""
    rows: list[list[object]] = [
        [title_of_curve(c), show(float(c.times[-1])), *(value_of(c, w, -1) for w in range(len(c.mean)))]
        for c in findings
    ]
    head: list[object] = ["", f"at, {clock_unit(run)}", *name_worlds(run)]
    title = f"All {len(findings)} findings: the share of those alive who have each."
    return table(head, rows, title=title, numbers=len(head) - 1)


def caption_curve(curve: Curve) -> Markup:
    variable = curve.variable
    detail = {"state": "State.", "treatment": "Treatment."}.get(variable.kind, f"Measures {variable.of}.")
    return caption(variable, detail, title_of_curve(curve))


def title_of_curve(curve: Curve) -> str:
    return f"{name_of(curve.variable)}: {curve.level}" if curve.level else name_of(curve.variable)


def draw(curve: Curve, run: Run) -> Markup:
    ends = [f"{name} {value_of(curve, w, -1)}" for w, name in enumerate(name_worlds(run))]
    at = f"{show(float(curve.times[-1]))} {clock_unit(run)}"
    label = f"{title_of_curve(curve)} over time by world. Mean at {at}: {', '.join(ends)}."
    return draw_curve(curve, end=run_end(run), clock=clock_unit(run), label=label)


def value_of(curve: Curve, world: int, place: int) -> str:
    mean = curve.mean[world, place]
    return f"{100 * mean:.1f}%".replace("nan%", "–") if curve.share else show(mean)


def tabulate_curves(curves: list[Curve], run: Run) -> Markup:
    """Mean (10th to 90th percentile) by variable and world at a few times; a dash where nothing is due."""
    marks = Scale(0, run_end(run), 0, 1).ticks(6)
    rows: list[list[object]] = []
    for curve in curves:
        unit = show_unit(curve.variable.unit)
        title = title_of_curve(curve) + (f", {unit}" if unit and not curve.share else "")
        for world, name in enumerate(name_worlds(run)):
            cells: list[object] = []
            for mark in marks:
                place = int(np.abs(curve.times - mark).argmin())
                if abs(curve.times[place] - mark) > run.model.clock.dt / 2 or not curve.count[world, place]:
                    cells.append("–")
                    continue
                low, high = curve.low[world, place], curve.high[world, place]
                band = tag("span", f" ({show(low)} to {show(high)})", class_="together") if np.isfinite(low) else ""
                cells.append(join(value_of(curve, world, place), band))
            rows.append([title, name, *cells])
    head: list[object] = ["", "world", *(f"{show(mark)} {clock_unit(run)}" for mark in marks)]
    return table(head, rows, title="Mean (10th to 90th percentile) of those alive, or the share.")


def tell_events(run: Run) -> Markup:
    found = count_events(run)
    if not found:
        return tag("p", "The model has no events.")
    worlds, patients = name_worlds(run), len(run)
    notes = (
        "Cumulative incidence: the share of all who entered in whom the event has happened at least once by then. "
        "Death competes with the other events and does not censor them; everybody is followed to the horizon or the "
        "end of the journey, so the Aalen-Johansen estimator (Scandinavian Journal of Statistics 1978; 5:141–150) is "
        "this share itself. At risk: alive at that time and without the event. What really happened is drawn, on "
        "record or not."
    )
    panels, rows = [], []
    for incidence in found:
        ends = [f"{name} {incidence.had[w, -1] / patients:.1%}" for w, name in enumerate(worlds)]
        label = f"Cumulative incidence of {name_of(incidence.event)} by {show(run_end(run))} {clock_unit(run)}: "
        top = nice_share(float(incidence.had.max()) / patients)
        figure = draw_incidence(incidence, clock=clock_unit(run), label=label + ", ".join(ends) + ".", top=top)
        panels.append(tag("figure", caption(incidence.event, describe_event(incidence.event)), figure))
        rows += tabulate_event(incidence, worlds, patients)
    head: list[object] = ["event", "world", "patients with it", "share", "occurrences", "of these on record"]
    numbers = table(head, rows, title=f"By {show(run_end(run))} {clock_unit(run)}.", numbers=4)
    return join(tag("p", notes), legend(run), tag("div", *panels, class_="panels"), numbers)


def tabulate_event(incidence: Incidence, worlds: list[str], patients: int) -> list[list[object]]:
    rows: list[list[object]] = []
    for w, name in enumerate(worlds):
        had, total, held = int(incidence.had[w, -1]), int(incidence.occurrences[w]), int(incidence.recorded[w])
        rows.append([name_of(incidence.event), name, f"{had:,}", f"{had / patients:.1%}", f"{total:,}", f"{held:,}"])
    return rows


def describe_event(event: Variable) -> str:
    ends = {"journey": "Ends the journey.", "record": "Ends the record.", "nothing": ""}[event.ends]
    return ends + (" May happen again." if event.occurs == "repeatedly" else "")


def nice_share(share: float) -> float:
    """The top of an axis of shares: the next of a few round ones."""
    return next((top for top in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8) if share <= top), 1.0)
