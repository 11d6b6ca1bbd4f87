"""Simulated frequencies against HPO's counts, and against its hierarchy, over 100,000 patients of each disease."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nosograph.causal.catalog.rare import convert_disease
from nosograph.causal.catalog.rare.hierarchy import AnnotatedTerm, arrange_terms
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model
from nosograph.causal.program.sampling import sample
from nosograph.ontology.annotations import find_annotations, list_diseases
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.simulate.entrants import select_entrants
from nosograph.simulate.listing.phenotypes import find_present, read_sexes

PATIENTS = 100_000
BATCH = 5_000
LIMIT = 5.5  # standard errors
X_LINKED_AND_DEADLY = "OMIM:308205"
LATE_AND_DEADLY = "OMIM:255160"  # some terms begin after 40, and some patients die before

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Cohort:
    """Who ever had which term, by concept; who lived to its age at onset; who is a woman. Each (patients,)."""

    present: dict[str, Flags]
    reached: dict[str, Flags]
    female: Flags


@pytest.fixture(scope="module")
def knowledge() -> KnowledgeGraph:
    return KnowledgeGraph.open()


def draw_cohort(disease: str, *, patients: int, knowledge: KnowledgeGraph, folder: Path) -> Cohort:
    """Of the converted document, with as many women as men, where both can have the disease at all."""
    path = folder / "model.yaml"
    path.write_text(convert_disease(disease, knowledge=knowledge).text, encoding="utf-8")
    model = load_model(path, knowledge=knowledge, parameters={"female_share": 0.5})
    names = {v.concept: v.name for v in model.variables.values() if v.kind == "state" and v.concept}
    parts = [
        _draw_batch(model, list(names.values()), entrants.numbers)
        for entrants in select_entrants(model, count=patients, seed=1, batch=BATCH)
    ]
    present, reached = (np.concatenate([part[i] for part in parts]).T for i in (0, 1))
    female = np.concatenate([part[2] for part in parts])
    return Cohort(dict(zip(names, present, strict=True)), dict(zip(names, reached, strict=True)), female)


def _draw_batch(model: Model, names: Sequence[str], numbers: object) -> tuple[Flags, Flags, Flags]:
    onsets = [f"{name}_onset" if f"{name}_onset" in model.variables else "onset" for name in names]
    known = [name if name in model.variables else "sex" for name in onsets]  # without any onset: from birth on
    journeys = sample(model, patients=numbers, seed=1, keep=[*names, *known, "sex"])  # type: ignore[arg-type]
    end = journeys.ended[0].numpy()  # a step is a year
    ages = [journeys.values[name][0, 0].numpy() if name != "sex" else 0 * end for name in known]
    sexes = read_sexes(journeys, model)
    assert sexes is not None
    return find_present(journeys, names)[0], np.stack([age < end for age in ages], axis=1), sexes[0] == "female"


def miss(term: AnnotatedTerm, cohort: Cohort) -> tuple[float, float, float]:
    """How often the term was seen, its standard error, and by how many of these it misses the model's frequency.

    Only among those who lived to the age at onset of the term and of all below it: whoever dies before has none.
    """
    own = np.logical_and.reduce([cohort.reached[concept] for concept in (term.concept, *term.descendants)])
    if term.sex is not None:
        own &= cohort.female == (term.sex == "FEMALE")
    if own.sum() < 200:
        return np.nan, np.nan, 0.0
    seen = float(cohort.present[term.concept][own].mean())
    error = float(np.sqrt(max(term.value * (1 - term.value), 1e-9) / own.sum()))
    return seen, error, abs(seen - term.value) / error


def check_hierarchy(
    terms: Sequence[AnnotatedTerm], excluded: Sequence[str], cohort: Cohort, knowledge: KnowledgeGraph
) -> None:
    """Nobody has a term without what stands above it, an excluded one, or one that only the other sex has."""
    for concept, present in cohort.present.items():
        for above in knowledge.ancestors(concept) & cohort.present.keys():
            assert not (present & ~cohort.present[above]).any(), (concept, above)
        assert not present.any() or not (knowledge.ancestors(concept) | {concept}) & set(excluded), concept
        sexes = {term.sex for term in terms if term.concept == concept}
        if len(sexes) == 1 and None not in sexes:
            assert not present[cohort.female == (sexes == {"MALE"})].any(), concept


@pytest.mark.verification
def test_frequencies_of_fifty_diseases_are_those_that_the_counts_imply(
    knowledge: KnowledgeGraph, tmp_path: Path
) -> None:
    """Every term as often as its frequency says, by sex: 794 comparisons at 5.5 standard errors, so a false
    alarm in 30,000. Where annotations are coherent, also within the posterior's central 95% or the documented range:
    left out by name are the terms that `arrange_terms` tells of as incoherent, raised or contradicted."""
    compared = within = 0
    for disease in random.Random(4).sample(sorted(list_diseases(knowledge=knowledge)), 50):
        terms, excluded, findings = arrange_terms(find_annotations(disease, knowledge=knowledge), knowledge=knowledge)
        changed = {f.concept for f in findings if f.kind in ("incoherent", "raised", "contradiction")}
        cohort = draw_cohort(disease, patients=PATIENTS, knowledge=knowledge, folder=tmp_path)
        check_hierarchy(terms, excluded, cohort, knowledge)
        for term in terms:
            seen, error, missed = miss(term, cohort)
            assert missed < LIMIT, (disease, term.concept, term.sex, seen, term.value)
            compared += not np.isnan(seen)
            if term.concept not in changed and not np.isnan(seen):
                low, high = term.frequency.interval
                assert low - LIMIT * error <= seen <= high + LIMIT * error, (disease, term.concept, term.sex)
                within += 1
    assert compared > 750
    assert within > 500


@pytest.mark.parametrize("disease", [X_LINKED_AND_DEADLY, LATE_AND_DEADLY])
def test_frequencies_hold_by_sex_and_among_those_who_live_to_the_onset(
    disease: str, knowledge: KnowledgeGraph, tmp_path: Path
) -> None:
    """As above, of 4,000 patients: with 96 terms in all, a false alarm in 250,000."""
    terms, excluded, _ = arrange_terms(find_annotations(disease, knowledge=knowledge), knowledge=knowledge)
    cohort = draw_cohort(disease, patients=4_000, knowledge=knowledge, folder=tmp_path)
    check_hierarchy(terms, excluded, cohort, knowledge)
    assert cohort.female.mean() == pytest.approx(0.5, abs=0.05)
    assert (min(reached.mean() for reached in cohort.reached.values()) < 0.8) == (disease == LATE_AND_DEADLY)
    for term in terms:
        assert miss(term, cohort)[2] < LIMIT, (term.concept, term.sex, term.value)
