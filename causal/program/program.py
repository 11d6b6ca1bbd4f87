"""The Pyro program of a disease model: noise enters through `pyro.sample`, structural equations are plain torch.

Called directly, it lets Pyro draw the noise, and `trace`, `Predictive`, SVI and NUTS work on it; `sampling.sample`
runs it under a Messenger that fills the noise sites from the keyed generator instead. Tensors of values have the shape
(..., worlds or 1, patients) inside a step; patients are the last dimension everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyro
import pyro.distributions as dist
import torch
from torch import Tensor

from ..model.compose import Source
from ..model.load import as_model
from ..model.model import Model
from ..model.world import FACTUAL, World
from .journeys import Journeys
from .plan import Plan, Site, ancestors, noise_sites
from .steps import Observer, Pass
from .tensors import Value


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
        observer: Observer | None = None,
    ) -> Journeys:
        """Run `steps` steps (default: the model's horizon) for so many patients, or for those with the given numbers.

        `keep` names the variables to return; only these and what they depend on are computed. `parameters` replace the
        model's. Values known to the `observer` are used instead of drawn ones and scored by a `pyro.factor`, so that
        Pyro's own inference applies. Raises NosographError if a distribution's parameter leaves its domain.
        """
        numbers = torch.arange(patients) if isinstance(patients, int) else patients
        last = self.model.clock.steps if steps is None else steps
        needed = (
            list(self.model.variables)
            if keep is None
            else ancestors(self.model, [*keep, *self.endings(), *(observer.names if observer else ())], worlds=worlds)
        )
        plan = Plan(self.model, worlds, parameters=parameters or {}, needed=needed)
        sites = noise_sites(self.model, steps=last, needed=needed)
        people = pyro.plate("patients", len(numbers), dim=-1)  # one plate for all sites, as Pyro traces require
        noise = {site.name: sample_site(site, people) for site in sites}
        kept = [name for name in needed if keep is None or name in keep]
        journeys = Pass(plan, noise, numbers, last, kept, observer).finish()
        if observer is not None:
            with people:
                pyro.factor("evidence", observer.total(len(numbers)))
        return journeys

    def endings(self) -> list[str]:
        return [v.name for v in self.model.variables.values() if v.ends != "nothing"]


def program(model: Model | Source) -> Program:
    """The Pyro program of a model, a catalog name or a path."""
    return Program(as_model(model))


def sample_site(site: Site, people: Any) -> Tensor:
    """The noise of a site, (..., steps, patients), or (..., levels, steps, patients) for a categorical."""
    base: Any = dist.Normal(0.0, 1.0) if site.noise == "normal" else dist.Uniform(0.0, 1.0)
    shape: tuple[int, ...] = (len(site.steps), people.size)
    with people, pyro.plate(f"{site.name}.steps", len(site.steps), dim=-2):
        if not site.levels:
            return pyro.sample(site.name, base.expand(shape))
        with pyro.plate(f"{site.name}.levels", len(site.levels), dim=-3):
            return pyro.sample(site.name, base.expand((len(site.levels), *shape)))
