"""Units of measure, written in UCUM's case-sensitive codes (https://ucum.org/ucum, version 2.1, sections 2 to 4).

The whole grammar is read (products, quotients, powers, parentheses, factors, `{annotations}`), with the atoms that
medicine uses. Unlike in UCUM, the mole is on purpose a dimension of its own, not a number, so that mmol/L is never
taken for a plain number concentration. Units with a zero point or a logarithm (Cel, [degF], [pH], B) are valid, but
convert only to themselves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from ..errors import fail, nearest

_EXPONENTS = dict(zip("YZEPTGMkhdcmunpfazy", (*range(24, 3, -3), 3, 2, -1, -2, *range(-3, -25, -3)), strict=False))
PREFIXES = {name: Fraction(10) ** exponent for name, exponent in _EXPONENTS.items()} | {"da": Fraction(10)}

# Units that count along a scale of their own. [Centiloid] is not UCUM's: the amyloid PET scale of Klunk et al. 2015.
ARBITRARY = ("[arb'U]", "[USP'U]", "[CFU]", "[PFU]", "[TCID_50]", "[hnsf'U]", "[AU]", "[Centiloid]")
SPECIAL = ("[degF]", "[pH]")
_BASE_METRIC = ("m", "s", "g", "rad", "K", "C", "cd", "mol", "[iU]", "Cel", "B", "Np")

# Derived atoms: their value in other units. The metric ones take prefixes.
_METRIC = {
    "L": "dm3", "l": "dm3", "Hz": "s-1", "N": "kg.m/s2", "Pa": "N/m2", "J": "N.m", "W": "J/s", "A": "C/s",
    "V": "J/C", "F": "C/V", "Ohm": "V/A", "S": "A/V", "Wb": "V.s", "T": "Wb/m2", "H": "Wb/A", "lm": "cd.sr",
    "lx": "lm/m2", "sr": "rad2", "Bq": "s-1", "Gy": "J/kg", "Sv": "J/kg", "kat": "mol/s", "U": "umol/min",
    "bar": "100000.Pa", "t": "1000.kg", "eq": "mol", "osm": "mol", "[IU]": "[iU]", "g%": "g/dL",
    "cal": "4184.mJ", "m[Hg]": "133322.Pa", "m[H2O]": "980665.cPa", "Ci": "37.GBq", "ar": "100.m2",
}  # fmt: skip
_PLAIN = {
    "10*": "10", "10^": "10", "%": "1/100", "[ppth]": "1/1000", "[ppm]": "1/1000000", "[ppb]": "1/1000000000",
    "min": "60.s", "h": "60.min", "d": "24.h", "wk": "7.d", "a": "1461.d/4", "mo": "a/12", "a_j": "a", "mo_j": "mo",
    "a_g": "3652425.d/10000", "[in_i]": "254.cm/100", "[ft_i]": "12.[in_i]", "[lb_av]": "45359237.mg/100",
    "[oz_av]": "[lb_av]/16", "[drp]": "mL/20", "[Cal]": "kcal", "[HPF]": "1", "[LPF]": "100", "[diop]": "/m",
    "[MET]": "3500.mm3/min/kg", "[Ch]": "mm/3", "atm": "101325.Pa",
}  # fmt: skip
_OFTEN_MEANT = {
    "year": "a", "yr": "a", "month": "mo", "week": "wk", "day": "d", "hour": "h", "hr": "h", "minute": "min",
    "sec": "s", "second": "s", "mmhg": "mm[Hg]", "iu": "[IU]", "percent": "%", "celsius": "Cel", "µg": "ug",
    "μg": "ug", "mcg": "ug", "cc": "mL", "lb": "[lb_av]", "inch": "[in_i]", "in": "[in_i]", "centiloid": "[Centiloid]",
    "cl": "[Centiloid]", "°c": "Cel", "hu": "[hnsf'U]", "ph": "[pH]", "count": "1",
    "score": "{score}", "points": "{points}",
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """A unit: its size in the base units of its dimensions (exact, except with pi), and its dimensions."""

    factor: Fraction
    dimensions: tuple[tuple[str, int], ...] = ()

    def times(self, other: Unit, power: int = 1) -> Unit:
        """This unit multiplied by a power of another."""
        exponents = dict(self.dimensions)
        for name, exponent in other.dimensions:
            exponents[name] = exponents.get(name, 0) + power * exponent
        kept = tuple(sorted((name, exponent) for name, exponent in exponents.items() if exponent))
        return Unit(self.factor * other.factor**power, kept)


ONE = Unit(Fraction(1))
_TOKEN = re.compile(
    r"(?P<symbol>10[*^]|(?:[^\d\s()./{}\[\]+*^-]|\[[^\[\]\s]+\])+)(?P<power>[+-]?\d{1,2})?"
    r"|(?P<factor>\d{1,12})|(?P<annotation>\{[^{}]*\})|(?P<mark>[./()])"
)


@cache
def _atom(symbol: str) -> Unit | None:
    if symbol in _BASE_METRIC or symbol in ARBITRARY or symbol in SPECIAL:
        return Unit(Fraction(1), ((symbol, 1),))
    if symbol in ("deg", "[pi]"):
        return Unit(Fraction(math.pi) / 180, (("rad", 1),)) if symbol == "deg" else Unit(Fraction(math.pi))
    derived = _METRIC.get(symbol) or _PLAIN.get(symbol)
    return _product(iter(_tokens(derived))) if derived else None


def _simple(symbol: str) -> Unit | None:
    """An atom, or a prefix and a metric atom."""
    if (unit := _atom(symbol)) is not None:
        return unit
    for length in (2, 1):
        prefix, rest = symbol[:length], symbol[length:]
        if prefix in PREFIXES and (rest in _METRIC or rest in _BASE_METRIC):
            unit = _atom(rest)
            return Unit(PREFIXES[prefix] * unit.factor, unit.dimensions) if unit else None
    return None


def _tokens(code: str) -> list[re.Match[str]]:
    tokens, position = [], 0
    while position < len(code):
        token = _TOKEN.match(code, position)
        if token is None:
            raise ValueError(f"'{code[position:]}' cannot be read")
        tokens.append(token)
        position = token.end()
    return tokens


def _product(tokens: Iterator[re.Match[str]], *, inside: bool = False) -> Unit:
    """Components between dots and slashes, from left to right, to the end or to the closing parenthesis."""
    total, power, needed, begun = ONE, 1, True, False
    for token in tokens:
        mark = token["mark"]
        if mark == ")" and inside and not needed:
            return total
        if mark in (".", "/"):
            if needed and (begun or mark == "."):
                raise ValueError(f"nothing stands before '{mark}'")
            power, needed, begun = (1 if mark == "." else -1), True, True
        elif token["annotation"] and not needed:
            begun = True  # an annotation of what stands before it
        elif not needed or mark == ")":
            raise ValueError(f"'{token[0]}' is out of place: units are joined by . or /")
        else:
            unit = _product(tokens, inside=True) if mark == "(" else _component(token)
            total, needed, begun = total.times(unit, power), False, True
    if needed or inside:
        raise ValueError("it ends too early")
    return total


def _component(token: re.Match[str]) -> Unit:
    if token["annotation"]:
        return ONE
    if token["factor"]:
        if int(token["factor"]) == 0:
            raise ValueError("a factor is not zero")
        return Unit(Fraction(token["factor"]))
    unit = _simple(token["symbol"])
    if unit is None:
        raise ValueError(f"'{token['symbol']}' is no unit")
    return ONE.times(unit, int(token["power"] or 1))


@cache
def _parse(code: str) -> Unit:
    if len(code) > 100:
        raise ValueError("it is longer than 100 characters")
    return _product(iter(_tokens(code)))


def parse_unit(code: str, *, node: str = "", file: str = "", line: int = 0) -> Unit:
    """The unit that a UCUM code stands for. `node`, `file` and `line` are for the error: where the code was written.

    Raises NosographError for what is not UCUM, with the nearest code.
    """
    try:
        return _parse(code)
    except ValueError as error:
        fix = _suggest(code)
        raise fail(f"not a UCUM unit: {error}", fix=fix, value=code, node=node, file=file, line=line) from error


def _suggest(code: str) -> str:
    parts = re.split(r"([./()])", code)
    spelt = [_OFTEN_MEANT.get(p.lower()) or _OFTEN_MEANT.get(p.lower().removesuffix("s")) or p for p in parts]
    codes = [*_METRIC, *_PLAIN, *_BASE_METRIC, *ARBITRARY, *SPECIAL, "kg", "mg", "ug", "mL", "cm", "mm", "mmol", "kPa"]
    for candidate in ("".join(spelt), f"[{code}]", nearest(code, codes)):
        try:
            _parse(candidate)
        except ValueError:
            continue
        return candidate
    return "a UCUM code, for example mg/dL, mm[Hg], a, 1 or {score}"


def conversion_factor(source: str, target: str) -> float:
    """The factor that converts a value from `source` to `target`.

    Raises NosographError if one is not UCUM, if they measure different things, or if one has its own zero point.
    """
    from_unit, to_unit = parse_unit(source), parse_unit(target)
    if from_unit.dimensions != to_unit.dimensions:
        raise fail(
            f"{source} does not convert to {target}: they measure different things", value=f"{source} -> {target}"
        )
    return float(from_unit.factor / to_unit.factor)
