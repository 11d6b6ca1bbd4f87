"""What is asserted of a mention: the classes of the 2010 i2b2/VA challenge, and ConText's historical.

ConText (Harkema et al. 2009, doi:10.1016/j.jbi.2009.05.002) extends NegEx (Chapman et al. 2001,
doi:10.1006/jbin.2001.1029): a cue before or after a name speaks of it if nothing ends the cue's reach between them.
Cues are found once, the longest first, so "cannot exclude" is a doubt and holds no denial. Each class has its reach:
denials and doubts end with their clause, a condition with its sentence, a relative where the text comes back to the
patient. Headings say whose facts, and of when, a section holds.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from ..words.reading import AssertionWords
from .clauses import FoundName, split_clauses
from .names import PhraseFinder, SpelledWord, Speller, unfold
from .sections import find_sections

AssertionClass = Literal["present", "absent", "possible", "hypothetical", "conditional", "someone_else", "historical"]
"""Whether, whose and when: Uzuner et al. 2011, doi:10.1136/amiajnl-2011-000203 (their "associated with someone else" is
someone_else), and ConText's historical."""


@dataclass(frozen=True)
class Assertion:
    """What is said of a name, and how far that reaches: its clause."""

    negated: bool
    uncertain: bool
    hypothetical: bool
    conditional: bool
    someone_else: bool
    historical: bool  # it has been, and is over
    earlier: bool  # it has been, and is of what passes
    passing: bool
    section: str
    clause: tuple[int, int]


@dataclass
class _AssertedSentence:
    """A sentence with the names in it, its cues and where clauses begin."""

    start: int
    end: int
    names: list[FoundName]
    starts: list[int]
    ends: list[int] = field(default_factory=list)
    cues: list[_Cue] = field(default_factory=list)


@dataclass(frozen=True)
class _Cue:
    start: int
    end: int
    says: frozenset[tuple[str, str]]  # class and side


_SIGNS, _PLUS = "-–−", re.compile(r"(?:^|[,;\s])\+\s?[A-Za-z]")
_NEAR = 12  # characters from a circumstance to what it is
_CLASSES = ("denied", "doubted", "hypothetical", "historical", "earlier")
_END, _NEITHER = ("end", ""), ("neither", "")


class Asserter:
    """Judges mentions by the cues of a locale."""

    def __init__(self, words: AssertionWords, speller: Speller) -> None:
        self._words = words
        self._speller = speller
        self._cues: PhraseFinder[tuple[str, str]] = PhraseFinder()
        for name in _CLASSES:
            cues = getattr(words, name)
            for side in ("before", "after", "next", "last"):
                self._add(getattr(cues, side), (name, side))
        self._add(words.neither, _NEITHER)
        self._add(words.ends, _END)

    def _add(self, phrases: Sequence[str], says: tuple[str, str]) -> None:
        for phrase in dict.fromkeys(whole for one in phrases for whole in unfold(one)):
            self._cues.add([token.norm for token in self._speller.split_cues(phrase)], says)

    def judge(self, text: str, names: Sequence[FoundName], sentences: Sequence[tuple[int, int]]) -> list[Assertion]:
        """What is said of each name; both are in order."""
        if not names:
            return []
        sections = find_sections(text, words=self._words.sections)
        opened = [section.start for section in sections]
        starts = split_clauses(text, sentences, names, words=self._words.clauses)
        places = [name.start for name in names]
        judged: list[Assertion] = []
        last: int | None = None  # where the sentence before ended, and what in it was of others
        spoken: list[tuple[int, int]] = []
        for begin, end in sentences:
            inside = list(names[bisect_left(places, begin) : bisect_left(places, end)])
            if not inside:
                continue
            own = starts[bisect_left(starts, begin) : bisect_left(starts, end)]
            sentence = _AssertedSentence(begin, end, inside, own)
            self._find_cues(text, sentence)
            others = self._find_others(text, sentence)
            goes_on = text[begin - 1 : begin] == ";" and self._words.people.goes_on.match(text, begin)
            if goes_on and last is not None and any(b >= last for _, b in spoken):
                others.append((begin, end))
            last, spoken = end, others
            conditions = self._find_conditions(text, sentence)
            for name in inside:
                section = sections[bisect_right(opened, name.start) - 1].kind
                judged.append(self._judge_one(text, name, sentence, others, conditions, section))
        return judged

    def _judge_one(
        self,
        text: str,
        name: FoundName,
        sentence: _AssertedSentence,
        others: Sequence[tuple[int, int]],
        conditions: Sequence[Sequence[tuple[int, int]]],
        section: str,
    ) -> Assertion:
        said = {what: self._is_said(what, name, sentence, text) for what in _CLASSES}
        if said["doubted"] and self._is_settled(name, sentence, text):
            said["doubted"], said["denied"] = False, True
        passing = self._words.passing.search(text, name.start, name.end) is not None
        earlier = passing and (said["earlier"] or section == "past")
        feared, ordered, provoked = (any(a <= name.start < b for a, b in spans) for spans in conditions)
        if feared and name.label == "treatment":  # what is given in that case
            feared, ordered = False, True
        return Assertion(
            negated=said["denied"],
            uncertain=said["doubted"],
            hypothetical=said["hypothetical"] or feared,
            conditional=ordered or (provoked and not (said["denied"] or said["hypothetical"] or feared)),
            someone_else=section == "family" or any(a <= name.start < b for a, b in others),
            historical=said["historical"],
            earlier=earlier,
            passing=passing,
            section=section,
            clause=_surround(name.start, sentence.starts, sentence.end),
        )

    def _find_cues(self, text: str, sentence: _AssertedSentence) -> None:
        """The cues of a sentence. A name is one token, which is no cue's."""
        tokens, at = [], sentence.start
        for name in sentence.names:
            tokens += self._speller.split_cues(text, at, max(at, name.start))
            tokens.append(SpelledWord(name.start, name.end, ""))
            at = max(at, name.end)
        tokens += self._speller.split_cues(text, at, sentence.end)
        for match in self._cues.find_all([token.norm for token in tokens]):
            first, last = tokens[match.first], tokens[match.last - 1]
            sentence.cues.append(_Cue(first.start, last.end, frozenset(match.found)))
        subjects = (
            match.start() for match in self._words.clauses.subjects.finditer(text, sentence.start, sentence.end)
        )
        sentence.ends = sorted({*(cue.start for cue in sentence.cues if _END in cue.says), *subjects, *sentence.starts})

    def _is_said(self, what: str, name: FoundName, sentence: _AssertedSentence, text: str) -> bool:
        bounds = sentence.ends
        if what == "hypothetical":
            bounds = [at for at in bounds if self._words.circumstances.ends.match(text, at)]
        for cue in sentence.cues:
            if (what, "before") in cue.says and cue.end <= name.start and not _parted(bounds, cue.end, name.start):
                return True
            if (what, "next") in cue.says and cue.end <= name.start and self._is_listed(text, cue.end, name, sentence):
                signed = text[cue.start] in _SIGNS  # "+ headache, - rash": a denial where both signs are used
                if not signed or _PLUS.search(text, sentence.start, sentence.end):
                    return True
            if (what, "after") in cue.says and self._follows(text, name, cue, sentence):
                return True
            if name.end <= cue.start and (what, "last") in cue.says and _is_last(text, name.end, cue):
                return True
        return False

    def _is_settled(self, name: FoundName, sentence: _AssertedSentence, text: str) -> bool:
        """Whether a doubt is settled behind the name: "suspected, but it was ruled out"."""
        later = [cue for cue in sentence.cues if cue.start >= name.end]
        doubted = any(("doubted", side) in cue.says for cue in later for side in ("after", "last"))
        after = not doubted and any(
            ("denied", "after") in cue.says and self._follows(text, name, cue, sentence) for cue in later
        )
        return after or self._words.settled.search(text, name.end, sentence.end) is not None

    def _is_listed(self, text: str, start: int, name: FoundName, sentence: _AssertedSentence) -> bool:
        """Whether only members of a list stand between a place and a name."""
        gap, at = "", start
        for other in sentence.names:
            if start <= other.start < name.start:
                gap += text[at : other.start]
                at = other.end
        gap += text[at : name.start]
        return len(gap) < 30 and bool(re.fullmatch(r"[\s/+]*(?:(?:an?|the|any|of)\s+)*|\s*(?:or|/)\s*", gap))

    def _follows(self, text: str, name: FoundName, cue: _Cue, sentence: _AssertedSentence) -> bool:
        """Whether a cue speaks of the name before it."""
        if cue.start < name.end or not self._is_nearest(text, name, cue, sentence):
            return False
        goes_on = self._words.clauses.goes_on
        return not any(name.end <= at < cue.start and not goes_on.match(text, at) for at in sentence.ends)

    def _is_nearest(self, text: str, name: FoundName, cue: _Cue, sentence: _AssertedSentence) -> bool:
        """Whether a cue follows a name, or the list that the name stands in."""
        row = [other for other in sentence.names if name.start <= other.start < cue.start]
        lists = self._words.clauses.lists
        return all(lists.fullmatch(text, one.end, other.start) for one, other in pairwise(row))

    def _find_others(self, text: str, sentence: _AssertedSentence) -> list[tuple[int, int]]:
        """The parts of a sentence that speak of somebody else than the patient."""
        words, found = self._words.people, []
        for match in words.others.finditer(text, sentence.start, sentence.end):
            if any(name.start < match.end() and match.start() < name.end for name in sentence.names):
                continue
            start, end = match.span()
            if words.informs.match(text, end):
                continue
            owns = words.owns.match(text, end)
            if words.beside.search(text, max(sentence.start, start - 40), start) and not owns:
                continue
            if words.holds.search(text, max(sentence.start, start - 40), start):
                before = [name for name in sentence.names if name.end <= start]
                if before and not _parted(sentence.starts, before[-1].end, start):
                    found.append((self._first_of_list(text, before), start))
            back = words.back.search(text, end, sentence.end)
            found.append((start, back.start() if back else sentence.end))
        found += [(m.start(), sentence.end) for m in words.family.finditer(text, sentence.start, sentence.end)]
        for match in words.family_after.finditer(text, sentence.start, sentence.end):
            found.append((_surround(match.start(), sentence.starts, sentence.end)[0], match.end()))
        return found

    def _first_of_list(self, text: str, names: Sequence[FoundName], *, joint: re.Pattern[str] | None = None) -> int:
        """Where the list begins that ends with the last of some names."""
        start = names[-1].start
        for one, other in reversed(list(pairwise(names))):
            if not (joint or self._words.clauses.lists).fullmatch(text, one.end, other.start):
                break
            start = one.start
        return start

    def _find_conditions(self, text: str, sentence: _AssertedSentence) -> Sequence[Sequence[tuple[int, int]]]:
        """The parts of a sentence that are feared, those on a condition, and those that something provokes."""
        words = self._words.circumstances
        feared: list[tuple[int, int]] = []
        ordered: list[tuple[int, int]] = []
        provoked: list[tuple[int, int]] = []
        for match in words.if_.finditer(text, sentence.start, sentence.end):
            calls = words.calls.search(text, sentence.start, sentence.end)
            end = next((at for at in sentence.ends if at > match.end() and words.ends.match(text, at)), sentence.end)
            start = match.start()
            order = words.orders.search(text, sentence.start, match.start())
            if order and not calls:
                start = order.start()
            (feared if calls else ordered).append((start, end))
        for match in words.provoked.finditer(text, sentence.start, sentence.end):
            before = [name for name in sentence.names if name.end <= match.start()]
            provoked.append((match.start(), match.end() + _NEAR))  # "when coughing"
            near = bool(before) and match.start() - before[-1].end < 40
            if near and not words.not_provoked.search(text, before[-1].end, match.start()):
                start = self._first_of_list(text, before, joint=words.both)
                provoked.append((start, match.start()))
        provoked += [(m.end(), sentence.end) for m in words.fronted.finditer(text, sentence.start, sentence.end)]
        for match in words.provoked_end.finditer(text, sentence.start, sentence.end):
            before = [name for name in sentence.names if name.end <= match.start()]
            if before:
                provoked.append((before[-1].start, before[-1].end))
        return feared, ordered, provoked


def _is_last(text: str, end: int, cue: _Cue) -> bool:
    """Whether a cue stands right behind a name and nothing goes on from it: "fever: no", and not "fever, no rash"."""
    gap, rest = text[end : cue.start], text[cue.end : cue.end + 2]
    if text[cue.start] == "?":
        return not gap.strip(" (") and not rest[:1].isalnum()
    if text[cue.start] in _SIGNS and cue.end == cue.start + 1:  # "fever -, cough +"
        return not gap.strip(" (:") and (not rest or rest[0] in ",.;)\n")
    if gap == "-":
        return True  # "seizure-free"
    return len(gap) <= 3 and not gap.strip(" :-–,()=") and not rest.strip(" ")[:1].isalnum()


def _parted(bounds: Sequence[int], start: int, end: int) -> bool:
    """Whether one of the bounds, which are in order, lies between two places."""
    index = bisect_left(bounds, start)
    return index < len(bounds) and bounds[index] < end


def _surround(at: int, bounds: Sequence[int], end: int) -> tuple[int, int]:
    index = bisect_right(bounds, at)
    return bounds[index - 1] if index else 0, bounds[index] if index < len(bounds) else end
