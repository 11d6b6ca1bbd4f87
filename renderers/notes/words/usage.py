"""The keys of `usage.yaml`: how clinicians name things and write units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from .locale import Pattern, Table, Words, WordSection


class UsualNames(WordSection):
    names: tuple[str, ...]
    abbreviations: tuple[str, ...]


class Turned(WordSection):
    """A name that is turned for a sentence: its pattern, and what is said with the pattern's groups."""

    name: Pattern
    said: str


class TitleWords(WordSection):
    explanation: Pattern
    before: Pattern
    after: Pattern


class LabelWords(WordSection):
    age: Table
    onset: str
    years: Pattern
    count: Pattern
    death: str
    discharge: str


class UsageWords(Words):
    file: ClassVar[str] = "usage.yaml"

    names: Mapping[str, UsualNames]
    units: Mapping[str, Table]
    proper_names: frozenset[str]
    outdated: Pattern
    inverted: Pattern
    pairs: Mapping[str, str]
    single: Pattern
    within_plural: str
    degree: Turned
    test: Turned
    titles: TitleWords
    labels: LabelWords
    sides: Mapping[str, str]
