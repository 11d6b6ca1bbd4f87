"""Abduction: infer the posterior of a patient's noise from the record, and run it in any world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import fail
from ..families import FAMILIES
from ..language.syntax import find_draw
from ..model.model import Model
from ..model.world import FACTUAL, World
from ..program.journeys import Journeys
from ..program.noise import check_seed
from ..program.plan import Plan, ancestors, noise_sites, site_name
from ..program.sampling import draw_site
from ..program.steps import Fact, Pass
from .evidence import ENTRY, RecordEvidence, collect_evidence, describe_fact
from .observer import IMPOSSIBLE, Inverter, RecordObserver, find_normal_score
from .record import PatientRecord
from .target import PENALTY, PURPOSE, Target
from .tempering import MOST_TEMPERATURES, Tempering

FARTHEST = 6.34  # standard deviations: the limit of the noise generator
CONTRADICTING = 0.01  # most particles, as a share, that may contradict an observation


@dataclass(frozen=True)
class Bands:
    """Quantiles over the particles alive: float64, (worlds or 1, steps of the variable)."""

    low: NDArray[np.float64]
    middle: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class Posterior:
    """A patient's noise given the record: equally weighted particles, `noise[site]` ((levels,) steps, particles).

    `method`: "exact" if the record determines all noise that it depends on (or the remaining noise could not have
    changed it), else "tempered particles". `effective_sample_size`: the smallest over the noise at the start and every
    static and state in every step of the record. `parameters`: the uncertain ones, (1, particles), if sampled.
    """

    model: Model
    record: PatientRecord | None
    method: str
    effective_sample_size: float
    noise: Mapping[str, Tensor]
    parameters: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def particles(self) -> int:
        return next(iter(self.noise.values())).shape[-1] if self.noise else 1

    def run(self, worlds: Sequence[World] = (FACTUAL,), *, keep: Sequence[str] | None = None) -> Journeys:
        """Run the patient in these worlds; each particle has the same noise in all of them.

        `keep` names the variables to return. Raises NosographError as the program does.
        """
        model = self.model
        endings = [v.name for v in model.variables.values() if v.ends != "nothing"]
        needed = list(model.variables) if keep is None else ancestors(model, [*keep, *endings], worlds=worlds)
        plan = Plan(model, worlds, parameters=self.parameters, needed=needed)
        kept = [name for name in needed if keep is None or name in keep]
        with torch.no_grad():
            return Pass(plan, self.noise, torch.arange(self.particles), model.clock.steps, kept).finish()

    def bands(self, journeys: Journeys, name: str, *, level: float = 0.9) -> Bands:
        """The middle `level` of a variable's posterior in each of its steps, among the particles alive then (NaN if
        none is)."""
        value = journeys.values[name].double()
        steps = torch.tensor(journeys.steps[name])[None, :, None]
        alive = steps < journeys.ended[:, None, :]
        shape = torch.broadcast_shapes(value.shape, alive.shape)
        value = torch.where(alive.expand(shape), value.expand(shape), torch.nan)
        at = torch.tensor([(1 - level) / 2, 0.5, (1 + level) / 2], dtype=torch.float64)
        return Bands(*torch.nanquantile(value, at, dim=-1).numpy())


def abduct(
    model: Model, record: PatientRecord, *, seed: int = 0, particles: int = 2000, sample_parameters: bool = False
) -> Posterior:
    """The posterior of a patient's noise given the record; with `sample_parameters`, also of the model's `uncertain`
    parameters, with their distributions in the model as prior.

    Raises NosographError for a record that the model cannot explain, naming the observation at fault.
    """
    seed = check_seed(seed)
    evidence = collect_evidence(model, record)
    with torch.no_grad():
        target = Target(model, evidence, particles=particles, seed=seed, sample_parameters=sample_parameters)
        tempering = Tempering(target, seed=seed)
        _refuse_impossible(target, tempering.z)
        if float(tempering.score.max() - tempering.score.min()) < 1e-6:
            method, size = "exact", float(particles)
        else:
            method, size = "tempered particles", _infer(tempering)
        noise, observer = target.finish(tempering.z)
        _refuse_unexplained(target, observer)
        parameters = target.parameters_at(tempering.z)
    return Posterior(model, record, method, size, noise, parameters)


def invert(model: Model, values: Mapping[str, Tensor], *, seed: int = 0) -> Posterior:
    """The noise of many units at once, for which everything at the start is observed: `values[name]` is (units,).

    For models with only statics (or if only step 0 matters). Raises NosographError for a missing variable or an
    impossible value.
    """
    missing = [name for name in model.variables if name not in values and model.variables[name].kind == "static"]
    if missing:
        raise fail("exact inversion needs every static", value=", ".join(missing), fix="use abduct, one unit at a time")
    facts: dict[Fact, Tensor] = {}
    for name, value in values.items():
        key = "start" if model.variables[name].start is not None else "mechanism"
        facts[name, key, 0] = value.double()
    units = len(next(iter(values.values())))
    patients, plan = torch.arange(units), Plan(model, [FACTUAL], parameters={}, needed=list(model.variables))
    observer = Inverter(RecordEvidence(facts, 0), recover=True)
    noise = {}
    for site in noise_sites(model, steps=model.clock.steps):
        rows = draw_site(site, seed=seed, patients=patients, purpose=PURPOSE)
        noise[site.name] = rows if site.noise == "normal" else rows.double()
    with torch.no_grad():
        Pass(plan, noise, patients, 0, (), observer).finish()
        for (name, key, _), recovered in observer.noise.items():  # all facts are in step 0
            rows = noise[site_name(name, key)]
            rows[..., 0, :] = recovered.squeeze(-2) if recovered.dim() > 1 else recovered
        for fact, score in observer.scores.items():
            if bool(torch.isneginf(score).any()):
                unit = int(torch.isneginf(score).flatten().nonzero()[0])
                raise fail(
                    "the model cannot produce this value", node=fact[0], value=f"{facts[fact][unit]:g}, unit {unit}"
                )
    return Posterior(model, None, "exact", float(units), noise)


def _infer(tempering: Tempering) -> float:
    while not tempering.cool():
        if tempering.temperatures >= MOST_TEMPERATURES:
            _, observer = tempering.target.run(tempering.z, recover=True)
            raise _name_worst(tempering.target, observer, "the record is beyond what the model can explain")
    if float(tempering.score.max()) < PENALTY / 2:
        _, observer = tempering.target.run(tempering.z, recover=True)
        often = {fact: float(torch.isneginf(score).double().mean()) for fact, score in observer.scores.items()}
        worst = max(often, key=lambda fact: often[fact])
        raise _name(tempering.target, worst, "no noise found explains the record, least of all this observation")
    return tempering.settle()


def _refuse_impossible(target: Target, z: Tensor) -> None:
    """Raise NosographError if a value is outside the support of its distribution for all particles."""
    _, observer = target.run(z)
    for fact, score in observer.scores.items():
        mechanism = target.plan.mechanisms.get((fact[0], fact[1]))
        drawn = fact == ENTRY or (mechanism is not None and mechanism.family is not None)
        if drawn and bool(torch.isneginf(score).all()):
            raise _name(target, fact, "the model cannot produce this observation")


def _refuse_unexplained(target: Target, observer: RecordObserver) -> None:
    """Raise NosographError if an observation needs noise that is never drawn, in every particle."""
    if max(_surprises(target, observer).values(), default=0.0) > 1:
        raise _name_worst(target, observer, "the record is beyond what the model can explain")
    missed = {fact: float(torch.isneginf(score).double().mean()) for fact, score in observer.scores.items()}
    worst = max(missed, key=lambda fact: missed[fact], default=None)
    if worst is not None and missed[worst] > CONTRADICTING:
        raise _name(target, worst, f"{missed[worst]:.0%} of the particles contradict this observation")


def _surprises(target: Target, observer: RecordObserver) -> dict[Fact, float]:
    """How extreme each observation is in the best particle; above 1 means noise that is never drawn."""
    found: dict[Fact, float] = {}
    for fact, score in observer.scores.items():
        found[fact] = float(score.max()) / IMPOSSIBLE if not bool(torch.isneginf(score).all()) else torch.inf
        expression = target.model.variables[fact[0]].expressions.get(fact[1]) if fact[0] else None
        draw = find_draw(expression) if expression is not None else None
        if draw is not None and not FAMILIES[draw.family].discrete and fact in observer.noise:
            far = find_normal_score(FAMILIES[draw.family], observer.noise[fact]).abs()
            found[fact] = float(far.min()) / FARTHEST if found[fact] != torch.inf else torch.inf
    return found


def _name_worst(target: Target, observer: RecordObserver, problem: str) -> Exception:
    surprise = _surprises(target, observer)
    return _name(target, max(surprise, key=lambda fact: surprise[fact]), problem)


def _name(target: Target, fact: Fact, problem: str) -> Exception:
    value = target.evidence.facts.get(fact, torch.tensor(1.0))
    return fail(
        problem,
        node=fact[0] or "population",
        value=describe_fact(fact, target.model, value),
        fix="correct the value, unit or time of the row, or remove it",
    )
