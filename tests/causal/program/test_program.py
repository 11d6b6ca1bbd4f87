"""The program against closed forms, a slow obvious simulator, and Pyro's and ChiRho's own interventions.

Means are compared within five standard errors at seed 0: a false alarm in two million comparisons.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pyro
import pyro.distributions as dist
import pytest
import torch
from scipy import stats

from nosograph.causal.model.model import Model, Schedule
from nosograph.causal.model.world import FACTUAL, World, parse_intervention, parse_world
from nosograph.causal.program.noise import draw_normal, draw_uniform
from nosograph.causal.program.program import Program
from nosograph.causal.program.sampling import sample
from nosograph.errors import NosographError

MakeModel = Callable[..., Model]
PATIENTS = 20_000
STEPS = 12
DT = 1 / 12
ERRORS = 5.0  # standard errors


@pytest.fixture(scope="module")
def linear(make_model: MakeModel) -> Model:
    """g -> x, d -> x over time, x -> y: everything linear and Gaussian."""
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
        parameters={"b": 0.2},
    )


def linear_moments(
    *,
    g: float | None = None,
    d: Callable[[int], float] = lambda k: 0.0,
    force: dict[int, float] | None = None,
    shift: dict[int, float] | None = None,
    b: float = 0.2,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of x in each step, by propagating the joint Gaussian of (g, x)."""
    mean = np.array([1.0 if g is None else g, 0.0])
    cov = np.array([[4.0 if g is None else 0.0, 0.0], [0.0, 0.0]])
    means, variances = [], []
    for k in range(STEPS + 1):
        a, c, noise, drift = (0.0, 0.5, 1.0, 0.0) if k == 0 else (0.9, 0.3, 0.25, -b * d(k - 1))
        step = np.array([[1.0, 0.0], [c, a]])
        mean, cov = step @ mean + [0, drift], step @ cov @ step.T + np.diag([0, noise])
        if k in (force or {}):
            mean[1], cov[1], cov[:, 1] = (force or {})[k], 0, 0
        mean[1] += (shift or {}).get(k, 0.0)
        means.append(mean[1])
        variances.append(cov[1, 1])
    return np.array(means), np.array(variances)


CASES = {
    "": {},
    "g = 2": {"g": 2.0},
    "d = 1": {"d": lambda k: 1.0},
    "d = 1 from 3 months to 6 months": {"d": lambda k: float(3 <= k < 6)},
    "d = 2 at 4 months": {"d": lambda k: 2.0 * (k == 4)},
    "x = 1.5 at 5 months": {"force": {5: 1.5}},
    "x = -1 from 5 months to 8 months": {"force": {5: -1.0, 6: -1.0, 7: -1.0}},
    "x += 0.5 from 2 months to 4 months": {"shift": {2: 0.5, 3: 0.5}},
    "b = 0.7; d = 1": {"d": lambda k: 1.0, "b": 0.7},
}  # fmt: skip


def world_of(text: str, model: Model) -> World:
    return parse_world(f"w: {text}", model=model) if text else FACTUAL


@pytest.mark.parametrize("text", CASES)
def test_linear_gaussian_moments_under_every_do(linear: Model, text: str) -> None:
    means, variances = linear_moments(**CASES[text])  # type: ignore[arg-type]
    journeys = sample(linear, patients=PATIENTS, worlds=[world_of(text, linear)])
    x = journeys.values["x"][0].double().numpy()
    assert (np.abs(x.mean(1) - means) <= ERRORS * np.sqrt(variances / PATIENTS) + 1e-6).all()
    assert (np.abs(x.var(1) - variances) <= ERRORS * variances * math.sqrt(2 / PATIENTS) + 1e-6).all()
    y = journeys.values["y"][0].double().numpy()
    due = list(journeys.steps["y"])
    spread = 4 * variances[due] + 0.09
    assert due == [0, 3, 6, 9, 12]
    assert (np.abs(y.mean(1) - (2 * means[due] + 1)) <= ERRORS * np.sqrt(spread / PATIENTS)).all()
    assert (np.abs(y.var(1) - spread) <= ERRORS * spread * math.sqrt(2 / PATIENTS)).all()


@pytest.mark.parametrize("text", [text for text in CASES if text and "x = " not in text and "g" not in text])
def test_in_a_linear_model_every_twin_differs_by_the_closed_form(linear: Model, text: str) -> None:
    expected = linear_moments(**CASES[text])[0] - linear_moments()[0]  # type: ignore[arg-type]
    x = sample(linear, patients=500, worlds=[FACTUAL, world_of(text, linear)]).values["x"]
    difference = (x[1] - x[0]).numpy()
    np.testing.assert_allclose(difference, np.broadcast_to(expected[:, None], difference.shape), atol=2e-5)


def plain_pyro(people: int) -> dict[str, torch.Tensor]:
    """The linear model's first three steps, written by hand for Pyro."""
    with pyro.plate("people", people):
        g = pyro.sample("g", dist.Normal(1.0, 2.0))
        x0 = pyro.sample("x0", dist.Normal(0.5 * g, 1.0))
        d0 = pyro.sample("d0", dist.Delta(torch.zeros(people)))
        x1 = pyro.sample("x1", dist.Normal(0.9 * x0 + 0.3 * g - 0.2 * d0, 0.5))
        x2 = pyro.sample("x2", dist.Normal(0.9 * x1 + 0.3 * g, 0.5))
        y = pyro.sample("y", dist.Normal(2 * x2 + 1, 0.3))
    return {"x2": x2, "y": y}


@pytest.mark.parametrize(
    ("text", "replaced"),
    [("", {}), ("d = 1 at 0 months", {"d0": 1.0}), ("g = 3", {"g": 3.0}), ("x = 2 at 1 months", {"x1": 2.0})],
)
@pytest.mark.parametrize("by", ["pyro", "chirho"])
def test_interventional_means_are_those_of_pyro_and_chirho(
    linear: Model, text: str, replaced: dict[str, float], by: str
) -> None:
    from chirho.interventional.handlers import do as chirho_do

    tensors = {name: torch.full((PATIENTS,), value) for name, value in replaced.items()}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if by == "pyro":
            theirs = pyro.poutine.do(plain_pyro, data=tensors)(PATIENTS)["x2"]
        else:
            with chirho_do(actions=tensors):
                theirs = plain_pyro(PATIENTS)["x2"]
    ours = sample(linear, patients=PATIENTS, worlds=[world_of(text, linear)], steps=2).values["x"][0, 2]
    error = math.sqrt((float(ours.var()) + float(theirs.var())) / PATIENTS)
    assert abs(float(ours.mean() - theirs.mean())) < ERRORS * error
    assert float(ours.var() / theirs.var()) == pytest.approx(1, abs=ERRORS * math.sqrt(4 / PATIENTS))


@pytest.fixture(scope="module")
def various(make_model: MakeModel) -> Model:
    return make_model(
        {
            "sex": {"kind": "static", "mechanism": 'Categorical("female": 1, "male": 1)'},
            "x": {"kind": "state", "start": "Normal(0, 1)", "mechanism": 'Normal(x[-1] + 0.1 * (sex == "male"), 0.3)'},
            "m": {"kind": "measurement", "of": "x", "when": Schedule(every=3), "mechanism": "Normal(x, 0.3)"},
            "d": {"kind": "treatment", "start": "Bernoulli(expit(m))", "mechanism": "d[-1]"},
            "death": {"kind": "event", "ends": "journey", "mechanism": "Hazard(exp(-1 + 0.3 * x[-1]))"},
        }
    )


def test_the_program_is_an_ordinary_pyro_program(various: Model) -> None:
    program = Program(various)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trace = pyro.poutine.trace(program).get_trace(50)
        again = pyro.poutine.replay(program, trace=trace)(50)
    sites = {name for name, site in trace.nodes.items() if site["type"] == "sample" and not name.endswith("plate")}
    assert {"sex.noise", "x.start.noise", "x.noise", "m.noise", "d.start.noise", "death.noise"} <= sites
    assert torch.isfinite(trace.log_prob_sum())
    for name, value in trace.nodes["_RETURN"]["value"].values.items():
        assert torch.equal(value, again.values[name])


def test_pyros_predictive_and_vectorised_particles_run_it(various: Model) -> None:
    def values(patients: int) -> torch.Tensor:
        return pyro.deterministic("x", Program(various)(patients).values["x"])

    with torch.random.fork_rng():
        torch.manual_seed(0)
        one = pyro.infer.Predictive(values, num_samples=4)(30)
        together = pyro.infer.Predictive(values, num_samples=4, parallel=True)(30)
    assert one["x"].numel() == together["x"].numel() == 4 * (STEPS + 1) * 30
    assert torch.isfinite(together["x"]).all()
    assert together["x"].shape[0] == 4
    assert together["x"].shape[-2:] == (STEPS + 1, 30)


def test_worlds_and_particles_go_together(various: Model) -> None:
    """Under a plate of particles, each particle is what it is alone."""
    program, worlds = Program(various), [FACTUAL, parse_world("w: x = m[-1] from 3 months; sex = male", model=various)]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        with pyro.plate("particles", 5, dim=-4):
            trace = pyro.poutine.trace(program).get_trace(20, worlds=worlds)
    together = trace.nodes["_RETURN"]["value"].values
    for particle in range(5):
        data = {
            name: site["value"][particle].reshape(
                site["value"].shape[-3:] if "sex" in name else site["value"].shape[-2:]
            )
            for name, site in trace.nodes.items()
            if name.endswith(".noise")
        }
        alone = pyro.poutine.condition(program, data=data)(20, worlds=worlds).values
        for name, value in alone.items():
            found = together[name][particle].reshape(-1, *together[name].shape[-2:])
            assert torch.equal(torch.nan_to_num(found), torch.nan_to_num(value.expand(found.shape))), name


def test_what_pyro_draws_and_what_is_keyed_have_one_distribution(various: Model) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = Program(various)(PATIENTS)
    keyed = sample(various, patients=PATIENTS)
    for name in ("x", "d", "death", "sex"):
        a, b = drawn.values[name][0].double(), keyed.values[name][0].double()
        error = ((a.var(-1) + b.var(-1)) / PATIENTS).sqrt()
        assert ((a.mean(-1) - b.mean(-1)).abs() <= ERRORS * error).all(), name


def test_gradients_reach_the_parameters(linear: Model) -> None:
    """d E[x_k] / d b for d = 1, by hand: x_k loses b * (1 - 0.9 ** k) / 0.1."""
    b = torch.tensor(0.2, requires_grad=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        journeys = Program(linear)(20, worlds=[world_of("d = 1", linear)], parameters={"b": b})
    journeys.values["x"][0, 7].mean().backward()
    assert float(b.grad) == pytest.approx(-(1 - 0.9**7) / 0.1, rel=1e-4)  # type: ignore[arg-type]


# Events in time


def event_model(make_model: MakeModel, **events: str) -> Model:
    return make_model({name: {"kind": "event", "mechanism": mechanism} for name, mechanism in events.items()})


@pytest.mark.parametrize("rate", [0.05, 0.8, 6.0])
def test_a_single_hazard_is_exponential(make_model: MakeModel, rate: float) -> None:
    journeys = sample(event_model(make_model, e=f"Hazard({rate})"), patients=PATIENTS)
    survival = 1 - torch.cumsum(journeys.values["e"][0].float(), 0).mean(1).double().numpy()
    expected = np.exp(-rate * DT * np.arange(STEPS + 1))
    error = np.sqrt(expected * (1 - expected) / PATIENTS)
    assert (np.abs(survival - expected) <= ERRORS * error + 1e-7).all()


def test_dates_are_exponential_within_their_steps(make_model: MakeModel) -> None:
    """Given that it happens by the horizon, the date is a truncated exponential. KS test at one in a million."""
    rate = 0.8
    found = sample(event_model(make_model, e=f"Hazard({rate})"), patients=PATIENTS).occurrences["e"]
    date = found.date.double().numpy()
    assert ((date > (found.step.numpy() - 1) * DT - 1e-6) & (date <= found.step.numpy() * DT + 1e-6)).all()
    within = stats.truncexpon(b=rate * 1.0, scale=1 / rate)
    assert stats.kstest(date, within.cdf).pvalue > 1e-6


def test_competing_hazards_have_their_cause_specific_incidence(make_model: MakeModel) -> None:
    rates = {"a": 0.9, "b": 0.4, "c": 0.0}
    model = make_model(
        {
            n: {"kind": "event", "ends": "journey", "competes": "death", "mechanism": f"Hazard({r})"}
            for n, r in rates.items()
        }
    )
    journeys = sample(model, patients=PATIENTS)
    total = sum(rates.values())
    alive = torch.arange(STEPS + 1)[:, None] <= journeys.ended
    together = sum(journeys.values[name][0].int() for name in rates)
    assert int((together * alive).max()) == 1
    for name, rate in rates.items():
        happened = (journeys.values[name][0] & alive).float()
        found = torch.cumsum(happened, 0).mean(1).double().numpy()
        expected = rate / total * -np.expm1(-total * DT * np.arange(STEPS + 1))
        assert (np.abs(found - expected) <= ERRORS * np.sqrt(expected * (1 - expected) / PATIENTS) + 1e-7).all(), name
    first = journeys.occurrences["a"]
    counted = first.step == journeys.ended[0, first.patient]
    date = first.date[counted].double().numpy()
    assert stats.kstest(date, stats.truncexpon(b=total, scale=1 / total).cdf).pvalue > 1e-6


def test_an_event_that_is_prevented_does_not_compete(make_model: MakeModel) -> None:
    model = make_model(
        {n: {"kind": "event", "competes": "g", "mechanism": f"Hazard({r})"} for n, r in {"a": 0.9, "b": 0.4}.items()}
    )
    alone = sample(model, patients=PATIENTS, worlds=[parse_world("w: a = 0", model=model)]).values["b"]
    survival = 1 - torch.cumsum(alone[0].float(), 0).mean(1).double().numpy()
    expected = np.exp(-0.4 * DT * np.arange(STEPS + 1))
    assert (np.abs(survival - expected) <= ERRORS * np.sqrt(expected * (1 - expected) / PATIENTS) + 1e-7).all()


def test_repeated_events_are_poisson(make_model: MakeModel) -> None:
    model = make_model({"e": {"kind": "event", "occurs": "repeatedly", "mechanism": "Hazard(2)"}})
    happened = sample(model, patients=PATIENTS).values["e"][0].double()
    p = -math.expm1(-2 * DT)
    assert float(happened[1:].mean()) == pytest.approx(p, abs=ERRORS * math.sqrt(p * (1 - p) / (PATIENTS * STEPS)))
    assert not happened[0].any()


def test_tiny_hazards_are_as_rare_as_they_should_be(make_model: MakeModel) -> None:
    model = make_model({"e": {"kind": "event", "mechanism": "Hazard(1e-4)"}})
    happened = int(sample(model, patients=200_000).values["e"].sum())
    expected = 200_000 * -math.expm1(-1e-4)
    assert stats.poisson.cdf(happened, expected) > 1e-6
    assert stats.poisson.sf(happened - 1, expected) > 1e-6


# A slow and obvious simulator: one patient at a time, Python's own arithmetic


@pytest.fixture(scope="module")
def journey_model(make_model: MakeModel) -> Model:
    return make_model(
        {
            "age": {"kind": "static", "mechanism": "Normal(70, 8)"},
            "death": {
                "kind": "event",
                "ends": "journey",
                "mechanism": "Hazard(exp(-1 + 0.05 * (age + t - 70) + 0.3 * x[-1]))",
            },
            "dropout": {"kind": "event", "ends": "record", "mechanism": "Hazard(0.5)"},
            "flare": {
                "kind": "event",
                "occurs": "repeatedly",
                "mechanism": "Bernoulli(clip(0.2 + 0.1 * x[-1] - 0.3 * (since(flare) < 0.2), 0, 1))",
            },
            "x": {
                "kind": "state",
                "start": "Normal(0.02 * (age - 70), 1)",
                "mechanism": "Normal(0.8 * x[-1] + 0.3 * x[-3] + dt * (1 - d[-1]) + 0.5 * flare, 0.3)",
            },
            "m": {
                "kind": "measurement",
                "of": "x",
                "when": "t == 0 or flare or ever(flare) and since(flare) <= 0.25",
                "mechanism": "Normal(x, 0.5)",
                "missing": "Bernoulli(where(recorded(m[-1]), 0.3, 0.05))",
            },
            "d": {
                "kind": "treatment",
                "start": "Bernoulli(where(recorded(m), expit(m), 0))",
                "mechanism": "where(ever(flare) and since(flare) < 0.1, 0, where(m[-1] > 1, 1, d[-1]))",
            },
        }
    )


def simulate_slowly(patient: int) -> dict[str, list[float]]:
    """What DESIGN's words say of this one patient. NaN: not measured."""

    def noise(name: str, draw: Callable[..., torch.Tensor], first: int) -> dict[int, float]:
        drawn = draw(seed=0, name=name, patients=np.array([patient]), steps=range(first, STEPS + 1))
        return {first + i: float(value) for i, value in enumerate(drawn[:, 0])}

    def expit(v: float) -> float:
        return 1 / (1 + math.exp(-v))

    age = 70 + 8 * noise("age.noise", draw_normal, 0)[0]
    e_x0, e_x, e_m = (
        noise("x.start.noise", draw_normal, 0),
        noise("x.noise", draw_normal, 1),
        noise("m.noise", draw_normal, 0),
    )
    u_d, u_miss, u_flare = (
        noise(n, draw_uniform, f) for n, f in (("d.start.noise", 0), ("m.missing.noise", 0), ("flare.noise", 1))
    )
    u_death, u_drop = noise("death.noise", draw_uniform, 1), noise("dropout.noise", draw_uniform, 1)
    x: list[float] = []
    d: list[float] = []
    taken: list[float] = []  # the measurement, where it is due
    recorded: list[bool] = []
    seen: list[float] = []  # the last recorded value
    flares: list[bool] = []
    ended = closed = STEPS + 1
    for k in range(STEPS + 1):
        t = k * DT
        past = [j for j in range(k) if flares[j]]
        since = (k - past[-1]) * DT if past else math.inf
        flare = False
        if k > 0:
            rate = math.exp(-1 + 0.05 * (age + t - 70) + 0.3 * x[k - 1])
            if u_death[k] < 1 - math.exp(-rate * DT):
                ended = min(ended, k)
            if u_drop[k] < 1 - math.exp(-0.5 * DT):
                closed = min(closed, k)
            flare = u_flare[k] < min(max(0.2 + 0.1 * x[k - 1] - 0.3 * (since < 0.2), 0), 1)
            x.append(0.8 * x[k - 1] + 0.3 * x[max(k - 3, 0)] + DT * (1 - d[k - 1]) + 0.5 * flare + 0.3 * e_x[k])
        else:
            x.append(0.02 * (age - 70) + e_x0[0])
        flares.append(flare)
        due = k == 0 or flare or (bool(past) and since <= 0.25)
        missing = u_miss[k] < (0.3 if any(recorded[:k]) else 0.05)
        taken.append(x[k] + 0.5 * e_m[k] if due else math.nan)
        recorded.append(due and not missing and k < closed)
        seen.append(taken[k] if recorded[k] else seen[k - 1] if k else math.nan)
        if k == 0:
            d.append(float(u_d[0] < (expit(seen[0]) if recorded[0] else 0)))
        else:
            d.append(0.0 if past and since < 0.1 else 1.0 if seen[k - 1] > 1 else d[k - 1])
    flares = [happened and k < ended for k, happened in enumerate(flares)]  # at the step's end, so after a death in it
    return {"x": x, "d": d, "m": taken, "recorded": recorded, "flare": flares, "ended": [ended], "closed": [closed]}  # type: ignore[dict-item]


def test_a_slow_and_obvious_simulator_agrees(journey_model: Model) -> None:
    people = 60
    journeys = sample(journey_model, patients=people)
    for patient in range(people):
        slow = simulate_slowly(patient)
        for name in ("x", "d", "m", "flare"):
            found = journeys.values[name][0, :, patient].double().numpy()
            np.testing.assert_allclose(
                found, np.array(slow[name], float), rtol=1e-4, atol=1e-4, err_msg=f"{name} {patient}"
            )
        assert journeys.recorded["m"][0, :, patient].tolist() == slow["recorded"]
        assert int(journeys.ended[0, patient]) == slow["ended"][0]
        assert int(journeys.closed[0, patient]) == slow["closed"][0]


# What a model does wrong while it runs


WRONG = {
    "negative scale": ("Normal(0, 1 - 2 * now)", "scale of Normal", "-0.166667 at t = 0.583333, patient 100"),
    "probability over 1": ("Bernoulli(2 * now)", "probability of Bernoulli", "1.16667 at t = 0.583333, patient 100"),
    "undefined probability": ("Bernoulli(expit(log(0.5 - now)))", "probability of Bernoulli", "nan at t = 0.583333"),
    "negative rate": ("Poisson(0.5 - now)", "rate of Poisson", "-0.0833333 at t = 0.583333"),
    "fraction of a count": ("Binomial(0.5, 0.5)", "count of Binomial", "0.5 at t = 0"),
    "high under low": ("Uniform(now, 0.5)", "Uniform", "0.5 at t = 0.583333"),
    "no weight": ('Categorical("a": max(0.5 - now, 0), "b": 0)', "weight of Categorical", "at t = 0.5"),
    "logarithm of nothing": ("log(0.5 - now)", "not a finite number", "at t = 0.5, patient 100"),
    "overflow": ("exp(1000 * now)", "not a finite number", "inf at t = 0.166667, patient 100"),
    "measurement not yet taken": ("Normal(late, 1)", "mean of Normal", "nan at t = 0, patient 100"),
    "treated by what is not there": ("Bernoulli(expit(late))", "probability of Bernoulli", "nan at t = 0, patient 100"),
}  # fmt: skip


@pytest.mark.parametrize(("mechanism", "problem", "found"), WRONG.values(), ids=WRONG.keys())
def test_run_time_errors_name_node_time_value_and_patient(
    make_model: MakeModel, mechanism: str, problem: str, found: str
) -> None:
    model = make_model(
        {
            "z": {"kind": "state", "mechanism": "Normal(0, 1)"},
            "late": {"kind": "measurement", "of": "z", "when": Schedule(at=(9,)), "mechanism": "Normal(z, 1)"},
            "now": {"kind": "state", "mechanism": "t + 0 * z"},
            "wrong": {"kind": "state", "mechanism": mechanism},
        }
    )
    with pytest.raises(NosographError) as caught:
        sample(model, patients=torch.arange(100, 120))
    message = str(caught.value)
    assert message.startswith("wrong: ")
    assert problem in message
    assert found.split(", ")[0] in message


def test_a_runtime_error_names_the_patient_who_has_it(make_model: MakeModel) -> None:
    model = make_model(
        {
            "z": {"kind": "static", "mechanism": "Normal(0, 1)"},
            "x": {"kind": "state", "mechanism": "Normal(0, 2 + z)"},
        }
    )
    z = sample(model, patients=2_000, keep=["z"]).values["z"][0, 0]
    patient = int((z < -2).nonzero()[0])
    with pytest.raises(NosographError, match=rf"x: .*\n.*{2 + float(z[patient]):g} at t = 0, patient {patient}\b"):
        sample(model, patients=2_000)


def test_what_becomes_of_the_dead_is_nobodys_mistake(make_model: MakeModel) -> None:
    model = make_model(
        {
            "x": {"kind": "state", "start": "1", "mechanism": "x[-1] * 1e8"},
            "p": {"kind": "state", "mechanism": "Bernoulli(x / 1e24)"},
            "death": {"kind": "event", "ends": "journey", "mechanism": "x[-1] > 100"},
        }
    )
    assert (sample(model, patients=5).ended == 2).all()
    with pytest.raises(NosographError, match=r"at t = 0\.416667"):
        sample(model, patients=5, keep=["x"], worlds=[parse_world("w: death = 0", model=model)])


def test_cycles_within_a_step_are_shown_and_lagged_loops_are_fine(make_model: MakeModel) -> None:
    cyclic = {
        "a": {"kind": "state", "start": "0", "mechanism": "b"},
        "b": {"kind": "state", "start": "0", "mechanism": "c"},
        "c": {"kind": "state", "start": "0", "mechanism": "a"},
    }
    with pytest.raises(NosographError, match=r"(a -> c -> b -> a|b -> a -> c -> b|c -> b -> a -> c)"):
        sample(make_model(cyclic), patients=3)
    cyclic["a"]["mechanism"] = "b[-1] + 1"
    assert sample(make_model(cyclic), patients=3).values["c"][0, :, 0].tolist() == list(range(STEPS + 1))


def test_interventions_leave_nothing_in_the_global_state(linear: Model) -> None:
    world = World("w", (parse_intervention("d = 1", model=linear),))
    a = sample(linear, patients=10, worlds=[world]).values["x"]
    pyro.clear_param_store()
    assert torch.equal(a, sample(linear, patients=10, worlds=[world]).values["x"])


@pytest.mark.verification
@pytest.mark.parametrize("text", ["", "d = 1", "x = 1.5 at 5 months"])
def test_standardised_means_over_seeds_are_standard_normal(linear: Model, text: str) -> None:
    """400 seeds of 1,000 patients: the standardised mean of x at the horizon. KS test; false alarm: one in 10,000."""
    means, variances = linear_moments(**CASES[text])  # type: ignore[arg-type]
    scores = []
    for seed in range(400):
        x = sample(linear, patients=1_000, seed=seed, worlds=[world_of(text, linear)], keep=["x"]).values["x"]
        scores.append((float(x[0, -1].double().mean()) - means[-1]) / math.sqrt(variances[-1] / 1_000))
    assert stats.kstest(scores, "norm").pvalue > 1e-4


@pytest.mark.verification
def test_competing_incidence_over_a_million_patients(make_model: MakeModel) -> None:
    """Rare and common competitors, a million patients. Chi-squared over causes, steps; false alarm: one in 10,000."""
    rates = {"a": 0.7, "b": 0.02, "c": 0.0005}
    model = make_model(
        {
            name: {"kind": "event", "ends": "journey", "competes": "death", "mechanism": f"Hazard({rate})"}
            for name, rate in rates.items()
        }
    )
    people, block = 1_000_000, 50_000
    counts = torch.zeros(3, STEPS)
    for first in range(0, people, block):
        journeys = sample(model, patients=torch.arange(first, first + block))
        alive = torch.arange(1, STEPS + 1)[:, None] <= journeys.ended
        for i, name in enumerate(rates):
            counts[i] += (journeys.values[name][0, 1:] & alive).sum(1)
    total = sum(rates.values())
    edges = np.exp(-total * DT * np.arange(STEPS + 1))
    expected = np.array(list(rates.values()))[:, None] / total * (edges[:-1] - edges[1:])
    observed = np.append(counts.numpy().ravel(), people - counts.sum())
    p = stats.chisquare(observed, people * np.append(expected.ravel(), edges[-1])).pvalue
    assert p > 1e-4


@pytest.mark.verification
def test_dates_over_many_people_are_uniform_in_probability(make_model: MakeModel) -> None:
    """300,000 people, a hazard that changes in time: S(date) is uniform. KS test; false alarm: one in 10,000."""
    model = make_model({"e": {"kind": "event", "mechanism": "Hazard(0.2 + 3 * t)"}})
    found = sample(model, patients=300_000).occurrences["e"]
    rates = 0.2 + 3 * DT * np.arange(1, STEPS + 1)
    summed = np.append(0, np.cumsum(rates * DT))
    step, date = found.step.numpy(), found.date.double().numpy()
    hazard = summed[step - 1] + rates[step - 1] * (date - (step - 1) * DT)
    within = -np.expm1(-hazard) / -math.expm1(-summed[-1])
    assert stats.kstest(within, "uniform").pvalue > 1e-4


def test_a_condition_that_is_not_known_is_not_true(make_model: MakeModel) -> None:
    """NaN makes no event happen, no visit due and no value missing."""
    model = make_model(
        {
            "x": {"kind": "state", "mechanism": "-1"},
            "e": {"kind": "event", "mechanism": "log(x)", "occurs": "repeatedly"},
            "due": {"kind": "measurement", "of": "x", "mechanism": "x", "when": "log(x)"},
            "kept": {"kind": "measurement", "of": "x", "mechanism": "x", "missing": "log(x)"},
        },
        steps=3,
    )
    found = sample(model, patients=4)
    assert not found.values["e"].any()
    assert not found.recorded["due"].any()
    assert found.recorded["kept"].all()
