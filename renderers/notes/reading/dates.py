"""Times in clinical text: absolute dates, times of the day, and times told from the note ("six months ago").

General English and the usual numeric formats; what is found is told in years from the note's own date.
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from .values import NUMBER_WORDS, parse_number

YEAR_DAYS = 365.25
_UNITS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": YEAR_DAYS / 12, "year": YEAR_DAYS}
_SHORT = {"min": "minute", "hr": "hour", "h": "hour", "d": "day", "wk": "week", "mo": "month", "mth": "month"} | {
    "yr": "year", "y": "year"
}  # fmt: skip
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
_MONTHS |= {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name} | {"sept": 9}

Reach = Literal["at", "earlier", "entry", "since", "ahead"]


@dataclass(frozen=True)
class When:
    """A time in the text, [start, end) in code points.

    `years` from the note (negative: before it), or None where the words give none; `precision` is how far, in years,
    the time may be from it as it is written. `reach` says what the words mean: `at` a time, only `earlier` than the
    note, at `entry` into care, `since` a time or over a span up to the note, or `ahead` of it.
    """

    start: int
    end: int
    years: float | None
    precision: float
    reach: Reach
    anchored: bool = False  # told from another time in the text ("six months earlier"), which the note's may not be


_MONTH = r"(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")"
_UNIT = r"(?:minutes?|mins?|hours?|hrs?|h|days?|d|weeks?|wks?|months?|mths?|mo|years?|yrs?|y)"
_COUNT = rf"(?:\d+(?:\.\d+)?|half\s+an?|an?|(?:the\s+)?couple\s+of|a\s+few|several|{NUMBER_WORDS})"
_ONE_SPAN = rf"{_COUNT}(?:\s+and\s+an?\s+half)?[\s-]*{_UNIT}\b\.?(?:\s+and\s+an?\s+half)?"
_SPAN = rf"(?:{_ONE_SPAN})(?:(?:\s*,)?\s*(?:and\s+)?\d+[\s-]*{_UNIT}\b\.?)?"
_TIME = r"(?:[01]?\d|2[0-3])[:h][0-5]\d(?:\s*(?:h|hrs|hours)\b)?"
_ABOUT = r"(?:about|around|approximately|approx\.?|roughly|nearly|almost|some|just\s+(?:over|under)|~)"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20)\d\d"

_PATTERNS: tuple[tuple[str, str], ...] = (
    ("iso", rf"(?P<iso>{_YEAR}-\d\d-\d\d)(?:[T\s,]+(?:at\s+)?(?P<iso_time>{_TIME}))?"),
    ("written", rf"(?P<w_day>{_DAY})(?:\s+of)?[\s-]+(?P<w_month>{_MONTH})\.?,?[\s-]+"
                rf"(?P<w_year>{_YEAR}|'?\d\d(?!\d|[:.]))(?:,?\s+(?:at\s+)?(?P<w_time>{_TIME}))?"),
    ("american", rf"(?P<a_month>{_MONTH})\.?\s+(?P<a_day>{_DAY})\s*,\s*(?P<a_year>{_YEAR})"
                 rf"(?:,?\s+(?:at\s+)?(?P<a_time>{_TIME}))?"),
    ("numeric", rf"(?<![\d/.])(?P<n_one>\d\d?)(?P<n_mark>[/.-])(?P<n_two>\d\d?)(?P=n_mark)"
                rf"(?P<n_year>{_YEAR}|\d\d)(?![\d/])"
                rf"(?:,?\s+(?:at\s+)?(?P<n_time>{_TIME}))?"),
    ("month", rf"(?P<m_month>{_MONTH})\.?,?\s+(?:of\s+)?(?P<m_year>{_YEAR}|'\d\d)"),
    ("month_number", rf"(?<![\d/.])(?P<s_month>0?[1-9]|1[0-2])/(?P<s_year>{_YEAR})(?![\d/])"),
    ("day_month", rf"(?P<d_day>{_DAY})(?:\s+of)?\s+(?P<d_month>{_MONTH})\b(?!\s*\d)|"
                  rf"(?P<e_month>{_MONTH})\.?\s+(?P<e_day>{_DAY})\b(?!\s*[,/:.]?\d)"),
    ("ahead", rf"\b(?:in|after|within)\s+(?:{_ABOUT}\s+)?(?:another\s+)?{_SPAN}(?:['’]s?\s+time)\b|"
              rf"\b(?:(?:again|review(?:ed)?|seen?|repeat(?:ed)?|back|follow-?up|return|recheck(?:ed)?|due)\s+(?:\w+\s+){{0,3}}?"
              rf"in)\s+(?:{_ABOUT}\s+)?{_SPAN}|\bnext\s+(?:visit|week|month|year|appointment|review)\b|\btomorrow\b"),
    ("ago", rf"(?:{_ABOUT}\s*)?(?P<ago>{_SPAN})\s+(?:ago|earlier|previously|before(?:hand)?|prior|back)\b"),
    ("at_entry", rf"(?P<later>{_SPAN})\s+(?:after|into|since|from)\s+(?:entry|admission|baseline|the\s+first\s+visit)"),
    ("over", rf"\b(?:over|during|for|in|within)\s+(?:the\s+)?(?:(?:last|past|previous|preceding)\s+)(?:{_ABOUT}\s*)?"
             rf"(?P<over>(?:{_SPAN}|{_UNIT}\b))|\b(?:over|within|during|in|across)\s+(?:the\s+(?:course\s+of\s+)?)?(?:{_ABOUT}\s*)?(?P<within>{_SPAN})(?!\s+(?:time|ago|old))|\bfor\s+(?:the\s+)?(?:{_ABOUT}\s*)?(?P<lasting>{_SPAN})(?!\s+(?:ago|old))"),
    ("last", r"\b(?P<last>(?:last|the\s+previous)\s+(?:night|week|month|year|spring|summer|autumn|fall|winter))\b|"
             rf"\b(?:last|this|since|in|during|of|by|from)\s+(?P<bare>{_MONTH})\b(?!\s+\d)"),
    ("yesterday", r"\byesterday\b"),
    ("today", r"\b(?:today(?:['’]s)?|now|currently|at\s+present|presently|"
              r"this\s+(?:visit|morning|afternoon|evening|week)|"
              r"on\s+this\s+occasion|at\s+(?:the\s+)?time\s+of\s+(?:writing|review)|tonight)\b"),
    ("entry", r"\b(?:(?:at|on|from)\s+(?:the\s+)?(?:baseline|entry|"
              r"first\s+(?:visit|assessment|review|attendance)|admission|presentation|arrival|enrolment|outset)|initially|originally|baseline)\b"),
    ("earlier", r"\b(?:(?:at|on|since|from|than)\s+(?:the\s+|his\s+|her\s+|their\s+|our\s+)?"
                r"(?:last|previous|prior|preceding|earlier)\s+(?:visit|review|assessment|occasion|scan|examination|study|appointment|time|clinic|test(?:ing)?|"
                r"measurement|reading|check|letter|note|rating|MRI|PET|chart(?:ing)?|entry|value|score|result)s?|last\s+time|"
                r"previously|formerly|in\s+the\s+past|prev\.?(?=[\s:]))"),
    ("year", rf"\b(?:in|since|during|of|from|by|early|late|mid-?)\s*(?P<y_year>{_YEAR})\b(?!-\d)"),
    ("clock", rf"(?:\bat\s+|@\s*)?(?<![\d:])(?P<c_time>{_TIME})(?![\d:])"),
)  # fmt: skip
_ANY = re.compile("|".join(f"(?P<{name}_>{pattern})" for name, pattern in _PATTERNS), re.IGNORECASE)

_WORD = re.compile(r"(?<![\w.])(?:\d+|[A-Za-z]+|[~@])")
# the words that a time may begin with
_STARTERS = {*_MONTHS, *re.findall(r"[a-z]+", NUMBER_WORDS)} | {
    "a", "an", "half", "the", "couple", "several", "about", "around", "approximately", "approx", "roughly",
    "nearly", "almost", "some", "just", "in", "after", "within", "again", "review", "reviewed", "see", "seen",
    "repeat", "repeated", "back", "follow", "return", "recheck", "rechecked", "due", "next", "tomorrow", "over",
    "during", "for", "last", "this", "since", "of", "by", "from", "yesterday", "today", "now", "currently", "at",
    "presently", "on", "tonight", "initially", "originally", "baseline", "than", "previously", "formerly", "prev",
    "early", "late", "mid", "~", "@",
}  # fmt: skip


def find_times(text: str, date: datetime.date) -> list[When]:
    """The times in the text, in order and without overlap, told in years from `date` (a datetime where hours count).

    Of a date such as 03/04/2024 the day comes first, unless the note writes its own date, or another of its dates can
    only be read, the other way round.
    """
    month_first = _is_month_first(text, date)
    found: list[When] = []
    end = 0
    for word in _WORD.finditer(text):  # matching everywhere would take ten times as long
        if word.start() < end or not (word.group()[0].isdigit() or word.group().lower() in _STARTERS):
            continue
        match = _ANY.match(text, word.start())
        when = _read(match, text, date, month_first) if match is not None else None
        if when is not None:
            if match is not None and match["c_time"]:
                when = _add_day(text, when, match["c_time"], date, month_first)
            found.append(when)
            end = when.end
    return found


def _add_day(text: str, when: When, clock: str, date: datetime.date, month_first: bool) -> When:
    """A time of the day with the date that follows it ("at 21:45 on 11 June"); as it was where none does."""
    joined = re.compile(r"\s*,?\s+on\s+").match(text, when.end)
    match = _ANY.match(text, joined.end()) if joined else None
    day = _read(match, text, date, month_first) if match else None
    if day is None or day.years is None or not isinstance(date, datetime.datetime):
        return when
    hour, minute = (int(piece) for piece in re.findall(r"\d+", clock)[:2])
    noon = (hour * 60 + minute - 720) / 1440 / YEAR_DAYS  # days are dated at noon
    return replace(when, end=day.end, years=day.years + noon)


def _read(match: re.Match[str], text: str, date: datetime.date, month_first: bool) -> When | None:
    name = (match.lastgroup or "").rstrip("_")
    for group in match.groupdict():  # the outer groups alone end so
        if group.endswith("_") and match.group(group) is not None:
            name = group[:-1]
    start, end = match.span()
    if name in ("iso", "written", "american", "numeric", "month", "month_number", "day_month", "year"):
        found = _read_date(name, match, date, month_first)
        if found is None:
            return None
        years, precision = found
        return When(start, end, years, precision, "since" if _follows_since(text, start, match) else "at")
    if name == "ago":
        days, precision = _read_span(match.group("ago"))
        reach: Reach = "since" if _follows_since(text, start, match) else "at"
        return When(start, end, -days / YEAR_DAYS, precision, reach, not re.search(r"(?:ago|back)$", match.group()))
    if name == "over":
        words = match.group("over") or match.group("lasting") or match.group("within")
        days, precision = _read_span(words)
        return When(start, end, -days / YEAR_DAYS, precision, "since")
    if name == "last":
        return _read_last(match, date)
    if name == "yesterday":
        return When(start, end, -1 / YEAR_DAYS, 1 / YEAR_DAYS, "at")
    if name == "today":
        return When(start, end, 0.0, 1 / YEAR_DAYS, "at")
    if name == "clock":
        years, precision = _read_clock(match.group("c_time"), date)
        return When(start, end, years, precision, "since" if _follows_since(text, start, match) else "at")
    if name in ("entry", "at_entry"):
        return When(start, end, None, 0.0, "entry")
    return When(start, end, None, 0.0, "ahead" if name == "ahead" else "earlier")


def _follows_since(text: str, start: int, match: re.Match[str]) -> bool:
    return bool(re.search(r"\bsince\s+(?:about\s+|around\s+)?$", text[max(0, start - 16) : start], re.IGNORECASE)) or (
        match.group(0).lower().startswith("since")
    )


def _years_from(date: datetime.date, moment: datetime.datetime) -> float:
    note = date if isinstance(date, datetime.datetime) else datetime.datetime.combine(date, moment.time())
    return (moment - note.replace(tzinfo=None)).total_seconds() / 86400 / YEAR_DAYS


def _read_date(name: str, match: re.Match[str], date: datetime.date, month_first: bool) -> tuple[float, float] | None:
    """Years from the note and their precision, of an absolute date; None for one that no calendar has."""
    part = match.groupdict()
    clock = part["iso_time"] or part["w_time"] or part["a_time"] or part["n_time"]
    if name == "year":
        middle = datetime.datetime(int(part["y_year"]), 7, 2)
        return _years_from(date, middle), 0.5
    if name == "iso":
        year, month, day = (int(piece) for piece in part["iso"].split("-"))
    elif name == "numeric":
        one, two = int(part["n_one"]), int(part["n_two"])
        day, month = (two, one) if (month_first and one <= 12) or two > 12 else (one, two)
        year = _full_year(part["n_year"])
    elif name in ("month", "month_number"):
        month = _MONTHS[part["m_month"].lower()] if part["m_month"] else int(part["s_month"])
        year, day = _full_year(part["m_year"] or part["s_year"]), 15
    elif name == "day_month":
        month = _MONTHS[(part["d_month"] or part["e_month"]).lower()]
        day = _ordinal(part["d_day"] or part["e_day"])
        year = date.year if (month, day) <= (date.month, date.day) else date.year - 1
    else:
        prefix = "w" if name == "written" else "a"
        day, month = _ordinal(part[f"{prefix}_day"]), _MONTHS[part[f"{prefix}_month"].lower()]
        year = _full_year(part[f"{prefix}_year"])
    try:
        moment = datetime.datetime(year, month, day)
    except ValueError:
        return None
    if clock:
        hour, minute = (int(piece) for piece in re.findall(r"\d+", clock)[:2])
        return _years_from(date, moment.replace(hour=hour, minute=minute)), 1 / 1440 / YEAR_DAYS
    if isinstance(date, datetime.datetime):
        moment = moment.replace(hour=12)
    return _years_from(date, moment), (16 if name in ("month", "month_number") else 1) / YEAR_DAYS


def _read_last(match: re.Match[str], date: datetime.date) -> When:
    start, end = match.span()
    if match.group("bare"):  # "in March": the latest one
        month = _MONTHS[match.group("bare").lower()]
        year = date.year if month <= date.month else date.year - 1
        years = _years_from(date, datetime.datetime(year, month, 15))
        return When(start, end, years, 16 / YEAR_DAYS, "since" if match.group(0).lower().startswith("since") else "at")
    word = match.group("last").lower().split()[-1]
    days = {"night": 1.0, "week": 7.0, "month": YEAR_DAYS / 12, "year": YEAR_DAYS}.get(word, YEAR_DAYS / 2)
    return When(start, end, -days / YEAR_DAYS, days / 2 / YEAR_DAYS, "at")


def _read_clock(words: str, date: datetime.date) -> tuple[float, float]:
    """A time of the day: the latest one that is not after the note."""
    hour, minute = (int(piece) for piece in re.findall(r"\d+", words)[:2])
    if not isinstance(date, datetime.datetime):
        return 0.0, 1 / YEAR_DAYS
    moment = date.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if moment > date:
        moment -= datetime.timedelta(days=1)
    return _years_from(date, moment.replace(tzinfo=None)), 1 / 1440 / YEAR_DAYS


@lru_cache(maxsize=4096)
def _read_span(words: str) -> tuple[float, float]:
    """Days that a span lasts ("a year and a half"), and its precision in years: half its smallest unit, as written."""
    days, precision = 0.0, 0.0
    for piece in re.finditer(rf"(?P<count>{_COUNT})?(?P<half>\s+and\s+an?\s+half)?[\s-]*(?P<unit>{_UNIT})\b\.?"
                             rf"(?P<more>\s+and\s+an?\s+half)?", words, re.IGNORECASE):  # fmt: skip
        unit = piece["unit"].lower().rstrip("s") or "second"
        length = _UNITS[_SHORT.get(unit, unit)]
        count = _read_count(piece["count"] or "one")
        half = bool(piece["half"] or piece["more"])
        days += (count + 0.5 * half) * length
        vague = bool(re.search("few|several|couple", piece["count"] or "", re.IGNORECASE))
        precision = length * (2.0 if vague else 0.25 if half or count % 1 else 0.5)
    return days, precision / YEAR_DAYS


def _read_count(words: str) -> float:
    words = re.sub(r"\s+", " ", words.lower())
    if words.startswith("half"):
        return 0.5
    if words in ("a", "an"):
        return 1.0
    if "couple" in words:
        return 2.0
    if words in ("a few", "several"):
        return 3.0
    return parse_number(words)


def _ordinal(words: str) -> int:
    return int(re.sub(r"\D", "", words))


def _full_year(words: str) -> int:
    year = int(words.lstrip("'’"))
    return year if year > 99 else 2000 + year if year < 70 else 1900 + year


def _numeric_dates(text: str) -> Iterator[tuple[int, int, int]]:
    for match in re.finditer(rf"(?<![\d/.])(\d\d?)[/.-](\d\d?)[/.-]({_YEAR}|\d\d)(?![\d/])", text):
        yield int(match[1]), int(match[2]), _full_year(match[3])


def _is_month_first(text: str, date: datetime.date) -> bool:
    found = list(_numeric_dates(text))
    if date.day != date.month and date.day <= 12:
        if (date.month, date.day, date.year) in found:
            return True
        if (date.day, date.month, date.year) in found:
            return False
    first, second = any(one > 12 for one, _, _ in found), any(two > 12 for _, two, _ in found)
    return second and not first
