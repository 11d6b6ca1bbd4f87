"""A note: its text, and which words tell which fact."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..facts import Fact, FactKind, NotePlan, Status
from .inflection import article, capitalise
from .pieces import Phrase, Piece


@dataclass(frozen=True)
class SpanPart:
    """Some words of a mention: [start, end) in code points.

    `what` is "term", "value", "previous" (an earlier value), "time", or "cue" (what denies, doubts or attributes).
    """

    what: str
    start: int
    end: int


@dataclass(frozen=True)
class Span:
    """One mention of a fact: [start, end) in code points holds its term, and its value where it has one.

    `parts` are the single words of it; a cue or a time may lie outside of the span.
    """

    start: int
    end: int
    fact: str  # the fact's key
    concept: str
    status: Status
    kind: FactKind
    value: float | str | None
    unit: str
    parts: tuple[SpanPart, ...] = ()


@dataclass(frozen=True)
class Note:
    """Text with its spans in order. `sentences` leaves out headings, salutation and signature; `dates` are where the
    document's own date and the patient's age stand."""

    text: str
    spans: tuple[Span, ...]
    plan: NotePlan
    sentences: tuple[tuple[int, int], ...]
    dates: tuple[tuple[int, int], ...] = ()


@dataclass
class NoteBuilder:
    """Puts phrases one after another and keeps where each fact is told."""

    plan: NotePlan
    chunks: list[str] = field(default_factory=list)
    at: int = 0
    spans: list[Span] = field(default_factory=list)
    sentences: list[tuple[int, int]] = field(default_factory=list)
    dates: list[tuple[int, int]] = field(default_factory=list)
    fresh: bool = True  # at the start of a line
    blank: bool = False  # after an empty line

    def __post_init__(self) -> None:
        self._facts = {fact.key: fact for fact in self.plan.facts}

    def put(self, text: str) -> None:
        self.chunks.append(text)
        self.at += len(text)
        self.blank = False

    def line(self, phrase: Phrase | str) -> None:
        """A line that is no sentence: a heading, a salutation, a signature."""
        self.break_line()
        self.write((Piece(phrase),) if isinstance(phrase, str) else phrase)
        self.fresh = False
        self.break_line()

    def break_line(self) -> None:
        if not self.fresh:
            self.put("\n")
            self.fresh = True

    def gap(self) -> None:
        """An empty line, once."""
        self.break_line()
        if self.at and not self.blank:
            self.put("\n")
            self.blank = True

    def sentence(self, phrase: Phrase, *, end: str = ".", bullet: str = "") -> None:
        """A sentence on the same line as the last one; with a bullet, on a line of its own."""
        if bullet:
            self.break_line()
            self.put(bullet)
        elif not self.fresh:
            self.put(" ")
        start = self.at
        self.write(phrase, capital=True)
        if end and not self.chunks[-1].endswith((".", "?", "!")):
            self.put(end)
        self.sentences.append((start, self.at))
        self.fresh = False

    def write(self, phrase: Phrase, *, capital: bool = False) -> None:
        """The words of a phrase, and the spans of the facts that it tells."""
        parts: dict[str, list[SpanPart]] = {}
        for number, piece in enumerate(phrase):
            text, what, facts = piece
            if what == "article":
                text = article("".join(later.text for later in phrase[number + 1 :]), self.plan.locale)
            if capital and text:
                text, capital = capitalise(text), False
            if not text:
                continue
            start = self.at
            self.put(text)
            if what == "date":
                self.dates.append((start, self.at))
            for fact in facts:
                parts.setdefault(fact, []).append(SpanPart(what, start, self.at))
        for key, found in parts.items():
            self.spans.append(_span(self._facts[key], found))

    def finish(self) -> Note:
        text = "".join(self.chunks)
        spans = tuple(sorted(self.spans, key=lambda span: (span.start, span.end, span.fact)))
        return Note(text, spans, self.plan, tuple(self.sentences), tuple(self.dates))


def _span(fact: Fact, parts: list[SpanPart]) -> Span:
    core = [part for part in parts if part.what in ("term", "value")]
    start, end = min(part.start for part in core), max(part.end for part in core)
    return Span(
        start, end, fact.key, fact.concept, fact.status, fact.kind, fact.value, fact.unit, tuple(parts)
    )  # fmt: skip
