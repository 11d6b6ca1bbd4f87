"""Clocks of every size: steps, the times of tables and of texts, with tolerances that are parts of a step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nosograph.causal.explain.explain import explain
from nosograph.causal.model.check import check_model
from nosograph.causal.model.clock import limit_of, parse_clock, steps_around, steps_at, times_of
from nosograph.causal.model.duration import parse_instant, parse_steps, write_time
from nosograph.causal.model.effects import parse_effect
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Clock
from nosograph.errors import NosographError

CLOCKS = [
    ("0.1 minutes", "1 day", "year"),
    ("1 minute", "690 days", "year"),
    ("1 hour", "2 days", "hour"),
    ("1 day", "100 years", "year"),
    ("14 days", "28 years", "minute"),
    ("1 month", "10 years", "year"),
    ("1 year", "80 years", "hour"),
]


@pytest.fixture(params=CLOCKS, ids=lambda texts: f"{texts[0]} in {texts[2]}s")
def clock(request: pytest.FixtureRequest) -> Clock:
    return parse_clock(*request.param)


def test_the_times_of_tables_tell_the_steps_apart(clock: Clock) -> None:
    steps = np.arange(clock.steps + 1)
    times = times_of(steps, clock=clock)
    assert np.array_equal(steps_at(times, clock=clock), steps)
    assert np.array_equal(steps_around(times, clock=clock), steps)
    later = times + 1e-3 * clock.dt
    assert np.array_equal(steps_around(later, clock=clock), steps + 1)
    limits = np.array([limit_of(float(step), clock=clock) for step in steps[-50:]])
    assert (times[-50:] <= limits).all()
    assert (later[-50:] > limits).all()


def test_a_time_in_words_is_read_as_the_same_step(clock: Clock) -> None:
    for step in {1, 2, 3, 7, clock.steps // 3, clock.steps}:
        assert parse_steps([write_time(step, clock=clock)], clock=clock) == (step,)


def test_a_time_off_the_grid_is_refused_however_many_steps_there_are() -> None:
    clock = parse_clock("1 minute", "690 days", "year")
    assert clock.steps == 993_600
    assert parse_steps(["993599 minutes"], clock=clock) == (993_599,)
    with pytest.raises(NosographError, match="off the grid"):
        parse_steps(["993599.4 minutes"], clock=clock)


@given(st.integers(1, 1_000_000), st.sampled_from(["0.1 minutes", "1 minute", "7 hours", "1 day", "1 month", "1 year"]))
def test_a_whole_number_of_steps_is_whole(steps: int, step: str) -> None:
    number, unit = step.split()
    clock = parse_clock(step, f"{float(number) * steps:.9f} {unit}", "year")
    assert clock.steps == steps
    assert not clock.shortened


def test_a_horizon_within_a_step_ends_at_the_last_whole_one(tmp_path: Path) -> None:
    clock = parse_clock("14 days", "3 years", "year")
    assert (clock.steps, clock.end) == (78, "1092 days")
    assert clock.horizon == pytest.approx(1092 / 365.25)
    with pytest.raises(NosographError, match="at most 1092 days"):
        parse_steps(["3 years"], clock=clock)
    text = (Path(__file__).parents[2] / "models" / "six.yaml").read_text()
    file = tmp_path / "six.yaml"
    file.write_text(text.replace("step: 1 month", "step: 14 days").replace("every 3 months", "every 12 weeks"))
    report = check_model(file)
    assert report.model is not None
    (warning,) = [problem for problem in report.warnings if "horizon" in problem.problem]
    assert (warning.line, warning.fix) == (5, "horizon: 1092 days")
    assert "1092 days in 78 steps of 14 days, the last before 3 years" in str(explain(file))


@pytest.mark.parametrize("months", ["18.2", "18.9999"])
def test_an_outcome_may_be_asked_at_any_instant(months: str) -> None:
    model = load_model("alzheimers")
    state = parse_effect(f"lecanemab -> cdr_sb @ {months} months", model)
    assert (state.at, state.instant, state.by) == (18, None, 18)
    assert "18 months" in state.text
    event = parse_effect(f"lecanemab -> aria_e @ {months} months", model)
    assert (event.at, event.by) == (19, pytest.approx(float(months)))
    assert event.text == f"lecanemab -> aria_e @ {months} months"
    assert parse_effect("lecanemab -> cdr_sb_rated @ 18 months", model).instant is None
    with pytest.raises(NosographError, match="past the horizon"):
        parse_effect("lecanemab -> aria_e @ 120.5 months", model)


def test_an_instant_is_in_steps() -> None:
    clock = parse_clock("1 month", "10 years", "year")
    assert parse_instant("1.5 years", clock=clock) == 18
    assert parse_instant("18.2 months", clock=clock) == pytest.approx(18.2)
    assert replace(clock, shortened="9 years").end == "9 years"
