"""An importing document may refine the step of what it imports where that means the same, and is refused elsewhere."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nosograph.causal.model.check import Report, check_model
from nosograph.causal.model.load import load_model
from nosograph.simulate.cohort import simulate

COMMON = """
id: common
clock: {step: 1 month, horizon: 5 years, unit: year}
parameters:
  k: {value: 0.5, source: assumption}
variables:
  frail: {kind: static, mechanism: Bernoulli(0.3)}
  relapse: {kind: event, occurs: repeatedly, mechanism: Hazard(0.4)}
  seen: {kind: measurement, of: y, when: every 3 months, mechanism: 'Normal(y, 1)'}
  y: {kind: state, start: '0', mechanism: 'Normal(y[-1], sqrt(dt))'}
"""
TOP = """
id: top
clock: {step: STEP, horizon: 5 years, unit: year}
imports: [./common.yaml]
"""


def refine(folder: Path, variable: str, *, step: str = "0.5 months", top: str = "") -> Report:
    """Check a document with another step that imports `variable`, which may read what COMMON declares."""
    kind, _, text = variable.partition(": ")
    names = [n for n in ("frail", "relapse", "seen", "y") if n in text.replace("'", " ").replace("(", " ")]
    claims = ", ".join(f"{name}: {{source: assumption}}" for name in names)
    (folder / "common.yaml").write_text(f"{COMMON}  x: {{kind: {kind}, {text}, caused_by: {{{claims}}}}}\n")
    (folder / "top.yaml").write_text(TOP.replace("STEP", step) + top)
    return check_model(folder / "top.yaml")


HOLDS = [
    "static: mechanism: 'Normal(0, 1)'",
    "event: mechanism: 'Hazard(0.1 * y[-1] ** 2)'",
    "event: mechanism: 'Hazard(where(ever(relapse), 0.2, 0.1 * since(relapse)))'",
    "state: start: '0', mechanism: 'x[-1] + dt * (k - x[-1])'",
    "state: start: '0', mechanism: 'x[-1] + k * y[-1] * dt / 2 - dt * frail'",
    "state: start: '0', mechanism: 'Normal(x[-1] + dt * k, 0.3 * sqrt(dt) * (1 + frail))'",
    "state: start: '0', mechanism: 'clip(x[-1] + dt * k, 0, 3)'",
    "state: start: '0', mechanism: 'frail + 0.1 * t'",
    "treatment: start: Bernoulli(0.5), mechanism: 'x[-1]'",
    "treatment: start: Bernoulli(0.5), mechanism: 'where(ever(relapse) or seen > 3, 0, x[-1])'",
    "treatment: start: '0', mechanism: 'where(t >= 1, 1, x[-1])'",
    "measurement: of: y, when: 'at 0, 6, 7 months', mechanism: 'Normal(y, 2)', missing: Bernoulli(0.2)",
]
DEPENDS = {
    "event: mechanism: Bernoulli(0.01)": "it draws Bernoulli at each step",
    "event: mechanism: 'y > 3'": "its condition would be tried more often",
    "event: mechanism: Hazard(0.1 / dt)": "its rate reads dt",
    "event: mechanism: 'Hazard(0.1 + relapse[-1])'": "whether 'relapse' happened within a step",
    "event: mechanism: 'Hazard(exp(y[-2]))'": "it reads y[-2], which would be another time",
    "state: start: '0', mechanism: '0.9 * x[-1]'": "it is not x[-1], or x[-1] + dt * …",
    "state: start: '0', mechanism: 'x[-1] + 0.1'": "it is not x[-1], or x[-1] + dt * …",
    "state: start: '0', mechanism: 'x[-1] + dt * dt'": "it is not x[-1], or x[-1] + dt * …",
    "state: start: '0', mechanism: 'dt - x[-1]'": "it is not x[-1], or x[-1] + dt * …",
    "state: start: '0', mechanism: 'Normal(x[-1], 0.1)'": "its noise does not grow with sqrt(dt)",
    "state: start: '0', mechanism: 'Normal(x[-1], 0.1 * dt)'": "its noise does not grow with sqrt(dt)",
    "state: start: '0', mechanism: 'Normal(frail, sqrt(dt))'": "its mean is not x[-1] + dt * …",
    "state: start: '0', mechanism: 'Normal(where(frail, 0, x[-1]), sqrt(dt))'": "its mean is not x[-1] + dt * …",
    "state: start: '0', mechanism: 'clip(Normal(x[-1], sqrt(dt)), 0, 9)'": "its noise is limited",
    "state: start: '0', mechanism: 'Gamma(2, 1)'": "it draws Gamma anew at each step",
    "treatment: start: '0', mechanism: 'where(y[-1] > 3, 1, x[-1])'": "it is not x[-1], or x[-1] + dt * …",
    "measurement: of: y, when: 'Bernoulli(0.1)', mechanism: 'y'": "whether it is due is decided at each step",
    "measurement: of: y, when: 'y > 3', mechanism: 'y'": "whether it is due is decided at each step",
}


@pytest.mark.parametrize("variable", HOLDS)
def test_what_holds_for_shorter_steps_is_accepted(variable: str, tmp_path: Path) -> None:
    assert refine(tmp_path, variable).errors == ()


@pytest.mark.parametrize("variable", DEPENDS)
def test_what_depends_on_the_step_is_refused_by_name(variable: str, tmp_path: Path) -> None:
    (error,) = refine(tmp_path, variable).errors
    assert error.problem.startswith("'x' of 'common' is written for steps of 1 month: ")
    assert DEPENDS[variable] in error.problem
    assert (error.line, error.value) == (3, "0.5 months")
    assert error.file.endswith("top.yaml")
    assert refine(tmp_path, variable, step="1 month").ok


def test_a_step_that_is_no_whole_part_is_for_rates_alone(tmp_path: Path) -> None:
    kept = "treatment: start: Bernoulli(0.5), mechanism: 'x[-1]'"
    errors = refine(tmp_path, kept, step="0.4 months").errors
    assert {error.problem.partition(" is written")[0] for error in errors} == {
        "'x' of 'common'",
        "'y' of 'common'",
        "time off the grid of steps",  # every 3 months
    }
    refused = {error.problem.split("'")[1] for error in refine(tmp_path, kept, step="3 months").errors}
    assert refused == {"x", "y", "seen"}


def test_an_override_is_of_the_document_that_makes_it(tmp_path: Path) -> None:
    top = "variables: {x: {overrides: x, mechanism: 'Normal(x[-1], 0.1)'}}\n"
    assert refine(tmp_path, "state: start: '0', mechanism: '0.9 * x[-1]'", top=top).errors == ()


def test_an_extension_is_checked_as_its_event_is(tmp_path: Path) -> None:
    event = "event: mechanism: Hazard(0.1)"
    middle = "id: middle\nclock: {step: 1 month, horizon: 5 years, unit: year}\nimports: [./common.yaml]\nvariables:\n"
    refine(tmp_path, event)
    (tmp_path / "middle.yaml").write_text(f"{middle}  more: {{extends: x, mechanism: Hazard(0.1 / dt)}}\n")
    (tmp_path / "top.yaml").write_text(TOP.replace("STEP", "1 week").replace("common", "middle"))
    problems = [error.problem for error in check_model(tmp_path / "top.yaml").errors]
    assert any("'more' of 'middle'" in problem for problem in problems)
    assert not any("'x' of" in problem for problem in problems)


@pytest.mark.parametrize("step", ["0.5 months", "14 days", "1 day", "1 week"])
def test_demographics_hold_for_shorter_steps(step: str, tmp_path: Path) -> None:
    top = f"id: top\nclock: {{step: {step}, horizon: 10 years, unit: year}}\nimports: [demographics]\n"
    (tmp_path / "top.yaml").write_text(top)
    assert check_model(tmp_path / "top.yaml").errors == ()


def test_sepsis_does_not(tmp_path: Path) -> None:
    top = "id: top\nclock: {step: 30 minutes, horizon: 2 days, unit: hour}\nimports: [sepsis]\n"
    (tmp_path / "top.yaml").write_text(top)
    refused = {error.problem.split("'")[1] for error in check_model(tmp_path / "top.yaml").errors}
    assert {"glucose", "antibiotics", "death", "discharge"} <= refused


@pytest.mark.verification
def test_a_refined_model_has_the_same_distribution(tmp_path: Path) -> None:
    """An Ornstein-Uhlenbeck process and the event that it drives, by month and by a twelfth of it. False alarms: four
    comparisons, each at five standard errors, one in 400,000."""
    drift = "state: start: '0', mechanism: 'Normal(x[-1] + dt * 0.5 * (1 - x[-1]), 0.6 * sqrt(dt))'"
    event = "  stroke: {kind: event, mechanism: 'Hazard(exp(-2 + x[-1]))', caused_by: {x: {source: assumption}}}\n"
    refine(tmp_path, drift)
    common = tmp_path / "common.yaml"
    common.write_text(common.read_text() + event)
    people, found = 20_000, []
    for step in ("1 month", "0.125 months"):
        (tmp_path / "top.yaml").write_text(TOP.replace("STEP", step))
        model = replace(load_model(tmp_path / "top.yaml"), effects=())
        batches = simulate(model, patients=people, seed=3, years=3).batches
        x = np.concatenate([batch.values["x"][0, -1].numpy() for batch in batches])
        stroke = np.concatenate([batch.values["stroke"][0].any(0).numpy() for batch in batches])
        found.append((x.mean(), x.std(), stroke.mean()))
    (coarse, fine), deviation = found, 0.6 * math.sqrt(1 - math.exp(-3))
    assert abs(coarse[0] - fine[0]) < 0.02 + 5 * deviation * math.sqrt(2 / people)
    assert abs(fine[0] - (1 - math.exp(-1.5))) < 0.005 + 5 * deviation / math.sqrt(people)
    assert abs(fine[1] - deviation) < 0.01 + 5 * deviation / math.sqrt(2 * people)
    assert abs(coarse[2] - fine[2]) < 0.01 + 5 * math.sqrt(0.5 / people)
