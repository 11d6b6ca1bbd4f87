"""Parameters by formula: read, refused where wrong, recomputed with what they depend on, the same in every format."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from nosograph.causal.explain.variables import explain_variable
from nosograph.causal.language import parse_expression, parse_formula
from nosograph.causal.language.noisy_or import union
from nosograph.causal.model.check import check_model
from nosograph.causal.model.convert import convert
from nosograph.causal.model.diff import diff_models
from nosograph.causal.model.formula import evaluate_formula, find_dependents
from nosograph.causal.model.load import load_model, set_parameters
from nosograph.causal.model.model import Model
from nosograph.causal.model.world import FACTUAL, parse_intervention, parse_world
from nosograph.causal.program.expressions import StepState, compile_expression
from nosograph.causal.program.sampling import sample
from nosograph.errors import NosographError

TEXT = """
id: fingers
title: Fingers
clock: {step: 1 year, horizon: 3 years, unit: year}
parameters:
  strength: {value: 0.5, source: assumption}
  long: {value: 0.4, uncertain: "Beta(4, 6)", evidence: ["PMID:28050285"], checked: curated, title: "4 of 10"}
  digits: {value: 0.7, source: assumption}
  digits_own: {formula: "leak(digits, strength, long)", title: by itself}
  long_threshold: {formula: probit(long), unit: "1"}
  digits_threshold: {formula: probit(digits_own)}
variables:
  severity: {kind: static, recorded: false, mechanism: "Normal(0, 1)"}
  long_liability:
    kind: static
    recorded: false
    mechanism: Normal(strength * severity, sqrt(1 - strength ** 2))
    caused_by: {severity: {source: assumption}}
  digits_liability:
    kind: static
    recorded: false
    mechanism: Normal(strength * severity, sqrt(1 - strength ** 2))
    caused_by: {severity: {source: assumption}}
  abnormal_digits:
    kind: state
    mechanism: long_liability < long_threshold or digits_liability < digits_threshold
    caused_by: {long_liability: {source: assumption}, digits_liability: {source: assumption}}
  long_fingers:
    kind: state
    mechanism: long_liability < long_threshold and abnormal_digits
    caused_by: {long_liability: {source: assumption}, abnormal_digits: {source: assumption}}
"""


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return write(tmp_path, TEXT)


def write(folder: Path, text: str, name: str = "fingers.yaml") -> Model:
    (folder / name).write_text(text)
    return load_model(folder / name)


def refuse(folder: Path, old: str, new: str) -> str:
    """The message about the document with `old` replaced by `new`."""
    assert old in TEXT
    with pytest.raises(NosographError) as caught:
        write(folder, TEXT.replace(old, new))
    return str(caught.value)


def test_values_follow(model: Model) -> None:
    own = model.parameters["digits_own"].value
    assert model.parameters["long_threshold"].value == pytest.approx(norm.ppf(0.4), abs=1e-12)
    assert model.parameters["digits_threshold"].value == pytest.approx(norm.ppf(own), abs=1e-12)
    assert union([own, 0.4], 0.5) == pytest.approx(0.7, abs=1e-9)


def test_a_sound_formula_gives_no_warning(tmp_path: Path) -> None:
    (tmp_path / "fingers.yaml").write_text(TEXT)
    report = check_model(tmp_path / "fingers.yaml")
    assert report.ok
    assert report.warnings == ()


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        ("digits_own: {value: 0.3, formula: probit(long)", "either value: … or formula: …"),
        ("digits_own: {unit: '1'", "the key 'value' is missing"),
        ('digits_own: {formula: probit(long), uncertain: "Beta(1, 1)"', "it has a formula and 'uncertain'"),
        ("digits_own: {formula: probit(long), source: assumption", "it has a formula and 'source'"),
        ('digits_own: {formula: probit(long), evidence: "PMID:1", checked: text', "it has a formula and 'checked'"),
        ('digits_own: {formula: "Normal(0, 1)"', "a distribution is not allowed in a formula"),
        ('digits_own: {formula: "t * long"', "a formula can read parameters and numbers only, not t"),
        ('digits_own: {formula: "long[-1]"', "not long[-1]"),
        ('digits_own: {formula: "ever(long)"', "not ever(long)"),
        ("digits_own: {formula: probit(lon)", "'lon' is not declared"),
        ("digits_own: {formula: probit(severity)", "'severity' is a variable, but a formula can read parameters only"),
        ("digits_own: {formula: probit(digits_threshold)", "circular formulas"),
        ("digits_own: {formula: digits_own + 1", "circular formulas"),
        ("digits_own: {formula: log(long - digits)", "the formula has no value"),
        ('digits_own: {formula: "leak(digits, 1.5, long)"', "the formula has no value"),
        ("digits_own: {formula: leak(digits)", "leak() got 1 arguments"),
    ],
)
def test_each_mistake_is_named(tmp_path: Path, new: str, problem: str) -> None:
    message = refuse(tmp_path, 'digits_own: {formula: "leak(digits, strength, long)"', new)
    assert problem in message
    assert "digits_" in message
    assert "write: " in message
    assert "fingers.yaml:9" in message or "fingers.yaml:11" in message


def test_leak_stands_in_formulas_only(tmp_path: Path) -> None:
    assert "only allowed in the formula of a parameter" in refuse(
        tmp_path, "long_liability < long_threshold or", "long_liability < leak(long, 0.5) or"
    )
    with pytest.raises(NosographError, match="only allowed in the formula of a parameter"):
        parse_expression("leak(0.3, 0.5)")


def test_what_depends_on_what_is_set_follows(model: Model) -> None:
    changed = set_parameters(model, {"long": 0.1})
    assert changed.parameters["long_threshold"].value == pytest.approx(norm.ppf(0.1), abs=1e-12)
    assert union([changed.parameters["digits_own"].value, 0.1], 0.5) == pytest.approx(0.7, abs=1e-9)
    assert set_parameters(model, {"long": 0.8}).parameters["digits_threshold"].value == -math.inf
    assert find_dependents(model.parameters, ["digits"]) == {"digits", "digits_own", "digits_threshold"}


def test_a_formula_cannot_be_set(model: Model) -> None:
    with pytest.raises(NosographError, match="cannot be set") as caught:
        set_parameters(model, {"digits_threshold": 1})
    assert caught.value.problems[0].fix == "one of: digits, long, strength"
    with pytest.raises(NosographError, match="cannot be set"):
        parse_intervention("digits_threshold = 1", model=model)
    with pytest.raises(NosographError, match="cannot be set"):
        sample(model, patients=10, parameters={"digits_own": 0.5})
    with pytest.raises(NosographError, match="the formula has no value"):
        set_parameters(model, {"strength": 1.5})


def test_a_world_that_changes_a_parameter_changes_what_follows(model: Model) -> None:
    """The world is the model with that value, bit for bit, and beside it the factual one stays what it was."""
    world = parse_world("rarer: long = 0.2", model=model)
    both = sample(model, patients=3000, worlds=[FACTUAL, world], seed=5)
    alone = sample(set_parameters(model, {"long": 0.2}), patients=3000, seed=5)
    factual = sample(model, patients=3000, seed=5)
    for name in ("long_fingers", "abnormal_digits"):
        assert torch.equal(both.values[name][1].float(), alone.values[name][0].float())
        assert torch.equal(both.values[name][0].float(), factual.values[name][0].float())
    assert not torch.equal(both.values["long_fingers"][0], both.values["long_fingers"][1])


def test_setting_what_holds_anyway_changes_nothing(model: Model) -> None:
    world = parse_world("same: long = 0.4; strength *= 1; digits += 0", model=model)
    journeys = sample(model, patients=5000, worlds=[FACTUAL, world], seed=2)
    for values in journeys.values.values():
        assert torch.equal(values[0], values[-1])


def test_frequencies_hold_and_to_take_the_general_away_takes_the_special(model: Model) -> None:
    world = parse_world("none: abnormal_digits = 0", model=model)
    journeys = sample(model, patients=40_000, worlds=[FACTUAL, world], seed=1)
    long, digits = (journeys.values[name].float() for name in ("long_fingers", "abnormal_digits"))
    assert float(long[0, 1].mean()) == pytest.approx(0.4, abs=5 * math.sqrt(0.24 / 40_000))
    assert float(digits[0, 1].mean()) == pytest.approx(0.7, abs=5 * math.sqrt(0.21 / 40_000))
    assert bool((long[0] <= digits[0]).all())
    assert float(long[1].sum()) == 0


def test_particles_have_their_own_formulas(model: Model) -> None:
    long = torch.tensor([[0.1, 0.2, 0.6]])
    values = sample(model, patients=3, parameters={"long": long}).values
    assert values["abnormal_digits"].shape[-1] == 3
    with pytest.raises(NosographError, match="no gradient"):
        sample(model, patients=3, parameters={"long": long.requires_grad_()})


@pytest.mark.parametrize("suffix", [".ttl", ".jsonld", ".nt", ".rdf"])
def test_every_format_says_the_same(model: Model, tmp_path: Path, suffix: str) -> None:
    other = load_model(convert(tmp_path / "fingers.yaml", tmp_path / f"other{suffix}"))
    assert other.parameters == model.parameters
    assert diff_models(model, other) == ()
    back = load_model(convert(tmp_path / f"other{suffix}", tmp_path / "back.yaml"))
    assert back.parameters == model.parameters


def test_turtle_with_value_and_formula_is_refused(model: Model, tmp_path: Path) -> None:
    path = convert(tmp_path / "fingers.yaml", tmp_path / "other.ttl")
    path.write_text(path.read_text().replace("ng:formula", "ng:value 0.5 ;\n    ng:formula", 1))
    with pytest.raises(NosographError, match="ng:value and ng:formula stand together"):
        load_model(path)


def test_a_difference_is_said_once_where_it_is(model: Model) -> None:
    changed = set_parameters(model, {"long": 0.1})
    assert [str(found) for found in diff_models(model, changed)] == ["long.value: 0.4 -> 0.1"]


def test_formulas_come_with_an_import(tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    text = """
id: more
title: More
imports: [./fingers.yaml]
clock: {step: 1 year, horizon: 3 years, unit: year}
parameters:
  longer_threshold: {formula: long_threshold - 1}
variables:
  longer:
    kind: state
    mechanism: long_liability < longer_threshold
    caused_by: {long_liability: {source: assumption}}
"""
    more = write(tmp_path, text, "more.yaml")
    assert more.parameters["longer_threshold"].value == pytest.approx(norm.ppf(0.4) - 1, abs=1e-12)


def test_they_are_explained(model: Model) -> None:
    text = str(explain_variable(model, "abnormal_digits"))
    assert "from probit(digits_own), that is probit(" in text
    assert "from leak(digits, strength, long), that is leak(0.7, 0.5, 0.4)" in text
    assert "as curated by a database" in text


def test_curated_claims_are_counted(tmp_path: Path) -> None:
    text = TEXT.replace(
        "caused_by: {long_liability: {source: assumption}, abnormal",
        'caused_by: {long_liability: {evidence: "PMID:28050285", checked: curated}, abnormal',
    )
    (tmp_path / "fingers.yaml").write_text(text)
    report = check_model(tmp_path / "fingers.yaml")
    assert [report.counts[key] for key in ("claims", "cited", "curated", "recalled", "assumed")] == [6, 1, 1, 0, 5]


numbers = st.floats(-3, 3, allow_nan=False).map(lambda x: round(x, 3))
FORMS = ["{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} / {b}", "min({a}, {b}, 0.5)", "max({a}, {b})", "exp({a})",
         "sqrt(abs({a}))", "log(abs({b}))", "floor({a})", "round({a})", "tanh({a})", "expit({a})", "logit({a})",
         "probit({a})", "clip({a}, -1, {b})", "where({a} > {b}, {a}, {b})", "-{a}", "not {a}", "{a} <= {b} and {b}",
         "{a} != {b} or {a}", "table({a}; -1: 0, 0: 2, 1.5: -1)", "{a} ** 2", "abs({a}) ** {b}"]  # fmt: skip


@given(a=numbers, b=numbers, forms=st.tuples(st.sampled_from(FORMS), st.sampled_from(FORMS)))
def test_a_formula_is_worth_what_the_same_mechanism_is(a: float, b: float, forms: tuple[str, str]) -> None:
    outer, inner = forms
    text = outer.format(a=f"({inner.format(a='a', b='b')})", b="b")
    evaluate = compile_expression(parse_expression(text), constant=frozenset(), levels={})
    tensors = {"a": torch.tensor([[a]], dtype=torch.float64), "b": torch.tensor([[b]], dtype=torch.float64)}
    wanted = evaluate(StepState(time=0, dt=1, parameters=tensors, now={}, history=[]))
    found = evaluate_formula(parse_formula(text), {"a": a, "b": b})
    wanted = float(wanted)
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-5, nan_ok=True) or _near_a_jump(outer, inner)


def _near_a_jump(*forms: str) -> bool:
    """Where a table, which is in float32, feeds what jumps."""
    return any("table" in form for form in forms) and any(
        word in form
        for form in forms
        for word in ("floor", "round", "where", "not", "and", "or", "/", "log", "**", "probit")
    )


def test_the_probit_of_a_tensor_is_that_of_scipy() -> None:
    evaluate = compile_expression(parse_expression("probit(p)"), constant=frozenset(), levels={})
    p = torch.tensor([[-1.0, 0.0, 1e-8, 0.01, 0.5, 0.99, 1.0, 2.0]])
    found = evaluate(StepState(time=0, dt=1, parameters={"p": p}, now={}, history=[]))
    assert isinstance(found, torch.Tensor)
    expected = norm.ppf(p.double().clamp(0, 1).numpy())
    assert found.numpy()[0] == pytest.approx(expected[0], rel=1e-5)


def test_writing_yaml_keeps_formulas(model: Model, tmp_path: Path) -> None:
    text = convert(tmp_path / "fingers.yaml", tmp_path / "again.yaml").read_text()
    assert "leak(digits, strength, long)" in text
    assert load_model(tmp_path / "again.yaml").parameters == model.parameters
