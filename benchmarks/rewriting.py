"""What a rewriting checkpoint does to notes: how much passes the guard, how much changes, how varied it is, its cost.

    python benchmarks/rewriting.py [CHECKPOINT]        the shipped one by default

Acceptance is a share of passages (sentences that tell facts), over all documents; speed is of letters, on one thread.
Reading is measured on whole notes, before and after: a change would be the guard's failure.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import torch

from nosograph.benchmarks.variety import measure_variety
from nosograph.causal.model.load import load_model
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.journey import read_journeys
from nosograph.renderers.noise import Noise
from nosograph.renderers.notes.documents import describe_practice
from nosograph.renderers.notes.facts import NotePlan
from nosograph.renderers.notes.grammar import Note, write_note
from nosograph.renderers.notes.learned.checkpoint import SHIPPED, open_checkpoint
from nosograph.renderers.notes.learned.rewrite import Rewriter
from nosograph.renderers.notes.lexicon import Lexicon, build_lexicon
from nosograph.renderers.notes.plan import plan_notes
from nosograph.renderers.notes.reading.reader import NoteReader, build_reader
from nosograph.renderers.notes.reading.score import Tally, expect, match_readings
from nosograph.simulate.cohort import open_run, simulate_to

SEED = 2026  # not the one that the checkpoint was trained with
COHORTS = {"alzheimers": 8, "sepsis": 40}


def find_plans(name: str, patients: int, folder: Path) -> tuple[Lexicon, list[NotePlan]]:
    model, knowledge = load_model(name), KnowledgeGraph.open()
    lexicon = build_lexicon(model, knowledge=knowledge)
    practice = describe_practice(model, lexicon=lexicon, knowledge=knowledge)
    simulate_to(model, folder / name, patients=patients, seed=SEED)
    journeys = read_journeys(open_run(folder / name), range(patients), worlds=["factual"])
    return lexicon, [plan for journey in journeys for plan in plan_notes(journey, practice=practice, seed=SEED)]


def noise_of(plan: NotePlan) -> Noise:
    return Noise(SEED, "notes", plan.patient, plan.step)


def tell_variety(notes: list[Note]) -> str:
    found = measure_variety(
        [note.text for note in notes], [[note.text[start:end] for start, end in note.sentences] for note in notes]
    )
    distinct = ", ".join(f"{share:.3f}" for share in found.distinct)
    return f"distinct-1, -2, -3 {distinct}; self-BLEU {found.self_bleu:.3f}; commonest sentence {found.commonest:.1%}"


def score(notes: list[Note], reader: NoteReader, lexicon: Lexicon) -> Tally:
    person = frozenset(term.variable for term in lexicon.of_role("age", "sex"))
    readings = reader.read_many((note.text, note.plan.date_of(note.plan.time)) for note in notes)
    total = Tally()
    for note, read in zip(notes, readings, strict=True):
        for match in match_readings(expect(note), read, ignored=person):
            total += match.tally
    return total


def measure(name: str, patients: int, checkpoint: Path, folder: Path) -> None:
    lexicon, plans = find_plans(name, patients, folder)
    reader = build_reader(lexicon)
    rewriter = Rewriter(open_checkpoint(checkpoint), lexicon=lexicon, reader=reader)
    letters = sum(plan.document == "letter" for plan in plans)
    old, new, counts = [], [], Counter[str]()
    slow = quick = 0.0
    for plan in plans:
        started = time.process_time()
        note = write_note(plan, lexicon=lexicon, noise=noise_of(plan))
        written = time.process_time()
        told = rewriter.rewrite([(note, (), noise_of(plan))])[0]
        if plan.document == "letter":
            quick += written - started
            slow += time.process_time() - written
        old.append(note)
        new.append(told.note)
        counts.update(told.counts)
    passages = counts["passages"]
    print(f"\n{name}: {len(plans)} notes, {letters} of them letters, {passages} passages")
    for what in sorted(counts):
        print(f"  {what:20} {counts[what]:6}  {counts[what] / passages:6.1%}")
    print(f"  grammar:   {tell_variety(old)}")
    print(f"  rewritten: {tell_variety(new)}")
    for what, notes in (("grammar", old), ("rewritten", new)):
        tally = score(notes, reader, lexicon)
        said = f"F1 {tally.f1:.4f}, assertion {tally.assertion:.4f}, time {tally.time_accuracy:.4f}"
        print(f"  read back, {what}: {said}")
    if letters:
        words = sum(len(note.text.split()) for note in new if note.plan.document == "letter") / letters
        speeds = f"grammar {letters / quick:.0f}, rewritten {letters / (quick + slow):.2f}"
        print(f"  letters a second of CPU ({words:.0f} words): {speeds}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        for cohort, size in COHORTS.items():
            measure(cohort, size, Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED, Path(place))
