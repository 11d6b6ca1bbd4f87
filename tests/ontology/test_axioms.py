"""Causal axioms in triples and in OWL's class expressions, on small ontologies whose axioms are known by hand."""

from pathlib import Path

from nosograph.ontology.axioms import Axiom, find_axioms, find_references, inherit
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.ontology.relations import RELATIONS

PREFIXES = """
@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix obo: <http://purl.obolibrary.org/obo/> . @prefix oio: <http://www.geneontology.org/formats/oboInOwl#> .
@prefix sct: <http://snomed.info/id/> . @prefix dcterms: <http://purl.org/dc/terms/> . @prefix : <http://e.org/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


def load(folder: Path, text: str, name: str = "o.ttl") -> KnowledgeGraph:
    (folder / name).write_text((PREFIXES if name.endswith("ttl") else "") + text)
    knowledge = KnowledgeGraph()
    knowledge.load(folder / name)
    return knowledge


def tell(knowledge: KnowledgeGraph) -> set[str]:
    return {axiom.cite() for axiom in find_axioms(RELATIONS, knowledge=knowledge)}


def test_triples_and_restrictions_say_the_same(tmp_path: Path) -> None:
    knowledge = load(
        tmp_path,
        """
        obo:MONDO_0000001 obo:RO_0003303 obo:HP_0000001 .
        obo:MONDO_0000002 rdfs:subClassOf [a owl:Restriction; owl:onProperty obo:RO_0004020; owl:someValuesFrom :gene] .
        obo:MONDO_0000003 owl:equivalentClass [owl:intersectionOf (obo:MONDO_0000001
            [owl:onProperty obo:RO_0004003; owl:someValuesFrom :gene]
            [owl:intersectionOf ([owl:onProperty obo:RO_0004026; owl:someValuesFrom obo:UBERON_0000955])])] .
        sct:4989003 owl:equivalentClass [owl:intersectionOf (sct:64572001 [owl:onProperty sct:609096000;
            owl:someValuesFrom [owl:intersectionOf
                ([owl:onProperty sct:246075003; owl:someValuesFrom sct:18213006])]])] .
        """,
    )
    assert tell(knowledge) == {
        "axiom:MONDO:0000001 RO:0003303 HP:0000001",
        "axiom:MONDO:0000002 RO:0004020 http://e.org/gene",
        "axiom:MONDO:0000003 RO:0004003 http://e.org/gene",
        "axiom:MONDO:0000003 RO:0004026 UBERON:0000955",
        "axiom:SNOMEDCT:4989003 SNOMEDCT:246075003 SNOMEDCT:18213006",
    }


def test_what_does_not_entail_a_cause_is_not_read(tmp_path: Path) -> None:
    """Unions, universals, complements, fillers without a name, other relations, and lists that go round."""
    knowledge = load(
        tmp_path,
        """
        :a rdfs:subClassOf [owl:unionOf ([owl:onProperty obo:RO_0004020; owl:someValuesFrom :gene] :b)],
            [owl:onProperty obo:RO_0004020; owl:allValuesFrom :gene],
            [owl:complementOf [owl:onProperty obo:RO_0004020; owl:someValuesFrom :gene]],
            [owl:onProperty obo:RO_0004020; owl:someValuesFrom [owl:unionOf (:gene :b)]],
            [owl:onProperty obo:BFO_0000050; owl:someValuesFrom :gene],
            [owl:intersectionOf _:list] .
        _:list <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> _:list ;
            <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> _:list .
        :a obo:RO_0003303 "a text", [] .
        """,
    )
    assert tell(knowledge) == set()


def test_the_direction_is_that_of_the_relation(tmp_path: Path) -> None:
    knowledge = load(tmp_path, ":a obo:RO_0002411 :b . :c sct:42752001 :d . :e sct:363698007 :f .")
    edges = {
        (axiom.cause, axiom.effect): axiom.relation.object for axiom in find_axioms(RELATIONS, knowledge=knowledge)
    }
    e = "http://e.org/"
    assert edges[e + "a", e + "b"] == "effect"  # a is upstream of b
    assert edges[e + "d", e + "c"] == "cause"  # c is due to d
    assert set(edges.values()) == {"effect", "cause", "description"}


def test_a_relation_below_a_known_one_counts_as_the_nearest(tmp_path: Path) -> None:
    knowledge = load(
        tmp_path,
        """
        :blocks rdfs:subPropertyOf obo:RO_0002212 ; rdfs:label "blocks" . :blocks_well rdfs:subPropertyOf :blocks .
        obo:RO_0002212 rdfs:subPropertyOf obo:RO_0002211 .
        :a :blocks_well :b .
        """,
    )
    (axiom,) = find_axioms(RELATIONS, knowledge=knowledge)
    assert axiom.relation.lowers
    assert axiom.cite() == "axiom:http://e.org/a http://e.org/blocks_well http://e.org/b"


def test_references_stand_on_the_axiom(tmp_path: Path) -> None:
    """OWL's annotated target is another blank node of the same structure; only papers can be cited."""
    knowledge = load(
        tmp_path,
        """
        :a rdfs:subClassOf [a owl:Restriction; owl:onProperty obo:RO_0004020; owl:someValuesFrom :gene],
            [a owl:Restriction; owl:onProperty obo:RO_0004020; owl:someValuesFrom :other] .
        [a owl:Axiom; owl:annotatedSource :a; owl:annotatedProperty rdfs:subClassOf;
            owl:annotatedTarget [a owl:Restriction; owl:onProperty obo:RO_0004020; owl:someValuesFrom :gene];
            oio:source "PMID:123", "MONDO:mim2gene_medgen"; oio:hasDbXref "DOI:10.1000/x";
            dcterms:source <https://pubmed.ncbi.nlm.nih.gov/45> ; rdfs:comment "PMID:9"] .
        :a obo:RO_0003303 :c .
        [a owl:Axiom; owl:annotatedSource :a; owl:annotatedProperty obo:RO_0003303; owl:annotatedTarget :c;
            oio:source "PMID:7"] .
        """,
    )
    found = {
        a.object[-5:]: find_references(a, knowledge=knowledge) for a in find_axioms(RELATIONS, knowledge=knowledge)
    }
    assert found == {"/gene": ("PMID:123", "PMID:45", "doi:10.1000/x"), "other": (), "org/c": ("PMID:7",)}


def test_obo_keeps_sources_and_logical_definitions(tmp_path: Path) -> None:
    knowledge = load(
        tmp_path,
        """format-version: 1.2
ontology: mondo

[Term]
id: MONDO:0000001
name: a
relationship: basis HGNC:1 {source="PMID:12", source="MONDO:x"} ! a gene
intersection_of: MONDO:0000002 ! b
intersection_of: basis HGNC:2 ! another

[Typedef]
id: basis
xref: RO:0004020
""",
        "o.obo",
    )
    axioms = find_axioms(RELATIONS, knowledge=knowledge)
    assert [(a.cite(), find_references(a, knowledge=knowledge)) for a in axioms] == [
        ("axiom:MONDO:0000001 RO:0004020 HGNC:1", ("PMID:12",)),
        ("axiom:MONDO:0000001 RO:0004020 HGNC:2", ()),
    ]


def test_what_is_inherited_leaves_out_what_says_less(tmp_path: Path) -> None:
    knowledge = load(
        tmp_path,
        """
        :child rdfs:subClassOf :parent . :parent rdfs:subClassOf :top . :gene1 rdfs:subClassOf :gene .
        :child obo:RO_0004020 :gene1 . :parent obo:RO_0004020 :gene . :top obo:RO_0004020 :agent ; obo:RO_0003303 :x .
        """,
    )
    by_subject: dict[str, tuple[Axiom, ...]] = {}
    for axiom in find_axioms(RELATIONS, knowledge=knowledge):
        by_subject[axiom.subject] = (*by_subject.get(axiom.subject, ()), axiom)
    found = inherit(by_subject, "http://e.org/child", knowledge=knowledge)
    assert {(a.object.removeprefix("http://e.org/"), a.stated_of.removeprefix("http://e.org/")) for a in found} == {
        ("gene1", ""),
        ("agent", "top"),
        ("x", "top"),
    }
    assert all(axiom.subject == "http://e.org/child" for axiom in found)
    assert {axiom.cite() for axiom in found if axiom.stated_of} == {
        "axiom:http://e.org/top RO:0004020 http://e.org/agent",
        "axiom:http://e.org/top RO:0003303 http://e.org/x",
    }


def test_shipped_hpo_states_no_cause() -> None:
    """Its release without logical definitions says what is a kind of what, and no more."""
    assert find_axioms(RELATIONS, knowledge=KnowledgeGraph.open()) == ()
