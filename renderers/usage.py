"""How clinicians write units and say the names of findings, in the words of a locale."""

from __future__ import annotations

import re

from .notes.words.locale import load_words
from .notes.words.usage import UsageWords


def say_naturally(name: str, locale: str = "en") -> str:
    """An ontology's name of a finding in the words of a sentence: "severe intellectual disability", "neuropathic
    changes on EMG", and in the plural where its last word is an organ that everybody has two of: "deeply set eyes"."""
    words = load_words(UsageWords, locale)
    if found := words.degree.name.fullmatch(name):
        return words.degree.said.format(what=found["what"], degree=found["degree"].lower())
    if found := words.test.name.fullmatch(name):
        return words.test.said.format(what=found["what"], test=found["test"])
    parts = name.split(" ")
    last = parts[-1].lower()
    if last not in words.pairs or words.single.search(name) or words.within_plural in parts:
        return name
    return " ".join((*parts[:-1], words.pairs[last]))


def write_unit(code: str, locale: str = "en") -> tuple[str, ...]:
    """How clinicians write a UCUM unit, the usual way first: brackets are UCUM's own, and annotations say no unit."""
    units = load_words(UsageWords, locale).units
    if code in units:
        return units[code]
    plain = re.sub(r"\{[^{}]*\}", "", code)
    return (re.sub(r"[\[\]]", "", plain).replace("u", "µ") if plain.startswith("u") else re.sub(r"[\[\]]", "", plain),)
