"""What a note says of the person: age, sex, copies of an allele, and named groups. Read by form, not by a name beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .values import NUMBER_WORDS, parse_number

_AGE = re.compile(
    rf"\b(?P<a>\d{{1,3}}|{NUMBER_WORDS})[\s-]*(?:years?|yrs?|y)?[\s-]*(?:old|of\s+age|/?o\b)"
    r"|\b(?:aged?|age\s*(?:is|:|of|at\s+\w+\s*:?))\s*(?P<b>\d{1,3})\b(?!\s*(?:\d|/))"
    r"|\b(?P<c>\d{2,3})\s?(?:[MF]\b|(?:yo|y/o|yr\s+old)\b)"
    r"|\b(?:turned|now)\s+(?P<d>\d{2,3})\b(?=\s+(?:years?|this|last|and|in)\b)"
    rf"|\bin\s+(?:his|her|their)\s+(?P<e>{NUMBER_WORDS})(?:th|st|nd|rd)\s+year",
    re.IGNORECASE,
)
_SEX = re.compile(
    r"\b(?P<female>woman|lady|female|mother\s+of\s+\w+|girl)\b|\b(?P<male>man|gentleman|male|boy)\b"
    r"|\b\d{2,3}\s?(?P<letter>[MF])\b|\b(?:sex|gender)\s*:?\s*(?P<named>[MF])\b",
    re.IGNORECASE,
)
_ALLELE = r"(?:(?:APO\s?E)?[\s-]*(?:ε|e|epsilon\s*)\s?-?4|APOE4|apolipoprotein\s+E4|(?:risk|minor)\s+alleles?|alleles?)"
_COPIES = (
    (
        0,
        rf"\b(?:no|zero|0|without\s+(?:an?|any|the))\s+(?:(?:copies|copy)\s+of\s+(?:the\s+|an?\s+)?)?(?:\w+\s+){{0,2}}?{_ALLELE}",
    ),
    (
        0,
        rf"{_ALLELE}[\s:]*(?:allele\s+)?(?:non-?\s?carrier|negative|absent)|\bnon-?\s?carrier|\bnot\s+(?:carry|an?\s+(?:\S+\s+)?carrier)",
    ),
    (
        0,
        rf"\b(?:does|did)\s+not\s+(?:carry|have)\s+(?:the\s+|an?\s+|any\s+)?(?:\w+\s+){{0,2}}?{_ALLELE}|\bnegative\s+for\s+(?:the\s+)?{_ALLELE}",
    ),
    (2, r"(?:ε|\be|epsilon\s*)\s?4\s*[/,-]\s*(?:ε|e|epsilon\s*)?\s?4\b|\bhomozyg\w+|\b4/4\b"),
    (
        1,
        r"(?:ε|\be)\s?[23]\s*[/,-]\s*(?:ε|e)?\s?4\b|(?:ε|\be)\s?4\s*[/,-]\s*(?:ε|e)?\s?[23]\b|\bheterozyg\w+|\b[23]/4\b|\b4/[23]\b",
    ),
    (0, r"(?:ε|\be)\s?[23]\s*[/,-]\s*(?:ε|e)?\s?[23]\b|\b[23]/[23]\b"),
    (2, rf"\b(?:two|2|double|both)\s+(?:copies\s+of\s+(?:the\s+|an?\s+)?)?(?:\w+\s+){{0,2}}?{_ALLELE}"),
    (
        1,
        rf"\b(?:one|1|a\s+single|single|an?)\s+(?:copy\s+of\s+(?:the\s+|an?\s+)?)?(?:\w+\s+){{0,2}}?{_ALLELE}(?!\S*\s*(?:homozyg|non))",
    ),
    (2, r"\b(?:two|2|both)\s+copies\b|\b2\s+alleles\b|\bcopies\s*[:=]?\s*2\b"),
    (1, r"\b(?:one|1|a\s+single|single)\s+copy\b|\bcopies\s*[:=]?\s*1\b"),
    (0, r"\bno\s+cop(?:y|ies)\b|\b(?:zero|0)\s+cop(?:y|ies)\b|\bcopies\s*[:=]?\s*0\b"),
)
_COPIES_COMPILED = tuple((count, re.compile(pattern, re.IGNORECASE)) for count, pattern in _COPIES)
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
    for count, pattern in _COPIES_COMPILED:
        if match := pattern.search(text):
            if count == 1 and pattern.pattern.startswith(r"\b(?:one|1") and re.match(r"\s+non", text[match.end() :]):
                continue
            return match.start(), match.end(), count
    return None
