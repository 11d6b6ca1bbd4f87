"""Genes, and diseases found by identifier or name, against the files read plainly."""

import csv
import re
from pathlib import Path

import pytest

from nosograph.errors import NosographError
from nosograph.ontology.annotations import find_genes, list_diseases
from nosograph.ontology.diseases import find_disease
from nosograph.ontology.hpo import GENE_COLUMNS, Gene, locate_hpo, read_genes
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.ontology.obo import LABEL


@pytest.fixture(scope="module")
def knowledge() -> KnowledgeGraph:
    return KnowledgeGraph.open()


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    """A name of each disease of `phenotype.hpoa` with a phenotype, by a split of its lines."""
    lines = locate_hpo()[1].read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith(("#", "database_id"))]
    return {row[0]: row[1] for row in rows if row[10] == "P"}


def test_genes_are_those_of_the_file(knowledge: KnowledgeGraph) -> None:
    with locate_hpo()[2].open(encoding="utf-8", newline="") as file:
        pairs = {
            (row["disease_id"], Gene(f"NCBIGene:{row['ncbi_gene_id']}", row["gene_symbol"]))
            for row in csv.DictReader(file, delimiter="\t")
        }
    of: dict[str, set[Gene]] = {}
    for disease, gene in pairs:
        of.setdefault(disease, set()).add(gene)
    assert len(pairs) > 12_000
    found = {disease: set(find_genes(disease, knowledge=knowledge)) for disease in of}
    assert found == of
    assert find_genes("OMIM:154700", knowledge=knowledge) == (Gene("NCBIGene:2200", "FBN1"),)
    assert find_genes("DECIPHER:16", knowledge=knowledge) == ()


def test_each_gene_and_pair_is_read_once() -> None:
    quads = list(read_genes(locate_hpo()[2]))
    assert len({str(quad) for quad in quads if quad.predicate != LABEL}) > 12_000
    pairs = [str(quad) for quad in quads if quad.predicate.value.endswith("/gene")]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize("row", ["10\tNAT2\tHP:1", "ten\tNAT2\tHP:1\tx\t-\tOMIM:243400"])
def test_a_broken_row_of_genes_is_named(tmp_path: Path, row: str) -> None:
    file = tmp_path / "genes_to_phenotype.txt"
    file.write_text("\t".join(GENE_COLUMNS) + "\n" + row + "\n")
    with pytest.raises(NosographError) as caught:
        list(read_genes(file))
    assert (caught.value.problems[0].file, caught.value.problems[0].line) == (str(file), 2)


def test_the_release_is_the_files_own(knowledge: KnowledgeGraph) -> None:
    header = re.search(r"^data-version: hp/releases/(\S+)$", locate_hpo()[0].read_text(encoding="utf-8"), re.M)
    assert header
    assert knowledge.release("HP") == knowledge.release("hpo") == header[1]
    assert knowledge.release("MONDO") is None


def test_every_disease_is_listed_with_its_name(knowledge: KnowledgeGraph, names: dict[str, str]) -> None:
    listed = list_diseases(knowledge=knowledge)
    assert set(names) <= set(listed)
    assert all(knowledge.label(disease) == listed[disease] for disease in sorted(listed)[::50])


@pytest.mark.parametrize(
    ("text", "disease"),
    [
        ("OMIM:154700", "OMIM:154700"),
        (" omim:154700 ", "OMIM:154700"),
        ("MIM:154700", "OMIM:154700"),
        ("ORPHANET:558", "ORPHA:558"),
        ("Orpha: 558", "ORPHA:558"),
        ("https://omim.org/entry/154700", "OMIM:154700"),
        ("decipher:16", "DECIPHER:16"),
        ("LOEYS-dietz syndrome 1", "OMIM:609192"),
    ],
)
def test_a_disease_is_found(knowledge: KnowledgeGraph, text: str, disease: str) -> None:
    assert find_disease(text, knowledge=knowledge) == disease


@pytest.mark.parametrize(
    ("text", "problem", "fix"),
    [
        ("marfan syndrom", "no disease of this name", "OMIM:154700 (Marfan syndrome)"),
        ("hungtington disease", "no disease of this name", "OMIM:143100 (Huntington disease)"),
        ("Marfan syndrome", "several diseases", "OMIM:154700 (Marfan syndrome)"),
        ("OMIM:15470", "no disease of this identifier", "OMIM:154700 (Marfan syndrome)"),
        ("OMIM:154070", "no disease of this identifier", "OMIM:154700 (Marfan syndrome)"),
        ("OMIM:", "no disease of this identifier", "its name"),
        ("OMIM:614390", "annotates no phenotype", "another disease"),
        ("MONDO:0007947", "annotates diseases of OMIM, ORPHA, DECIPHER", "ORPHA:558"),
        ("MONDO:7", "annotates diseases of OMIM, ORPHA, DECIPHER", "ORPHA:558"),
        ("qqqq", "no disease of this name", "a disease's name"),
        ("", "no disease of this name", "a disease's name"),
    ],
)
def test_what_is_no_disease_is_named_with_the_nearest(
    knowledge: KnowledgeGraph, text: str, problem: str, fix: str
) -> None:
    with pytest.raises(NosographError) as caught:
        find_disease(text, knowledge=knowledge)
    (found,) = caught.value.problems
    assert problem in found.problem
    assert fix in found.fix


def test_one_wrong_letter_still_leads_to_the_disease(knowledge: KnowledgeGraph, names: dict[str, str]) -> None:
    chosen = [disease for disease in sorted(names) if len(names[disease]) > 12][::2500]
    assert len(chosen) >= 4
    for disease in chosen:
        wrong = names[disease][:6] + "¤" + names[disease][7:]
        with pytest.raises(NosographError) as caught:
            find_disease(wrong, knowledge=knowledge)
        assert disease in caught.value.problems[0].fix


def test_an_obsolete_disease_names_its_replacement(tmp_path: Path) -> None:
    knowledge = KnowledgeGraph.open()
    own = tmp_path / "own.ttl"
    own.write_text(
        "@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix obo: <http://purl.obolibrary.org/obo/> .\n"
        "<https://omim.org/entry/999998> owl:deprecated true ; obo:IAO_0100001 <https://omim.org/entry/154700> .\n"
        "obo:MONDO_0007947 <http://www.geneontology.org/formats/oboInOwl#hasDbXref> 'OMIM:154700' .\n"
    )
    knowledge.load(own)
    with pytest.raises(NosographError, match="obsolete") as caught:
        find_disease("OMIM:999998", knowledge=knowledge)
    assert caught.value.problems[0].fix == "OMIM:154700 (Marfan syndrome)"
    with pytest.raises(NosographError, match=r"OMIM:154700 \(Marfan syndrome\)"):
        find_disease("MONDO:0007947", knowledge=knowledge)


def test_answers_are_remembered_only_until_something_is_added(tmp_path: Path) -> None:
    knowledge = KnowledgeGraph.open()
    assert "MONDO:0000001" not in knowledge.ancestors("HP:0001250")
    assert knowledge.label("HP:9999999") is None
    assert "OMIM:999997" not in list_diseases(knowledge=knowledge)
    own = tmp_path / "own.ttl"
    own.write_text(
        "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix obo: <http://purl.obolibrary.org/obo/> .\n"
        "obo:HP_0001250 rdfs:subClassOf obo:MONDO_0000001 . obo:HP_9999999 rdfs:label 'new' .\n"
        "<https://omim.org/entry/999997> a <https://w3id.org/nosograph/vocabulary/Disease> ; rdfs:label 'mine' .\n"
    )
    knowledge.load(own)
    assert "MONDO:0000001" in knowledge.ancestors("HP:0001250")
    assert knowledge.label("HP:9999999") == "new"
    assert list_diseases(knowledge=knowledge)["OMIM:999997"] == "mine"
