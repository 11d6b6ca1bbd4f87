"""The lexicon, against HPO's own file and what the catalog's variables are."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model
from nosograph.errors import NosographError
from nosograph.ontology import hpo
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.notes.lexicon import build_lexicon, shorten_title, speak
from nosograph.renderers.usage import write_unit

MODELS = Path(__file__).parents[2] / "models"
ROLES = {
    "alzheimers": {
        "age": "age", "sex": "sex", "ancestry": "history", "education": "history", "apoe4": "gene",
        "polygenic_score": "history", "cdr_sb_rated": "score", "mmse": "score", "amyloid_pet": "measure",
        "hippocampal_volume_mri": "volume", "ventricular_volume_mri": "volume",
        "white_matter_hyperintensity_mri": "volume", "plasma_ptau217": "laboratory", "lecanemab": "treatment",
        "cholinesterase_inhibitor": "treatment", "mci_diagnosis": "diagnosis", "dementia_diagnosis": "diagnosis",
        "aria_e": "occurrence", "care_home": "happening", "dropout": "departure", "death": "end",
    },
    "sepsis": {
        "heart_rate_charted": "vital", "systolic_bp_charted": "vital", "oxygen_charted": "vital",
        "antibiotics": "treatment", "ventilation": "treatment", "vasopressors": "treatment",
        "death": "end", "discharge": "end",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def knowledge() -> KnowledgeGraph:
    return KnowledgeGraph.open()


def synonyms_in_file(concept: str, scope: str) -> set[str]:
    """What hp.obo says, read by a regular expression."""
    ontology = next(path for path in hpo.locate_hpo() if path.name.endswith(".obo"))
    stanza = next(s for s in ontology.read_text(encoding="utf-8").split("\n[Term]\n") if f"id: {concept}\n" in s)
    return set(re.findall(rf'^synonym: "((?:[^"\\]|\\.)*)" {scope}', stanza, re.MULTILINE))


@pytest.mark.parametrize("name", ROLES)
def test_roles_come_from_concepts_units_and_kinds(name: str, knowledge: KnowledgeGraph) -> None:
    lexicon = build_lexicon(load_model(name), knowledge=knowledge)
    assert {term.variable: term.role for term in lexicon.terms.values()} == ROLES[name]


def rename(model: Model, variable: str, **changes: str) -> Model:
    """The model with one variable described differently."""
    changed = replace(model.variables[variable], **changes)  # type: ignore[arg-type]
    return replace(model, variables={**model.variables, variable: changed})


def test_names_do_not_decide(knowledge: KnowledgeGraph) -> None:
    model = load_model("alzheimers")
    aliases = {name: f"v{number}" for number, name in enumerate(model.variables)}
    renamed = {
        aliases[name]: replace(variable, name=aliases[name], of=aliases.get(variable.of, ""))
        for name, variable in model.variables.items()
    }
    lexicon = build_lexicon(replace(model, variables=renamed), knowledge=knowledge)
    assert {term.variable: term.role for term in lexicon.terms.values()} == {
        aliases[name]: role for name, role in ROLES["alzheimers"].items()
    }


def test_the_ontology_names_what_the_title_names(knowledge: KnowledgeGraph) -> None:
    lexicon = build_lexicon(load_model("alzheimers"), knowledge=knowledge)
    dementia = lexicon["dementia_diagnosis"]
    assert dementia.label == "dementia"
    exact = {text.lower() for text in synonyms_in_file("HP:0000726", "EXACT")}
    assert dementia.synonyms + dementia.others
    assert set(dementia.synonyms + dementia.others) <= exact
    # a title that says more than the concept (cerebral edema of any cause) is not called by the concept's names
    aria = lexicon["aria_e"]
    assert not {name.lower() for name in aria.names} & {"cerebral edema", "brain edema", "swelling of brain"}
    assert aria.abbreviations == ("ARIA-E",)


def test_broader_synonyms_only_when_asked_for(knowledge: KnowledgeGraph) -> None:
    model = rename(load_model("alzheimers"), "aria_e", title="")
    named = build_lexicon(model, knowledge=knowledge)["aria_e"]
    assert named.label == "cerebral edema"
    assert synonyms_in_file("HP:0002181", "BROAD") == {"Brain swelling"}
    assert "brain swelling" not in named.names
    wider = build_lexicon(model, knowledge=knowledge, scopes=("EXACT", "BROAD"))["aria_e"]
    assert "brain swelling" in wider.names


def test_a_concept_without_a_label_is_named_with_the_fix(knowledge: KnowledgeGraph) -> None:
    model = rename(load_model("sepsis"), "heart_rate_charted", title="")
    with pytest.raises(NosographError, match="no label") as caught:
        build_lexicon(model, knowledge=knowledge)
    problem = caught.value.problems[0]
    assert (problem.node, problem.value) == ("heart_rate_charted", "LOINC:8867-4")
    assert "title:" in problem.fix


def test_a_documents_synonyms_are_names(knowledge: KnowledgeGraph) -> None:
    """In its order, the short ones as abbreviations; after the ontology's, and none twice."""
    model = load_model("sepsis")
    changed = replace(
        model.variables["heart_rate_charted"], synonyms=("beats of the heart", "cardiac rate", "HR", "HF")
    )
    named = build_lexicon(replace(model, variables={**model.variables, changed.name: changed}), knowledge=knowledge)[
        "heart_rate_charted"
    ]
    before = build_lexicon(model, knowledge=knowledge)["heart_rate_charted"]
    assert named.synonyms == (*before.synonyms, "beats of the heart", "cardiac rate")
    assert (before.abbreviations, named.abbreviations) == (("HR",), ("HR", "HF"))


def test_locales_other_than_english_are_refused(knowledge: KnowledgeGraph) -> None:
    with pytest.raises(NosographError) as caught:
        build_lexicon(load_model("sepsis"), knowledge=knowledge, locale="de")
    assert (caught.value.problems[0].value, caught.value.problems[0].fix) == ("de", "en")


@pytest.mark.parametrize("name", ["alzheimers", "sepsis", "demographics", "core_everything.yaml", "six.yaml"])
def test_every_recorded_variable_has_a_name(name: str, knowledge: KnowledgeGraph) -> None:
    model = load_model(str(MODELS / name) if name.endswith(".yaml") else name)
    lexicon = build_lexicon(model, knowledge=knowledge)
    told = [v for v in model.variables.values() if v.recorded and v.kind != "state" and not v.any_of]
    assert set(lexicon.terms) == {v.name for v in told}
    for term in lexicon.terms.values():
        assert term.names
        assert all(text.strip() == text and text and not re.search(r"[()_;\n]", text) for text in term.names)
        assert term.written_units


@pytest.mark.parametrize(
    ("title", "label"),
    [
        ("Clinical Dementia Rating, sum of boxes, as rated", "Clinical Dementia Rating, sum of boxes"),
        ("Lecanemab, given by what is on record at entry, until ARIA-E", "lecanemab"),
        ("Vasopressors, given by blood pressure as charted, diabetes and glucose; not identifiable", "vasopressors"),
        ("A cholinesterase inhibitor, given by clinicians", "cholinesterase inhibitor"),
        ("Diagnosis of mild cognitive impairment", "mild cognitive impairment"),
        ("Burden of tangles (1 is typical)", "burden of tangles"),
        ("Mini-Mental State Examination", "Mini-Mental State Examination"),
        ("Amyloid PET", "amyloid PET"),
        ("DNA ploidy", "DNA ploidy"),
        ("Raynaud phenomenon", "Raynaud phenomenon"),
        ("Alzheimer's disease", "Alzheimer's disease"),
        ("Volume of both hippocampi on MRI", "volume of both hippocampi"),
    ],
)
def test_titles_become_what_stands_in_a_sentence(title: str, label: str) -> None:
    assert speak(shorten_title(title)) == label


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_speaking_changes_the_first_letter_at_most(title: str) -> None:
    told = speak(title)
    assert told[1:] == title[1:]
    assert told[:1] in (title[:1], title[:1].lower())


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("[Centiloid]", "Centiloids"), ("mm[Hg]", "mmHg"), ("{score}", ""), ("pg/mL", "pg/mL"), ("ug/mL", "µg/mL"),
        ("", ""), ("a", "years"), ("mmol/L", "mmol/L"), ("[IU]/mL", "IU/mL"), ("ug/dL", "µg/dL"),
    ],
)  # fmt: skip
def test_units_are_written_as_clinicians_do(code: str, written: str) -> None:
    assert write_unit(code)[0] == written
