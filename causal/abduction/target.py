"""The program under evidence, as a function of the noise that was not observed, on the standard normal scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ..model.model import Model
from ..model.world import FACTUAL
from ..program.journeys import Journeys
from ..program.noise import draw_normal
from ..program.plan import Plan, Site, ancestors, noise_sites
from ..program.sampling import draw_site
from ..program.steps import Pass
from ..program.uncertainty import find_uncertain
from .evidence import RecordEvidence
from .observer import RecordObserver

PURPOSE = "abduction"  # of all draws here: differs from the simulation's, so that particles never get the true noise
PENALTY = -1e4  # replaces minus infinity while tempering: fewer impossible facts are better
SMOOTH = 24  # lowest-frequency cosines that summarise a long row of noise


@dataclass(frozen=True)
class Block:
    """The rows of one noise site in the matrix of all noise: levels (or 1) x steps rows, from `first` on."""

    site: Site
    key: str
    first: int

    @property
    def shape(self) -> tuple[int, int]:
        return max(1, len(self.site.levels)), len(self.site.steps)

    @property
    def stop(self) -> int:
        return self.first + math.prod(self.shape)


class Target:
    """`score(z)` is the log-probability of the evidence at noise z, float32 (free rows, particles).

    Free rows are the noise of unobserved values, up to the end of the record, on which the evidence depends. A priori
    they are independent standard normals.
    """

    def __init__(
        self, model: Model, evidence: RecordEvidence, *, particles: int, seed: int, sample_parameters: bool = False
    ) -> None:
        self.model, self.evidence, self.seed = model, evidence, seed
        self.patients = torch.arange(particles)
        self.needed = ancestors(model, evidence.names)
        self.uncertain = find_uncertain(model) if sample_parameters else {}
        drawn = {
            name: draw_normal(seed=seed, name=f"parameter {name}", patients=self.patients, steps=1, purpose=PURPOSE)
            for name in self.uncertain
        }
        self.plan = Plan(model, [FACTUAL], parameters=self.parameters(drawn), needed=self.needed)
        self.blocks: list[Block] = []
        rows = 0
        for site in noise_sites(model, steps=evidence.last, needed=self.needed):
            key = site.name.removeprefix(f"{site.variable}.").removesuffix("noise").removesuffix(".") or "mechanism"
            self.blocks.append(Block(site, key, rows))
            rows = self.blocks[-1].stop
        read = {read.name for name in self.needed for read in model.variables[name].reads}
        self.inferred = {name: rows + i for i, name in enumerate(n for n in self.uncertain if n in read)}
        free = torch.ones(rows + len(self.inferred), dtype=torch.bool)
        for block in self.blocks:
            facts = [(block.site.variable, block.key, step) for step in block.site.steps]
            observed = [fact in evidence.facts and fact not in evidence.latent for fact in facts]
            free[block.first : block.stop] = ~torch.tensor(observed).repeat(block.shape[0])
        self.free = free
        self.drawn = drawn
        self.start = draw_normal(seed=seed, name="start", patients=self.patients, steps=len(free), purpose=PURPOSE)

    def parameters(self, scores: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The uncertain parameters from standard normal scores, (1, particles)."""
        values = {}
        for name, (family, theta) in self.uncertain.items():
            noise = scores[name] if family.noise == "normal" else torch.special.ndtr(scores[name].double())
            values[name] = family.push(noise, *theta).to(torch.float32)
        return values

    def parameters_at(self, z: Tensor) -> dict[str, Tensor]:
        """All uncertain parameters at z; those on which the evidence does not depend stay as drawn."""
        rows = self.fill(z)
        inferred = {name: rows[row : row + 1] for name, row in self.inferred.items()}
        return self.parameters({**self.drawn, **inferred})

    def fill(self, z: Tensor) -> Tensor:
        """All rows at z; rows of observed values stay as drawn."""
        rows = self.start.clone()
        rows[self.free] = z
        return rows

    def noise(self, z: Tensor) -> dict[str, Tensor]:
        """The noise of all sites at z."""
        rows = self.fill(z)
        noise = {}
        for block in self.blocks:
            own = rows[block.first : block.stop].reshape(*block.shape, -1)
            own = own if block.site.levels else own[0]
            noise[block.site.name] = own if block.site.noise == "normal" else torch.special.ndtr(own.double())
        return noise

    def run(self, z: Tensor, *, recover: bool = False, keep: tuple[str, ...] = ()) -> tuple[Journeys, RecordObserver]:
        """One pass up to the end of the record."""
        observer = RecordObserver(self.evidence, recover=recover)
        run = Pass(self.plan, self.noise(z), self.patients, self.evidence.last, keep, observer)
        if self.uncertain:
            run.moment.parameters = self.plan.derive({**self.plan.parameters, **self.parameters_at(z)})
        return run.finish(), observer

    def score(self, z: Tensor) -> Tensor:
        """The log-probability of the evidence, float64 (particles,)."""
        return self.run(z)[1].total(len(self.patients), impossible=PENALTY)

    def quantities(self, z: Tensor) -> Tensor:
        """The quantities for the effective sample size: free noise of step 0, and every static and state by step."""
        kinds = {name: self.model.variables[name].kind for name in self.needed}
        keep = tuple(name for name, kind in kinds.items() if kind in ("static", "state"))
        journeys, _ = self.run(z, keep=keep)
        rows = [value[0].double() for value in journeys.values.values()]
        return torch.cat([z[self.still].double(), *rows])

    def finish(self, z: Tensor) -> tuple[dict[str, Tensor], RecordObserver]:
        """The noise of every site up to the horizon: inferred, or consistent with observed values, or fresh."""
        _, observer = self.run(z, recover=True)
        inferred = self.noise(z)
        blocks = {block.site.name: block for block in self.blocks}
        noise = {}
        for site in noise_sites(self.model, steps=self.model.clock.steps):
            rows = draw_site(site, seed=self.seed, patients=self.patients, purpose=PURPOSE)
            rows = rows if site.noise == "normal" else rows.double()
            if site.name in blocks:
                block = blocks[site.name]
                rows[..., : len(block.site.steps), :] = inferred[site.name]
                for row, step in enumerate(block.site.steps):
                    recovered = observer.noise.get((site.variable, block.key, step))
                    if recovered is not None:
                        rows[..., row, :] = recovered.squeeze(-2) if recovered.dim() > 1 else recovered
            noise[site.name] = rows
        return noise, observer

    @cached_property
    def still(self) -> Tensor:
        """Which free rows belong to step 0 only: statics, the start of states, and parameters."""
        still = torch.zeros(len(self.free), dtype=torch.bool)
        for block in self.blocks:
            still[block.first : block.stop] = len(block.site.steps) == 1 and block.site.steps[0] == 0
        still[list(self.inferred.values())] = True
        return still[self.free]

    @cached_property
    def times(self) -> Tensor:
        """The step of each free row; parameters belong to step 0."""
        steps = [list(block.site.steps) * block.shape[0] for block in self.blocks]
        return torch.tensor([*(step for own in steps for step in own), *(0 for _ in self.inferred)])[self.free]

    @cached_property
    def members(self) -> Tensor:
        """Groups of rows that are moved together: all rows, all of step 0, and each site. Bool, (groups, free rows)."""
        groups = [torch.ones_like(self.still), self.still]
        for first, stop in [(b.first, b.stop) for b in self.blocks] + [
            (row, row + 1) for row in self.inferred.values()
        ]:
            own = torch.zeros(len(self.free), dtype=torch.bool)
            own[first:stop] = True
            groups.append(own[self.free])
        kept = [group for group in groups if bool(group.any())]
        return torch.stack(kept) if kept else torch.zeros(0, int(self.free.sum()), dtype=torch.bool)

    @cached_property
    def basis(self) -> Tensor:
        """Orthonormal directions, (free rows, directions), in which to look for information from the evidence.

        Noise at every step is observed through sums over time, so the slowest cosines of a long row are enough.
        """
        columns = []
        for block in self.blocks:
            own = torch.zeros(len(self.free), dtype=torch.bool)
            own[block.first : block.stop] = True
            rows = own[self.free].nonzero()[:, 0]
            length = len(rows)
            if length == 0 or (length > SMOOTH and block.site.noise != "normal"):
                continue
            count = min(length, SMOOTH)
            waves = torch.zeros(int(self.free.sum()), count)
            if length <= SMOOTH:
                waves[rows, torch.arange(length)] = 1.0
            else:
                angle = math.pi / length * (torch.arange(length)[:, None] + 0.5) * torch.arange(count)
                scale = torch.where(torch.arange(count) == 0, 1.0, math.sqrt(2.0)) / math.sqrt(length)
                waves[rows] = torch.cos(angle) * scale
            columns.append(waves)
        still = torch.zeros(len(self.free), len(self.inferred))
        still[list(self.inferred.values()), range(len(self.inferred))] = 1.0
        columns.append(still[self.free])
        return torch.cat(columns, 1)
