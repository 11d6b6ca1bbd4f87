"""Questions about populations, against closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, stats

from nosograph.causal.model.model import Model
from nosograph.simulate.questions.answer import Answer
from nosograph.simulate.questions.ask import ask
from nosograph.simulate.questions.estimates import compare_shares, estimate_share

MakeModel = Callable[..., Model]
SIGMAS = 5  # a right answer is farther off than this once in two million


@pytest.fixture(scope="module")
def model(make_model: MakeModel) -> Model:
    """Additive: y = base + a (1 + 0.5 response), so that everything below has a closed form."""
    return make_model(
        {
            "age": {"kind": "static", "mechanism": "Normal(70, 8)"},
            "carrier": {"kind": "static", "mechanism": "Bernoulli(0.4)"},
            "base": {"kind": "static", "mechanism": "Normal(0, 3)"},
            "response": {"kind": "static", "mechanism": "Normal(0, 1)"},
            "propensity": {"kind": "static", "mechanism": "Normal(0, 1)"},
            "a": {"kind": "treatment", "start": "Bernoulli(expit(propensity))", "mechanism": "a[-1]"},
            "dose": {"kind": "treatment", "start": "Uniform(0, 2)", "mechanism": "dose[-1]"},
            "y": {"kind": "state", "mechanism": "base + a * (1 + 0.5 * response)"},
            "varied": {"kind": "state", "mechanism": "a * (1 + 0.1 * (age - 70) * carrier + propensity)"},
            "spread": {"kind": "state", "mechanism": "a + (1 + a) * response"},
            "linear": {"kind": "state", "mechanism": "base + 3 * dose"},
            "grade": {"kind": "state", "mechanism": 'Categorical("mild": 1, "bad": 1)'},
            "ill": {"kind": "event", "mechanism": "Hazard(0.1 + 0.2 * a[-1])"},
        },
        steps=24,
    )


def off_by(found: Answer, truth: float) -> float:
    """How many standard errors from the truth."""
    assert isinstance(found.value, float)
    return abs(found.value - truth) / found.details["standard_error"]


def test_the_average_effect_and_what_pairing_gains(model: Model) -> None:
    found = ask(model, "a -> y @ 6 months", patients=20_000)
    assert off_by(found, 1.0) < SIGMAS
    assert found.details["standard_error"] == pytest.approx(0.5 / math.sqrt(20_000), rel=0.03)
    # var(y1) + var(y0) = 9.25 + 9 over var(y1 - y0) = 0.25; each variance is known to 1% (one standard deviation)
    assert found.details["variance_gain"] == pytest.approx(18.25 / 0.25, rel=0.06)
    assert found.details["undefined"] == 0


def test_pairing_gains_nothing_that_is_not_there(model: Model) -> None:
    found = ask(model, '{effect: "dose -> linear @ 6 months", contrast: [2, 0.5]}', patients=2_000)
    assert found.value == pytest.approx(4.5, abs=1e-5)
    assert found.details["standard_error"] < 1e-6
    unreached = ask(model, "a -> linear @ 6 months", patients=2_000)
    assert unreached.value == 0
    assert unreached.interval == (0, 0)
    assert unreached.to_json()["variance_gain"] is None


def test_a_subgroup_has_its_own_effect(model: Model) -> None:
    found = ask(model, "a -> varied @ 3 months", given="carrier == 1 and age > 70", patients=20_000)
    assert off_by(found, 1 + 0.1 * 8 * math.sqrt(2 / math.pi)) < SIGMAS
    others = ask(model, "a -> varied @ 3 months", given="carrier == 0", patients=20_000)
    assert off_by(others, 1.0) < SIGMAS
    assert found.question == "a -> varied @ 3 months, given carrier == 1 and age > 70"


def test_the_effect_on_the_treated(model: Model) -> None:
    """E[propensity | a = 1] by quadrature: the treated are those who gain."""
    found = ask(model, "a -> varied @ 3 months", given="carrier == 0", measure="att", patients=20_000)
    integral, _ = integrate.quad(lambda x: x * stats.norm.pdf(x) / (1 + math.exp(-x)), -12, 12)
    assert off_by(found, 1 + integral / 0.5) < SIGMAS
    assert found.details["treated"] == pytest.approx(0.5, abs=0.02)
    untreated = ask(model, '{effect: "a -> varied @ 3 months", contrast: [0, 1]}', given="carrier == 0", measure="att")
    assert off_by(untreated, -(1 - integral / 0.5)) < SIGMAS


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_quantile_effects_compare_distributions(model: Model, q: float) -> None:
    """spread is N(1, 2) in one world and N(0, 1) in the other, of the same rank in both."""
    found = ask(model, "a -> spread @ 3 months", measure=f"quantile {q}", patients=10_000)
    z = stats.norm.ppf(q)
    # of pairs of equal rank the difference has the error of one quantile of N(1, 1)
    error = math.sqrt(q * (1 - q) / 10_000) / stats.norm.pdf(z)
    assert abs(found.value - (1 + z)) < SIGMAS * error
    low, high = found.interval
    assert (high - low) / (2 * 1.96) == pytest.approx(error, rel=0.3)
    assert found.details["variance_gain"] == pytest.approx(5, rel=0.4)  # (4 + 1) error² over 1 error²


def test_risks_and_their_ratio(model: Model) -> None:
    found = ask(model, "a -> ill @ 12 months", measure="risk", patients=20_000)
    exposed, spared = 1 - math.exp(-0.3), 1 - math.exp(-0.1)
    assert off_by(found, exposed - spared) < SIGMAS
    low, high = found.details["risk_ratio_interval"]
    error = math.log(high / low) / (2 * 1.96)
    assert abs(math.log(found.details["risk_ratio"] * spared / exposed)) < SIGMAS * error
    # one exponential clock drives both worlds: who falls ill unexposed falls ill exposed
    expected = math.sqrt((1 / spared - 1 / exposed) / 20_000)
    assert error == pytest.approx(expected, rel=0.05)


def test_the_ratio_of_shares_at_the_edges() -> None:
    some, none = np.array([1.0, 0, 1, 0]), np.zeros(4)
    assert compare_shares(some, none) == (None, None)
    assert compare_shares(none, some) == (0.0, None)
    ratio, interval = compare_shares(some, some)
    assert ratio == 1
    assert interval == (1, 1)


def test_shares_have_wilsons_interval() -> None:
    for count, hits in [(20, 0), (20, 20), (50, 7), (4000, 64)]:
        members = np.arange(count) < hits
        expected = stats.binomtest(hits, count).proportion_ci(method="wilson")
        share, interval = estimate_share(members)
        assert share == hits / count
        assert interval == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_interval_of_none_begins_at_none_and_that_of_all_ends_at_all() -> None:
    """So that it holds the estimate: rounding takes it out for a quarter of these counts, or more."""
    for count in range(2, 10_000, 7):
        assert estimate_share(np.zeros(count, bool))[1][0] == 0
        assert estimate_share(np.ones(count, bool))[1][1] == 1


@pytest.fixture(scope="module")
def mortal(make_model: MakeModel) -> Model:
    return make_model(
        {
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "relapse": {"kind": "event", "mechanism": "Hazard(0.4 - 0.3 * a[-1])"},
            "death": {"kind": "event", "ends": "journey", "mechanism": "Hazard(0.5 - 0.3 * a[-1])"},
            "x": {"kind": "state", "start": "Normal(0, 1)", "mechanism": "x[-1] + dt * a[-1]"},
        },
        steps=36,
    )


@pytest.mark.parametrize(("outcome", "rates"), [("death", (0.2, 0.5)), ("relapse", (0.3, 0.9))])
def test_survival_and_its_restricted_mean(mortal: Model, outcome: str, rates: tuple[float, float]) -> None:
    """Exponential: S(T) = exp(-rate T), E[min(.., T)] = (1 - exp(-rate T)) / rate. Free of relapse is alive, too."""
    found = ask(mortal, f"a -> {outcome} @ 2 years", measure="survival", patients=20_000)
    shares = [math.exp(-2 * rate) for rate in rates]
    means = [(1 - share) / rate for share, rate in zip(shares, rates, strict=True)]
    assert off_by(found, shares[0] - shares[1]) < SIGMAS
    low, high = found.details["survival_ratio_interval"]
    error = math.log(high / low) / (2 * 1.96)
    assert abs(math.log(found.details["survival_ratio"] * shares[1] / shares[0])) < SIGMAS * error
    assert error == pytest.approx(math.sqrt((1 / shares[1] - 1 / shares[0]) / 20_000), rel=0.05)
    restricted = ask(mortal, f"a -> {outcome} @ 2 years", measure="rmst", patients=20_000)
    assert off_by(restricted, means[0] - means[1]) < SIGMAS
    assert restricted.value == found.details["restricted_mean_difference"]
    assert found.details["time_unit"] == "year"


def test_those_who_died_in_either_world_are_left_out_and_counted(mortal: Model) -> None:
    found = ask(mortal, "{effect: a -> x @ 2 years, death: survivors}", patients=20_000)
    assert found.value == pytest.approx(2, abs=1e-4)
    assert found.details["undefined"] == pytest.approx(1 - math.exp(-1), abs=SIGMAS * 0.0034)
    assert "undefined" in found.note
    nobody_dies = ask(mortal, "a -> x @ 2 years", do="death = 0", patients=2_000)
    assert nobody_dies.details["undefined"] == 0
    assert not nobody_dies.note


def test_the_same_question_has_the_same_answer(model: Model) -> None:
    one, other = (ask(model, "a -> y @ 6 months", patients=500, seed=3) for _ in range(2))
    assert one == other
    assert ask(model, "a -> y @ 6 months", patients=500, seed=4).value != one.value


def test_an_answer_says_what_it_is(model: Model) -> None:
    found = ask(model, "a -> ill @ 12 months", measure="risk", patients=500)
    document = found.to_json()
    assert {"value", "interval", "method", "question", "note", "risk_ratio", "variance_gain"} <= document.keys()
    assert "95% interval" in str(found)
    assert "<pre>" in found._repr_html_()


@pytest.mark.verification
@pytest.mark.parametrize(("measure", "truth"), [("ate", 1.0), ("quantile 0.75", 1 + stats.norm.ppf(0.75))])
def test_intervals_cover_the_truth_as_often_as_they_say(model: Model, measure: str, truth: float) -> None:
    """400 seeds; a binomial count at 0.95 lies outside of the central 99.99% once in 10,000."""
    outcome = "spread" if "quantile" in measure else "y"
    hits = 0
    for seed in range(400):
        low, high = ask(model, f"a -> {outcome} @ 1 month", measure=measure, patients=1_000, seed=seed).interval
        hits += low <= truth <= high
    low, high = stats.binom.interval(0.9999, 400, 0.95)
    assert low <= hits <= high
