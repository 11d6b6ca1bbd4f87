"""What a rewriter learns from: a folder of notes with their facts, as `render` writes them, or others' in that form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ....errors import fail
from ..standoff import LabelledNote, Mention, check_note, read_brat, read_jsonl
from .slots import slot_sentence

Pair = tuple[str, str]  # what a model is told, and the sentence that it is to write, both with slots

FOLDER = "a folder of notes as nosograph render writes them: RUN/notes"

_SENTENCE_END = re.compile(r"(?<=[.!?])(?<!\n\d\.)\s+(?=[A-Z(\"'])|\s*\n\s*")
_BULLET = re.compile(r"(?:[-*•]|\d+[.)])\s+")


def read_corpus(folder: Path) -> list[Pair]:
    """The sentences of a corpus that tell facts, each once for each time that it is there; those with a fault on
    purpose, and those that have no place for slots (see `slot_sentence`), are left out.

    Raises NosographError, with file and line, for what is no note, and where no sentence is left.
    """
    pairs = []
    for note in read_notes(folder):
        for start, end in note.sentences:
            wrong = any(fault.start < end and start < fault.end for fault in note.faults)
            slotted = None if wrong else slot_sentence(note, (start, end))
            if slotted is not None:
                pairs.append((slotted.question, slotted.text))
    if not pairs:
        raise fail("no sentence of the corpus tells facts that can be learnt from", value=folder, fix=FOLDER)
    return pairs


def read_notes(folder: Path) -> Iterator[LabelledNote]:
    """The notes of all JSON Lines in a folder and below, in the order of their names; of a folder without any, each
    .txt with the .ann beside it. Raises NosographError, with file and line, for what is no note."""
    if not folder.is_dir():
        raise fail("there is no such folder", value=folder, fix=FOLDER)
    lines, texts = sorted(folder.rglob("*.jsonl")), sorted(folder.rglob("*.txt"))
    if not lines and not texts:
        raise fail("the folder holds no notes: neither .jsonl nor .txt with .ann", value=folder, fix=FOLDER)
    for path in lines or texts:
        try:
            found = enumerate(read_jsonl(path), 1) if lines else [(0, read_text(path))]
            for line, note in found:
                check_note(note, file=str(path), line=line)
                yield note
        except UnicodeDecodeError as error:
            raise fail("this is not UTF-8 text", value=error.reason, file=str(path), fix="it saved as UTF-8") from error


def read_text(path: Path) -> LabelledNote:
    """A text and its annotations as BRAT's. The kind of document is at the end of its name: 018-months-letter.txt.

    Sentences end at the end of a line, or at a full stop before a capital.
    """
    beside, document = path.with_suffix(".ann"), path.stem.rpartition("-")[2]
    if not beside.is_file():
        raise fail("the text has no annotations beside it", value=beside.name, file=str(path), fix="both, or neither")
    text = _read_exactly(path)
    spans, faults = read_brat(_read_exactly(beside), text, file=str(beside))
    return LabelledNote(
        patient=0, world="", time=0.0, date="", entry="", document=document, title="", author=0, text=text,
        spans=spans, sentences=tuple(cut_sentences(text, spans)), faults=faults,
    )  # fmt: skip


def _read_exactly(path: Path) -> str:
    """The text of a file with its line ends as they are: annotations count characters."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise fail(
            "this is not UTF-8 text", fix="the file saved as UTF-8", file=str(path), value=error.reason
        ) from None


def cut_sentences(text: str, spans: tuple[Mention, ...]) -> Iterator[tuple[int, int]]:
    """Where sentences are, without the bullets before them. None ends within a span."""
    start = 0
    for found in (*_SENTENCE_END.finditer(text), None):
        stop, after = found.span() if found else (len(text), len(text))
        if any(span.start < stop < span.end for span in spans):
            continue
        if bullet := _BULLET.match(text, start, stop):
            start = bullet.end()
        if start < stop:
            yield start, stop
        start = after
