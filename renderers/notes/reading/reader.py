"""A reader of clinical notes: text back to concepts, values, status and time, from the words and a lexicon alone.

It never sees a note's plan. A blank English spaCy pipeline finds the lexicon's names, NegEx and its kin (assertion.py)
say what is asserted of them, and rules of general clinical English give numbers, levels and times to names.
"""

from __future__ import annotations

import datetime
import random
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from ..facts import FactKind, Status
from ..lexicon import Lexicon, LexiconTerm
from ..words.locale import load_words
from ..words.reading import AssertionWords, NameWords, ReadingWords
from .assertion import Asserter, FoundName, split_sentences
from .assignment import AssertedName, Told, WrittenLevel, assign_values
from .courses import read_course
from .dates import When, find_times
from .person import find_ages, find_copies, find_sexes
from .values import UnitWords, WrittenNumber, find_numbers
from .vocabulary import DECOY, is_exact, kind_of, read_level, sign_words, write_patterns

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc


@dataclass(frozen=True)
class NoteReading:
    """One thing that a text says, at text[start:end] (code points).

    `value`: a number in `unit` (UCUM), a level, or for a treatment 1, 0 or its dose. `time`: years from the note
    (negative: before it), None where none is said; `precision`: how far the time may be off as it is written, in years.
    `past`: told as an earlier value, beside or before the present one. `rounding`: half of the last digit written.
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


_HALVES = re.compile("[\ud800-\udfff]")  # half characters, which spaCy cannot take
_LONG_RUN = re.compile(r"\S{200}")
_BLANKS, _FILLER = (
    re.compile(r"(\s{50})\s"),
    "\ue000",
)  # of many blanks, patterns with several of them would try all ways


class NoteReader:
    """Reads notes about one model's variables. Build it once: it holds the pipeline."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._terms = dict(lexicon.terms)
        self._words = load_words(ReadingWords, lexicon.locale)
        self._names = load_words(NameWords, lexicon.locale)
        assertion = load_words(AssertionWords, lexicon.locale)
        self._clauses = assertion.clauses
        written = {term.unit: term.written_units for term in self._terms.values() if term.unit}
        self._units = UnitWords(self._words.values, written)
        self._signs = {
            word.lower(): (term.variable, level)
            for term in self._terms.values()
            for word, level in sign_words(term, self._names).items()
        }
        self._nlp = _build_pipeline(lexicon, self._signs, names=self._names, tokenizer=self._words.tokenizer)
        self._asserter = Asserter(self._nlp, assertion)
        self._levels = _compile_levels(self._terms.values(), self._names)
        self._ages = [term for term in self._terms.values() if term.role == "age"]
        self._sexes = [term for term in self._terms.values() if term.role == "sex"]
        self._genes = [term for term in self._terms.values() if term.role == "gene"]

    def read(self, text: str, *, date: datetime.date) -> list[NoteReading]:
        """The readings of one note, in order. `date` is the note's own; a datetime where hours count."""
        return next(self.read_many([(text, date)]))

    def read_many(self, notes: Iterable[tuple[str, datetime.date]], *, batch: int = 256) -> Iterator[list[NoteReading]]:
        """The readings of each note, for (text, date) pairs, streamed in batches."""
        texts = ((_make_readable(text), date) for text, date in notes)
        for doc, date in self._nlp.pipe(texts, as_tuples=True, batch_size=batch):
            yield self._read_doc(doc, date)

    def _read_doc(self, doc: Doc, date: datetime.date) -> list[NoteReading]:
        text = doc.text
        sentences = split_sentences(text, words=self._clauses)
        mentions = self._find_mentions(doc, sentences)
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

    def _find_mentions(self, doc: Doc, sentences: list[tuple[int, int]]) -> list[AssertedName]:
        names = [
            FoundName(entity.start_char, entity.end_char, entity.label_, entity.ent_id_)
            for entity in doc.ents
            if entity.label_ != DECOY
        ]
        found = []
        for name, said in zip(names, self._asserter.judge(doc, names, sentences), strict=True):
            variable, _, level = name.id.partition("=")
            found.append(
                AssertedName(
                    name.start, name.end, variable, name.label, said.negated, said.uncertain, said.elsewhere,
                    said.clause, level,
                )
            )  # fmt: skip
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
        able = [m for m in said.mentions if m not in genes and not m.level]
        carried = None if said.mentions or counted else carried
        told = assign_values(
            said.text,
            said.place,
            able,
            quantities,
            said.times,
            fits=self._fits,
            carried=carried,
            words=self._words.assignment,
        )
        for one in told:
            reading = self._read_value(one)
            if reading is not None:
                yield reading
        served = {id(one.owner) for one in told}
        for mention in said.mentions:
            if mention in genes or (mention.elsewhere and not mention.level):
                continue
            yield from self._read_mention(said, mention, served=id(mention) in served)

    def _fits(self, mention: AssertedName, what: WrittenNumber | WrittenLevel) -> bool:
        term = self._terms[mention.variable]
        if isinstance(what, WrittenLevel):
            return read_level(what.words, term.levels, self._names) is not None
        numeric = kind_of(term) in ("value", "history") and not term.levels and not term.binary
        dosed = kind_of(term) == "treatment" and term.unit not in ("", "1") and bool(what.units)
        return (numeric or dosed) and _convert(what, term.unit) is not None

    def _read_value(self, one: Told) -> NoteReading | None:
        term, what = self._terms[one.owner.variable], one.what
        value = (
            read_level(what.words, term.levels, self._names)
            if isinstance(what, WrittenLevel)
            else _convert(what, term.unit)
        )
        if value is None or kind_of(term) == "treatment":
            return None
        start, end = min(one.owner.start, what.start), max(one.owner.end, what.end)
        if one.past or one.owner.start > what.end or one.owner.end < what.start - 200:
            start, end = what.start, what.end
        status: Status = "uncertain" if one.owner.uncertain and isinstance(what, WrittenLevel) else "present"
        rounding = 0.0
        if isinstance(what, WrittenNumber):
            rounding = 0.5 * what.precision * dict(what.units).get(term.unit, 1.0)
        return _make(term, start, end, value, status=status, when=one.time, past=one.past, rounding=rounding)

    def _read_mention(self, said: _Sentence, mention: AssertedName, *, served: bool) -> Iterator[NoteReading]:
        term = self._terms[mention.variable]
        status: Status = "uncertain" if mention.uncertain else "absent" if mention.negated else "present"
        when = said.time_of(mention, self._words.assignment.openers)
        if mention.level:
            if status == "present" and not mention.elsewhere:
                past = when is not None and when.reach in ("earlier", "entry")
                yield _make(term, mention.start, mention.end, mention.level, when=when, past=past)
        elif term.role == "treatment":
            course = read_course(
                said.text,
                said.place,
                mention,
                [m for m in said.mentions if m.kind == "treatment"],
                said.times,
                words=self._words.courses,
            )
            if course is not None:
                dose = self._dose_of(said, mention, term) if course.status == "present" else 0.0
                yield _make(term, mention.start, mention.end, dose, status=course.status, when=course.time)
        elif kind_of(term) == "event" or (term.binary and not served):
            value = None if kind_of(term) == "event" or status == "uncertain" else float(status == "present")
            yield _make(term, mention.start, mention.end, value, status=status, when=when)
        elif kind_of(term) == "history" and not served and term.levels == () and term.unit in ("", "1") and term.binary:
            yield _make(term, mention.start, mention.end, float(status == "present"), status=status)

    def _dose_of(self, said: _Sentence, mention: AssertedName, term: LexiconTerm) -> float | str | None:
        """The dose, or the level, which stands after the name; 1 where there is neither."""
        doses = [q for q in said.quantities if q.start >= mention.end and self._fits(mention, q)]
        if term.levels:
            told = (read_level(q.words, term.levels, self._names) for q in doses if isinstance(q, WrittenLevel))
            return next(told, None)
        dose: float | None = next(
            (_convert(quantity, term.unit) for quantity in doses if term.unit not in ("", "1")), None
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


_Placed = TypeVar("_Placed", AssertedName, WrittenNumber | WrittenLevel, When)


@dataclass(frozen=True)
class _Sentence:
    text: str
    place: tuple[int, int]
    mentions: list[AssertedName]
    quantities: list[WrittenNumber | WrittenLevel]
    times: list[When]

    def time_of(self, mention: AssertedName, openers: str) -> When | None:
        """The time that is said of a mention: the one right after it, or in its clause, or that opens the sentence."""
        times = [when for when in self.times if when.reach in ("at", "since", "earlier", "entry")]
        begin, end = mention.clause
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


def _make_readable(text: str) -> str:
    """The text, as long as before, without what the pipeline cannot read, or not in good time."""
    return _BLANKS.sub(rf"\1{_FILLER}", _HALVES.sub(_FILLER, text))


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
    when: When | None = None, past: bool = False, rounding: float = 0.0,
) -> NoteReading:  # fmt: skip
    kind: FactKind = kind_of(term)
    time, precision = (None, 0.0) if when is None else (when.years, when.precision)
    return NoteReading(
        term.variable, term.concept, kind, value, term.unit, status, time, precision, start, end, past, rounding
    )


def _convert(quantity: WrittenNumber | WrittenLevel, unit: str) -> float | None:
    if isinstance(quantity, WrittenLevel):
        return None
    return quantity.in_unit(unit)


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


def _build_pipeline(
    lexicon: Lexicon, signs: dict[str, tuple[str, str]], *, names: NameWords, tokenizer: str
) -> Language:
    state = random.getstate()  # spaCy's first import draws from Python's generator
    import spacy
    from spacy.util import compile_infix_regex, compile_suffix_regex

    random.setstate(state)

    nlp = spacy.blank(tokenizer)
    splitter: Any = nlp.tokenizer
    infixes = [*(nlp.Defaults.infixes or ()), r"[-‐‑–—/:=<>→+()\[\]|~;,*^]"]
    splitter.infix_finditer = compile_infix_regex(infixes).finditer
    suffixes = [*(nlp.Defaults.suffixes or ()), r"\.", r"-"]
    splitter.suffix_search = compile_suffix_regex(suffixes).search
    nlp.tokenizer = _Splitter(splitter)
    ruler: Any = nlp.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER", "overwrite_ents": True})
    patterns = write_patterns(lexicon, names)
    taken = {str(pattern["pattern"]).lower() for pattern in patterns}
    patterns += [
        {"label": "finding", "pattern": word, "id": f"{variable}={level}"}
        for word, (variable, level) in signs.items()
        if word not in taken
    ]
    ruler.add_patterns([_as_written(nlp, pattern) for pattern in patterns])
    return nlp


class _Splitter:
    """spaCy's tokenizer on runs of bounded length: its work grows with the square of the characters without a space."""

    def __init__(self, tokenizer: Callable[[str], Doc]) -> None:
        self._tokenizer = tokenizer

    def __call__(self, text: str) -> Doc:
        if not _LONG_RUN.search(text):
            return self._tokenizer(text)
        from spacy.tokens import Doc

        cuts = [0, *(match.end() for match in _LONG_RUN.finditer(text)), len(text)]
        tokens = [token for start, end in pairwise(cuts) for token in self._tokenizer(text[start:end])]
        words, spaces = [token.text for token in tokens], [bool(token.whitespace_) for token in tokens]
        return Doc(tokens[0].vocab, words=words, spaces=spaces)

    def pipe(self, texts: Iterable[str]) -> Iterator[Doc]:
        """As spaCy's: negspacy asks for it."""
        return map(self, texts)


def _as_written(nlp: Language, pattern: dict[str, str]) -> dict[str, Any]:
    name = pattern["pattern"]
    if not is_exact(name):
        return dict(pattern)
    return {**pattern, "pattern": [{"ORTH": token.text} for token in nlp.tokenizer(name)]}
