"""How well a text was read: its readings against what it is known to say.

The rules. A reading finds what is expected if it is of the same variable (or, where none is named, of the same
concept), shares a word with the expected mention, and its value is equal at the precision written. What is expected
is found once; a reading that finds nothing is false unless it only says again what the text is known to say.
Precision, recall and F1 are of that; `assertion` is the share of what was found whose status is right as well, and
`timed` the share of what was found and is dated in the text whose time is right within the precision written.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ....causal.model.load import load_model
from ....ontology.knowledge import KnowledgeGraph
from ....ontology.units import parse_unit
from ..facts import Fact, Status
from ..grammar import Note, Span
from ..lexicon import build_lexicon
from ..words.locale import load_words
from ..words.reading import IntervalWords, ReadingWords
from .assertion import AssertionClass
from .reader import ELSEWHERE, NoteReading, build_reader
from .vocabulary import describe_phenotypes

_DAY = 1 / 365.25
_STATUS: Mapping[str, str] = {"possible": "uncertain"}
_PRECISION = {"day": 1, "week": 7, "month": 31, "year": 366}  # days
PHENOTYPES = "phenotypes"  # in the place of a model: every phenotypic abnormality of HPO
UNLABELLED = frozenset({"education"})  # what labels leave out by their convention, with age and sex


@dataclass(frozen=True)
class Expected:
    """What text[start:end] is known to say. `value` None: there or not, and no number. `time` in years from the note,
    None where the words give none, with the `precision` of the words in years. `past`: an earlier value; None: unknown.
    """

    variable: str
    concept: str
    kind: str
    value: float | str | None
    unit: str
    status: Status | AssertionClass
    start: int
    end: int
    time: float | None = None
    precision: float = 0.0
    past: bool | None = None
    as_of: bool = False  # a state, which may be told by when it began or as of the note
    facts: bool = True  # only the patient's facts are expected, not all the classes of assertion


@dataclass(frozen=True)
class Tally:
    """Counts: what was expected, read, and right; and of what was right: right in status, dated, and dated rightly."""

    expected: int = 0
    read: int = 0
    right: int = 0
    asserted: int = 0
    dated: int = 0
    timed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(a + b for a, b in zip(self._counts, other._counts, strict=True)))

    @property
    def _counts(self) -> tuple[int, ...]:
        return self.expected, self.read, self.right, self.asserted, self.dated, self.timed

    @property
    def precision(self) -> float:
        return self.right / self.read if self.read else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.expected if self.expected else 1.0

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.expected + self.read) if self.expected + self.read else 1.0

    @property
    def assertion(self) -> float:
        return self.asserted / self.right if self.right else 1.0

    @property
    def time_accuracy(self) -> float:
        return self.timed / self.dated if self.dated else 1.0


@dataclass(frozen=True)
class Comparison:
    """One comparison: what was expected and what found it; either may be missing."""

    expected: Expected | None
    reading: NoteReading | None

    @property
    def kind(self) -> str:
        return (
            self.expected.kind if self.expected is not None else self.reading.kind if self.reading is not None else ""
        )

    @property
    def tally(self) -> Tally:
        if self.expected is None or self.reading is None:
            return Tally(expected=int(self.expected is not None), read=int(self.reading is not None))
        dated = self.expected.time is not None
        return Tally(1, 1, 1, int(self.is_asserted), dated, int(dated and self.on_time))

    @property
    def is_asserted(self) -> bool:
        """Whether the class that was read is the expected one. Who expects the patient's facts alone knows of no more
        than present, absent and possible: what is over counts as what it was said to have been."""
        if self.expected is None or self.reading is None:
            return False
        if self.expected.facts:
            return self.reading.status == _STATUS.get(self.expected.status, self.expected.status)
        return self.reading.assertion == self.expected.status

    @property
    def on_time(self) -> bool:
        """Whether the time that was read is right. A present value without a time is of the note's day."""
        if self.expected is None or self.reading is None or self.expected.time is None:
            return False
        read = self.reading.time
        if read is None and not self.reading.past:
            read = 0.0
        slack = max(self.expected.precision, self.reading.precision, _DAY) + _DAY
        now = self.expected.as_of and read is not None and abs(read) <= slack
        return now or (read is not None and abs(read - self.expected.time) <= slack)


def expect(note: Note) -> list[Expected]:
    """What a note of the grammar is known to say: its spans, and the earlier values that stand with them."""
    facts = {fact.key: fact for fact in note.plan.facts}
    found: list[Expected] = []
    for span in note.spans:
        found += _expect_span(note, span, facts[span.fact])
    return found


def _expect_span(note: Note, span: Span, fact: Fact) -> list[Expected]:
    plan, words = note.plan, load_words(ReadingWords, note.plan.locale).intervals
    anchors = [part for part in span.parts if part.what in ("value", "term", "previous")]
    compared = any(part.what == "previous" for part in span.parts)
    dated: dict[str, float] = {}
    for part in span.parts:
        if part.what == "time":
            spell = _is_interval(note.text, part.start, part.end, words) and fact.kind in ("value", "finding")
            if spell and not compared:
                continue  # "unchanged for six months": of a time before, and not of the value
            nearest = min(anchors, key=lambda anchor: max(anchor.start - part.end, part.start - anchor.end))
            old = nearest.what == "previous" or spell or (compared and abs(fact.time - plan.time) / plan.year < _DAY)
            which = "previous" if old else "present"
            time = fact.previous_time if which == "previous" else fact.time
            if time is not None:
                dated[which] = (time - plan.time) / plan.year
    value = fact.value if fact.kind in ("value", "finding", "history") else None
    present = Expected(
        fact.variable, fact.concept, fact.kind, value, fact.unit, span.status, span.start, span.end,
        time=dated.get("present"), past=False, as_of=fact.kind == "treatment" or fact.status != "present",
    )  # fmt: skip
    earlier = [
        replace(present, value=fact.previous, start=part.start, end=part.end, past=True,
                time=dated.get("previous"), status="present")
        for part in span.parts
        if part.what == "previous" and fact.previous is not None and fact.kind in ("value", "finding")
    ]  # fmt: skip
    return [present, *earlier[:1]]


def _is_interval(text: str, start: int, end: int, words: IntervalWords) -> bool:
    told = text[start:end]
    return bool(
        words.interval.match(told) or words.led.search(text, max(0, start - 24), start) or words.spell.fullmatch(told)
    )


def match_readings(
    expected: Sequence[Expected], readings: Iterable[NoteReading], *, ignored: frozenset[str] = frozenset()
) -> list[Comparison]:
    """What found what, of one text. Readings of the `ignored` variables (age and sex, no facts) are left out."""
    left = [reading for reading in readings if reading.variable not in ignored]
    matches = []
    for one in sorted(expected, key=lambda one: (one.end - one.start, one.start)):
        able = [reading for reading in left if _finds(reading, one)]
        best = min(able, key=lambda reading: _distance(reading, one), default=None)
        if best is not None:
            left.remove(best)
        matches.append(Comparison(one, best))
    again = [one for one in expected if one.start < one.end]
    matches += [Comparison(None, reading) for reading in left if not any(_says_again(reading, one) for one in again)]
    return matches


def _distance(reading: NoteReading, one: Expected) -> tuple[bool, float, int]:
    far = 0.0 if one.time is None or reading.time is None else abs(reading.time - one.time)
    return not Comparison(one, reading).is_asserted, far, abs(reading.start - one.start) + abs(reading.end - one.end)


def _same_name(reading: NoteReading, one: Expected) -> bool:
    return reading.variable == one.variable if one.variable else reading.concept == one.concept


def _same_value(reading: NoteReading, one: Expected) -> bool:
    if one.value is None or reading.kind in ("event", "treatment"):
        return True
    if isinstance(one.value, str) or isinstance(reading.value, str) or reading.value is None:
        return one.value == reading.value
    factor = 1.0
    if one.unit and reading.unit and one.unit != reading.unit:
        written, read = parse_unit(one.unit), parse_unit(reading.unit)
        if written.dimensions != read.dimensions:
            return False
        factor = float(written.factor / read.factor)
    return abs(reading.value - one.value * factor) <= reading.rounding * (1 + 1e-6) + 1e-6


def _finds(reading: NoteReading, one: Expected) -> bool:
    beside = reading.start < one.end and one.start < reading.end
    told = one.past is None or reading.past == one.past
    return beside and told and _same_name(reading, one) and _same_value(reading, one)


def _says_again(reading: NoteReading, one: Expected) -> bool:
    return _same_name(reading, one) and _same_value(reading, one) and Comparison(one, reading).is_asserted


def score_labelled(path: Path, *, knowledge: KnowledgeGraph, classes: bool = False) -> Iterator[tuple[str, Comparison]]:
    """Each comparison on texts that somebody has labelled, with the model and the document that it is of.

    `classes`: all mentions are labelled, with the classes of assertion; else only the patient's facts are.

    A line of the file is a JSON object: `text`, `document`, `date`, `model` (a catalog model, or "phenotypes") and
    `readings`, whose conventions stand in tests/renderers/notes/reading/test_held_out.py.
    """
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for name in dict.fromkeys(row["model"] for row in rows):
        if name == PHENOTYPES:
            lexicon = describe_phenotypes(knowledge)
        else:
            lexicon = build_lexicon(load_model(name), knowledge=knowledge)
        reader = build_reader(lexicon)
        ignored = UNLABELLED | {term.variable for term in lexicon.of_role("age", "sex")}
        for row in (row for row in rows if row["model"] == name):
            date = datetime.datetime.fromisoformat(row["date"])
            expected = [_expect_label(label, date, facts=not classes) for label in row["readings"]]
            readings = [r for r in reader.read_all(row["text"], date=date) if classes or r.assertion not in ELSEWHERE]
            for found in match_readings(expected, readings, ignored=ignored):
                yield f"{name}, {row['document']}", found


def _expect_label(label: Mapping[str, Any], date: datetime.datetime, *, facts: bool) -> Expected:
    years, days = None, 0
    if label["date"] is not None:
        days = _PRECISION[label["precision"]]
        began = datetime.datetime.fromisoformat(label["date"])
        middle = began + datetime.timedelta(days=days / 2 if days > 1 else 0)
        years = (middle.replace(tzinfo=None) - date.replace(tzinfo=None)).total_seconds() / 86400 / 365.25
    value = label["value"]
    return Expected(
        variable=label["variable"] or "", concept=label["concept"] or "", kind=label["kind"],
        value=float(value) if isinstance(value, int | float) else value, unit=label["unit"], status=label["status"],
        facts=facts, start=label["start"], end=label["end"], time=years, precision=days / 365.25,
    )  # fmt: skip
