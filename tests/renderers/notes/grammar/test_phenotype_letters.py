"""Letters about the many findings of a rare disease, as HPO annotates them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from nosograph.causal.catalog.rare.document import convert_disease
from nosograph.causal.model.load import load_model
from nosograph.ontology import hpo
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.journey import read_journeys
from nosograph.renderers.noise import Noise
from nosograph.renderers.notes.documents import describe_practice
from nosograph.renderers.notes.facts import Fact, NotePlan
from nosograph.renderers.notes.grammar import Note, write_note
from nosograph.renderers.notes.grammar.inflection import is_counted, is_plural
from nosograph.renderers.notes.lexicon import Lexicon, build_lexicon, speak
from nosograph.renderers.notes.plan import plan_notes
from nosograph.renderers.notes.systems import SYSTEMS, find_system
from nosograph.renderers.usage import say_naturally
from nosograph.simulate.cohort import open_run, simulate_to

PATIENTS = 12


@pytest.fixture(scope="module")
def knowledge() -> KnowledgeGraph:
    return KnowledgeGraph.open()


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory, knowledge: KnowledgeGraph) -> tuple[Lexicon, list[Note]]:
    """Letters about Marfan syndrome."""
    return write_letters("OMIM:154700", tmp_path_factory.mktemp("marfan"), knowledge)


def write_letters(disease: str, folder: Path, knowledge: KnowledgeGraph) -> tuple[Lexicon, list[Note]]:
    (folder / "model.yaml").write_text(convert_disease(disease, knowledge=knowledge).text)
    model = load_model(str(folder / "model.yaml"))
    simulate_to(model, folder / "run", patients=PATIENTS, seed=3)
    lexicon = build_lexicon(model, knowledge=knowledge)
    practice = describe_practice(model, lexicon=lexicon, knowledge=knowledge)
    journeys = read_journeys(open_run(folder / "run"), list(range(PATIENTS)), worlds=["factual"])
    plans = [plan for journey in journeys for plan in plan_notes(journey, practice=practice, seed=3)]
    return lexicon, [write(plan, lexicon) for plan in plans]


def write(plan: NotePlan, lexicon: Lexicon) -> Note:
    return write_note(plan, lexicon=lexicon, noise=Noise(3, "notes", plan.patient, plan.step))


def read_lay_names(concept: str) -> set[str]:
    """What hp.obo marks as lay, read by a regular expression."""
    ontology = next(path for path in hpo.locate_hpo() if path.name.endswith(".obo"))
    stanza = next(s for s in ontology.read_text(encoding="utf-8").split("\n[Term]\n") if f"id: {concept}\n" in s)
    return {name.lower() for name in re.findall(r'^synonym: "([^"]*)" EXACT layperson', stanza, re.MULTILINE)}


def test_every_finding_has_its_place_and_is_told_as_it_is(letters: tuple[Lexicon, list[Note]]) -> None:
    lexicon, notes = letters
    assert len(notes) >= PATIENTS
    for note in notes:
        facts = {fact.key: fact for fact in note.plan.facts}
        assert {span.fact for span in note.spans} == set(facts)
        for span in note.spans:
            words = note.text[span.start : span.end]
            term = lexicon[facts[span.fact].variable]
            if term.role == "finding":
                assert words.lower() in {name.lower() for name in (*term.names, term.label)}
                assert any(part.what == "cue" for part in span.parts) == (span.status != "present")


def test_nobody_writes_lay_names_and_a_reader_knows_them(
    letters: tuple[Lexicon, list[Note]], knowledge: KnowledgeGraph
) -> None:
    lexicon, notes = letters
    myopia = next(term for term in lexicon.terms.values() if term.concept == "HP:0000545")
    lay = read_lay_names("HP:0000545")
    assert "near sighted" in lay
    assert lay <= {name.lower() for name in myopia.others}
    for term in lexicon.of_role("finding"):
        assert not {name.lower() for name in (*term.synonyms, *term.british)} & read_lay_names(term.concept)
        exact = {s.text.lower() for s in knowledge.synonyms(term.concept) if s.scope == "EXACT" and "," not in s.text}
        assert exact <= {name.lower() for name in term.names}
    assert not re.search(r"near.sighted|cross eyed|heart failures|tear in inner wall", " ".join(n.text for n in notes))


def test_findings_of_a_system_stand_together_and_present_ones_first(letters: tuple[Lexicon, list[Note]]) -> None:
    lexicon, notes = letters
    for note in notes:
        facts = {fact.key: fact for fact in note.plan.facts}
        told: dict[str, str] = {}
        for span in note.spans:  # in the order of the text; what a summary repeats is left out
            told.setdefault(span.fact, span.status)
        findings = [key for key in told if lexicon[facts[key].variable].role == "finding"]
        systems = [lexicon[facts[key].variable].system for key in findings]
        systems = [system if lexicon.systems[system] > 2 else "few" for system in systems]
        assert len(set(systems)) > 6
        assert [s for at, s in enumerate(systems) if at == 0 or systems[at - 1] != s] == list(dict.fromkeys(systems))
        for system in set(systems):
            own = [told[key] for key, place in zip(findings, systems, strict=True) if place == system]
            assert own == sorted(own, key=["present", "uncertain", "absent"].index)


def test_systems_are_the_ontologys_branches(knowledge: KnowledgeGraph) -> None:
    branches = set(knowledge.children("HP:0000118"))
    muscle = "HP:0003011"  # a branch of its own here
    assert set(SYSTEMS) == branches | {muscle}
    for concept, system in (
        ("HP:0000545", "HP:0000478"),  # myopia: eye
        ("HP:0001166", "HP:0040064"),  # arachnodactyly: limbs, before the skeleton
        ("HP:0004942", "HP:0001626"),  # aortic aneurysm: heart and vessels
        ("HP:0000118", ""),
    ):
        assert find_system((concept,), knowledge) == system


def test_a_finding_that_changes_sides_leaves_the_words_of_others_alone(letters: tuple[Lexicon, list[Note]]) -> None:
    lexicon, notes = letters
    for note in notes:
        plan = note.plan
        changed = next(fact for fact in plan.facts if fact.kind == "finding" and fact.status == "present")
        other: Fact = replace(changed, value=0.0, status="absent")
        twin = write(replace(plan, facts=tuple(other if f is changed else f for f in plan.facts)), lexicon)
        words = [{span.fact: n.text[span.start : span.end].lower() for span in n.spans} for n in (note, twin)]
        assert {key for key in words[0] if words[0][key] != words[1][key]} <= {changed.key}
        same = set(note.text.split("\n")) & set(twin.text.split("\n"))
        assert len(same) > 0.6 * len(set(note.text.split("\n")))


def test_a_summary_tells_present_findings_of_the_most_affected_systems(letters: tuple[Lexicon, list[Note]]) -> None:
    lexicon, notes = letters
    for note in notes:
        facts = {fact.key: fact for fact in note.plan.facts}
        seen: set[str] = set()
        again = []
        for span in note.spans:
            if span.kind == "finding" and span.fact in seen:
                again.append(span)
            seen.add(span.fact)
        counts: dict[str, int] = {}
        for fact in note.plan.facts:
            if fact.kind == "finding" and fact.status == "present":
                system = lexicon[fact.variable].system
                counts[system] = counts.get(system, 0) + 1
        assert again
        assert all(span.status == "present" for span in again)
        third = sorted(counts.values(), reverse=True)[2]
        assert all(counts[lexicon[facts[span.fact].variable].system] >= third for span in again)


def test_nobody_is_said_to_lack_what_only_the_other_sex_has(tmp_path: Path, knowledge: KnowledgeGraph) -> None:
    _, notes = write_letters("OMIM:122470", tmp_path, knowledge)  # Cornelia de Lange syndrome 1
    told = {
        (note.plan.subject.sex, fact.status)
        for note in notes
        for fact in note.plan.facts
        if fact.concept == "HP:0000028"
    }
    assert ("male", "absent") in told  # cryptorchidism
    assert ("female", "absent") not in told
    assert any(note.plan.subject.sex == "female" for note in notes)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Deeply set eye", "deeply set eyes"), ("Narrow foot", "narrow feet"), ("Seizure", "seizures"),
        ("Intellectual disability, severe", "severe intellectual disability"), ("Unilateral narrow foot", None),
        ("EMG: neuropathic changes", "neuropathic changes on EMG"),
        ("Prolonged QTc interval", "prolonged QTc interval"),
        ("Absent Achilles reflex", "absent Achilles reflex"), ("Clinodactyly of the 5th finger", None),
        ("Horseshoe kidney", None), ("Eye pain", None),
    ],
)  # fmt: skip
def test_labels_become_what_clinicians_say(name: str, said: str | None) -> None:
    assert speak(say_naturally(speak(name))) == (said or speak(name))


def test_what_is_counted_and_what_is_not() -> None:
    assert all(is_counted(term) for term in ("high palate", "bicuspid aortic valve", "seizure", "renal mass"))
    assert not any(
        is_counted(term)
        for term in (
            "decreased muscle mass",
            "heart failure",
            "hypotonia",
            "facial asymmetry",
            "absent Achilles reflex",
        )
    )
    assert not any(is_plural(term) for term in ("talipes", "ascites", "coarse facies", "pancreas"))
    assert all(is_plural(term) for term in ("arrhythmias", "narrow feet", "esophageal varices"))
