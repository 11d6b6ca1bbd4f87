"""Genotypes of everybody, against the Hardy-Weinberg proportions worked out here by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from nosograph.causal.catalog.rare import convert_disease
from nosograph.causal.model.check import check_model
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model
from nosograph.causal.program.sampling import sample
from nosograph.ontology.knowledge import KnowledgeGraph

PATIENTS = 400_000
RECESSIVE, X_RECESSIVE, DOMINANT = "OMIM:619735", "OMIM:300554", "OMIM:154700"
X_EITHER = "OMIM:300425"


@pytest.fixture(scope="module")
def knowledge() -> KnowledgeGraph:
    return KnowledgeGraph.open()


def convert(disease: str, knowledge: KnowledgeGraph, folder: Path, **parameters: float) -> Model:
    path = folder / "model.yaml"
    path.write_text(convert_disease(disease, knowledge=knowledge, population=True).text, encoding="utf-8")
    report = check_model(path, knowledge=knowledge)
    assert not (*report.errors, *report.warnings)
    return load_model(path, knowledge=knowledge, parameters=parameters)


def share_genotypes(model: Model) -> tuple[dict[tuple[str, str], float], float]:
    """Of all people: how many have each sex and genotype, and how many are affected."""
    names = ["sex", "genotype", "affected"]
    journeys = sample(model, patients=PATIENTS, seed=5, steps=0, keep=names)
    codes = {name: journeys.values[name][0, 0].numpy().astype(int) for name in names}
    levels = {name: model.variables[name].levels for name in names}
    shares = {
        (sex, genotype): float(np.mean((codes["sex"] == i) & (codes["genotype"] == j)))
        for i, sex in enumerate(levels["sex"])
        for j, genotype in enumerate(levels["genotype"])
    }
    return shares, float(codes["affected"].mean())


def check_shares(found: dict[tuple[str, str], float], expected: dict[tuple[str, str], float]) -> None:
    """At 5 standard errors: of a dozen shares, a false alarm in 100,000."""
    assert sum(expected.values()) == pytest.approx(1)
    for key, share in found.items():
        wanted = expected.get(key, 0.0)
        assert abs(share - wanted) <= 5 * math.sqrt(wanted * (1 - wanted) / PATIENTS), key


def test_recessive_carriers(knowledge: KnowledgeGraph, tmp_path: Path) -> None:
    model = convert(RECESSIVE, knowledge, tmp_path, prevalence=0.01, penetrance=0.25)
    q = 0.2  # its square is 0.01 / 0.25
    assert model.parameters["allele_frequency"].value == pytest.approx(q)
    proportions = {"homozygous": q * q / 2, "compound_heterozygous": q * q / 2}
    proportions |= {"heterozygous_carrier": 2 * q * (1 - q), "reference": (1 - q) ** 2}
    found, affected = share_genotypes(model)
    check_shares(found, {(sex, level): p / 2 for level, p in proportions.items() for sex in ("female", "male")})
    assert abs(affected - 0.01) < 5 * math.sqrt(0.01 / PATIENTS)


def test_carriers_on_the_x_chromosome_are_women(knowledge: KnowledgeGraph, tmp_path: Path) -> None:
    q = 0.1
    model = convert(X_RECESSIVE, knowledge, tmp_path, prevalence=(q + q * q) / 2)
    assert model.parameters["x_allele_frequency"].value == pytest.approx(q)
    women = {"homozygous": q * q, "heterozygous_carrier": 2 * q * (1 - q), "reference": (1 - q) ** 2}
    men = {"hemizygous": q, "reference": 1 - q}
    found, affected = share_genotypes(model)
    expected = {("female", level): p / 2 for level, p in women.items()}
    check_shares(found, expected | {("male", level): p / 2 for level, p in men.items()})
    assert abs(affected - (q + q * q) / 2) < 5 * math.sqrt(q / PATIENTS)


def test_no_mode_makes_more_patients_than_the_prevalence(knowledge: KnowledgeGraph, tmp_path: Path) -> None:
    for disease in (DOMINANT, X_EITHER, "OMIM:540000", "OMIM:305700"):
        model = convert(disease, knowledge, tmp_path, prevalence=0.05)
        found, affected = share_genotypes(model)
        assert abs(affected - 0.05) < 5 * math.sqrt(0.05 * 0.95 / PATIENTS), disease
        carriers = sum(share for (_, level), share in found.items() if level == "heterozygous_carrier")
        assert (carriers > 0) == (disease == X_EITHER)


def test_a_rare_disease_has_many_carriers(knowledge: KnowledgeGraph, tmp_path: Path) -> None:
    model = convert(RECESSIVE, knowledge, tmp_path)
    assert model.parameters["allele_frequency"].value == pytest.approx(0.01)  # of one in 10,000: 2% carry it
