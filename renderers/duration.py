"""Ages as ISO 8601 durations."""

from __future__ import annotations

YEAR, MONTH, DAY, HOUR = 525_960, 43_830, 1_440, 60  # minutes; a year is 365.25 days, a month a twelfth of it


def write_age(years: float, *, hours: bool = False) -> str:
    """Years as "P40Y3M12D", to the day, or with `hours` to the minute: "P65Y2DT3H20M". Nothing is "P0D".

    Raises ValueError for a negative age.
    """
    if years < 0:
        raise ValueError(f"an age is not negative: {years}")
    months, rest = divmod(round(years * YEAR), MONTH)
    days = rest // DAY if hours else round(rest / DAY)
    minutes = rest % DAY if hours else 0
    dated = _write({"Y": months // 12, "M": months % 12, "D": days})
    timed = _write({"H": minutes // HOUR, "M": minutes % HOUR})
    return f"P{dated}T{timed}" if timed else f"P{dated or '0D'}"


def _write(counts: dict[str, int]) -> str:
    return "".join(f"{count}{letter}" for letter, count in counts.items() if count)
