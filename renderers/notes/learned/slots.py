"""Sentences with slots in the place of terms, values and dates: what a small model learns to write around facts.

Of "She scored 27 on the MMSE" the model is told "letter; she; value present <td0> <v0>", writes "She scored <v0> on the
<td0>", and the words go back into their slots. A model small enough to train on a person's own texts would garble names
and numbers, of which it has seen few; slots cannot be garbled, and one that is lost or doubled is seen at once. The
letters of a slot say what stands there, as far as English must know it: articles, plurals, prepositions, up or down.
Its number is the fact's place in the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..grammar import SpanPart
from ..grammar.inflection import article, capitalise, is_counted, is_plural, needs_the
from ..lexicon import speak
from ..standoff import LabelledNote, Mention
from .guard import direction, name_words

MOST = 5  # facts in a sentence
TERMS = ("t", "td", "tc", "tp")  # a name: plain, with a definite article, counted, plural
VALUES = ("v", "l", "u", "n", "e", "q")  # a number, a level; an earlier number: lower, higher, equal; an earlier level
TIMES = ("d", "m", "s", "c")  # a date, a month, a stretch of time, an hour
SLOTS = tuple(f"<{letters}{number}>" for letters in (*TERMS, *VALUES, *TIMES) for number in range(MOST))

_SLOT = re.compile(r"<[a-z]+\d>")
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d|\d\d?[/.]\d\d?[/.]\d{4}|\b\d\d?(?:st|nd|rd|th)?\s+[A-Z][a-z]+\s+\d{4}|[A-Z][a-z]+\s+\d\d?,\s"
)
_OPEN = re.compile(r"[\d<>{}\n]")
_ARTICLE = re.compile(r"\b([Aa]n?) (<[a-z]+\d>)")
_PRONOUNS = (("she", r"\b(?:she|hers?)\b"), ("he", r"\b(?:he|him|his)\b"), ("they", r"\b(?:they|them|their)\b"))


@dataclass(frozen=True)
class Slotted:
    """A sentence without its full stop. `question` is what a model is told to make it; `fillings` are the words of each
    slot, as in the middle of a sentence."""

    text: str
    question: str
    fillings: Mapping[str, str]


def slot_sentence(note: LabelledNote, sentence: tuple[int, int]) -> Slotted | None:
    """A sentence with slots. None where it tells no fact, more than `MOST`, one by a verb (events without a concept:
    "left follow-up"), or anything that no slot can stand for."""
    start, end = sentence
    told = [span for span in note.spans if start <= span.start < end]
    places = {
        (part.start, part.end): (span, part) for span in reversed(told) for part in span.parts if part.what != "cue"
    }
    spans = list({span.fact: span for _, (span, _) in sorted(places.items())}.values())
    if not spans or len(spans) > MOST or any(span.kind == "event" and not span.concept for span in spans):
        return None
    order = {span.fact: number for number, span in enumerate(spans)}
    pieces: list[str] = []
    fillings: dict[str, str] = {}
    at = start
    for place, (span, part) in sorted(places.items()):
        words = note.text[place[0] : place[1]]
        if part.what == "term" and place[0] == start:
            words = speak(words)
        slot = f"<{_letters(part, words, span)}{order[span.fact]}>"
        if place[0] < at or place[1] > end or slot in fillings:
            return None
        pieces += [note.text[at : place[0]], slot]
        fillings[slot] = words
        at = place[1]
    pieces.append(note.text[at:end].removesuffix("."))
    text = "".join(pieces)
    if _OPEN.search(_SLOT.sub("", text)):
        return None
    return Slotted(text, _ask(note, note.text[start:end], spans, fillings), fillings)


def _letters(part: SpanPart, words: str, span: Mention) -> str:
    if part.what == "term":
        named = words if " " in words else span.label  # "abx" are plural, as antibiotics are
        if is_plural(words) or is_plural(named):
            return "tp"
        counted = is_counted(named if span.kind == "treatment" else words)
        return "tc" if counted else "td" if needs_the(words) else "t"
    if part.what == "value":
        return "v" if re.search(r"\d", words) else "l"
    if part.what == "previous":
        return {0: "e", 1: "u", -1: "n", None: "q"}[direction(span)]
    if ":" in words:
        return "c"
    if _DATE.search(words):
        return "d"
    return "m" if re.search(r"\d{4}$", words) else "s"


def _ask(note: LabelledNote, sentence: str, spans: list[Mention], fillings: Mapping[str, str]) -> str:
    """The kind of document, who is spoken of, each fact with its slots, and the words that the guard will count."""
    pronoun = next((name for name, words in _PRONOUNS if re.search(words, sentence, re.IGNORECASE)), "")
    letters = {name: place for place, name in enumerate((*TERMS, *VALUES, *TIMES))}
    facts = []
    for number, span in enumerate(spans):
        own = sorted((slot for slot in fillings if slot[-2] == str(number)), key=lambda slot: letters[slot[1:-2]])
        facts.append(" ".join((span.kind, span.status, *own)))
    return "; ".join(filter(None, (note.document, pronoun, *facts, " ".join(name_words(sentence)))))


def strip_slots(text: str) -> str:
    return _SLOT.sub(" ", text)


def is_whole(text: str, slotted: Slotted) -> bool:
    """Whether a model's text has each of the slots once and no other, and every bracket closed."""
    return sorted(_SLOT.findall(text)) == sorted(slotted.fillings) and text.count("(") == text.count(")")


def fill_slots(text: str, fillings: Mapping[str, str]) -> str:
    """The words for the slots; articles agree, and the first letter is a capital."""
    text = _ARTICLE.sub(lambda found: f"{_agree(found[1], fillings.get(found[2], found[2]))} {found[2]}", text)
    return capitalise(_SLOT.sub(lambda found: fillings.get(found[0], found[0]), text.strip()))


def _agree(written: str, phrase: str) -> str:
    return capitalise(article(phrase)) if written[0] == "A" else article(phrase)
