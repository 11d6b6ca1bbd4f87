"""What clinicians call things: the labels, synonyms, abbreviations and units of a model's recorded variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal[
    "age", "sex", "gene", "history",          # statics
    "score", "volume", "vital", "laboratory", "finding", "measure",  # measurements
    "diagnosis", "occurrence", "departure", "end",  # events
    "treatment",
]  # fmt: skip


@dataclass(frozen=True)
class Term:
    """A recorded variable in words. `label` and `synonyms` are as in the middle of a sentence.

    `synonyms` are the ontology's EXACT ones; none where the model's title is more specific than its concept.
    """

    variable: str
    role: Role
    concept: str  # a CURIE, or empty
    label: str
    synonyms: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    unit: str = ""  # UCUM
    written_units: tuple[str, ...] = ("",)  # as clinicians write it, the usual one first
    levels: tuple[str, ...] = ()  # as in the model

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.label, *self.synonyms, *self.abbreviations)))


@dataclass(frozen=True)
class Lexicon:
    """The terms of a model's recorded variables, by variable."""

    terms: Mapping[str, Term]
    locale: str = "en"

    def __getitem__(self, variable: str) -> Term:
        return self.terms[variable]
