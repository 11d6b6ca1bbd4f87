"""Which number, or level, belongs to which name, and when it was so: "MMSE fell from 26 in March to 24 today"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from ..words.reading import AssignmentWords
from .assertion import Assertion
from .dates import When
from .values import WrittenNumber

OTHER = "other"
"""The kind of what is measured and is no variable: the numbers behind its name are its own."""


@dataclass(frozen=True)
class AssertedName:
    """A name in the text, [start, end), of a variable, and what is asserted of it."""

    start: int
    end: int
    variable: str
    kind: str
    said: Assertion
    level: str = ""  # where the name says it: "hypotensive"

    @property
    def negated(self) -> bool:
        return self.said.negated

    @property
    def uncertain(self) -> bool:
        return self.said.uncertain

    @property
    def elsewhere(self) -> bool:
        """Whether it is said of somebody else, or of what may come."""
        return self.said.someone_else or self.said.hypothetical or self.said.conditional


@dataclass(frozen=True)
class WrittenLevel:
    """A word for a level ("raised"), [start, end)."""

    start: int
    end: int
    words: str


@dataclass
class Told:
    """A number or level with its owner, and the time that stands with it."""

    what: WrittenNumber | WrittenLevel
    owner: AssertedName
    time: When | None = None
    past: bool = False
    order: int = field(default=0)


Fits = Callable[[AssertedName, WrittenNumber | WrittenLevel], bool]


def assign_values(
    text: str,
    sentence: tuple[int, int],
    mentions: Sequence[AssertedName],
    quantities: Sequence[WrittenNumber | WrittenLevel],
    times: Sequence[When],
    *,
    fits: Fits,
    carried: AssertedName | None,
    words: AssignmentWords,
) -> list[Told]:
    """The values of a sentence with their owners among its mentions, or `carried` from the sentence before.

    `fits` says whether a mention's variable can have such a value (its unit, its levels). Changes ("by 3 points") are
    read over. A value that stands beside a newer one of the same name is marked as past.
    """
    told: list[Told] = []
    for quantity in sorted(quantities, key=lambda quantity: quantity.start):
        if isinstance(quantity, WrittenNumber) and quantity.change:
            continue
        owner = _find_owner(text, sentence, quantity, mentions, told, fits, words)
        if owner is None and carried is not None and fits(carried, quantity) and not mentions:
            owner = carried
        if owner is not None:
            told.append(Told(quantity, owner, order=len(told)))
    _attach_times(text, sentence, told, mentions, quantities, times, words)
    _mark_past(text, sentence, told, times, carried, words)
    return told


def _find_owner(
    text: str,
    sentence: tuple[int, int],
    quantity: WrittenNumber | WrittenLevel,
    mentions: Sequence[AssertedName],
    told: list[Told],
    fits: Fits,
    words: AssignmentWords,
) -> AssertedName | None:
    able = [mention for mention in mentions if fits(mention, quantity)]
    before = [mention for mention in able if mention.end <= quantity.start]
    after = [mention for mention in able if mention.start >= quantity.end and mention.kind != OTHER]
    if after:
        gap = text[quantity.end : after[0].start]
        served = not before or any(one.owner is before[-1] for one in told)
        beside = bool(before) and not text[before[-1].end : quantity.start].strip(" :=")
        if words.forward.match(gap) and (
            served or words.forward_preposition.match(gap) or isinstance(quantity, WrittenLevel)
        ):
            level_of_what_precedes = isinstance(quantity, WrittenLevel) and beside and not served
            named_by_unit = words.units_of_names.match(text, after[0].start)
            if gap.strip() or named_by_unit or isinstance(quantity, WrittenLevel) or not before:
                return before[-1] if level_of_what_precedes else after[0]
    if after and _is_compared_ahead(text, sentence, quantity, before, after[0], told, words):
        return after[0]
    if before:
        return before[-1]
    opens = words.at.search(text, sentence[0], quantity.start)
    if after and opens and words.comma.fullmatch(text, quantity.end, after[0].start):
        return after[0]  # "At 24/30, her MMSE …"
    leads = not text[sentence[0] : quantity.start].strip(" \t\n*•-–")
    if after and leads and words.ahead_of_comma.fullmatch(text, quantity.end, after[0].start):
        return after[0]  # "Low an hour earlier, the pressure is now normal"
    return after[0] if after and not words.breaks.search(text[quantity.end : after[0].start]) else None


def _is_compared_ahead(
    text: str,
    sentence: tuple[int, int],
    quantity: WrittenNumber | WrittenLevel,
    before: Sequence[AssertedName],
    after: AssertedName,
    told: Sequence[Told],
    words: AssignmentWords,
) -> bool:
    """ "Compared with 26 in March, the MMSE …": the comparison opens its clause, and what it is of follows."""
    lead = words.compared.search(text, sentence[0], quantity.start)
    between = text[quantity.end : after.start]
    if lead is None or re.search(r"[;:.]\s", between) or not words.comma_at_end.search(between):
        return False
    opening = text[sentence[0] : lead.start()].rstrip()
    alone = not before or opening.endswith(words.clause_ends)
    return alone or any(one.past and one.owner is before[-1] for one in told)


def _attach_times(
    text: str,
    sentence: tuple[int, int],
    told: list[Told],
    mentions: Sequence[AssertedName],
    quantities: Iterable[WrittenNumber | WrittenLevel],
    times: Sequence[When],
    words: AssignmentWords,
) -> None:
    """Give each value the time that follows it directly, else one that leads it, else one that opens the sentence."""
    used: set[int] = set()
    stops = sorted(item.start for item in (*mentions, *quantities))
    for one in told:
        at = one.what.end
        for when in times:
            if when.start >= at and when.start not in used and when.reach != "ahead":
                between = text[at : when.start]
                if words.as_then.search(between) and not words.past_lead.search(text, sentence[0], one.what.start):
                    used.add(when.start)  # "the same as six months ago"
                    continue
                later = [other for other in told if other.what.start >= when.end]
                if (
                    re.search(r"[,(]", between)
                    and later
                    and not re.search(r"[,;)]", text[when.end : later[0].what.start])
                ):
                    break  # "25, today it is 23": the next one's
                if words.join_after.match(between) or (
                    not any(at <= stop < when.start for stop in stops) and not words.parts_time.search(between)
                ):
                    one.time = when
                    used.add(when.start)
                break
    for index, one in enumerate(told):
        if one.time is None:
            begin = told[index - 1].what.end if index else sentence[0]
            leading = [
                when for when in times
                if begin <= when.start and when.end <= one.what.start
                and when.start not in used and when.reach != "ahead"
                and not _is_of_another(text, when, one.owner, mentions, words)
            ]  # fmt: skip
            if leading:
                one.time = leading[-1]
                used.add(leading[-1].start)
    opening = [
        when
        for when in times
        if when.reach in ("at", "earlier", "entry")
        and not text[sentence[0] : when.start].strip(" *•-–\t\n" + words.openers)
    ]
    for one in told:
        if one.time is None and opening and not words.past_lead.search(text, sentence[0], one.what.start):
            one.time = opening[0]


def _is_of_another(
    text: str, when: When, owner: AssertedName, mentions: Sequence[AssertedName], words: AssignmentWords
) -> bool:
    """Whether a time closes what is said of another name ("MCI since June 2018, MMSE 24")."""
    others = [other for other in mentions if other is not owner and other.end <= when.start]
    if not others or owner.start < others[-1].end:
        return False
    return not words.parts_names.search(text[others[-1].end : when.start].replace(words.no_part, ""))


def _mark_past(
    text: str,
    sentence: tuple[int, int],
    told: list[Told],
    times: Sequence[When],
    carried: AssertedName | None,
    words: AssignmentWords,
) -> None:
    by_owner: dict[int, list[Told]] = {}
    for one in told:
        by_owner.setdefault(id(one.owner), []).append(one)
    for same in by_owner.values():
        for index, one in enumerate(same):
            begin = same[index - 1].what.end if index else sentence[0]
            lead = text[begin : one.what.start]
            trail = text[one.what.end : same[index + 1].what.start if index + 1 < len(same) else sentence[1]]
            before = (lead if one.time is None else lead.replace(text[one.time.start : one.time.end], "")).rstrip(
                " ,(:"
            )
            one.past = bool(
                words.past_lead.search(before)
                or words.past_trail.match(trail if index + 1 == len(same) or not words.leads_on.match(trail) else "")
                or (one.time is not None and one.time.reach in ("earlier", "entry"))
                or (index + 1 < len(same) and words.to.match(trail))
            )
            if len(same) == 1 and words.unmoved.search(before):
                one.past = False
            if one.owner is carried and one.time is not None and (one.time.years or 0.0) < -one.time.precision:
                one.past = True  # "… is 24. A year earlier it was 26"
            follows_on = index and words.follows_on.fullmatch(lead)  # "38 mL, was 35"
            if follows_on or (len(same) > 1 and one.time is not None and one.time.anchored):
                one.past = True
            bracketed = (
                text[one.what.start - 1 : one.what.start] == "(" and text[one.what.end : one.what.end + 1] == ")"
            )
            if index and bracketed and not text[same[index - 1].what.end : one.what.start].strip(" ("):
                one.past = True
        _mark_older(same)
        _date_changes(text, same, times, words)
        for one in same:
            if not one.past and one.time is not None and one.time.reach == "since":
                between = [w for w in times if w.reach == "at" and one.owner.end <= w.start and w.end <= one.what.start]
                one.time = between[-1] if between else None  # it is so now, and has been since


def _mark_older(same: list[Told]) -> None:
    """Of several values of one name the newest by its time is the present one."""
    dated = [one for one in same if one.time is not None and one.time.years is not None and one.time.reach == "at"]
    current = [one for one in same if not one.past]
    if len(current) < 2:
        return
    newest = max((one.time for one in dated if one.time), key=lambda when: when.years or 0.0, default=None)
    if newest is not None and newest.years is not None:
        now = newest.years >= -newest.precision  # of the note's day, as a value without a time is
        for one in current:
            if one not in dated:
                one.past = now  # "was 26 and is now 24"
            elif one.time and one.time.years is not None:
                older = one.time.years < newest.years
                one.past = older or (not now and any(other not in dated for other in current))
    current = [one for one in same if not one.past]
    if len(current) > 1 and any(one in dated for one in current):
        for one in current[1:]:
            one.past = True


def _date_changes(text: str, same: Sequence[Told], times: Sequence[When], words: AssignmentWords) -> None:
    """Give the two ends of a change their times.

    Of "from 26 to 24 over six months" (or "since March") the first is that long ago;
    "26 → 24 (March 2023 → March 2024)"
    is told in order; and "six months earlier" is so from the other's time.
    """
    past, now = [one for one in same if one.past], [one for one in same if not one.past]
    if len(past) != 1 or len(now) != 1:
        return
    old, new = past[0], now[0]
    if new.time is not None and new.time.reach == "since":
        if old.time is None:
            old.time = new.time
        new.time = None
    if old.time is None or old.time is new.time:
        pair = [when for when in times if when.start >= new.what.end and when.reach == "at"][:2]
        if len(pair) == 2 and words.time_pair.fullmatch(text, pair[0].end, pair[1].start):
            old.time, new.time = pair
    before, after = old.time, new.time
    if before is None or after is None or before is after or not before.anchored or after.reach != "at":
        return
    if before.years is not None and after.years is not None:
        old.time = replace(before, years=before.years + after.years, anchored=False)
