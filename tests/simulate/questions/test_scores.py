"""Responders and changes from baseline, against loops over patients."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

import pytest

from nosograph.causal.model.effects import parse_effect
from nosograph.causal.model.model import Model
from nosograph.causal.program.sampling import sample
from nosograph.errors import NosographError
from nosograph.simulate.contrast import contrast_worlds
from nosograph.simulate.questions.ask import ask

MakeModel = Callable[..., Model]
PEOPLE = 400
LEVELS = ("I", "II", "III", "IV")


@pytest.fixture(scope="module")
def model(make_model: MakeModel) -> Model:
    weights = ", ".join(f'"{level}": 1' for level in LEVELS)
    return make_model(
        {
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "score": {"kind": "state", "start": "Normal(20, 4)", "mechanism": "Normal(score[-1] - a[-1], 1)"},
            "rated": {
                "kind": "measurement",
                "of": "score",
                "when": "t > 1.5 * dt",
                "mechanism": "Normal(score, 1)",
                "missing": "Bernoulli(0.3)",
            },
            "prompt": {"kind": "state", "mechanism": "20 - 5 * a"},
            "nyha": {
                "kind": "state",
                "ordered": True,
                "start": f"Categorical({weights})",
                "mechanism": 'where(a == 1 and nyha[-1] == "IV", "II", nyha[-1])',
            },
            "graded": {"kind": "state", "start": f"Categorical({weights})", "mechanism": f"Categorical({weights})"},
            "death": {"kind": "event", "ends": "journey", "mechanism": "Hazard(0.4 - 0.2 * a[-1])"},
        },
        steps=6,
    )


def list_outcomes(model: Model, effect: str) -> list[list[tuple[float, float]]]:
    """Of each patient in each world: the outcome at the decision and at its time, nan where it is undefined. It is the
    last value while alive, of a measurement at a visit that was due, missed or not."""
    parsed = parse_effect(effect, model)
    worlds = contrast_worlds(model, parsed)
    name = parsed.outcome
    journeys = sample(model, patients=PEOPLE, seed=0, worlds=worlds, steps=parsed.at, keep=[name])
    values = journeys.values[name].expand(2, -1, -1).tolist()
    ended = journeys.ended.expand(2, -1).tolist()

    def read(world: int, patient: int, at: int) -> float:
        if ended[world][patient] <= parsed.decision:
            return math.nan
        if ended[world][patient] <= at and parsed.composite is not None:
            return parsed.composite
        last = math.nan
        for row, step in enumerate(journeys.steps[name]):
            value = values[world][row][patient]
            if step <= at and step < ended[world][patient] and not math.isnan(value):
                last = value
        return last

    return [[(read(world, i, parsed.decision), read(world, i, parsed.at)) for world in (0, 1)] for i in range(PEOPLE)]


def find_shares(people: list[list[tuple[float, float]]], judge: Callable[[float, float], float]) -> list[float]:
    """The mean of what `judge` makes of the outcome before and after, where that is defined in both worlds."""
    judged = [[judge(*pair) for pair in person] for person in people]
    defined = [each for each in judged if not any(math.isnan(value) for value in each)]
    assert len(defined) > 20
    return [sum(column) / len(defined) for column in zip(*defined, strict=True)]


@pytest.mark.parametrize("outcome", ["score", "rated"])
@pytest.mark.parametrize("decision", ["0 months", "3 months"])
def test_changes_from_baseline(model: Model, outcome: str, decision: str) -> None:
    if (outcome, decision) == ("rated", "0 months"):
        with pytest.raises(NosographError, match="defined for nobody"):
            ask(model, "a -> rated @ 6 months", measure="change", patients=PEOPLE)
        return
    effect = f'{{effect: "a -> {outcome} @ 6 months", decision: {decision}}}'
    found = ask(model, effect, measure="change", patients=PEOPLE)
    means = find_shares(list_outcomes(model, effect), lambda before, after: after - before)
    assert list(found.details["means"].values()) == pytest.approx(means, abs=1e-6)
    assert found.value == pytest.approx(means[0] - means[1], abs=1e-6)
    assert not found.note.startswith("The outcome differs")


def test_a_baseline_that_the_cause_has_reached(model: Model) -> None:
    found = ask(model, "a -> prompt @ 3 months", measure="change", patients=PEOPLE)
    assert found.value == 0
    assert found.details["baseline"] == {"a = 1": 15, "a = 0": 20}
    assert "already at the decision" in found.note
    assert ask(model, "a -> prompt @ 3 months", patients=PEOPLE).value == -5


@pytest.mark.parametrize(
    ("criterion", "judge"),
    [
        (">= 18", lambda before, after: after >= 18),
        ("< 15.5", lambda before, after: after < 15.5),
        ("change <= -5", lambda before, after: after - before <= -5),
        ("change > 0", lambda before, after: after - before > 0),
    ],
)
def test_responders(model: Model, criterion: str, judge: Callable[[float, float], bool]) -> None:
    effect = "a -> score @ 6 months"
    found = ask(model, effect, measure=f"responder {criterion}", patients=PEOPLE)
    shares = find_shares(
        list_outcomes(model, effect), lambda before, after: math.nan if math.isnan(after) else judge(before, after)
    )
    assert 0 < shares[1] < 1
    assert list(found.details["means"].values()) == pytest.approx(shares, abs=1e-12)
    assert found.details["share_ratio"] == pytest.approx(shares[0] / shares[1])


@pytest.mark.parametrize(("compare", "apply"), [(">=", operator.ge), ("<", operator.lt), ("!=", operator.ne)])
def test_responders_by_level(model: Model, compare: str, apply: Callable[[int, int], bool]) -> None:
    effect = "a -> nyha @ 6 months"
    found = ask(model, effect, measure=f'responder {compare} "III"', patients=PEOPLE)

    def judge(_: float, after: float) -> float:
        return math.nan if math.isnan(after) else apply(int(after), LEVELS.index("III"))

    shares = find_shares(list_outcomes(model, effect), judge)
    assert list(found.details["means"].values()) == pytest.approx(shares, abs=1e-12)
    assert 0 < shares[1] < 1


def test_the_dead_have_the_value_that_is_given_for_them(model: Model) -> None:
    effect = '{effect: "a -> score @ 6 months", death: composite, composite: 0}'
    found = ask(model, effect, measure="responder >= 18", patients=PEOPLE)
    shares = find_shares(list_outcomes(model, effect), lambda _, after: after >= 18)
    assert list(found.details["means"].values()) == pytest.approx(shares, abs=1e-12)
    alive = ask(model, "a -> score @ 6 months", measure="responder >= 18", patients=PEOPLE)
    assert alive.details["means"]["a = 1"] > shares[0]


@pytest.mark.parametrize(
    ("outcome", "measure", "said", "fix"),
    [
        ("score", "responder", "needs something after", '"responder >= 5"'),
        ("score", "responder at least 5", "told by a comparison", "change <= -5"),
        ("score", 'responder >= "III"', "numbers, and no levels", '"responder >= 5"'),
        ("nyha", "responder >= 3", "levels, which have names", 'responder >= "IV"'),
        ("nyha", 'responder >= "V"', "no level 'V'", 'responder >= "IV"'),
        ("nyha", 'responder change >= "II"', "no difference", 'responder >= "IV"'),
        ("graded", 'responder >= "II"', "in no order", 'responder == "IV"'),
        ("nyha", "change", "has levels", "responder"),
    ],
)
def test_what_makes_no_responder(model: Model, outcome: str, measure: str, said: str, fix: str) -> None:
    with pytest.raises(NosographError, match=said) as raised:
        ask(model, f"a -> {outcome} @ 6 months", measure=measure, patients=50)
    assert fix in (raised.value.problems[0].fix or "")
