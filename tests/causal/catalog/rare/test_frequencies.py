"""Frequencies against scipy's Beta distribution, networkx' components and the ontology's own definitions."""

import random
import re

import networkx
import pytest
from scipy import stats

from nosograph.causal.catalog.rare.frequencies import RANGES, Frequency, assume_between, check_frequency, pool_frequency
from nosograph.errors import NosographError
from nosograph.ontology.hpo import Annotation
from nosograph.ontology.knowledge import KnowledgeGraph


def annotate(frequency: str | None = None, *references: str, absent: bool = False) -> Annotation:
    return Annotation(
        disease="OMIM:154700",
        phenotype="HP:0001166",
        absent=absent,
        references=references or ("OMIM:154700",),
        evidence="PCS",
        onset=None,
        frequency=frequency,
        affected=None,
        examined=None,
        sex=None,
        modifiers=(),
        aspect="P",
    )


def read_beta(frequency: Frequency) -> tuple[float, float]:
    written = re.fullmatch(r"Beta\(([\d.]+), ([\d.]+)\)", frequency.uncertain)
    assert written
    return float(written[1]), float(written[2])


@pytest.mark.parametrize("count", [(0, 1), (1, 1), (0, 200), (29, 199), (113, 146), (7, 7), (3, 1_000_000)])
def test_a_count_is_jeffreys_posterior(count: tuple[int, int]) -> None:
    affected, examined = count
    frequency = pool_frequency([annotate(f"{affected}/{examined}", "PMID:1")])
    posterior = stats.beta(affected + 0.5, examined - affected + 0.5)
    assert frequency.value == pytest.approx(posterior.mean(), rel=1e-12)
    assert frequency.interval == pytest.approx(posterior.interval(0.95), rel=1e-9)
    assert read_beta(frequency) == pytest.approx(posterior.args, rel=1e-9)
    assert (frequency.affected, frequency.examined, frequency.basis) == (affected, examined, "count")
    assert frequency.ascertained == (examined <= 3)
    assert any("ascertained by the report itself" in note for note in frequency.notes) == (examined <= 3)


def test_the_posterior_covers_as_often_as_its_prior_says() -> None:
    """Over frequencies drawn from Jeffreys' prior, a central 95% interval holds 95% of them: Bayes' theorem.

    4,000 draws: the share misses 0.95 by more than five standard errors (0.0172) in under one of a million runs.
    """
    draws, own = 4_000, random.Random(20_250_116)
    held = 0
    for _ in range(draws):
        truth = own.betavariate(0.5, 0.5)
        examined = own.choice([4, 20, 100])
        affected = sum(own.random() < truth for _ in range(examined))
        low, high = pool_frequency([annotate(f"{affected}/{examined}")]).interval
        held += low <= truth <= high
    assert abs(held / draws - 0.95) < 5 * (0.95 * 0.05 / draws) ** 0.5


def test_disjoint_references_add_up_and_a_shared_one_counts_once() -> None:
    rows = [annotate("2/10", "PMID:1"), annotate("3/20", "PMID:2"), annotate("4/15", "PMID:2", "PMID:3")]
    frequency = pool_frequency(rows)
    assert (frequency.affected, frequency.examined) == (5, 30)
    assert frequency.references == ("PMID:1", "PMID:2", "PMID:3")
    same = pool_frequency([annotate("5/7", "PMID:1"), annotate("6/7", "PMID:1")])
    assert (same.affected, same.examined) == (6, 7)  # who showed it by any age


def test_pooling_is_by_connected_references_in_any_order() -> None:
    own = random.Random(3)
    for _ in range(200):
        rows = []
        for _ in range(own.randint(1, 8)):
            examined = own.randint(1, 30)
            references = [f"PMID:{own.randint(1, 9)}" for _ in range(own.randint(1, 3))]
            rows.append(annotate(f"{own.randint(0, examined)}/{examined}", *references))
        graph: networkx.Graph[object] = networkx.Graph()
        for number, row in enumerate(rows):
            graph.add_edges_from((number, reference) for reference in row.references)
        affected = examined = 0
        for component in networkx.connected_components(graph):
            counts = [tuple(map(int, str(rows[n].frequency).split("/"))) for n in component if isinstance(n, int)]
            n, m = max(counts, key=lambda count: (count[1], count[0]))
            affected, examined = affected + n, examined + m
        for _ in range(3):
            own.shuffle(rows)
            pooled = pool_frequency(rows)
            assert (pooled.affected, pooled.examined) == (affected, examined)


def test_frequency_terms_are_what_the_ontology_says() -> None:
    knowledge = KnowledgeGraph.open()
    assert set(RANGES) == set(knowledge.children("HP:0040279"))
    for concept, (low, high) in RANGES.items():
        shares = [int(share) / 100 for share in re.findall(r"(\d+)%", knowledge.definition(concept) or "")]
        assert (low, high) == (shares[0], shares[-1])
        frequency = pool_frequency([annotate(concept)])
        assert frequency.interval == (low, high)
        assert frequency.value == pytest.approx((low + high) / 2)
        assert frequency.uncertain == (f"Uniform({low:g}, {high:g})" if low < high else "")


def test_several_terms_span_both_and_counts_go_before_all_else() -> None:
    frequency = pool_frequency([annotate("HP:0040283"), annotate("HP:0040282")])
    assert frequency.interval == (0.05, 0.79)
    assert frequency.value == pytest.approx(0.42)
    rows = [annotate("HP:0040283", "ORPHA:558"), annotate(None), annotate("45%", "PMID:7"), annotate("1/8", "PMID:8")]
    frequency = pool_frequency(rows)
    assert (frequency.basis, frequency.affected, frequency.examined) == ("count", 1, 8)
    assert frequency.references == ("PMID:8",)  # what the number rests on
    assert "3 less exact" in frequency.notes[-1]
    assert pool_frequency(rows[:3]).basis == "percentage"
    assert pool_frequency(rows[:2]).basis == "term"


@pytest.mark.parametrize(("text", "affected"), [("0%", 0), ("50%", 10), ("76.3%", 15.26), ("100%", 20)])
def test_a_percentage_is_as_of_twenty(text: str, affected: float) -> None:
    frequency = pool_frequency([annotate(text, "PMID:1")])
    assert read_beta(frequency) == pytest.approx((affected + 0.5, 20 - affected + 0.5))
    assert frequency.interval == pytest.approx(stats.beta(*read_beta(frequency)).interval(0.95))
    assert (frequency.affected, frequency.examined) == (None, None)
    assert "20 examined" in frequency.notes[0]


def test_nothing_known_is_a_stated_assumption() -> None:
    frequency = pool_frequency([annotate()])
    assert (frequency.value, frequency.uncertain, frequency.basis) == (0.5, "Beta(1, 1)", "assumption")
    assert frequency.interval == pytest.approx((0.025, 0.975))
    between = assume_between(0.2, 0.6)
    assert between.value == pytest.approx(0.4)
    assert between.uncertain == "Uniform(0.2, 0.6)"
    assert between.interval == (0.2, 0.6)


def test_excluded_is_never_and_what_is_seen_stands() -> None:
    for rows in ([annotate(absent=True)], [annotate("HP:0040285")]):
        frequency = pool_frequency(rows)
        assert (frequency.value, frequency.interval, frequency.uncertain) == (0.0, (0.0, 0.0), "")
    assert pool_frequency([annotate(absent=True), annotate("3/9")]).affected == 3
    assert pool_frequency([annotate("0/3")]).value == pytest.approx(0.125)  # nobody of three is no exclusion


def test_only_pmids_and_dois_are_citations() -> None:
    references = (
        "OMIM:154700",
        "PMID:28050285",
        "PMID:20037588P",
        "DOI:10.1000/x",
        "ISBN:0-683-30128-4",
        "http://x.y/",
    )
    assert pool_frequency([annotate("3/9", *references)]).citations == ("PMID:28050285", "DOI:10.1000/x")


@pytest.mark.parametrize(
    ("text", "problem", "fix"),
    [
        ("5/3", "more patients affected than examined", "3/5"),
        ("0/0", "nobody examined", "0/3"),
        ("120%", "outside 0 to 100", "45%"),
        ("-5%", "outside 0 to 100", "45%"),
        ("1.5", "no frequency", "7/16"),
        ("HP:0040279", "no frequency", "HP:0040281"),
        ("-1/3", "no frequency", "7/16"),
        ("often", "no frequency", "45%"),
    ],
)
def test_what_cannot_be_is_named(text: str, problem: str, fix: str) -> None:
    for ask in (check_frequency, lambda row: pool_frequency([annotate("1/3"), row])):
        with pytest.raises(NosographError) as caught:
            ask(annotate(text))
        (found,) = caught.value.problems
        assert (found.node, found.value) == ("OMIM:154700, HP:0001166", text)
        assert problem in found.problem
        assert fix in found.fix
