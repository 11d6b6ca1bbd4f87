"""What a note says of the person: age, sex, copies of an allele. Read by their form, not by a name beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .values import NUMBER_WORDS, parse_number

_AGE = re.compile(
    rf"\b(?P<a>\d{{1,3}}|{NUMBER_WORDS})[\s-]*(?:years?|yrs?|y)?[\s-]*(?:old|of\s+age|/?o\b)"
    r"|\b(?:aged?|age\s*(?:is|:|of|at\s+\w+\s*:?))\s*(?P<b>\d{1,3})\b(?!\s*(?:\d|/))"
    r"|\b(?P<c>\d{2,3})\s?(?:[MF]\b|(?:yo|y/o|yr\s+old)\b)"
    r"|\bturned\s+(?P<d>\d{2,3})\b"
    rf"|\bin\s+(?:his|her|their)\s+(?P<e>{NUMBER_WORDS})(?:th|st|nd|rd)\s+year",
    re.IGNORECASE,
)
_SEX = re.compile(
    r"\b(?P<female>woman|lady|female|mother\s+of\s+\w+|girl)\b|\b(?P<male>man|gentleman|male|boy)\b"
    r"|\b\d{2,3}\s?(?P<letter>[MF])\b|\b(?:sex|gender)\s*:?\s*(?P<named>[MF])\b",
    re.IGNORECASE,
)
_E4 = r"(?:(?:apo\s?E[\s-]*)?(?:ε|\be|epsilon\s*)-?\s?4|APOE4|apolipoprotein\s+E4)"
_ALLELE = rf"(?:{_E4}(?:[\s-]+(?:risk\s+)?alleles?)?|(?:risk\s+)?alleles?)"
_ANY = r"(?:an?\s+|any\s+|the\s+)?(?:[\w-]+\s+){0,2}?"
_OF = r"(?:cop(?:y|ies)\s+of\s+(?:the\s+|an?\s+)?)?(?:(?!and\b)[\w-]+\s+){0,2}?"
_COUNT = rf"(?:{_ALLELE}|\bcopies)(?:\s+(?:count|number|copies))?\s*(?:is|was|are|of|:|=|-|–)?\s*"
_E2_E3, _AND = r"(?:ε|\be)\s?[23]", r"\s*[/,-]\s*(?:ε|e)?\s?"
_COPIES = tuple(
    (count, re.compile("|".join(patterns), re.IGNORECASE))
    for count, patterns in (
        (0, (rf"{_ALLELE}[\s:-]*(?:allele\s+)?(?:non-?\s?carrier|negative|absent)", r"\bnon-?\s?carrier",
             r"\bnot\s+(?:an?\s+)?(?:[\w-]+\s+){0,3}?(?:carry|carrier)\b", rf"\b(?:not|never)\s+have\s+{_ANY}{_ALLELE}",
             rf"\bnegative\s+for\s+{_ANY}{_ALLELE}", rf"\b(?:no|zero|0|without)\s+{_ANY}{_OF}{_ALLELE}",
             r"\b(?:no|zero|0)\s+cop(?:y|ies)\b", rf"{_COUNT}(?:0|zero|none|nil)\b")),
        (2, (rf"(?:ε|\be)\s?4{_AND}4\b", r"\bhomozyg\w+", r"\b4/4\b", rf"{_COUNT}(?:2|two)\b")),
        (1, (rf"{_E2_E3}{_AND}4\b", rf"(?:ε|\be)\s?4{_AND}[23]\b", r"\bheterozyg\w+", r"\b[23]/4\b|\b4/[23]\b",
             rf"{_COUNT}(?:1|one)\b")),
        (0, (rf"{_E2_E3}{_AND}[23]\b", r"\b[23]/[23]\b")),
        (2, (rf"(?<![\d.])\b(?:two|2|double|both)\s+{_OF}{_ALLELE}", r"\b(?:two|2|both)\s+copies\b")),
        (1, (rf"(?<![\d.])\b(?:one|1|a\s+single|single|an?)\s+{_OF}{_ALLELE}"
             r"(?![\w\s-]*(?:carrier|positive|status|genotyp))",
             r"\b(?:one|1|a\s+single|single)\s+copy\b")),
    )
)  # fmt: skip
_OTHERS = re.compile(
    r"\b(?:mother|father|brother|sister|sibling|son|daughter|aunt|uncle|parent|cousin|wife|husband|relative|grand\w+)s?\b",
    re.IGNORECASE,
)


def find_ages(text: str) -> Iterator[tuple[int, int, float]]:
    """Ages in years, [start, end); not those of a relative, nor of a past time ("aged 60 when …")."""
    for match in _AGE.finditer(text):
        words = next(group for group in match.groups() if group)
        before = text[max(0, match.start() - 30) : match.start()].rsplit(".", 1)[-1]
        if not _OTHERS.search(before) and not re.match(r"\s*(?:when|at\s+the\s+time|at\s+onset)", text[match.end() :]):
            yield match.start(), match.end(), parse_number(words)


def find_sexes(text: str) -> Iterator[tuple[int, int, str]]:
    """Words for the person's sex, [start, end), as "female" or "male"."""
    for match in _SEX.finditer(text):
        letter = match["letter"] or match["named"]
        if letter and not letter.isupper():
            continue
        female = bool(match["female"]) if not letter else letter == "F"
        yield match.start(), match.end(), "female" if female else "male"


def find_copies(text: str) -> tuple[int, int, int] | None:
    """How many copies of an allele a sentence says that somebody has: (start, end, copies); None where it says none.

    A "carrier" has at least one: no number is read from that alone.
    """
    for count, pattern in _COPIES:
        if match := pattern.search(text):
            return match.start(), match.end(), count
    return None
