"""Run a model's program on keyed noise, so that patient i is a pure function of (model, seed, i)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from pyro.poutine.messenger import Messenger
from torch import Tensor

from ..model.model import Model
from ..model.world import FACTUAL, World
from .journeys import Journeys, join_journeys
from .noise import DRAWS, check_seed
from .plan import Site, noise_sites
from .program import Program
from .tensors import Value

LANES = 40_000  # patients x worlds in one pass, so that a step's data fits in the processor's cache


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

    The noise is drawn, and the journeys are returned, on the CPU whatever the device. Raises NosographError as the
    program does.
    """
    numbers = torch.arange(patients) if isinstance(patients, int) else patients
    batch = max(1, LANES // len(worlds))
    if len(worlds) > 1 and len(numbers) > batch:
        parts = [
            sample(model, patients=part, seed=seed, worlds=worlds, steps=steps, keep=keep, parameters=parameters,
                   device=device)
            for part in torch.split(numbers, batch)
        ]  # fmt: skip
        return join_journeys(parts)
    last = model.clock.steps if steps is None else steps
    noise = KeyedNoise(model, seed=seed, patients=numbers, steps=last, device=device)
    # torch's device context slows down every operation, so it is entered only if needed
    with torch.no_grad(), nullcontext() if device == "cpu" else torch.device(device), noise:
        journeys = Program(model)(numbers, worlds=worlds, steps=last, keep=keep, parameters=parameters)
    return journeys if device == "cpu" else journeys.to("cpu")


class KeyedNoise(Messenger):
    """Fills the noise sites of a program from the keyed generator, so a patient is the same in any batch."""

    def __init__(self, model: Model, *, seed: int, patients: Tensor, steps: int, device: str = "cpu") -> None:
        super().__init__()
        self.device = device
        self.sites = {site.name: site for site in noise_sites(model, steps=steps)}
        self.seed, self.patients = check_seed(seed), patients

    def _pyro_sample(self, message: dict[str, Any]) -> None:
        site = self.sites.get(message["name"])
        if site is not None and message["value"] is None:
            message["value"] = draw_site(site, seed=self.seed, patients=self.patients).to(self.device)
            message["done"] = True


def draw_site(site: Site, *, seed: int, patients: Tensor, purpose: str = "world") -> Tensor:
    """The keyed noise of a site: (levels if any, steps, patients); float64 for uniform64, else float32."""
    draw = DRAWS[site.noise]

    def component(level: str) -> Tensor:
        first, last = site.steps[0], site.steps[-1]
        if last - first + 1 == len(site.steps):
            window = range(first, last + 1)
            return draw(seed=seed, name=site.name, patients=patients, steps=window, component=level, purpose=purpose)
        rows = [
            draw(seed=seed, name=site.name, patients=patients, steps=range(k, k + 1), component=level, purpose=purpose)
            for k in site.steps
        ]
        return torch.cat(rows)

    return torch.stack([component(level) for level in site.levels]) if site.levels else component("")
