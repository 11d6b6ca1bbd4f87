"""What a record says of a model's expressions: their values by step, and when events happened within one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from ...errors import fail
from ..language import Expression, reads
from ..language.syntax import Name
from ..model.composites import ends_journey
from ..model.duration import TOLERANCE
from ..model.model import Model
from ..program.expressions import Evaluator, compile_expression
from ..program.steps import Fact
from .composites import RequiredComponent, name_components, require_components
from .record import PatientRecord

ENTRY: Fact = ("", "population", 0)


@dataclass(frozen=True)
class RecordEvidence:
    """What is known of a patient: values of expressions by step, () or (patients,), to step `last`.

    `entered`: the condition on entry, which everybody with a record met.
    `delays`: from the start of its step to an event's instant, by (event, step), where it is known or given: in the
    clock's unit. `order`: the events that happened in a step, as they followed each other; `endings` come last.
    `last_delay`: from the start of the last step to the last entry, if that lies within it. `required`: the components
    of a composite that happened in the step, where it is not known which did. The fact is NaN for those that make one
    of them happen.
    """

    facts: Mapping[Fact, Tensor]
    last: int
    entered: Expression | None = None
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    delays: Mapping[tuple[str, int], float] = field(default_factory=dict)
    order: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    endings: frozenset[str] = frozenset()
    last_delay: float | None = None
    required: Mapping[Fact, RequiredComponent] = field(default_factory=dict)
    composites: frozenset[str] = frozenset()  # those that end the journey

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The variables in the evidence."""
        entry = sorted(read.name for read in reads(self.entered)) if self.entered is not None else []
        return tuple(dict.fromkeys([*(name for name, _, _ in self.facts), *entry]))

    @cached_property
    def latent(self) -> frozenset[Fact]:
        """The events that happened at an unknown instant of a step in which more is known: their noise is inferred."""
        known: dict[int, int] = {}
        for _, key, step in self.facts:
            known[step] = known.get(step, 0) + (key == "mechanism")
        return frozenset(
            (name, "mechanism", step)
            for step, names in self.order.items()
            for name in names
            if (name, step) not in self.delays and known.get(step, 0) > 1
        ) | frozenset(self.required)

    @cached_property
    def meets(self) -> Evaluator | None:
        if self.entered is None:
            return None
        return compile_expression(self.entered, constant=frozenset(), levels=self.levels)


def collect_evidence(model: Model, record: PatientRecord) -> RecordEvidence:
    """A record as facts about the model's expressions. Raises NosographError if the record contradicts the model."""
    record = name_components(model, record)
    facts: dict[Fact, Tensor] = {}
    for seen in record.observations:
        variable = model.variables[seen.variable]
        key = "start" if seen.step == 0 and variable.start is not None else "mechanism"
        if variable.kind == "measurement":
            if "when" in variable.expressions:
                facts[seen.variable, "when", seen.step] = torch.tensor(1.0)
            # the measurement was taken, so the event that it waits for (a visit) happened
            if isinstance(variable.when, Name) and variable.when.lag == 0:
                facts[variable.when.name, "mechanism", seen.step] = torch.tensor(1.0)
            if variable.missing is not None:
                facts[seen.variable, "missing", seen.step] = torch.tensor(float(seen.value is None))
            elif seen.value is None:
                raise fail(
                    f"{seen.variable} is never missing in this model",
                    node=seen.variable,
                    value=f"empty value at step {seen.step}",
                    fix="remove the row if the value is unknown",
                )
        if seen.value is not None:
            facts[seen.variable, key, seen.step] = torch.tensor(seen.value, dtype=torch.float64)
    _hold_treatments(model, record, facts)
    settled = _settle_events(model, record)
    required = require_components(model, record, settled, facts)
    for name, (happened, until) in settled.items():
        for step in range(1, until + 1):
            if (name, "mechanism", step) not in required:
                value = torch.tensor(float(step in happened), dtype=torch.float64)
                facts.setdefault((name, "mechanism", step), value)
    levels = {v.name: v.levels for v in model.variables.values() if v.levels}
    delays, order, endings = _place_events(model, record)
    _forget_after_end(model, facts, order, endings)
    return RecordEvidence(
        facts=facts,
        last=record.last,
        entered=model.population,
        levels=levels,
        delays=delays,
        order=order,
        endings=frozenset(endings),
        last_delay=record.last_delay,
        required=required,
        composites=frozenset(name for name in endings if model.variables[name].any_of),
    )


def _place_events(
    model: Model, record: PatientRecord
) -> tuple[dict[tuple[str, int], float], dict[int, tuple[str, ...]], list[str]]:
    """The delays of the events that happened, by (event, step); their order in each step; and what ends something."""
    deadly = [v.name for v in model.variables.values() if v.kind == "event" and ends_journey(model.variables, v.name)]
    endings = [*deadly, *(v.name for v in model.variables.values() if v.ends == "record")]
    delays: dict[tuple[str, int], float] = {}
    order: dict[int, list[str]] = {}
    for report in record.events:
        if report.happened and (not model.variables[report.event].any_of or report.event in deadly):
            order.setdefault(report.step, []).append(report.event)
            if not model.variables[report.event].any_of and not model.variables[report.event].is_hazard:
                delays[report.event, report.step] = model.clock.dt
            elif report.delay is not None:
                delays[report.event, report.step] = report.delay

    def rank(name: str) -> int:
        return 2 if name in deadly else 1 if name in endings else 0

    return delays, {step: tuple(sorted(names, key=rank)) for step, names in order.items()}, endings


def _forget_after_end(
    model: Model, facts: dict[Fact, Tensor], order: Mapping[int, tuple[str, ...]], endings: Sequence[str]
) -> None:
    """In a step that a hazard ends, nobody knows of other events that would have happened at the step's end."""
    for step, names in order.items():
        if any(name in endings and model.variables[name].is_hazard for name in names):
            for variable in model.variables.values():
                late = variable.kind == "event" and not variable.is_hazard
                fact = (variable.name, "mechanism", step)
                if late and fact in facts and not bool(facts[fact]):
                    del facts[fact]


def _hold_treatments(model: Model, record: PatientRecord, facts: dict[Fact, Tensor]) -> None:
    """A treatment keeps the value of its latest row until the next row, or until the end of the record."""
    given: dict[str, dict[int, float]] = {}
    for seen in record.observations:
        if model.variables[seen.variable].kind == "treatment" and seen.value is not None:
            given.setdefault(seen.variable, {})[seen.step] = seen.value
    for name, values in given.items():
        value = 0.0
        for step in range(min(values), record.last + 1):
            value = values.get(step, value)
            key = "start" if step == 0 and model.variables[name].start is not None else "mechanism"
            facts[name, key, step] = torch.tensor(value, dtype=torch.float64)


def _settle_events(model: Model, record: PatientRecord) -> dict[str, tuple[set[int], int]]:
    """The steps in which an event happened, and the step up to which that is known, of events with any information.

    A patient in the record is alive, and a patient who is measured has not dropped out. Competing events are all known
    up to the latest step known for any of them.
    """
    happened = {name: {e.step for e in record.events if e.event == name and e.happened} for name in model.variables}
    until = dict.fromkeys(model.variables, 0)
    dt = model.clock.dt
    for report in record.events:
        # what had not happened by the last entry, between two steps, is known of that entry's step (see `last_delay`)
        at_end = report.beyond > 0 and abs(report.find_time(dt) - record.find_end(dt)) <= TOLERANCE * dt
        until[report.event] = max(until[report.event], report.step + at_end)
    measured = [o.step for o in record.observations if model.variables[o.variable].kind == "measurement"]
    events = [v for v in model.variables.values() if v.kind == "event"]
    for event in events:
        if event.ends == "journey":
            until[event.name] = record.last
        elif event.ends == "record" and not happened[event.name]:
            until[event.name] = max([until[event.name], *measured])
    groups = {v.competes: [w.name for w in events if w.competes == v.competes] for v in events if v.competes}
    for names in groups.values():
        for name in names:
            until[name] = max(until[other] for other in names)
    for event in events:
        if event.occurs == "once" and happened[event.name]:
            until[event.name] = max(happened[event.name])
    return {v.name: (happened[v.name], until[v.name]) for v in events if until[v.name] and not v.any_of}


def describe_fact(fact: Fact, model: Model, value: Tensor) -> str:
    """A fact in words, for messages: `mmse = 24 at 6 months`."""
    name, key, step = fact
    if fact == ENTRY:
        return f"the condition on entry, {model.population}"
    variable = model.variables[name]
    at = f" at t = {step * model.clock.dt:g} {model.clock.text[2]}" if variable.kind != "static" else ""
    if key == "when" or (key == "missing" and not bool(value)):
        return f"{name} recorded{at}"
    if key == "missing":
        return f"{name} missing{at}"
    if variable.kind == "event":
        return f"{name}{'' if bool(value) else ' not'} happening{at}"
    number = float(value)
    shown = variable.levels[int(number)] if variable.levels else f"{number:g}"
    return f"{name} = {shown}{at}"
