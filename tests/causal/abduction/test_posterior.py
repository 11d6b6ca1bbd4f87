"""Abduction against closed forms, brute force and dowhy.gcm.

Means and variances are compared within ERRORS standard errors of the effective sample size that abduction claims for
itself, so that a claim too high fails here: at 4.5, a false alarm in 150,000 comparisons of independent numbers.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyro
import pytest
import torch
from pyro.infer import MCMC, NUTS
from pyro.ops.stats import effective_sample_size

from nosograph.causal.abduction import EventReport, Observation, PatientRecord, abduct, invert
from nosograph.causal.abduction.evidence import collect_evidence
from nosograph.causal.abduction.observer import RecordObserver
from nosograph.causal.language import parse_mechanism
from nosograph.causal.language.syntax import Draw
from nosograph.causal.model.model import Model, Schedule
from nosograph.causal.model.world import FACTUAL, parse_world
from nosograph.causal.program.program import Program
from nosograph.causal.program.sampling import sample
from nosograph.errors import NosographError

MakeModel = Callable[..., Model]
ERRORS = 4.5
STEPS = 24
SEEN = {0: 2.0, 3: 5.5, 9: 14.0, 12: 17.0}  # of y, by step


@pytest.fixture(scope="module")
def linear(make_model: MakeModel) -> Model:
    return make_model(
        {
            "g": {"kind": "static", "mechanism": "Normal(1, 2)"},
            "d": {"kind": "treatment", "mechanism": "0"},
            "x": {
                "kind": "state",
                "start": "Normal(0.5 * g, 1)",
                "mechanism": "Normal(0.9 * x[-1] + 0.3 * g - b * d[-1], 0.5)",
            },
            "y": {"kind": "measurement", "of": "x", "when": Schedule(every=3), "mechanism": "Normal(2 * x + 1, 0.3)"},
        },
        steps=STEPS,
        parameters={"b": 0.2},
    )


def smooth(seen: dict[int, float]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of (g, x_0, ..., x_K) given y: Kalman's filter, then the smoother of Rauch, Tung and Striebel
    (AIAA J. 3 (1965) 1445-1450). The state of the filter is (g, x), of which g never changes."""
    transition, drift = np.array([[1.0, 0.0], [0.3, 0.9]]), np.diag([0.0, 0.25])
    look, error = np.array([[0.0, 2.0]]), 0.09
    mean, cov = np.array([1.0, 0.5]), np.array([[4.0, 2.0], [2.0, 2.0]])
    filtered, predicted = [], []
    for k in range(STEPS + 1):
        if k:
            mean, cov = transition @ mean, transition @ cov @ transition.T + drift
        predicted.append((mean, cov))
        if k in seen:
            gain = cov @ look.T / (look @ cov @ look.T + error)
            mean = mean + gain[:, 0] * (seen[k] - 1 - look @ mean)
            cov = cov - gain @ look @ cov
        filtered.append((mean, cov))
    smoothed = [filtered[-1]]
    for k in range(STEPS - 1, -1, -1):
        back = filtered[k][1] @ transition.T @ np.linalg.inv(predicted[k + 1][1])
        later = smoothed[0]
        mean = filtered[k][0] + back @ (later[0] - predicted[k + 1][0])
        cov = filtered[k][1] + back @ (later[1] - predicted[k + 1][1]) @ back.T
        smoothed.insert(0, (mean, cov))
    means, covs = zip(*smoothed, strict=True)
    return np.array(means), np.array(covs)


def record_of(values: dict[int, float], name: str = "y", *, last: int = 0) -> PatientRecord:
    observations = tuple(Observation(name, step, value) for step, value in values.items())
    return PatientRecord("", observations, (), max([*values, last]))


@pytest.mark.parametrize("seen", [SEEN, {12: 17.0}, {k: 3.0 + k for k in range(0, 25, 3)}])
def test_linear_gaussian_is_the_kalman_smoother(linear: Model, seen: dict[int, float]) -> None:
    posterior = abduct(linear, record_of(seen))
    assert posterior.method == "tempered particles"
    size = posterior.effective_sample_size
    assert size > 500
    means, covs = smooth(seen)
    journeys = posterior.run()
    x = journeys.values["x"][0].double().numpy()
    g = journeys.values["g"][0, 0].double().numpy()
    variances = covs[:, 1, 1]
    assert (np.abs(x.mean(1) - means[:, 1]) <= ERRORS * np.sqrt(variances / size)).all()
    assert (np.abs(x.var(1) / variances - 1) <= ERRORS * math.sqrt(2 / size)).all()
    assert abs(g.mean() - means[0, 0]) <= ERRORS * math.sqrt(covs[0, 0, 0] / size)
    assert abs(g.var() / covs[0, 0, 0] - 1) <= ERRORS * math.sqrt(2 / size)
    for k in (0, 6, 12, 24):
        correlation = covs[k, 0, 1] / math.sqrt(covs[k, 0, 0] * covs[k, 1, 1])
        assert abs(np.arctanh(np.corrcoef(g, x[k])[0, 1]) - np.arctanh(correlation)) <= ERRORS / math.sqrt(size)


def test_linear_gaussian_counterfactual_has_the_closed_form(linear: Model) -> None:
    posterior = abduct(linear, record_of(SEEN))
    worlds = [FACTUAL, parse_world("w: d = 1 from 6 months; x += 0.5 at 2 months", model=linear)]
    journeys = posterior.run(worlds)
    x = journeys.values["x"].double()
    shift = np.zeros(STEPS + 1)
    for k in range(1, STEPS + 1):
        shift[k] = 0.9 * shift[k - 1] - 0.2 * (k > 6) + 0.5 * (k == 2)
    np.testing.assert_allclose((x[1] - x[0]).numpy(), np.broadcast_to(shift[:, None], x[0].shape), atol=2e-5)
    bands = posterior.bands(journeys, "x", level=0.9)
    means, covs = smooth(SEEN)
    spread = np.sqrt(covs[:, 1, 1])
    error = ERRORS * spread * math.sqrt(0.05 * 0.95 / posterior.effective_sample_size) / 0.10314  # density at 1.645
    assert (np.abs(bands.low[1] - (means[:, 1] + shift - 1.64485 * spread)) <= error).all()
    assert (np.abs(bands.high[0] - (means[:, 1] + 1.64485 * spread)) <= error).all()


def test_the_factual_world_is_the_record(linear: Model) -> None:
    y = abduct(linear, record_of(SEEN), particles=300).run().values["y"][0]
    for row, step in enumerate(range(0, STEPS + 1, 3)):
        if step in SEEN:
            np.testing.assert_allclose(y[row].numpy(), SEEN[step], rtol=1e-5)
        else:
            assert float(y[row].std()) > 0.3


def test_no_particle_is_handed_the_truth(linear: Model) -> None:
    """With a record that says nothing, particle i is not patient i of a cohort with the same seed."""
    posterior = abduct(linear, record_of({}, last=3), particles=100)
    assert posterior.method == "exact"
    assert posterior.effective_sample_size == 100
    ours, theirs = posterior.run().values, sample(linear, patients=100).values
    assert not any(torch.equal(ours[name], theirs[name]) for name in ("g", "x", "y"))


DISCRETE = {
    "risk": {"kind": "static", "mechanism": "Bernoulli(0.3)"},
    "type": {"kind": "static", "mechanism": 'Categorical("a": 2, "b": 1 + 3 * risk, "c": 1)'},
    "ill": {
        "kind": "state",
        "start": "Bernoulli(0.2 + 0.3 * risk)",
        "mechanism": 'Bernoulli(where(ill[-1], 0.9, where(type == "c", 0.5, 0.1)))',
    },
    "score": {"kind": "measurement", "of": "ill", "when": Schedule(every=2), "mechanism": "Poisson(1 + 2 * ill)"},
    "grade": {
        "kind": "measurement",
        "of": "ill",
        "when": Schedule(at=(3, 5)),
        "mechanism": 'Categorical("low": 3 - 2 * ill, "high": 1 + ill)',
        "missing": "Bernoulli(0.2 + 0.3 * ill)",
    },
    "fall": {"kind": "event", "occurs": "repeatedly", "mechanism": "Bernoulli(0.1 + 0.3 * ill[-1])"},
    "heart": {"kind": "event", "ends": "journey", "competes": "death", "mechanism": "Hazard(0.5 + 2 * risk)"},
    "other": {"kind": "event", "ends": "journey", "competes": "death", "mechanism": "Hazard(0.5 + ill[-1])"},
}
REACHED = {"death by heart": 6, "alive": 5}


@pytest.fixture(scope="module")
def discrete(make_model: MakeModel) -> Model:
    return make_model(DISCRETE, steps=8)


@pytest.mark.parametrize("end", REACHED)
def test_a_discrete_record_by_rejection(discrete: Model, end: str) -> None:
    """Simulated patients who have exactly this record are the posterior; all they have, and would have had in another
    world, is compared."""
    last = REACHED[end]
    dead = end != "alive"
    observations = [Observation("score", 2, 3.0), Observation("grade", 3, 1.0)]
    reports = [EventReport("heart", last, dead)]
    if not dead:  # more is known, as so many more have it
        observations += [Observation("grade", 5, None)]
        reports += [EventReport("fall", 2), EventReport("fall", 4, False)]
    posterior = abduct(discrete, PatientRecord("", tuple(observations), tuple(reports), last), particles=4000)
    worlds = [FACTUAL, parse_world('w: risk = 1 - 0; type = "c"; ill = 0 at 4 months', model=discrete)]
    drawn = sample(discrete, patients=600_000, worlds=worlds, seed=3)
    truth = drawn.values

    def at(name: str, step: int) -> torch.Tensor:
        return truth[name][0, drawn.steps[name].index(step)]

    match = (at("score", 2) == 3) & (at("grade", 3) == 1) & drawn.recorded["grade"][0, 0]
    match &= (drawn.ended[0] == last) & at("heart", last) if dead else drawn.ended[0] > last
    if not dead:
        match &= ~at("fall", 1) & at("fall", 2) & ~at("fall", 3) & ~at("fall", 4) & ~drawn.recorded["grade"][0, 1]
    accepted = int(match.sum())
    assert accepted > 300
    ours = posterior.run(worlds)
    size = posterior.effective_sample_size
    assert size > 1000
    compared = 0
    for name, value in ours.values.items():
        levels = range(3) if name == "type" else (1, 3) if name == "score" else (1,)
        for world in range(value.shape[0]):
            for row in range(value.shape[1]):
                for level in levels:
                    a = (value[world, row] == level).double().mean().item()
                    b = (truth[name][world, row, match] == level).double().mean().item()
                    pooled = (a * size + b * accepted) / (size + accepted)
                    error = math.sqrt(pooled * (1 - pooled) * (1 / size + 1 / accepted))
                    assert abs(a - b) <= ERRORS * error + 1e-12, (name, world, row, level, a, b)
                    compared += 1
    assert compared > 60
    a, b = (ours.ended[1] > 8).double().mean().item(), (drawn.ended[1, match] > 8).double().mean().item()
    assert abs(a - b) <= ERRORS * math.sqrt(b * (1 - b) * (1 / size + 1 / accepted))


def test_clipped_and_rounded_values_by_rejection(make_model: MakeModel) -> None:
    model = make_model(
        {
            "x": {"kind": "static", "mechanism": "Normal(25, 6)"},
            "y": {
                "kind": "measurement",
                "of": "x",
                "when": Schedule(every=1),
                "mechanism": "clip(round(Normal(x, 3)), 0, 30)",
            },
            "z": {
                "kind": "measurement",
                "of": "x",
                "when": Schedule(every=1),
                "mechanism": "round(Gamma(2, exp(x / 20 - 1)))",
            },
        },
        steps=1,
    )
    record = PatientRecord("", (Observation("y", 0, 30.0), Observation("y", 1, 28.0), Observation("z", 0, 0.0)), (), 1)
    posterior = abduct(model, record)
    drawn = sample(model, patients=400_000, seed=11)
    match = (drawn.values["y"][0, 0] == 30) & (drawn.values["y"][0, 1] == 28) & (drawn.values["z"][0, 0] == 0)
    expected = drawn.values["x"][0, 0, match].double()
    x = posterior.run().values["x"][0, 0].double()
    assert len(expected) > 200
    size = posterior.effective_sample_size
    error = math.sqrt(float(expected.var()) * (1 / len(expected) + 1 / size))
    assert abs(float(x.mean() - expected.mean())) <= ERRORS * error
    values = posterior.run().values
    assert bool((values["y"][0, 0] == 30).all())
    assert bool((values["y"][0, 1] == 28).all())
    assert bool((values["z"][0, 0] == 0).all())
    raised = posterior.run([parse_world("w: x += 2", model=model)]).values["y"][0, 0]
    lowered = posterior.run([parse_world("w: x += -9", model=model)]).values["y"][0, 0]
    assert bool((raised == 30).all())
    assert bool((lowered < 30).any())


def test_the_population_is_part_of_the_evidence(make_model: MakeModel) -> None:
    """The mean of a standard normal above 1 is 1.5251: phi(1) / (1 - Phi(1))."""
    model = make_model({"a": {"kind": "static", "mechanism": "Normal(0, 1)"}}, steps=1, population="a >= 1")
    posterior = abduct(model, PatientRecord("", (), (), 0))
    a = posterior.run().values["a"][0, 0].double()
    assert float(a.min()) >= 1
    assert abs(float(a.mean()) - 1.525135) <= ERRORS * math.sqrt(0.199 / posterior.effective_sample_size)


def linear_scm(make_model: MakeModel) -> Model:
    return make_model(
        {
            "a": {"kind": "static", "mechanism": "Normal(1, 2)"},
            "b": {"kind": "static", "mechanism": "Normal(0.5 * a, 1)"},
            "c": {"kind": "static", "mechanism": "Normal(2 * a - b, 0.5)"},
            "d": {"kind": "static", "mechanism": "Normal(b + 3 * c, 1)"},
        },
        steps=1,
    )


def test_inversion_gives_the_numbers_of_dowhy_gcm(make_model: MakeModel) -> None:
    before = random.getstate()  # which importing gcm, and joblib, draw from
    import networkx as nx
    import pandas as pd
    from dowhy import gcm
    from scipy import stats
    from sklearn.linear_model import LinearRegression

    model = linear_scm(make_model)
    parents = {"a": {}, "b": {"a": 0.5}, "c": {"a": 2.0, "b": -1.0}, "d": {"b": 1.0, "c": 3.0}}
    scm = gcm.InvertibleStructuralCausalModel(nx.DiGraph([(p, n) for n, ps in parents.items() for p in ps]))
    scm.set_causal_mechanism("a", gcm.ScipyDistribution(stats.norm, loc=1, scale=2))
    for name, causes in list(parents.items())[1:]:
        regression = LinearRegression().fit(np.eye(len(causes)), np.zeros(len(causes)))
        regression.coef_, regression.intercept_ = np.array([list(causes.values())]), np.zeros(1)
        noise = gcm.ScipyDistribution(stats.norm, loc=0, scale=1)
        scm.set_causal_mechanism(name, gcm.AdditiveNoiseModel(gcm.ml.SklearnRegressionModel(regression), noise))
    for name in parents:  # fitted by hand; gcm sorts parents by name, as they stand here
        scm.graph.nodes[name]["parents_during_fit"] = sorted(parents[name])
    rng = np.random.default_rng(0)
    observed = pd.DataFrame({name: rng.normal(size=50) * 2 for name in parents})
    theirs = gcm.counterfactual_samples(scm, {"b": lambda value: 0.7}, observed_data=observed)
    random.setstate(before)
    world = parse_world("w: b = 0.7", model=model)
    ours = invert(model, {name: torch.tensor(observed[name].to_numpy()) for name in parents}).run([world]).values
    for name in parents:
        np.testing.assert_allclose(ours[name][0, 0].numpy(), theirs[name].to_numpy(), atol=5e-5)
    unit = PatientRecord("", tuple(Observation(n, 0, float(observed[n][7])) for n in parents), (), 0)
    posterior = abduct(model, unit, particles=5)
    assert posterior.method == "exact"
    for name, value in posterior.run([world]).values.items():
        np.testing.assert_allclose(value[0, 0].numpy(), theirs[name][7], atol=5e-5)


def test_pyro_scores_the_evidence(linear: Model) -> None:
    """Given the noise of x, the rows of y are independent normals around 2 x + 1."""
    evidence = collect_evidence(linear, record_of(SEEN))
    with pyro.poutine.seed(rng_seed=0):
        trace = pyro.poutine.trace(Program(linear)).get_trace(7, observer=RecordObserver(evidence))
    journeys: Any = trace.nodes["_RETURN"]["value"]
    x = journeys.values["x"][0]
    expected = sum(torch.distributions.Normal(2 * x[k] + 1, 0.3).log_prob(torch.tensor(y)) for k, y in SEEN.items())
    trace.compute_log_prob()
    torch.testing.assert_close(trace.nodes["evidence"]["log_prob"].float(), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.verification
def test_pyros_nuts_agrees(linear: Model) -> None:
    """False alarm: five standard errors, by Pyro's own effective sample size, in 4 comparisons."""
    seen = {0: 2.0, 3: 5.5}
    evidence = collect_evidence(linear, record_of(seen))

    def program() -> torch.Tensor:
        return Program(linear)(1, steps=3, keep=["x"], observer=RecordObserver(evidence)).values["x"]

    before = pyro.util.get_rng_state()
    pyro.set_rng_seed(0)
    sampler = MCMC(NUTS(program, max_tree_depth=4), num_samples=250, warmup_steps=100, disable_progbar=True)
    sampler.run()
    draws = torch.stack([
        pyro.poutine.condition(program, {name: value[i] for name, value in sampler.get_samples().items()})()[0, :, 0]
        for i in range(250)
    ]).double().numpy()  # fmt: skip
    pyro.util.set_rng_state(before)
    pyro.clear_param_store()
    means, covs = smooth(seen)
    for k in range(4):
        size = float(effective_sample_size(torch.from_numpy(draws[None, :, k]), chain_dim=0, sample_dim=1))
        assert abs(draws[:, k].mean() - means[k, 1]) <= 5 * math.sqrt(covs[k, 1, 1] / min(size, 250))


@pytest.mark.parametrize(
    ("record", "named"),
    [
        (record_of({0: 2.0, 3: 500.0}), "y = 500"),
        (PatientRecord("", (Observation("g", 0, 1.0), Observation("x", 2, 900.0)), (), 2), "x = 900"),
    ],
)
def test_what_cannot_be_explained_is_named(linear: Model, record: PatientRecord, named: str) -> None:
    with pytest.raises(NosographError, match=named):
        abduct(linear, record)


def test_an_impossible_value_is_named(discrete: Model) -> None:
    with pytest.raises(NosographError, match=r"score = 2\.5 at t = "):
        abduct(discrete, PatientRecord("", (Observation("score", 2, 2.5),), (), 2))


def test_the_same_seed_gives_the_same_particles(discrete: Model) -> None:
    record = PatientRecord("", (Observation("score", 2, 3.0),), (), 2)
    first, again = (abduct(discrete, record, particles=200) for _ in range(2))
    other = abduct(discrete, record, particles=200, seed=1)
    assert all(torch.equal(first.noise[name], again.noise[name]) for name in first.noise)
    assert not all(torch.equal(first.noise[name], other.noise[name]) for name in first.noise)


def test_parameters_are_inferred_along(make_model: MakeModel) -> None:
    """y ~ N(m, 0.5) four times, m ~ N(1, 2): conjugate, with precision 1/4 + 16."""
    model = make_model(
        {
            "x": {"kind": "state", "mechanism": "m"},
            "y": {"kind": "measurement", "of": "x", "when": Schedule(every=1), "mechanism": "Normal(x, 0.5)"},
        },
        steps=3,
        parameters={"m": 1.0, "n": 0.0},
    )
    draw = parse_mechanism("Normal(1, 2)")
    assert isinstance(draw, Draw)
    doubtful = {name: replace(p, uncertain=draw) for name, p in model.parameters.items()}
    model = replace(model, parameters=doubtful)
    seen = {0: 2.0, 1: 3.0, 2: 2.5, 3: 3.5}
    posterior = abduct(model, record_of(seen), sample_parameters=True)
    m, n = (posterior.parameters[name][0].double() for name in ("m", "n"))
    precision = 1 / 4 + 4 / 0.25
    size = posterior.effective_sample_size
    assert abs(float(m.mean()) - (1 / 4 + sum(seen.values()) / 0.25) / precision) <= ERRORS / math.sqrt(
        precision * size
    )
    assert abs(float(m.var()) * precision - 1) <= ERRORS * math.sqrt(2 / size)
    assert abs(float(n.mean()) - 1) <= ERRORS * 2 / math.sqrt(posterior.particles)  # no evidence of it
    x = posterior.run([FACTUAL, parse_world("w: x += 1", model=model)]).values["x"]
    torch.testing.assert_close(x[0, 2], posterior.parameters["m"][0])
    torch.testing.assert_close(x[1, 2], posterior.parameters["m"][0] + 1)
    doubled = posterior.run([FACTUAL, parse_world("w: m *= 2", model=model)]).values["x"]
    torch.testing.assert_close(doubled[1, 2], posterior.parameters["m"][0] * 2)
    assert not abduct(model, record_of(seen), particles=50).parameters
