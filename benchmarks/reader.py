"""How well and how fast notes are read: on the grammar's text, on labelled letters, and on phrasings held out.

    python benchmarks/reader.py [--patients 100] [--sealed]

Prints tables in Markdown. The reader was developed on the grammar's text and on `letters.jsonl`. The held-out phrasings
were written before it and without sight of the grammar, and nobody looked at what it got wrong there. `--sealed` reads
`letters_sealed.jsonl`, which is read once, when nothing changes any more. For the letters, status is told by class,
beside plain NegEx (negspacy with its clinical terms), which is given the labelled mentions themselves.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter, defaultdict
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

LABELLED = Path(__file__).parents[1] / "tests" / "renderers" / "notes" / "reading"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--sealed", action="store_true")
    arguments = parser.parse_args()
    patients = arguments.patients
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
    print_table(score_labelled(LABELLED / "held_out.jsonl", knowledge=knowledge))
    for name in ("letters", *(["letters_sealed"] if arguments.sealed else [])):
        path = LABELLED / f"{name}.jsonl"
        print(f"\n### {name}\n")
        found = list(score_labelled(path, knowledge=knowledge, classes=True))
        print_table(found)
        print_classes(found, path)


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


def print_classes(found: Iterable[tuple[str, Comparison]], path: Path) -> None:
    """Of each class: how many mentions, how many of those found have it, and how many NegEx calls so of all."""
    ours: Counter[tuple[str, bool]] = Counter(
        (str(match.expected.status), match.is_asserted) for _, match in found if match.expected and match.reading
    )
    negex = run_negex(path)
    print("\n| class | mentions | found | right of those | right by NegEx of all |")
    print("|---|--:|--:|--:|--:|")
    classes = sorted({name for name, _ in negex}, key=lambda name: -negex[name, True] - negex[name, False])
    for name in classes:
        read, told = ours[name, True] + ours[name, False], negex[name, True] + negex[name, False]
        print(f"| {name} | {told} | {read} | {ours[name, True] / max(read, 1):.3f} | {negex[name, True] / told:.3f} |")
    right, all_read = sum(ours[name, True] for name in classes), sum(ours.values())
    plain, told = sum(negex[name, True] for name in classes), sum(negex.values())
    print(f"| all | {told} | {all_read} | {right / all_read:.3f} | {plain / told:.3f} |")


def run_negex(path: Path) -> Counter[tuple[str, bool]]:
    """How often NegEx is right of the labelled mentions, by class: what it does not negate it takes to be present."""
    import spacy
    from negspacy.negation import Negex
    from negspacy.termsets import termset
    from spacy.util import filter_spans

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    negex = Negex(nlp, "negex", termset("en_clinical").get_patterns(), extension_name="negex")
    counts: Counter[tuple[str, bool]] = Counter()
    for row in (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()):
        doc = nlp(row["text"])
        spans = [doc.char_span(r["start"], r["end"], label="X", alignment_mode="expand") for r in row["readings"]]
        doc.ents = filter_spans([span for span in spans if span is not None])
        doc = negex(doc)
        denied = {token.i for ent in doc.ents if ent._.negex for token in ent}
        for label, span in zip(row["readings"], spans, strict=True):
            said = "absent" if span is not None and span.start in denied else "present"
            counts[label["status"], said == label["status"]] += 1
    return counts


if __name__ == "__main__":
    main()
