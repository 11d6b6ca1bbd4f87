"""Evidence inside the program: a run uses an observed value, scores it, and can recover the noise that gives it.

The score is the log-probability (or log-density) of the observed values given their parents. Their noise is then drawn
from the noise consistent with them. So weighting runs by their score, and moving only the noise of what was *not*
observed, gives the posterior over all noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from ...errors import fail
from ..families import Family, restrict
from ..families.hazard import chance_within
from ..language import Expression, reads
from ..language.syntax import Name
from ..model.model import Model
from ..program.expressions import Evaluator, StepState, compile_expression
from ..program.mechanism import Mechanism
from ..program.steps import Fact
from ..program.tensors import is_true
from .record import PatientRecord

TOLERANCE = 1e-4  # relative: allowed difference between a recorded and a computed value
TRUTHS = ("Bernoulli", "Hazard")
ENTRY: Fact = ("", "population", 0)
IMPOSSIBLE = math.log(2.0**-33)  # less probable than any draw, in either tail


@dataclass(frozen=True)
class RecordEvidence:
    """What is known of a patient: values of expressions by step, () or (patients,), to step `last`.

    `entered`: the condition on entry, which everybody with a record met.
    """

    facts: Mapping[Fact, Tensor]
    last: int
    entered: Expression | None = None
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The variables in the evidence."""
        entry = sorted(read.name for read in reads(self.entered)) if self.entered is not None else []
        return tuple(dict.fromkeys([*(name for name, _, _ in self.facts), *entry]))

    @cached_property
    def meets(self) -> Evaluator | None:
        if self.entered is None:
            return None
        return compile_expression(self.entered, constant=frozenset(), levels=self.levels)


class RecordObserver:
    """The evidence in one run. `scores`: (patients,) log-probabilities. `noise`, if `recover`: noise consistent with
    the observed values."""

    def __init__(self, evidence: RecordEvidence, *, recover: bool = False) -> None:
        self.facts, self.names = evidence.facts, evidence.names
        self.meets, self.recover = evidence.meets, recover
        self.scores: dict[Fact, Tensor] = {}
        self.noise: dict[Fact, Tensor] = {}

    def begin(self) -> None:
        """Start a pass: clear the results of the last one."""
        self.scores.clear()
        self.noise.clear()

    def total(self, patients: int, *, impossible: float = -torch.inf) -> Tensor:
        """The log-probability of all observed facts: float64, (..., patients). Impossible facts count `impossible`."""
        total = torch.zeros(1, patients, dtype=torch.float64)
        for score in self.scores.values():
            total = total + score.double().nan_to_num(nan=impossible, neginf=impossible)
        return total.squeeze(-2)

    def admit(self, moment: StepState) -> None:
        """Score the condition on entry, at step 0."""
        if self.meets is not None:
            meets = torch.as_tensor(is_true(self.meets(moment)))
            self.scores[ENTRY] = torch.where(meets, 0.0, -torch.inf)

    def observe(
        self, fact: Fact, mechanism: Mechanism, moment: StepState, fresh: Tensor | None, *, patients: Tensor
    ) -> Tensor:
        """Score the observed value and return it; its noise is made from `fresh`."""
        value, family = self.facts[fact], mechanism.family
        if family is None:
            natural = mechanism.push(moment, None, patients=patients)
            close = (natural.double() - value).abs() <= TOLERANCE * (1 + value.abs())
            self.scores[fact] = torch.where(close, 0.0, -torch.inf)
            return value.to(natural.dtype)
        parameters = mechanism.evaluate_parameters(moment, patients=patients)
        assert fresh is not None
        if mechanism.wraps and family.name not in (*TRUTHS, "Categorical"):
            low, high, possible = unwrap(mechanism, value, moment)
            bounds = noise_between(family, low, high, parameters)
            exact = low == high
            density = family.log_prob(torch.where(exact, low, 0.0).to(torch.float32), *parameters)
            score = torch.where(exact, density.double(), log_mass(family, *bounds))
            score = torch.where(possible, score, -torch.inf)
            if self.recover:
                self.noise[fact] = restrict(family.noise, fresh, *bounds)
        else:
            score = family.log_prob(value.to(torch.float32), *parameters)
            if self.recover:
                self.noise[fact] = family.draw_consistent(fresh, value.to(torch.float32), *parameters)
        # a scale of zero makes a constant, whose density is infinite: it is as observed (score 0), or impossible
        self.scores[fact] = torch.where(torch.isposinf(score), 0.0, score)
        kind = torch.bool if family.name in TRUTHS else torch.int8 if family.name == "Categorical" else torch.float32
        return value.to(kind)

    def decide(self, fact: Fact, clocks: Mapping[str, tuple[Tensor, Tensor | float]], moment: StepState) -> Tensor:
        """Whether a hazard's event happened in this step, scored together with its competitors (also known).

        With rates r_i and sum r, nothing happens within dt with probability exp(-r dt); event w happens first, and
        within dt, with probability r_w / r (1 - exp(-r dt)). The shortest wait T is then exponential with rate r,
        truncated to dt, whichever event has it. Every other wait is T plus its own exponential (no memory).
        """
        _, key, step = fact
        if fact in self.scores:  # scored already, with the first event of its group
            return self.facts[fact] != 0
        dt = moment.dt
        rates = {name: torch.as_tensor(rate, dtype=torch.float64) for name, (_, rate) in clocks.items()}
        for name in rates:
            if (name, key, step) not in self.facts:  # it has happened before and cannot happen again
                rates[name] = torch.zeros((), dtype=torch.float64)
        winner = next((n for n in rates if (n, key, step) in self.facts and bool(self.facts[n, key, step])), None)
        total = torch.stack(torch.broadcast_tensors(*rates.values())).sum(0)
        least = torch.full_like(total, dt)
        if winner is not None:
            least = -torch.log1p(-clocks[winner][0].double() * chance_within(total, dt)) / total
        for name, rate in rates.items():
            own = (name, key, step)
            if name == winner:
                score = torch.log(rate) - torch.log(total) + torch.log(chance_within(total, dt))
                score = torch.where(rate > 0, score, -torch.inf)
            else:
                score = -rate * dt if winner is None else torch.zeros_like(total)
            if own not in self.facts:
                continue
            self.scores[own] = score
            if self.recover:
                # the winner waits exactly `least`, every other event longer: its uniform lies above `before`
                before, fresh = chance_within(rate, least), clocks[name][0].double()
                self.noise[own] = before + torch.zeros_like(fresh) if name == winner else before + (1 - before) * fresh
        return self.facts[fact] != 0


class Inverter(RecordObserver):
    """An observer that does not score values with additive noise, but only checks that some noise gives them: if
    everything is observed, there is nothing to weight."""

    def observe(
        self, fact: Fact, mechanism: Mechanism, moment: StepState, fresh: Tensor | None, *, patients: Tensor
    ) -> Tensor:
        family = mechanism.family
        if family is None or family.noise != "normal" or mechanism.wraps:
            return super().observe(fact, mechanism, moment, fresh, patients=patients)
        assert fresh is not None
        value = self.facts[fact].to(torch.float32)
        noise = family.draw_consistent(fresh, value, *mechanism.evaluate_parameters(moment, patients=patients))
        self.noise[fact] = noise
        if not bool(torch.isfinite(noise.sum())):
            self.scores[fact] = torch.where(torch.isfinite(noise), 0.0, -torch.inf)
        return value


def unwrap(mechanism: Mechanism, value: Tensor, moment: StepState) -> tuple[Tensor, Tensor, Tensor]:
    """(low, high, possible): the interval of values that clip and round turn into `value`. Float64."""
    low = high = value.double()
    possible = torch.ones((), dtype=torch.bool)
    for wrap in reversed(mechanism.wraps):
        if wrap is None:
            possible = possible & (torch.ceil(low) <= torch.floor(high))
            low, high = torch.ceil(low) - 0.5, torch.floor(high) + 0.5
        else:
            least, most = (torch.as_tensor(bound(moment), dtype=torch.float64) for bound in wrap)
            possible = possible & (high >= least) & (low <= most)
            low = torch.where(low <= least, -torch.inf, low)
            high = torch.where(high >= most, torch.inf, high)
    return torch.where(possible, low, 0.0), torch.where(possible, high, 0.0), possible


def noise_between(family: Family, low: Tensor, high: Tensor, parameters: list[Tensor | float]) -> tuple[Tensor, Tensor]:
    """The interval of noise that gives values from `low` to `high`, which may extend beyond the support. Float64."""
    least, most = (-torch.inf, torch.inf) if family.noise == "normal" else (0.0, 1.0)
    middle = family.quantile(torch.tensor(0.5), *parameters)

    def bound(value: Tensor, *, upper: bool) -> Tensor:
        inside = torch.where(torch.isfinite(value), value, middle)
        if family.discrete:
            inside = torch.floor(inside) if upper else torch.ceil(inside)
        ends = family.recover(inside, *parameters)
        beyond = torch.where(inside < middle, least, most)
        noise = torch.where(ends[0] > ends[1], beyond, ends[1 if upper else 0].double())
        return torch.where(torch.isfinite(value), noise, most if upper else least).double()

    return bound(low, upper=False), bound(high, upper=True)


def log_mass(family: Family, low: Tensor, high: Tensor) -> Tensor:
    """Log-probability that the noise lies in [low, high], accurate far into the tails. Float64."""
    if family.noise != "normal":
        return torch.log((high - low).clamp(min=0))
    mirrored = low + high > 0
    near, far = torch.where(mirrored, -high, low), torch.where(mirrored, -low, high)
    floor, ceiling = torch.special.log_ndtr(near), torch.special.log_ndtr(far)
    mass: Tensor = ceiling + torch.log(-torch.expm1((floor - ceiling).clamp(max=0)))
    return mass


def collect_evidence(model: Model, record: PatientRecord) -> RecordEvidence:
    """A record as facts about the model's expressions. Raises NosographError if the record contradicts the model."""
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
    for name, happened, until in _settle_events(model, record):
        for step in range(1, until + 1):
            facts.setdefault((name, "mechanism", step), torch.tensor(float(step in happened), dtype=torch.float64))
    levels = {v.name: v.levels for v in model.variables.values() if v.levels}
    return RecordEvidence(facts, record.last, model.population, levels)


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


def _settle_events(model: Model, record: PatientRecord) -> list[tuple[str, set[int], int]]:
    """(event, the steps in which it happened, the step up to which that is known), for events with any information.

    A patient in the record is alive, and a patient who is measured has not dropped out. Competing events are all known
    up to the latest step known for any of them.
    """
    happened = {name: {e.step for e in record.events if e.event == name and e.happened} for name in model.variables}
    until = dict.fromkeys(model.variables, 0)
    for report in record.events:
        until[report.event] = max(until[report.event], report.step)
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
    return [(v.name, happened[v.name], until[v.name]) for v in events if until[v.name]]


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


def find_normal_score(family: Family, noise: Tensor) -> Tensor:
    """The noise of any family as standard normal scores."""
    if family.noise == "normal":
        return noise.double()
    score: Tensor = torch.special.ndtri(noise.double().clamp(2.0**-60, 1 - 2.0**-53))
    return score
