"""Every family against scipy, mpmath and brute force: what is pushed forward, log-probability, noise, tails, bits."""

from __future__ import annotations

import os
import shutil
import string
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

import nosograph
from nosograph.causal.abduction.observer import log_mass
from nosograph.causal.explain.equations import describe_draw
from nosograph.causal.explain.variables import explain_variable
from nosograph.causal.families import FAMILIES, Family, event_delay, restrict
from nosograph.causal.language import parse_mechanism
from nosograph.causal.model.model import Model
from nosograph.causal.program.noise import draw_normal, draw_uniform, draw_uniform64
from nosograph.causal.program.sampling import sample

DRAW = {"normal": draw_normal, "uniform": draw_uniform, "uniform64": draw_uniform64}
EVERYONE = np.arange(20_000)
FALSE_ALARM = 1e-6  # of each statistical test below


@dataclass(frozen=True)
class Case:
    """A family, its parameters, and scipy's account of the same law."""

    family: str
    parameters: tuple[float, ...]
    truth: Any

    def __str__(self) -> str:
        return f"{self.family}{self.parameters}"

    @property
    def law(self) -> Family:
        return FAMILIES[self.family]

    @property
    def exact(self) -> list[Tensor]:
        """The parameters in float64, so that nothing is rounded on the way in."""
        return [torch.tensor(value, dtype=torch.float64) for value in self.parameters]

    def noise(self, patients: np.ndarray = EVERYONE) -> Tensor:
        return DRAW[self.law.noise](seed=0, name=str(self), patients=patients, steps=1)


CONTINUOUS = [
    Case("Normal", (-3.0, 2.5), stats.norm(-3, 2.5)),
    Case("LogNormal", (0.3, 0.7), stats.lognorm(0.7, scale=np.exp(0.3))),
    Case("StudentT", (4.0, 1.0, 2.0), stats.t(4, 1, 2)),
    Case("StudentT", (1.3, 0.0, 0.1), stats.t(1.3, 0, 0.1)),
    Case("StudentT", (200.0, 5.0, 1.0), stats.t(200, 5, 1)),
    Case("Logistic", (2.0, 0.5), stats.logistic(2, 0.5)),
    Case("Uniform", (-1.0, 4.0), stats.uniform(-1, 5)),
    Case("Exponential", (0.02,), stats.expon(scale=50)),
    Case("Weibull", (3.0, 0.8), stats.weibull_min(0.8, scale=3)),
    Case("Weibull", (80.0, 9.0), stats.weibull_min(9, scale=80)),
    Case("Gamma", (0.3, 2.0), stats.gamma(0.3, scale=0.5)),
    Case("Gamma", (3.0, 0.25), stats.gamma(3, scale=4)),
    Case("Gamma", (900.0, 30.0), stats.gamma(900, scale=1 / 30)),
    Case("Beta", (2.0, 5.0), stats.beta(2, 5)),
    Case("Beta", (0.5, 0.4), stats.beta(0.5, 0.4)),
    Case("Beta", (60.0, 3.0), stats.beta(60, 3)),
]
COUNTS = [
    Case("Binomial", (20.0, 0.3), stats.binom(20, 0.3)),
    Case("Binomial", (1.0, 0.9), stats.binom(1, 0.9)),
    Case("Binomial", (5000.0, 0.001), stats.binom(5000, 0.001)),
    Case("Poisson", (0.01,), stats.poisson(0.01)),
    Case("Poisson", (4.5,), stats.poisson(4.5)),
    Case("Poisson", (2500.0,), stats.poisson(2500)),
    Case("NegativeBinomial", (3.0, 0.4), stats.nbinom(0.4, 0.4 / 3.4)),
    Case("NegativeBinomial", (40.0, 12.0), stats.nbinom(12, 12 / 52)),
    Case("NegativeBinomial", (0.2, 0.05), stats.nbinom(0.05, 0.05 / 0.25)),
]
GRID = np.array([2.0**-33, 1e-9, 1e-6, 1e-3, 0.02, 0.3, 0.5, 0.500001, 0.8, 0.99, 1 - 1e-6, 1 - 1e-9, 1 - 2.0**-33])


def every(cases: list[Case]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=str)


@every(CONTINUOUS)
def test_pushed_values_have_scipys_distribution(case: Case) -> None:
    values = case.law.push(case.noise(), *case.parameters)
    assert values.dtype == torch.float32
    assert stats.kstest(values.double().numpy().ravel(), case.truth.cdf).pvalue > FALSE_ALARM


@every(COUNTS)
def test_pushed_counts_have_scipys_distribution(case: Case) -> None:
    values = case.law.push(case.noise(), *case.parameters).numpy().ravel()
    edges = np.unique(case.truth.ppf(np.linspace(0.05, 0.95, 19)))  # bins of 5% or more: the last is what lies above
    expected = np.diff(np.concatenate([[0], case.truth.cdf(edges), [1]]))
    observed = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1)
    keep = expected > 1e-3
    observed, expected = (np.append(part[keep], part[~keep].sum()) for part in (observed, expected))
    used = expected * len(values) > 1
    observed, expected = observed[used], expected[used]
    assert stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > FALSE_ALARM


@every(CONTINUOUS + COUNTS)
def test_quantiles_are_scipys_far_into_both_tails(case: Case) -> None:
    ours = case.law.quantile(torch.from_numpy(GRID), *case.exact).numpy()
    np.testing.assert_allclose(ours[GRID <= 0.5], case.truth.ppf(GRID[GRID <= 0.5]), rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(ours[GRID > 0.5], case.truth.isf(1 - GRID[GRID > 0.5]), rtol=1e-9, atol=1e-13)


@every([case for case in CONTINUOUS if case.family in {"StudentT", "Gamma", "Beta"}])
def test_quantiles_that_come_from_scipy_hold_in_mpmath(case: Case) -> None:
    """An independent cumulative function, 40 digits, gives back the probability."""
    mpmath.mp.dps = 40
    for u in GRID[GRID < 0.5]:
        x = mpmath.mpf(case.law.quantile(torch.tensor(u), *case.exact).item())
        if case.family == "Gamma":
            shape, rate = case.parameters
            back = mpmath.gammainc(shape, 0, x * rate, regularized=True)
        elif case.family == "Beta":
            back = mpmath.betainc(*case.parameters, 0, x, regularized=True)
        else:
            df, location, scale = case.parameters
            z = (x - location) / scale
            back = mpmath.betainc(df / 2, 0.5, 0, df / (df + z * z), regularized=True) / 2
        assert abs(back / u - 1) < 1e-8


@every(COUNTS)
def test_counts_are_the_least_that_reach_the_noise(case: Case) -> None:
    """Against summing the probabilities one by one."""
    highest = int(case.truth.isf(1e-12)) + 10
    cumulative = np.cumsum(case.truth.pmf(np.arange(highest)))
    u = case.noise().numpy().ravel()
    u = u[np.abs(u[:, None] - cumulative[None]).min(axis=1) > 1e-12] if highest < 200 else u
    expected = np.searchsorted(cumulative, u)
    assert np.array_equal(case.law.push(torch.from_numpy(u), *case.exact).numpy(), expected)


@every(CONTINUOUS + COUNTS)
def test_log_prob_is_scipys(case: Case) -> None:
    points = case.truth.ppf(np.linspace(0.001, 0.999, 41))
    points = np.concatenate([points, [points.mean()], [-2.0, 0.5, 1e4]])
    with np.errstate(divide="ignore"):
        expected = case.truth.logpmf(points) if case.law.discrete else case.truth.logpdf(points)
    ours = case.law.log_prob(torch.from_numpy(points), *case.exact)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-9, atol=1e-9)


@every(CONTINUOUS)
def test_density_integrates_to_the_noise(case: Case) -> None:
    """Independent of scipy.stats: the integral of exp(log_prob) between two quantiles is the noise between them."""
    low, high = case.law.quantile(torch.tensor([0.1, 0.8], dtype=torch.float64), *case.exact).tolist()
    density = lambda x: case.law.log_prob(torch.tensor(x, dtype=torch.float64), *case.exact).exp().item()  # noqa: E731
    assert integrate.quad(density, low, high, epsabs=1e-10)[0] == pytest.approx(0.7, abs=1e-8)


@every(CONTINUOUS)
def test_noise_is_recovered_from_values(case: Case) -> None:
    noise = case.noise(EVERYONE[:2000])
    exact = case.law.push(noise, *case.exact)
    low, high = case.law.recover(exact, *case.exact)
    torch.testing.assert_close(low.double(), noise.double(), rtol=1e-7, atol=1e-10)
    torch.testing.assert_close(high, low)
    rounded = case.law.push(noise, *case.parameters)  # float32: back to the same value, if not to the same noise
    low, high = case.law.recover(rounded, *case.parameters)
    assert bool((low <= high).all())
    tolerance = 3e-7 * (rounded.abs() + sum(abs(value) for value in case.parameters))
    assert bool(((case.law.push(low, *case.parameters) - rounded).abs() <= tolerance).all())


@every([*COUNTS, Case("Bernoulli", (0.2,), None), Case("Hazard", (0.3, 0.5), None)])
def test_recovered_interval_holds_the_noise_and_gives_the_value(case: Case) -> None:
    noise = case.noise()
    value = case.law.push(noise, *case.parameters)
    low, high = case.law.recover(value, *case.parameters)
    assert bool(((low <= noise) & (noise <= high)).all())
    redrawn = case.law.draw_consistent(
        draw_uniform64(seed=0, name="fresh", patients=EVERYONE, steps=1), value, *case.parameters
    )
    again = case.law.push(redrawn, *case.parameters)
    assert torch.equal(again, value)
    assert (
        stats.kstest(redrawn.numpy().ravel(), "uniform").pvalue > FALSE_ALARM
    )  # values and fresh noise: uniform again
    mass = log_mass(case.law, low, high)
    torch.testing.assert_close(mass.float(), case.law.log_prob(value, *case.parameters).float(), rtol=1e-4, atol=1e-5)


@every([case for case in COUNTS + CONTINUOUS if case.truth.support()[0] > -2])
def test_values_outside_the_support_have_no_noise(case: Case) -> None:
    value = torch.tensor(-2.0)
    low, high = case.law.recover(value, *case.parameters)
    assert low > high
    assert case.law.log_prob(value, *case.parameters) == -torch.inf


@every(CONTINUOUS)
def test_gradients_are_those_of_finite_differences(case: Case) -> None:
    grid = torch.from_numpy(GRID[1:-1])
    noise = torch.special.ndtri(grid) if case.law.noise == "normal" else grid
    parameters = [value.requires_grad_() for value in case.exact]
    values = case.law.push(noise, *parameters)
    for index, parameter in enumerate(parameters):
        step = 1e-4 * parameter.item() or 1e-4
        moved = [
            case.law.push(noise, *(p.detach() + (k * step if i == index else 0) for i, p in enumerate(parameters)))
            for k in (-2, -1, 1, 2)
        ]
        expected = (8 * (moved[2] - moved[1]) - (moved[3] - moved[0])) / (12 * step)
        ours = torch.stack([torch.autograd.grad(value, parameter, retain_graph=True)[0] for value in values])
        torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-8)
    inside = values.detach()[3:-3]
    torch.autograd.gradcheck(lambda *theta: case.law.log_prob(inside, *theta), parameters, rtol=1e-4)


def test_implicit_gradients_broadcast_over_worlds_and_reach_the_noise() -> None:
    shape = torch.linspace(0.5, 1.5, 3, dtype=torch.float64)[:, None].requires_grad_()
    rate = torch.linspace(0.6, 1.4, 5, dtype=torch.float64).requires_grad_()
    noise = torch.tensor([[0.4, 0.02, 0.97, 0.6, 0.2]], dtype=torch.float64).requires_grad_()
    with torch.random.fork_rng():  # gradcheck draws directions of its own
        torch.autograd.gradcheck(FAMILIES["Gamma"].push, (noise, shape, rate), rtol=1e-4)


def spread(case: Case) -> list[Tensor]:
    """Parameters that differ between two worlds and between patients, (2, patients), float32 and valid."""
    factor = 1 - 0.4 * torch.rand(2, len(EVERYONE), generator=torch.Generator().manual_seed(0))
    values = [value * factor for value in case.parameters]
    return [v.round() if d.whole else v for v, d in zip(values, case.law.domains, strict=False)] + (
        [torch.tensor(case.parameters[1])] if case.family == "Hazard" else []
    )


@every([*CONTINUOUS, *COUNTS, Case("Bernoulli", (0.9,), None), Case("Hazard", (2.0, 0.5), None)])
def test_bits_do_not_depend_on_shard_stride_or_being_a_number(case: Case) -> None:
    noise, parameters = case.noise(), spread(case)
    whole = case.law.push(noise, *parameters)
    assert whole.shape == (2, 20_000)
    for shard in (777, 131):
        pieces = [
            case.law.push(noise[:, i : i + shard], *(p[..., i : i + shard] if p.dim() else p for p in parameters))
            for i in range(0, 20_000, shard)
        ]
        assert torch.equal(torch.cat(pieces, dim=1), whole)
    columns = [p.T.contiguous().T if p.dim() else p for p in parameters]  # the same numbers, other strides
    assert torch.equal(case.law.push(noise, *columns), whole)
    numbers = case.law.push(noise, *case.parameters)
    tensors = case.law.push(noise, *(torch.full((1, 20_000), value) for value in case.parameters))
    assert torch.equal(numbers, tensors)


def test_degenerate_parameters_give_constants() -> None:
    u = torch.tensor([0.0001, 0.5, 0.9999], dtype=torch.float64)
    z = torch.tensor([-3.0, 0.0, 3.0])
    assert FAMILIES["Normal"].push(z, 2.0, 0.0).tolist() == [2, 2, 2]
    assert FAMILIES["Uniform"].push(u, 2.0, 2.0).tolist() == [2, 2, 2]
    assert FAMILIES["Poisson"].push(u, 0.0).tolist() == [0, 0, 0]
    assert FAMILIES["Binomial"].push(u, 0.0, 0.5).tolist() == [0, 0, 0]
    assert FAMILIES["Binomial"].push(u, 7.0, 0.0).tolist() == [0, 0, 0]
    assert FAMILIES["Binomial"].push(u, 7.0, 1.0).tolist() == [7, 7, 7]
    assert FAMILIES["NegativeBinomial"].push(u, 0.0, 2.0).tolist() == [0, 0, 0]
    assert FAMILIES["Bernoulli"].push(u.float(), 0.0).tolist() == [False] * 3
    assert FAMILIES["Bernoulli"].push(u.float(), 1.0).tolist() == [True] * 3
    two = torch.tensor([2.0, 2.5])
    assert FAMILIES["Normal"].log_prob(two, 2.0, 0.0).tolist() == [torch.inf, -torch.inf]
    low, high = FAMILIES["Normal"].recover(two, 2.0, 0.0)
    assert (low[0], high[0]) == (-torch.inf, torch.inf)
    assert low[1] > high[1]


def test_a_value_that_float32_rounds_to_an_end_stands_for_the_noise_beyond() -> None:
    for name, parameters, value in (("Beta", (0.5, 0.05), 1.0), ("Gamma", (0.01, 1.0), 0.0)):
        noise = draw_uniform64(seed=0, name=name, patients=EVERYONE, steps=1)
        at_end = FAMILIES[name].push(noise, *parameters) == value
        low, high = FAMILIES[name].recover(torch.tensor(value), *parameters)
        assert at_end.any()
        assert torch.equal(at_end, (low <= noise) & (noise <= high))


def test_rare_events_are_as_rare_as_they_should_be() -> None:
    """At a hazard of 1e-7 a step, exactly the words below 1e-7 * 2**32 = 429.5 are events."""
    words = torch.arange(420, 440, dtype=torch.float64)
    u = ((words + 0.5) / 2**32).float()
    assert FAMILIES["Hazard"].push(u, 1.2e-6, 1 / 12).sum() == 9  # 420 to 428: 429 + 1/2 lies above 429.4967
    assert FAMILIES["Bernoulli"].push(u, 1e-7).sum() == 9


def test_a_hazard_is_its_keyed_exponential_within_the_step() -> None:
    u = draw_uniform(seed=0, name="death", patients=EVERYONE, steps=1)
    happened = FAMILIES["Hazard"].push(u, 3.0, 0.25)
    delay = event_delay(u, 3.0)
    assert torch.equal(happened, delay < 0.25)
    assert stats.kstest(delay.numpy().ravel(), stats.expon(scale=1 / 3).cdf).pvalue > FALSE_ALARM


def test_competing_hazards_share_by_their_rates_and_date_themselves(make_model: Callable[..., Model]) -> None:
    """The program's race in one step: shares rate / total * (1 - exp(-total dt)), and the date independent of who wins
    (both closed forms)."""
    rates, dt = {"a": 7.0, "b": 2.0, "c": 3.5}, 1 / 12
    hazards = {n: {"kind": "event", "competes": "group", "mechanism": f"Hazard({rate})"} for n, rate in rates.items()}
    journeys = sample(make_model(hazards, steps=1), patients=len(EVERYONE))
    total = sum(rates.values())
    happens = -np.expm1(-total * dt)
    counts = np.array([int(journeys.values[name].sum()) for name in rates])
    expected = np.array([rate / total * happens for rate in rates.values()]) * len(EVERYONE)
    nobody = len(EVERYONE) * (1 - happens)
    assert stats.chisquare([*counts, len(EVERYONE) - counts.sum()], [*expected, nobody]).pvalue > FALSE_ALARM
    assert int(sum(journeys.values[name].int() for name in rates).max()) == 1
    for name, count in zip(rates, counts, strict=True):
        date = journeys.occurrences[name].date.numpy()
        assert len(date) == count
        assert stats.kstest(date, lambda x: -np.expm1(-total * x) / happens).pvalue > FALSE_ALARM


WEIGHTS = (0.5, 1.5, 0.0, 3.0)


def level_noise(purpose: str = "world") -> Tensor:
    draws = [
        draw_uniform(seed=0, name="ancestry", patients=EVERYONE, steps=1, component=str(level), purpose=purpose)
        for level in range(len(WEIGHTS))
    ]
    return torch.stack(draws)


def test_categorical_levels_come_by_their_weights() -> None:
    value = FAMILIES["Categorical"].push(level_noise(), *WEIGHTS)
    assert value.dtype == torch.int8
    assert value.shape == (1, 20_000)
    counts = np.bincount(value.numpy().ravel(), minlength=4)
    shares = np.array(WEIGHTS) / sum(WEIGHTS)
    assert counts[2] == 0
    assert stats.chisquare(counts[[0, 1, 3]], shares[[0, 1, 3]] * 20_000).pvalue > FALSE_ALARM
    log_prob = FAMILIES["Categorical"].log_prob(torch.arange(4), *WEIGHTS)
    np.testing.assert_allclose(log_prob.exp().numpy(), shares, rtol=1e-12)
    u = torch.tensor([0.05, 0.11, 0.39, 0.41, 0.99], dtype=torch.float64)
    assert FAMILIES["Categorical"].quantile(u, *WEIGHTS).tolist() == [0, 1, 1, 3, 3]


def test_categorical_is_counterfactually_stable() -> None:
    """Oberst and Sontag's property: if a level's odds against the factual one do not grow, nobody moves to it."""
    noise, law = level_noise(), FAMILIES["Categorical"]
    before, after = law.push(noise, *WEIGHTS), law.push(noise, 0.5, 3.0, 0.0, 3.0)
    moved = before != after
    assert moved.any()
    assert bool((after[moved] == 1).all())
    weights = [torch.full((2, 1), weight) for weight in WEIGHTS]
    pieces = [law.push(noise[..., i : i + 777], *weights) for i in range(0, 20_000, 777)]
    assert torch.equal(torch.cat(pieces, dim=1), law.push(noise, *weights))


def test_categorical_noise_given_its_level_is_that_of_rejection() -> None:
    """Redrawn noise against the noise of those who have the level (a two-sample test each), and back to the level."""
    noise, law = level_noise(), FAMILIES["Categorical"]
    value = law.push(noise, *WEIGHTS)
    for level in (0, 1, 3):
        given = torch.full((1, 20_000), level, dtype=torch.int8)
        redrawn = law.draw_consistent(level_noise("abduction"), given, *WEIGHTS)
        assert torch.equal(law.push(redrawn, *WEIGHTS), given)
        for component in range(4):
            truth = noise[component][value == level].double().numpy()
            assert stats.ks_2samp(redrawn[component, 0].numpy(), truth).pvalue > FALSE_ALARM
    low, high = law.recover(torch.tensor([0, 2]), *WEIGHTS)
    assert (low < high).all(dim=0).tolist() == [True, False]


@pytest.mark.parametrize(("low", "high"), [(-1.0, 0.5), (6.0, 7.0), (-torch.inf, -4.0), (3.0, torch.inf), (2.0, 2.0)])
def test_restricted_normal_noise_is_scipys_truncated_normal(low: float, high: float) -> None:
    fresh = draw_normal(seed=0, name="restrict", patients=EVERYONE, steps=1)
    inside = restrict("normal", fresh, torch.tensor(low), torch.tensor(high)).numpy().ravel()
    if low == high:
        assert (inside == low).all()
        return
    assert stats.kstest(inside, stats.truncnorm(low, high).cdf).pvalue > FALSE_ALARM
    mass = log_mass(FAMILIES["Normal"], *torch.tensor([low, high], dtype=torch.float64)).item()
    near, far = (-high, -low) if low > 0 else (low, high)
    assert mass == pytest.approx(np.log(stats.norm.cdf(far) - stats.norm.cdf(near)), rel=1e-9)


@pytest.mark.parametrize(
    ("name", "parameters", "valid"),
    [
        ("Normal", (0.0, -1.0), [True, False]),
        ("Normal", (float("nan"), 0.0), [False, True]),
        ("Gamma", (0.0, 1.0), [False, True]),
        ("Bernoulli", (1.1,), [False]),
        ("Binomial", (2.5, 1.0), [False, True]),
        ("Poisson", (float("inf"),), [False]),
        ("Uniform", (1.0, 0.0), [True, False]),
        ("Categorical", (0.0, 0.0), [False, False]),
        ("Categorical", (0.0, 2.0), [True, True]),
    ],
)
def test_bad_parameters_are_told_from_good(name: str, parameters: tuple[float, ...], valid: list[bool]) -> None:
    assert [bool(part) for part in FAMILIES[name].valid(*parameters)] == valid


THRESHOLDS = (0.4, -1.0, 0.5, 2.0)  # a location, and the thresholds between four levels


def test_ordered_levels_have_the_probabilities_of_the_cumulative_logit() -> None:
    """Against scipy's logistic law, pushed forward, as log-probabilities and as the sets of noise; far out, too."""
    family = FAMILIES["OrderedLogistic"]
    location, *cuts = THRESHOLDS
    shares = np.diff(stats.logistic.cdf([-np.inf, *cuts, np.inf], location))
    noise = draw_uniform64(seed=0, name="nyha", patients=EVERYONE, steps=1)
    value = family.push(noise, *THRESHOLDS)
    assert stats.chisquare(np.bincount(value.ravel(), minlength=4), shares * len(EVERYONE)).pvalue > FALSE_ALARM
    exact = [torch.tensor(part, dtype=torch.float64) for part in THRESHOLDS]
    places = torch.arange(4, dtype=torch.float64)
    np.testing.assert_allclose(family.log_prob(places, *exact).exp(), shares, rtol=1e-12)
    low, high = family.recover(places, *exact)
    np.testing.assert_allclose(high - low, shares, rtol=1e-12)
    low, high = family.recover(value, *THRESHOLDS)
    assert bool(((low <= noise) & (noise <= high)).all())
    fresh = draw_uniform64(seed=0, name="fresh", patients=EVERYONE, steps=1)
    redrawn = family.draw_consistent(fresh, value, *THRESHOLDS)
    assert torch.equal(family.push(redrawn, *THRESHOLDS), value)
    far = family.log_prob(torch.tensor([0.0, 3.0]), *(torch.tensor(x, dtype=torch.float64) for x in (0, -80, 0, 80)))
    np.testing.assert_allclose(far, [-80, -80], rtol=1e-12)
    for impossible in (-1.0, 4.0, 0.5):
        low, high = family.recover(torch.tensor(impossible), *exact)
        assert low > high
        assert family.log_prob(torch.tensor(impossible), *exact) == -torch.inf


def test_a_greater_location_moves_nobody_down() -> None:
    family = FAMILIES["OrderedLogistic"]
    noise = draw_uniform64(seed=0, name="nyha", patients=EVERYONE, steps=1)
    here, there = (family.push(noise, location, *THRESHOLDS[1:]) for location in (0.4, 0.9))
    assert bool((there >= here).all())
    assert bool((there > here).any())


@pytest.mark.parametrize(("cuts", "valid"), [((1.0, 2.0), True), ((2.0, 1.0), False), ((1.0, 1.0), True)])
def test_thresholds_increase(cuts: tuple[float, float], valid: bool) -> None:
    assert bool(FAMILIES["OrderedLogistic"].valid(0.0, *cuts)[-1]) is valid


def test_every_family_says_what_it_is() -> None:
    for name, family in FAMILIES.items():
        assert name == family.name
        assert len(family.domains) == len(family.parameters)
        fields = {field for _, field, _, _ in string.Formatter().parse(family.meaning) if field}
        named = set(family.parameters)
        if family.has_levels:
            named = {"levels", "location"} if family.ordered else {"levels"}
        assert fields - {"unit"} == named


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_explained(name: str, make_model: Callable[..., Model]) -> None:
    family = FAMILIES[name]
    values = [str(i + 2) if domain.high > 1 else "0.5" for i, domain in enumerate(family.domains)]
    inner = '"low": 1, "high": 3' if family.has_levels else ", ".join(values)
    if family.has_levels:
        values = ["low (1)", "high (3)"]
    if family.ordered:
        inner, values = '2 * 7; "low": 1, "high"', ["around 2 * 7", "low up to 1, high above"]
    said = describe_draw(parse_mechanism(f"clip(round({name}({inner})), 0, 9)"), unit="year")
    assert said.endswith("; limited to 0 to 9; rounded to a whole number")
    assert all(value in said for value in values)
    assert "{" not in said
    kind = "event" if family.continuous_time else "static"
    text = str(explain_variable(make_model({"x": {"kind": kind, "mechanism": f"{name}({inner})"}}), "x"))
    assert describe_draw(parse_mechanism(f"{name}({inner})"), unit="year") in text


TRIANGULAR = '''
from .base import Family, as_doubles, outside
from .domain import REAL, Domain
from .lazy import torch


class Triangular(Family):
    """Symmetrical around `middle`, 0 from `reach` on."""

    name = "Triangular"
    parameters = ("middle", "reach")
    domains = (REAL, Domain(rule="between 1 and 5", low=1, high=5, fix="clip(…, 1, 5)"))
    meaning = "a triangle around {middle} that reaches {reach} far"

    def log_prob(self, value, *parameters):
        value, middle, reach = as_doubles(value, *parameters)
        far = (value - middle).abs()
        return outside(torch.log((reach - far).clamp(min=0)) - 2 * torch.log(reach), far <= reach)

    def recover(self, value, *parameters):
        value, middle, reach = as_doubles(value, *parameters)
        z = (value - middle) / reach
        noise = torch.where(z < 0, (1 + z) ** 2 / 2, 1 - (1 - z) ** 2 / 2)
        return noise, noise

    def quantile(self, probability, *parameters):
        middle, reach = as_doubles(*parameters)
        u = probability.double()
        return middle + reach * torch.where(u < 0.5, torch.sqrt(2 * u) - 1, 1 - torch.sqrt(2 - 2 * u))
'''
DOCUMENT = """
id: new
title: New
clock: {step: 1 month, horizon: 2 months, unit: year}
parameters: {far: {value: REACH, source: assumption, uncertain: "Triangular(2, 1)"}}
variables:
  x: {kind: static, mechanism: "Triangular(10, far)"}
"""
USE = """
import sys
from nosograph.causal.model.check import check_model
from nosograph.causal.model.load import load_model
assert check_model("good.yaml").ok
assert "torch" not in sys.modules
from nosograph.causal.explain.variables import explain_variable
from nosograph.causal.program.sampling import sample
from nosograph.errors import NosographError
print(explain_variable(load_model("good.yaml"), "x"))
x = sample(load_model("good.yaml"), patients=5000).values["x"].double()
print("range", 7 < float(x.min()) < 7.2 and 12.8 < float(x.max()) < 13, abs(float(x.mean()) - 10) < 0.1)
try:
    sample(load_model("bad.yaml"), patients=5)
except NosographError as error:
    print("refused", error)
"""


def test_a_family_in_one_new_file_is_all_that_it_takes(tmp_path: Path) -> None:
    """Parsed, checked, explained, sampled, and refused outside its domain: in a package that differs in that file."""
    ours = Path(nosograph.__file__).parent
    package = tmp_path / "nosograph"
    shutil.copytree(ours / "causal" / "families", package / "causal" / "families")
    for place in (Path(), Path("causal")):
        for entry in (ours / place).iterdir():
            if not (package / place / entry.name).exists() and not entry.name.startswith("."):
                (package / place / entry.name).symlink_to(entry)
    (package / "causal" / "families" / "triangular.py").write_text(TRIANGULAR)
    for name, reach in (("good", "3"), ("bad", "0.5")):
        (tmp_path / f"{name}.yaml").write_text(DOCUMENT.replace("REACH", reach))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", USE], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "a triangle around 10 that reaches 3 far" in done.stdout
    assert "range True True" in done.stdout
    assert "the reach of Triangular must be between 1 and 5" in done.stdout.partition("refused")[2]
    assert "clip(…, 1, 5)" in done.stdout.partition("refused")[2]
