"""Units are compared as far as they are declared, and no further."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import ucumvert

from nosograph.causal.model.check import Report, check_model
from nosograph.ontology.units import conversion_factor, parse_unit

HEAD = """
id: m
clock: {step: 1 month, horizon: 2 years, unit: year}
parameters:
  dose: {value: 1, unit: mg, source: assumption}
  density: {value: 1, unit: kg/L, source: assumption}
  slope: {value: 1, unit: "1", source: assumption}
  used: {formula: dose + density + slope}
variables:
  age: {kind: static, unit: a, mechanism: 'Normal(70, 8)'}
  months: {kind: static, unit: mo, mechanism: 'Normal(3, 1)'}
  volume: {kind: state, unit: mL, start: 'Normal(100, 5)', mechanism: 'volume[-1]'}
  weight: {kind: state, unit: kg, start: 'Normal(70, 5)', mechanism: 'weight[-1]'}
  score: {kind: state, unit: "{score}", start: 'Normal(7, 1)', mechanism: 'score[-1]'}
  relapse: {kind: event, mechanism: Hazard(0.1)}
"""
NAMES = ("age", "months", "volume", "weight", "score", "relapse")


def check(folder: Path, mechanism: str, *, unit: str = "", kind: str = "state", more: str = "") -> Report:
    words = set(re.findall(r"\w+", mechanism))
    causes = ", ".join(f"{name}: {{source: assumption}}" for name in NAMES if name in words)
    start = "start: 'Normal(0, 1)', " if kind == "state" else ""
    text = f"  x: {{kind: {kind}, unit: '{unit}', {start}{more}mechanism: '{mechanism}', caused_by: {{{causes}}}}}\n"
    (folder / "m.yaml").write_text((HEAD + text).replace("unit: '', ", ""))
    return check_model(folder / "m.yaml")


WRONG = {
    "volume + weight": "'volume' is in mL and 'weight' in kg, which measure different things",
    "x[-1] + dt * where(volume > weight, 1, 0)": "'volume' is in mL and 'weight' in kg",
    "Normal(volume - 3 + weight[-1], 1)": "'weight[-1]' in kg",
    "Normal(volume, dose)": "'volume' is in mL and 'dose' in mg",
    "clip(volume, 0, weight)": "'weight' in kg",
    "where(age > 70, volume, weight)": "'volume' is in mL and 'weight' in kg",
    "min(volume, abs(-weight))": "'weight' in kg",
    "2 * (age + weight)": "'age' is in a and 'weight' in kg",
    "volume + t": "'volume' is in mL and 't' in a",
    "where(since(relapse) > weight, 1, 0)": "'since(relapse)' is in a and 'weight' in kg",
}
SIZES = {
    "age + months": "'age' is in a and 'months' in mo: numbers of different size",
    "where(t > months, 1, 0)": "'t' is in a and 'months' in mo",
    "weight - dose": "'weight' is in kg and 'dose' in mg",
}
FINE = [
    "volume * density + weight",  # what a product has is not followed
    "2 * volume + weight",  # the 2 may be a density
    "volume + 3",
    "volume > 24",
    "age + t",
    "score + volume",  # a score has a scale of its own
    "slope + weight",
    "exp(0.06 * age) + weight",
    "Normal(volume + 0.1 * weight, 2)",
    "volume / weight",
    "table(weight; 50: 1, 90: 2) + volume",
    "(volume > 3) + (weight > 3)",
    "Gamma(volume, weight)",
]


@pytest.mark.parametrize("mechanism", WRONG)
def test_different_things_are_not_added_or_compared(mechanism: str, tmp_path: Path) -> None:
    (error,) = check(tmp_path, mechanism).errors
    assert WRONG[mechanism] in error.problem
    assert (error.line, error.node) == (16, "x.mechanism")


@pytest.mark.parametrize("mechanism", SIZES)
def test_the_same_in_another_size_is_a_warning(mechanism: str, tmp_path: Path) -> None:
    report = check(tmp_path, mechanism)
    assert report.ok
    assert [p for p in report.warnings if SIZES[mechanism] in p.problem]


@pytest.mark.parametrize("mechanism", FINE)
def test_a_bare_number_may_carry_any_unit(mechanism: str, tmp_path: Path) -> None:
    report = check(tmp_path, mechanism)
    assert report.errors == ()
    assert not [p for p in report.warnings if " is in " in p.problem]


def test_an_expression_has_the_unit_of_its_variable(tmp_path: Path) -> None:
    (error,) = check(tmp_path, "Normal(volume + 3, 1)", unit="kg").errors
    assert error.problem == "'x' is in kg and 'volume' in mL, which measure different things"
    assert error.fix == "a parameter that turns mL into kg, such as k * volume"
    assert check(tmp_path, "Normal(1.05 * volume, 1)", unit="kg").ok
    (warning,) = [p for p in check(tmp_path, "Normal(weight, 1)", unit="g").warnings if " is in " in p.problem]
    assert (warning.fix, warning.node) == ("1000 * weight", "x.mechanism")


def test_a_measurement_has_the_unit_of_what_it_measures(tmp_path: Path) -> None:
    keys = "of: volume, when: every 3 months, "
    (error,) = check(tmp_path, "Normal(volume, 2)", unit="kg", kind="measurement", more=keys).errors
    assert "'x' is in kg and 'volume' in mL" in error.problem
    assert check(tmp_path, "Normal(0.001 * volume, 2)", unit="kg", kind="measurement", more=keys).ok
    same = check(tmp_path, "Normal(volume, 2)", unit="cm3", kind="measurement", more=keys)
    assert not [p for p in (*same.errors, *same.warnings) if " is in " in p.problem]


def test_a_population_is_compared_too(tmp_path: Path) -> None:
    check(tmp_path, "x[-1]")
    file = tmp_path / "m.yaml"
    file.write_text(file.read_text().replace("parameters:", "population: age > weight\nparameters:"))
    (error,) = check_model(file).errors
    assert (error.node, error.line) == ("population", 4)


@pytest.mark.verification
def test_units_agree_with_an_independent_reader_of_ucum() -> None:
    """ucumvert reads UCUM by its official grammar, into pint: the same dimensions, and the same factors (pint's
    millimetre of mercury is another one than UCUM's, from the sixth digit on)."""
    registry = ucumvert.PintUcumRegistry()
    codes = "mL L dL kg g mg ug pg a mo wk d h min s mm[Hg] kPa mmol/L mol/L mg/dL pg/mL g/L kg/m2 1/a /min cm3 m2 %"
    codes = f"{codes} U/L mL/min [lb_av] [in_i] kcal J 10*9/L meq/L K Hz [ft_i]"
    read = {code: registry.from_ucum(code) for code in codes.split()}
    compared = 0
    for code, own in read.items():
        for other, theirs in read.items():
            same = own.dimensionality == theirs.dimensionality
            assert same == (parse_unit(code).dimensions == parse_unit(other).dimensions), (code, other)
            if same:
                expected = registry.Quantity(1, own.units if hasattr(own, "units") else own).to(theirs.units).magnitude
                assert conversion_factor(code, other) == pytest.approx(expected, rel=1e-5), (code, other)
                compared += 1
    assert compared > len(read)


@pytest.mark.parametrize(("unit", "told"), [("1/mo", "12 * rate"), ("s", "different things"), ("1/a", "")])
def test_the_rate_of_a_hazard_is_per_unit_of_the_clock(unit: str, told: str, tmp_path: Path) -> None:
    parameter = f"parameters:\n  rate: {{value: 1, unit: {unit}, source: assumption}}\n"
    text = HEAD.replace("parameters:\n", parameter) + "  fall: {kind: event, mechanism: Hazard(rate)}\n"
    (tmp_path / "m.yaml").write_text(text)
    report = check_model(tmp_path / "m.yaml")
    found = [problem for problem in (*report.errors, *report.warnings) if "unused" not in problem.problem]
    assert len(found) == bool(told)
    assert all(told in f"{problem.problem} {problem.fix}" for problem in found)
