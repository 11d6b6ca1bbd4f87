"""Whether a treatment is given, as a text tells it: started, going on, stopped, never."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..facts import Status
from ..words.reading import CourseWords
from .assignment import AssertedName
from .dates import When


@dataclass(frozen=True)
class TreatmentCourse:
    """Whether a treatment is given, and since when that is so."""

    status: Status
    time: When | None
    past: bool = False  # it was given once, and no more is said
    told: bool = False  # some word says that it is given or not


def read_course(
    text: str,
    sentence: tuple[int, int],
    mention: AssertedName,
    treatments: Sequence[AssertedName],
    times: Sequence[When],
    *,
    words: CourseWords,
) -> TreatmentCourse | None:
    """What a sentence says of a treatment by its last cue ("started in May and stopped in July": absent, July).

    Cues between other treatments are theirs: each has those after it up to the next treatment, and those before it that
    no treatment before has. None where it is only planned, or somebody else's.
    """
    begin, end = _reach(text, sentence, mention, treatments, words)
    cues = []
    for match in words.cue.finditer(text, begin, end):
        word = match.group().lower()
        if word in words.before_names and not words.before_name.fullmatch(
            text, match.end(), max(match.end(), mention.start)
        ):
            continue  # "on the day of this note"
        if match.end() <= mention.start or match.start() >= mention.end:
            negated = bool(words.not_.search(text, max(begin, match.start() - 60), match.start()))
            if word in words.never_denied:
                negated = False
            ahead = bool(words.ahead.search(text, max(begin, match.start() - 60), match.start()))
            ahead = ahead or (word in words.orders and match.end() <= mention.start)
            if words.of_another.search(text, max(begin, mention.end), match.start()) and match.start() > mention.end:
                continue
            if word in words.stops_ahead:
                continue  # "Stop after day 7": it is still given
            cues.append((match, bool(match["stopped"]) != negated, negated, ahead))
    if words.planned.match(text, mention.end, end) and not mention.negated:
        return None
    real = [cue for cue in cues if not cue[3]]
    if cues and not real and not mention.negated:
        return None
    if mention.elsewhere and not real and not mention.negated:
        return None
    strong = [cue for cue in real if cue[0].group().lower() not in words.weak] or real
    if mention.uncertain:
        return TreatmentCourse("uncertain", None)
    if not strong:
        when = _time_near(times, mention.start, mention.end, begin, end)
        past = bool(words.once.search(text, begin, end)) and not mention.negated
        told = bool(words.goes_on.search(text, begin, mention.start))
        return TreatmentCourse("absent" if mention.negated else "present", when, past, told)
    match, off, _, _ = strong[-1]
    if (
        mention.negated
        and not match["stopped"]
        and words.denied.search(text, begin, _first_of_list(text, mention, treatments, words))
    ):
        off = True
    when = _time_near(times, match.start(), match.end(), begin, end)
    past = bool(words.once.search(text, begin, end)) and not (off and when is not None)
    return TreatmentCourse("absent" if off else "present", when, past, True)


def _reach(
    text: str,
    sentence: tuple[int, int],
    mention: AssertedName,
    treatments: Sequence[AssertedName],
    words: CourseWords,
) -> tuple[int, int]:
    """The part of the sentence whose cues are this treatment's. Those joined by "and" or a comma alone share theirs."""
    name = text[mention.start : mention.end].lower()
    others = [t for t in treatments if t.variable != mention.variable or text[t.start : t.end].lower() != name]
    ordered = sorted((*others, mention), key=lambda t: t.start)
    index = ordered.index(mention)
    left, right = index, index
    while left > 0 and words.joined.match(text[ordered[left - 1].end : ordered[left].start]):
        left -= 1
    while right + 1 < len(ordered) and words.joined.match(text[ordered[right].end : ordered[right + 1].start]):
        right += 1
    begin, end = sentence
    last = ordered[right]
    if (
        last is not mention
        and words.cue.search(text, begin, ordered[left].start)
        and words.singular.match(text, last.end)
    ):
        end = last.start  # "off the one and the other was begun"
    if right > left and _has_cue_of_its_own(text, begin, ordered[left], ordered[right - 1], last, words):
        if mention is not last:
            end = last.start  # "off the one, the other ongoing"
        else:
            return ordered[right - 1].end, _end_before(text, ordered, right, end, words)
    if left > 0:
        gap = text[ordered[left - 1].end : ordered[left].start]
        cut = list(words.cut.finditer(gap))
        begin = ordered[left - 1].end + (cut[-1].start() if cut else 0)
    return begin, min(end, _end_before(text, ordered, right, end, words))


def _has_cue_of_its_own(
    text: str, begin: int, first: AssertedName, before: AssertedName, last: AssertedName, words: CourseWords
) -> bool:
    """Whether the last of several treatments with commas between them is told by what follows it, the others not."""
    after = text[last.end :]
    follows = words.cue.match(after, len(after) - len(after.lstrip()))
    return bool(follows and text[before.end : last.start].strip() == "," and words.cue.search(text, begin, first.start))


def _end_before(text: str, ordered: Sequence[AssertedName], right: int, end: int, words: CourseWords) -> int:
    """Where the cues end of the treatments up to this one: at the last break before the next treatment."""
    if right + 1 >= len(ordered):
        return end
    gap = text[ordered[right].end : ordered[right + 1].start]
    cut = list(words.cut.finditer(gap))
    return ordered[right].end + (cut[-1].start() if cut else len(gap))


def _first_of_list(text: str, mention: AssertedName, treatments: Sequence[AssertedName], words: CourseWords) -> int:
    """Where the list begins that a treatment is told in."""
    start = mention.start
    for other in sorted(treatments, key=lambda t: -t.start):
        if other.end <= start and words.joined.match(text[other.end : start]):
            start = other.start
    return start


def _time_near(times: Sequence[When], start: int, end: int, begin: int, stop: int) -> When | None:
    """The time of a cue: the first after it, else the last before it."""
    inside = [when for when in times if begin <= when.start < stop and when.reach != "ahead"]
    after = [when for when in inside if when.start >= end]
    before = [when for when in inside if when.end <= start]
    return after[0] if after else before[-1] if before else None
