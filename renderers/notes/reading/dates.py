"""Times in clinical text: absolute dates, times of the day, and times told from the note ("six months ago").

General English and the usual numeric formats; what is found is told in years from the note's own date.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace
from typing import Literal

from ..words.reading import ReadingWords
from .values import parse_number

YEAR_DAYS = 365.25
_UNITS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": YEAR_DAYS / 12, "year": YEAR_DAYS}
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


_WORD = re.compile(r"(?<![\w.])(?:\d+|[^\W\d_]+|[~@])")


def find_times(text: str, date: datetime.date, *, words: ReadingWords) -> list[When]:
    """The times in the text, in order and without overlap, told in years from `date` (a datetime where hours count).

    Of a date such as 03/04/2024 the day comes first, unless the note writes its own date, or another of its dates can
    only be read, the other way round.
    """
    month_first = _is_month_first(text, date, words)
    found: list[When] = []
    end = 0
    for word in _WORD.finditer(text):  # matching everywhere would take ten times as long
        if word.start() < end or not (word.group()[0].isdigit() or word.group().lower() in words.starters):
            continue
        match = words.time.match(text, word.start())
        when = _read(match, text, date, month_first, words) if match is not None else None
        if when is not None:
            if match is not None and match["c_time"]:
                when = _add_day(text, when, match["c_time"], date, month_first, words)
            found.append(when)
            end = when.end
    return found


def _add_day(text: str, when: When, clock: str, date: datetime.date, month_first: bool, words: ReadingWords) -> When:
    """A time of the day with the date that follows it ("at 21:45 on 11 June"); as it was where none does."""
    joined = words.times.day_after.match(text, when.end)
    match = words.time.match(text, joined.end()) if joined else None
    day = _read(match, text, date, month_first, words) if match else None
    if day is None or day.years is None or not isinstance(date, datetime.datetime):
        return when
    hour, minute = (int(piece) for piece in re.findall(r"\d+", clock)[:2])
    noon = (hour * 60 + minute - 720) / 1440 / YEAR_DAYS  # days are dated at noon
    return replace(when, end=day.end, years=day.years + noon)


def _read(match: re.Match[str], text: str, date: datetime.date, month_first: bool, words: ReadingWords) -> When | None:
    name = (match.lastgroup or "").rstrip("_")
    for group in match.groupdict():  # the outer groups alone end so
        if group.endswith("_") and match.group(group) is not None:
            name = group[:-1]
    start, end = match.span()
    if name in ("iso", "written", "american", "numeric", "month", "month_number", "day_month", "short", "year"):
        found = _read_date(name, match, date, month_first, words)
        if found is None:
            return None
        years, precision = found
        return When(start, end, years, precision, "since" if _follows_since(text, start, match, words) else "at")
    if name == "ago":
        days, precision = _read_span(match.group("ago"), words)
        reach: Reach = "since" if _follows_since(text, start, match, words) else "at"
        return When(start, end, -days / YEAR_DAYS, precision, reach, not words.times.anchored.search(match.group()))
    if name == "over":
        span = match.group("over") or match.group("lasting") or match.group("within")
        days, precision = _read_span(span, words)
        return When(start, end, -days / YEAR_DAYS, precision, "since")
    if name == "last":
        return _read_last(match, date, words)
    if name == "yesterday":
        return When(start, end, -1 / YEAR_DAYS, 1 / YEAR_DAYS, "at")
    if name == "today":
        return When(start, end, 0.0, 1 / YEAR_DAYS, "at")
    if name == "clock":
        years, precision = _read_clock(match.group("c_time"), date)
        return When(start, end, years, precision, "since" if _follows_since(text, start, match, words) else "at")
    if name in ("entry", "at_entry"):
        return When(start, end, None, 0.0, "entry")
    return When(start, end, None, 0.0, "ahead" if name == "ahead" else "earlier")


def _follows_since(text: str, start: int, match: re.Match[str], words: ReadingWords) -> bool:
    since = words.times.since
    return bool(since.before.search(text[max(0, start - 16) : start])) or match[0].lower().startswith(since.word)


def _years_from(date: datetime.date, moment: datetime.datetime) -> float:
    note = date if isinstance(date, datetime.datetime) else datetime.datetime.combine(date, moment.time())
    return (moment - note.replace(tzinfo=None)).total_seconds() / 86400 / YEAR_DAYS


def _read_date(
    name: str, match: re.Match[str], date: datetime.date, month_first: bool, words: ReadingWords
) -> tuple[float, float] | None:
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
        month = words.times.month_of[part["m_month"].lower()] if part["m_month"] else int(part["s_month"])
        year, day = _full_year(part["m_year"] or part["s_year"]), 15
    elif name == "day_month":
        month = words.times.month_of[(part["d_month"] or part["e_month"]).lower()]
        day = _ordinal(part["d_day"] or part["e_day"])
        year = date.year if (month, day) <= (date.month, date.day) else date.year - 1
    elif name == "short":  # "on 29/8": the latest one
        day, month = int(part["x_day"] or part["y_day"]), int(part["x_month"] or part["y_month"])
        year = date.year if (month, day) <= (date.month, date.day) else date.year - 1
    else:
        prefix = "w" if name == "written" else "a"
        day, month = _ordinal(part[f"{prefix}_day"]), words.times.month_of[part[f"{prefix}_month"].lower()]
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


def _read_last(match: re.Match[str], date: datetime.date, words: ReadingWords) -> When:
    start, end = match.span()
    if match.group("bare"):  # "in March": the latest one
        month = words.times.month_of[match.group("bare").lower()]
        year = date.year if month <= date.month else date.year - 1
        years = _years_from(date, datetime.datetime(year, month, 15))
        return When(
            start, end, years, 16 / YEAR_DAYS, "since" if match[0].lower().startswith(words.times.since.word) else "at"
        )
    unit = words.times.last.get(match.group("last").lower().split()[-1])
    days = _UNITS[unit] if unit else YEAR_DAYS / 2
    return When(start, end, -days / YEAR_DAYS, days / 2 / YEAR_DAYS, "at")


def _read_clock(words: str, date: datetime.date) -> tuple[float, float]:
    """A time of the day: the latest one that is not after the note."""
    hour, minute = (int(piece) for piece in re.findall(r"\d+", words)[:2])
    if not isinstance(date, datetime.datetime):
        return 0.0, 1 / YEAR_DAYS
    moment = date.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if moment > date and moment.toordinal() > 1:
        moment -= datetime.timedelta(days=1)
    return _years_from(date, moment.replace(tzinfo=None)), 1 / 1440 / YEAR_DAYS


def _read_span(text: str, words: ReadingWords) -> tuple[float, float]:
    """Days that a span lasts ("a year and a half"), and its precision in years: half its smallest unit, as written."""
    days, precision = 0.0, 0.0
    for piece in words.span.finditer(text):
        length = _UNITS[words.times.unit_of[piece["unit"].lower()]]
        count = _read_count(piece["count"], words) if piece["count"] else 1.0
        half = bool(piece["half"] or piece["more"])
        days += (count + 0.5 * half) * length
        vague = words.times.vague.search(piece["count"] or "")
        precision = length * (2.0 if vague else 0.25 if half or count % 1 else 0.5)
    return days, precision / YEAR_DAYS


def _read_count(text: str, words: ReadingWords) -> float:
    text = re.sub(r"\s+", " ", text.lower())
    for pattern, count in words.times.counts:
        if pattern.search(text):
            return count
    return parse_number(text, words.numbers)


def _ordinal(words: str) -> int:
    return int(re.sub(r"\D", "", words))


def _full_year(words: str) -> int:
    year = int(words.lstrip("'’"))
    return year if year > 99 else 2000 + year if year < 70 else 1900 + year


def _is_month_first(text: str, date: datetime.date, words: ReadingWords) -> bool:
    found = [(int(one), int(two), _full_year(year)) for one, two, year in words.numeric_date.findall(text)]
    if date.day != date.month and date.day <= 12:
        if (date.month, date.day, date.year) in found:
            return True
        if (date.day, date.month, date.year) in found:
            return False
    first, second = any(one > 12 for one, _, _ in found), any(two > 12 for _, two, _ in found)
    return second and not first
