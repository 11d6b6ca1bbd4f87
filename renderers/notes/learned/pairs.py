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
from ..grammar import DOCUMENTS
from ..grammar.context import NoteContext, build_context
from ..grammar.note import Note, NoteBuilder
from ..grammar.sentences import tell, tell_together, topic_of
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
    context = build_context(replace(plan, author=first), lexicon=lexicon, noise=noise)
    writer = NoteBuilder(plan)
    DOCUMENTS[plan.document](context, writer)
    note = writer.finish()
    for number, sentence in enumerate(note.sentences):
        source = slot_sentence(note, sentence, lexicon=lexicon)
        if source is None:
            continue
        other = build_context(replace(plan, author=(second + number) % AUTHORS), lexicon=lexicon, noise=noise)
        other.names.update(context.names)
        style = control(note, source.text)
        target = _retell(note, source, other, terse=TERSE in style)
        if target is not None and target != source.text:
            yield style + source.text, target


def _retell(note: Note, source: Slotted, context: NoteContext, *, terse: bool) -> str | None:
    """The facts of a sentence by another context, with the same slots; None where the words have others."""
    facts = {fact.key: fact for fact in note.plan.facts}
    keys = dict.fromkeys(key for key, _ in source.facts.values())
    told = sorted((facts[key] for key in keys), key=lambda fact: context.choices.chance(fact.key, "retold"))
    findings = {topic_of(context, fact) == "findings" for fact in told}
    if findings == {True}:
        phrases = tell(context, "findings", told, terse=terse)
    else:
        phrases = tell_together(context, told, share=1.0, most=len(told), terse=terse)
    if len(phrases) != 1:
        return None
    writer = NoteBuilder(note.plan)
    writer.sentence(phrases[0])
    retold = writer.finish()
    target = slot_sentence(retold, retold.sentences[0], lexicon=context.lexicon)
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
