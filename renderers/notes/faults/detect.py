"""Faults found in notes: what a reader reads in the text, held against the record and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...journey import Journey, RecordedValue
from ..documents import ClinicalPractice
from ..lexicon import LexiconTerm
from ..reading.reader import NoteReading
from .plan import find_mirrored

Value = float | str
DAY = 1 / 365.25  # years
WITHIN, WITHIN_STAY = (
    2 * DAY,
    DAY / 24 / 6,
)  # how far a time may be off beyond what its words leave open: by day, by hour
# what templates leave behind: brackets to be filled in, variables, wild cards, lists to choose from
PLACEHOLDER = re.compile(r"\{\{[^{}\n]*\}\}|\[[a-z][^\[\]\n]*\]|<<[^<>\n]*>>|\*{3,}|@[A-Z]+@|\bX{2,}(?:/X{2,})+")


@dataclass(frozen=True)
class Suspicion:
    """What text[start:end] (code points) seems to get wrong, and of which variable (none for residue)."""

    kind: str
    start: int
    end: int
    variable: str
    said: float | str | None
    known: float | str | None  # what the record has


def find_faults(
    readings: Sequence[NoteReading], text: str, *, journey: Journey, time: float, practice: ClinicalPractice
) -> list[Suspicion]:
    """What the readings of a note say that the record does not, in the order of the text.

    `time` is the note's, in the clock's unit since entry; of the journey only what was recorded by then is used.
    A value counts as the record's where it rounds to what is written. An earlier value told as today's is stale; if
    today's is told as the earlier one, or the value is the other side's, the side is wrong; any other value
    contradicts. A status that is the contrary of the record's is a negation. What holds at the note's time is right
    whichever time was read. Statics and uncertain statements are not judged.
    """
    chart = _KnownRecord(journey, time, practice, readings)
    found = [suspicion for reading in readings if (suspicion := chart.judge(reading)) is not None]
    return sorted([*found, *find_residue(text)], key=lambda suspicion: (suspicion.start, suspicion.end))


def find_residue(text: str) -> list[Suspicion]:
    """Placeholders of templates, and lines that stand twice running."""
    found = [Suspicion("residue", m.start(), m.end(), "", m[0], "") for m in PLACEHOLDER.finditer(text)]
    at, last = 0, ""
    for line in text.split("\n"):
        if line.strip() and line == last:
            found.append(Suspicion("residue", at, at + len(line), "", line, ""))
        at, last = at + len(line) + 1, line
    return found


@dataclass(frozen=True)
class _KnownRecord:
    """The record as it was at the note's time, and all that was read in the note."""

    journey: Journey
    time: float
    practice: ClinicalPractice
    readings: Sequence[NoteReading]

    def judge(self, reading: NoteReading) -> Suspicion | None:
        judges: dict[str, Callable[[NoteReading, LexiconTerm], Suspicion | None]] = {
            "value": self._judge_value, "finding": self._judge_finding, "event": self._judge_event,
            "treatment": self._judge_treatment,
        }  # fmt: skip
        term = self.practice.lexicon.terms.get(reading.variable)
        if term is None or reading.status == "uncertain" or reading.kind not in judges:
            return None
        return judges[reading.kind](reading, term)

    def rows(self, variable: str) -> list[RecordedValue]:
        return [row for row in self.journey.rows if row.variable == variable and row.time <= self.time]

    def around(self, reading: NoteReading, rows: Sequence[RecordedValue]) -> list[RecordedValue]:
        """The rows that a reading is about: those at its time, or the last one."""
        if reading.time is not None:
            years = self.practice.model.clock.unit
            then = self.time * years + reading.time
            away = reading.precision + (WITHIN_STAY if self.practice.hospital else WITHIN)
            near = [row for row in rows if abs(row.time * years - then) <= away]
            if near:
                return near
        return list(rows[-1:])

    def _judge_finding(self, reading: NoteReading, term: LexiconTerm) -> Suspicion | None:
        if isinstance(reading.value, str) or not term.binary:
            return self._judge_value(reading, term)
        rows = self.rows(reading.variable)
        there = reading.status == "present"
        if any((row.value != 0) == there for row in (*self.around(reading, rows), *rows[-1:])):
            return None
        return self._suspect("negation", reading, "absent" if there else "present")

    def _judge_event(self, reading: NoteReading, term: LexiconTerm) -> Suspicion | None:
        known = any(e.event == reading.variable and e.time <= self.time for e in self.journey.events)
        if known == (reading.status == "present") or term.role in ("end", "departure"):
            return None
        return self._suspect("negation", reading, "present" if known else "absent")

    def _judge_treatment(self, reading: NoteReading, term: LexiconTerm) -> Suspicion | None:
        rows = self.rows(reading.variable)
        given = reading.status == "present"
        if not rows or any((row.value != 0) == given for row in (*self.around(reading, rows), rows[-1])):
            return None
        return self._suspect("negation", reading, "absent" if given else "present")

    def _judge_value(self, reading: NoteReading, term: LexiconTerm) -> Suspicion | None:
        if reading.value is None:
            return None
        rows = self.rows(reading.variable)
        expected = rows if reading.past else [*self.around(reading, rows), *rows[-1:]]
        if any(agrees(reading.value, row.value) for row in expected):
            return None
        known = rows[-1].value if rows else None
        kind = "contradiction"
        if any(agrees(reading.value, row.value) for row in rows[:-1]):
            kind = "side" if self._turned_round(reading, known) else "stale"
        elif self._of_other_side(reading, term):
            kind = "side"
        return self._suspect(kind, reading, known)

    def _turned_round(self, reading: NoteReading, known: Value | None) -> bool:
        """Whether today's value is told beside it, as an earlier one."""
        earlier = [other for other in self.readings if other.variable == reading.variable and other.past]
        return any(o.value is not None and known is not None and agrees(o.value, known) for o in earlier)

    def _of_other_side(self, reading: NoteReading, term: LexiconTerm) -> bool:
        other = find_mirrored(term.variable, self.practice.lexicon)
        value = reading.value
        return (
            other is not None and value is not None and any(agrees(value, r.value) for r in self.rows(other.variable))
        )

    def _suspect(self, kind: str, reading: NoteReading, known: Value | None) -> Suspicion:
        said = reading.value if reading.kind in ("value", "finding") and kind != "negation" else reading.status
        return Suspicion(kind, reading.start, reading.end, reading.variable, said, known)


def agrees(written: Value, recorded: Value) -> bool:
    """Whether a value is what the record has, rounded as it is written: half a unit of its last digit."""
    if isinstance(written, str) or isinstance(recorded, str):
        return written == recorded
    decimals = len(repr(float(written)).partition(".")[2].rstrip("0")) if abs(written) < 1e15 else 0
    return abs(written - recorded) <= 0.5 * 10.0**-decimals + 1e-9 * max(1.0, abs(recorded))
