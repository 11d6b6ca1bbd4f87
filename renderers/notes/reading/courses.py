"""Whether a treatment is given, as a text tells it: started, going on, stopped, never."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..facts import Status
from .assign import Mention
from .dates import When

_STARTED = (
    r"re-?start(?:ed|ing|s)?|start(?:ed|ing|s)?|commenc(?:ed|ing|es?)|initiat(?:ed|ing|ion\s+of|es?)|begun|began|beginning|introduced"
    r"|prescribed|given|giving|receiv(?:es|ed|ing|e)|tak(?:es|ing|en|e)|took|continu(?:es|ed|ing|e)|remain(?:s|ed|ing)?|maintain(?:ed|s)?"
    r"|treated|tolerat(?:es|ed|ing)|established|ongoing|resumed|re-?commenced|administered|administering|on|under|using|uses|runs?"
    r"|running|infusions?|stays|stayed|kept|receipt|going|in\s+(?:place|use|progress|situ)|unchanged|current(?:ly)?|regular|yes|supported"
    r"|requir(?:es|ed|ing|e)|need(?:s|ed|ing)?|carries|carried|persists|still|active|placed|put|instituted|added|cont"
    r"|(?:is|are|was|were)\s+new"
)
_STOPPED = (
    r"stopp(?:ed|ing)|stops?|discontinu(?:ed|ing|ation|es?)|ceas(?:ed|ing|es?)|cessation|withdr[ae]wn?|withdrew|withdrawal|came\s+off"
    r"|(?:come|coming|comes)\s+off|taken\s+off|off|held|suspended|weaned|halted|terminated|finished|completed|removed|extubated"
    r"|paused|interrupted|ended|d/c(?:['’]?d)?|until|formerly|previously|used\s+to|dropped|abandoned|given\s+up|gave\s+up|no\s+longer"
    r"|past|prior|previous|former|(?:came|comes?|coming|brought|brings)\s+to\s+(?:an\s+end|a\s+close)"
)
_CUE = re.compile(rf"(?<![\w-])(?:(?P<stopped>{_STOPPED})|(?P<started>{_STARTED}))(?![\w-])", re.IGNORECASE)
_NOT = re.compile(
    r"(?:\bnot|n['’]t|\bnever|\bno|\bnor|\bwithout|\bneither|\bdeclin(?:ed|es)|\brefus(?:ed|es)|\bcannot)(?:\s+(?:been|yet|ever|be|had|have|to|be|currently"
    r"|now|longer|being|a|any|plan(?:ned|s)?|so|it|has|was|need(?:ed)?|for|formally|previously|received?|since|today|at|present|treated|and|her|him"
    r"|is|she|he|they|going|are|currently|patient|the|put|therefore))*\s*$",
    re.IGNORECASE,
)
_AHEAD = re.compile(
    r"\b(?:will|would|shall|should|plan(?:s|ned)?\s+to|to\s+be|could|consider(?:ed|ing)?|if|discuss(?:ed|ing)?|offered|going\s+to|(?-i:may)|might"
    r"|hope\s+to|eligible|candidate|suitab\w+|recommend(?:ed)?|propose[sd]?|advised|before|prior\s+to)\s+(?:\w+\s+){0,3}$",
    re.IGNORECASE,
)
_PLANNED = re.compile(
    r"\s*(?:therapy|treatment|infusions?)?\s*(?:(?:is|are|was|were|has|have|been|now|still|again|to|be|will)\s+)*(?:being\s+)?"
    r"(?:considered|discussed|planned|offered|recommended|proposed|requested|suggested)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:no|nil|neither|nor|without|never)\s+(?:(?:\w+|,)\s+){0,2}$", re.IGNORECASE)


_JOINED = re.compile(r"^(?:\s|,|/|\+|&|\b(?:and|or|nor|neither|the|an?|both|no)\b)*$", re.IGNORECASE)


_BEFORE_NAME = re.compile(r"\s+(?:\w+\s+){0,3}|\s+(?:[\w-]+\s+)*(?:[\w-]+,?\s+)*(?:and|or)\s+(?:an?\s+)?")
_SINGULAR = re.compile(r"\s+(?:was|is|has)\b", re.IGNORECASE)
_CUT = re.compile(r"[,;:.]|\b(?:and|but|while|whereas|then)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Course:
    status: Status
    time: When | None


def read_course(
    text: str, sentence: tuple[int, int], mention: Mention, treatments: Sequence[Mention], times: Sequence[When]
) -> Course | None:
    """What a sentence says of a treatment by its last cue ("started in May and stopped in July": absent, July).

    Cues between other treatments are theirs: each has those after it up to the next treatment, and those before it that
    no treatment before has. None where it is only planned, or somebody else's.
    """
    begin, end = _reach(text, sentence, mention, treatments)
    cues = []
    for match in _CUE.finditer(text, begin, end):
        word = match.group().lower()
        if word in ("on", "under") and not _BEFORE_NAME.fullmatch(text, match.end(), max(match.end(), mention.start)):
            continue  # "on the day of this note"
        if match.end() <= mention.start or match.start() >= mention.end:
            negated = bool(_NOT.search(text, max(begin, match.start() - 60), match.start()))
            if match.group().lower() in ("no longer",):
                negated = False
            ahead = bool(_AHEAD.search(text, max(begin, match.start() - 60), match.start()))
            cues.append((match, bool(match["stopped"]) != negated, negated, ahead))
    if _PLANNED.match(text, mention.end, end):
        return None
    real = [cue for cue in cues if not cue[3]]
    if cues and not real and not mention.negated:
        return None
    if mention.elsewhere and not real:
        return None
    weak = (
        "on",
        "under",
        "past",
        "prior",
        "previous",
        "current",
        "currently",
        "still",
        "regular",
        "going",
        "yes",
    )
    strong = [cue for cue in real if cue[0].group().lower() not in weak] or real
    if mention.uncertain:
        return Course("uncertain", None)
    if not strong:
        when = _time_near(times, mention.start, mention.end, begin, end)
        return Course("absent" if mention.negated else "present", when)
    match, off, _, _ = strong[-1]
    if (
        mention.negated
        and not match["stopped"]
        and _DENIED.search(text, begin, _first_of_list(text, mention, treatments))
    ):
        off = True
    return Course("absent" if off else "present", _time_near(times, match.start(), match.end(), begin, end))


def _reach(text: str, sentence: tuple[int, int], mention: Mention, treatments: Sequence[Mention]) -> tuple[int, int]:
    """The part of the sentence whose cues are this treatment's. Those joined by "and" or a comma alone share theirs."""
    ordered = sorted((t for t in treatments if t.variable != mention.variable or t is mention), key=lambda t: t.start)
    index = ordered.index(mention)
    left, right = index, index
    while left > 0 and _JOINED.match(text[ordered[left - 1].end : ordered[left].start]):
        left -= 1
    while right + 1 < len(ordered) and _JOINED.match(text[ordered[right].end : ordered[right + 1].start]):
        right += 1
    begin, end = sentence
    last = ordered[right]
    if last is not mention and _CUE.search(text, begin, ordered[left].start) and _SINGULAR.match(text, last.end):
        end = last.start  # "off the one and the other was begun"
    if right > left and _has_cue_of_its_own(text, begin, ordered[left], ordered[right - 1], last):
        if mention is not last:
            end = last.start  # "off the one, the other ongoing"
        else:
            return ordered[right - 1].end, _end_before(text, ordered, right, end)
    if left > 0:
        gap = text[ordered[left - 1].end : ordered[left].start]
        cut = list(_CUT.finditer(gap))
        begin = ordered[left - 1].end + (cut[-1].start() if cut else 0)
    return begin, min(end, _end_before(text, ordered, right, end))


def _has_cue_of_its_own(text: str, begin: int, first: Mention, before: Mention, last: Mention) -> bool:
    """Whether the last of several treatments with commas between them is told by what follows it, the others not."""
    after = text[last.end :]
    follows = _CUE.match(after, len(after) - len(after.lstrip()))
    return bool(follows and text[before.end : last.start].strip() == "," and _CUE.search(text, begin, first.start))


def _end_before(text: str, ordered: Sequence[Mention], right: int, end: int) -> int:
    """Where the cues end of the treatments up to this one: at the last break before the next treatment."""
    if right + 1 >= len(ordered):
        return end
    gap = text[ordered[right].end : ordered[right + 1].start]
    cut = list(_CUT.finditer(gap))
    return ordered[right].end + (cut[-1].start() if cut else len(gap))


def _first_of_list(text: str, mention: Mention, treatments: Sequence[Mention]) -> int:
    """Where the list begins that a treatment is told in."""
    start = mention.start
    for other in sorted(treatments, key=lambda t: -t.start):
        if other.end <= start and _JOINED.match(text[other.end : start]):
            start = other.start
    return start


def _time_near(times: Sequence[When], start: int, end: int, begin: int, stop: int) -> When | None:
    """The time of a cue: the first after it, else the last before it."""
    inside = [when for when in times if begin <= when.start < stop and when.reach != "ahead"]
    after = [when for when in inside if when.start >= end]
    before = [when for when in inside if when.end <= start]
    return after[0] if after else before[-1] if before else None
