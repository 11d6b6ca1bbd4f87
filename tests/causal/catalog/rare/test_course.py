"""Ages and modes against HPO's own definitions, and the survey of diseases."""

from __future__ import annotations

import re

import pytest

from nosograph.causal.catalog.rare import survey
from nosograph.causal.catalog.rare.course import DEATHS, MONTH, ONSETS, count_onsets, measure_onsets, read_course
from nosograph.causal.catalog.rare.inheritance import (
    DE_NOVO_MODES,
    LIMITED,
    MODES,
    NO_GENOTYPE,
    PENETRANCES,
    SAID,
    read_inheritance,
)
from nosograph.ontology.hpo import Annotation, locate_hpo
from nosograph.ontology.knowledge import KnowledgeGraph


@pytest.fixture(scope="module")
def knowledge() -> KnowledgeGraph:
    return KnowledgeGraph.open()


def row(phenotype, aspect, frequency=None, references=("PMID:1",)):
    affected, examined = map(int, frequency.split("/")) if frequency else (None, None)
    return Annotation(
        "OMIM:1", phenotype, False, references, "PCS", None, frequency, affected, examined, None, (), aspect
    )


def test_ages_are_those_of_the_definitions(knowledge):
    words = {"28 days": MONTH, "one year": 1, "24 months": 2}
    for code, (level, low, high) in {**ONSETS, **DEATHS}.items():
        if level in ("congenital", "pediatric", "puerperal", "perimenopausal", "postmenopausal"):
            continue
        text = knowledge.definition(code)
        ages = {words[word] for word in words if word in text}
        ages |= {float(number) for number in re.findall(r"\b(\d+)\b(?! days| months)", text)}
        if level in ("death_in_adulthood", "adult"):
            ages &= {16.0}
        assert ages <= {low, high}, (level, text)
        assert ages, (level, text)


def test_every_onset_and_mode_of_the_ontology_is_known(knowledge):
    assert knowledge.descendants("HP:0003674") <= ONSETS.keys()
    known = {*MODES, *DE_NOVO_MODES, *NO_GENOTYPE, *PENETRANCES, *LIMITED, *SAID}
    assert knowledge.descendants("HP:0000005") - known <= {"HP:0034345", "HP:0034339"}  # only more general ones


def test_genotypes_add_up():
    for mode, (shares, _) in MODES.items():
        assert sum(map(sum, shares.values())) == pytest.approx(1), mode


def test_modes_together():
    both = read_inheritance([row("HP:0000006", "I"), row("HP:0000007", "I")])
    assert {level: sum(shares) for level, shares in both.genotypes.items()} == pytest.approx(
        {"heterozygous": 0.5, "homozygous": 0.25, "compound_heterozygous": 0.25}
    )
    assert "modes of inheritance equally common" in both.assumed
    new = read_inheritance([row("HP:0000006", "I"), row("HP:0025352", "I")])
    assert sum(new.genotypes["heterozygous_de_novo"]) == pytest.approx(0.95)
    mosaic = read_inheritance([row("HP:0000006", "I"), row("HP:0001442", "I")])
    assert set(mosaic.genotypes) == {"mosaic"}
    partly = read_inheritance([row("HP:0000006", "I"), row("HP:0003829", "I")])
    assert partly.penetrance[:2] == (0.8, "Beta(8, 2)")
    men = read_inheritance([row("HP:0000006", "I"), row("HP:0001475", "I")])
    assert men.female_share == 0
    assert not read_inheritance([row("HP:0010982", "I")]).genotypes
    assert not read_inheritance([]).genotypes


def test_onsets_together(knowledge):
    rows = [
        row("HP:0003593", "C", "3/4"),
        row("HP:0003621", "C", "1/4"),
        row("HP:0003581", "C"),
        row("HP:0003584", "C"),
    ]
    course = read_course(rows, knowledge=knowledge)
    assert [share.level for share in course.onsets] == ["infantile", "juvenile", "late"]  # late is an adult onset
    infantile, juvenile, late = (share.frequency.value for share in course.onsets)
    assert infantile == pytest.approx(3.5 / 5)
    assert juvenile == pytest.approx(1.5 / 5)
    assert late == pytest.approx((infantile + juvenile) / 2)
    assert course.horizon == 80
    assert read_course([row("HP:0003577", "C")], knowledge=knowledge).horizon == 20


def test_unknown_onset_follows_all_diseases(knowledge):
    counts = count_onsets(knowledge)
    with locate_hpo()[1].open(encoding="utf-8") as lines:
        infantile = {line.split("\t")[0] for line in lines if line.split("\t")[3:4] == ["HP:0003593"]}
    assert counts["infantile"] == len(infantile)
    shares = measure_onsets(knowledge, 40)
    assert sum(share.frequency.value for share in shares) == pytest.approx(1)
    assert {share.level for share in shares} == {
        *("congenital", "neonatal", "infantile", "childhood", "juvenile", "young_adult")
    }


def test_a_survey_says_why_not(knowledge):
    diseases = ["OMIM:132700", "OMIM:620730", "OMIM:400047"]
    found = survey(knowledge=knowledge, diseases=diseases)
    assert [outcome.disease for outcome in found.outcomes] == diseases
    assert [bool(outcome.problem) for outcome in found.outcomes] == [False, True, False]
    document = found.to_json()
    assert (document["diseases"], document["converted"]) == (3, 2)
    assert "OMIM:620730" in found.to_markdown()
