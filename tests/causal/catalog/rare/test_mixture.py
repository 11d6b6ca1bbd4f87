"""Mixtures: how they are written, and that each disease keeps its own frequencies, sex and genotype in them."""

from __future__ import annotations

import numpy as np
import pytest

from nosograph.causal.catalog.rare import convert_mixture
from nosograph.causal.catalog.rare.hierarchy import arrange_terms
from nosograph.causal.catalog.rare.mixture import read_mixture
from nosograph.causal.model.check import check_model
from nosograph.causal.model.load import load_model
from nosograph.errors import NosographError
from nosograph.ontology.annotations import find_annotations
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.simulate.cohort import simulate

MIX = "OMIM:300554=3, OMIM:540000=1"  # X-linked recessive and mitochondrial: who is drawn does not always enter
PATIENTS = 4000


@pytest.fixture(scope="module")
def knowledge() -> KnowledgeGraph:
    return KnowledgeGraph.open()


def test_each_disease_keeps_its_own(knowledge, tmp_path):
    path = tmp_path / "mixture.yaml"
    path.write_text(convert_mixture(MIX, knowledge=knowledge).text, encoding="utf-8")
    report = check_model(path, knowledge=knowledge)
    assert not (*report.errors, *report.warnings)
    model = load_model(path, knowledge=knowledge)
    assert not model.variables["diagnosis"].recorded
    cohort = simulate(model, patients=PATIENTS, seed=2)

    def column(name):
        values = cohort.truth[name].squeeze()
        return values.isel(time=0).values if "time" in values.dims else values.values

    diagnosis = column("diagnosis").astype(str)
    assert abs((diagnosis == "OMIM:300554").mean() - 0.75) < 4 * np.sqrt(0.75 * 0.25 / PATIENTS)
    assert (column("sex")[diagnosis == "OMIM:300554"] == "female").mean() < 0.01
    assert set(column("omim_540000_genotype")[diagnosis == "OMIM:300554"].astype(str)) == {"reference"}
    assert set(column("omim_540000_genotype")[diagnosis == "OMIM:540000"].astype(str)) == {"heteroplasmic"}
    states = {v.concept: v.name for v in model.variables.values() if v.kind == "state" and v.concept}
    misses = []
    for disease in ("OMIM:300554", "OMIM:540000"):
        own = diagnosis == disease
        for term in arrange_terms(find_annotations(disease, knowledge=knowledge), knowledge=knowledge)[0]:
            values = cohort.truth[states[term.concept]].squeeze().transpose("patient", "time").values.astype(float)
            seen = np.nan_to_num(values).max(axis=1)[own].mean()
            misses.append((seen - term.value) / np.sqrt(max(term.value * (1 - term.value), 1e-9) / own.sum()))
    assert np.abs(misses).max() < 4.5  # 52 comparisons: a false alarm in 3,000 at most
    alone = {
        t.concept for t in arrange_terms(find_annotations("OMIM:540000", knowledge=knowledge), knowledge=knowledge)[0]
    }
    alone -= {
        t.concept for t in arrange_terms(find_annotations("OMIM:300554", knowledge=knowledge), knowledge=knowledge)[0]
    }
    for concept in alone:
        values = cohort.truth[states[concept]].squeeze().transpose("patient", "time").values.astype(float)
        general = concept in {a for c in states if c not in alone for a in knowledge.ancestors(c)}
        assert general or np.nan_to_num(values)[diagnosis == "OMIM:300554"].max() == 0


def test_weights_and_percentages(knowledge):
    assert read_mixture("OMIM:154700=2,OMIM:609192=1 , ORPHA:558=1", knowledge=knowledge) == {
        "OMIM:154700": 0.5,
        "OMIM:609192": 0.25,
        "ORPHA:558": 0.25,
    }
    assert read_mixture("omim:154700 = 60%, ORPHA:558 = 40%", knowledge=knowledge)["ORPHA:558"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("mix", "words"),
    [
        ("", "weights"),
        ("OMIM:154700", "weights"),
        ("OMIM:154700=2, ORPHA:558", "weights"),
        ("OMIM:154700=many", "number"),
        ("OMIM:154700=-1, ORPHA:558=2", "0 or more"),
        ("OMIM:154700=nan, ORPHA:558=2", "number"),
        ("OMIM:154700=0, ORPHA:558=0", "all weights are 0"),
        ("OMIM:154700=1, omim:154700=2", "twice"),
        ("OMIM:154700=60%, ORPHA:558=30%", "add up to 90"),
        ("OMIM:154700=60%, ORPHA:558=1", "percentages and weights"),
        ("OMIM:999999=1, ORPHA:558=1", "no disease"),
    ],
)
def test_bad_mixtures_are_named(mix, words, knowledge):
    with pytest.raises(NosographError) as error:
        convert_mixture(mix, knowledge=knowledge)
    assert words in str(error.value)
    assert error.value.problems[0].fix


def test_the_record_of_a_mixture_tells_no_diagnosis(knowledge, tmp_path):
    """What could be read off a column of `patients`: at entry only sex and being affected are recorded."""
    path = tmp_path / "mixture.yaml"
    path.write_text(convert_mixture(MIX, knowledge=knowledge).text, encoding="utf-8")
    statics = (v for v in load_model(path, knowledge=knowledge).variables.values() if v.kind == "static")
    assert {v.name for v in statics if v.recorded} == {"sex", "affected"}
