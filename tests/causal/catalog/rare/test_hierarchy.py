"""Arranged terms against networkx, brute-force simulation, and quadrature written anew."""

import random
from collections.abc import Sequence
from dataclasses import replace

import networkx
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from nosograph.causal.catalog.rare.hierarchy import AnnotatedTerm, Finding, arrange_terms
from nosograph.errors import NosographError
from nosograph.ontology.anatomy import ANATOMY, find_anatomy
from nosograph.ontology.annotations import find_annotations, list_diseases
from nosograph.ontology.hpo import Annotation
from nosograph.ontology.knowledge import KnowledgeGraph

SEIZURE, FOCAL, MOTOR, GENERALIZED = "HP:0001250", "HP:0007359", "HP:0020219", "HP:0002197"
FOCAL_MOTOR = "HP:0011153"
CRYPTORCHIDISM, GENITAL = "HP:0000028", "HP:0000078"


@pytest.fixture(scope="module")
def knowledge() -> KnowledgeGraph:
    return KnowledgeGraph.open()


def annotate(
    phenotype: str,
    frequency: str | None = None,
    reference: str = "PMID:1",
    sex: str | None = None,
    absent: bool = False,
) -> Annotation:
    return Annotation(
        disease="OMIM:100000",
        phenotype=phenotype,
        absent=absent,
        references=(reference,),
        evidence="PCS",
        onset=None,
        frequency=frequency,
        affected=None,
        examined=None,
        sex=sex,
        modifiers=(),
        aspect="P",
    )


def kinds(findings: Sequence[Finding]) -> set[tuple[str, str]]:
    return {(finding.kind, finding.concept) for finding in findings}


def group_by_view(terms: Sequence[AnnotatedTerm]) -> list[dict[str, AnnotatedTerm]]:
    """The terms as each sex has them, once where both have the same."""
    views = [{term.concept: term for term in terms if term.sex in (None, sex)} for sex in ("MALE", "FEMALE")]
    return views[: 1 if views[0] == views[1] else 2]


def integrate(term: AnnotatedTerm, view: dict[str, AnnotatedTerm]) -> float:
    """How often a term shows: one minus the chance that neither it nor anything below shows by itself, over the
    severity, on 4,001 nodes with scipy's normal distribution."""
    severity = np.linspace(-9, 9, 4_001)
    spared = np.ones_like(severity)
    for member in (term, *(view[concept] for concept in term.descendants)):
        width = np.sqrt(1 - term.strength**2)
        spared *= stats.norm.sf((stats.norm.ppf(member.own) - term.strength * severity) / width)
    return 1 - float(np.trapezoid(spared * stats.norm.pdf(severity), severity))


def simulate(terms: Sequence[AnnotatedTerm], patients: int, seed: int) -> dict[str, NDArray[np.bool_]]:
    """Who shows what, drawn from below as the model does: liabilities, thresholds, and whatever stands above."""
    draw = np.random.default_rng(seed)
    severity = draw.standard_normal(patients)
    by_itself = {}
    for term in terms:
        own = draw.standard_normal(patients)
        liability = term.strength * severity + np.sqrt(1 - term.strength**2) * own
        by_itself[term.concept] = liability < stats.norm.ppf(term.own)
    return {t.concept: np.any([by_itself[c] for c in (t.concept, *t.descendants)], axis=0) for t in terms}


def test_parents_and_descendants_are_those_of_the_ontology(knowledge: KnowledgeGraph) -> None:
    for disease in list(list_diseases(knowledge=knowledge))[::400]:
        terms, _, _ = arrange_terms(find_annotations(disease, knowledge=knowledge), knowledge=knowledge)
        for view in group_by_view(terms):
            graph: networkx.DiGraph[str] = networkx.DiGraph()
            graph.add_nodes_from(view)
            graph.add_edges_from((a, c) for c in view for a in view if a != c and knowledge.is_a(c, a))
            nearest = networkx.transitive_reduction(graph)
            place = {concept: number for number, concept in enumerate(view)}
            for concept, term in view.items():
                assert set(term.parents) == set(nearest.predecessors(concept))
                assert set(term.descendants) == networkx.descendants(graph, concept)
                assert all(place[parent] < place[concept] for parent in term.parents)
                assert all(term.value >= view[child].value - 1e-9 for child in term.descendants)


def test_every_coherent_marginal_is_as_annotated(knowledge: KnowledgeGraph) -> None:
    diseases = random.Random(4).sample(list(list_diseases(knowledge=knowledge)), 300)
    fitted = inner = 0
    for disease in diseases:
        terms, _, findings = arrange_terms(find_annotations(disease, knowledge=knowledge), knowledge=knowledge)
        incoherent = {
            f.concept for f in findings if f.kind == "incoherent" or "beyond" in f.text or "assumed" in f.text
        }
        for view in group_by_view(terms):
            for concept, term in view.items():
                if not term.descendants:
                    assert term.value == term.own == term.frequency.value
                    continue
                inner += 1
                assert integrate(term, view) == pytest.approx(term.value, abs=1e-6)
                if concept not in incoherent:
                    fitted += 1
                    low, high = term.frequency.interval
                    assert low - 1e-9 <= term.value <= high + 1e-9
    assert fitted > 300
    assert inner > fitted


@pytest.mark.parametrize("strength", [0.0, 0.5, 0.9])
def test_a_simulated_family_shows_as_annotated(knowledge: KnowledgeGraph, strength: float) -> None:
    """400,000 patients: five standard errors are missed by one of the four in under one of 400,000 runs."""
    counts = {SEIZURE: (60, 100), FOCAL: (30, 100), FOCAL_MOTOR: (10, 100), GENERALIZED: (20, 100)}
    rows = [annotate(concept, f"{n}/{m}") for concept, (n, m) in counts.items()]
    terms, _, findings = arrange_terms(rows, knowledge=knowledge, strength=strength)
    assert not findings
    patients = 400_000
    shown = simulate(terms, patients, seed=1)
    for concept, (n, m) in counts.items():
        wanted = (n + 0.5) / (m + 1)
        assert abs(shown[concept].mean() - wanted) < 5 * np.sqrt(wanted * (1 - wanted) / patients)
    assert not np.any(shown[FOCAL_MOTOR] & ~shown[FOCAL])
    together = np.mean(shown[FOCAL] & shown[GENERALIZED]) - shown[FOCAL].mean() * shown[GENERALIZED].mean()
    assert (abs(together) < 0.002) if strength == 0 else (together > 0.01)


def test_a_family_that_does_not_fit_is_strengthened_and_then_does(knowledge: KnowledgeGraph) -> None:
    below = sorted(knowledge.children(SEIZURE))[:4]
    rows = [annotate(SEIZURE, "HP:0040283"), *(annotate(concept, "HP:0040283") for concept in below)]
    terms, _, findings = arrange_terms(rows, knowledge=knowledge)
    (family,) = {(term.family, term.strength) for term in terms if term.concept in (SEIZURE, *below)}
    assert family[0] == 0
    assert 0.5 < family[1] < 1
    assert ("strengthened", SEIZURE) in kinds(findings)
    assert ("raised", SEIZURE) in kinds(findings)
    patients = 400_000
    shown = simulate(terms, patients, seed=2)
    (top,) = [term for term in terms if term.concept == SEIZURE]
    assert top.own == 0
    assert top.value <= 0.29
    for concept, value in [(SEIZURE, top.value), *((c, 0.17) for c in below)]:
        assert abs(shown[concept].mean() - value) < 5 * np.sqrt(value * (1 - value) / patients)
    weaker, _, _ = arrange_terms(rows, knowledge=knowledge, strength=0.99)
    assert {term.family for term in weaker} == {None}  # the disease's own loading does


def test_a_more_frequent_child_raises_its_ancestor(knowledge: KnowledgeGraph) -> None:
    rows = [annotate(SEIZURE, "10/100"), annotate(FOCAL, "50/100")]
    terms, _, findings = arrange_terms(rows, knowledge=knowledge)
    assert [term.value for term in terms] == pytest.approx([50.5 / 101, 50.5 / 101])
    assert [term.own for term in terms] == pytest.approx([0, 50.5 / 101])
    assert terms[0].frequency.value == pytest.approx(10.5 / 101)  # as annotated
    assert kinds(findings) == {("incoherent", SEIZURE)}


def test_what_is_assumed_gives_way_to_what_is_known(knowledge: KnowledgeGraph) -> None:
    rows = [annotate(SEIZURE, "70/100"), annotate(FOCAL), annotate(FOCAL_MOTOR, "20/100")]
    terms, _, findings = arrange_terms(rows, knowledge=knowledge)
    middle = next(term for term in terms if term.concept == FOCAL)
    assert middle.value == pytest.approx((70.5 + 20.5) / 2 / 101)
    assert middle.frequency.basis == "assumption"
    assert kinds(findings) == {("assumed", FOCAL)}


def test_excluded_terms_are_told_apart_from_contradictions(knowledge: KnowledgeGraph) -> None:
    rows = [annotate(GENERALIZED, absent=True), annotate(FOCAL, "HP:0040285"), annotate(FOCAL_MOTOR, "3/10")]
    terms, excluded, findings = arrange_terms(rows, knowledge=knowledge)
    assert [term.concept for term in terms] == [FOCAL_MOTOR]
    assert excluded == (GENERALIZED,)
    assert kinds(findings) == {("contradiction", FOCAL)}
    terms, excluded, findings = arrange_terms(
        [annotate(SEIZURE, absent=True), annotate(SEIZURE, "3/10")], knowledge=knowledge
    )
    assert ([term.concept for term in terms], excluded) == ([SEIZURE], ())
    assert kinds(findings) == {("contradiction", SEIZURE)}


def test_obsolete_unknown_and_other_terms(knowledge: KnowledgeGraph) -> None:
    rows = [
        annotate("HP:0004715", "3/10"),  # merged into HP:0000003
        annotate("HP:0007691", "3/10"),  # two to consider, none to take
        annotate("HP:9999999", "3/10"),
        annotate("HP:0000118", "3/10"),
        annotate("HP:0003577", "3/10"),  # congenital onset
        replace(annotate(SEIZURE, "5/3"), aspect="C"),
    ]
    terms, excluded, findings = arrange_terms(rows, knowledge=knowledge)
    assert ([term.concept for term in terms], excluded) == (["HP:0000003"], ())
    left_out = {("unknown term", c) for c in ("HP:0007691", "HP:9999999", "HP:0000118", "HP:0003577")}
    assert kinds(findings) == {("obsolete", "HP:0000003"), *left_out}
    (considered,) = [finding.text for finding in findings if finding.concept == "HP:0007691"]
    assert "HP:0007665 or HP:0010764" in considered


def test_one_bad_row_is_an_error_or_left_out(knowledge: KnowledgeGraph) -> None:
    rows = [annotate(SEIZURE, "5/3"), annotate(FOCAL, "2/8")]
    with pytest.raises(NosographError, match="OMIM:100000, HP:0001250"):
        arrange_terms(rows, knowledge=knowledge)
    terms, _, findings = arrange_terms(rows, knowledge=knowledge, leave_out_bad=True)
    assert [term.concept for term in terms] == [FOCAL]
    assert kinds(findings) == {("bad row", SEIZURE)}


def test_anatomy_has_the_labels_it_says(knowledge: KnowledgeGraph) -> None:
    for roots in ANATOMY.values():
        assert {concept: knowledge.label(concept) for concept in roots} == roots
    below = {
        sex: frozenset().union(*(knowledge.descendants(concept) | {concept} for concept in roots))
        for sex, roots in ANATOMY.items()
    }
    assert not below["MALE"] & below["FEMALE"]
    for concept, sex in ((CRYPTORCHIDISM, "MALE"), ("HP:0000140", "FEMALE"), ("HP:0000786", "FEMALE"), (GENITAL, None)):
        assert find_anatomy(knowledge.ancestors(concept) | {concept}) == sex


def test_sexes_are_kept_apart(knowledge: KnowledgeGraph) -> None:
    rows = [annotate(SEIZURE, "30/40", sex="MALE"), annotate(SEIZURE, "5/50", sex="FEMALE"), annotate(FOCAL, "2/40")]
    terms, _, _ = arrange_terms(rows, knowledge=knowledge)
    values = {(term.concept, term.sex): term.value for term in terms}
    assert values == pytest.approx(
        {(SEIZURE, "MALE"): 30.5 / 41, (SEIZURE, "FEMALE"): 5.5 / 51, (FOCAL, None): 2.5 / 41}
    )
    only, _, _ = arrange_terms([annotate(SEIZURE, "30/40", sex="MALE")], knowledge=knowledge)
    assert [term.sex for term in only] == ["MALE"]


def test_anatomy_of_one_sex_and_what_stands_above(knowledge: KnowledgeGraph) -> None:
    rows = [annotate(CRYPTORCHIDISM, "20/40"), annotate(GENITAL, "30/40")]
    terms, _, findings = arrange_terms(rows, knowledge=knowledge)
    assert not findings
    general = {term.sex: term for term in terms if term.concept == GENITAL}
    assert {sex: term.value for sex, term in general.items()} == pytest.approx({"MALE": 30.5 / 41, "FEMALE": 30.5 / 41})
    assert general["MALE"].descendants == (CRYPTORCHIDISM,)
    assert general["FEMALE"].descendants == ()
    assert general["FEMALE"].own == pytest.approx(30.5 / 41)
    assert general["MALE"].own < 30.5 / 41
    assert [term.sex for term in terms if term.concept == CRYPTORCHIDISM] == ["MALE"]


def test_a_general_term_of_one_sex_shows_in_the_other_as_far_as_what_is_below(knowledge: KnowledgeGraph) -> None:
    rows = [annotate(SEIZURE, "30/40", sex="MALE"), annotate(FOCAL, "10/40")]
    terms, _, findings = arrange_terms(rows, knowledge=knowledge)
    general = {term.sex: term for term in terms if term.concept == SEIZURE}
    assert general["FEMALE"].value == pytest.approx(10.5 / 41)
    assert general["FEMALE"].own == 0
    assert general["MALE"].value == pytest.approx(30.5 / 41)
    assert general["MALE"].own > 0
    assert kinds(findings) == {("contradiction", SEIZURE)}


@pytest.mark.verification
def test_no_annotation_of_any_disease_is_lost(knowledge: KnowledgeGraph) -> None:
    """All diseases: every phenotype annotated is shown, excluded, or found to be neither, and coherent values hold.

    Nothing here is drawn: there is no false alarm.
    """
    pairs = 0
    for disease in list_diseases(knowledge=knowledge):
        annotations = [row for row in find_annotations(disease, knowledge=knowledge) if row.aspect == "P"]
        terms, excluded, findings = arrange_terms(annotations, knowledge=knowledge)
        shown = {term.concept for term in terms}
        told = {finding.concept for finding in findings if finding.kind in ("unknown term", "contradiction")}
        assert {row.phenotype for row in annotations} <= shown | set(excluded) | told
        assert not shown & set(excluded)
        assert not any(knowledge.is_a(concept, out) for concept in shown for out in excluded)
        changed = {f.concept for f in findings if f.kind in ("incoherent", "raised", "contradiction")}
        assert all(term.value == term.frequency.value for term in terms if term.concept not in changed)
        known = {term.concept for term in terms if term.frequency.basis != "assumption"}
        pairs += len({(t.concept, below) for t in terms if t.concept in known for below in set(t.descendants) & known})
    assert pairs == 25_014 - 175  # as counted from the file, without those under the root, which says nothing
