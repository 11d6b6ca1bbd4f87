"""The readings of a patient's artifacts put together: every value once, as it was read nearest to its own time.

What is told again in a later document (previous values, a history that is copied) is not a second measurement: it is
compared with what was read first, and where the two differ the nearer one stands and the conflict is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ...causal.model.model import Model, Variable
from ...ontology.units import conversion_factor
from ..protocol import MeasuredValue

DAY = 1 / 365.25  # years
SLACK = 2 * DAY  # how far a date may be off, beyond what its words leave open; never half a step


@dataclass(frozen=True)
class Statement:
    """A reading in its journey. Times are in the clock's unit since entry: `at` the document's, `time` the value's own
    (None: of some earlier time), give or take `precision`. `rounding` None: the value is an estimate."""

    value: float
    at: float
    time: float | None
    precision: float
    rounding: float | None
    dated: bool = False  # the words give its time
    past: bool = False  # an earlier value beside the present one

    @property
    def far(self) -> float:
        return self.at - (self.at if self.time is None else self.time)


@dataclass
class Chart:
    """What was read of some patients in one world: values at steps, dates of events, statics.

    `rows` and `events`: (patient, variable, step or time, value, rounding).
    `mentioned`: variables of which something is said, be it their absence.
    `counts`: of readings; of those that were `retold`, that disagree with a nearer one (`conflicts`), that cannot be
    placed in time (`undated`), that name no variable of the record (`nameless`), and that assert no value (`silent`:
    what is in doubt, and events that did not happen).
    """

    rows: list[tuple[int, str, int, float, float | None]] = field(default_factory=list)
    events: list[tuple[int, str, float, float, float | None]] = field(default_factory=list)
    statics: list[tuple[int, str, float, float | None]] = field(default_factory=list)
    mentioned: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, other: Chart) -> None:
        self.rows += other.rows
        self.events += other.events
        self.statics += other.statics
        self.mentioned |= other.mentioned
        self.counts += other.counts


def settle(readings: Iterable[tuple[float, Sequence[MeasuredValue]]], *, patient: int, model: Model) -> Chart:
    """Put together what was read of one patient: (time of the artifact, its readings), in the order of time."""
    chart = Chart()
    held: dict[str, list[Statement]] = {}
    for at, found in readings:
        told: dict[str, list[Statement]] = {}
        for reading in found:
            variable = find_variable(reading, model)
            statement = place(reading, at=at, variable=variable, model=model) if variable is not None else None
            chart.counts["readings"] += 1
            if variable is not None:
                chart.mentioned.add(variable.name)
            if variable is None or statement is None:
                chart.counts["nameless" if variable is None else "silent"] += 1
            elif statement.time is None:
                chart.counts["undated"] += 1
            else:
                told.setdefault(variable.name, []).append(statement)
        for name, statements in told.items():
            before = held.setdefault(name, [])
            before += date_by_each_other(statements, before=before, slack=_slack(model))
    for name, statements in held.items():
        variable, dt = model.variables[name], model.clock.dt
        if variable.kind == "static":
            first = min(statements, key=lambda one: one.at)
            _count_again(chart, first, statements)
            chart.statics.append((patient, name, first.value, first.rounding))
        elif variable.kind == "treatment":
            changes = settle_treatment(statements, slack=_slack(model), counts=chart.counts)
            by_step = {round((one.time or 0.0) / dt): one for one in changes}
            chart.rows += [(patient, name, step, one.value, one.rounding) for step, one in by_step.items()]
        else:
            kept = settle_values(statements, slack=_slack(model), counts=chart.counts)
            if variable.kind == "event":
                kept = kept[:1] if variable.occurs == "once" else kept
                chart.events += [(patient, name, one.time or 0.0, 1.0, one.rounding) for one in kept]
            else:
                chart.rows += [(patient, name, round((one.time or 0.0) / dt), one.value, one.rounding) for one in kept]
    return chart


def find_variable(reading: MeasuredValue, model: Model) -> Variable | None:
    """The recorded variable of a reading, by name, or by concept where only one has it."""
    if reading.variable:
        named = model.variables.get(reading.variable)
        return named if named is not None and _is_recorded(named) else None
    same = [v for v in model.variables.values() if _is_recorded(v) and v.concept and v.concept == reading.concept]
    return same[0] if len(same) == 1 else None


def _is_recorded(variable: Variable) -> bool:
    return variable.recorded and variable.kind != "state" and not variable.any_of


def place(reading: MeasuredValue, *, at: float, variable: Variable, model: Model) -> Statement | None:
    """A reading of the artifact at `at` in its journey; None for one that asserts no value of its variable."""
    year = 1 / model.clock.unit
    value: float
    if reading.status == "uncertain":
        return None
    if variable.kind == "event":
        if reading.status == "absent":
            return None
        value = 1.0
    elif isinstance(reading.value, str):
        if reading.value not in variable.levels:
            return None
        value = float(variable.levels.index(reading.value))
    elif reading.value is None or variable.levels:
        return None
    else:
        differs = bool(reading.unit) and reading.unit != variable.unit
        value = reading.value * (conversion_factor(reading.unit, variable.unit) if differs else 1.0)
    time = at if reading.time is None else at + reading.time * year
    slack = max(reading.precision * year, _slack(model))
    if (reading.past and reading.time is None) or not -slack <= time <= at + slack:
        return Statement(value, at, None, 0.0, reading.rounding)
    today = abs(time - at) <= reading.precision * year  # "in May", in a document of the 31st
    own = at if today else min(max(time, 0.0), at)
    return Statement(
        value, at, own, reading.precision * year, reading.rounding, dated=reading.time is not None, past=reading.past
    )


def date_by_each_other(
    statements: Sequence[Statement], *, before: Sequence[Statement], slack: float
) -> list[Statement]:
    """The statements of one variable in one document: a value that stands there with its date and again without is one
    value of that date, if an earlier document says so, too."""
    known = [
        one
        for one in statements
        if one.dated
        and not one.past
        and any(_apart(one, e) <= one.precision + slack and abs(one.value - e.value) <= _room(one, e) for e in before)
    ]
    found = []
    for one in statements:
        same = [] if one.dated else [other for other in known if abs(other.value - one.value) <= _room(one, other)]
        found.append(replace(one, time=same[0].time, precision=same[0].precision) if same else one)
    return found


def _slack(model: Model) -> float:
    return min(SLACK / model.clock.unit, 0.49 * model.clock.dt)


def settle_values(statements: Sequence[Statement], *, slack: float, counts: Counter[str]) -> list[Statement]:
    """One statement for each time of measuring, the one told nearest to it; in the order of nearness, then of time."""
    kept: list[Statement] = []
    for one in sorted(statements, key=lambda s: (s.far, s.precision, s.at)):
        near = [k for k in kept if _apart(k, one) <= max(one.precision, k.precision) + slack]
        if near:
            _count_again(counts, min(near, key=lambda k: _apart(k, one)), [one])
        else:
            kept.append(one)
    return kept


def settle_treatment(statements: Sequence[Statement], *, slack: float, counts: Counter[str]) -> list[Statement]:
    """A treatment's value when it is first told of, and whenever it has changed: at the time that is told for it."""
    kept: list[Statement] = []
    for at in sorted({one.at for one in statements}):
        told = [one for one in statements if one.at == at]
        now = max(told, key=lambda one: (one.time or 0.0, -one.precision))
        _count_again(counts, now, told)
        if not kept:
            kept.append(now)
        elif now.value != kept[-1].value:
            last = kept[-1].time or 0.0
            kept.append(now if (now.time or 0.0) > last + slack else Statement(now.value, at, at, 0.0, now.rounding))
        else:
            counts["retold"] += 1
    return kept


def _apart(one: Statement, other: Statement) -> float:
    return abs((one.time or 0.0) - (other.time or 0.0))


def _count_again(counts: Chart | Counter[str], first: Statement, others: Iterable[Statement]) -> None:
    """Count what says again what `first` says, and what says otherwise."""
    counted = counts.counts if isinstance(counts, Chart) else counts
    for other in others:
        if other is not first:
            estimate = first.rounding is None or other.rounding is None
            again = estimate or abs(first.value - other.value) <= _room(first, other)
            counted["retold" if again else "conflicts"] += 1


def _room(one: Statement, other: Statement) -> float:
    """How far two statements of one value may be apart, as both are written."""
    return (one.rounding or 0.0) + (other.rounding or 0.0) + 1e-6 * max(1.0, abs(one.value))
