"""Sentences with slots in the place of terms, values and dates: what a small model rewrites, and filled in afterwards.

"She scored 27 on the MMSE" is read as "<she> <prose> She scored <v0> on the <td0>". A slot's letters say what stands
there, as far as grammar must know it; its number is the fact's place in the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..facts import Fact
from ..grammar import Note, SpanPart
from ..grammar.inflection import article, capitalise, is_counted, is_plural, needs_the
from ..grammar.numbers import show_number
from ..lexicon import Lexicon, LexiconTerm

MOST = 5  # facts in a sentence
TERMS = ("t", "td", "tc", "tp")  # a name: plain, with a definite article, counted, plural
VALUES = ("v", "l", "u", "n", "e", "q")  # a number, a level; an earlier number: lower, higher, equal; an earlier level
TIMES = ("d", "m", "s", "c")  # a date, a month, a stretch of time, an hour
SLOTS = tuple(f"<{letters}{number}>" for letters in (*TERMS, *VALUES, *TIMES) for number in range(MOST))
SUBJECTS = {"female": "<she>", "male": "<he>"}
PROSE, TERSE = "<prose>", "<terse>"
CONTROLS = (*SUBJECTS.values(), "<they>", PROSE, TERSE)

_SLOT = re.compile(r"<[a-z]+\d>")
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|did|does|do|scored|obtained|achieved|came|stood|rose|fell|went|dropped|gave|show"
    r"|measures?|amounts?|comes?|takes?|took|carries|may|might|started|began|gives|puts|read|remains?|denies|reports?)\b"
)
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d|\d\d?[/.]\d\d?[/.]\d{4}|\b\d\d?(?:st|nd|rd|th)?\s+[A-Z][a-z]+\s+\d{4}|[A-Z][a-z]+\s+\d\d?,\s"
)
_OPEN = re.compile(r"\d|[<>{}]")
_TIGHT = re.compile(r"(?<=[^\s(?])(<[a-z]+\d>)")
# what small models write and nobody says: a name at the end that nothing is said of, a preposition of something else
_CLUMSY = re.compile(
    r", (?:and|while) (?:an? |the )?<t[a-z]?\d>\.?$|part of (?:an? |the )?<t|\bon <[ms]\d>|\bin <[dc]\d>"
    r"|\b(?:an?|the|of|to)$|(?<!there )\b(?:is|was) (?:no evidence|not been)\b",
    re.IGNORECASE,
)
_LOOSE = re.compile(r" (?=[,;:.)])")
_ARTICLE = re.compile(r"\b([Aa]n?) (<[a-z]+\d>)")


@dataclass(frozen=True)
class Slotted:
    """A sentence without its full stop, as a model reads it. `fillings` are the words of each slot, as in the middle of
    a sentence; `facts` says which fact and part (see `grammar.Part`) a slot tells."""

    text: str
    fillings: Mapping[str, str]
    facts: Mapping[str, tuple[str, str]]


def slot_sentence(note: Note, sentence: tuple[int, int], *, lexicon: Lexicon) -> Slotted | None:
    """A sentence with slots; None where it tells no fact, more than `MOST`, or anything that no slot can stand for."""
    start, end = sentence
    told = [span for span in note.spans if start <= span.start < end]
    known = {fact.key: fact for fact in note.plan.facts}
    places: dict[tuple[int, int], tuple[str, SpanPart]] = {}
    for span in told:
        for part in span.parts:
            if part.what != "cue":
                places.setdefault((part.start, part.end), (span.fact, part))
    order = {key: number for number, key in enumerate(dict.fromkeys(key for _, (key, _) in sorted(places.items())))}
    if not told or len(order) > MOST:
        return None
    pieces, fillings, facts, at = [], {}, {}, start
    for place in sorted(places):
        key, part = places[place]
        words = note.text[place[0] : place[1]]
        term = lexicon[known[key].variable]
        if part.what == "term":
            words = _uncapitalise(words, term)
        slot = f"<{_letters(part.what, words, term, known[key])}{order[key]}>"
        if place[0] < at or slot in fillings:
            return None
        pieces += [note.text[at : place[0]], slot]
        fillings[slot], facts[slot] = words, (key, part.what)
        at = place[1]
    pieces.append(note.text[at:end].removesuffix("."))
    if _OPEN.search(_SLOT.sub("", "".join(pieces))) or "\n" in note.text[start:end]:
        return None
    return Slotted("".join(pieces), fillings, facts)


def _uncapitalise(words: str, term: LexiconTerm) -> str:
    """A term as in the middle of a sentence."""
    if words in term.names:
        return words
    return next((name for name in term.names if capitalise(name) == words), words)


def _letters(what: str, words: str, term: LexiconTerm, fact: Fact) -> str:
    if what == "term":
        named = term.label if words in term.abbreviations else words
        if is_plural(words) or is_plural(named):
            return "tp"
        counted = named if term.role == "treatment" else words
        return "tc" if is_counted(counted) else "td" if needs_the(words) else "t"
    if what == "value":
        return "v" if re.search(r"\d", words) else "l"
    if what == "previous":
        return {0: "e", 1: "u", -1: "n", None: "q"}[direction(fact)]
    if ":" in words:
        return "c"
    if _DATE.search(words):
        return "d"
    return "m" if re.search(r"\d{4}$", words) else "s"


def direction(fact: Fact) -> int | None:
    """Whether a number has risen (1), fallen (-1) or is the same as written (0) since the last one; None of others."""
    now, before = fact.value, fact.previous
    if now is None or before is None or isinstance(now, str) or isinstance(before, str):
        return None
    return 0 if show_number(now, fact.unit) == show_number(before, fact.unit) else 1 if now > before else -1


def control(note: Note, text: str) -> str:
    """What stands before a sentence for the model: how the patient is called, and whether it is a telegram's."""
    subject = SUBJECTS.get(note.plan.subject.sex, "<they>")
    return f"{subject} {PROSE if _VERB.search(text) else TERSE} "


def strip_controls(question: str) -> str:
    """A model's question without what `control` put before it."""
    return question.split(" ", 2)[2]


def strip_slots(text: str) -> str:
    return _SLOT.sub(" ", text)


def is_whole(text: str, slotted: Slotted) -> bool:
    """Whether a model's text has each of the slots once and no other, every bracket closed, and nothing clumsy."""
    return (
        sorted(_SLOT.findall(text)) == sorted(slotted.fillings)
        and text.count("(") == text.count(")")
        and not _CLUMSY.search(text)
    )


def space_slots(text: str) -> str:
    """A space before each slot, save after a bracket or "?", and none before a comma: slots are read without any."""
    return _LOOSE.sub("", _TIGHT.sub(r" \1", text)).strip()


def fill_slots(text: str, fillings: Mapping[str, str]) -> str:
    """The words for the slots; articles agree, and the first letter is a capital."""
    text = _ARTICLE.sub(lambda found: f"{_agree(found[1], fillings.get(found[2], found[2]))} {found[2]}", text)
    return capitalise(_SLOT.sub(lambda found: fillings.get(found[0], found[0]), text.strip()))


def _agree(written: str, phrase: str) -> str:
    return capitalise(article(phrase)) if written[0] == "A" else article(phrase)
