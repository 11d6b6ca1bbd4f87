"""Where the sentences and clauses of a note begin and end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..words.reading import ClauseWords


@dataclass(frozen=True)
class FoundName:
    """A name as found, [start, end) in code points; `label` is its kind, `id` its variable."""

    start: int
    end: int
    label: str
    id: str


_LONGEST = 1_000  # characters of a sentence: a longer one is read in pieces, as the work grows with its square
_LINE = 60  # a line this long without a stop goes on in the next: the text is wrapped
_STOP = re.compile(r"[.!?](?=[\s\"')\]]*(?:\s+[\"'(\[]?[A-Z0-9?ΔΑ-Ω*•–-]|\s*$))|\n+[ \t]*|;|\s[|•]\s")
_HEADING = re.compile(r"[A-Z][A-Za-z/&' ]{0,25}:")
_BULLET = re.compile(r"[-*•–·]\s|\d+[.)]\s")


def split_sentences(text: str, *, words: ClauseWords) -> list[tuple[int, int]]:
    """The sentences as [start, end): ended by a stop, a semicolon, or a line's end where the text is not wrapped, and
    none longer than a thousand characters."""
    found, begin = [], 0
    for match in _STOP.finditer(text):
        at = match.start()
        if _goes_on(text, match, words):
            continue
        if text[begin:at].strip():
            found.append((begin, match.end()))
        begin = match.end()
    if text[begin:].strip():
        found.append((begin, len(text)))
    return [piece for start, end in found for piece in _cut(text, start, end)]


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A sentence in pieces, which end behind a blank where there is one."""
    while end - start > _LONGEST:
        cut = text.rfind(" ", start + _LONGEST // 2, start + _LONGEST) + 1 or start + _LONGEST
        yield start, cut
        start = cut
    yield start, end


def _goes_on(text: str, stop: re.Match[str], words: ClauseWords) -> bool:
    """Whether what looks like a sentence's end is none: a wrapped line, or an abbreviation's point."""
    at = stop.start()
    if stop.group().startswith("\n"):
        if _BULLET.match(text, stop.end()) or _HEADING.match(text, stop.end()):
            return False
        line = text[text.rfind("\n", 0, at) + 1 : at]
        return stop.group().count("\n") == 1 and len(line) >= _LINE and line.rstrip()[-1:] not in ".:;!?"
    if stop.group() != "." or text[at + 1 : at + 2] in ("", "\n"):
        return False
    return bool(words.abbreviations.search(text, max(0, at - 8), at + 1)) and not text[at - 1].isdigit()


def split_clauses(
    text: str, sentences: Sequence[tuple[int, int]], names: Sequence[FoundName], *, words: ClauseWords
) -> list[int]:
    """Where clauses begin: with each sentence, and at a joint ("," "and" "but" …) where both sides say something.

    "no ARIA-E, and MMSE was 24" is two; "no fever, cough or rash" and "fever, cough and rash were denied" are one.
    """
    starts: list[int] = []
    for begin, end in sentences:
        inside = [name for name in names if begin <= name.start < end]
        starts.append(begin)
        if inside:
            starts += _joints(text, begin, end, inside, words)
            starts += _treatment_starts(text, begin, inside, words)
    return sorted(set(starts))


def _joints(text: str, begin: int, end: int, names: Sequence[FoundName], words: ClauseWords) -> list[int]:
    joints = [
        match
        for match in words.joints.finditer(text, begin, end)
        if not any(name.start < match.end() and match.start() < name.end for name in names)
    ]
    starts = []
    for index, joint in enumerate(joints):
        following = (other.start() for other in joints[index + 1 :] if other.group() not in "()")
        subject = words.subjects.search(text, joint.end(), end)
        after = text[joint.end() : min(next(following, end), subject.start() if subject else end)]
        before = text[begin : joint.start()]
        if not after.strip():
            continue
        for name in names:  # an "or" within a name joins nothing
            after = after.replace(text[name.start : name.end], "")
        listed = joint.group() == "," and words.listed.search(after.split(words.listed_until)[0])
        opens = words.opens.match(after) and any(begin <= name.start < joint.start() for name in names)
        said = words.predicates.search(before) and words.predicates.search(after)
        if (opens or joint.group().lower() in words.contrasts or said) and not listed:
            starts.append(joint.start())
            begin = joint.start()
    return starts


def _treatment_starts(text: str, begin: int, names: Sequence[FoundName], words: ClauseWords) -> list[int]:
    """ "no ARIA-E on lecanemab": what is said of one thing does not reach the treatment that it happened on."""
    starts = []
    for index, name in enumerate(names):
        if name.label == "treatment" and any(other.label != "treatment" for other in names[:index]):
            lead = words.treatment_lead.search(text[max(begin, name.start - 24) : name.start])
            if lead:
                starts.append(max(begin, name.start - 24) + lead.start())
    return starts
