"""The rules for events: what `check` refuses and warns of, each with its fix."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from nosograph.causal.model.check import check_model
from nosograph.causal.model.load import load_model
from nosograph.errors import Problem

HEAD = """
id: heart
clock: {step: 1 month, horizon: 2 years, unit: year}
variables:
"""
BASE = """
load: {kind: state, start: 'Normal(0, 1)', mechanism: "load[-1]"}
stroke: {kind: event, mechanism: Hazard(0.1)}
death: {kind: event, ends: journey, mechanism: Hazard(0.1)}
left: {kind: event, ends: record, mechanism: Hazard(0.1)}
"""


def check(tmp_path: Path, added: str) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    path = tmp_path / "heart.yaml"
    path.write_text(HEAD + indent(BASE + added, "  "))
    report = check_model(path)
    assert not report.errors or all(problem.line for problem in report.errors)
    return report.errors, report.warnings


def refuse(tmp_path: Path, added: str) -> Problem:
    errors, _ = check(tmp_path, added)
    assert len(errors) == 1, [str(error) for error in errors]
    return errors[0]


CAUSE = "caused_by: {%s: {source: assumption}}"


@pytest.mark.parametrize("read", ["death", "death[-1]", "ever(death)"])
def test_what_ends_the_journey_cannot_be_seen(tmp_path: Path, read: str) -> None:
    error = refuse(tmp_path, f"grief: {{kind: event, mechanism: '{read}', {CAUSE % 'death'}}}")
    assert "can never see" in error.problem
    guard = f"grief: {{kind: event, mechanism: 'load[-1] > 1 and not ever(death)', {CAUSE % 'death, load'}}}"
    guard = guard.replace("{death, load:", "{death: {source: assumption}, load:")
    assert refuse(tmp_path, guard).fix == "leave it out: load[-1] > 1"


def test_alternatives_are_a_composite(tmp_path: Path) -> None:
    error = refuse(
        tmp_path,
        f"primary: {{kind: event, mechanism: stroke or death, {CAUSE % 'stroke, death'}}}".replace(
            "{stroke, death:", "{stroke: {source: assumption}, death:"
        ),
    )
    assert error.fix == "any_of: [stroke, death] instead of the mechanism"


def test_a_composite_with_a_component_that_goes_on_can_be_seen(tmp_path: Path) -> None:
    primary = "primary: {kind: event, any_of: [stroke, death]}\n"
    reader = f"care: {{kind: state, start: '0', mechanism: 'ever(primary)', {CAUSE % 'primary'}}}"
    assert check(tmp_path, primary + reader) == ((), ())
    ended = refuse(tmp_path, "deaths: {kind: event, any_of: [death]}\n" + reader.replace("primary", "deaths"))
    assert "can never see" in ended.problem


@pytest.mark.parametrize(
    ("mechanism", "through"),
    [("Hazard(40 * stroke)", "stroke"), ("Hazard(exp(weak))", "weak"), ("Hazard(exp(rated))", "rated")],
)
def test_a_hazard_reads_no_event_of_its_own_step(tmp_path: Path, mechanism: str, through: str) -> None:
    added = f"""
weak: {{kind: state, mechanism: "0.5 * stroke", {CAUSE % "stroke"}}}
rated: {{kind: measurement, of: load, mechanism: load}}
fall: {{kind: event, mechanism: "{mechanism}", {CAUSE % through}}}
"""
    error = refuse(tmp_path, added)
    assert error.node == "fall.mechanism"
    assert ("through" in error.problem) == (through != "stroke")
    lagged = mechanism.replace(through, f"{through}[-1]")
    fixed = added.replace(mechanism, lagged)
    if through == "rated":
        fixed = fixed.replace("rated[-1]", "where(recorded(rated[-1]), rated[-1], 0)")
    assert check(tmp_path, fixed)[0] == ()


def test_a_bernoulli_event_may_read_an_event_of_its_step(tmp_path: Path) -> None:
    assert check(tmp_path, f"fall: {{kind: event, mechanism: Bernoulli(0.5 * stroke), {CAUSE % 'stroke'}}}")[0] == ()


def test_what_ends_the_record_reads_the_past(tmp_path: Path) -> None:
    leaves = "gone: {kind: event, ends: record, mechanism: 'Bernoulli(0.1 * (load > 1))', %s}" % (CAUSE % "load")
    assert refuse(tmp_path, leaves).fix == "load[-1]"


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        ("both: {kind: event, any_of: [stroke, death], mechanism: Hazard(1)}", "no 'mechanism'"),
        ("both: {kind: event, any_of: [stroke, death], ends: journey}", "no 'ends'"),
        ("both: {kind: event, any_of: [stroke, death], competes: g}", "no 'competes'"),
        ("both: {kind: event, any_of: [stroke, load]}", "'load' is a state"),
        ("both: {kind: event, any_of: [stroke, stork]}", "'stork' is not declared"),
        ("both: {kind: state, any_of: [stroke, death]}", "is a state"),
        ("both: {kind: event, any_of: [stroke, stroke]}", "stands twice"),
        ("both: {kind: event, any_of: [stroke, both]}", "component of itself"),
    ],
)
def test_a_composite_is_made_of_events_alone(tmp_path: Path, added: str, problem: str) -> None:
    errors, _ = check(tmp_path, added)
    assert any(problem in error.problem for error in errors), errors


def test_a_composite_needs_no_evidence_and_survives_the_graph(tmp_path: Path) -> None:
    errors, warnings = check(tmp_path, "primary: {kind: event, any_of: [stroke, death], occurs: repeatedly}")
    assert (errors, warnings) == ((), ())
    model = load_model(tmp_path / "heart.yaml")
    assert all(claim.structural for claim in model.variables["primary"].claims)
    turtle = tmp_path / "heart.ttl"
    turtle.write_text(model.to_turtle())
    assert load_model(turtle) == model


def test_frequent_events_want_a_finer_step(tmp_path: Path) -> None:
    _, warnings = check(tmp_path, "admission: {kind: event, occurs: repeatedly, mechanism: Hazard(12)}")
    assert [warning.fix for warning in warnings] == ["clock: {step: 6 days, …}"]
    assert check(tmp_path, "admission: {kind: event, occurs: repeatedly, mechanism: Hazard(2)}") == ((), ())
