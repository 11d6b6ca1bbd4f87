"""What a note says of the person: age, sex, copies of an allele. Read by their form, not by a name beside them."""

from __future__ import annotations

from collections.abc import Iterator

from ..words.reading import PersonPatterns, ReadingWords
from .values import parse_number


def find_ages(text: str, *, words: ReadingWords) -> Iterator[tuple[int, int, float]]:
    """Ages in years, [start, end); not those of a relative, nor of a past time ("aged 60 when …")."""
    for match in words.age.finditer(text):
        number = next(group for group in match.groups() if group)
        before = text[max(0, match.start() - 30) : match.start()].rsplit(".", 1)[-1]
        if not words.person.others.search(before) and not words.person.age_then.match(text, match.end()):
            yield match.start(), match.end(), parse_number(number, words.numbers)


def find_sexes(text: str, *, words: PersonPatterns) -> Iterator[tuple[int, int, str]]:
    """Words for the person's sex, [start, end), as "female" or "male"."""
    for match in words.sex.finditer(text):
        letter = match["letter"] or match["named"]
        if letter and not letter.isupper():
            continue
        female = bool(match["female"]) if not letter else letter == words.female_letter
        yield match.start(), match.end(), "female" if female else "male"


def find_copies(text: str, *, words: PersonPatterns) -> tuple[int, int, int] | None:
    """How many copies of an allele a sentence says that somebody has: (start, end, copies); None where it says none.

    A "carrier" has at least one: no number is read from that alone.
    """
    for count, pattern in words.counted:
        if match := pattern.search(text):
            return match.start(), match.end(), count
    return None
