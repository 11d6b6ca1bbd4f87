"""One Pyro program from a disease model: noise enters by `pyro.sample`, structural equations are plain torch.

Run as it is, Pyro draws the noise, and `trace`, `Predictive`, SVI and NUTS work on it; `sample` runs it under a
Messenger that fills the noise sites from the keyed generator instead. Tensors of values have the shape
(..., worlds or 1, patients) inside a step; patients are the last dimension everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import pyro
import pyro.distributions as dist
import torch
from pyro.poutine.messenger import Messenger
from torch import Tensor

from ..errors import fail
from .evaluate import Moment, Value
from .families import event_delay
from .families.hazard import Hazard
from .model import Model, Schedule, Variable
from .noise import draw_normal, draw_uniform, draw_uniform64
from .scm import Plan, Site, ancestors, noise_sites, site_name
from .world import FACTUAL, World

HAZARD = Hazard()
DRAWS = {"normal": draw_normal, "uniform": draw_uniform, "uniform64": draw_uniform64}


@dataclass(frozen=True)
class Occurrences:
    """When an event happened: one entry each, all four of equal length. `date` is in the clock's unit."""

    world: Tensor
    patient: Tensor  # the index in the batch
    step: Tensor
    date: Tensor


@dataclass(frozen=True)
class Journeys:
    """Trajectories of a batch of patients in one or more worlds, before the end of a journey is applied.

    `values[name]`: (worlds or 1, steps of that variable, patients); `steps[name]` says which steps these are.
    `recorded[name]`: whether each measurement was recorded, in the same shape. `ended`: (worlds or 1, patients), the
    step in which the journey ended, and `closed` that in which the record did: one past the last step if it did not.
    """

    worlds: tuple[World, ...]
    patients: Tensor
    last_step: int
    values: dict[str, Tensor]
    steps: dict[str, tuple[int, ...]]
    recorded: dict[str, Tensor]
    occurrences: dict[str, Occurrences]
    ended: Tensor
    closed: Tensor

    def to(self, device: str) -> Journeys:
        """The same journeys with their tensors on another device."""

        def move(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
            return {name: tensor.to(device) for name, tensor in tensors.items()}

        occurrences = {
            name: Occurrences(*(tensor.to(device) for tensor in (o.world, o.patient, o.step, o.date)))
            for name, o in self.occurrences.items()
        }
        return replace(
            self,
            values=move(self.values),
            recorded=move(self.recorded),
            occurrences=occurrences,
            ended=self.ended.to(device),
            closed=self.closed.to(device),
        )


class Program:
    """The Pyro program of a model. Calling it is one run: `program(patients=100, worlds=[…])` gives Journeys."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def __call__(
        self,
        patients: int | Tensor,
        *,
        worlds: Sequence[World] = (FACTUAL,),
        steps: int | None = None,
        keep: Sequence[str] | None = None,
        parameters: Mapping[str, Value] | None = None,
    ) -> Journeys:
        """Run `steps` steps (the model's horizon by default) for so many patients, or for those numbered.

        `keep` names the variables to return; only these and what they depend on are computed. `parameters` replace the
        model's. Raises NosographError where a distribution's parameter leaves its domain.
        """
        numbers = torch.arange(patients) if isinstance(patients, int) else patients
        last = self.model.clock.steps if steps is None else steps
        needed = list(self.model.variables) if keep is None else ancestors(self.model, [*keep, *self.endings()])
        plan = Plan(self.model, worlds, parameters=parameters or {}, needed=needed)
        sites = noise_sites(self.model, steps=last, needed=needed)
        noise = {site.name: sample_site(site, len(numbers)) for site in sites}
        kept = [name for name in needed if keep is None or name in keep]
        return _Run(plan, noise, numbers, last, kept).finish()

    def endings(self) -> list[str]:
        return [v.name for v in self.model.variables.values() if v.ends != "nothing"]


def sample_site(site: Site, patients: int) -> Tensor:
    """The noise of a site, (..., steps, patients), or (..., levels, steps, patients) for a categorical."""
    base: Any = dist.Normal(0.0, 1.0) if site.noise == "normal" else dist.Uniform(0.0, 1.0)
    shape: tuple[int, ...] = (len(site.steps), patients)
    with pyro.plate("patients", patients, dim=-1), pyro.plate(f"{site.name}.steps", len(site.steps), dim=-2):
        if not site.levels:
            return pyro.sample(site.name, base.expand(shape))
        with pyro.plate(f"{site.name}.levels", len(site.levels), dim=-3):
            return pyro.sample(site.name, base.expand((len(site.levels), *shape)))


class KeyedNoise(Messenger):
    """Fills the noise sites of a program from the keyed generator: the same patient is the same in any batch."""

    def __init__(self, model: Model, *, seed: int, patients: Tensor, steps: int, device: str = "cpu") -> None:
        super().__init__()
        self.device = device
        self.sites = {site.name: site for site in noise_sites(model, steps=steps)}
        self.seed, self.patients = seed, patients

    def _pyro_sample(self, message: dict[str, Any]) -> None:
        site = self.sites.get(message["name"])
        if site is not None and message["value"] is None:
            message["value"] = draw_site(site, seed=self.seed, patients=self.patients).to(self.device)
            message["done"] = True


def draw_site(site: Site, *, seed: int, patients: Tensor) -> Tensor:
    """The keyed noise of a site: float32 (steps, patients), or (levels, steps, patients)."""
    draw = DRAWS[site.noise]

    def component(level: str) -> Tensor:
        first, last = site.steps[0], site.steps[-1]
        if last - first + 1 == len(site.steps):
            window = range(first, last + 1)
            return draw(seed=seed, name=site.name, patients=patients, steps=window, component=level)
        rows = [
            draw(seed=seed, name=site.name, patients=patients, steps=range(k, k + 1), component=level)
            for k in site.steps
        ]
        return torch.cat(rows)

    return torch.stack([component(level) for level in site.levels]) if site.levels else component("")


def sample(
    model: Model,
    *,
    patients: int | Tensor,
    seed: int = 0,
    worlds: Sequence[World] = (FACTUAL,),
    steps: int | None = None,
    keep: Sequence[str] | None = None,
    parameters: Mapping[str, Value] | None = None,
    device: str = "cpu",
) -> Journeys:
    """Run the model's program on keyed noise: patient i is a pure function of (model, seed, i).

    The noise is drawn on the processor wherever the program runs; the journeys come back to it. Raises NosographError
    as the program does.
    """
    numbers = torch.arange(patients) if isinstance(patients, int) else patients
    last = model.clock.steps if steps is None else steps
    noise = KeyedNoise(model, seed=seed, patients=numbers, steps=last, device=device)
    # torch's device context slows every operation down, so it is entered only where it is needed
    with torch.no_grad(), nullcontext() if device == "cpu" else torch.device(device), noise:
        journeys = Program(model)(numbers, worlds=worlds, steps=last, keep=keep, parameters=parameters)
    return journeys if device == "cpu" else journeys.to("cpu")


@dataclass
class _Track:
    """What is kept of one variable, step by step."""

    steps: list[int] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)
    recorded: list[Tensor] = field(default_factory=list)


class _Run:
    """One pass through time. The end of a journey is not applied inside: it would let the dead differ from the living
    in what an intervention cannot reach."""

    def __init__(self, plan: Plan, noise: dict[str, Tensor], patients: Tensor, last: int, keep: Sequence[str]) -> None:
        self.plan, self.noise, self.patients, self.last, self.keep = plan, noise, patients, last, keep
        self.variables = plan.model.variables
        self.dt = plan.model.clock.dt
        none = torch.zeros(1, len(patients), dtype=torch.bool)
        self.moment = Moment(time=0.0, dt=self.dt, parameters=plan.parameters, now={}, history=[])
        self.tracks = {name: _Track() for name in keep}
        self.row = dict.fromkeys(noise, 0)
        self.happened: dict[str, list[tuple[Tensor, Tensor, int, Tensor]]] = {}
        self.ended = self.closed = torch.full((1, len(patients)), last + 1, dtype=torch.int32)
        self.clocks: dict[str, tuple[Tensor, Value]] = {}  # of this step's hazards: noise and rate
        for name in plan.first_order:
            if self.variables[name].kind == "event":
                self.moment.ever[name] = none
                self.happened[name] = []
                if name in plan.read_since:
                    self.moment.latest[name] = torch.full((1, len(patients)), -torch.inf)
            if self.variables[name].kind == "measurement":
                self.moment.seen[name] = none
                self.moment.now[name] = torch.full((1, len(patients)), torch.nan)

    def finish(self) -> Journeys:
        self.step(0, self.plan.first_order)
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
            if name in self.keep:
                self.tracks[name].steps.append(step)
                self.tracks[name].values.append(moment.now[name])
        for name in self.happened:
            self.remember(self.variables[name], step)
        for name, seen in moment.seen.items():
            moment.now[f"{name} recorded"] = seen

    def draw(self, variable: Variable, key: str) -> Tensor | None:
        """The next row of an expression's noise, (..., 1, patients), levels in front."""
        site = site_name(variable.name, key)
        noise = self.noise.get(site)
        if noise is None:
            return None
        row = self.row[site]
        self.row[site] += 1
        at = noise[..., row, :]
        mechanism = self.plan.mechanisms[variable.name, key]
        if mechanism.family is not None and mechanism.family.name == "Categorical":
            at = at.movedim(-2, 0)
        return at.unsqueeze(-2)

    def value(self, variable: Variable, key: str, step: int) -> Tensor:
        """The natural value, then what interventions make of it."""
        mechanism = self.plan.mechanisms[variable.name, key]
        value = mechanism.push(self.moment, self.draw(variable, key), patients=self.patients)
        return self.plan.intervene(variable.name, step, self.spread(value), self.moment)

    def spread(self, value: Tensor) -> Tensor:
        """A value that is the same for all patients, or all worlds, in the shape (..., worlds or 1, patients)."""
        count = len(self.patients)
        if value.dim() > 1 and value.shape[-1] == count:
            return value
        return value.expand(*value.shape[:-2], value.shape[-2] if value.dim() > 1 else 1, count)

    def occur(self, event: Variable, step: int) -> Tensor:
        """Whether the event happens in this step, (worlds or 1, patients)."""
        if step == 0:
            return torch.zeros(1, len(self.patients), dtype=torch.bool)
        mechanism = self.plan.mechanisms[event.name, "mechanism"]
        if mechanism.family is not None and mechanism.family.name == "Hazard":
            happened = self.race(event, step)
        else:
            happened = mechanism.push(self.moment, self.draw(event, "mechanism"), patients=self.patients) != 0
        happened = self.spread(happened)
        if event.occurs == "once":
            happened = happened & ~self.moment.ever[event.name]
        return self.plan.intervene(event.name, step, happened, self.moment)

    def race(self, event: Variable, step: int) -> Tensor:
        """Whether the hazard's keyed exponential falls within the step, and before its rivals'."""
        rivals = self.plan.groups.get(event.competes, [event.name])
        for name in rivals:
            if name not in self.clocks:
                mechanism = self.plan.mechanisms[name, "mechanism"]
                (rate,) = mechanism.evaluate_parameters(self.moment, patients=self.patients)
                noise = self.draw(self.variables[name], "mechanism")
                assert noise is not None
                self.clocks[name] = (noise, rate)
        noise, rate = self.clocks[event.name]
        happened = HAZARD.push(noise, rate, self.dt)
        for name in rivals:
            if name != event.name:
                happened = happened & (event_delay(noise, rate) <= self.rival_delay(name, step))
        return happened

    def rival_delay(self, name: str, step: int) -> Tensor:
        """When a rival would happen; an event that is set, or that has happened once and for all, is no rival."""
        delay = event_delay(*self.clocks[name])
        if self.variables[name].occurs == "once":
            delay = torch.where(self.moment.ever[name], torch.inf, delay)
        for forced in self.plan.forced.get(name, ()):
            if forced.intervention.active(step) and forced.intervention.operator == "=":
                delay = delay.expand(len(self.plan.worlds), delay.shape[-1]).clone()
                delay[forced.world] = torch.inf
        return delay

    def remember(self, event: Variable, step: int) -> None:
        """Note who had the event in this step, and when."""
        now = self.moment.now[event.name]
        if not bool(now.any()):
            return
        moment = self.moment
        if event.ends == "journey":
            self.ended = torch.where(now, self.ended.clamp(max=step), self.ended)
        elif event.ends == "record":
            self.closed = torch.where(now, self.closed.clamp(max=step), self.closed)
        if now.dim() == 2:
            everywhere = now.expand(len(self.plan.worlds), now.shape[-1])
            world, patient = everywhere.nonzero(as_tuple=True)
            date = torch.full(world.shape, moment.time)
            if event.name in self.clocks:
                noise, rate = self.clocks[event.name]
                delay = event_delay(noise[0, patient], torch.as_tensor(rate).expand(everywhere.shape)[world, patient])
                date = torch.where(delay < self.dt, moment.time - self.dt + delay, date)
            self.happened[event.name].append((world, patient, step, date))
        moment.ever[event.name] = moment.ever[event.name] | now
        if event.name in moment.latest:
            moment.latest[event.name] = torch.where(now, moment.time, moment.latest[event.name])

    def measure(self, variable: Variable, step: int) -> None:
        """Take a measurement where it is due, and carry the last recorded value where it is not."""
        moment, name = self.moment, variable.name
        due: Tensor | None = None
        if isinstance(variable.when, Schedule):
            if not variable.when.includes(step):
                return
        elif variable.when is not None:
            due = self.condition(variable, "when")
        value = self.value(variable, "mechanism", step)
        recorded = self.closed > step
        for event in self.plan.model.variables.values():
            if event.ends == "record" and event.name in moment.now:
                recorded = recorded & ~moment.now[event.name]
        if due is not None:
            recorded = recorded & due
        if variable.missing is not None:
            recorded = recorded & ~self.condition(variable, "missing")
        moment.now[name] = torch.where(recorded, value, moment.now[name])
        moment.seen[name] = moment.seen[name] | recorded
        if name in self.keep:
            track = self.tracks[name]
            track.steps.append(step)
            track.values.append(value if due is None else torch.where(due, value, torch.nan))
            track.recorded.append(recorded)

    def condition(self, variable: Variable, key: str) -> Tensor:
        mechanism = self.plan.mechanisms[variable.name, key]
        return mechanism.push(self.moment, self.draw(variable, key), patients=self.patients) != 0

    def collect(self) -> Journeys:
        values = {name: _stack(track.values, len(self.patients)) for name, track in self.tracks.items()}
        for name, value in values.items():
            if self.variables[name].kind in ("state", "static", "treatment") and value.dtype.is_floating_point:
                self.check_finite(name, value)
        return Journeys(
            worlds=self.plan.worlds,
            patients=self.patients,
            last_step=self.last,
            values=values,
            steps={name: tuple(track.steps) for name, track in self.tracks.items()},
            recorded={
                n: _stack(t.recorded, len(self.patients)) for n, t in self.tracks.items() if n in self.moment.seen
            },
            occurrences={name: _occurrences(found) for name, found in self.happened.items() if name in self.keep},
            ended=self.ended,
            closed=self.closed,
        )

    def check_finite(self, name: str, value: Tensor) -> None:
        total = value.detach().sum()
        if torch.isfinite(total) or bool(torch.isfinite(value).all()):
            return
        world, row, patient = (~torch.isfinite(value)).nonzero()[0][-3:].tolist()
        raise fail(
            "a value is not a finite number",
            node=name,
            value=f"{float(value[..., world, row, patient])} at t = {self.tracks[name].steps[row] * self.dt:g}, "
            f"patient {int(self.patients[patient])}",
            fix="clip(…, low, high) around what grows without bound, where(recorded(x), …, …) around what may miss",
        )


def _stack(rows: list[Tensor], patients: int) -> Tensor:
    """(worlds or 1, steps, patients) from a row a step, each (worlds or 1, patients)."""
    if not rows:
        return torch.empty(1, 0, patients)
    worlds = max(row.shape[-2] for row in rows)
    return torch.stack([row.expand(*row.shape[:-2], worlds, patients) for row in rows], dim=-2)


def _occurrences(found: list[tuple[Tensor, Tensor, int, Tensor]]) -> Occurrences:
    if not found:
        empty = torch.empty(0, dtype=torch.int64)
        return Occurrences(empty, empty, empty, torch.empty(0))
    return Occurrences(
        world=torch.cat([world for world, _, _, _ in found]),
        patient=torch.cat([patient for _, patient, _, _ in found]),
        step=torch.cat([torch.full_like(world, step) for world, _, step, _ in found]),
        date=torch.cat([date for _, _, _, date in found]),
    )
