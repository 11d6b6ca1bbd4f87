"""Probabilities and means, against closed forms and brute force; what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch

from nosograph.causal.model.model import Model, Schedule
from nosograph.causal.program.sampling import sample
from nosograph.errors import NosographError
from nosograph.simulate.questions.answer import Answer
from nosograph.simulate.questions.ask import ask
from nosograph.simulate.questions.query import is_query, parse_query

MakeModel = Callable[..., Model]
SIGMAS = 5  # a right answer is farther off than this once in two million
PEOPLE = 20_000


@pytest.fixture(scope="module")
def model(make_model: MakeModel) -> Model:
    return make_model(
        {
            "carrier": {"kind": "static", "mechanism": "Bernoulli(0.25)"},
            "frailty": {"kind": "static", "mechanism": "Normal(0, 1)"},
            "drug": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "where(frailty > 1, 0, drug[-1])"},
            "score": {"kind": "state", "mechanism": "frailty + t - drug"},
            "rated": {"kind": "measurement", "of": "score", "when": Schedule(every=6), "mechanism": "score"},
            "stage": {"kind": "static", "mechanism": 'Categorical("I": 0.2, "II": 0.5, "III": 0.3)'},
            "stroke": {"kind": "event", "mechanism": "Hazard(0.2 * (1 + carrier))"},
            "fall": {"kind": "event", "occurs": "repeatedly", "mechanism": "Hazard(0.5)"},
            "death": {"kind": "event", "ends": "journey", "mechanism": "Hazard(0.1)"},
        },
        steps=24,
    )


def off_by(found: Answer, truth: float, *, count: int | None = None) -> float:
    """How many standard errors of a share from the truth."""
    assert isinstance(found.value, float)
    return abs(found.value - truth) / math.sqrt(truth * (1 - truth) / (count or found.details["patients"]))


def by_then(rate: float, years: float, *, dying: float = 0.1) -> float:
    """The risk of a first event at a constant rate, with death competing."""
    return rate / (rate + dying) * (1 - math.exp(-(rate + dying) * years))


def test_an_event_by_then_given_a_static(model: Model) -> None:
    found = ask(model, "P(stroke @ 2 years | carrier == 1)", patients=PEOPLE)
    assert off_by(found, by_then(0.4, 2)) < SIGMAS
    assert found.details["patients"] == PEOPLE  # the condition selects who enters
    assert off_by(ask(model, "P(stroke @ 2 years)", given="carrier == 0", patients=PEOPLE), by_then(0.2, 2)) < SIGMAS
    between = ask(model, "P(death @ 18.2 months)", patients=PEOPLE)  # events know their instants
    assert off_by(between, 1 - math.exp(-0.1 * 18.2 / 12)) < SIGMAS
    assert off_by(ask(model, "P(death @ 1 year)", patients=PEOPLE), 1 - math.exp(-0.1)) < SIGMAS


def test_conditions_at_a_later_time_are_met_in_the_same_world(model: Model) -> None:
    """Of those without a stroke and alive at a year, the risk in the next year starts anew."""
    text = "P(stroke @ 2 years | not stroke @ 1 year, not death @ 1 year, carrier == 1)"
    found = ask(model, text, patients=PEOPLE)
    assert off_by(found, by_then(0.4, 1)) < SIGMAS
    assert found.details["met"] == pytest.approx(math.exp(-0.5), abs=0.02)


def test_levels_thresholds_and_means(model: Model) -> None:
    assert off_by(ask(model, 'P(stage == "II")', patients=PEOPLE), 0.5) < SIGMAS
    assert off_by(ask(model, 'P(stage == "II" | stage != "I")', patients=PEOPLE), 0.5 / 0.8) < SIGMAS
    below = ask(model, "P(score >= 1.5 @ 18 months | drug == 0 @ 18 months)", patients=PEOPLE)
    # who is untreated then: half of the not frail (standard normal under 1), and all of the frail
    tail = 0.5 * math.erfc(1 / math.sqrt(2))
    assert off_by(below, (0.5 * (0.5 - tail) + tail) / (0.5 * (1 - tail) + tail)) < SIGMAS
    mean = ask(model, "E[score @ 18 months | drug == 1 @ 18 months]", patients=PEOPLE)
    density = math.exp(-0.5) / math.sqrt(2 * math.pi)
    assert isinstance(mean.value, float)
    assert mean.value == pytest.approx(0.5 - density / (1 - tail), abs=0.05)
    falls = ask(model, "E[fall @ 1 year | not death @ 1 year]", patients=PEOPLE)
    assert falls.value == pytest.approx(12 * (1 - math.exp(-0.5 / 12)), abs=SIGMAS * math.sqrt(0.5 / PEOPLE))


def test_the_values_are_those_of_the_patients(model: Model) -> None:
    """Brute force over the same patients."""
    found = ask(model, "P(score > 1 and fall >= 1 @ 1 year | frailty + carrier > 0.3)", patients=2_000, seed=4)
    journeys = sample(model, patients=torch.arange(20_000), seed=4)
    entering = (journeys.values["frailty"] + journeys.values["carrier"])[0, 0] > 0.3
    chosen = entering.nonzero()[:2_000, 0]
    alive = (journeys.ended_at[0] > 1)[chosen]
    high = (journeys.values["score"][0, 12] > 1)[chosen]
    falls = journeys.occurrences["fall"]
    fell = torch.zeros(20_000, dtype=torch.bool)
    fell[falls.patient[falls.date <= 1]] = True
    fell = fell[chosen]
    known = alive | ~fell  # of the dead, whoever never fell has not met both, whatever the score
    assert found.value == pytest.approx(float((alive & high & fell).sum() / known.sum()))


def test_the_dead_have_no_score_but_may_have_had_the_event(model: Model) -> None:
    found = ask(model, "P(score > -99 @ 2 years)", patients=4_000)
    assert found.value == 1
    assert "have no value (the journey had ended" in found.note
    either = ask(model, "P(score > -99 or death @ 2 years)", patients=4_000)
    assert either.value == 1
    assert either.note == ""


def test_the_method_says_of_how_many_people(model: Model) -> None:
    """Those who are alive then, of those who enter: the number beside it, not that of all."""
    found = ask(model, "E[score @ 2 years]", patients=4_000)
    alive = found.details["patients"]
    assert alive < 4_000
    assert found.method == f"the mean of the {alive:,} of 4,000 simulated people who have a value"
    found = ask(model, "E[score @ 2 years | not stroke @ 1 year]", patients=4_000)
    who = "meet not stroke @ 1 year and have a value"
    assert found.method == f"the mean of the {found.details['patients']:,} of 4,000 simulated people who {who}"
    assert ask(model, "P(stroke @ 2 years)", patients=4_000).method == "the share of 4,000 people"


def test_in_another_world_with_a_condition_that_it_does_not_reach(model: Model) -> None:
    found = ask(model, "E[score @ 6 months | carrier == 1]", do="drug = 1", patients=PEOPLE)
    assert isinstance(found.value, Mapping)
    assert list(found.value) == ["as the model has it", "drug = 1"]
    untreated = 1 - 0.5 * (1 - 0.5 * math.erfc(1 / math.sqrt(2)))
    assert found.details["difference"] == pytest.approx(-untreated, abs=0.02)
    assert "causal" not in found.note


def test_a_condition_after_the_intervention_is_named_as_what_it_is(model: Model) -> None:
    found = ask(model, "P(score > 0 @ 1 year | drug == 1 @ 6 months)", do="drug = 1 from 0 months to 3 months")
    assert "Among those who, in each world, meet drug == 1 @ 6 months: not a causal contrast" in found.note
    assert "difference" not in found.details
    assert isinstance(found.details["met"], Mapping)


def test_a_measurement_is_named_with_the_time_at_which_it_was_due(model: Model) -> None:
    found = ask(model, "E[rated @ 8 months]", patients=2_000)
    assert "rated is as of 6 months, when it was last due." in found.note
    assert found.value == ask(model, "E[rated @ 6 months | not death @ 8 months]", patients=2_000).value


@pytest.mark.parametrize(
    ("text", "problem", "fix"),
    [
        ("P(strok @ 1 year)", "no variable 'strok'", "stroke @ 1 year"),
        ("P(stroke)", "by when?", "stroke @ 1 year"),
        ("P(score > 1)", "score changes in time: when?", "score > 1 @ 1 year"),
        ("P(score @ 1 year)", "a number has no probability", "score > 4"),
        ("P(stage @ 1 year)", "categorical", 'stage == "I"'),
        ('P(stage == "IV")', "no level", "III"),
        ("P(ever(stroke) @ 1 year)", "names the time", "stroke @ 1 year"),
        ("P(score[-1] > 1 @ 1 year)", "names the time", "score @ 1 year"),
        ("P(stroke @ 1 year | carrier | frailty > 0)", "one |", "commas"),
        ("E[score @ 1 year, rated @ 1 year]", "a mean is of one", "E[…]"),
        ("P(stroke @ 9 years)", "past the horizon", "at most"),
        ("P(stroke @ 1 year @ 2 years)", "one time", "commas"),
        ("P(stroke @ 2 years | score > 99 @ 1 year)", "nobody meets the conditions", "-n 5000"),
    ],
)
def test_what_a_query_refuses(model: Model, text: str, problem: str, fix: str) -> None:
    with pytest.raises(NosographError) as caught:
        ask(model, text, patients=500)
    assert problem in str(caught.value)
    assert fix in str(caught.value)


def test_how_a_query_is_read(model: Model) -> None:
    found = parse_query('P(stage == "II", stroke and (carrier or fall >= 2) @ 1 year | frailty > 0)', model=model)
    assert [clause.text for clause in found.asked] == ['stage == "II"', "stroke and (carrier or fall >= 2) @ 1 year"]
    assert [clause.step for clause in found.asked] == [0, 12]
    assert [str(clause.expression) for clause in found.conditions] == ["frailty > 0"]
    for text in ("P(x)", "E[x @ 1 year]", "E(x)", " P (x | y) "):
        assert is_query(text)
    for text in ("drug -> score @ 1 year", "{effect: x}", "Px"):
        assert not is_query(text)


def test_a_query_takes_no_measure(model: Model) -> None:
    options: Any = {"measure": "risk"}
    with pytest.raises(NosographError, match="a probability has no measure"):
        ask(model, "P(stroke @ 1 year)", **options)
