"""Units against scipy.constants and the values that UCUM's own table gives."""

import math

import pytest
from scipy import constants

from nosograph.errors import NosographError
from nosograph.ontology.units import conversion_factor, parse_unit


@pytest.mark.parametrize(
    ("source", "target", "factor"),
    [
        ("a", "d", constants.Julian_year / constants.day),
        ("wk", "min", constants.week / constants.minute),
        ("[lb_av]", "kg", constants.pound),
        ("[oz_av]", "g", constants.ounce / constants.gram),
        ("[in_i]", "cm", constants.inch / constants.centi),
        ("[ft_i]", "m", constants.foot),
        ("kcal", "J", constants.calorie * 1000),
        ("deg", "rad", constants.degree),
        ("atm", "Pa", constants.atm),
        ("bar", "kPa", constants.bar / 1000),
        ("[pi].rad", "rad", math.pi),
    ],
)
def test_factors_are_those_of_scipy_constants(source: str, target: str, factor: float) -> None:
    assert conversion_factor(source, target) == pytest.approx(factor, rel=1e-14)


# Expected by hand from UCUM's table: mm[Hg] is 133.322 Pa, U is 1 umol/min, mo a twelfth of a Julian year.
@pytest.mark.parametrize(
    ("source", "target", "factor"),
    [
        ("mg/dL", "g/L", 0.01),
        ("mg/dl", "mg/dL", 1.0),
        ("mm[Hg]", "kPa", 0.133322),
        ("cm[H2O]", "Pa", 98.0665),
        ("a", "mo", 12.0),
        ("[Centiloid]/a", "[Centiloid]/mo", 1 / 12),
        ("10*9/L", "/uL", 1000.0),
        ("ug/(kg.min)", "mg/kg/h", 0.06),
        ("ug/kg/min", "ug/(kg.min)", 1.0),
        ("U/L", "nkat/L", 1e3 / 60),
        ("mL/min/{1.73_m2}", "L/h", 0.06),
        ("kg/m2", "g/cm2", 0.1),
        ("m/s2", "cm.s-2", 100.0),
        ("%", "1", 0.01),
        ("{score}", "1", 1.0),
        ("[IU]/mL", "k[iU]/L", 1.0),
        ("Cel", "Cel", 1.0),
        ("meq/L", "mmol/L", 1.0),
    ],
)
def test_factors_of_medicine(source: str, target: str, factor: float) -> None:
    assert conversion_factor(source, target) == pytest.approx(factor, rel=1e-14)
    assert conversion_factor(target, source) == pytest.approx(1 / factor, rel=1e-14)


@pytest.mark.parametrize("atom", ["m", "g", "s", "L", "mol", "Pa", "Hz"])
def test_prefixes_are_powers_of_ten(atom: str) -> None:
    powers = {"Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1}
    powers |= {"d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24}
    for prefix, power in powers.items():
        assert conversion_factor(prefix + atom, atom) == float(f"1e{power}")


def test_an_atom_is_read_before_a_prefix() -> None:
    assert parse_unit("cd").dimensions == (("cd", 1),)  # candela, not a hundredth of a day
    assert parse_unit("Pa").dimensions == parse_unit("N/m2").dimensions  # pascal, not 10^15 years
    assert parse_unit("min") == parse_unit("60.s")


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("years", "a"),
        ("mmHg", "mm[Hg]"),
        ("IU/L", "[IU]/L"),
        ("µg/L", "ug/L"),
        ("Centiloid", "[Centiloid]"),
        ("[Centiloids]", "[Centiloid]"),
        ("kg/", "kg"),
        ("month", "mo"),
    ],
)
def test_what_is_not_ucum_is_refused_with_the_nearest(code: str, fix: str) -> None:
    with pytest.raises(NosographError) as caught:
        parse_unit(code, node="amyloid", file="x.yaml", line=3)
    problem = caught.value.problems[0]
    assert (problem.fix, problem.value, problem.node, problem.line) == (fix, code, "amyloid", 3)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "mg dL",
        "(m",
        "m)",
        "()",
        "/",
        "m/",
        ".m",
        "0",
        "{a",
        "kwk",
        "m//s",
        "m..s",
        "m/" * 60 + "s",
        "[",
        "2[",
        "mm2m",
    ],
)
def test_malformed_codes_are_refused(code: str) -> None:
    with pytest.raises(NosographError, match="not a UCUM unit"):
        parse_unit(code)


@pytest.mark.parametrize(
    ("source", "target"),
    [("kg", "m"), ("[Centiloid]", "1"), ("mmol/L", "/L"), ("Cel", "K"), ("mg/dL", "mmol/L"), ("[IU]", "U")],
)
def test_what_measures_something_else_does_not_convert(source: str, target: str) -> None:
    with pytest.raises(NosographError, match="measure different things"):
        conversion_factor(source, target)
