"""Noisy-or under a shared severity, against scipy's multivariate normal, adaptive quadrature and closed forms."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from nosograph.causal.language.noisy_or import leak, probit, union


def integrate(probabilities: list[float], strength: float) -> float:
    """1 - E[product of (1 - p(s))] by adaptive quadrature, its breaks where a factor turns."""
    width = math.sqrt(1 - strength**2)
    thresholds = norm.ppf(probabilities)

    def spared(s: float) -> float:
        return float(norm.pdf(s) * np.prod(norm.cdf((strength * s - thresholds) / width)))

    turns = sorted(np.clip(thresholds / strength, -9, 9)) if strength else []
    edges = np.unique([-9.5, *turns, *(np.array(turns) + 5 * width), *(np.array(turns) - 5 * width), 9.5])
    pieces = [quad(spared, a, b, epsabs=1e-12, limit=200)[0] for a, b in itertools.pairwise(edges)]
    return 1 - math.fsum(pieces)


@pytest.mark.parametrize("strength", [0.0, 0.2, 0.5, 0.8, 0.95, 0.995])
@pytest.mark.parametrize(
    "own", [[0.3], [0.2, 0.4], [1e-6, 0.5, 0.999], [0.05] * 60, list(np.linspace(0.001, 0.6, 40)), [0.01] * 200]
)
def test_union_is_the_integral(own: list[float], strength: float) -> None:
    assert union(own, strength) == pytest.approx(integrate(own, strength), abs=1e-8)


@pytest.mark.parametrize("strength", [0.3, 0.9])
def test_union_is_that_of_the_multivariate_normal(strength: float) -> None:
    own = [0.1, 0.25, 0.6]
    correlation = np.full((3, 3), strength**2) + (1 - strength**2) * np.eye(3)
    none = multivariate_normal(np.zeros(3), correlation).cdf(norm.ppf(1 - np.array(own)))
    assert union(own, strength) == pytest.approx(1 - none, abs=2e-5)  # scipy's own error


def test_without_severity_it_is_the_noisy_or() -> None:
    assert union([0.2, 0.5, 0.1], 0) == pytest.approx(1 - 0.8 * 0.5 * 0.9, abs=1e-12)
    assert leak(0.7, 0, 0.2, 0.5) == pytest.approx(1 - 0.3 / (0.8 * 0.5), abs=1e-9)


def test_one_severity_alone_is_the_greatest() -> None:
    assert union([0.2, 0.5, 0.1], 1) == 0.5
    assert union([0.2, 0.5, 0.1], 0.99999) == pytest.approx(0.5, abs=0.01)
    assert leak(0.7, 1, 0.2, 0.5) == 0.7
    assert leak(0.5, 1, 0.2, 0.5) == 0


@pytest.mark.parametrize("strength", [0.0, 0.5, -0.5, 0.9, 0.995])
@pytest.mark.parametrize("frequency", [0.011, 0.3, 0.7, 0.999])
def test_with_its_leak_a_term_shows_as_often_as_it_must(frequency: float, strength: float) -> None:
    own = [frequency / 9, frequency / 5, frequency / 30]
    added = leak(frequency, strength, *own)
    assert 0 < added <= frequency
    assert integrate([*own, added], strength) == pytest.approx(frequency, abs=1e-8)


@pytest.mark.parametrize("strength", [0.0, 0.5, 0.995])
def test_what_others_reach_needs_no_leak(strength: float) -> None:
    own = [0.2, 0.3, 0.25]
    together = union(own, strength)
    assert leak(together, strength, *own) == 0
    assert leak(together - 0.01, strength, *own) == 0
    assert leak(together + 0.01, strength, *own) > 0.01 * (1 - 1e-9)
    assert leak(0.3, strength, 0.3) == 0


def test_edges() -> None:
    assert [leak(0.4, 0.5), leak(0.4, 0.5, 0.0, 0.0)] == [0.4, 0.4]
    assert [leak(0.0, 0.5, 0.2), leak(1.0, 0.5, 0.2), leak(1.0, 0.5, 1.0)] == [0, 1, 0]
    assert [union([], 0.5), union([0.0], 0.5), union([0.2, 1.0], 0.5)] == [0, 0, 1]
    assert [probit(p) for p in (0, -1, 1, 2)] == [-math.inf, -math.inf, math.inf, math.inf]
    wrong = [leak(1.2, 0.5), leak(0.2, 1.5, 0.1), leak(0.2, 0.5, -0.1), leak(math.nan, 0.5, 0.1), probit(math.nan)]
    assert all(math.isnan(value) for value in [*wrong, union([0.2], 2), union([1.2], 0.5)])


def test_the_probit_is_the_normal_quantile() -> None:
    p = np.concatenate([np.geomspace(1e-300, 0.5, 200), 1 - np.geomspace(1e-15, 0.5, 200)])
    assert [probit(x) for x in p] == pytest.approx(norm.ppf(p), rel=1e-12, abs=1e-12)


def test_two_hundred_terms_of_sixty_causes_take_little_time() -> None:
    random = np.random.default_rng(0)
    own = random.uniform(0.001, 0.1, 200)
    begun = time.process_time()
    for index in range(200):
        leak(0.999 - index * 1e-5, 0.5, *random.choice(own, 60, replace=False))
    assert time.process_time() - begun < 0.3  # 0.04 s on a machine at rest
