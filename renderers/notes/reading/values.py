"""Numbers and units in clinical text, and which of them are values: not changes, denominators, limits or doses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
_ONES += " eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORDS = {word: number for number, word in enumerate(_ONES.split())} | {"nought": 0, "nil": 0}
_WORDS |= {word: 10 * number for number, word in enumerate(_TENS.split(), 2)}
_SMALL = "|".join(sorted(_WORDS, key=len, reverse=True))
_TEN = "|".join(_TENS.split())
_BELOW_HUNDRED = rf"(?:(?:{_TEN})[\s-](?:one|two|three|four|five|six|seven|eight|nine)|{_SMALL})"
NUMBER_WORDS = (
    rf"(?:(?:(?:one|two|three|four|five|six|seven|eight|nine|a)\s+hundred(?:(?:\s+and)?\s+{_BELOW_HUNDRED})?"
    rf"|{_BELOW_HUNDRED})(?:\s+and\s+a\s+half|\s+point\s+(?:{_SMALL}))?)"
)
"""A pattern for a number below 1000 in words: "twenty-four", "four and a half", "one hundred and ten"."""

# UCUM code -> how clinicians write it, each with what turns it into the code's unit. General metrology, no model's.
_WRITTEN: dict[str, dict[str, float]] = {
    "mL": {"ml": 1, "mls": 1, "cc": 1, "cm3": 1, "cm³": 1, "cm^3": 1, "millilitres": 1, "milliliters": 1,
           "cubic centimetres": 1, "cubic centimeters": 1, "mm3": 1e-3, "mm³": 1e-3, "l": 1e3},
    "[Centiloid]": {"centiloids": 1, "centiloid": 1, "cl": 1, "centiloid units": 1, "centiloid points": 1},
    "pg/mL": {"pg/ml": 1, "ng/l": 1, "picograms per millilitre": 1, "picograms per milliliter": 1, "pg per ml": 1},
    "ng/mL": {"ng/ml": 1, "ug/l": 1, "µg/l": 1, "μg/l": 1},
    "{score}": {"points": 1, "point": 1, "pts": 1, "pt": 1},
    "1": {"points": 1, "standard deviations": 1, "sd": 1, "sds": 1},
    "a": {"years": 1, "year": 1, "yrs": 1, "yr": 1, "y": 1},
    "%": {"%": 1, "percent": 1, "per cent": 1},
    "mm[Hg]": {"mmhg": 1, "mm hg": 1},
    "/min": {"bpm": 1, "/min": 1, "beats per minute": 1, "breaths per minute": 1, "per minute": 1, "beats/min": 1},
    "Cel": {"°c": 1, "degrees celsius": 1, "degrees": 1},
    "mg/dL": {"mg/dl": 1}, "mmol/L": {"mmol/l": 1, "mm": 1}, "umol/L": {"µmol/l": 1, "umol/l": 1, "μmol/l": 1},
    "g/dL": {"g/dl": 1}, "g/L": {"g/l": 1}, "kg": {"kg": 1, "kilograms": 1}, "cm": {"cm": 1, "centimetres": 1},
    "mm": {"mm": 1, "millimetres": 1}, "mg/L": {"mg/l": 1}, "U/L": {"u/l": 1, "iu/l": 1},
}  # fmt: skip
# a number with one of these is a dose, a time or a count, whatever it stands beside
_FOREIGN = [
    "mg/kg", "mg", "mcg", "µg", "micrograms", "milligrams", "grams", "tablets", "tablet", "capsules", "units",
    "iu", "hours", "hour", "hrs", "h", "minutes", "minute", "min", "mins", "days", "day", "weeks", "week",
    "months", "month", "years", "year", "yrs", "yr", "times", "doses", "infusions", "visits", "letters", "tesla",
    "t", "w", "x", "slices", "mm",
]  # fmt: skip

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(
    rf"(?<![\w.,/])(?P<sign>[-−–](?=[\d.])|minus\s+)?(?P<digits>{_DIGITS})(?![.,]?\d)|\b(?P<words>{NUMBER_WORDS})\b",
    re.IGNORECASE,
)
_OF = re.compile(r"\s*(?:/|(?:out\s+)?of(?:\s+a\s+possible)?)\s*(?P<whole>\d+)(?!\.?\d)(?!\s*/)")
# what makes a number a change, a limit or something else than a value: words before it, words after it
_CHANGE_BEFORE = re.compile(
    r"(?:\bby|\b(?:declined?|decrease[ds]?|increase[ds]?|drop|fall|loss|rise|gain|reduction|improvement|change|difference"
    r"|worsening|deterioration)\s+of|\b(?:lost|gained|dropped|shed|delta)|[Δ±]|\+/-|\bdown|\bup)\s*"
    r"(?:about\s+|around\s+|approximately\s+|nearly\s+|some\s+|only\s+|just\s+|a\s+further\s+|another\s+|of\s+)*[(+]?$",
    re.IGNORECASE,
)
_LIMIT_BEFORE = re.compile(
    r"(?:\b(?:normal|reference|ref|limits?|cut-?\s?offs?|threshold|upper|lower\s+limit|maximum|max|minimum|range|expected"
    r"|positivity)\b[\s:]*(?:\w+\s+){0,3}?(?:of|is|at|to|[<>≤≥=:])?\s*(?:[<>≤≥]\s*)?(?:[\d.]+\s*(?:-|–|to)\s*)?"
    r"|\bscale\s+(?:of|from)\s+(?:\d+\s+to\s+)?|\bout\s+of\s+)$",
    re.IGNORECASE,
)
_CHANGE_AFTER = re.compile(
    r"\s*-?\s*(?:more|less|fewer|lower|higher|worse|better|below|above|(?:down|up)(?!\s+(?:to|from))|smaller|larger|greater|drop|decline|fall"
    r"|rise|increase|decrease|change|loss|gain|improvement|reduction)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Quantity:
    """A number in the text, [start, end) with its unit. `unit` is UCUM, or empty where none is written.

    `units` are the codes that its written unit may stand for with what each multiplies by; `precision` is one unit of
    the last digit written; `whole` the denominator ("24/30"); `change` marks a difference and not a value.
    """

    start: int
    end: int
    value: float
    units: tuple[tuple[str, float], ...]
    precision: float
    whole: float | None = None
    change: bool = False

    def in_unit(self, unit: str) -> float | None:
        """The value in a unit, or None if what is written is no such unit; a bare number is taken to be in it."""
        if not self.units:
            return self.value
        factor = dict(self.units).get(unit)
        return None if factor is None else self.value * factor


class UnitWords:
    """The units that may follow a number: those of the metrology above, and a lexicon's own."""

    def __init__(self, more: Mapping[str, Iterable[str]] | None = None) -> None:
        codes: dict[str, dict[str, float]] = {}
        for code, words in _WRITTEN.items():
            for word, factor in words.items():
                codes.setdefault(word, {})[code] = factor
        for code, names in (more or {}).items():
            for name in (*names, code):
                word = name.lower().strip()
                if word and word not in ("1", "{score}"):
                    codes.setdefault(word, {})[code] = 1.0
        for word in _FOREIGN:
            codes.setdefault(word, {})
        self._codes = {word: tuple(found.items()) for word, found in codes.items()}
        written = "|".join(re.escape(word) for word in sorted(codes, key=len, reverse=True))
        self._pattern = re.compile(rf"(?:\s*|-)(?P<unit>{written})(?![\w/])", re.IGNORECASE)

    def match(self, text: str, at: int) -> tuple[int, tuple[tuple[str, float], ...]] | None:
        """Where the unit ends that is written at `at`, and the codes that it may mean (none: a foreign one)."""
        found = self._pattern.match(text, at)
        return None if found is None else (found.end(), self._codes[found["unit"].lower()])


def find_quantities(text: str, *, units: UnitWords, masked: Iterable[tuple[int, int]] = ()) -> list[Quantity]:
    """The numbers of the text outside of the masked spans (dates, names), in order; limits and doses are left out."""
    taken = sorted(masked)
    found: list[Quantity] = []
    end = -1
    for match in _NUMBER.finditer(text):
        if match.start() < end or _touches(match.span(), taken):
            continue
        quantity = _read_quantity(text, match, units, taken)
        if quantity is None:
            continue
        end = quantity.end
        if not _LIMIT_BEFORE.search(text, max(0, match.start() - 60), match.start()):
            found.append(quantity)
    return found


def _touches(span: tuple[int, int], taken: list[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in taken)


def _read_quantity(text: str, match: re.Match[str], units: UnitWords, taken: list[tuple[int, int]]) -> Quantity | None:
    start, end = match.span()
    if match["words"]:
        value, precision = parse_number(match["words"]), 0.5 if "half" in match["words"].lower() else 1.0
    else:
        digits = match["digits"].replace(",", "")
        value, precision = float(digits), 10.0 ** -len(digits.partition(".")[2])
        if match["sign"]:
            if _is_dash(text, start):
                start += 1
            else:
                value = -value
    whole = None
    if of := _OF.match(text, end):
        whole, end = float(of["whole"]), of.end()
    codes: tuple[tuple[str, float], ...] = ()
    unit = units.match(text, end)
    if unit and not _touches((end, unit[0]), taken):
        end, codes = unit
        if not codes:
            return None
    elif match["words"] and match["words"].lower() in ("one", "nil") and whole is None:
        return None  # "no one", "this one": a word more than a number
    elif end < len(text) and (text[end].isalpha() or re.match(r"-[A-Za-z]", text[end : end + 2])):
        return None  # "3D", "3-month": a part of a word
    before, after = text[max(0, start - 60) : start], text[end : end + 24]
    change = bool(_CHANGE_BEFORE.search(before) or _CHANGE_AFTER.match(after)) or before.endswith("+")
    return Quantity(start, end, value, codes, precision, whole, change)


def _is_dash(text: str, at: int) -> bool:
    """Whether the stroke before a number joins ("21-24", "CDR-4") and is no minus."""
    return at > 0 and (text[at - 1].isalnum() or text[at - 1] in ")%")


@lru_cache(maxsize=4096)
def parse_number(words: str) -> float:
    """The number that digits or English words say; a ValueError where they say none."""
    words = re.sub(r"[\s-]+", " ", words.lower().strip())
    if re.fullmatch(r"\d+(?:\.\d+)?", words):
        return float(words)
    half = words.endswith(" and a half")
    words, _, decimals = words.removesuffix(" and a half").partition(" point ")
    total = 0.0
    for word in words.replace(" and ", " ").split():
        if word == "hundred":
            total = max(total, 1.0) * 100
        elif word == "a":
            continue
        elif word in _WORDS:
            total += _WORDS[word]
        else:
            raise ValueError(f"no number: {words!r}")
    return total + 0.5 * half + (_WORDS[decimals] / 10 if decimals else 0.0)
