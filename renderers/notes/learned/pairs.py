"""What a rewriter learns from: two authors' wordings of the same facts, with slots in the place of the facts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ....causal.catalog.rare.document import convert_disease
from ....causal.model.load import load_model
from ....causal.model.model import Model
from ....ontology.knowledge import KnowledgeGraph
from ....simulate.cohort import open_run, simulate_to
from ...journey import read_journeys
from ...noise import Noise
from ..documents import describe_practice
from ..facts import NotePlan
from ..grammar.compose import tell, tell_together, topic_of
from ..grammar.note import Note, Writer
from ..grammar.teller import Teller, start_telling
from ..grammar.write import DOCUMENTS
from ..lexicon import Lexicon, build_lexicon
from ..plan import plan_notes
from .slots import TERSE, Slotted, control, slot_sentence

CATALOG = {"alzheimers": "treated: lecanemab = 1", "sepsis": "treated: ventilation = 1"}
DISEASES = ("OMIM:154700", "OMIM:143100", "OMIM:219700", "OMIM:162200", "OMIM:310200")
AUTHORS = 4096

Pair = tuple[str, str]


def find_plans(patients: int, *, seed: int, knowledge: KnowledgeGraph) -> Iterator[tuple[Lexicon, NotePlan]]:
    """Plans of notes of simulated patients: of the catalog's models, and of diseases as HPO describes them."""
    for name, world in CATALOG.items():
        yield from _simulate(load_model(name), patients, worlds=[world], seed=seed, knowledge=knowledge)
    for disease in DISEASES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "disease.yaml"
            path.write_text(convert_disease(disease, knowledge=knowledge).text, encoding="utf-8")
            model = load_model(str(path))
        yield from _simulate(model, max(patients // 4, 1), worlds=[], seed=seed, knowledge=knowledge)


def _simulate(
    model: Model, patients: int, *, worlds: Sequence[str], seed: int, knowledge: KnowledgeGraph
) -> Iterator[tuple[Lexicon, NotePlan]]:
    lexicon = build_lexicon(model, knowledge=knowledge)
    practice = describe_practice(model, lexicon=lexicon, knowledge=knowledge)
    with tempfile.TemporaryDirectory() as folder:
        simulate_to(model, Path(folder) / "run", patients=patients, seed=seed, worlds=worlds)
        run = open_run(Path(folder) / "run")
        for journey in read_journeys(run, range(patients), worlds=[world["name"] for world in run.manifest["worlds"]]):
            for plan in plan_notes(journey, practice=practice, seed=seed):
                yield lexicon, plan


def make_pairs(plan: NotePlan, *, lexicon: Lexicon, noise: Noise) -> Iterator[Pair]:
    """Sentences of the plan's note by one author, each with what another makes of its facts."""
    first, second = (int(AUTHORS * u) for u in noise.uniform(f"authors of {plan.document}", 2))
    teller = start_telling(replace(plan, author=first), lexicon=lexicon, noise=noise)
    writer = Writer(plan)
    DOCUMENTS[plan.document](teller, writer)
    note = writer.finish()
    for number, sentence in enumerate(note.sentences):
        source = slot_sentence(note, sentence, lexicon=lexicon)
        if source is None:
            continue
        other = start_telling(replace(plan, author=(second + number) % AUTHORS), lexicon=lexicon, noise=noise)
        other.names.update(teller.names)
        style = control(note, source.text)
        target = _retell(note, source, other, terse=TERSE in style)
        if target is not None and target != source.text:
            yield style + source.text, target


def _retell(note: Note, source: Slotted, teller: Teller, *, terse: bool) -> str | None:
    """The facts of a sentence by another teller, with the same slots; None where the words have others."""
    facts = {fact.key: fact for fact in note.plan.facts}
    keys = dict.fromkeys(key for key, _ in source.facts.values())
    told = sorted((facts[key] for key in keys), key=lambda fact: teller.choices.chance(fact.key, "retold"))
    findings = {topic_of(teller, fact) == "findings" for fact in told}
    if findings == {True}:
        phrases = tell(teller, "findings", told, terse=terse)
    else:
        phrases = tell_together(teller, told, share=1.0, most=len(told), terse=terse)
    if len(phrases) != 1:
        return None
    writer = Writer(note.plan)
    writer.sentence(phrases[0])
    retold = writer.finish()
    target = slot_sentence(retold, retold.sentences[0], lexicon=teller.lexicon)
    if target is None:
        return None
    names = {place: slot for slot, place in source.facts.items()}
    text = target.text
    if len(names) != len(source.facts) or set(target.facts.values()) != set(names):
        return None
    if any(slot[:-2] != names[place][:-2] for slot, place in target.facts.items()):
        return None
    if len(target.facts) != len(source.facts):
        return None
    for slot, place in target.facts.items():  # two steps, as numbers may be exchanged
        text = text.replace(slot, f"\x00{names[place][1:-1]}\x01")
    return text.replace("\x00", "<").replace("\x01", ">")
