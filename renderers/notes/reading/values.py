"""Numbers and units in clinical text, and which of them are values: not changes, denominators, limits or doses."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..words.reading import NumberWords, ReadingWords, ValueWords


@dataclass(frozen=True)
class WrittenNumber:
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

    def __init__(self, words: ValueWords, more: Mapping[str, Iterable[str]]) -> None:
        codes: dict[str, dict[str, float]] = {}
        for code, written in words.units.items():
            for word, factor in written.items():
                codes.setdefault(word, {})[code] = factor
        for code, names in more.items():
            for name in (*names, code):
                word = name.lower().strip()
                if word and word not in ("1", "a", "{score}"):  # "22 a year later"
                    codes.setdefault(word, {})[code] = 1.0
        for word in words.foreign:
            codes.setdefault(word, {})
        self._codes = {word: tuple(found.items()) for word, found in codes.items()}
        any_unit = "|".join(re.escape(word) for word in sorted(codes, key=len, reverse=True))
        self._pattern = re.compile(rf"(?:\s*|-)(?P<unit>{any_unit})(?![\w/])", re.IGNORECASE)

    def match(self, text: str, at: int) -> tuple[int, tuple[tuple[str, float], ...]] | None:
        """Where the unit ends that is written at `at`, and the codes that it may mean (none: a foreign one)."""
        found = self._pattern.match(text, at)
        return None if found is None else (found.end(), self._codes[found["unit"].lower()])


def find_numbers(
    text: str, *, units: UnitWords, words: ReadingWords, masked: Iterable[tuple[int, int]] = ()
) -> list[WrittenNumber]:
    """The numbers of the text outside of the masked spans (dates, names), in order; limits and doses are left out."""
    taken = _merge(masked)
    found: list[WrittenNumber] = []
    end = -1
    for match in words.number.finditer(text):
        if match.start() < end or _touches(match.span(), taken):
            continue
        quantity = _read_number(text, match, units, words, taken)
        if quantity is None:
            continue
        end = quantity.end
        limit = words.values.limit_before.search(text, max(0, match.start() - 60), match.start())
        if not limit and not words.values.side_before.search(text, max(0, match.start() - 16), match.start()):
            found.append(quantity)
    return found


def _merge(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same places as spans in order and without overlap."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _touches(span: tuple[int, int], taken: list[tuple[int, int]]) -> bool:
    """Whether a span touches one of `taken`, which are in order and do not overlap."""
    before = bisect_left(taken, (span[1],))  # those that start before its end; of these the last ends last
    return before > 0 and span[0] < taken[before - 1][1]


def _read_number(
    text: str, match: re.Match[str], units: UnitWords, words: ReadingWords, taken: list[tuple[int, int]]
) -> WrittenNumber | None:
    start, end = match.span()
    if words.values.list_number.match(text, end) and not text[text.rfind("\n", 0, start) + 1 : start].strip():
        return None  # "1.", at the start of a line
    if match["words"]:
        halved = words.numbers.halves in match["words"].lower()
        value, precision = parse_number(match["words"], words.numbers), 0.5 if halved else 1.0
    else:
        digits = match["digits"].replace(",", "")
        value, precision = float(digits), 10.0 ** -len(digits.partition(".")[2])
        if match["sign"]:
            if _is_dash(text, start):
                start += 1
            else:
                value = -value
    whole = None
    if of := words.values.whole.match(text, end):
        whole, end = float(of["whole"]), of.end()
    codes: tuple[tuple[str, float], ...] = ()
    unit = units.match(text, end)
    if unit and not _touches((end, unit[0]), taken):
        end, codes = unit
        if not codes:
            return None
    elif match["words"] and match["words"].lower() in words.numbers.no_value and whole is None:
        return None  # "no one", "this one": a word more than a number
    elif words.values.decade.match(text, end) and not match["words"] and value >= 10:
        end += 1  # "in the 130s"
    elif end < len(text) and (text[end].isalpha() or re.match(r"-[A-Za-z]", text[end : end + 2])):
        return None  # "3D", "3-month": a part of a word
    before, after = text[max(0, start - 60) : start], text[end : end + 24]
    signed = (before.endswith("+") and "1" not in dict(codes)) or (match["sign"] is not None and before.endswith("("))
    change = signed or bool(words.values.change_before.search(before) or words.values.change_after.match(after))
    return WrittenNumber(start, end, value, codes, precision, whole, change)


def _is_dash(text: str, at: int) -> bool:
    """Whether the stroke before a number joins ("21-24", "CDR-4") and is no minus."""
    return at > 0 and (text[at - 1].isalnum() or text[at - 1] in ")%")


def parse_number(text: str, words: NumberWords) -> float:
    """The number that digits or words say; a ValueError where they say none."""
    text = re.sub(r"[\s-]+", " ", text.lower().strip())
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return float(text)
    half = text.endswith(words.half)
    text, _, decimals = text.removesuffix(words.half).partition(words.point)
    total = 0.0
    for word in text.split():
        if word == words.hundred:
            total = max(total, 1.0) * 100
        elif word in words.skipped:
            continue
        elif word in words.worth:
            total += words.worth[word]
        else:
            raise ValueError(f"no number: {text!r}")
    return total + 0.5 * half + (words.worth[decimals] / 10 if decimals else 0.0)
