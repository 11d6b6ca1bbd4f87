"""Who or what a mention is about: present, absent, uncertain, or not said of this patient's present and past at all.

NegEx (Chapman et al. 2001, doi:10.1006/jbin.2001.1029, as negspacy) runs inside clauses of our own. The same algorithm
with other words marks uncertainty, and what is only hypothetical, planned or about somebody else, after ConText
(Harkema et al. 2009, doi:10.1016/j.jbi.2009.05.002).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..words.reading import AssertionWords, ClauseWords

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc


@dataclass(frozen=True)
class FoundName:
    """A name as found, [start, end) in code points; `label` is its kind, `id` its variable."""

    start: int
    end: int
    label: str
    id: str


@dataclass(frozen=True)
class Assertion:
    """What is said of a name, and how far that reaches: its clause."""

    negated: bool
    uncertain: bool
    elsewhere: bool
    clause: tuple[int, int]


class Asserter:
    """NegEx three times, on clauses: what denies, what doubts, and what speaks of something else."""

    def __init__(self, nlp: Language, words: AssertionWords) -> None:
        from negspacy.negation import Negex

        relatives, elsewhere = words.relatives, words.elsewhere
        # negspacy declares its marker on all spans of the process; ours has a name of its own, and is never set
        self._markers: list[Any] = [
            Negex(
                nlp,
                "nosograph",
                {
                    "preceding_negations": [*cues.before, *more_before],
                    "following_negations": [*cues.after, *more_after],
                    "pseudo_negations": list(cues.neither),
                    "termination": list(words.ends),
                },
                extension_name="nosograph",
            )
            for cues, more_before, more_after in (
                (words.denied, [], []),
                (words.doubted, [], []),
                (elsewhere, relatives.fill(relatives.before), relatives.fill(relatives.after)),
            )
        ]
        self._words = words.clauses

    def judge(self, doc: Doc, names: Sequence[FoundName], sentences: Sequence[tuple[int, int]]) -> list[Assertion]:
        """What is said of each name. NegEx's rule: a word before it or after it, with no end of its reach between."""
        if not names:
            return []
        text = doc.text
        starts = split_clauses(text, sentences, names, words=self._words)
        answers = []
        for marker in self._markers:
            before, after, ends = (
                sorted((doc[first].idx, doc[last - 1].idx + len(doc[last - 1])) for _, first, last in found)
                for found in marker.process_negations(doc)
            )
            bounds = sorted({*starts, *(start for start, _ in ends)})
            answers.append([_reached(name, bounds, before, after) for name in names])
        clauses = [_surround(name.start, starts, len(text)) for name in names]
        return [
            Assertion(denied, doubted, elsewhere, clause)
            for denied, doubted, elsewhere, clause in zip(*answers, clauses, strict=True)
        ]


def _surround(at: int, bounds: Sequence[int], end: int) -> tuple[int, int]:
    index = bisect_right(bounds, at)
    return bounds[index - 1] if index else 0, bounds[index] if index < len(bounds) else end


def _reached(
    name: FoundName, bounds: Sequence[int], before: Sequence[tuple[int, int]], after: Sequence[tuple[int, int]]
) -> bool:
    """`bounds`, `before` and `after` are in order."""
    low, high = _surround(name.start, bounds, 1 << 60)
    if bisect_left(before, (low,)) < bisect_left(before, (name.start,)):
        return True
    return any(end > name.end for _, end in after[bisect_left(after, (low,)) : bisect_left(after, (high,))])


_LONGEST = 1_000  # characters of a sentence: a longer one is read in pieces, as the work grows with its square
_LINE = 60  # a line this long without a stop goes on in the next: the text is wrapped
_STOP = re.compile(r"[.!?](?=[\s\"')\]]*(?:\s+[\"'(\[]?[A-Z0-9?ΔΑ-Ω*•–-]|\s*$))|\n+[ \t]*|;|\s[|•]\s")
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
        if _BULLET.match(text, stop.end()):
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
        after = text[joint.end() : next(following, end)]
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
