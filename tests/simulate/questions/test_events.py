"""Measures of repeated events and of times to an event, against closed forms under constant hazards."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from nosograph.causal.model.model import Model
from nosograph.errors import NosographError
from nosograph.simulate.questions.answer import Answer
from nosograph.simulate.questions.ask import ask
from nosograph.simulate.questions.risk_sets import compare_ranks, find_risk_sets, fit_hazard_ratio

MakeModel = Callable[..., Model]
SIGMAS = 5  # a right answer is farther off than this once in two million
PEOPLE = 20_000
SPAN, DT = 2.0, 1 / 12
ADMITTED, CARDIAC, OTHER = (1.0, 2.0), (0.1, 0.3), (0.1, 0.2)  # hazards a year with a = 1 and a = 0
DYING = tuple(sum(rates) for rates in zip(CARDIAC, OTHER, strict=True))


@pytest.fixture(scope="module")
def model(make_model: MakeModel) -> Model:
    return make_model(
        {
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "admission": {"kind": "event", "occurs": "repeatedly", "mechanism": "Hazard(2 - a[-1])"},
            "cardiac_death": {"kind": "event", "ends": "journey", "mechanism": "Hazard(0.3 - 0.2 * a[-1])"},
            "other_death": {"kind": "event", "ends": "journey", "mechanism": "Hazard(0.2 - 0.1 * a[-1])"},
            "death": {"kind": "event", "any_of": ("cardiac_death", "other_death")},
            "primary": {"kind": "event", "any_of": ("admission", "cardiac_death")},
            "relapse": {"kind": "event", "mechanism": "Hazard(0.8 - 0.4 * a[-1])"},
        },
        steps=24,
    )


def ask_about(model: Model, outcome: str, measure: str, **question: object) -> Answer:
    return ask(model, f"a -> {outcome} @ 2 years", measure=measure, **{"patients": PEOPLE, **question})


def off_by(found: Answer, truth: float) -> float:
    """How many standard errors from the truth."""
    assert isinstance(found.value, float)
    assert isinstance(found.interval, tuple)
    return abs(found.value - truth) * 2 * 1.96 / (found.interval[1] - found.interval[0])


def ratio_off_by(ratio: float, interval: tuple[float, float], truth: float) -> float:
    return abs(math.log(ratio / truth)) * 2 * 1.96 / math.log(interval[1] / interval[0])


def count_until(rate: float, dying: float, span: float) -> float:
    """The mean number of admissions, at most one a step, before death: in each step that is lived to, the chance that
    one comes before the end of the step and before death."""
    once = rate / (rate + dying) * -math.expm1(-(rate + dying) * DT)
    return once * math.expm1(-dying * span) / math.expm1(-dying * DT)


def come_first(rate: float, others: float, span: float) -> float:
    """The chance that what comes at this rate comes by then and before what comes at the rate of the others."""
    return rate / (rate + others) * -math.expm1(-(rate + others) * span)


def test_mean_counts(model: Model) -> None:
    truth = [count_until(r, m, SPAN) for r, m in zip(ADMITTED, DYING, strict=True)]
    found = ask_about(model, "admission", "count")
    assert off_by(found, truth[0] - truth[1]) < SIGMAS
    ratio, interval = found.details["count_ratio"], found.details["count_ratio_interval"]
    assert ratio_off_by(ratio, interval, truth[0] / truth[1]) < SIGMAS
    assert ask_about(model, "admission", "ate").value == found.value, "the outcome of a repeated event is its count"
    nobody_dies = ask_about(model, "admission", "count", do=("cardiac_death = 0", "other_death = 0"), patients=10_000)
    assert off_by(nobody_dies, 24 * (math.exp(-2 * DT) - math.exp(-DT))) < SIGMAS


def test_mean_cumulative_functions_at_each_step(model: Model) -> None:
    found = ask_about(model, "admission", "mcf")
    curves = found.details["curves"]
    assert curves["time"] == pytest.approx([k * DT for k in range(25)])
    for label, rate, dying in zip(("a = 1", "a = 0"), ADMITTED, DYING, strict=True):
        truth = [count_until(rate, dying, t) for t in curves["time"]]
        # the count by two years has a standard deviation below 1.6 in both worlds
        assert curves[label] == pytest.approx(truth, abs=SIGMAS * 1.6 / math.sqrt(PEOPLE))
        assert curves[label][-1] == pytest.approx(found.details["means"][label], abs=1e-12)
        assert curves[label][0] == 0
    assert "(25 values, all in --json)" in str(found)


def test_rates_and_their_ratio(model: Model) -> None:
    rates = [count_until(r, m, SPAN) / (-math.expm1(-m * SPAN) / m) for r, m in zip(ADMITTED, DYING, strict=True)]
    found = ask_about(model, "admission", "rate")
    assert off_by(found, rates[0] - rates[1]) < SIGMAS
    assert ratio_off_by(found.details["rate_ratio"], found.details["rate_ratio_interval"], rates[0] / rates[1]) < SIGMAS
    once = ask_about(model, "relapse", "rate")
    assert off_by(once, 0.4 - 0.8) < SIGMAS, "who had an event that happens once is no longer at risk"


def test_the_risk_of_at_least_one(model: Model) -> None:
    truth = [come_first(r, m, SPAN) for r, m in zip(ADMITTED, DYING, strict=True)]
    found = ask_about(model, "admission", "risk")
    assert off_by(found, truth[0] - truth[1]) < SIGMAS
    assert ask_about(model, "admission", "next").value == pytest.approx(found.value, abs=1e-12)
    assert ask_about(model, "admission", "nnt").value == pytest.approx(1 / abs(found.value))


@pytest.mark.parametrize(("after", "since"), [("", 0.0), (" 4 months", 1 / 3), (" 0.1 years", 0.1)])
def test_the_next_event_after_a_time(model: Model, after: str, since: float) -> None:
    truth = [math.exp(-m * since) * come_first(r, m, SPAN - since) for r, m in zip(ADMITTED, DYING, strict=True)]
    found = ask_about(model, "admission", f"next{after}")
    assert off_by(found, truth[0] - truth[1]) < SIGMAS
    assert ratio_off_by(found.details["risk_ratio"], found.details["risk_ratio_interval"], truth[0] / truth[1]) < SIGMAS
    assert found.details["alive_then"]["a = 0"] == pytest.approx(math.exp(-0.5 * since), abs=0.02)


@pytest.mark.parametrize("outcome", ["admission", "primary"])
def test_the_incidence_of_each_cause(model: Model, outcome: str) -> None:
    """Of a composite, each component beside what ends the journey otherwise."""
    found = ask_about(model, outcome, "incidence")
    assert isinstance(found.value, dict)
    assert list(found.value) == ["admission", "cardiac_death", "other_death"]
    for cause, rates in {"admission": ADMITTED, "cardiac_death": CARDIAC, "other_death": OTHER}.items():
        total = [a + m for a, m in zip(ADMITTED, DYING, strict=True)]
        truth = [come_first(rate, all_ - rate, SPAN) for rate, all_ in zip(rates, total, strict=True)]
        low, high = found.interval[cause]
        assert abs(found.value[cause] - truth[0] + truth[1]) < SIGMAS * (high - low) / (2 * 1.96)
        early = come_first(rates[1], total[1] - rates[1], 0.5)
        curve = found.details["curves"][f"{cause}, a = 0"]
        assert curve[6] == pytest.approx(early, abs=SIGMAS * math.sqrt(early * (1 - early) / PEOPLE))
        assert curve[-1] == pytest.approx(found.details[f"incidence_of_{cause}"]["a = 0"], abs=1e-12)


@pytest.mark.parametrize(
    ("outcome", "rates"),
    [
        ("admission", ADMITTED),
        ("cardiac_death", CARDIAC),
        ("death", DYING),
        ("primary", (1.1, 2.3)),
        ("relapse", (0.4, 0.8)),
    ],
)
def test_hazard_ratios_under_constant_hazards(model: Model, outcome: str, rates: tuple[float, float]) -> None:
    found = ask_about(model, outcome, "hazard-ratio")
    assert isinstance(found.value, float)
    assert ratio_off_by(found.value, found.interval, rates[0] / rates[1]) < SIGMAS
    assert found.details["variance_gain"] > 1
    assert "not collapsible" in found.note


def test_a_hazard_ratio_is_marginal(make_model: MakeModel) -> None:
    """Within each half of the people the hazard is a third; of all together, the limit of Cox's score."""
    model = make_model(
        {
            "frail": {"kind": "static", "mechanism": "Bernoulli(0.5)"},
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "fall": {"kind": "event", "mechanism": "Hazard((3 - 2 * a[-1]) * (0.1 + frail))"},
        },
        steps=24,
    )

    def survive(t: float, rate: float) -> float:
        return (math.exp(-0.1 * rate * t) + math.exp(-1.1 * rate * t)) / 2

    def density(t: float, rate: float) -> float:
        return rate * (0.1 * math.exp(-0.1 * rate * t) + 1.1 * math.exp(-1.1 * rate * t)) / 2

    def score(log: float) -> float:
        def at(t: float) -> float:
            weight = math.exp(log) * survive(t, 1)
            first, second = density(t, 1), density(t, 3)
            return first - (first + second) * weight / (weight + survive(t, 3))

        return integrate.quad(at, 0, SPAN)[0]

    limit = math.exp(optimize.brentq(score, -3, 0))
    assert limit > 0.38, "farther from 1 within each half than of all together"
    found = ask(model, "a -> fall @ 2 years", measure="hazard-ratio", patients=PEOPLE)
    assert ratio_off_by(found.value, found.interval, limit) < SIGMAS
    frail = ask(model, "a -> fall @ 2 years", measure="hazard-ratio", given="frail == 1", patients=PEOPLE)
    assert ratio_off_by(frail.value, frail.interval, 1 / 3) < SIGMAS


def test_hazard_ratios_and_ranks_by_the_book() -> None:
    """Against sums over people, one death at a time, where dates are tied."""
    generator = np.random.default_rng(7)
    time = np.ceil(generator.exponential([[1.0], [0.6]], (2, 40)) * 4).clip(max=6)
    happened = time < 6
    x = np.array([[1.0], [0.0]]) * np.ones((1, 40))

    def log_likelihood(log: float) -> float:
        total = 0.0
        for date in np.unique(time[happened]):
            dying, at_risk = (time == date) & happened, time >= date
            weight = np.exp(log * x)
            total += log * x[dying].sum()
            for rank in range(dying.sum()):
                total -= math.log(weight[at_risk].sum() - rank / dying.sum() * weight[dying].sum())
        return total

    best = optimize.minimize_scalar(lambda log: -log_likelihood(log), bounds=(-3, 3), options={"xatol": 1e-10})
    found = fit_hazard_ratio(time, happened)
    assert found is not None
    assert found.log == pytest.approx(best.x, abs=1e-6)
    observed = expected = variance = 0.0
    for date in np.unique(time[happened]):
        at_risk, dying = (time >= date).sum(1), ((time == date) & happened).sum(1)
        whole = stats.hypergeom(at_risk.sum(), at_risk[0], dying.sum())
        observed, expected, variance = observed + dying[0], expected + whole.mean(), variance + whole.var()
    ranks = compare_ranks(time, happened)
    assert ranks is not None
    assert ranks.z == pytest.approx((observed - expected) / math.sqrt(variance), abs=1e-9)
    assert find_risk_sets(time, happened).rank.max() > 1, "dates are tied"


def test_no_hazard_ratio_where_one_arm_has_no_events(make_model: MakeModel) -> None:
    model = make_model(
        {
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "fall": {"kind": "event", "mechanism": "Hazard(1 - a[-1])"},
            "never": {"kind": "event", "mechanism": "Hazard(0 * a[-1])"},
        }
    )
    found = ask(model, "a -> fall @ 1 year", measure="hazard-ratio", patients=500)
    assert found.value is None
    assert "not finite" in found.note
    assert ask(model, "a -> never @ 1 year", measure="hazard-ratio", patients=500).value is None
    assert ask(model, "a -> never @ 1 year", measure="log-rank", patients=500).value is None
    assert ask(model, "a -> fall @ 1 year", measure="log-rank", patients=500).value > 100
    unneeded = ask(model, "a -> never @ 1 year", measure="nnt", patients=500)
    assert unneeded.value is None


def test_times_run_from_the_decision(model: Model) -> None:
    """Those who relapsed or died before it are left out; the others have a year and a half."""
    late = '{effect: "a -> relapse @ 2 years", decision: 6 months}'
    found = ask(model, late, measure="rmst", patients=PEOPLE)
    rates = [r + m for r, m in zip((0.4, 0.8), DYING, strict=True)]
    truth = [-math.expm1(-1.5 * rate) / rate for rate in rates]
    assert off_by(found, truth[0] - truth[1]) < SIGMAS
    assert found.details["means"]["a = 1"] == pytest.approx(truth[0], abs=0.03)
    gone = 1 - (math.exp(-0.5 * rates[0]) + math.exp(-0.5 * rates[1])) / 2
    assert found.details["left_out"] == pytest.approx(gone, abs=0.02)
    ratio = ask(model, late, measure="hazard-ratio", patients=PEOPLE)
    assert ratio_off_by(ratio.value, ratio.interval, 0.5) < SIGMAS
    again = ask(model, '{effect: "a -> admission @ 2 years", decision: 6 months}', measure="mcf", patients=PEOPLE)
    assert again.details["curves"]["time"][0] == 0.5
    assert again.details["means"]["a = 1"] == pytest.approx(count_until(1, 0.2, 1.5), abs=0.06)


def test_the_variance_of_a_restricted_mean(model: Model) -> None:
    """Of min(T, 2) for an exponential T, in each arm alone: `variance_gain` compares them with the pairs."""

    def variance(rate: float) -> float:
        mean = -math.expm1(-rate * SPAN) / rate
        return 2 * integrate.quad(lambda t: t * math.exp(-rate * t), 0, SPAN)[0] - mean**2

    found = ask_about(model, "death", "rmst")
    unpaired = found.details["variance_gain"] * found.details["standard_error"] ** 2 * PEOPLE
    assert unpaired == pytest.approx(sum(map(variance, DYING)), rel=0.05)


def test_a_cause_of_death_counts_alone_and_the_answer_says_so(model: Model) -> None:
    found = ask_about(model, "cardiac_death", "survival")
    truth = [come_first(c, o, SPAN) for c, o in zip(CARDIAC, OTHER, strict=True)]
    assert off_by(found, truth[1] - truth[0]) < SIGMAS
    assert found.details["counted_as_free_after"] == "other_death"
    assert ask_about(model, "death", "survival", patients=100).details["free_of"] == "death"
    assert ask_about(model, "primary", "rmst", patients=100).details["free_of"] == "primary and other_death"


def test_the_number_needed_to_treat(model: Model) -> None:
    found = ask_about(model, "death", "nnt")
    low, high = found.details["risk_difference_interval"]
    assert found.value == pytest.approx(-1 / found.details["risk_difference"])
    assert found.interval == pytest.approx((-1 / low, -1 / high))
    assert found.details["for"] == "one event fewer"
    assert off_by(ask_about(model, "death", "risk"), math.exp(-1) - math.exp(-0.4)) < SIGMAS


def test_the_number_needed_where_the_difference_may_be_zero(make_model: MakeModel) -> None:
    """The numbers that the interval of the risk difference allows: two ranges, with infinity between them."""
    model = make_model(
        {
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "u": {"kind": "static", "mechanism": "Uniform(0, 1)"},
            "fall": {
                "kind": "event",
                "mechanism": "Bernoulli(where(t < 1.5 * dt, where(a[-1] == 1, u < 0.5, u > 0.5), 0))",
            },
        }
    )
    found = ask(model, "a -> fall @ 1 year", measure="nnt", patients=400)
    low, high = found.details["risk_difference_interval"]
    assert low < 0 < high
    assert found.interval is None
    allowed = np.linspace(low, high, 100_001)
    assert found.details["one_fewer"] == pytest.approx(np.min(-1 / allowed[allowed < 0]), rel=1e-3)
    assert found.details["one_more"] == pytest.approx(np.min(1 / allowed[allowed > 0]), rel=1e-3)
    assert "infinity" in found.note


@pytest.mark.parametrize(
    ("measure", "effect", "said"),
    [
        ("next 2 years", "a -> admission @ 2 years", "no time to happen"),
        ("next soon", "a -> admission @ 2 years", "a number and a unit"),
        ("next 1 month", '{effect: "a -> admission @ 2 years", decision: 3 months}', "no time to happen"),
        ("rmst", '{effect: "a -> relapse @ 2 years", death: composite, composite: 1}', "no value for the dead"),
        ("count", '{effect: "a -> admission @ 2 years", death: composite, composite: 9}', "no value for the dead"),
        ("next", '{effect: "a -> admission @ 2 years", death: survivors}', "not followed"),
        ("rate", '{effect: "a -> admission @ 2 years", leaving: last recorded}', "not asked of the record"),
        ("incidence", '{effect: "a -> admission @ 2 years", stopping: while on treatment}', "after they stop"),
        ("count 3", "a -> admission @ 2 years", "nothing after its name"),
    ],
)
def test_questions_without_an_answer(model: Model, measure: str, effect: str, said: str) -> None:
    with pytest.raises(NosographError, match=said):
        ask(model, effect, measure=measure, patients=50)


@pytest.mark.verification
@pytest.mark.parametrize(("measure", "truth"), [("hazard-ratio", 0.5), ("rate", None)])
def test_intervals_of_ratios_cover_the_truth_as_often_as_they_say(
    model: Model, measure: str, truth: float | None
) -> None:
    """200 seeds; a binomial count at 0.95 lies outside of the central 99.99% once in 10,000."""
    rates = [count_until(r, m, 0.5) / (-math.expm1(-m * 0.5) / m) for r, m in zip(ADMITTED, DYING, strict=True)]
    truth = truth or rates[0] / rates[1]
    hits = 0
    for seed in range(200):
        found = ask(model, "a -> admission @ 6 months", measure=measure, patients=1_000, seed=seed)
        low, high = found.interval if measure == "hazard-ratio" else found.details["rate_ratio_interval"]
        hits += low <= truth <= high
    low, high = stats.binom.interval(0.9999, 200, 0.95)
    assert low <= hits <= high
