"""The chapter of a run's report that shows one patient's notes, in the first world beside the second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..page import Markup, count_of, join, tag
from .compare import Difference, compare_notes, draw_difference, draw_note
from .standoff import LabelledNote, read_jsonl

MOST = 24  # notes of a patient that are shown


def tell_notes(folder: Path, *, worlds: list[str]) -> Markup | None:
    """The chapter, from the rendered notes in `folder`; None where there are none. `worlds` are the run's, in order."""
    if not (folder / "manifest.json").is_file():
        return None
    notes = read_first_patient(folder)
    told = [world for world in worlds if any(note.world == world for note in notes)]
    if not told:
        return None
    left = [note for note in notes if note.world == told[0]]
    intro = f"The notes of patient {left[0].patient}, the first by number"
    if len(told) == 1:
        bodies = [_fold(note.title, note, tag("div", draw_note(note), class_="beside")) for note in left[:MOST]]
        return join(tag("p", f"{intro}, {_count(left)}."), *_open_first(bodies, 0))
    right = {(note.time, note.document): note for note in notes if note.world == told[1]}
    intro += (
        f", in the world {told[0]!r} beside {told[1]!r}, {_count(left)}. What only one world says is marked, and in it"
    )
    intro += " the words that tell what differs; the same author has the same words for what is the same."
    bodies, first = [], 0
    for note in left[:MOST]:
        twin = right.pop((note.time, note.document), None)
        if twin is None:
            bodies.append(_fold(f"{note.title}, only in {told[0]}", note, tag("div", draw_note(note), class_="beside")))
            continue
        difference = compare_notes(note, twin)
        first = first or (len(bodies) if difference.facts else 0)
        bodies.append(_fold(f"{note.title}: {_say(difference)}", note, draw_difference(difference)))
    only = [note for note in right.values() if note.time <= left[:MOST][-1].time or len(left) <= MOST]
    for note in only[:MOST]:
        bodies.append(_fold(f"{note.title}, only in {told[1]}", note, tag("div", draw_note(note), class_="beside")))
    return join(tag("p", intro), *_open_first(bodies, first))


def read_first_patient(folder: Path) -> list[LabelledNote]:
    """The notes of the first patient who has any, by world and time."""
    notes: list[LabelledNote] = []
    for part in sorted(folder.glob("part-*.jsonl")):
        for note in read_jsonl(part):
            if notes and note.patient != notes[0].patient:
                return notes
            notes.append(note)
    return notes


def _count(notes: list[LabelledNote]) -> str:
    return f"the first {MOST} of {len(notes)}" if len(notes) > MOST else count_of(len(notes), "document")


def _say(difference: Difference) -> str:
    if difference.facts:
        return f"{count_of(len(difference.facts), 'fact')} told otherwise"
    return "other words" if difference.only_left or difference.only_right else "the same"


Folded = tuple[str, Markup]


def _fold(title: str, note: LabelledNote, body: Markup) -> Folded:
    return f"{note.date[:10]} {title}", body


def _open_first(bodies: list[Folded], first: int) -> Iterator[Markup]:
    """Each note under its title, one of them open."""
    for number, (title, body) in enumerate(bodies):
        opened = {"open": ""} if number == first else {}
        yield tag("details", tag("summary", title), body, **opened)
