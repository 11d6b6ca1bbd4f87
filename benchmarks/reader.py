"""How well and how fast notes are read: on the grammar's text, and on held-out phrasings that nobody tuned on.

    python benchmarks/reader.py [--patients 100]

Prints tables in Markdown. The reader was developed on the grammar's text; the held-out phrasings were written before it
and without sight of the grammar.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import nosograph
from nosograph.causal.model.load import load_model
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.journey import read_journeys
from nosograph.renderers.noise import Noise
from nosograph.renderers.notes.documents import describe_practice
from nosograph.renderers.notes.grammar import Note, write_note
from nosograph.renderers.notes.lexicon import Lexicon, build_lexicon
from nosograph.renderers.notes.plan import plan_notes
from nosograph.renderers.notes.reading.reader import build_reader
from nosograph.renderers.notes.reading.score import Comparison, Tally, expect, match_readings, score_labelled

HELD_OUT = Path(__file__).parents[1] / "tests" / "renderers" / "notes" / "reading" / "held_out.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=100)
    patients = parser.parse_args().patients
    knowledge = KnowledgeGraph.open()
    for name in ("alzheimers", "sepsis"):
        lexicon, notes = write_notes(name, knowledge, patients=patients)
        reader = build_reader(lexicon)
        texts = [(note.text, note.plan.date_of(note.plan.time)) for note in notes]
        began = time.perf_counter()
        read = list(reader.read_many(texts))
        seconds = time.perf_counter() - began
        ignored = frozenset(term.variable for term in lexicon.of_role("age", "sex"))
        matches = [
            (note.plan.document, match)
            for note, readings in zip(notes, read, strict=True)
            for match in match_readings(expect(note), readings, ignored=ignored)
        ]
        words = sum(len(note.text.split()) for note in notes) / len(notes)
        print(f"\n### Grammar, {name}: {len(notes)} notes of {words:.0f} words, {len(notes) / seconds:.0f} notes/s\n")
        print_table(matches)
    print("\n### Held out\n")
    print_table(score_labelled(HELD_OUT, knowledge=knowledge))


def write_notes(name: str, knowledge: KnowledgeGraph, *, patients: int) -> tuple[Lexicon, list[Note]]:
    """The notes of a simulated cohort."""
    model = load_model(name)
    lexicon = build_lexicon(model, knowledge=knowledge)
    practice = describe_practice(model, lexicon=lexicon, knowledge=knowledge)
    with tempfile.TemporaryDirectory() as folder:
        nosograph.simulate(model, patients=patients, seed=23).save(Path(folder) / "run")
        journeys = read_journeys(nosograph.open(Path(folder) / "run"), range(patients), worlds=["factual"])
        return lexicon, [
            write_note(plan, lexicon=lexicon, noise=Noise(23, "notes", journey.patient, plan.step))
            for journey in journeys
            for plan in plan_notes(journey, practice=practice, seed=23)
        ]


def print_table(matches: Iterable[tuple[str, Comparison]]) -> None:
    tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for document, match in matches:
        for key in ((document, match.kind), (document, "all"), ("all", "all")):
            tallies[key] += match.tally
    print("| document | kind | expected | precision | recall | F1 | status | time |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for (document, kind), tally in sorted(tallies.items()):
        rates = [tally.precision, tally.recall, tally.f1, tally.assertion]
        timed = f"{tally.time_accuracy:.3f} of {tally.dated}" if tally.dated else ""
        print(f"| {document} | {kind} | {tally.expected} | {' | '.join(f'{rate:.3f}' for rate in rates)} | {timed} |")


if __name__ == "__main__":
    main()
