"""A patient's record, read from a CSV or JSON file and checked against a model. docs/records.md has the format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import NosographError, Problem, fail
from ..model.composites import ends_journey
from ..model.duration import TOLERANCE
from ..model.model import Model
from .cells import find_step, find_time, read_presence, read_value
from .rows import RecordRow, read_rows
from .terms import RowTarget, find_targets


@dataclass(frozen=True)
class Observation:
    """`variable` had `value` at `step`: a level's index for a categorical, None if due but missing."""

    variable: str
    step: int
    value: float | None


@dataclass(frozen=True)
class EventReport:
    """`event` happened in `step`, or had not happened by then. `delay`: from the start of the step to its instant, in
    the clock's unit; None if only the step is known. `beyond`: how long after the step it still had not happened.
    """

    event: str
    step: int
    happened: bool = True
    delay: float | None = None
    beyond: float = 0.0

    def find_time(self, dt: float) -> float:
        """The time of the row, with steps of `dt`, in the clock's unit; on the grid if only the step is known."""
        return self.step * dt + self.beyond if self.delay is None else (self.step - 1) * dt + self.delay


@dataclass(frozen=True)
class PatientRecord:
    """The observations of one patient; the events of a step in the order of their rows. `last`: the last step of the
    record; the patient was alive at its last entry, or died then. `last_delay`: from the start of the last step to that
    entry, in the clock's unit; None if it is at the step's end."""

    patient: str
    observations: tuple[Observation, ...]
    events: tuple[EventReport, ...]
    last: int
    last_delay: float | None = None

    def find_end(self, dt: float) -> float:
        """The time of the last entry, with steps of `dt`, in the clock's unit."""
        return self.last * dt if self.last_delay is None else (self.last - 1) * dt + self.last_delay


@dataclass(frozen=True)
class _RowReport:
    """What a row says of a variable; `time` in steps."""

    entry: Observation | EventReport
    row: RecordRow
    time: float
    direct: bool

    @property
    def name(self) -> str:
        """The variable."""
        return self.entry.event if isinstance(self.entry, EventReport) else self.entry.variable

    @property
    def says(self) -> float | None:
        """1 and 0 of an event: it happened, or had not."""
        return float(self.entry.happened) if isinstance(self.entry, EventReport) else self.entry.value


def read_record(path: str | Path, *, model: Model) -> PatientRecord:
    """Read a record from a CSV or JSON file and report all mistakes together.

    Raises NosographError for a file that cannot be read; an unknown variable or concept; a unit that does not convert;
    a time off the grid, outside the horizon or outside the measurement schedule; a duplicate time; an invalid value;
    rows that contradict each other; and a record that continues after death.
    """
    patient, rows = read_rows(Path(path), model=model)
    return make_record(rows, model=model, patient=patient, file=str(path))


def make_record(rows: Iterable[RecordRow], *, model: Model, patient: str = "", file: str = "") -> PatientRecord:
    """Make a record from rows. Raises NosographError as `read_record` does."""
    entries: dict[tuple[str, int], _RowReport] = {}
    problems: list[Problem] = []
    for row in rows:
        try:
            for kept in _read_row(row, model):
                key = (kept.name, kept.entry.step)
                entries[key] = _choose(entries[key], kept, model) if key in entries else kept
        except NosographError as error:
            problems += [_place(problem, row, file) for problem in error.problems]
    observations = {key: (k.entry, k.row) for key, k in entries.items() if isinstance(k.entry, Observation)}
    events = {key: (k.entry, k.row) for key, k in entries.items() if isinstance(k.entry, EventReport)}
    if not problems:
        problems = [_place(problem, row, file) for problem, row in _check_order(observations, events, model)]
    if problems:
        raise NosographError(dict.fromkeys(problems))
    if not entries:
        raise fail("the record is empty", file=file, fix="time,variable,value,unit and at least one row")
    until = max(kept.time for kept in entries.values())
    last = max(kept.entry.step for kept in entries.values())
    last += until > last + TOLERANCE  # something had not happened yet, between two steps
    observed = tuple(sorted((entry for entry, _ in observations.values()), key=lambda o: o.step))
    happened = tuple(sorted((entry for entry, _ in events.values()), key=lambda e: e.step))
    last_delay = (until - last + 1) * model.clock.dt if until < last - TOLERANCE else None
    return PatientRecord(patient, observed, happened, last, last_delay)


def _read_row(row: RecordRow, model: Model) -> list[_RowReport]:
    """What a row says: of the variable that it names, and of those that follow by the hierarchy. Of the latter, those
    that are not due then are left out, unless nothing is left."""
    found: list[_RowReport] = []
    refused: list[Problem] = []
    for target in find_targets(row, present=read_presence(row), model=model):
        try:
            found.append(_read_target(row, target, model))
        except NosographError as error:
            if target.direct:
                raise
            refused += error.problems
    if not found:
        raise NosographError(refused[:1])
    return found


def _read_target(row: RecordRow, target: RowTarget, model: Model) -> _RowReport:
    variable = target.variable
    value = read_value(row, variable, model)
    exact = find_time(row, variable, model)
    step = find_step(row, exact, variable, model, happened=value == 1)
    if variable.kind != "event":
        return _RowReport(Observation(variable.name, step, value), row, exact, target.direct)
    on_grid, dt = abs(exact - step) <= TOLERANCE, model.clock.dt
    delay = (exact - step + 1) * dt if value == 1 and not on_grid else None
    beyond = 0.0 if value == 1 or on_grid else (exact - step) * dt
    return _RowReport(EventReport(variable.name, step, value == 1, delay, beyond), row, exact, target.direct)


def _choose(first: _RowReport, second: _RowReport, model: Model) -> _RowReport:
    """Which of two reports of a variable at one time is kept: where they agree, the one that names it."""
    name, row = first.name, second.row
    value = f"{row.time}, {row.variable or row.concept}"
    again = first.says == second.says == 1 and model.variables[name].occurs == "repeatedly"
    if (first.direct and second.direct) or again:
        raise fail("duplicate time", value=value, fix=f"one row per time of {name}")
    if first.says is not None and second.says is not None and first.says != second.says:
        place = f"line {first.row.line}" if first.row.line else first.row.place
        raise fail(f"it contradicts {place} about {name}", value=value, fix="one of the two rows")
    return second if second.direct else first


def _place(problem: Problem, row: RecordRow, file: str) -> Problem:
    node = ", ".join(filter(None, (row.place, problem.node or row.variable or row.concept)))
    return replace(problem, node=node, file=file, line=row.line)


def _check_order(
    observations: Mapping[tuple[str, int], tuple[Observation, RecordRow]],
    events: Mapping[tuple[str, int], tuple[EventReport, RecordRow]],
    model: Model,
) -> Iterable[tuple[Problem, RecordRow]]:
    """Entries after the end of the journey or record, or after an event that happens once; ties of competing events."""
    ends = [(e, row) for e, row in events.values() if e.happened and ends_journey(model.variables, e.event)]
    closes = [(e, row) for e, row in events.values() if e.happened and model.variables[e.event].ends == "record"]
    entries: list[tuple[Observation | EventReport, RecordRow]] = list(observations.values())
    entries += list(events.values())
    for end, written in ends:
        for entry, row in entries:
            static = isinstance(entry, Observation) and model.variables[entry.variable].kind == "static"
            dt, ended = model.clock.dt, end.find_time(model.clock.dt)
            late = entry.step >= end.step if isinstance(entry, Observation) else entry.find_time(dt) > ended + TOLERANCE
            if late and not static and entry is not end:
                fix = f"remove rows from {end.event} at {written.time} on"
                yield Problem("the record continues after death", fix=fix, value=str(row.time)), row
    for end, written in closes:
        for entry, row in observations.values():
            if entry.step >= end.step and model.variables[entry.variable].kind == "measurement":
                fix = f"remove measurements from {end.event} at {written.time} on"
                yield Problem("the record continues after it was closed", fix=fix, value=str(row.time)), row
    for entry, row in events.values():
        if model.variables[entry.event].occurs == "once":
            earlier = [e for e, _ in events.values() if e.event == entry.event and e.happened and e.step < entry.step]
            if earlier:
                fix = f"keep only the row at which {entry.event} happened"
                yield (
                    Problem(f"{entry.event} happens only once, and had already happened", fix=fix, value=str(row.time)),
                    row,
                )
            group = model.variables[entry.event].competes
            others = [e for e, _ in events.values() if e.event != entry.event and e.happened and e.step == entry.step]
            for other in others:
                if entry.happened and group and model.variables[other.event].competes == group:
                    fix = "keep the one that came first"
                    yield Problem(f"{entry.event} and {other.event} compete", fix=fix, value=str(row.time)), row
