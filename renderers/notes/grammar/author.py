"""Who writes: habits that stay an author's own, in every note that he or she writes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from ...noise import Noise
from ..words.grammar import LanguageWords
from ..words.locale import load_words

Option = TypeVar("Option")
KEPT = 0.75  # the share of a table's phrases that one author uses
FEWEST = 4  # phrases that an author keeps of any table, where it has as many


@lru_cache(maxsize=65536)
def draw_habit(secret: str, *names: object) -> float:
    """A uniform number in [0, 1) that depends on what it is given alone."""
    digest = hashlib.blake2b("\x1f".join((secret, *map(str, names))).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64


@dataclass(frozen=True)
class Author:
    """Habits. Shares are in [0, 1]; the rest names a way of writing that the tables know."""

    secret: str  # what all of them follow from
    sections: str  # of letters: "headed" | "prose" | "list"
    progress: str  # of progress notes: "telegraphic" | "problems" | "prose"
    headings: str  # "capitals" | "colon" | "plain"
    bullet: str  # before an item of a list
    abbreviates: float  # share of terms that are abbreviated where they can be
    dates: str  # one of the locale's styles
    number_words: bool  # "six months" or "6 months"
    person: str  # "I" | "we" | "passive"
    subject: str  # "pronoun" | "patient": how the patient is spoken of
    tense: str  # "past" | "present": of what was found today
    verbosity: float  # 0 terse, 1 wordy: how much is put in a sentence, and how much courtesy
    opening: str  # "courteous" | "direct" | "summary"
    courtesy: str  # "formal" | "warm" | "brief": salutation and closing
    spelling: str  # "american" | "british": of terms that have both
    role: float  # which signature


@lru_cache(maxsize=4096)
def find_author(noise: Noise, number: int, locale: str = "en") -> Author:
    """The author of this number: the same for every patient, time and world of a seed."""
    secret = repr(noise.of_author(number).uniform("habits")[0])

    def among(habit: str, options: Sequence[Option]) -> Option:
        return options[int(draw_habit(secret, habit) * len(options))]

    return Author(
        secret=secret,
        sections=among("sections", ("headed", "headed", "prose", "list")),
        progress=among("progress", ("telegraphic", "telegraphic", "problems", "prose")),
        headings=among("headings", ("capitals", "colon", "plain")),
        bullet=among("bullet", ("- ", "* ", "• ", "")),
        abbreviates=among("abbreviates", (0.15, 0.5, 0.9)),
        dates=among("dates", tuple(load_words(LanguageWords, locale).dates.styles)),
        number_words=among("numbers", (True, False)),
        person=among("person", ("I", "we", "passive")),
        subject=among("subject", ("pronoun", "pronoun", "patient")),
        tense=among("tense", ("past", "present")),
        verbosity=among("verbosity", (0.2, 0.5, 0.8)),
        opening=among("opening", ("courteous", "direct", "summary")),
        courtesy=among("courtesy", ("formal", "warm", "brief")),
        spelling=among("spelling", ("american", "british")),
        role=draw_habit(secret, "role"),
    )


@lru_cache(maxsize=65536)
def preferred(author: Author, options: tuple[Option, ...]) -> tuple[Option, ...]:
    """The phrases of a table that this author uses: the same ones always, in the table's order."""
    ranked = sorted(options, key=lambda option: draw_habit(author.secret, "prefers", option))
    kept = set(ranked[: max(round(KEPT * len(options)), FEWEST)])
    return tuple(option for option in options if option in kept)
