"""Outcomes that an effect's own worlds prevent are refused, with a fix that works as it stands."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest

import nosograph as ng
from nosograph.causal.model.model import Model
from nosograph.errors import NosographError


@pytest.fixture(scope="module")
def model(make_model: Callable[..., Model]) -> Model:
    return make_model(
        {
            "drug": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "drug[-1]"},
            "left": {"kind": "event", "ends": "record", "mechanism": "Hazard(0.2 + 0.5 * drug[-1])"},
            "death": {"kind": "event", "ends": "journey", "mechanism": "Hazard(0.3)"},
            "either": {"kind": "event", "any_of": ["left", "death"]},
            "stroke": {"kind": "event", "mechanism": "Hazard(0.4)"},
        }
    )


@pytest.mark.parametrize("outcome", ["left", "either"])
def test_leaving_is_no_outcome_where_nobody_leaves(model: Model, outcome: str) -> None:
    with pytest.raises(NosographError, match="prevents 'left'") as caught:
        ng.ask(model, f"drug -> {outcome} @ 1 year", patients=100)
    answer = ng.ask(model, str(caught.value.problems[0].fix), patients=20_000)
    mortality, rates = 0.3, (0.7, 0.2)
    if outcome == "left":
        first, second = (r / (r + mortality) * -math.expm1(-(r + mortality)) for r in rates)
    else:
        first, second = (-math.expm1(-(r + mortality)) for r in rates)
    assert answer.value == pytest.approx(first - second, abs=5 * answer.details["standard_error"])


def test_death_is_no_outcome_where_nobody_dies(model: Model) -> None:
    with pytest.raises(NosographError, match="prevents 'death'") as caught:
        ng.ask(model, '{effect: "drug -> death @ 1 year", death: hypothetical}', patients=100)
    assert re.search("death: while alive", str(caught.value.problems[0].fix))


def test_who_had_an_event_by_the_decision_is_not_part_of_its_effect(model: Model) -> None:
    question = '{effect: "drug -> stroke @ 1 year", decision: 6 months}'
    answer = ng.ask(model, question, patients=20_000, measure="risk")
    risk = 0.4 / 0.7 * -math.expm1(-0.7 * 0.5)  # of those without a stroke and alive at six months
    for found in answer.details["means"].values():
        assert found == pytest.approx(risk, abs=0.025)  # five standard errors of 10,000 people


def test_a_mean_among_other_people_is_not_compared(model: Model, make_model: Callable[..., Model]) -> None:
    frail = make_model(
        {
            "drug": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "drug[-1]"},
            "x": {"kind": "state", "start": "Normal(0, 1)", "mechanism": "x[-1]"},
            "death": {"kind": "event", "ends": "journey", "mechanism": "Hazard(exp(x[-1] - drug[-1]))"},
        }
    )
    answer = ng.ask(frail, "E[x @ 1 year]", do="drug = 1", patients=5_000)
    assert "difference" not in answer.details
    assert "differ between the worlds" in answer.note


def test_an_event_is_asked_by_its_instant(make_model: Callable[..., Model]) -> None:
    """Half a step counts: 1 - exp(-r t) at a time between two steps."""
    model = make_model({"stroke": {"kind": "event", "mechanism": "Hazard(3)"}})
    answer = ng.ask(model, "P(stroke @ 1.5 months)", patients=20_000)
    assert answer.value == pytest.approx(-math.expm1(-3 * 0.125), abs=0.017)
