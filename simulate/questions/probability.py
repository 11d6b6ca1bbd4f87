"""The answer to a query: a probability or a mean, in the model's world and in the one that is asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...causal.language import Expression, reads
from ...causal.language.syntax import Binary, Unary
from ...causal.model.arrows import find_reach
from ...causal.model.clock import limit_of
from ...causal.model.duration import describe_time
from ...causal.model.model import Model, Schedule
from ...causal.model.world import FACTUAL, World
from ...causal.program.expressions import StepState, compile_expression
from ...causal.program.journeys import Journeys, count_occurrences, living
from ...causal.program.tensors import is_true
from ...errors import fail
from ..contrast import run_entrants
from .answer import Answer, Interval
from .estimates import Mask, Numbers, estimate_mean, estimate_share
from .query import Clause, Query


def answer_query(
    model: Model, query: Query, *, world: World | None, where: Expression | None, patients: int, seed: int
) -> Answer:
    """The query's value among the first `patients` who enter and meet `where`; with a `world`, there as well.

    Conditions at entry that the world's interventions do not reach select who enters; the others select in each world.
    Raises NosographError where nobody meets the conditions.
    """
    worlds = (FACTUAL,) if world is None else (FACTUAL, world)
    reached = find_reach(model, worlds[-1].interventions)
    entry = [clause for clause in query.conditions if _is_at_entry(clause, reached, model)]
    later = [clause for clause in query.conditions if clause not in entry]
    for clause in entry:
        where = clause.expression if where is None else Binary("and", where, clause.expression)
    names = sorted(query.names & model.variables.keys())
    parts = [
        _find_values(journeys, query, later, model=model)
        for journeys in run_entrants(
            model, worlds, patients=patients, seed=seed, steps=query.last_step, keep=names, where=where
        )
    ]
    values, met = (torch.cat([part[index] for part in parts], -1).numpy() for index in (0, 1))
    found = [_Estimated.of(query, values[number], met[number]) for number in range(len(worlds))]
    selected = any(_is_reached(clause, reached) for clause in later)
    details: dict[str, Any] = {"patients": found[0].count if world is None else _by_world(worlds, found, "count")}
    if later:
        details["met"] = found[0].met if world is None else _by_world(worlds, found, "met")
    if world is not None and not selected:
        details |= _compare(values, met)
    return Answer(
        question=query.text + (f"; in the world where {world}" if world is not None else ""),
        value=found[0].value if world is None else _by_world(worlds, found, "value"),
        interval=found[0].interval if world is None else _by_world(worlds, found, "interval"),
        method=_describe_method(query, patients, later, found),
        note=_describe_note(model, query, later, found, selected=selected),
        details=details,
    )


def _is_reached(clause: Clause, reached: Mapping[str, int]) -> bool:
    """Whether the interventions can change a condition: what it reads, by its time."""
    return any(reached.get(name, clause.step + 1) <= clause.step for name in clause.names)


def _is_at_entry(clause: Clause, reached: Mapping[str, int], model: Model) -> bool:
    kinds = {model.variables[name].kind for name in clause.names if name in model.variables}
    at_entry = (clause.by == 0 or kinds <= {"static"}) and "event" not in kinds
    return at_entry and not _is_reached(clause, reached)


def _find_values(
    journeys: Journeys, query: Query, conditions: Sequence[Clause], *, model: Model
) -> tuple[Tensor, Tensor]:
    """What is asked, float64 (worlds, patients), NaN where it is undefined; and who meets the conditions, bool."""
    shape = (len(journeys.worlds), len(journeys.patients))
    met = torch.ones(shape, dtype=torch.bool)
    for clause in conditions:
        met &= _judge(clause.expression, _Snapshot(journeys, model, clause))[0].expand(shape)
    if query.kind == "mean":
        (clause,) = query.asked
        snapshot = _Snapshot(journeys, model, clause)
        value = torch.as_tensor(snapshot.evaluate(clause.expression)).double().expand(shape)
        return torch.where(snapshot.knows(clause.expression).expand(shape), value, torch.nan), met
    yes, no = torch.ones(shape, dtype=torch.bool), torch.zeros(shape, dtype=torch.bool)
    for clause in query.asked:
        holds, fails = _judge(clause.expression, _Snapshot(journeys, model, clause))
        yes, no = yes & holds, no | fails
    return torch.where(yes | no, yes.double(), torch.nan), met


def _judge(expression: Expression, snapshot: _Snapshot) -> tuple[Tensor, Tensor]:
    """For whom it holds and for whom it does not; neither, where it is unknown (Kleene's logic)."""
    match expression:
        case Binary("and", left, right):
            (yes, no), (yes_too, no_too) = _judge(left, snapshot), _judge(right, snapshot)
            return yes & yes_too, no | no_too
        case Binary("or", left, right):
            (yes, no), (yes_too, no_too) = _judge(left, snapshot), _judge(right, snapshot)
            return yes | yes_too, no & no_too
        case Unary("not", operand):
            yes, no = _judge(operand, snapshot)
            return no, yes
    known = snapshot.knows(expression)
    holds = torch.as_tensor(is_true(snapshot.evaluate(expression)))
    return known & holds, known & ~holds


@dataclass(frozen=True)
class _Snapshot:
    """The values of the model's variables at the time of a clause, in all worlds of a batch."""

    journeys: Journeys
    model: Model
    clause: Clause

    def evaluate(self, expression: Expression) -> Any:
        model = self.model
        now = {name: self.read(name) for name in self._names(expression)}
        parameters = {name: parameter.value for name, parameter in model.parameters.items()}
        state = StepState(
            time=self.clause.by * model.clock.dt, dt=model.clock.dt, parameters=parameters, now=now, history=[], seen={}
        )
        levels = {variable.name: variable.levels for variable in model.variables.values() if variable.levels}
        return compile_expression(expression, constant=frozenset(), levels=levels)(state)

    def knows(self, expression: Expression) -> Tensor:
        """Who has a value of everything that the expression reads: bool, (worlds, patients)."""
        known = torch.ones((len(self.journeys.worlds), len(self.journeys.patients)), dtype=torch.bool)
        for name in self._names(expression):
            known &= ~torch.isnan(self.read(name))
        return known

    def read(self, name: str) -> Tensor:
        """A variable, float64 (worlds, patients): an event's number of occurrences by then; a measurement's value at
        the last time at which it was due, also where that visit was missed (of one that is taken at will, where it
        was last recorded); else the value then. NaN after the journey's end, and before a measurement was due."""
        journeys, variable = self.journeys, self.model.variables[name]
        shape = (len(journeys.worlds), len(journeys.patients))
        if variable.kind == "event":
            return count_occurrences(journeys, name, by=limit_of(self.clause.by, clock=self.model.clock))
        values = journeys.values[name].double()
        if variable.kind == "static":
            return values[:, 0].expand(shape)
        rows = [row for row, step in enumerate(journeys.steps[name]) if step <= self.clause.step]
        if variable.kind == "measurement" and not isinstance(variable.when, Schedule):
            found = torch.full(shape, torch.nan, dtype=torch.float64)
            for row in rows:
                found = torch.where(journeys.recorded[name][:, row], values[:, row], found)
        else:
            found = values[:, rows[-1]].expand(shape) if rows else torch.full(shape, torch.nan, dtype=torch.float64)
        return torch.where(living(journeys, [self.clause.step])[:, 0].expand(shape), found, torch.nan)

    def _names(self, expression: Expression) -> list[str]:
        return sorted({read.name for read in reads(expression)} & self.model.variables.keys())


@dataclass(frozen=True)
class _Estimated:
    """The estimate in one world: of `count` people, the share `met` of all; `undefined`: the share of those that has
    no value."""

    value: float
    interval: Interval
    count: int
    met: float
    undefined: float

    @classmethod
    def of(cls, query: Query, values: Numbers, met: Mask) -> _Estimated:
        among = values[met]
        defined = among[~np.isnan(among)]
        if len(defined) < 2:
            problem = (
                "nobody meets the conditions"
                if len(among) == 0
                else "too few of those who meet the conditions have a value"
            )
            fix = f"more people, such as -n {10 * len(met)}, a wider condition, or an earlier time"
            raise fail(problem, value=query.text, fix=fix)
        if query.kind == "mean":
            mean = estimate_mean(defined)
            value, interval = mean.value, mean.interval
        else:
            value, interval = estimate_share(defined > 0)
        return cls(value, interval, len(defined), float(met.mean()), 1 - len(defined) / len(among))


def _by_world(worlds: Sequence[World], found: Sequence[_Estimated], name: str) -> dict[str, Any]:
    return {str(world): getattr(own, name) for world, own in zip(worlds, found, strict=True)}


def _compare(values: Numbers, met: Mask) -> dict[str, Any]:
    """The difference between the worlds, where the value is that of the same people in both."""
    known = ~np.isnan(values)
    difference = (values[1] - values[0])[met[0] & met[1] & known[0]]
    if (known[0] != known[1]).any() or len(difference) < 2:
        return {}
    mean = estimate_mean(difference)
    return {"difference": mean.value, "difference_interval": mean.interval}


def _describe_method(query: Query, patients: int, conditions: Sequence[Clause], found: Sequence[_Estimated]) -> str:
    what = "the share" if query.kind == "probability" else "the mean"
    clauses = ["have a value"] if any(own.undefined for own in found) else []
    if conditions:
        clauses.insert(0, f"meet {', '.join(clause.text for clause in conditions)}")
    if not clauses:
        return f"{what} of {patients:,} people"
    counts = " and ".join(f"{count:,}" for count in dict.fromkeys(own.count for own in found))
    return f"{what} of the {counts} of {patients:,} simulated people who {' and '.join(clauses)}"


def _describe_note(
    model: Model, query: Query, conditions: Sequence[Clause], found: Sequence[_Estimated], *, selected: bool
) -> str:
    notes = []
    if selected:
        among = ", ".join(clause.text for clause in conditions)
        notes.append(
            f"Among those who, in each world, meet {among}: not a causal contrast, since it compares different people."
        )
    if len({own.undefined for own in found}) > 1:
        notes.append(
            "The people with a value differ between the worlds, so they are not compared; an effect says what death is."
        )
    if share := max(own.undefined for own in found):
        notes.append(f"{share:.2%} have no value (the journey had ended, or nothing was due); it is about the others.")
    for clause in (*query.asked, *query.conditions):
        for name in sorted(clause.names & model.variables.keys()):
            due = _find_due(model, name, clause.step)
            if due is not None and due != clause.step:
                time = describe_time(due, model.clock)
                notes.append(f"{name} is as of {time}, when it was last due.")
    return " ".join(notes)


def _find_due(model: Model, name: str, step: int) -> int | None:
    when = model.variables[name].when
    if not isinstance(when, Schedule):
        return None
    return max((earlier for earlier in range(step + 1) if when.includes(earlier)), default=None)
