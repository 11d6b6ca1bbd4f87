"""Who or what a mention is about: present, absent, uncertain, or not said of this patient's present and past at all.

NegEx (Chapman et al. 2001, doi:10.1006/jbin.2001.1029, as negspacy) runs inside clauses of our own. The same algorithm
with other words marks uncertainty, and what is only hypothetical, planned or about somebody else, after ConText
(Harkema et al. 2009, doi:10.1016/j.jbi.2009.05.002).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import words

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc


@dataclass(frozen=True)
class Name:
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

    def __init__(self, nlp: Language) -> None:
        from negspacy.negation import Negex

        # negspacy declares its marker on all spans of the process; ours has a name of its own, and is never set
        self._markers: list[Any] = [
            Negex(
                nlp,
                "nosograph",
                {
                    "preceding_negations": before,
                    "following_negations": after,
                    "pseudo_negations": neither,
                    "termination": words.ENDS,
                },
                extension_name="nosograph",
            )
            for before, after, neither in (
                (words.DENIED_BEFORE, words.DENIED_AFTER, words.NOT_DENIED),
                (words.DOUBTED_BEFORE, words.DOUBTED_AFTER, words.NOT_DOUBTED),
                (words.ELSEWHERE_BEFORE, words.ELSEWHERE_AFTER, words.NOT_ELSEWHERE),
            )
        ]

    def judge(self, doc: Doc, names: Sequence[Name], sentences: Sequence[tuple[int, int]]) -> list[Assertion]:
        """What is said of each name. NegEx's rule: a word before it or after it, with no end of its reach between."""
        if not names:
            return []
        starts = split_clauses(doc.text, sentences, names)
        answers = []
        for marker in self._markers:
            before, after, ends = (
                [(doc[first].idx, doc[last - 1].idx + len(doc[last - 1])) for _, first, last in found]
                for found in marker.process_negations(doc)
            )
            bounds = sorted({*starts, *(start for start, _ in ends)})
            answers.append([_reached(name, bounds, before, after) for name in names])
        clauses = [_surround(name.start, starts, len(doc.text)) for name in names]
        return [
            Assertion(denied, doubted, elsewhere, clause)
            for denied, doubted, elsewhere, clause in zip(*answers, clauses, strict=True)
        ]


def _surround(at: int, bounds: Sequence[int], end: int) -> tuple[int, int]:
    index = bisect_right(bounds, at)
    return bounds[index - 1] if index else 0, bounds[index] if index < len(bounds) else end


def _reached(
    name: Name, bounds: Sequence[int], before: Sequence[tuple[int, int]], after: Sequence[tuple[int, int]]
) -> bool:
    low, high = _surround(name.start, bounds, 1 << 60)
    return any(low <= start < name.start for start, _ in before) or any(
        low <= start < high and end > name.end for start, end in after
    )


_LINE = 60  # a line this long without a stop goes on in the next: the text is wrapped
_STOP = re.compile(r"[.!?](?=[\s\"')\]]*(?:\s+[\"'(\[]?[A-Z0-9?ΔΑ-Ω*•–-]|\s*$))|\n+[ \t]*|;|\s[|•]\s")
_BULLET = re.compile(r"[-*•–·]\s|\d+[.)]\s")
_NO_STOP = re.compile(
    r"(?:\b(?:dr|mr|mrs|ms|prof|approx|vs|prev|no|e\.g|i\.e|cf|st|ca|c|hx|pt|resp|incl|max|min|yrs?|mo|hrs?)|(?<![-\w/])[a-z])\.$",
    re.IGNORECASE,
)
_PREDICATE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|does|do|did|will|would|can|cannot|could|may|might|should|must|show(?:s|ed|n)?|remain(?:s|ed)?|continue[sd]?|started"
    r"|stopped|stable|score[sd]?|measure[sd]?|fell|rose|risen|fallen|declined|increased|decreased|dropped|takes?"
    r"|develop(?:s|ed)?|taking|took|commenced|began|begun|report(?:s|ed)?|denie[sd]|reveal(?:s|ed)?|demonstrate[sd]?"
    r"|came|went|attended|discontinued|receiv(?:es|ed|ing)|improved|worsened|unchanged|stay(?:s|ed)|carrie[sd]"
    r"|diagnosed|tolerat(?:es|ed|ing)|on\s+treatment|yes|no|none|nil|absent|present|negative|positive|normal|low|high"
    r"|raised|reduced|never|not|without|ongoing|confirmed)\b|\d|n['’]t\b|:",
    re.IGNORECASE,
)
_JOINT = re.compile(r"[,()–—/+&]|\b(?:and|but|plus|though)\b", re.IGNORECASE)
_OPENS = re.compile(
    r"\s*(?:no|not|without|never|nor|possible|possibly|probable|suspected|query)\b|\s*\?", re.IGNORECASE
)
_LISTED = re.compile(r"\b(?:or|nor)\b")


def split_sentences(text: str) -> list[tuple[int, int]]:
    """The sentences as [start, end): ended by a stop, a semicolon, or a line's end where the text is not wrapped."""
    found, begin = [], 0
    for match in _STOP.finditer(text):
        at = match.start()
        if _goes_on(text, match):
            continue
        if text[begin:at].strip():
            found.append((begin, match.end()))
        begin = match.end()
    if text[begin:].strip():
        found.append((begin, len(text)))
    return found


def _goes_on(text: str, stop: re.Match[str]) -> bool:
    """Whether what looks like a sentence's end is none: a wrapped line, or an abbreviation's point."""
    at = stop.start()
    if stop.group().startswith("\n"):
        if _BULLET.match(text, stop.end()):
            return False
        line = text[text.rfind("\n", 0, at) + 1 : at]
        return stop.group().count("\n") == 1 and len(line) >= _LINE and line.rstrip()[-1:] not in ".:;!?"
    if stop.group() != "." or text[at + 1 : at + 2] in ("", "\n"):
        return False
    return bool(_NO_STOP.search(text, max(0, at - 8), at + 1)) and not text[at - 1].isdigit()


def split_clauses(text: str, sentences: Sequence[tuple[int, int]], names: Sequence[Name]) -> list[int]:
    """Where clauses begin: with each sentence, and at a joint ("," "and" "but" …) where both sides say something.

    "no ARIA-E, and MMSE was 24" is two; "no fever, cough or rash" and "fever, cough and rash were denied" are one.
    """
    starts: list[int] = []
    for begin, end in sentences:
        inside = [name for name in names if begin <= name.start < end]
        starts.append(begin)
        if inside:
            starts += _joints(text, begin, end, inside)
            starts += _treatment_starts(text, begin, inside)
    return sorted(set(starts))


def _joints(text: str, begin: int, end: int, names: Sequence[Name]) -> list[int]:
    joints = [
        match
        for match in _JOINT.finditer(text, begin, end)
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
        listed = joint.group() == "," and _LISTED.search(after.split(" was ")[0])
        opens = _OPENS.match(after) and any(begin <= name.start < joint.start() for name in names)
        said = _PREDICATE.search(before) and _PREDICATE.search(after)
        if (opens or joint.group().lower() in ("but", "though") or said) and not listed:
            starts.append(joint.start())
            begin = joint.start()
    return starts


def _treatment_starts(text: str, begin: int, names: Sequence[Name]) -> list[int]:
    """ "no ARIA-E on lecanemab": what is said of one thing does not reach the treatment that it happened on."""
    starts = []
    for index, name in enumerate(names):
        if name.label == "treatment" and any(other.label != "treatment" for other in names[:index]):
            lead = re.search(
                r"\b(?:on|with|under|from|to)\s+(?:\w+\s+)?$", text[max(begin, name.start - 24) : name.start]
            )
            if lead:
                starts.append(max(begin, name.start - 24) + lead.start())
    return starts
