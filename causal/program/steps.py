"""One pass through time: compute each step's values from causes and noise, in all worlds at once.

Tensors of values have the shape (..., worlds or 1, patients) inside a step; patients are the last dimension everywhere.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from ...errors import fail
from ..families import event_delay
from ..families.hazard import Hazard
from ..model.model import Schedule, Variable
from .expressions import StepState
from .journeys import Journeys
from .mechanism import Mechanism
from .occurrences import Occurrences, cut_occurrences, unite_occurrences
from .plan import Plan, site_name
from .tensors import Value, is_true

HAZARD = Hazard()
Fact = tuple[str, str, int]  # variable, expression (start, mechanism, when or missing), step


class Observer(Protocol):
    """Replaces drawn values with observed ones, and scores them."""

    @property
    def facts(self) -> Container[Fact]:
        """The observed facts."""

    @property
    def names(self) -> Sequence[str]:
        """The variables with observed facts, or on which the condition on entry depends."""

    def begin(self) -> None:
        """Start a pass: clear the scores of the last one."""

    def admit(self, moment: StepState) -> None:
        """Score the condition on entry, at step 0."""

    def observe(
        self, fact: Fact, mechanism: Mechanism, moment: StepState, fresh: Tensor | None, *, patients: Tensor
    ) -> Tensor:
        """The observed value in place of the mechanism's, in the same shape."""

    def decide(self, fact: Fact, clocks: Mapping[str, tuple[Tensor, Value]], moment: StepState) -> Tensor:
        """Whether a hazard's event was observed, given the noise and rate of each member of its group."""

    def join(self, fact: Fact, members: Sequence[str]) -> Sequence[str]:
        """The events that are decided together with a hazard."""

    def confirm(self, fact: Fact, happened: Tensor) -> None:
        """Score whether a composite event happened, as observed."""

    def total(self, patients: int) -> Tensor:
        """The log-probability of all observed facts, float64, (..., patients)."""


@dataclass
class _Track:
    """The values kept of one variable, step by step."""

    steps: list[int] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)
    recorded: list[Tensor] = field(default_factory=list)


class Pass:
    """One pass through time on given noise. Journeys are not cut at their end here: otherwise an intervention that
    changes a death would also change variables that it cannot affect."""

    def __init__(
        self,
        plan: Plan,
        noise: Mapping[str, Tensor],
        patients: Tensor,
        last: int,
        keep: Sequence[str],
        observer: Observer | None = None,
    ) -> None:
        self.plan, self.noise, self.patients, self.last, self.keep = plan, noise, patients, last, keep
        self.observer = observer
        self.variables = plan.model.variables
        self.dt = plan.model.clock.dt
        none = torch.zeros(1, len(patients), dtype=torch.bool)
        dated = plan.find_dated(keep)
        self.tracks = {name: _Track() for name in dict.fromkeys([*keep, *dated])}
        self.moment = StepState(time=0.0, dt=self.dt, parameters=plan.parameters, now={}, history=[], patients=patients)
        self.row = dict.fromkeys(noise, 0)
        self.rates: dict[str, list[Tensor]] = {name: [] for name in dated}  # of hazards, to date their events
        # whether a hazard's event would have happened anyway, where an intervention may make it happen
        self.natural: dict[str, list[Tensor]] = {n: [] for n in dated if n in plan.forced and plan.is_hazard(n)}
        self.ended = self.closed = torch.full((1, len(patients)), last + 1, dtype=torch.int32)
        self.clocks: dict[str, tuple[Tensor, Value]] = {}  # noise and rate of this step's hazards
        for name in plan.first_order:
            if self.variables[name].kind == "event":
                self.moment.ever[name] = none
                if name in plan.read_since:
                    self.moment.latest[name] = torch.full((1, len(patients)), -torch.inf)
            if self.variables[name].kind == "measurement":
                self.moment.seen[name] = none
                self.moment.now[name] = torch.full((1, len(patients)), torch.nan)

    def finish(self) -> Journeys:
        if self.observer is not None:
            self.observer.begin()
        self.step(0, self.plan.first_order)
        if self.observer is not None:
            self.observer.admit(self.moment)
        carried = self.moment.now
        self.moment.history = [carried] * self.plan.deepest_lag
        statics = [name for name in self.plan.first_order if self.variables[name].kind == "static"]
        constants = {name: carried[name] for name in statics}
        for step in range(1, self.last + 1):
            self.moment.time = step * self.dt
            previous = self.moment.now
            carry = {name: previous[name] for name in self.moment.seen}
            self.moment.now = {**constants, **carry}
            self.clocks.clear()
            self.step(step, self.plan.step_order)
            if self.plan.deepest_lag:
                self.moment.history = [self.moment.now, *self.moment.history[: self.plan.deepest_lag - 1]]
        return self.collect()

    def step(self, step: int, order: Sequence[str]) -> None:
        moment = self.moment
        for name in order:
            variable = self.variables[name]
            if variable.kind == "measurement":
                self.measure(variable, step)
                continue
            if variable.kind == "event":
                moment.now[name] = self.occur(variable, step)
            else:
                key = "start" if step == 0 and variable.start is not None else "mechanism"
                moment.now[name] = self.value(variable, key, step)
            if name in self.tracks:
                self.tracks[name].steps.append(step)
                self.tracks[name].values.append(moment.now[name])
        for name in moment.ever:
            self.remember(self.variables[name], step)
        for name, seen in moment.seen.items():
            moment.now[f"{name} recorded"] = seen

    def draw(self, variable: Variable, key: str) -> Tensor | None:
        """The next row of an expression's noise, (..., 1, patients), with levels as the first dimension if any."""
        site = site_name(variable.name, key)
        noise = self.noise.get(site)
        if noise is None:
            return None
        row = self.row[site]
        self.row[site] += 1
        at = noise[..., row, :]
        mechanism = self.plan.mechanisms[variable.name, key]
        if mechanism.family is not None and mechanism.family.noise_by_level:
            at = at.movedim(-2, 0)
            at = at.unsqueeze(-2) if at.dim() > 2 else at  # Pyro's particle dimensions are left of the levels
        return at.unsqueeze(-2)

    def push(self, variable: Variable, key: str, step: int) -> Tensor:
        """The value of an expression given its noise, or the observed value."""
        mechanism, noise = self.plan.mechanisms[variable.name, key], self.draw(variable, key)
        fact = (variable.name, key, step)
        if self.observer is not None and fact in self.observer.facts:
            return self.observer.observe(fact, mechanism, self.moment, noise, patients=self.patients)
        return mechanism.push(self.moment, noise, patients=self.patients)

    def value(self, variable: Variable, key: str, step: int) -> Tensor:
        """The natural value, then changed by interventions."""
        value = self.push(variable, key, step)
        return self.plan.intervene(variable.name, step, self.spread(value), self.moment)

    def spread(self, value: Tensor) -> Tensor:
        """Expand a value that is the same for all patients or worlds to (..., worlds or 1, patients)."""
        count = len(self.patients)
        if value.dim() > 1 and value.shape[-1] == count:
            return value
        return value.expand(*value.shape[:-2], value.shape[-2] if value.dim() > 1 else 1, count)

    def occur(self, event: Variable, step: int) -> Tensor:
        """Whether the event happens in this step, (worlds or 1, patients)."""
        if step == 0:
            return torch.zeros(1, len(self.patients), dtype=torch.bool)
        if event.any_of:
            happened = self.compose(event)
            fact = (event.name, "any_of", step)
            if self.observer is not None and fact in self.observer.facts:
                self.observer.confirm(fact, happened)
            return happened
        if self.plan.is_hazard(event.name):
            happened = self.spread(self.race(event, step))
        else:
            happened = self.spread(torch.as_tensor(is_true(self.push(event, "mechanism", step))))
        if event.name in self.natural:
            self.natural[event.name].append(happened)
        happened = self.plan.intervene(event.name, step, happened, self.moment)
        for name in self.plan.earlier_rivals(event.name):
            if name in self.plan.forced:  # where two are made to happen, the first declared does
                happened = happened & ~self.is_forced(name, step)
        return happened & ~self.moment.ever[event.name] if event.occurs == "once" else happened

    def compose(self, event: Variable) -> Tensor:
        """How often a composite event happens in this step (float32), or whether it first does, if once (bool)."""
        parts = [self.moment.now[name] for name in self.plan.components[event.name]]
        if event.occurs == "once":
            return torch.stack(torch.broadcast_tensors(*parts)).any(0) & ~self.moment.ever[event.name]
        return torch.stack(torch.broadcast_tensors(*parts)).sum(0).float()

    def race(self, event: Variable, step: int) -> Tensor:
        """Whether the hazard's exponential waiting time ends within the step, and before those of its competitors.

        The noise of each event makes its waiting time at its rate; of a competing group, only the shortest happens.
        """
        fact = (event.name, "mechanism", step)
        observed = self.observer is not None and fact in self.observer.facts
        members: Sequence[str] = self.plan.groups.get(event.competes, [event.name])
        if self.observer is not None and observed:
            members = self.observer.join(fact, members)
        for name in members:
            if name not in self.clocks:
                mechanism = self.plan.mechanisms[name, "mechanism"]
                (rate,) = mechanism.evaluate_parameters(self.moment, patients=self.patients)
                noise = self.draw(self.variables[name], "mechanism")
                assert noise is not None
                self.clocks[name] = (noise, rate)
        noise, rate = self.clocks[event.name]
        if event.name in self.rates:
            self.rates[event.name].append(self.spread(torch.as_tensor(rate)))
        if self.observer is not None and observed:
            return self.observer.decide(fact, {name: self.clocks[name] for name in members}, self.moment)
        happened = HAZARD.push(noise, rate, self.dt)
        for name in members:
            if name != event.name:
                own, other = event_delay(noise, rate), self.competitor_delay(name, step)
                # ties go to the event declared first, so that at most one event of the group happens
                first = own < other if members.index(name) < members.index(event.name) else own <= other
                happened = happened & first
                if name in self.plan.forced:
                    happened = happened & ~self.is_forced(name, step)
        return happened

    def is_forced(self, name: str, step: int) -> Tensor:
        """Where an intervention makes a competing event happen in this step: it then excludes its rivals."""
        nowhere = torch.zeros(1, len(self.patients), dtype=torch.bool)
        forced = self.plan.intervene(name, step, nowhere, self.moment)
        return forced & ~self.moment.ever[name] if self.variables[name].occurs == "once" else forced

    def competitor_delay(self, name: str, step: int) -> Tensor:
        """When a competitor would happen; infinite if an intervention prevents it, or if it can no longer happen."""
        delay = event_delay(*self.clocks[name])
        if self.variables[name].occurs == "once":
            delay = torch.where(self.moment.ever[name], torch.inf, delay)
        able = self.plan.intervene(name, step, torch.ones_like(delay, dtype=torch.bool), self.moment)
        return torch.where(able, delay, torch.inf)

    def remember(self, event: Variable, step: int) -> None:
        """Update an event's past: whether and when it last happened, and whether it ended the journey or record."""
        moment, now = self.moment, self.moment.now[event.name]
        happened = now.bool()  # a composite that is repeated holds a number
        moment.ever[event.name] = moment.ever[event.name] | happened
        if event.name in moment.latest:
            moment.latest[event.name] = torch.where(happened, step, moment.latest[event.name])
        if event.ends == "journey":
            self.ended = torch.where(now, self.ended.clamp(max=step), self.ended)
            moment.dead = self.ended <= step
        elif event.ends == "record":
            self.closed = torch.where(now, self.closed.clamp(max=step), self.closed)

    def measure(self, variable: Variable, step: int) -> None:
        """Take a measurement where it is due; elsewhere carry the last recorded value forward."""
        moment, name = self.moment, variable.name
        due: Tensor | None = None
        if isinstance(variable.when, Schedule):
            if not variable.when.includes(step):
                return
        elif variable.when is not None:
            due = torch.as_tensor(is_true(self.push(variable, "when", step)))
        value = self.value(variable, "mechanism", step)
        recorded = self.closed > step
        for event in self.plan.model.variables.values():
            if event.ends == "record" and event.name in moment.now:
                recorded = recorded & ~moment.now[event.name]
        if due is not None:
            recorded = recorded & due
        if variable.missing is not None:
            recorded = recorded & ~torch.as_tensor(is_true(self.push(variable, "missing", step)))
        moment.now[name] = torch.where(recorded, value, moment.now[name])
        moment.seen[name] = moment.seen[name] | recorded
        if name in self.keep:
            track = self.tracks[name]
            track.steps.append(step)
            track.values.append(value if due is None else torch.where(due, value, torch.nan))
            track.recorded.append(recorded)

    def collect(self) -> Journeys:
        values = {name: _stack(track.values, len(self.patients)) for name, track in self.tracks.items()}
        taken = {name: track.recorded for name, track in self.tracks.items() if name in self.moment.seen}
        recorded = {name: _stack(rows, len(self.patients)).bool() for name, rows in taken.items()}
        for name, value in values.items():
            if self.variables[name].kind != "event" and value.dtype.is_floating_point:
                self.check_finite(name, torch.where(recorded[name], value, 0) if name in recorded else value)
        worlds, patients = len(self.plan.worlds), len(self.patients)
        drawn = {name: self.date_event(name, values[name]) for name in self.rates}
        events = [variable for variable in self.variables.values() if variable.kind == "event"]
        found, journey, record = cut_occurrences(drawn, events, worlds=worlds, patients=patients)
        for name, parts in self.plan.components.items():
            if name in self.tracks:
                once = self.variables[name].occurs == "once"
                found[name] = unite_occurrences([found[part] for part in parts], once=once, patients=patients)
        for name in found:
            if name in self.keep and values[name].dim() == 3:
                dropped = name in self.plan.components or len(found[name].step) < len(drawn[name].step)
                values[name] = _mark(values[name], found[name], worlds) if dropped else values[name]
        return Journeys(
            worlds=self.plan.worlds,
            patients=self.patients,
            last_step=self.last,
            values={name: values[name] for name in self.keep},
            steps={name: tuple(self.tracks[name].steps) for name in self.keep},
            recorded=recorded,
            occurrences={name: found[name] for name in self.keep if name in found},
            ended=self.ended,
            closed=self.closed,
            ended_at=journey.date,
            closed_at=record.date,
        )

    def date_event(self, event: str, happened: Tensor) -> Occurrences:
        """Who had the event, and when: within the step for a hazard that happens by itself, else at the step's end."""
        if happened.dim() > 3:  # with Pyro's particles there is no single list
            happened = happened[..., :0, :, :].reshape(0, *happened.shape[-2:])
        everywhere = happened.expand(len(self.plan.worlds) if happened.shape[0] else 0, *happened.shape[-2:])
        world, step, patient = everywhere.nonzero(as_tuple=True)
        date = step.double() * self.dt
        rates = self.rates[event]
        if rates and len(step):
            row = step - 1  # hazards have no noise in step 0
            noise = self.noise[site_name(event, "mechanism")][row, patient]
            delay = event_delay(noise, _pick(rates, world, row, patient))
            anyway = delay < self.dt
            if event in self.natural:
                anyway = anyway & _pick(self.natural[event], world, row, patient)
            date = torch.where(anyway, torch.minimum(row.double() * self.dt + delay, date), date)
        return Occurrences(world, patient, step, date, torch.ones_like(step, dtype=torch.bool))

    def check_finite(self, name: str, value: Tensor) -> None:
        """Raise NosographError if a living patient's value is not finite."""
        if torch.isfinite(value.detach().sum()):
            return
        alive = torch.tensor(self.tracks[name].steps)[:, None] < self.ended.unsqueeze(-2)
        bad = ~torch.isfinite(value) & alive
        if not bool(bad.any()):
            return
        where = bad.nonzero()[0]
        row, patient = where[-2:].tolist()
        raise fail(
            "the value is not a finite number",
            node=name,
            value=f"{float(value.expand(bad.shape)[tuple(where)])} at t = {self.tracks[name].steps[row] * self.dt:g}, "
            f"patient {int(self.patients[patient])}",
            fix="clip(…, low, high) around unbounded growth, where(recorded(x), …, …) around missing values",
        )


def _pick(rows: list[Tensor], world: Tensor, row: Tensor, patient: Tensor) -> Tensor:
    """The entries of one row per step, each (worlds or 1, patients)."""
    stacked = _stack(rows, rows[0].shape[-1])
    return stacked[world.clamp(max=stacked.shape[0] - 1), row, patient]


def _mark(values: Tensor, found: Occurrences, worlds: int) -> Tensor:
    """An event's values, (worlds, steps, patients): in which steps it happened, or how often, as its values are."""
    marked = torch.zeros(worlds, *values.shape[-2:], dtype=values.dtype)
    marked.index_put_((found.world, found.step, found.patient), torch.ones((), dtype=values.dtype), accumulate=True)
    return marked


def _stack(rows: list[Tensor], patients: int) -> Tensor:
    """Stack one row per step, each (worlds or 1, patients), to (worlds or 1, steps, patients)."""
    if not rows:
        return torch.empty(1, 0, patients)
    if len({row.shape for row in rows}) > 1:
        # not torch.broadcast_shapes, which imports sympy and takes over a second
        rows = list(torch.broadcast_tensors(*rows))
    return torch.stack(rows, dim=-2)
