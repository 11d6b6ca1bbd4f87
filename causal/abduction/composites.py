"""What rows of composite events say of their components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...errors import fail
from ..model.composites import list_components
from ..model.duration import TOLERANCE
from ..model.model import Model
from ..model.order import order_variables
from ..program.steps import Fact
from .record import EventReport, PatientRecord


@dataclass(frozen=True)
class RequiredComponent:
    """That in a step one of several events happened: this one, or one of the `others`.

    `instant`: when, from the start of the step in the clock's unit, if that is known. `first`: it was the first of them
    all. `joint`: they are decided together, in one race; otherwise one after the other.
    """

    others: tuple[str, ...]
    instant: float | None = None
    first: bool = True
    joint: bool = False


def name_components(model: Model, record: PatientRecord) -> PatientRecord:
    """The record with a row for each component that alone can have made a composite event happen.

    Raises NosographError where none can have.
    """
    for report in _list_unnamed(model, record):
        if report not in _list_unnamed(model, record):
            continue  # the component that another composite's row has just named explains it, too
        possible = _find_possible(model, record, report)
        if not possible:
            fix = f"a row of the component that happened, or no row of {report.event}"
            raise fail(
                f"{report.event} happened, but none of its components can have",
                node=report.event, value=f"{report.find_time(model.clock.dt):g}", fix=fix,
            )  # fmt: skip
        if len(possible) == 1:
            place = record.events.index(report)
            named = replace(report, event=possible[0])
            record = replace(record, events=(*record.events[:place], named, *record.events[place:]))
    return record


def require_components(
    model: Model, record: PatientRecord, settled: Mapping[str, tuple[set[int], int]], facts: dict[Fact, Tensor]
) -> dict[Fact, RequiredComponent]:
    """What the rows of composite events say of their components, beside what their own rows do: none happened in a step
    before the last row that has none itself; in a step with one, some component did.

    Raises NosographError for rows that contradict each other, and for what cannot be taken as evidence.
    """
    for name in [v.name for v in model.variables.values() if v.any_of]:
        reports = [report for report in record.events if report.event == name]
        happened = {report.step for report in reports if report.happened}
        parts = list_components(model.variables, name)
        once = model.variables[name].occurs == "once"
        first = min((e.step for e in record.events if e.event in parts and e.happened), default=None)
        if once and first is not None and any(step > first for step in happened):
            fix = f"no row of {name}, which happens once, with its first component"
            raise fail(f"{name} had already happened with a component", node=name, value=max(happened), fix=fix)
        until = min(happened) if once and happened else max((report.step for report in reports), default=0)
        for step in range(1, until + 1):
            if step not in happened and not any(step in settled.get(part, (set(), 0))[0] for part in parts):
                facts.update({(part, "mechanism", step): torch.tensor(0.0).double() for part in parts})
    required: dict[Fact, RequiredComponent] = {}
    told: list[tuple[EventReport, set[str]]] = []
    unnamed = [(report, _find_possible(model, record, report)) for report in _list_unnamed(model, record)]
    for report, possible in sorted(unnamed, key=lambda pair: len(pair[1])):
        same = [(other, parts) for other, parts in told if other.step == report.step and parts & set(possible)]
        if any(parts <= set(possible) and other.delay == report.delay for other, parts in same):
            continue  # it happened because the other did
        if same:
            fix = "a row of the component that happened"
            problem = f"{report.event} and {same[0][0].event} share components, and neither says which happened"
            raise fail(problem, node=report.event, value=f"{report.find_time(model.clock.dt):g}", fix=fix)
        told.append((report, set(possible)))
        required |= _require(model, report, possible, facts)
    return required


def _list_unnamed(model: Model, record: PatientRecord) -> list[EventReport]:
    """The composite events that happened in steps in which the record has none of their components."""
    composites = [e for e in record.events if e.happened and model.variables[e.event].any_of]
    parts = {e.event: list_components(model.variables, e.event) for e in composites}
    named = {(e.event, e.step) for e in record.events if e.happened}
    return [e for e in composites if not any((part, e.step) in named for part in parts[e.event])]


def _find_possible(model: Model, record: PatientRecord, composite: EventReport) -> list[str]:
    """The components that can have made a composite event happen."""
    return [
        part
        for part in list_components(model.variables, composite.event)
        if not _is_excluded(model, record, part, composite)
        # anything but a hazard happens at a step's end
        and (model.variables[part].is_hazard or composite.delay is None)
    ]


def _is_excluded(model: Model, record: PatientRecord, part: str, composite: EventReport) -> bool:
    """Whether other rows say that an event did not happen when the composite did: its own rows, those of another
    composite that it would make happen, and any later row if it ends the journey."""
    variable, step, dt = model.variables[part], composite.step, model.clock.dt
    now = composite.find_time(dt)
    own = [report for report in record.events if report.event == part]
    if variable.occurs == "once" and any(report.happened and report.step < step for report in own):
        return True
    for name in (part, *(v.name for v in model.variables.values() if v.any_of)):
        if name == composite.event or part not in list_components(model.variables, name):
            continue
        about = [report for report in record.events if report.event == name]
        if any(report.happened and report.step == step for report in about):
            continue
        if any(report.step >= step for report in about):
            return True
        if any(not report.happened and report.find_time(dt) >= now - TOLERANCE * dt for report in about):
            return True
    seen = [o for o in record.observations if model.variables[o.variable].kind != "static" and o.step >= step]
    if variable.ends == "record":
        return any(model.variables[o.variable].kind == "measurement" for o in seen)
    later = any(report.find_time(dt) > now + TOLERANCE * dt for report in record.events)
    return variable.ends == "journey" and bool(seen or later)


def _require(
    model: Model, composite: EventReport, parts: Sequence[str], facts: dict[Fact, Tensor]
) -> dict[Fact, RequiredComponent]:
    """The facts that make one of these components happen (NaN). All of them, where they end the journey or compete, or
    where the instant is known; otherwise the last one, which happens if no other has, if it can be made to; otherwise
    the composite itself, which is only confirmed."""
    name, step = composite.event, composite.step
    order = [other for other in order_variables(model, first=False) if other in parts]
    group = {model.variables[part].competes for part in parts}
    members = {v.name for v in model.variables.values() if v.competes and v.competes in group}
    deadly = [part for part in parts if model.variables[part].ends == "journey" and model.variables[part].is_hazard]
    joint = len(deadly) == len(parts) or bool(members and set(parts) == members and len(group) == 1)
    if composite.delay is not None and not joint and members:
        time, end = composite.find_time(model.clock.dt), step * model.clock.dt
        fix = f"a row of the component that happened; or the time {end:g}, which says no more than the step"
        raise fail(f"this instant of {name} cannot be evidence: its components compete", node=name, value=time, fix=fix)
    if joint or composite.delay is not None:
        chosen = order
    elif model.variables[order[-1]].is_hazard and not model.variables[order[-1]].competes:
        chosen = order[-1:]
    else:
        chosen = []
        facts[name, "any_of", step] = torch.tensor(1.0, dtype=torch.float64)
    for part in chosen:
        facts[part, "mechanism", step] = torch.tensor(torch.nan, dtype=torch.float64)
    first = model.variables[name].occurs == "once"
    return {
        (part, "mechanism", step): RequiredComponent(
            tuple(other for other in order if other != part), composite.delay, first, joint
        )
        for part in order
    }
