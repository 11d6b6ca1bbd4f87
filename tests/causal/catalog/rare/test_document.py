"""Converted diseases: sound documents, of which the semantics that HPO's annotations mean hold."""

from __future__ import annotations

import random

import numpy as np
import pytest
import yaml

from nosograph.causal.catalog.rare import Conversion, convert_disease
from nosograph.causal.model.check import check_model
from nosograph.causal.model.load import load_model
from nosograph.errors import NosographError
from nosograph.ontology.annotations import find_annotations, list_diseases
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.simulate.cohort import simulate

KINDS = {  # one of each kind
    "marfan": "OMIM:154700",
    "ranges": "ORPHA:558",
    "recessive": "OMIM:619735",
    "x_recessive": "OMIM:300554",
    "x_dominant": "OMIM:301094",
    "mitochondrial": "OMIM:540000",
    "sexes": "OMIM:300076",
    "deadly": "OMIM:308205",
    "single": "OMIM:132700",
    "episodic": "OMIM:191900",
    "progressive": "OMIM:173650",
    "excluding": "ORPHA:90283",
    "late": "OMIM:609033",
    "y_linked": "OMIM:400047",
    "several_modes": "OMIM:256700",
    "transient": "OMIM:619653",
    "male_limited": "OMIM:305700",
    "genital": "OMIM:119500",
}


@pytest.fixture(scope="module")
def knowledge() -> KnowledgeGraph:
    return KnowledgeGraph.open()


def write(conversion: Conversion, folder) -> str:
    path = folder / "model.yaml"
    path.write_text(conversion.text, encoding="utf-8")
    return str(path)


def cohort_of(name, knowledge, folder, *, patients=4000, worlds=None, **options):
    conversion = convert_disease(KINDS[name], knowledge=knowledge, **options)
    model = load_model(write(conversion, folder), knowledge=knowledge)
    return model, simulate(model, patients=patients, seed=11, worlds=worlds or {})


def test_every_kind_is_sound_and_readable(knowledge, tmp_path):
    for disease in KINDS.values():
        conversion = convert_disease(disease, knowledge=knowledge)
        report = check_model(write(conversion, tmp_path), knowledge=knowledge)
        assert not (*report.errors, *report.warnings), disease
        assert (report.counts["variables"], report.counts["claims"]) == (conversion.variables, conversion.claims), (
            disease
        )
        lines = conversion.text.splitlines()
        assert sum(len(line) > 120 for line in lines) <= 0.01 * len(lines), disease


def test_the_same_bytes_every_time(knowledge):
    assert convert_disease("OMIM:154700", knowledge=knowledge) == convert_disease("omim:154700", knowledge=knowledge)


def test_evidence_is_what_the_curators_cite_and_else_an_assumption(knowledge):
    document = yaml.safe_load(convert_disease("OMIM:154700", knowledge=knowledge).text)
    genotype = document["variables"]["affected"]["caused_by"]["genotype"]
    assert genotype == {"evidence": "PMID:17502658", "checked": "curated"}
    rows = [row for row in find_annotations("OMIM:154700", knowledge=knowledge) if row.phenotype == "HP:0000678"]
    crowding = document["variables"]["dental_crowding"]
    assert crowding["caused_by"]["affected"] == {"evidence": rows[0].references[0], "checked": "curated"}
    frequency = document["parameters"]["dental_crowding_frequency"]
    assert rows[0].frequency == "8/53"
    assert frequency["uncertain"] == "Beta(8.5, 45.5)"
    assert frequency["value"] == pytest.approx(8.5 / 54, abs=1e-6)
    assert document["parameters"]["severity_strength"]["source"] == "assumption"


def test_none_couples_nothing(knowledge, tmp_path):
    conversion = convert_disease("OMIM:300554", knowledge=knowledge, strength=0.0)
    assert "severity" not in yaml.safe_load(conversion.text)["variables"]
    assert check_model(write(conversion, tmp_path), knowledge=knowledge).ok


def test_cohorts_are_of_the_affected_or_of_everybody(knowledge, tmp_path):
    _, affected = cohort_of("marfan", knowledge, tmp_path, patients=200)
    assert affected.truth["affected"].values.all()
    conversion = convert_disease("OMIM:154700", knowledge=knowledge, population=True)
    document = yaml.safe_load(conversion.text)
    assert "population" not in document
    assert document["parameters"]["prevalence"]["source"] == "assumption"
    model = load_model(write(conversion, tmp_path), knowledge=knowledge, parameters={"prevalence": 0.3})
    everybody = simulate(model, patients=2000, seed=3)
    ill = static(everybody, "affected") > 0
    assert abs(ill.mean() - 0.3) < 4 * np.sqrt(0.21 / 2000)
    present = ever(everybody, "dental_crowding")
    assert not present[~ill].any()
    assert present[ill].any()


def ever(cohort, name, world=None):
    """Whether each patient ever had it."""
    values = cohort.truth[name]
    if "world" in values.dims:
        values = values.isel(world=0) if world is None else values.sel(world=world)
    return np.nan_to_num(values.transpose("patient", "time").values.astype(float)).max(axis=1) > 0


def static(cohort, name):
    values = cohort.truth[name]
    values = values.isel(world=0) if "world" in values.dims else values
    values = values.isel(time=0) if "time" in values.dims else values
    return values.values


def test_sex_follows_from_inheritance(knowledge, tmp_path):
    shares = {}
    for name in ("x_recessive", "x_dominant", "y_linked", "male_limited"):
        _, cohort = cohort_of(name, knowledge, tmp_path, patients=4000)
        shares[name] = (static(cohort, "sex") == "female").mean()
    assert shares["y_linked"] == 0
    assert shares["x_recessive"] < 0.006  # 0.001 in 4,000: more with a probability under 1e-10
    assert abs(shares["x_dominant"] - 2 / 3) < 4 * np.sqrt(2 / 9 / 4000)


def test_nothing_without_the_genotype_or_the_disease(knowledge, tmp_path):
    worlds = {"healthy": 'genotype = "reference"', "spared": "affected = 0"}
    for name in ("recessive", "mitochondrial"):
        model, cohort = cohort_of(name, knowledge, tmp_path, patients=200, worlds=worlds)
        terms = [v.name for v in model.variables.values() if v.kind == "state" and v.concept]
        assert any(ever(cohort, term).any() for term in terms)
        for world in worlds:
            assert not any(ever(cohort, term, world).any() for term in terms), (name, world)


def test_heteroplasmy_decides(knowledge, tmp_path):
    _, cohort = cohort_of("mitochondrial", knowledge, tmp_path, patients=100, worlds={"few": "heteroplasmy = 0.2"})
    assert not cohort.truth["affected"].sel(world="few").values.any()


def test_true_path_and_do(knowledge, tmp_path):
    model, cohort = cohort_of("marfan", knowledge, tmp_path, patients=500, worlds={"short": "tall_stature = 0"})
    terms = {v.concept: v.name for v in model.variables.values() if v.kind == "state" and v.concept}
    present = {concept: ever(cohort, name) for concept, name in terms.items()}
    for concept in terms:
        for above in knowledge.ancestors(concept) & terms.keys():
            assert not (present[concept] & ~present[above]).any(), (concept, above)
    below = knowledge.descendants("HP:0000098") & terms.keys()
    assert below
    for concept, name in terms.items():
        changed = (ever(cohort, name, "short") != present[concept]).any()
        assert changed == (concept == "HP:0000098" or concept in below), concept
        assert concept not in below or not ever(cohort, name, "short").any()


def test_one_sex_only(knowledge, tmp_path):
    model, cohort = cohort_of("genital", knowledge, tmp_path, patients=500)
    female = static(cohort, "sex") == "female"
    assert female.any()
    assert not female.all()
    checked = 0
    for top, wrong in (("HP:0010461", female), ("HP:0010460", ~female)):
        for variable in model.variables.values():
            if variable.kind == "state" and variable.concept in knowledge.descendants(top):
                assert not ever(cohort, variable.name)[wrong].any(), variable.name
                checked += 1
    assert checked >= 2


def test_excluded_terms_never_occur(knowledge, tmp_path):
    excluded = {row.phenotype for row in find_annotations(KINDS["excluding"], knowledge=knowledge) if row.absent}
    model, cohort = cohort_of("excluding", knowledge, tmp_path, patients=100)
    names = [v.name for v in model.variables.values() if v.kind == "state" and v.concept in excluded]
    assert names
    assert not any(ever(cohort, name).any() for name in names)
    record = cohort.record.to_pandas()
    assert set(record[record.concept.isin(excluded)].value) == {0}


def test_everybody_is_examined_once_even_who_dies(knowledge, tmp_path):
    model, cohort = cohort_of("deadly", knowledge, tmp_path, patients=300)
    record = cohort.record.to_pandas()
    record = record[record.variable.str.endswith("_noted")]
    terms = {v.name: v.of for v in model.variables.values() if v.kind == "measurement"}
    assert len(record) == 300 * len(terms)
    assert 0.2 < (static(cohort, "age_at_death") < 1000).mean() < 1
    for name, of in list(terms.items())[:5]:
        noted = record[record.variable == name].sort_values("patient").value.to_numpy()
        assert (noted == ever(cohort, of)).all()


def track(cohort, name):
    return np.nan_to_num(cohort.truth[name].squeeze().transpose("patient", "time").values.astype(float))


def test_course_of_single_terms(knowledge, tmp_path):
    model, cohort = cohort_of("episodic", knowledge, tmp_path, patients=300)
    name = next(name.removesuffix("_active") for name in model.variables if name.endswith("_active"))
    trait, active = track(cohort, name), track(cohort, f"{name}_active")
    assert (active <= trait).all()
    assert (active.max(axis=1) == trait.max(axis=1)).all()
    assert (np.diff(active, axis=1) < 0).any()
    assert (np.diff(trait, axis=1) >= 0).all()
    model, cohort = cohort_of("progressive", knowledge, tmp_path, patients=100)
    name = next(name for name in model.variables if name.endswith("_degree") or name == "progression")
    degree = track(cohort, name)
    assert degree.min() >= 0
    assert 0.5 < degree.max() <= 1


def test_bad_requests_are_named(knowledge):
    for disease, options, words in (
        ("OMIM:154700", {"strength": 1.5}, "strength"),
        ("OMIM:999999", {}, "no disease"),
        ("OMIM:620730", {}, "no phenotype"),
    ):
        with pytest.raises(NosographError) as error:
            convert_disease(disease, knowledge=knowledge, **options)
        assert words in str(error.value)
        assert error.value.problems[0].fix


def check_sample(knowledge, folder, count):
    converted, reasons = 0, set[str]()
    for disease in random.Random(20250116).sample(sorted(list_diseases(knowledge=knowledge)), count):
        try:
            conversion = convert_disease(disease, knowledge=knowledge, leave_out_bad=True)
        except NosographError as error:
            reasons.add(error.problems[0].problem)
            continue
        report = check_model(write(conversion, folder), knowledge=knowledge)
        assert not (*report.errors, *report.warnings), disease
        assert (report.counts["variables"], report.counts["claims"]) == (conversion.variables, conversion.claims), (
            disease
        )
        converted += 1
    assert converted > 0.85 * count
    assert all("phenotype" in reason for reason in reasons)


def test_a_sample_is_sound(knowledge, tmp_path):
    check_sample(knowledge, tmp_path, 8)


@pytest.mark.verification
def test_a_larger_sample_is_sound(knowledge, tmp_path):
    check_sample(knowledge, tmp_path, 100)
