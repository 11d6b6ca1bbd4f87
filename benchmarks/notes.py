"""How many letters the grammar writes in a second on one core, and how varied they are. From the root:
python benchmarks/notes.py
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from figures import describe_machine, show
from variety import Floor, measure_variety

from nosograph.causal.catalog.rare.document import convert_disease
from nosograph.causal.model.load import load_model
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.journey import read_journeys
from nosograph.renderers.noise import Noise
from nosograph.renderers.notes.documents import describe_practice
from nosograph.renderers.notes.facts import NotePlan
from nosograph.renderers.notes.grammar import Note, write_note
from nosograph.renderers.notes.lexicon import Lexicon, build_lexicon
from nosograph.renderers.notes.plan import plan_notes
from nosograph.simulate.cohort import open_run, simulate_to

PATIENTS = {"alzheimers": 150, "sepsis": 400, "OMIM:154700": 200}  # the last: Marfan syndrome, out of HPO
DISEASES = ("219700", "310200", "301500", "187600", "312750", "122470", "277900", "253300", "143100", "256000")
RARE = dict.fromkeys((f"OMIM:{number}" for number in DISEASES), 15)  # patients of each
SEED, ROUNDS = 5, 5


def make_plans(name: str, folder: Path, *, seed: int = SEED) -> tuple[Lexicon, list[NotePlan]]:
    knowledge, number = KnowledgeGraph.open(), (PATIENTS | RARE)[name]
    if ":" in name:
        written = folder.with_suffix(".yaml")
        written.write_text(convert_disease(name, knowledge=knowledge).text)
        model = load_model(str(written))
    else:
        model = load_model(name)
    simulate_to(model, folder, patients=number, seed=seed)
    lexicon = build_lexicon(model, knowledge=knowledge)
    practice = describe_practice(model, lexicon=lexicon, knowledge=knowledge)
    patients = list(range(number))
    journeys = read_journeys(open_run(folder), patients, worlds=["factual"])
    return lexicon, [plan for journey in journeys for plan in plan_notes(journey, practice=practice, seed=seed)]


def write_rare(folder: Path) -> list[Note]:
    """Letters about several rare diseases, as many of each."""
    notes = []
    for seed, disease in enumerate(RARE, SEED):  # the same patient of two diseases would get the same opening
        lexicon, plans = make_plans(disease, folder / disease.replace(":", ""), seed=seed)
        notes += write_all([plan for plan in plans if plan.document == "letter"], lexicon, seed=seed)
    return notes


def write_all(plans: list[NotePlan], lexicon: Lexicon, *, seed: int = SEED) -> list[Note]:
    return [write_note(plan, lexicon=lexicon, noise=Noise(seed, "notes", plan.patient, plan.step)) for plan in plans]


def main() -> None:
    print(describe_machine())
    with tempfile.TemporaryDirectory() as folder:
        for name in PATIENTS:
            lexicon, plans = make_plans(name, Path(folder) / name.replace(":", ""))
            if name != "sepsis":
                time_letters(name, plans, lexicon)
            for document in sorted({plan.document for plan in plans}):
                notes = write_all([plan for plan in plans if plan.document == document], lexicon)
                tell_variety(f"{name} {document}", notes)
        tell_variety("ten rare diseases, letter", write_rare(Path(folder)))


def time_letters(name: str, plans: list[NotePlan], lexicon: Lexicon) -> None:
    """Letters of 250 words and more: the best of a few rounds, in processor time."""
    letters = [plan for plan in plans if plan.document == "letter"]
    all_long = [note.plan for note in write_all(letters, lexicon) if len(note.text.split()) >= 250]
    long = all_long[:300]
    rates, words = [], 0
    for _ in range(ROUNDS):
        started = time.process_time()
        notes = write_all(long, lexicon)
        rates.append(len(long) / (time.process_time() - started))
        words = sum(len(note.text.split()) for note in notes)
    show(f"{name}: letters of 250 words and more, a second, one core", max(rates), "at least 200 of alzheimers")
    show("words in one of them", words / len(long), "250 and more")
    show("share of all letters that are as long", len(all_long) / len(letters), "")


def tell_variety(what: str, notes: list[Note]) -> None:
    told = [[note.text[start:end] for start, end in note.sentences] for note in notes]
    found = measure_variety([note.text for note in notes], told)
    one, two, three = found.distinct
    print(
        f"{what}: {found.notes} notes, distinct-1/2/3 {one:.3f} {two:.3f} {three:.3f}, "
        f"self-BLEU {found.self_bleu:.3f}, commonest sentence in {found.commonest:.2%}; "
        f"short of: {Floor().misses(found) or 'nothing'}"
    )


if __name__ == "__main__":
    main()
