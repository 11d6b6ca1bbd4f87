"""Which number, or level, belongs to which name, and when it was so: "MMSE fell from 26 in March to 24 today"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from .dates import When
from .values import Quantity


@dataclass(frozen=True)
class Mention:
    """A name in the text, [start, end), of a variable; `clause` is the reach of what is said of it."""

    start: int
    end: int
    variable: str
    kind: str
    negated: bool
    uncertain: bool
    elsewhere: bool
    clause: tuple[int, int]
    level: str = ""  # where the name says it: "hypotensive"


@dataclass(frozen=True)
class Level:
    """A word for a level ("raised"), [start, end)."""

    start: int
    end: int
    words: str


@dataclass
class Told:
    """A number or level with its owner, and the time that stands with it."""

    what: Quantity | Level
    owner: Mention
    time: When | None = None
    past: bool = False
    order: int = field(default=0)


Fits = Callable[[Mention, Quantity | Level], bool]
_AS_THEN = re.compile(
    r"^[^.;:]{0,12}\b(?:same|unchanged|similar|identical|no\s+change|equal|stable|steady|static|as)\b[^.;:\d]*$",
    re.IGNORECASE,
)
_UNMOVED = re.compile(
    r"(?:\b(?:not|unchanged|no\s+different|no\s+change)|n['’]t)\b(?:\s+\w+){0,2}\s+from\W*$", re.IGNORECASE
)
_AT = re.compile(r"\b(?:at|with)\s+$", re.IGNORECASE)
_COMMA = re.compile(r"\s*,\s*(?:the|his|her|their)?\s*", re.IGNORECASE)
_LINK = (
    r"\s*\)?\s*(?:(?:is|was|are|were|being|as)\s+)?(?:(?:measured|recorded|found|given|obtained|reported|noted|seen|scored|put"
    r"|calculated|estimated|charted|documented|the\s+(?:value|score|figure|result))\s+)?(?:on|for|in|at|of|by)?\s*(?:(?:the|his|her|their|a|an|today['’]s|repeat|formal|total|combined|bedside|serum|plasma"
    r"|current|latest|most|recent|bilateral|overall|both|mean|standard|full)\s+)*"
)
_FORWARD = re.compile(rf"^{_LINK}$", re.IGNORECASE)
_FORWARD_PREPOSITION = re.compile(r"^\s*\)?\s*(?:on|for|in|of)\b", re.IGNORECASE)
_BREAK = re.compile(r"[,;.:|]|\b(?:and|but|while|with|whereas|then)\b")
_PAST_LEAD = re.compile(
    r"(?:\bfrom|\bpreviously|\bprev\.?|\bformerly|\b(?:compared|relative|contrast(?:ed)?)\s+(?:with|to)|\bagainst|\bversus|\bvs\.?"
    r"|\blast|\bprior|\bearlier|\bhad\s+been|\bthan|\bbaseline|\bcf\.?|\binitially|\boriginally|\bused\s+to\s+be|\bpast|\bafter"
    r"|\bwas(?=[^a-z]*$)(?<=\(was)|\bhaving\s+been|\babove|\bbelow)"
    r"(?:\s+(?:a|an|the|about|around|approximately|value|score|level|reading|result|figure|volume|one|rating|total|of|was|at|its|in"
    r"|our|his|her|their|previous|last|baseline|earlier|initial|measurement|estimate|\w+['’]s))*[\s:=,(]*$",
    re.IGNORECASE,
)
_PAST_TRAIL = re.compile(
    r"^\s*(?:→|->|=>|➔|⟶|>(?=\s*\d))|^\s*,?\s*\(?(?:previously|before\b|beforehand|earlier|initially)", re.IGNORECASE
)
_LEADS_ON = re.compile(r"^\s*,?\s*\(?(?:previously|before|earlier|initially)[\s:=~]*$", re.IGNORECASE)
_COMPARED = re.compile(
    r"\b(?:compared|relative|in\s+comparison|in\s+contrast|as\s+against|from)\s*(?:with|to)?\s+(?:the\s+|a\s+)?(?:\w+\s+(?:of\s+)?)?$",
    re.IGNORECASE,
)
_TO = re.compile(r"^\s*(?:to|→|->)\s*$", re.IGNORECASE)
_NOW_LEAD = re.compile(r"(?:\bto|→|->|\bnow|\bat|\bcurrently|\btoday)\s*$", re.IGNORECASE)
_JOIN_AFTER = re.compile(
    r"^[\s,(\[]*(?:(?:as\s+)?(?:measured|recorded|taken|charted|obtained|scored|rated|done|performed|dated|when\s+(?:seen|tested|measured))"
    r"\s*)?(?:on|in|at|from|of|as\s+of|back\s+in|by|around|about|until|was|last|since|for|over|~|dated)?\s*(?:the\s+)?[\s(\[]*$",
    re.IGNORECASE,
)


def assign_values(
    text: str,
    sentence: tuple[int, int],
    mentions: Sequence[Mention],
    quantities: Sequence[Quantity | Level],
    times: Sequence[When],
    *,
    fits: Fits,
    carried: Mention | None,
) -> list[Told]:
    """The values of a sentence with their owners among its mentions, or `carried` from the sentence before.

    `fits` says whether a mention's variable can have such a value (its unit, its levels). Changes ("by 3 points") are
    read over. A value that stands beside a newer one of the same name is marked as past.
    """
    told: list[Told] = []
    for quantity in sorted(quantities, key=lambda quantity: quantity.start):
        if isinstance(quantity, Quantity) and quantity.change:
            continue
        owner = _find_owner(text, sentence, quantity, mentions, told, fits)
        if owner is None and carried is not None and fits(carried, quantity) and not mentions:
            owner = carried
        if owner is not None:
            told.append(Told(quantity, owner, order=len(told)))
    _attach_times(text, sentence, told, mentions, quantities, times)
    _mark_past(text, sentence, told, times, carried)
    return told


def _find_owner(
    text: str,
    sentence: tuple[int, int],
    quantity: Quantity | Level,
    mentions: Sequence[Mention],
    told: list[Told],
    fits: Fits,
) -> Mention | None:
    able = [mention for mention in mentions if fits(mention, quantity)]
    before = [mention for mention in able if mention.end <= quantity.start]
    after = [mention for mention in able if mention.start >= quantity.end]
    if after:
        gap = text[quantity.end : after[0].start]
        served = not before or any(one.owner is before[-1] for one in told)
        beside = bool(before) and not text[before[-1].end : quantity.start].strip(" :=")
        if _FORWARD.match(gap) and (served or _FORWARD_PREPOSITION.match(gap) or isinstance(quantity, Level)):
            level_of_what_precedes = isinstance(quantity, Level) and beside and not served
            named_by_unit = re.match(r"(?:years?|points?|copies)\b", text[after[0].start :], re.IGNORECASE)
            if gap.strip() or named_by_unit or isinstance(quantity, Level) or not before:
                return before[-1] if level_of_what_precedes else after[0]
    if after and _is_compared_ahead(text, sentence, quantity, before, after[0], told):
        return after[0]
    if before:
        return before[-1]
    opens = _AT.search(text, sentence[0], quantity.start)
    if after and opens and _COMMA.fullmatch(text, quantity.end, after[0].start):
        return after[0]  # "At 24/30, her MMSE …"
    leads = not text[sentence[0] : quantity.start].strip(" \t\n*•-–")
    if after and leads and re.fullmatch(r"[^,.;:()]{4,40},\s*(?:the|his|her)?\s*", text[quantity.end : after[0].start]):
        return after[0]  # "Low an hour earlier, the pressure is now normal"
    return after[0] if after and not _BREAK.search(text[quantity.end : after[0].start]) else None


def _is_compared_ahead(
    text: str,
    sentence: tuple[int, int],
    quantity: Quantity | Level,
    before: Sequence[Mention],
    after: Mention,
    told: Sequence[Told],
) -> bool:
    """ "Compared with 26 in March, the MMSE …": the comparison opens its clause, and what it is of follows."""
    lead = _COMPARED.search(text, sentence[0], quantity.start)
    between = text[quantity.end : after.start]
    if lead is None or re.search(r"[;:.]\s", between) or not re.search(r",\s*(?:the|his|her|their)?\s*$", between):
        return False
    opening = text[sentence[0] : lead.start()].rstrip()
    alone = not before or opening.endswith((";", ":", "and", "while", "but", "whereas"))
    return alone or any(one.past and one.owner is before[-1] for one in told)


def _attach_times(
    text: str,
    sentence: tuple[int, int],
    told: list[Told],
    mentions: Sequence[Mention],
    quantities: Iterable[Quantity | Level],
    times: Sequence[When],
) -> None:
    """Give each value the time that follows it directly, else one that leads it, else one that opens the sentence."""
    used: set[int] = set()
    stops = sorted(item.start for item in (*mentions, *quantities))
    for one in told:
        at = one.what.end
        for when in times:
            if when.start >= at and when.start not in used and when.reach != "ahead":
                between = text[at : when.start]
                if _AS_THEN.search(between) and not _PAST_LEAD.search(text, sentence[0], one.what.start):
                    used.add(when.start)  # "the same as six months ago"
                    continue
                later = [other for other in told if other.what.start >= when.end]
                if (
                    re.search(r"[,(]", between)
                    and later
                    and not re.search(r"[,;)]", text[when.end : later[0].what.start])
                ):
                    break  # "25, today it is 23": the next one's
                if _JOIN_AFTER.match(between) or (
                    not any(at <= stop < when.start for stop in stops)
                    and not re.search(r"[,;:–—]|\band\b|\bbut\b", between)
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
                and not _is_of_another(text, when, one.owner, mentions)
            ]  # fmt: skip
            if leading:
                one.time = leading[-1]
                used.add(leading[-1].start)
    opening = [
        when
        for when in times
        if when.reach in ("at", "earlier", "entry") and not text[sentence[0] : when.start].strip(" *•-–\t\nOoIiAaTtNn")
    ]
    for one in told:
        if one.time is None and opening and not _PAST_LEAD.search(text, sentence[0], one.what.start):
            one.time = opening[0]


def _is_of_another(text: str, when: When, owner: Mention, mentions: Sequence[Mention]) -> bool:
    """Whether a time closes what is said of another name ("MCI since June 2018, MMSE 24")."""
    others = [other for other in mentions if other is not owner and other.end <= when.start]
    if not others or owner.start < others[-1].end:
        return False
    return not re.search(r"[,;:.]|\band\b", text[others[-1].end : when.start].replace("dx.", ""))


def _mark_past(
    text: str, sentence: tuple[int, int], told: list[Told], times: Sequence[When], carried: Mention | None
) -> None:
    by_owner: dict[int, list[Told]] = {}
    for one in told:
        by_owner.setdefault(id(one.owner), []).append(one)
    for same in by_owner.values():
        for index, one in enumerate(same):
            begin = same[index - 1].what.end if index else sentence[0]
            lead = text[begin : one.what.start]
            trail = text[one.what.end : same[index + 1].what.start if index + 1 < len(same) else sentence[1]]
            words = (lead if one.time is None else lead.replace(text[one.time.start : one.time.end], "")).rstrip(" ,(:")
            one.past = bool(
                _PAST_LEAD.search(words)
                or _PAST_TRAIL.match(trail if index + 1 == len(same) or not _LEADS_ON.match(trail) else "")
                or (one.time is not None and one.time.reach in ("earlier", "entry"))
                or (index + 1 < len(same) and _TO.match(trail))
            )
            if len(same) == 1 and _UNMOVED.search(words):
                one.past = False
            if one.owner is carried and one.time is not None and (one.time.years or 0.0) < -one.time.precision:
                one.past = True  # "… is 24. A year earlier it was 26"
            follows_on = index and re.fullmatch(r"[\s,;(]*(?:was|from)\s*", lead)  # "38 mL, was 35"
            if follows_on or (len(same) > 1 and one.time is not None and one.time.anchored):
                one.past = True
            bracketed = (
                text[one.what.start - 1 : one.what.start] == "(" and text[one.what.end : one.what.end + 1] == ")"
            )
            if index and bracketed and not text[same[index - 1].what.end : one.what.start].strip(" ("):
                one.past = True
        _mark_older(same)
        _date_changes(text, same, times)
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


def _date_changes(text: str, same: Sequence[Told], times: Sequence[When]) -> None:
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
        if len(pair) == 2 and re.fullmatch(r"\s*(?:→|->|to|and|–|-|/|,)\s*", text[pair[0].end : pair[1].start]):
            old.time, new.time = pair
    before, after = old.time, new.time
    if before is None or after is None or before is after or not before.anchored or after.reach != "at":
        return
    if before.years is not None and after.years is not None:
        old.time = replace(before, years=before.years + after.years, anchored=False)
