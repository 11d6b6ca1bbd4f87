"""The scoring's rules, on readings made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nosograph.renderers.notes.reading.reader import NoteReading
from nosograph.renderers.notes.reading.score import Expected, Tally, match_readings

SAID = Expected("mmse", "LOINC:72106-8", "value", 24.4, "{score}", "present", 10, 20, time=-0.5)
READ = NoteReading("mmse", "LOINC:72106-8", "value", 24.4, "{score}", "present", -0.5, 0.05, 12, 18, rounding=0.05)


def score(*readings: NoteReading, said: tuple[Expected, ...] = (SAID,)) -> Tally:
    return sum((match.tally for match in match_readings(said, readings)), Tally())


def test_right() -> None:
    tally = score(READ)
    assert (tally.precision, tally.recall, tally.f1, tally.assertion, tally.time_accuracy) == (1, 1, 1, 1, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"variable": "cdr_sb"},
        {"value": 24.5},
        {"value": 23.0},
        {"value": None},
        {"start": 20, "end": 30},
        {"value": "high"},
    ],
)
def test_wrong_finds_nothing(wrong: dict[str, object]) -> None:
    tally = score(replace(READ, **wrong))
    assert (tally.expected, tally.right) == (1, 0)


def test_value_is_equal_at_the_precision_written() -> None:
    assert score(replace(READ, value=24.0, rounding=0.5)).f1 == 1
    assert score(replace(READ, value=24.0, rounding=0.05)).f1 == 0


def test_status_and_time_are_counted_apart() -> None:
    tally = score(replace(READ, status="absent", time=-0.9))
    assert (tally.f1, tally.assertion, tally.time_accuracy) == (1, 0, 0)


def test_what_is_expected_is_found_once_and_said_again_is_not_false() -> None:
    again = replace(READ, start=40, end=45)
    assert score(READ, again) == score(READ)
    other = replace(again, value=12.0)
    assert score(READ, other) == replace(score(READ), read=2)


def test_units_convert() -> None:
    said = replace(SAID, variable="v", value=6.2, unit="cm3")
    assert score(replace(READ, variable="v", value=6.2, unit="mL"), said=(said,)).f1 == 1
    assert score(replace(READ, variable="v", value=6.2, unit="mm"), said=(said,)).f1 == 0


def test_concept_alone() -> None:
    said = replace(SAID, variable="")
    assert score(replace(READ, variable="anything"), said=(said,)).f1 == 1
    assert score(replace(READ, concept="LOINC:1"), said=(said,)).f1 == 0
