"""Numbers, dates and stretches of time as clinicians write them."""

from __future__ import annotations

import datetime as dt

from ..words.grammar import LanguageWords, UnitOfTime
from ..words.locale import load_words

COARSE = ("{score}", "[Centiloid]")  # units in which nobody writes a second decimal
HOURS = {
    "year": 365.25 * 24,
    "month": 365.25 * 2,
    "week": 168.0,
    "day": 24.0,
    "hour": 1.0,
    "minute": 1 / 60,
    "second": 1 / 3600,
}


def show_number(value: float, unit: str = "") -> str:
    """A number as a clinician writes it: three figures at most, one decimal for scores, none of trailing zeros."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    size = abs(value)
    if unit in COARSE or 10 <= size < 100:
        decimals = 1
    elif size >= 100:
        decimals = 0
    elif size >= 1:
        decimals = 2
    else:
        decimals = 2 if size >= 0.1 else 3
    text = f"{value:.{decimals}f}"
    shown = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if shown in ("-0", "") else shown


def show_date(date: dt.date, style: str, locale: str = "en") -> str:
    """`date` in one of the locale's styles."""
    return _fill(load_words(LanguageWords, locale).dates.styles[style].date, date, locale)


def show_month(date: dt.date, style: str, locale: str = "en") -> str:
    """Month and year, as the author of `style` would abbreviate them."""
    return _fill(load_words(LanguageWords, locale).dates.styles[style].month, date, locale)


def _fill(template: str, date: dt.date, locale: str) -> str:
    words = load_words(LanguageWords, locale).dates
    return template.format(
        day=date.day,
        ordinal=words.days[date.day - 1],
        month=words.months[date.month - 1],
        short_month=words.short_months[date.month - 1],
        number=date.month,
        year=date.year,
    )


def measure_span(hours: float) -> tuple[int, str]:
    """How long, as a whole number of the unit in which one would say it."""
    if hours < 1.5 / 60:
        return max(round(hours * 3600), 1), "second"
    if hours < 1.5:
        return (round(hours), "hour") if abs(hours - 1) < 0.1 else (max(round(hours * 60), 1), "minute")
    if hours < 48:
        return round(hours), "hour"
    days = hours / 24
    if days < 21:
        return round(days), "day"
    if days < 56:
        return round(days / 7), "week"
    months = round(hours / HOURS["month"])
    if months % 12 == 0:
        return months // 12, "year"
    return (months, "month") if months < 36 else (round(months / 12), "year")


def show_span(hours: float, *, words: bool, locale: str = "en") -> str:
    """A stretch of time: "18 months", or where numbers are written as `words`, "six months"."""
    number, name = measure_span(hours)
    language = load_words(LanguageWords, locale)
    unit: UnitOfTime = getattr(language.spans.units, name)
    shown = language.numbers[number - 1] if words and 0 < number <= len(language.numbers) else str(number)
    return f"{shown} {unit.one if number == 1 else unit.many}"
