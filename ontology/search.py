"""Finding concepts by their labels and synonyms."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nsmallest
from typing import NamedTuple

_BETWEEN_WORDS = re.compile(r"\W+")


@dataclass(frozen=True)
class Match:
    """A concept that was found: its CURIE, its label, the label or synonym that matched, and how well.

    `kind` is "exact" (the whole text), "prefix" (its beginning) or "word" (the beginnings of words, in any order).
    """

    concept: str
    label: str
    matched: str
    kind: str


class IndexedName(NamedTuple):
    """One label or synonym of a concept."""

    iri: str
    text: str
    is_label: bool


def _words(text: str) -> str:
    """The words of a text in lower case, each after a blank: " alzheimer s disease"."""
    return f" {_BETWEEN_WORDS.sub(' ', text.casefold())}".replace("  ", " ").rstrip()


class TextIndex:
    """Labels and synonyms in memory. Each search goes through all of them (tens of thousands take milliseconds)."""

    def __init__(self, entries: Iterable[IndexedName]) -> None:
        self.entries = [(_words(entry.text), entry) for entry in entries]

    def find(self, text: str, limit: int, iris: frozenset[str] | None = None) -> list[tuple[IndexedName, str]]:
        """The best entries with their kind of match, one for each concept, best first; only among `iris` if given."""
        wanted = _words(text)
        if not wanted:
            return []
        starts = [f" {word}" for word in wanted.split()]
        best: dict[str, tuple[tuple[int, bool, int, str], IndexedName]] = {}
        for words, entry in self.entries:
            if not all(start in words for start in starts) or (iris is not None and entry.iri not in iris):
                continue
            rank = 0 if words == wanted else 1 if words.startswith(wanted) else 2
            score = (rank, not entry.is_label, len(words), entry.text)
            if entry.iri not in best or score < best[entry.iri][0]:
                best[entry.iri] = (score, entry)
        kinds = ("exact", "prefix", "word")
        ranked = nsmallest(limit, best.values(), key=lambda pair: (pair[0], pair[1].iri))
        return [(entry, kinds[score[0]]) for score, entry in ranked]
