"""The chapter of a run's report that shows one patient's notes, in the first world beside the second."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import fail
from ...simulate.cohort import Run
from ..pages.html import Markup, count_of, join, tag
from ..pages.summaries import name_worlds
from ..rendering import RenderedRun, open_rendering
from .compare import compare_notes, draw_difference, draw_note
from .standoff import LabelledNote, check_note, read_line

MOST = 24  # notes of a patient that are shown


def tell_chapter(run: Run) -> Markup | None:
    """The chapter of a run, from its rendered notes; None where there are none."""
    return tell_notes(read_first_patient(open_rendering(run, "notes")), worlds=name_worlds(run))


def tell_notes(notes: Sequence[LabelledNote], *, worlds: Sequence[str]) -> Markup | None:
    """The chapter, from one patient's notes; None where there are none. `worlds` are the run's, in order."""
    shown = [world for world in worlds if any(note.world == world for note in notes)][:2]
    if not shown:
        return None
    pairs: dict[tuple[float, str], dict[str, LabelledNote]] = {}
    for note in notes:
        if note.world in shown:
            pairs.setdefault((note.time, note.document), {})[note.world] = note
    every = [pairs[key] for key in sorted(pairs, key=lambda key: key[0])]
    count = f"the first {MOST} of {len(every)}" if len(every) > MOST else count_of(len(every), "document")
    intro = f"The notes of patient {notes[0].patient}, the first by number, "
    if len(shown) == 1:
        intro += f"in the world {shown[0]!r}: {count}."
    else:
        intro += (
            f"in the world {shown[0]!r} beside {shown[1]!r}: {count}. What only one world says is marked, and in it "
        )
        intro += "the words for what differs; the same author says what is the same in the same words."
    told = [_tell_pair(pair, shown) for pair in every[:MOST]]
    first = next((number for number, (_, _, differs) in enumerate(told) if differs), 0)
    folded = [
        tag("details", tag("summary", title), body, **({"open": ""} if number == first else {}))
        for number, (title, body, _) in enumerate(told)
    ]
    return join(tag("p", intro), *folded)


def _tell_pair(pair: dict[str, LabelledNote], shown: list[str]) -> tuple[str, Markup, bool]:
    """The title of a document, its text in the worlds that have it, and whether these tell anything otherwise."""
    note = next(iter(pair.values()))
    title = f"{note.date[:10]} {note.title}"
    if len(pair) == 1:
        title += f", only in {note.world}" if len(shown) > 1 else ""
        return title + _say_faults(note), tag("div", draw_note(note), class_="beside"), False
    difference = compare_notes(*(pair[world] for world in shown))
    words = "other words" if difference.only_left or difference.only_right else "the same"
    told = f"{count_of(len(difference.facts), 'fact')} told otherwise" if difference.facts else words
    return f"{title}: {told}{_say_faults(*pair.values())}", draw_difference(difference), bool(difference.facts)


def _say_faults(*notes: LabelledNote) -> str:
    count = sum(len(note.faults) for note in notes)
    return f" ({count_of(count, 'fault')} put in)" if count else ""


def read_first_patient(rendered: RenderedRun) -> list[LabelledNote]:
    """The notes of the first patient who has any, by world and time. Raises NosographError for what is no note."""
    notes: list[LabelledNote] = []
    for part in rendered.manifest["parts"]:
        file, fix = str(rendered.folder / part), rendered.inventory.fix
        for number, line in rendered.numbered(part):
            if notes and line["patient"] != notes[0].patient:
                return notes
            try:
                note = read_line(line)
            except (ValueError, KeyError, TypeError) as error:
                raise fail(f"the line is no note: {error!r}", file=file, line=number, fix=fix) from error
            check_note(note, file=file, line=number)
            notes.append(note)
    return notes
