"""Whether a rewritten passage asserts exactly what the grammar's said: read back by the reader, and looked at for more.

What a reader cannot see is not caught: a figure of speech, or something outside the model's lexicon and the phenotypes
of HPO. So the guard also refuses words that it has reason to distrust: numbers that come or go, people, either sex's
words, directions that the values do not have, denials, doubts and words of time that are not as many as the grammar's.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ....ontology.knowledge import KnowledgeGraph
from ..facts import Fact
from ..grammar import Note, Span, SpanPart
from ..grammar.numbers import show_number
from ..lexicon import PHENOTYPE, Lexicon
from ..reading.reader import NoteReader, NoteReading
from ..reading.score import Expected, expect, match_readings
from ..standoff import Mention

_DAY = 1 / 365.25
_NUMBER = re.compile(
    r"\d+|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|half|twice|once|third|double)\b",
    re.IGNORECASE,
)
_RESIDUE = re.compile(
    r"[{}\[\]<>|\\_*#~^@\n\t\ufffd]|  |\s[.,;:)]|\(\s|\.\.|,,|;;|\bnan\b|\bNone\b|\b(\w+) \1\b", re.IGNORECASE
)
_CUT = re.compile(r"\b(?:and|or|of|the|an?|to|in|on|with|for|is|was|are|were|from|at|by|not|no|as|than|has|had)\W*$")
_ORDINARY = re.compile(r"[ -~↑↓→]")
_PEOPLE = re.compile(
    r"\b(?:husband|wife|daughter|son|sister|brother|niece|nephew|partner|mother|father|parents?|child|children|family|friend"
    r"|carer|caregiver|nurse|radiologist|doctor|physician|surgeon|neighbour|neighbor|relatives?|i|we|you)\b",
    re.IGNORECASE,
)
_JUDGED = re.compile(
    r"\b(?:improv\w+|worse\w*|better|deteriorat\w+|progress\w+|recover\w+|severe\w*|mild\w*|moderate\w*|normal|abnormal|acute|chronic"
    r"|died|death|dead|left|right|bilateral|if|unless|because|due|caus\w+|therefore|should|will|would"
    r"|volumetry|genotyp\w+|scans?|images)\b",
    re.IGNORECASE,
)
_OF_SEX = {
    "female": re.compile(r"\b(?:he|him|his|man|men|male|gentleman|boy|mr)\b", re.IGNORECASE),
    "male": re.compile(r"\b(?:she|her|hers|woman|women|female|lady|girl|mrs|ms)\b", re.IGNORECASE),
}
_MOVES = {
    1: re.compile(r"(?<!-)\b(?:risen|rose|rising|rise|increas\w+|up|higher|climb\w+|grown|grew)\b|↑", re.IGNORECASE),
    -1: re.compile(
        r"\b(?:fallen|fell|falling|fall|decreas\w+|down|lower|dropp?\w*|declin\w+|reduced|shrunk|shrank)\b|↓",
        re.IGNORECASE,
    ),
    0: re.compile(r"\b(?:unchanged|stable|static|steady|same|no change)\b", re.IGNORECASE),
}  # fmt: skip
_DENIED = re.compile(
    r"\b(?:no|not|cannot|without|never|none|neither|nor|nil|denie[sd]|denying|declined|refused|absent|absence|negative|neg|free"
    r"|lack\w*|excluded?|excludes|ruled out|rules out|non)\b|n['’]t\b",
    re.IGNORECASE,
)
_DOUBTED = re.compile(
    r"\b(?:possib\w+|probabl[ey]|may|might|could|suspect\w*|suspicio\w+|likely|unlikely|perhaps|query|queried|question\w*"
    r"|uncertain|unclear|unconfirmed|equivocal|provisional\w*|tentative|presum\w+|potential\w*|appears?|seems?|thought"
    r"|consider\w*|doubt\w*|confirmed)\b|\?",
    re.IGNORECASE,
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*"
_DATED = r"(?: ([\w./-]*\w))?"
_PLACED = {  # words that place in time, by what they say of it; their groups are what they say it of
    "since": re.compile(rf"\bsince\b{_DATED}", re.IGNORECASE),
    "as of": re.compile(rf"\bas (?:of|at)\b{_DATED}|\bto date\b|\b(?:so far|by now|yet)\b", re.IGNORECASE),
    "until": re.compile(
        r"\b(?:until|till|up to|no longer|any ?more|stopped|discontinued|ceased|off|withdrawn|ended|d/c)\b",
        re.IGNORECASE,
    ),
    "ongoing": re.compile(r"\b(?:ongoing|continu\w+|cont)\b", re.IGNORECASE),
    "from": re.compile(rf"\b(?:from|after|following) (?=\d|{_MONTH})", re.IGNORECASE),
    "on": re.compile(rf"\b(?:on|dated|in) (?:the )?(?=\d+(?:st|nd|rd|th)?[/. -]|{_MONTH} \d|\d{{4}}\b)", re.IGNORECASE),
    "for": re.compile(
        r"\b(?:for|within|over|in) (?:the (?:last|past) )?(?=[\w-]+ (?:\w+ )?(?:hour|day|week|month|year)s?\b)",
        re.IGNORECASE,
    ),
    "before": re.compile(r"\b(?:before|ago|previous\w*|prior|earlier|last|past)\b", re.IGNORECASE),
    "now": re.compile(
        r"\b(?:now|current\w*|at present|today|still|again|already|always|often|recent\w*|soon|first)\b", re.IGNORECASE
    ),
}
_CLAUSE = re.compile(r"[,;:.()–]|\b(?:and|but|while|whereas)\b")
_BROKEN = re.compile(  # what no grammar allows, whatever the facts
    r"\b(?:is|was|are|were) (?:not |never )?(?:occurred|happened|appeared)\b"
    r"|\b(?:is|are) (?:not |never )?(?:been|received)\b"
    r"|(?<!there )\b(?:has|have|had) been no\b|\bthere (?:is|was|are|has|have)\b[^,;.]*\b(?:is|was|are|has|have|had)\b"
    r"|\b(?:was|were) (?:first |newly )?(?:diagnosed|started|begun|given)\b[^,;.]*\bsince\b"
    r"|\b(?:continues|remains|stays) (?:on|with)\b[^,;.]*\b(?:is|was|has|have|had)\b",
    re.IGNORECASE,
)
_SENSES = (  # what is said, and of which kinds of fact it can be
    (
        r"\b(?:diagnos\w+|dx|known to have|recorded to date|seen|demonstrated|identified|evidence of|signs? of"
        r"|there (?:is|was) no (?!treatment|ongoing))",
        ("event", "finding"),
    ),
    (
        r"\b(?:taking|takes|prescribed|treatment with|treated with|started|stopped|discontinued|commenced|begun|began"
        r"|d/c|continu\w+|cont|been given|be given)\b",
        ("treatment",),
    ),
)


@dataclass(frozen=True)
class Passage:
    """A sentence of a note, [start, end), with what it is known to say, span by span: a span's own fact first, then its
    earlier value where it is told."""

    note: Note
    start: int
    end: int
    spans: tuple[Span, ...]
    expected: tuple[tuple[Expected, ...], ...]

    @property
    def text(self) -> str:
        return self.note.text[self.start : self.end]


def find_passages(note: Note) -> list[Passage]:
    """The sentences of a note that tell facts."""
    found = []
    for start, end in note.sentences:
        spans = tuple(span for span in note.spans if start <= span.start < end)
        if spans:
            expected = tuple(tuple(expect(replace(note, spans=(span,)))) for span in spans)
            found.append(Passage(note, start, end, spans, expected))
    return found


class Guard:
    """Judges passages about one model's variables. `phenotypes`: names in small letters that may not come in either."""

    def __init__(self, lexicon: Lexicon, reader: NoteReader, phenotypes: Collection[str] = frozenset()) -> None:
        self._reader = reader
        self._names: dict[str, set[str]] = {}
        for term in lexicon.terms.values():
            if term.role not in ("age", "sex"):
                for name in term.names:
                    self._names.setdefault(name.lower(), set()).add(term.variable)
        self._phenotypes = phenotypes
        self._widest = max((name.count(" ") + 1 for name in phenotypes), default=0)
        self._person = frozenset(term.variable for term in lexicon.of_role("age", "sex"))
        names = sorted(self._names, key=len, reverse=True)
        self._named = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, names)) + r")(?!\w)") if names else None

    def judge(self, passages: Sequence[Passage], texts: Sequence[str]) -> list[tuple[Span, ...] | str]:
        """For each passage the spans of its facts in the new text, counted from its start, or why it is refused."""
        answers: list[tuple[Span, ...] | str] = [
            self.distrust(passage, text) for passage, text in zip(passages, texts, strict=True)
        ]
        good = [number for number, answer in enumerate(answers) if not answer]
        notes = [(texts[number], _date(passages[number].note)) for number in good]
        for number, readings in zip(good, self._reader.read_many(notes), strict=True):
            answers[number] = self._match(passages[number], texts[number], readings)
        return answers

    def distrust(self, passage: Passage, text: str) -> str:
        """Why a text is refused without being read; empty if it is not."""
        old = passage.text
        if not text:
            return "nothing"
        if not 0.3 * len(old) <= len(text) <= 2 * len(old) + 40:
            return "length"
        if any(not _ORDINARY.match(sign) and sign not in passage.note.text for sign in text) or _counts(
            _RESIDUE, text
        ) - _counts(_RESIDUE, old):
            return "residue"
        if _CUT.search(text) and not _CUT.search(old):
            return "length"
        if _counts(_NUMBER, text) != _counts(_NUMBER, old):
            return "numbers"
        sex = _OF_SEX.get(passage.note.plan.subject.sex)
        if (sex is not None and sex.search(text)) or _counts(_PEOPLE, text) - _counts(_PEOPLE, old):
            return "people"
        if _counts(_JUDGED, text) - _counts(_JUDGED, old):
            return "judgement"
        if _denies_otherwise(text, old):
            return "negation"
        if any(_told_of(words, text) != _told_of(words, old) for words in _PLACED.values()):
            return "time words"
        if _BROKEN.search(text) and not _BROKEN.search(old):
            return "grammar"
        if self._names_in(text) - self._names_in(old) or self._phenotypes_in(text) - self._phenotypes_in(old):
            return "new concept"
        return ""

    def _names_in(self, text: str) -> set[str]:
        """The variables that are named."""
        if self._named is None:
            return set()
        return {variable for found in self._named.findall(text.lower()) for variable in self._names[found]}

    def _phenotypes_in(self, text: str) -> set[str]:
        words = re.findall(r"[\w'-]+", text.lower())
        runs = (
            " ".join(words[at : at + wide])
            for wide in range(1, self._widest + 1)
            for at in range(len(words) - wide + 1)
        )
        return {run for run in runs if run in self._phenotypes}

    def _match(self, passage: Passage, text: str, readings: Sequence[NoteReading]) -> tuple[Span, ...] | str:
        """The spans of a text that says what is expected, each once, and nothing else; else why not."""
        asked = {one.variable for told in passage.expected for one in told}
        read = [reading for reading in readings if reading.variable not in self._person - asked]
        known = {id(one): place for place, told in enumerate(passage.expected) for one in told}
        anywhere = {
            id(moved): (one, moved)
            for told in passage.expected
            for one in told
            for moved in [replace(one, start=0, end=len(text))]
        }
        matches = match_readings([moved for _, moved in anywhere.values()], read)
        if len(read) != len(anywhere):
            return "facts" if len(read) < len(anywhere) else "said more"
        own: dict[int, NoteReading] = {}
        for match in matches:
            if match.expected is None or match.reading is None:
                return "facts"
            if match.reading.status != match.expected.status:
                return "status"
            one = anywhere[id(match.expected)][0]
            place = known[id(one)]
            if not self._timely(passage, place, one, match.reading, dated=match.on_time):
                return "time"
            if not one.past:
                own[place] = match.reading
        facts = {fact.key: fact for fact in passage.note.plan.facts}
        told = [(facts[passage.spans[place].fact], own[place]) for place in own]
        if not _moves_rightly(text, passage, told):
            return "direction"
        if not _makes_sense(text, told):
            return "sense"
        spans = [_place_span(passage, place, text, own[place]) for place in sorted(own)]
        if len(own) != len(passage.spans) or None in spans:
            return "unplaced"
        return tuple(span for span in spans if span is not None)

    def _timely(self, passage: Passage, place: int, one: Expected, reading: NoteReading, *, dated: bool) -> bool:
        """Whether a time is right; one that the grammar's words leave out may come in where it is the fact's."""
        if one.time is not None:
            return dated
        if reading.time is None:
            return True
        plan = passage.note.plan
        fact = next(fact for fact in plan.facts if fact.key == passage.spans[place].fact)
        true = fact.previous_time if one.past else fact.time
        slack = max(reading.precision, _DAY) + _DAY
        now = one.as_of and abs(reading.time) <= slack
        return now or (true is not None and abs(reading.time - (true - plan.time) / plan.year) <= slack)


def name_phenotypes(knowledge: KnowledgeGraph) -> frozenset[str]:
    """The labels of all phenotypic abnormalities, in small letters."""
    labels = (knowledge.label(concept) for concept in knowledge.descendants(PHENOTYPE))
    return frozenset(label.lower() for label in labels if label is not None)


def _date(note: Note) -> datetime.datetime:
    return note.plan.date_of(note.plan.time)


def _counts(pattern: re.Pattern[str], text: str) -> Counter[str]:
    return Counter(found.group().lower() for found in pattern.finditer(text))


def _hits(pattern: re.Pattern[str], text: str) -> int:
    return sum(1 for _ in pattern.finditer(text))


def _told_of(pattern: re.Pattern[str], text: str) -> Counter[tuple[str, ...]]:
    return Counter(found.groups("") for found in pattern.finditer(text))


def _denies_otherwise(text: str, old: str) -> bool:
    """Whether a text denies or doubts more or less often than the old one, or more often within a clause."""
    for words in (_DENIED, _DOUBTED):
        most, before = (max(_hits(words, clause) for clause in _CLAUSE.split(one)) for one in (text, old))
        if _hits(words, text) != _hits(words, old) or most > max(before, 1):
            return True
    return False


def _moves_rightly(text: str, passage: Passage, told: Sequence[tuple[Fact, NoteReading]]) -> bool:
    """Whether each word that says up, down or unchanged stands nearest to a value that has moved so."""
    moved = [(way, reading) for fact, reading in told if (way := _way(fact)) is not None]
    for way, words in _MOVES.items():
        for found in words.finditer(text):
            if not moved:
                if not words.search(passage.text):
                    return False
                continue
            nearest, _ = min(moved, key=lambda one: _gap(found.start(), found.end(), one[1].start, one[1].end))
            if nearest != way:
                return False
    return True


def _makes_sense(text: str, told: Sequence[tuple[Fact, NoteReading]]) -> bool:
    """Whether what is said of diagnoses stands nearest to one, and what is said of treatments to one of these."""
    for words, kinds in _SENSES:
        for found in re.finditer(words, text, re.IGNORECASE):
            nearest = min(told, key=lambda one: _gap(found.start(), found.end(), one[1].start, one[1].end))
            if nearest[0].kind not in kinds:
                return False
    return True


def name_words(text: str) -> list[str]:
    """The words of a sentence that another wording must have as often, in their order: "denied", "doubted", and the
    names of words of time."""
    counted = {"denied": _DENIED, "doubted": _DOUBTED, **_PLACED}
    found = [(match.start(), name) for name, words in counted.items() for match in words.finditer(text)]
    return [name for _, name in sorted(found)]


def direction(fact: Fact | Mention) -> int | None:
    """Whether a number has risen (1), fallen (-1) or is the same as written (0) since the last one; None of others."""
    now, before = fact.value, fact.previous
    if now is None or before is None or isinstance(now, str) or isinstance(before, str):
        return None
    return 0 if show_number(now, fact.unit) == show_number(before, fact.unit) else 1 if now > before else -1


def _way(fact: Fact) -> int | None:
    """1, -1 or 0 for a number that has risen, fallen or stayed; 0 for a level that has stayed, 2 for another."""
    if isinstance(fact.value, str) and fact.previous is not None:
        return 0 if fact.value == fact.previous else 2
    return direction(fact)


def _gap(start: int, end: int, other_start: int, other_end: int) -> int:
    """How far apart two stretches are; 0 where they touch."""
    return max(other_start - end, start - other_end, 0)


def _place_span(passage: Passage, place: int, text: str, reading: NoteReading) -> Span | None:
    """The span of a fact where its reading is: its term and value as they were written, nearest to what was read."""
    span, old = passage.spans[place], passage.note.text
    parts = []
    for part in span.parts:
        words = re.escape(old[part.start : part.end])
        found = [match.span() for match in re.finditer(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE)]
        if found:
            start, end = min(found, key=lambda at: (_gap(at[0], at[1], reading.start, reading.end), at))
            parts.append(SpanPart(part.what, start, end))
    parts.sort(key=lambda part: (part.start, part.end))
    core = [part for part in parts if part.what in ("term", "value")]
    if not core:
        core = [SpanPart("term", reading.start, reading.end)]
        parts += core
    start, end = min(part.start for part in core), max(part.end for part in core)
    if end <= reading.start or reading.end <= start or text[start:end] != text[start:end].strip():
        return None
    return replace(span, start=start, end=end, parts=tuple(parts))
