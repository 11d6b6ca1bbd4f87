"""Twins' notes side by side: what only one of two worlds says of a patient, by sentence and by fact."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from ..pages.html import Markup, join, table, tag
from ..usage import write_unit
from .faults.plan import show_value
from .standoff import LabelledNote, Mention


@dataclass(frozen=True)
class FactDifference:
    """A fact that the two notes do not tell alike. A side that does not tell it is None."""

    fact: str
    label: str
    left: Mention | None
    right: Mention | None


@dataclass(frozen=True)
class NoteDifference:
    """What two notes do not share: the places [start, end) of sentences and lines that only one says, and facts."""

    left: LabelledNote
    right: LabelledNote
    only_left: tuple[tuple[int, int], ...]
    only_right: tuple[tuple[int, int], ...]
    facts: tuple[FactDifference, ...]


def compare_notes(left: LabelledNote, right: LabelledNote) -> NoteDifference:
    """The difference of two notes of one patient and time, as a rule the same document in two worlds.

    A sentence is only one note's where the other has not got its words, unless all the facts that it tells are told by
    both, alike: it says nothing then that the other does not.
    """
    facts = _compare_facts(left, right)
    changed = {fact.fact for fact in facts}
    places = [_find_telling(note, changed) for note in (left, right)]
    said = [[note.text[start:end] for start, end in held] for note, held in zip((left, right), places, strict=True)]
    same = SequenceMatcher(a=said[0], b=said[1], autojunk=False).get_matching_blocks()
    kept = [{block[side] + number for block in same for number in range(block.size)} for side in (0, 1)]
    only = [
        tuple(place for number, place in enumerate(held) if number not in known)
        for held, known in zip(places, kept, strict=True)
    ]
    return NoteDifference(left, right, only[0], only[1], facts)


def _find_telling(note: LabelledNote, changed: set[str]) -> list[tuple[int, int]]:
    """The sentences and lines that may say something of their own: not those that only tell facts which both tell
    alike, however these are put together with others in the other note."""
    found = []
    for start, end in cut(note):
        told = {span.fact for span in note.spans if start <= span.start < end}
        if not told or told & changed:
            found.append((start, end))
    return found


def cut(note: LabelledNote) -> list[tuple[int, int]]:
    """The sentences of a note, and what stands between them line by line, in order; but not bullets and white space."""
    found: list[tuple[int, int]] = []
    at = 0
    for start, end in (*sorted(note.sentences), (len(note.text), len(note.text))):
        for line in note.text[at:start].split("\n"):
            inside = line.strip()
            if any(letter.isalnum() for letter in inside):
                begin = at + line.index(inside[0])
                found.append((begin, begin + len(inside)))
            at += len(line) + 1
        if end > start:
            found.append((start, end))
        at = end
    return found


def _compare_facts(left: LabelledNote, right: LabelledNote) -> tuple[FactDifference, ...]:
    sides = [{span.fact: span for span in reversed(note.spans)} for note in (left, right)]
    found = []
    for key in dict.fromkeys((*(span.fact for span in left.spans), *(span.fact for span in right.spans))):
        one, other = sides[0].get(key), sides[1].get(key)
        if one is None or other is None or what_of(one) != what_of(other):
            known = one or other
            assert known is not None
            found.append(FactDifference(key, known.label, one, other))
    return tuple(found)


def what_of(span: Mention) -> tuple[object, ...]:
    """All that a mention tells of its fact, as it is written; not where, nor in which words."""
    told = (show_value(span.value, span.unit), show_value(span.previous, span.unit))
    return (span.variable, span.kind, span.status, *told, span.unit, span.time, span.previous_time)


def show_told(span: Mention | None) -> str:
    """What a mention tells, in short."""
    if span is None:
        return "not told"
    if span.status != "present" or span.value is None or span.kind == "event":
        return span.status
    if span.kind in ("finding", "treatment") and span.value == 1.0:
        return "present"
    told = f"{show_value(span.value, span.unit)} {write_unit(span.unit)[0]}".strip()
    return told if span.previous is None else f"{told}, before {show_value(span.previous, span.unit)}"


def draw_difference(difference: NoteDifference) -> Markup:
    """Both notes beside each other, as HTML: sentences that only one says are marked, and in them the words that tell
    what differs; then the facts. Everything that comes from the notes is escaped."""
    keys = {fact.fact for fact in difference.facts}
    sides = [(difference.left, difference.only_left), (difference.right, difference.only_right)]
    texts = [draw_note(note, only, keys) for note, only in sides]
    if not difference.facts and not difference.only_left and not difference.only_right:
        return join(tag("div", texts[0], class_="beside"), tag("p", "The same in both worlds.", class_="soft"))
    rows: list[list[object]] = [
        [fact.label, show_told(fact.left), show_told(fact.right)] for fact in difference.facts
    ]  # fmt: skip
    head: list[object] = ["told otherwise", difference.left.world, difference.right.world]
    return join(tag("div", *texts, class_="beside"), table(head, rows) if rows else "")


def draw_note(note: LabelledNote, only: Sequence[tuple[int, int]] = (), keys: Collection[str] = frozenset()) -> Markup:
    """A note as HTML, with the sentences in `only` marked and in them the facts of these keys."""
    facts = [(span.start, span.end) for span in note.spans if span.fact in keys]
    body: list[object] = []
    at = 0
    for start, end in only:
        body += [note.text[at:start], tag("ins", *_mark(note.text, start, end, facts))]
        at = end
    body.append(note.text[at:])
    return tag("figure", tag("figcaption", tag("strong", note.world)), tag("div", *body, class_="note"))


def _mark(text: str, start: int, end: int, places: Iterable[tuple[int, int]]) -> list[object]:
    """text[start:end] with these places marked; of places that overlap, together."""
    marked: list[object] = []
    at = start
    for first, last in sorted(places):
        first, last = max(first, at), min(last, end)
        if first < last:
            marked += [text[at:first], tag("mark", text[first:last])]
            at = last
    return [*marked, text[at:end]]
