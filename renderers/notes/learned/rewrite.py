"""Notes in a learned model's words, by sentences, behind a guard: what does not say the same facts is not kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ...noise import Noise
from ..faults.insert import Fault
from ..grammar import Note, Span, SpanPart
from ..grammar.choices import hash_slot, mix
from ..grammar.inflection import capitalise
from ..lexicon import Lexicon
from ..reading.reader import NoteReader
from ..reading.score import expect, match_readings
from ..standoff import LabelledNote, label_note
from .checkpoint import Chance, Checkpoint
from .guard import Guard, Passage, find_passages
from .slots import Slotted, fill_slots, is_whole, slot_sentence

TRIES = 4


@dataclass(frozen=True)
class Rewritten:
    """A note after rewriting, its faults where they now are, and counts of its passages: see `Rewriter.rewrite`."""

    note: Note
    faults: tuple[Fault, ...]
    counts: dict[str, int]


@dataclass(frozen=True)
class _Rewording:
    """A passage as the model is given it."""

    passage: Passage
    noise: Noise
    question: str
    slotted: Slotted | None
    secret: int


class Rewriter:
    """Rewrites notes with one checkpoint, which is told facts with slots, or given plain sentences."""

    def __init__(
        self, checkpoint: Checkpoint, *, lexicon: Lexicon, reader: NoteReader, phenotypes: Collection[str] = frozenset()
    ) -> None:
        self._checkpoint, self._lexicon, self._reader = checkpoint, lexicon, reader
        self._guard = Guard(lexicon, reader, phenotypes)

    def rewrite(self, written: Sequence[tuple[Note, Sequence[Fault], Noise]]) -> list[Rewritten]:
        """Notes together, each with its faults and its noise. The draws are keyed by what the model is given to read,
        so twins share them.

        A passage is a sentence that tells facts. It is tried `TRIES` times: first with the likeliest words (unless the
        checkpoint is one that samples), then with drawn ones; then the grammar's stands. Counts: "passages"; of them
        "rewritten" (in new words), "same" (the model's words were the grammar's) and "kept" (the grammar's stand);
        "first try": of rewritten and same, those that passed at once; "tries"; and "kept: …" by the last try's reason.
        Passages that hold a fault are left alone ("kept: fault"), as are those that do not fit the model's slots
        ("kept: no slots"), and, should the whole note be read worse than the grammar's, all of it ("kept: context").
        "kept: nothing": the model found no end, or its slots were not the sentence's.
        """
        counts: list[Counter[str]] = [Counter() for _ in written]
        jobs: list[tuple[int, _Rewording]] = []
        for number, (note, faults, noise) in enumerate(written):
            labelled = label_note(note)
            for passage in find_passages(note):
                counts[number]["passages"] += 1
                if any(fault.start < passage.end and passage.start < fault.end for fault in faults):
                    counts[number]["kept: fault"] += 1
                    continue
                job = self._ask(passage, labelled, noise)
                if job is None:
                    counts[number]["kept: no slots"] += 1
                else:
                    jobs.append((number, job))
        found = self._try(jobs, counts)
        results = []
        for number, (note, faults, _) in enumerate(written):
            own = found[number]
            new = self._splice(note, faults, own)
            if own and (wrong := self._misread(new.note)) and wrong > self._misread(note):
                counts[number]["kept: context"] += sum(counts[number].pop(name, 0) for name in ("rewritten", "same"))
                counts[number]["first try"] = 0
                new = Rewritten(note, tuple(faults), {})
            count = counts[number]
            count["kept"] = count["passages"] - count["rewritten"] - count["same"]
            results.append(replace(new, counts={name: value for name, value in sorted(count.items()) if value}))
        return results

    def _ask(self, passage: Passage, note: LabelledNote, noise: Noise) -> _Rewording | None:
        slotted = None
        question = passage.text.removesuffix(".")
        if self._checkpoint.slots:
            slotted = slot_sentence(note, (passage.start, passage.end))
            if slotted is None:
                return None
            question = slotted.question
        keys = "/".join(span.fact for span in passage.spans)
        secret = int(noise.uniform(f"rewriting {note.document}/{keys}")[0] * 2**64)
        return _Rewording(passage, noise, question, slotted, secret)

    def _try(
        self, jobs: Sequence[tuple[int, _Rewording]], counts: Sequence[Counter[str]]
    ) -> list[dict[int, tuple[Passage, str, tuple[Span, ...]]]]:
        """The accepted passages of each note by where they start."""
        found: list[dict[int, tuple[Passage, str, tuple[Span, ...]]]] = [{} for _ in counts]
        left = list(jobs)
        for turn in range(TRIES):
            if not left:
                break
            drawn = turn > 0 or self._checkpoint.samples
            chances = [_chance(job, turn) if drawn else None for _, job in left]
            answers = self._checkpoint.answer([job.question for _, job in left], chances)
            texts = [self._finish(job, answer) for (_, job), answer in zip(left, answers, strict=True)]
            verdicts = self._guard.judge([job.passage for _, job in left], texts)
            refused = []
            for (number, job), text, verdict in zip(left, texts, verdicts, strict=True):
                counts[number]["tries"] += 1
                if not isinstance(verdict, str):
                    same = text == job.passage.text
                    counts[number]["same" if same else "rewritten"] += 1
                    counts[number]["first try"] += turn == 0
                    if not same:
                        found[number][job.passage.start] = (job.passage, text, verdict)
                elif turn == TRIES - 1:
                    counts[number][f"kept: {verdict}"] += 1
                else:
                    refused.append((number, job))
            left = refused
        return found

    def _finish(self, job: _Rewording, answer: str) -> str:
        """A model's answer as the passage's new words: its first line, filled in, ended as the grammar's was."""
        lines = answer.strip().splitlines()
        text = lines[0].strip() if lines else ""
        if job.slotted is not None:
            if not is_whole(text, job.slotted):
                return ""
            text = fill_slots(text, job.slotted.fillings)
        else:
            text = capitalise(text.strip("\"'“” "))
        if job.passage.text.endswith("."):
            return text if text.endswith(".") or not text else f"{text}."
        return text.removesuffix(".")

    def _splice(
        self, note: Note, faults: Sequence[Fault], found: dict[int, tuple[Passage, str, tuple[Span, ...]]]
    ) -> Rewritten:
        """The note with its accepted passages in place of the grammar's, and everything else moved along."""
        pieces: list[str] = []
        moves: list[tuple[int, int]] = []  # where a passage ended, and how much longer all is after it
        spans: list[Span] = []
        at = longer = 0
        replaced = {id(span) for passage, _, _ in found.values() for span in passage.spans}
        for start in sorted(found):
            passage, text, own = found[start]
            pieces += [note.text[at:start], text]
            spans += [_shift(span, start + longer) for span in own]
            longer += len(text) - (passage.end - start)
            at = passage.end
            moves.append((at, longer))
        pieces.append(note.text[at:])

        def move(offset: int) -> int:
            return offset + next((by for end, by in reversed(moves) if end <= offset), 0)

        spans += [_shift(span, move(span.start) - span.start) for span in note.spans if id(span) not in replaced]
        spans.sort(key=lambda span: (span.start, span.end, span.fact))
        new = replace(
            note,
            text="".join(pieces),
            spans=tuple(spans),
            sentences=tuple((move(start), move(end)) for start, end in note.sentences),
            dates=tuple((move(start), move(end)) for start, end in note.dates if not _inside(start, found)),
        )
        moved = tuple(replace(fault, start=move(fault.start), end=move(fault.end)) for fault in faults)
        return Rewritten(new, moved, {})

    def _misread(self, note: Note) -> int:
        """How many facts of a whole note are not read as they are told, and how many are read that it does not tell."""
        readings = self._reader.read(note.text, date=note.plan.date_of(note.plan.time))
        ignored = frozenset(term.variable for term in self._lexicon.of_role("age", "sex"))
        tallies = [match.tally for match in match_readings(expect(note), readings, ignored=ignored)]
        return sum(
            tally.expected + tally.read - 2 * tally.right + (tally.right - tally.asserted) + (tally.dated - tally.timed)
            for tally in tallies
        )


def _inside(offset: int, found: dict[int, tuple[Passage, str, tuple[Span, ...]]]) -> bool:
    return any(passage.start <= offset < passage.end for passage, _, _ in found.values())


def _shift(span: Span, by: int) -> Span:
    parts = tuple(SpanPart(part.what, part.start + by, part.end + by) for part in span.parts)
    return replace(span, start=span.start + by, end=span.end + by, parts=parts)


def _chance(job: _Rewording, turn: int) -> Chance:
    key = job.secret + hash_slot(f"{turn}/{job.question}")
    return lambda step: mix(key + hash_slot(f"token {step}"))
