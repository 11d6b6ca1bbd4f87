"""Sequential Monte Carlo from the prior to the posterior: the likelihood is raised to a power that grows to 1.

P. Del Moral, A. Doucet and A. Jasra, "Sequential Monte Carlo samplers", J. R. Stat. Soc. B 68 (2006) 411-436. The
particles' noise z is standard normal a priori. It is moved by preconditioned Crank-Nicolson proposals
(S. L. Cotter et al., "MCMC methods for functions", Statist. Sci. 28 (2013) 424-446), whose acceptance does
not fall with the dimension. Their reference is a Gaussian fitted to the particles in the few directions that the
evidence informs (D. Rudolf and B. Sprungk, "On a generalization of the preconditioned Crank-Nicolson Metropolis
algorithm", Found. Comput. Math. 18 (2018) 309-343). For a Gaussian posterior the proposals are nearly independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..program.noise import draw_normal, draw_uniform64
from .target import PURPOSE, Target

SURVIVING = 0.5  # effective share of the particles after each temperature
MOVES = 6  # per particle and round
ROUNDS = 5  # at most, at each temperature, until the scores are decorrelated
FORGOTTEN = 0.3  # correlation with the earlier scores that counts as decorrelated
LAST_ROUNDS = 12  # at most, at the last temperature, until the particles are independent enough
ENOUGH = 0.25  # effective sample size, as a share of the particles, at which moves stop
ACCEPTED = 0.3  # target acceptance rate
MOST_TEMPERATURES = 100
WHOLE = 0.5  # share of moves of all rows, around the fitted reference
MOMENT = 0.25  # share of moves that redraw all rows in a window of time
WINDOWED = 0.5  # of the other moves, the share that redraw a group of rows in such a window


@dataclass(frozen=True)
class Reference:
    """The Gaussian N(mean, C): C is the identity except for `variances` along the orthonormal columns of
    `directions`; `mean` is in the same coordinates."""

    directions: Tensor
    mean: Tensor
    variances: Tensor

    def spread(self, fresh: Tensor) -> Tensor:
        """Multiply standard normals by C^(1/2)."""
        return fresh + self.directions @ ((self.variances.sqrt() - 1)[:, None] * (self.directions.T @ fresh))

    def shift(self) -> Tensor:
        return (self.directions @ self.mean)[:, None]

    def excess(self, z: Tensor) -> Tensor:
        """log N(z; 0, 1) - log N(z; mean, C), up to a constant: float64."""
        along = (self.directions.T @ z).double()
        scaled = (along - self.mean[:, None].double()) ** 2 / self.variances[:, None].double()
        return (scaled - along**2).sum(0) / 2


def fit_reference(z: Tensor, weights: Tensor, basis: Tensor) -> Reference:
    """The Gaussian with the particles' mean and variance in the directions that differ from the prior by more than
    chance. Eigenvalues of a sample covariance of independent noise lie between (1 -+ sqrt(d / n))^2 (Marchenko and
    Pastur, Math. USSR-Sbornik 1 (1967) 457)."""
    along = (basis.T @ z).double()
    mean = along @ weights
    centred = along - mean[:, None]
    values, vectors = torch.linalg.eigh((centred * weights) @ centred.T)
    share = (along.shape[0] * float((weights**2).sum())) ** 0.5
    informed = (values < (1 - min(share, 0.95)) ** 2) | (values > (1 + share) ** 2)
    chosen, variances = vectors[:, informed], values[informed].clamp(min=1e-8)
    rest = mean - chosen @ (chosen.T @ mean)  # shift of the mean in directions whose variance did not change
    if float(rest.norm()) > 2 * share:
        direction = rest / rest.norm()
        chosen = torch.cat([chosen, direction[:, None]], 1)
        variances = torch.cat([variances, ((direction @ centred) ** 2 @ weights).clamp(min=1e-8)[None]])
    directions = (basis.double() @ chosen).to(z.dtype)
    return Reference(directions, (chosen.T @ mean).to(z.dtype), variances.to(z.dtype))


class Tempering:
    """The particles and their current power. `families`: the initial particle from which each one descends."""

    def __init__(self, target: Target, *, seed: int) -> None:
        self.target, self.seed = target, seed
        self.z = target.start[target.free]
        self.count = self.z.shape[1]
        self.score = target.score(self.z)
        self.families = torch.arange(self.count)
        self.power = 0.0
        self.passes = 0
        self.temperatures = 0
        self.steps = torch.ones(len(target.members) + 1)
        self.long = torch.tensor([len(torch.unique(target.times[rows])) > 1 for rows in target.members])
        self.reference = fit_reference(self.z, torch.full((self.count,), 1 / self.count).double(), target.basis)

    def cool(self) -> bool:
        """Raise the power as far as the effective sample size allows, resample, and move. True at power 1."""
        low, high = 0.0, 1.0 - self.power
        if effective(high * self.score) < SURVIVING * self.count:
            # bisection for the largest step, on a log scale until a lower bound is found
            for _ in range(60):
                middle = (low + high) / 2 if low > high / 1e3 else high / 10
                low, high = (
                    (middle, high) if effective(middle * self.score) >= SURVIVING * self.count else (low, middle)
                )
                if low > 0.99 * high:
                    break
            high = low
        weights = torch.softmax(high * self.score, 0)
        self.power = 1.0 if self.power + high >= 1.0 - 1e-12 else self.power + high
        self.temperatures += 1
        self.reference = fit_reference(self.z, weights, self.target.basis)
        self.resample(weights)
        before = self.score
        for _ in range(ROUNDS):
            for _ in range(MOVES):
                self.move()
            if correlation(before, self.score) < FORGOTTEN:
                break
        return self.power == 1.0

    def resample(self, weights: Tensor) -> None:
        """Resample systematically: one uniform shift for evenly spaced points."""
        start = self.draw("resample", 1, uniform=True)[0, :1]
        points = (torch.arange(self.count) + start) / self.count
        chosen = torch.searchsorted(torch.cumsum(weights, 0), points).clamp(max=self.count - 1)
        self.z, self.score, self.families = self.z[:, chosen], self.score[chosen], self.families[chosen]

    def draw(self, name: str, rows: int, *, uniform: bool = False) -> Tensor:
        draw = draw_uniform64 if uniform else draw_normal
        key = f"{name} {self.passes} {self.temperatures}"
        return draw(seed=self.seed, name=key, patients=self.target.patients, steps=rows, purpose=PURPOSE)

    def move(self) -> None:
        """Propose a move for every particle, and accept or reject it (Metropolis).

        A move changes all rows around the reference, or one group of rows around the prior, or redraws a group in a
        window of 1 to 8 steps. The windows are needed for discrete states, which small changes of noise rarely flip.
        """
        choice, accept, narrow, where, length = self.draw("choose", 5, uniform=True)
        groups = len(self.target.members)
        group = ((choice - WHOLE - MOMENT) / (1 - WHOLE - MOMENT) * groups).long().clamp(0, groups - 1)
        kernel = torch.where(choice < WHOLE, 0, 1 + group)
        windowed = (kernel > 0) & ((narrow < WINDOWED) | (choice < WHOLE + MOMENT)) & self.long[group]
        first = (where * (self.target.evidence.last + 1)).long()
        times = self.target.times[:, None]
        inside = (times >= first) & (times < first + 2 ** (length * 4).long())
        mask = self.target.members[group].T & (inside | ~windowed)
        fresh, size = self.draw("move", len(self.z)), torch.where(windowed, 1.0, self.steps[kernel])
        kept = (1 - size**2).clamp(min=0).sqrt()
        whole = kernel == 0
        shift = self.reference.shift()
        proposed = torch.where(
            whole,
            shift + kept * (self.z - shift) + size * self.reference.spread(fresh),
            torch.where(mask, kept * self.z + size * fresh, self.z),
        )
        score = self.target.score(proposed)
        # group moves keep the prior; whole moves keep the reference, so the ratio of the two corrects them
        balance = torch.where(whole, self.reference.excess(proposed) - self.reference.excess(self.z), 0.0)
        odds = self.power * (score - self.score) + balance
        accepted = torch.log(accept) < odds
        self.z = torch.where(accepted, proposed, self.z)
        self.score = torch.where(accepted, score, self.score)
        # adapt each kernel's step size towards the target acceptance rate; windows redraw fully and have none
        rate = torch.exp(odds.clamp(max=0))
        total = torch.zeros(groups + 1, dtype=torch.float64).index_add(0, kernel[~windowed], rate[~windowed])
        tried = torch.bincount(kernel[~windowed], minlength=groups + 1)
        better = self.steps * torch.exp(total / tried.clamp(min=1) - ACCEPTED).float()
        self.steps = torch.where(tried > 0, better, self.steps).clamp(0.01, 1.0)
        self.passes += 1

    def settle(self) -> float:
        """Move at power 1 until the particles are independent enough; return their effective sample size."""
        even = torch.full((self.count,), 1 / self.count, dtype=torch.float64)
        size = 0.0
        for _ in range(LAST_ROUNDS):
            self.reference = fit_reference(self.z, even, self.target.basis)
            for _ in range(MOVES):
                self.move()
            size = effective_sample_size(self.target.quantities(self.z), self.families)
            if size >= ENOUGH * self.count:
                break
        return size


def correlation(a: Tensor, b: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a, b]))[0, 1].nan_to_num(0.0))


def effective(log_weights: Tensor) -> float:
    weights = torch.softmax(log_weights, 0)
    return 1 / float((weights**2).sum())


def effective_sample_size(quantities: Tensor, families: Tensor) -> float:
    """The smallest ratio, over the rows of `quantities` (quantities, particles), of the variance to that of the mean.

    Particles with the same initial particle may be alike, others are independent except for resampling; so the variance
    of a mean comes from the sums over families (H. P. Chan and T. L. Lai, "A general theory of particle
    filters in hidden Markov models and some applications", Ann. Statist. 41 (2013) 2877-2904). Copies that have
    not moved apart count once, which the effective sample size of the weights alone would miss.
    """
    count = quantities.shape[1]
    spread = quantities.std(1)
    rows = quantities[spread > 1e-6 * (1 + quantities.abs().mean(1))]
    if not len(rows):
        return float(count)
    if len(torch.unique(families)) == 1:
        return 1.0
    scaled = (rows - rows.mean(1, keepdim=True)) / rows.std(1, keepdim=True)
    sums = torch.zeros(len(rows), count, dtype=scaled.dtype).index_add(1, families, scaled)
    return min(float(count), count**2 / float((sums**2).sum(1).max()))
