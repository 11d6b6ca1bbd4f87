"""Evidence inside the program: a run uses an observed value, scores it, and can recover the noise that gives it.

The score is the log-probability (or log-density) of the observed values given their parents. Their noise is then drawn
from the noise consistent with them. So weighting runs by their score, and moving only the noise of what was *not*
observed, gives the posterior over all noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..families import Family, restrict
from ..families.hazard import chance_within, event_delay
from ..program.expressions import StepState
from ..program.mechanism import Mechanism
from ..program.steps import Fact
from ..program.tensors import is_true
from .evidence import ENTRY, RecordEvidence

TOLERANCE = 1e-4  # relative: allowed difference between a recorded and a computed value
TRUTHS = ("Bernoulli", "Hazard")
IMPOSSIBLE = math.log(2.0**-33)  # less probable than any draw, in either tail


class RecordObserver:
    """The evidence in one run. `scores`: (patients,) log-probabilities. `noise`, if `recover`: noise consistent with
    the observed values."""

    def __init__(self, evidence: RecordEvidence, *, recover: bool = False) -> None:
        self.evidence, self.facts, self.names = evidence, evidence.facts, evidence.names
        self.meets, self.recover = evidence.meets, recover
        self.scores: dict[Fact, Tensor] = {}
        self.noise: dict[Fact, Tensor] = {}
        self.decided: dict[Fact, Tensor] = {}  # whether a hazard's event happened
        self.caused: dict[Fact, Tensor] = {}  # whether it is the component that made a composite happen at its instant
        self.placed: dict[tuple[str, int], Tensor] = {}  # delays of the events that happened, by event and step

    def begin(self) -> None:
        """Start a pass: clear the results of the last one."""
        self.scores.clear()
        self.noise.clear()
        self.decided.clear()
        self.caused.clear()
        self.placed = {place: torch.tensor(d, dtype=torch.float64) for place, d in self.evidence.delays.items()}

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
        if mechanism.wraps and family.name not in TRUTHS:
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
        kind = torch.bool if family.name in TRUTHS else torch.int8 if family.has_levels else torch.float32
        return value.to(kind)

    def decide(self, fact: Fact, clocks: Mapping[str, tuple[Tensor, Tensor | float]], moment: StepState) -> Tensor:
        """Whether a hazard's event happened in this step, scored together with its competitors (also known).

        With rates r_i and sum r, nothing happens within (0, h] with probability exp(-r h); event w happens first, and
        within (l, h], with probability r_w / r (exp(-r l) - exp(-r h)), and at the instant d with density
        r_w exp(-r d). The shortest wait T is then exponential with rate r, truncated to (l, h], whichever event has it.
        Every other wait is T plus its own exponential (no memory).
        """
        _, key, step = fact
        if fact in self.decided:  # scored already, with the first event of its group
            return self.decided[fact]
        if fact in self.evidence.required:
            return self.decide_required(fact, clocks, moment)
        rates = {name: torch.as_tensor(rate, dtype=torch.float64) for name, (_, rate) in clocks.items()}
        for name in rates:
            if (name, key, step) not in self.facts:  # it has happened before and cannot happen again
                rates[name] = torch.zeros((), dtype=torch.float64)
        winner = next((n for n in rates if (n, key, step) in self.facts and bool(self.facts[n, key, step])), None)
        total = torch.stack(torch.broadcast_tensors(*rates.values())).sum(0)
        low, high = self.find_window(winner, step, dt=moment.dt)
        least = high + torch.zeros_like(total)
        if winner is not None:
            within = chance_within(total, high - low)
            wait = low - torch.log1p(-clocks[winner][0].double() * within) / total
            known = self.evidence.delays.get((winner, step))
            least = wait if known is None else torch.full_like(total, known)
            self.placed[winner, step] = least
            chance = torch.log(rates[winner]) - total * (low if known is None else known)
            chance = chance if known is not None else chance - torch.log(total) + torch.log(within)
            winning = torch.where((rates[winner] > 0) & (high > low), chance, -torch.inf)
        for name, rate in rates.items():
            own = (name, key, step)
            if own not in self.facts:
                continue
            self.decided[own] = self.facts[own] != 0
            if name == winner:
                self.scores[own] = winning
            else:
                self.scores[own] = -rate * high if winner is None else torch.zeros_like(total)
            if self.recover:
                # the winner waits exactly `least`, every other event longer: its uniform lies above `before`
                before, fresh = chance_within(rate, least), clocks[name][0].double()
                self.noise[own] = before + torch.zeros_like(fresh) if name == winner else before + (1 - before) * fresh
        return self.decided[fact]

    def decide_required(
        self, fact: Fact, clocks: Mapping[str, tuple[Tensor, Tensor | float]], moment: StepState
    ) -> Tensor:
        """Whether a hazard's event happened, where it is known that it or one of the `required` others did.

        The last component happens if no other has. Where they are decided together, they have their natural race, whose
        shortest wait is made to fall within the step, or on the instant that is known: who wins does not depend on when
        (no memory).
        """
        required = self.evidence.required[fact]
        if required.instant is not None and not required.joint:
            return self.decide_at_instant(fact, clocks, dt=moment.dt)
        _, key, step = fact
        _, high = self.find_window(None, step, dt=moment.dt)
        noise = {name: own.double() for name, (own, _) in clocks.items()}
        rates = {name: torch.as_tensor(rate, dtype=torch.float64) for name, (_, rate) in clocks.items()}
        if len(clocks) == 1:
            others = [moment.now[other] for other in required.others]
            needed = ~torch.stack(torch.broadcast_tensors(torch.zeros_like(noise[fact[0]]).bool(), *others)).any(0)
            within = chance_within(rates[fact[0]], high)
            self.scores[fact] = torch.where(needed, torch.log(within), 0.0)
            self.noise[fact] = torch.where(needed, noise[fact[0]] * within, noise[fact[0]])
            self.decided[fact] = needed | (self.noise[fact] < chance_within(rates[fact[0]], moment.dt))
            return self.decided[fact]
        waits = torch.stack(torch.broadcast_tensors(*(event_delay(noise[name], rates[name]) for name in clocks)))
        total = torch.stack(torch.broadcast_tensors(*rates.values())).sum(0)
        shortest, winner = waits.min(0)
        within = chance_within(total, high)
        least, score = -torch.log1p(-chance_within(total, shortest) * within) / total, torch.log(within)
        composites = [name for name in self.evidence.order.get(step, ()) if name in self.evidence.composites]
        if required.instant is not None:
            least = torch.full_like(total, required.instant)
            score = torch.log(total) - total * required.instant
        for place, name in enumerate(clocks):
            own = (name, key, step)
            self.decided[own] = winner == place
            self.scores[own] = score if own == fact else torch.zeros_like(total)
            self.noise[own] = chance_within(rates[name], waits[place] - shortest + least)
        for composite in composites:
            self.placed.setdefault((composite, step), least)
        return self.decided[fact]

    def decide_at_instant(
        self, fact: Fact, clocks: Mapping[str, tuple[Tensor, Tensor | float]], *, dt: float
    ) -> Tensor:
        """Whether a hazard's event happened, where it is known that it or one of the `required` others did at an
        instant d. The others do not follow from it, so that they cannot be decided together.

        The events have the rates r_i. That event i is the one has the density r_i exp(-r_i d), and that another event
        waits longer than d has the probability exp(-r_j d), if the composite is the first of them. Each event in turn,
        if none has been it before, is taken to be it with probability 1 / (events left), which the score makes up for
        (importance sampling); the last one is it with certainty.
        """
        name, key, step = fact
        required = self.evidence.required[fact]
        assert required.instant is not None
        uniform, rate = clocks[name][0].double(), torch.as_tensor(clocks[name][1], dtype=torch.float64)
        earlier = [self.caused[other, key, step] for other in required.others if (other, key, step) in self.caused]
        found = torch.stack(torch.broadcast_tensors(torch.zeros_like(uniform).bool(), *earlier)).any(0)
        share = 1 / (len(required.others) + 1 - len(earlier))
        caused = ~found & (uniform < share)
        left = torch.where(found, uniform, (uniform - share) / (1 - share)) if share < 1 else uniform
        chosen = torch.where(caused, math.log(share), math.log1p(-share) if share < 1 else 0.0)
        beyond = chance_within(rate, torch.tensor(required.instant, dtype=torch.float64))
        waiting = beyond + (1 - beyond) * left if required.first else left
        survival = -rate * required.instant
        score = torch.where(caused, torch.log(rate) + survival, survival if required.first else 0.0)
        self.scores[fact] = score - torch.where(found, 0.0, chosen)
        self.noise[fact] = torch.where(caused, beyond, waiting)
        self.caused[fact] = caused
        self.decided[fact] = caused | (self.noise[fact] < chance_within(rate, dt))
        return self.decided[fact]

    def join(self, fact: Fact, members: Sequence[str]) -> Sequence[str]:
        """The events that are decided together with a hazard: its competitors, or those of which one is required."""
        required = self.evidence.required.get(fact)
        if required is None:
            return members
        return [fact[0], *required.others] if required.joint else [fact[0]]

    def confirm(self, fact: Fact, happened: Tensor) -> None:
        """Score whether a composite event that is on the record happened."""
        self.scores[fact] = torch.where(happened.bool(), 0.0, -torch.inf)

    def find_window(self, event: str | None, step: int, *, dt: float) -> tuple[Tensor, Tensor]:
        """When in the step an event happened, or (None) until when nothing is known to have happened, as delays from
        the start of the step: after what precedes it on the record, before what follows it or ends the journey."""
        low, high = torch.zeros((), dtype=torch.float64), torch.tensor(dt, dtype=torch.float64)
        order = self.evidence.order.get(step, ())
        if event is None and step == self.evidence.last and self.evidence.last_delay is not None:
            high = torch.tensor(self.evidence.last_delay, dtype=torch.float64)
        place = order.index(event) if event in order else len(order)
        for position, other in enumerate(order):
            delay = self.placed.get((other, step))
            if delay is None or other == event:
                continue
            last = other in self.evidence.endings
            if last and (event is None or position > place):
                high = torch.minimum(high, delay)
            elif event is not None and self.is_ordered(event, other, step):
                low, high = (low, torch.minimum(high, delay)) if position > place else (torch.maximum(low, delay), high)
        return low, high

    def is_ordered(self, event: str, other: str, step: int) -> bool:
        """Whether the rows of two events of a step say which came first: where neither has an instant of its own, or
        one ends something, which everything else precedes."""
        unknown = [(name, step) not in self.evidence.delays for name in (event, other)]
        return all(unknown) or event in self.evidence.endings or other in self.evidence.endings


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


def find_normal_score(family: Family, noise: Tensor) -> Tensor:
    """The noise of any family as standard normal scores."""
    if family.noise == "normal":
        return noise.double()
    score: Tensor = torch.special.ndtri(noise.double().clamp(2.0**-60, 1 - 2.0**-53))
    return score
