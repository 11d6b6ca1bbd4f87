"""Notes as a modality: a moment's documents, from their plans through the grammar to text and annotations."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from ...causal.model.model import Model
from ...errors import fail
from ...ontology.knowledge import KnowledgeGraph
from ..journey import Journey
from ..noise import Noise
from ..protocol import Artifact, Moment, Options, Requirement
from .documents import describe_practice, plan_documents
from .facts import NotePlan
from .faults.insert import Fault, write_faulty_note
from .grammar import Note, write_note
from .learned.checkpoint import open_checkpoint
from .learned.guard import name_phenotypes
from .learned.rewrite import Rewriter
from .lexicon import build_lexicon
from .plan import plan_notes
from .reading.reader import NoteReader, NoteReading, build_reader
from .standoff import CONFIGURATION, label_note, write_brat, write_line


class NotesRenderer:
    """Clinical notes of any model: a `protocol.Renderer`. Written from the record alone, never from the truth."""

    reads_truth = False
    timeless = False
    lines_hold_all = True
    shared_files: Mapping[str, bytes] = MappingProxyType({"annotation.conf": CONFIGURATION.encode()})  # BRAT's

    def __init__(self, model: Model, *, knowledge: KnowledgeGraph, options: Options) -> None:
        self.faults: Mapping[str, float] = options.values["faults"]
        self.files = options.files
        self.lexicon = build_lexicon(model, knowledge=knowledge, locale=options.values["locale"])
        self.practice = describe_practice(model, lexicon=self.lexicon, knowledge=knowledge)
        self._knowledge = knowledge
        self._checkpoint: Path | None = options.values["checkpoint"]
        self._reader: NoteReader | None = None
        self._rewriter: Rewriter | None = None

    def requires(self) -> tuple[Requirement, ...]:
        """Something on record: there is nothing else that a note may tell."""
        return (Requirement("recorded variable to tell of", ("static", "measurement", "treatment", "event")),)

    def plan_moments(self, journey: Journey) -> list[int]:
        return sorted({due.step for due in plan_documents(journey, self.practice)})

    def render(self, moments: Sequence[Moment]) -> list[list[Artifact]]:
        """The documents of each moment, in the order of their time."""
        artifacts = []
        for moment, plans in zip(moments, self.plan(moments), strict=True):
            written = [(*self.write(plan, moment.noise), moment.noise) for plan in plans]
            if self._checkpoint is None:
                artifacts.append([self.label(note, faults) for note, faults, _ in written])
            else:  # a moment at a time, so that its words do not depend on the moments beside it
                told = self._open_rewriter(self._checkpoint).rewrite(written)
                artifacts.append([self.label(one.note, one.faults, one.counts) for one in told])
        return artifacts

    def plan(self, moments: Sequence[Moment]) -> list[list[NotePlan]]:
        """The plans of each moment; those of one journey are made together."""
        steps: dict[int, list[Moment]] = {}
        for moment in moments:
            steps.setdefault(id(moment.journey), []).append(moment)
        plans: dict[tuple[int, int], list[NotePlan]] = {}
        for key, own in steps.items():
            asked = [moment.step for moment in own]
            for plan in plan_notes(own[0].journey, practice=self.practice, seed=own[0].noise.seed, steps=asked):
                plans.setdefault((key, plan.step), []).append(plan)
        return [plans.get((id(moment.journey), moment.step), []) for moment in moments]

    def write(self, plan: NotePlan, noise: Noise) -> tuple[Note, tuple[Fault, ...]]:
        """A plan in the grammar's words, and the faults that they have."""
        if self.faults:
            return write_faulty_note(plan, rates=self.faults, practice=self.practice, noise=noise)
        return write_note(plan, lexicon=self.lexicon, noise=noise), ()

    def label(self, note: Note, faults: Sequence[Fault], counts: Mapping[str, int] = MappingProxyType({})) -> Artifact:
        """A note's text, its labels as BRAT's where files are kept, and all of it as a line."""
        labelled = label_note(note, faults)
        files = {".txt": note.text.encode()}
        if self.files:
            files[".ann"] = write_brat(labelled).encode()
        return Artifact(note.plan.document, note.plan.time, files, write_line(labelled), counts)

    def _open_rewriter(self, folder: Path) -> Rewriter:
        if self._rewriter is None:
            self._reader = self._reader or build_reader(self.lexicon)
            others = name_phenotypes(self._knowledge)
            self._rewriter = Rewriter(
                open_checkpoint(folder), lexicon=self.lexicon, reader=self._reader, phenotypes=others
            )
        return self._rewriter

    def measure(self, artifact: Artifact) -> list[NoteReading]:
        """What a reader finds in the text; of the line it is told the document's date, as of any note in a chart.

        An age is told in whole years as of the note, and returned as of the entry.
        """
        self._reader = self._reader or build_reader(self.lexicon)
        try:
            date, text = datetime.datetime.fromisoformat(artifact.line["date"]), artifact.files[".txt"].decode()
        except (KeyError, ValueError) as error:
            path = str(artifact.line["path"])
            raise fail(
                f"the artifact is no dated text: {error!r}", file=path, fix="the notes rendered again"
            ) from error
        elapsed = (artifact.time or 0.0) * self.practice.model.clock.unit
        ages = {term.variable for term in self.lexicon.of_role("age")}
        return [
            replace(reading, value=reading.value - elapsed, rounding=1.0)
            if reading.variable in ages and isinstance(reading.value, float)
            else reading
            for reading in self._reader.read(text, date=date)
        ]
