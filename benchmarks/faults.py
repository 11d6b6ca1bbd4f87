"""What a reader with the record beside it finds of the faults in notes, by kind: recall, and false alarms.

    python benchmarks/faults.py [--patients 100] [--rate 0.1] [alzheimers sepsis …]

A fault is found where the reader suspects something at its words or about its variable in the same note; it is named
where the suspicion is of its kind. False alarms are the suspicions in the same notes without any fault, by note.
"""

from __future__ import annotations

import argparse
import datetime
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nosograph.causal.model.load import load_model
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.journey import Journey, read_journeys
from nosograph.renderers.noise import Noise
from nosograph.renderers.notes.documents import ClinicalPractice, describe_practice
from nosograph.renderers.notes.facts import NotePlan
from nosograph.renderers.notes.faults.detect import Suspicion, find_faults
from nosograph.renderers.notes.faults.insert import KINDS, Fault, write_faulty_note
from nosograph.renderers.notes.grammar import Note
from nosograph.renderers.notes.lexicon import build_lexicon
from nosograph.renderers.notes.plan import plan_notes
from nosograph.renderers.notes.reading.reader import build_reader
from nosograph.simulate.cohort import open_run, simulate_to


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["alzheimers", "sepsis"])
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    for model in chosen.models:
        examine(model, patients=chosen.patients, rate=chosen.rate, seed=chosen.seed)


def examine(name: str, *, patients: int, rate: float, seed: int) -> None:
    """The table of one model: each kind alone, in the notes of the same patients."""
    model, knowledge = load_model(name), KnowledgeGraph.open()
    lexicon = build_lexicon(model, knowledge=knowledge)
    practice = describe_practice(model, lexicon=lexicon, knowledge=knowledge)
    reader = build_reader(lexicon)
    with tempfile.TemporaryDirectory() as folder:
        simulate_to(model, Path(folder) / "run", patients=patients, seed=seed)
        journeys = list(read_journeys(open_run(Path(folder) / "run"), range(patients), worlds=["factual"]))
    plans = [(journey, plan) for journey in journeys for plan in plan_notes(journey, practice=practice, seed=seed)]

    def write(rates: dict[str, float]) -> Iterator[tuple[Journey, Note, tuple[Fault, ...]]]:
        for journey, plan in plans:
            noise = Noise(seed, "notes", plan.patient, plan.step)
            yield journey, *write_faulty_note(plan, rates=rates, practice=practice, noise=noise)

    def suspect(rates: dict[str, float]) -> Iterator[tuple[tuple[Fault, ...], list[Suspicion]]]:
        written = list(write(rates))
        texts = [(note.text, date_of(note.plan, practice)) for _, note, _ in written]
        for (journey, note, faults), readings in zip(written, reader.read_many(texts), strict=True):
            yield faults, find_faults(readings, note.text, journey=journey, time=note.plan.time, practice=practice)

    alarms = Counter(suspicion.kind for _, found in suspect({}) for suspicion in found)
    print(f"\n{name}: {len(plans):,} notes of {patients} patients, each kind at {rate:g} an opportunity")
    print(f"{'fault':14} {'put in':>7} {'found':>7} {'named':>7} {'false alarms a 100 notes':>26}")
    for kind in KINDS:
        count = found = named = 0
        for faults, suspicions in suspect({kind: rate}):
            for fault in faults:
                about = [s for s in suspicions if concerns(s, fault)]
                count += 1
                found += bool(about)
                named += any(s.kind == fault.kind for s in about)
        shares = [f"{part / count:.3f}" if count else "-" for part in (found, named)]
        print(f"{kind:14} {count:7,} {shares[0]:>7} {shares[1]:>7} {100 * alarms[kind] / len(plans):26.2f}")


def date_of(plan: NotePlan, practice: ClinicalPractice) -> datetime.date:
    when = plan.date_of(plan.time)
    return when if practice.hospital else when.date()


def concerns(suspicion: Suspicion, fault: Fault) -> bool:
    overlaps = suspicion.start < fault.end and fault.start < suspicion.end
    return overlaps and (suspicion.variable == fault.variable or fault.kind in ("residue", "side"))


if __name__ == "__main__":
    main()
