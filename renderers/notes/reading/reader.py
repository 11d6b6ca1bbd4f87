"""A reader of clinical notes: text back to concepts, values, status and time, from the words and a lexicon alone.

It never sees a note's plan. The lexicon's names are found however they are spelt (names.py, vocabulary.py), ConText's
algorithm says what is asserted of them (assertion.py), and rules of general clinical English give numbers, levels and
times to names.
"""

from __future__ import annotations

import datetime
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ..facts import FactKind, Status
from ..lexicon import Lexicon, LexiconTerm
from ..words.locale import load_words
from ..words.reading import AssertionWords, NameWords, ReadingWords
from .assertion import Asserter, Assertion, AssertionClass
from .assignment import OTHER, AssertedName, Told, WrittenLevel, assign_values
from .clauses import split_sentences
from .courses import read_course
from .dates import When, find_times
from .names import Speller
from .person import find_ages, find_copies, find_sexes
from .values import UnitWords, WrittenNumber, find_numbers
from .vocabulary import NameFinder, kind_of, read_level

ELSEWHERE = frozenset({"someone_else", "hypothetical", "conditional"})
"""The classes of what is no fact of the patient's."""


@dataclass(frozen=True)
class NoteReading:
    """One thing that a text says, at text[start:end] (code points).

    `value`: a number in `unit` (UCUM), a level, or for a treatment 1, 0 or its dose. `time`: years from the note
    (negative: before it), None where none is said; `precision`: how far the time may be off as it is written, in years.
    `past`: told as an earlier value, beside or before the present one. `rounding`: half of the last digit written.

    `status` is what is said; `assertion` also whose it is and whether it is so now, in the classes of i2b2 and ConText.
    `recorded`: the model's record can hold it; not a number where the model has levels, nor that a level is not so.
    """

    variable: str
    concept: str
    kind: FactKind
    value: float | str | None
    unit: str
    status: Status
    time: float | None
    precision: float
    start: int
    end: int
    past: bool = False
    rounding: float = 0.0
    assertion: AssertionClass = "present"
    recorded: bool = True

    @property
    def is_fact(self) -> bool:
        """Whether it is a fact of the patient's own: not another's, nor what may come."""
        return self.recorded and self.assertion not in ELSEWHERE


_BLANKS, _FILLER = (
    re.compile(r"(\s{50})\s"),
    "\ue000",
)  # of many blanks, patterns with several of them would try all ways


class NoteReader:
    """Reads notes about one model's variables. Build it once: it holds all their names."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._terms = dict(lexicon.terms)
        self._words = load_words(ReadingWords, lexicon.locale)
        self._names = load_words(NameWords, lexicon.locale)
        assertion = load_words(AssertionWords, lexicon.locale)
        self._clauses = assertion.clauses
        written = {term.unit: term.written_units for term in self._terms.values() if term.unit}
        self._units = UnitWords(self._words.values, written)
        speller = Speller(self._names.matching)
        self._finder = NameFinder(lexicon, self._names, speller)
        self._charted = {
            term.variable: charted
            for charted in self._names.charted
            for term in self._terms.values()
            if term.role == "vital" and term.levels and any(charted.pattern.search(name) for name in term.names)
        }
        self._asserter = Asserter(assertion, speller)
        self._levels = _compile_levels(self._terms.values(), self._names)
        self._ages = [term for term in self._terms.values() if term.role == "age"]
        self._sexes = [term for term in self._terms.values() if term.role == "sex"]
        self._genes = [term for term in self._terms.values() if term.role == "gene"]

    def read(self, text: str, *, date: datetime.date) -> list[NoteReading]:
        """The patient's facts in one note, in order. `date` is the note's own; a datetime where hours count."""
        return [reading for reading in self.read_all(text, date=date) if reading.is_fact]

    def read_many(self, notes: Iterable[tuple[str, datetime.date]]) -> Iterator[list[NoteReading]]:
        """The patient's facts in each note, for (text, date) pairs, one after the other."""
        return (self.read(text, date=date) for text, date in notes)

    def read_all(self, text: str, *, date: datetime.date) -> list[NoteReading]:
        """All that a note mentions, in order: the patient's facts, other people's, and what may come."""
        text = _BLANKS.sub(rf"\1{_FILLER}", text)
        sentences = split_sentences(text, words=self._clauses)
        mentions = self._find_mentions(text, sentences)
        times = find_times(text, date, words=self._words)
        masked = [(m.start, m.end) for m in mentions] + [(w.start, w.end) for w in times]
        readings = list(self._read_person(text, masked))
        masked += [(reading.start, reading.end) for reading in readings]
        quantities: list[WrittenNumber | WrittenLevel] = [
            *find_numbers(text, units=self._units, words=self._words, masked=masked)
        ]
        quantities += self._find_levels(text, mentions)
        quantities.sort(key=lambda quantity: quantity.start)
        carried: AssertedName | None = None
        for sentence in sentences:
            inside = _Sentence(
                text, sentence, _within(mentions, sentence), _within(quantities, sentence), _within(times, sentence)
            )
            readings += self._read_sentence(inside, carried)
            able = [m for m in inside.mentions if m.kind in ("value", "finding", "history")]
            carried = able[-1] if able else (carried if inside.mentions == [] else None)
        return sorted(readings, key=lambda reading: (reading.start, reading.end, reading.variable))

    def _find_mentions(self, text: str, sentences: list[tuple[int, int]]) -> list[AssertedName]:
        names = [name for start, end in sentences for name in self._finder.find(text, start, end)]
        found = []
        for name, said in zip(names, self._asserter.judge(text, names, sentences), strict=True):
            variable, _, level = name.id.partition("=")
            found.append(AssertedName(name.start, name.end, variable, name.label, said, level))
        return found

    def _find_levels(self, text: str, mentions: Sequence[AssertedName]) -> list[WrittenLevel]:
        if self._levels is None:
            return []
        taken = [(mention.start, mention.end) for mention in mentions]
        return [
            WrittenLevel(match.start(), match.end(), match.group())
            for match in self._levels.finditer(text)
            if not any(start < match.end() and match.start() < end for start, end in taken)
        ]

    def _read_person(self, text: str, masked: Sequence[tuple[int, int]]) -> Iterator[NoteReading]:
        for term in self._ages:
            for start, end, age in find_ages(text, words=self._words):
                yield _make(term, start, end, age)
        for term in self._sexes:
            for start, end, sex in find_sexes(text, words=self._words.person):
                if sex in term.levels:
                    yield _make(term, start, end, sex)

    def _read_sentence(self, said: _Sentence, carried: AssertedName | None) -> Iterator[NoteReading]:
        genes = [mention for mention in said.mentions if self._terms[mention.variable].role == "gene"]
        counted = list(self._read_gene(said, genes)) if self._genes else []
        yield from counted
        quantities = [q for q in said.quantities if not any(r.start < q.end and q.start < r.end for r in counted)]
        able = [m for m in said.mentions if m not in genes and (not m.level or m.variable in self._charted)]
        carried = None if said.mentions or counted else carried
        others = self._find_others(said, quantities)
        told = assign_values(
            said.text,
            said.place,
            sorted((*able, *others), key=lambda mention: mention.start),
            quantities,
            said.times,
            fits=self._fits,
            carried=carried,
            words=self._words.assignment,
        )
        told = [one for one in told if one.owner.kind != OTHER and self._is_linked(said.text, one, told)]
        for one in told:
            reading = self._read_value(one)
            if reading is not None:
                yield reading
        served = {id(one.owner) for one in told}
        for mention in said.mentions:
            if mention not in genes:
                yield from self._read_mention(said, mention, served=id(mention) in served)

    def _read_mention(self, said: _Sentence, mention: AssertedName, *, served: bool) -> Iterator[NoteReading]:
        term = self._terms[mention.variable]
        status: Status = "uncertain" if mention.uncertain else "absent" if mention.negated else "present"
        when = said.time_of(mention, self._words.assignment.openers)
        what = _classify(mention.said, status, when=when)
        if what in ("present", "possible") and said.is_ahead(mention):
            what = "hypothetical"
        if mention.level and term.role != "treatment":
            past = when is not None and when.reach in ("earlier", "entry")
            made = _make(
                term, mention.start, mention.end, mention.level, status=status, when=when, past=past, assertion=what
            )
            yield replace(made, recorded=status == "present")
        elif term.role == "treatment":
            yield self._read_treatment(said, mention, term)
        elif mention.kind == "finding" and kind_of(term) == "value":
            if not served:  # "hippocampal atrophy": what the volume is a volume of
                made = _make(term, mention.start, mention.end, None, status=status, when=when, assertion=what)
                yield replace(made, kind="finding", unit="", recorded=False)
        elif kind_of(term) == "event" or (term.binary and not served):
            value = None if kind_of(term) == "event" or status == "uncertain" else float(status == "present")
            yield _make(term, mention.start, mention.end, value, status=status, when=when, assertion=what)
        elif kind_of(term) == "history" and not served and term.levels == () and term.unit in ("", "1") and term.binary:
            value = float(status == "present")
            yield _make(term, mention.start, mention.end, value, status=status, assertion=what)

    def _is_linked(self, text: str, one: Told, told: Sequence[Told]) -> bool:
        """Whether a number stands near enough to a vital sign's name, or to its number before."""
        charted, what = self._charted.get(one.owner.variable), one.what
        if charted is None or isinstance(what, WrittenLevel) or what.end <= one.owner.start:
            return True
        before = [
            other.what.end
            for other in told
            if other.owner is one.owner and one.owner.end <= other.what.start < what.start
            and isinstance(other.what, WrittenNumber)
        ]  # fmt: skip
        gaps = self._names.charted_gaps
        if before and what.whole is None and not what.units:
            return gaps.later.fullmatch(text, max(before), what.start) is not None
        return gaps.first.fullmatch(text, max(before, default=one.owner.end), what.start) is not None

    def _find_others(
        self, said: _Sentence, quantities: Sequence[WrittenNumber | WrittenLevel]
    ) -> Iterator[AssertedName]:
        """What else is measured in a sentence: numbers behind its name are its own."""
        if not quantities:
            return
        for match in self._names.other_measures.finditer(said.text, *said.place):
            start, end = match.span()
            if not any(m.start < end and start < m.end for m in (*said.mentions, *quantities)):
                yield AssertedName(start, end, "", OTHER, _PLAIN)

    def _fits(self, mention: AssertedName, what: WrittenNumber | WrittenLevel) -> bool:
        if mention.kind == OTHER:
            return isinstance(what, WrittenNumber)
        term = self._terms[mention.variable]
        if isinstance(what, WrittenLevel):
            return not mention.level and read_level(what.words, term.levels, self._names) is not None
        charted = self._charted.get(term.variable)
        if charted is not None:
            value = what.in_unit(charted.unit)
            return value is not None and charted.range[0] <= value <= charted.range[1]
        numeric = kind_of(term) in ("value", "history") and not term.levels and not term.binary
        if mention.kind == "finding" and not what.units:
            return False  # "hippocampal atrophy (grade 3)"
        dosed = kind_of(term) == "treatment" and term.unit not in ("", "1") and bool(what.units)
        return (numeric or dosed) and what.in_unit(term.unit) is not None

    def _read_value(self, one: Told) -> NoteReading | None:
        term, what = self._terms[one.owner.variable], one.what
        charted = self._charted.get(term.variable) if isinstance(what, WrittenNumber) else None
        unit = charted.unit if charted else term.unit
        value: float | str | None
        if isinstance(what, WrittenLevel):
            value = read_level(what.words, term.levels, self._names)
        else:
            value = what.in_unit(unit)
        if value is None or kind_of(term) == "treatment":
            return None
        start, end = min(one.owner.start, what.start), max(one.owner.end, what.end)
        if one.past or one.owner.start > what.end or one.owner.end < what.start - 200:
            start, end = what.start, what.end
        status: Status = "uncertain" if one.owner.uncertain and isinstance(what, WrittenLevel) else "present"
        rounding = 0.0
        if isinstance(what, WrittenNumber):
            rounding = 0.5 * what.precision * dict(what.units).get(unit, 1.0)
        made = _make(
            term, start, end, value, status=status, when=one.time, past=one.past, rounding=rounding,
            assertion=_classify(one.owner.said, status, when=None, own=False),
        )  # fmt: skip
        if charted is not None and isinstance(what, WrittenNumber):
            return replace(made, kind="value", unit=unit if what.units else "", recorded=False)
        return made

    def _read_treatment(self, said: _Sentence, mention: AssertedName, term: LexiconTerm) -> NoteReading:
        course = read_course(
            said.text,
            said.place,
            mention,
            [m for m in said.mentions if m.kind == "treatment"],
            said.times,
            words=self._words.courses,
        )
        if mention.level == "off" and course is not None:
            course = replace(course, status="absent" if course.status == "present" else "present")
        if course is None or mention.said.someone_else or mention.said.conditional:
            what: AssertionClass = "hypothetical"
            if mention.said.someone_else:
                what = "someone_else"
            elif mention.said.conditional:
                what = "conditional"
            return _make(term, mention.start, mention.end, None, status="uncertain", assertion=what)
        dose = self._dose_of(said, mention, term) if course.status == "present" else 0.0
        what = {"present": "present", "absent": "absent", "uncertain": "possible"}[course.status]  # type: ignore[assignment]
        if course.past or (what == "present" and mention.said.historical):
            what = "historical"
        elif what == "present" and mention.said.section == "plan" and not course.told:
            what = "hypothetical"
        return _make(term, mention.start, mention.end, dose, status=course.status, when=course.time, assertion=what)

    def _dose_of(self, said: _Sentence, mention: AssertedName, term: LexiconTerm) -> float | str | None:
        """The dose, or the level, which stands after the name; 1 where there is neither."""
        doses = [q for q in said.quantities if q.start >= mention.end and self._fits(mention, q)]
        if term.levels:
            told = (read_level(q.words, term.levels, self._names) for q in doses if isinstance(q, WrittenLevel))
            return next(told, None)
        dose: float | None = next(
            (q.in_unit(term.unit) for q in doses if isinstance(q, WrittenNumber) and term.unit not in ("", "1")), None
        )
        return 1.0 if dose is None else dose

    def _read_gene(self, said: _Sentence, genes: Sequence[AssertedName]) -> Iterator[NoteReading]:
        begin, end = said.place
        sentence = said.text[begin:end]
        marked = genes or self._words.person.gene.search(sentence)
        found = find_copies(sentence, words=self._words.person) if marked else None
        if found is None:
            return
        term = self._terms[genes[0].variable] if genes else self._genes[0]
        start, stop = begin + found[0], begin + found[1]
        if genes:
            start, stop = min(start, genes[0].start), max(stop, genes[0].end)
        yield _make(term, start, stop, float(found[2]))


_RECENT = 0.25  # years: what has happened since belongs to the present illness
_PLAIN = Assertion(False, False, False, False, False, False, False, False, "", (0, 0))

_Placed = TypeVar("_Placed", AssertedName, WrittenNumber | WrittenLevel, When)


@dataclass(frozen=True)
class _Sentence:
    text: str
    place: tuple[int, int]
    mentions: list[AssertedName]
    quantities: list[WrittenNumber | WrittenLevel]
    times: list[When]

    def is_ahead(self, mention: AssertedName) -> bool:
        """Whether it is said to be so only later: "discharge next week"."""
        end = mention.said.clause[1]
        others = [other.start for other in self.mentions if other.start > mention.start]
        end = min(end, *others) if others else end
        return any(when.reach == "ahead" and mention.end <= when.start < end for when in self.times)

    def time_of(self, mention: AssertedName, openers: str) -> When | None:
        """The time that is said of a mention: the one right after it, or in its clause, or that opens the sentence."""
        times = [when for when in self.times if when.reach in ("at", "since", "earlier", "entry")]
        begin, end = mention.said.clause
        others = [other for other in self.mentions if other is not mention]
        inside = [when for when in times if begin <= when.start < end]
        near = [when for when in times if not any(_between(mention, other, when) for other in others)]
        after = [when for when in near if when.start >= mention.end]
        before = [when for when in inside if when.end <= mention.start]
        directly = after and not self.text[mention.end : after[0].start].strip(" ,(")
        if after and (directly or after[0] in inside or not before):
            return after[0]
        if before:
            return before[-1]
        leading = [when for when in near if when.end <= mention.start]
        if leading:
            return leading[-1]
        opening = [when for when in times if not self.text[self.place[0] : when.start].strip(" \t\n*•-–" + openers)]
        return opening[0] if opening else None


def _within(found: list[_Placed], sentence: tuple[int, int]) -> list[_Placed]:
    """Those that start in a sentence, of what is in order."""
    first, last = (bisect_left(found, at, key=lambda one: one.start) for at in sentence)
    return found[first:last]


def _between(mention: AssertedName, other: AssertedName, when: When) -> bool:
    """Whether another name stands between a mention and a time."""
    return mention.end <= other.start < when.start or when.end <= other.start < mention.start


def build_reader(lexicon: Lexicon) -> NoteReader:
    """A reader for notes about the variables of a lexicon."""
    return NoteReader(lexicon)


def _make(
    term: LexiconTerm, start: int, end: int, value: float | str | None, *, status: Status = "present",
    when: When | None = None, past: bool = False, rounding: float = 0.0, assertion: AssertionClass = "present",
) -> NoteReading:  # fmt: skip
    kind: FactKind = kind_of(term)
    time, precision = (None, 0.0) if when is None else (when.years, when.precision)
    if time is not None and time > 0.0:  # nothing has been so after the note
        time, precision = (0.0, precision) if time <= precision else (None, 0.0)
    return NoteReading(
        term.variable, term.concept, kind, value, term.unit, status, time, precision, start, end, past, rounding,
        assertion,
    )  # fmt: skip


def _classify(said: Assertion, status: Status, *, when: When | None, own: bool = True) -> AssertionClass:
    """The class of a mention, or of a value (`own` False): that a name is denied or over says nothing of its value."""
    if said.someone_else:
        return "someone_else"
    if said.conditional:
        return "conditional"
    if said.hypothetical:
        return "hypothetical"
    years = when.years if when is not None else None
    long_ago = years is not None and years < -_RECENT
    over = said.historical or (said.earlier and (years is None or long_ago)) or (said.passing and long_ago)
    if over and status == "present" and own:
        return "historical"
    return "possible" if status == "uncertain" else "absent" if status == "absent" else "present"


def _compile_levels(terms: Iterable[LexiconTerm], names: NameWords) -> re.Pattern[str] | None:
    words = {
        word.replace("_", " ")
        for term in terms
        if term.role != "sex"
        for level in term.levels
        for word in (level, *names.levels.get(level, ()))
    }
    if not words:
        return None
    ordered = sorted(words, key=len, reverse=True)
    return re.compile(
        r"\b(?:" + "|".join(re.escape(word).replace(r"\ ", r"[\s-]+") for word in ordered) + r")\b", re.IGNORECASE
    )
