"""A patient's record, read from a CSV or JSON file and checked against a model.

CSV has a header and one row per observation: `time`, `variable` or `concept` (a CURIE; or both), `value`, and `unit`
if it differs from the model's; a level stands by its name under `value`, or under `level`:

    time,variable,value,unit
    ,age,71,a
    0,mmse,24,
    6 months,mmse,,
    6 months,lecanemab,1,
    18 months,aria_e,1,
    18 months,death,0,

JSON has the same content; `alive_at` and `death` are short for the event that ends the journey:

    {"patient": "A17", "statics": {"age": 71, "sex": "female"},
     "record": [{"time": 0, "variable": "mmse", "value": 24},
                {"time": "6 months", "concept": "HP:0100256", "value": 61, "unit": "[Centiloid]"}],
     "events": [{"time": "18 months", "event": "aria_e"}, {"time": 2, "event": "dropout", "happened": false}],
     "alive_at": "3 years"}

- A time is a number in the clock's unit, or a number and a unit; 0 is entry. Observations must be on the grid of steps
  (to a hundredth of a step), at times when the model measures. An event may have any time: between two steps it is the
  event's instant; on the grid it says that the event happened in the step that ends then, and if several did, they
  happened in the order of their rows, what ends the journey last. Statics need no time.
- A concept matches the measurement, static, treatment or event with that concept, or the measurement of a state with
  that concept; otherwise the nearest of these above it in the ontology.
- A row without a value says that a measurement was due and is missing. Without a row it is unknown, not missing.
- A treatment keeps the value of a row until its next row, or until the end of the record.
- An event's row says that it happened (value 1) or had not happened by then (value 0). An event is known up to its
  last row. An event without rows is unknown; but a patient with a later row is alive, and a patient who is measured
  has not dropped out. A composite event happened if one of its components did; its row alone says that one of them did.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import NosographError, Problem, fail, list_some, nearest
from ...ontology.prefixes import compact, to_iri
from ...ontology.units import conversion_factor
from ..model.arrows import measured_steps
from ..model.composites import ends_journey, list_components
from ..model.concepts import open_knowledge
from ..model.duration import DURATION, GRID, TOLERANCE, parse_duration
from ..model.model import Model, Variable

COLUMNS = ("patient", "world", "time", "variable", "concept", "value", "level", "unit")
KEYS = ("patient", "statics", "record", "events", "alive_at", "death")
ROW_KEYS = {
    "record": ("time", "variable", "concept", "value", "level", "unit"),
    "events": ("time", "event", "happened"),
}
TRUTHS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}


@dataclass(frozen=True)
class Observation:
    """`variable` had `value` at `step`: a level's index for a categorical, None if due but missing."""

    variable: str
    step: int
    value: float | None


@dataclass(frozen=True)
class EventReport:
    """`event` happened in `step`, or had not happened by then. `delay`: from the start of the step to its instant, in
    the clock's unit; None if only the step is known."""

    event: str
    step: int
    happened: bool = True
    delay: float | None = None


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
class RecordRow:
    """An entry as written in the file."""

    time: object = None
    variable: str = ""
    concept: str = ""
    value: object = None
    level: object = None
    unit: str = ""
    line: int = 0
    event: bool | None = None  # True: must be an event; False: must not be


def read_record(path: str | Path, *, model: Model) -> PatientRecord:
    """Read a record from a CSV or JSON file (see above) and report all mistakes together.

    Raises NosographError for a file that cannot be read; an unknown variable or concept; a unit that does not convert;
    a time off the grid, outside the horizon or outside the measurement schedule; a duplicate time; an invalid value;
    and a record that continues after death.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise fail("the record cannot be read", value=f"{path}: {error}", fix="a CSV or JSON file") from None
    if path.suffix == ".json":
        patient, rows = _read_json(text, str(path), model)
    elif path.suffix == ".csv":
        patient, rows = _read_csv(text, str(path))
    else:
        raise fail("unknown file extension: a record is a .csv or .json file", value=path, fix=f"{path.stem}.csv")
    return make_record(rows, model=model, patient=patient, file=str(path))


def _read_csv(text: str, file: str) -> tuple[str, list[RecordRow]]:
    lines = csv.DictReader(text.splitlines())
    try:
        return _read_rows(lines, file)
    except csv.Error as error:
        fix = "time,variable,value,unit"
        raise fail(f"not CSV: {error}", file=file, line=lines.line_num, fix=fix) from None


def _read_rows(lines: csv.DictReader[str], file: str) -> tuple[str, list[RecordRow]]:
    columns = [name.strip() for name in lines.fieldnames or ()]
    for name in columns:
        if name not in COLUMNS:
            raise fail(
                f"unknown column {name!r}",
                file=file,
                line=1,
                fix=nearest(name, COLUMNS) or ",".join(COLUMNS[2:]),
            )
    if "time" not in columns or not {"value", "level"} & set(columns) or not {"variable", "concept"} & set(columns):
        raise fail("missing columns", file=file, line=1, value=",".join(columns), fix="time,variable,value,unit")
    lines.fieldnames = columns
    rows, patients = [], set()
    for entry in lines:
        if None in entry or None in entry.values():
            fix = ",".join(columns)
            raise fail(
                "the row and the header have different numbers of columns", file=file, line=lines.line_num, fix=fix
            )
        cells: dict[str, Any] = {key: value.strip() for key, value in entry.items()}
        patients.add(cells.pop("patient", ""))
        cells.pop("world", None)
        rows.append(RecordRow(**cells, line=lines.line_num))
    if len(patients) > 1:
        raise fail(
            "a record must have one patient only",
            file=file,
            value=", ".join(sorted(patients)[:3]),
            fix="keep one patient",
        )
    return patients.pop() if patients else "", rows


def _read_json(text: str, file: str, model: Model) -> tuple[str, list[RecordRow]]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise fail(f"not JSON: {error.msg}", file=file, line=error.lineno) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, a list in a list in a list …
        raise fail(f"not JSON that a record needs: {error}", file=file, fix='{"record": []}') from None
    _check_keys(data, KEYS, file)
    statics = data.get("statics", {})
    if not isinstance(statics, Mapping):
        raise fail(
            "statics must be an object of names and values", file=file, value=statics, fix='"statics": {"age": 71}'
        )
    rows = [RecordRow(variable=name, value=value) for name, value in statics.items()]
    for key, keys in ROW_KEYS.items():
        entries = data.get(key, [])
        if not isinstance(entries, list):
            raise fail(f"{key} must be a list", file=file, value=entries, fix=f'"{key}": [{{"time": 0, …}}]')
        for entry in entries:
            _check_keys(entry, keys, file)
            cells: dict[str, Any] = dict(entry)
            named = cells.pop("event", "")
            if named:
                cells["concept" if ":" in str(named) else "variable"] = named
            if key == "events":
                cells["value"] = 1.0 if cells.pop("happened", True) else 0.0
            cells = {name: cell if name in ("time", "value", "level") else str(cell) for name, cell in cells.items()}
            cells["event"] = key == "events"
            rows.append(RecordRow(**cells))
    for key, happened in (("alive_at", 0.0), ("death", 1.0)):
        if data.get(key) is not None:
            rows.append(RecordRow(time=data[key], variable=_ending(model, key, file), value=happened))
    return str(data.get("patient", "")), rows


def _check_keys(data: object, keys: tuple[str, ...], file: str) -> None:
    if not isinstance(data, Mapping):
        raise fail("expected an object", file=file, value=json.dumps(data)[:80], fix=f"keys {', '.join(keys)}")
    for key in data:
        if key not in keys:
            raise fail(f"unknown key {key!r}", file=file, fix=nearest(key, keys) or ", ".join(keys))


def _ending(model: Model, key: str, file: str) -> str:
    names = [v.name for v in model.variables.values() if v.ends == "journey"]
    for v in model.variables.values():  # a composite of all that ends the journey
        if v.any_of and set(list_components(model.variables, v.name)) == set(names):
            return v.name
    if len(names) == 1 or "death" in names:
        return "death" if "death" in names else names[0]
    if not names:
        raise fail("no event ends the journey in this model", file=file, node=key, fix=f"remove {key}")
    fix = f'"events": [{{"time": …, "event": "{names[0]}", "happened": {str(key == "death").lower()}}}]'
    raise fail(f"several events end the journey: {', '.join(names)}", file=file, node=key, fix=fix)


def make_record(rows: Iterable[RecordRow], *, model: Model, patient: str = "", file: str = "") -> PatientRecord:
    """Make a record from rows. Raises NosographError as `read_record` does."""
    observations: dict[tuple[str, int], tuple[Observation, RecordRow]] = {}
    events: dict[tuple[str, int], tuple[EventReport, RecordRow]] = {}
    problems: list[Problem] = []
    until = 0.0
    for row in rows:
        try:
            variable = find_variable(row, model)
            event = variable.kind == "event"
            value = read_value(row, variable)
            exact = _find_time(row, variable, model)
            step = _find_step(row, exact, variable, model, happened=value == 1)
            kept: dict[Any, Any] = events if event else observations
            if (variable.name, step) in kept:
                raise fail("duplicate time", value=f"{row.time}, {variable.name}", fix="one row per time")
            if event and value not in (0, 1):
                raise fail("the value of an event must be 1 (it happened) or 0", value=row.value, fix="1")
            delay = (exact - step + 1) * model.clock.dt if value == 1 and abs(exact - step) > TOLERANCE else None
            entry = (
                EventReport(variable.name, step, value == 1, delay)
                if event
                else Observation(variable.name, step, value)
            )
            until = max(until, exact)
            kept[variable.name, step] = (entry, row)
        except NosographError as error:
            problems += [_place(problem, row, file) for problem in error.problems]
    if not problems:
        problems = [_place(problem, row, file) for problem, row in _check_order(observations, events, model)]
    if problems:
        raise NosographError(problems)
    if not observations and not events:
        raise fail("the record is empty", file=file, fix="time,variable,value,unit and at least one row")
    found = [entry for entry, _ in observations.values()]
    reports = [entry for entry, _ in events.values()]
    last = max([*(seen.step for seen in found), *(report.step for report in reports)])
    observed = tuple(sorted(found, key=lambda o: o.step))
    happened = tuple(sorted(reports, key=lambda e: e.step))
    last_delay = (until - last + 1) * model.clock.dt if until < last - TOLERANCE else None
    return PatientRecord(patient, observed, happened, last, last_delay)


def _place(problem: Problem, row: RecordRow, file: str) -> Problem:
    return Problem(
        problem.problem, problem.fix, problem.node or row.variable or row.concept, problem.value, file, row.line
    )


def find_variable(row: RecordRow, model: Model) -> Variable:
    """The variable of a row, by name or by concept. Raises NosographError if there is none, or more than one."""
    if row.variable:
        known = {v.name: v for v in model.variables.values() if row.event in (None, v.kind == "event")}
        if row.variable in known:
            return known[row.variable]
        if row.variable in model.variables:
            raise fail(
                f"{row.variable} is {'not ' if row.event else ''}an event", fix="record" if row.event else "events"
            )
        near = nearest(row.variable, known)
        fix = near or list_some(v.name for v in known.values() if v.recorded)
        raise fail(f"unknown variable {row.variable!r}", value=row.variable, fix=fix)
    if not row.concept:
        raise fail("a row must name a variable or a concept", fix="mmse")
    wanted = _canonical(row.concept)
    variables = [v for v in model.variables.values() if v.concept and _bound(model, {v.name}, row.event)]
    held = {v.name: _canonical(v.concept) for v in variables}
    found = _bound(model, {name for name, concept in held.items() if concept == wanted}, row.event)
    if not found:
        graph = open_knowledge()
        above = {concept for concept in held.values() if graph.is_a(wanted, concept)}
        nearest_above = {c for c in above if not any(c != other and graph.is_a(other, c) for other in above)}
        found = _bound(model, {name for name, concept in held.items() if concept in nearest_above}, row.event)
    if len(found) == 1:
        return model.variables[found[0]]
    if found:
        raise fail("several variables have this concept", value=row.concept, fix=" or ".join(found))
    offered = sorted({v.concept for v in model.variables.values() if v.concept})
    raise fail("no variable of the model has this concept", value=row.concept, fix=list_some(offered))


def _bound(model: Model, held: set[str], event: bool | None) -> list[str]:
    """The variables that a row may mean among those with a concept (`held`): for a state, its measurements."""
    variables = [v for v in model.variables.values() if event in (None, v.kind == "event")]
    found = [v.name for v in variables if v.kind != "state" and (v.name in held or v.of in held)]
    return found or [v.name for v in variables if v.name in held]


def _canonical(concept: str) -> str:
    return compact(to_iri(concept))


def _find_time(row: RecordRow, variable: Variable, model: Model) -> float:
    """The time of a row, in steps. Raises NosographError for a time outside the journey."""
    clock = model.clock
    if variable.kind == "static":
        if row.time not in (None, "", 0, "0"):
            raise fail(f"{variable.name} does not change over time", value=row.time, fix="leave the time empty")
        return 0.0
    if row.time is None or row.time == "":
        raise fail("missing time", fix=f"0, or a multiple of {clock.text[0]}")
    text = str(row.time)
    try:
        years = parse_duration(text) if DURATION.fullmatch(text) else float(text) * clock.unit
    except ValueError:
        raise fail("not a time", value=row.time, fix=f"a number in the unit {clock.text[2]}, or 6 months") from None
    exact = years / clock.step
    if not 0 <= exact <= clock.steps + GRID:
        raise fail("time outside the horizon", value=row.time, fix=f"between 0 and {clock.end}")
    return exact


def _find_step(row: RecordRow, exact: float, variable: Variable, model: Model, *, happened: bool) -> int:
    """The step of a row. For an event: the step whose interval (t - dt, t] contains it, or the last step without it."""
    clock = model.clock
    if variable.kind == "event":
        step = math.ceil(exact - TOLERANCE) if happened else math.floor(exact + TOLERANCE)
        if step == 0 and happened:
            raise fail("no event can happen at the start", value=row.time, fix=f"a time after 0, or a {clock.text[0]}")
        return step
    step = round(exact)
    if abs(exact - step) > GRID:
        raise fail(
            "time off the grid of steps", value=row.time, fix=f"{step * clock.dt:g}: multiples of {clock.text[0]}"
        )
    if variable.kind == "measurement":
        due = measured_steps(variable, steps=clock.steps)
        if step not in due:
            near = min(due, key=lambda k: abs(k - step))
            when = getattr(variable.when, "text", "")
            raise fail(f"{variable.name} is measured {when}", value=row.time, fix=f"{near * clock.dt:g}")
    return step


def read_value(row: RecordRow, variable: Variable) -> float | None:
    """The value in the model's unit, or a level's index. Raises NosographError for an invalid value."""
    text, level = (str(cell if cell is not None else "").strip() for cell in (row.value, row.level))
    if level and not variable.levels:
        raise fail(f"{variable.name} has no levels", value=level, fix="a number under value")
    if level and text not in ("", level):
        raise fail("value and level differ", value=f"{text}, {level}", fix="one of the two")
    text = level or text
    if not text:
        if variable.kind == "measurement":
            return None
        raise fail("missing value; only measurements can be missing", fix=f"a value of {variable.name}")
    if variable.levels:
        if text not in variable.levels:
            near = nearest(text, variable.levels)
            raise fail(
                f"unknown level of {variable.name}", value=text, fix=near or "one of " + ", ".join(variable.levels)
            )
        return float(variable.levels.index(text))
    try:
        value = TRUTHS[text.lower()] if text.lower() in TRUTHS else float(text)
    except ValueError:
        raise fail("not a number", value=text, fix="for example 24") from None
    if not math.isfinite(value):
        raise fail("not a finite number", value=text, fix="leave it empty if it is missing")
    if row.unit and row.unit != variable.unit:
        value *= _convert(row.unit, variable)
    return value


def _convert(unit: str, variable: Variable) -> float:
    try:
        return conversion_factor(unit, variable.unit or "1")
    except NosographError as error:
        found = error.problems[0]
        raise fail(found.problem, value=found.value, fix=found.fix or f"{variable.unit or 1}") from None


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
            late = entry.step >= end.step if isinstance(entry, Observation) else _is_later(entry, end, model.clock.dt)
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


def _is_later(entry: EventReport, end: EventReport, dt: float) -> bool:
    """Whether an event is written later than another; on the grid, at the end of its step."""
    return (entry.step, entry.delay or dt) > (end.step, end.delay or dt)
