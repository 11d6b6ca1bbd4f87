"""Whatever an ontology, a release or an annotation file says, and whatever is asked of it: an answer, or a message."""

from __future__ import annotations

import datetime
import shutil
from functools import cache
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from nosograph.causal.model.load import load_model
from nosograph.ontology.hpo import COLUMNS, GENE_COLUMNS, read_annotations, read_genes
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.notes.lexicon import build_lexicon
from nosograph.renderers.notes.reading.reader import NoteReader

from ..ontology import corpus
from ..ontology.test_rf2 import LATE, write_package, write_release
from .cases import fuzz, refuse_politely
from .mutate import changed_texts, texts, to_bytes

OBO = """format-version: 1.2
data-version: releases/2025-01-16
ontology: hp

[Typedef]
id: part_of
xref: BFO:0000050

[Term]
id: HP:0000001
name: All \\n things {source="x"} ! a comment
def: "Root." [HPO:probinson]
synonym: "Everything" EXACT layperson [PMID:1]
xref: UMLS:C0444868 "name"
alt_id: HP:0000002
relationship: part_of HP:0000118
is_a: HP:0000118 {a="b"} ! Phenotypic abnormality
is_obsolete: true
replaced_by: HP:0000118
consider: HP:0000119
subset: some
"""
TURTLE = """@prefix obo: <http://purl.obolibrary.org/obo/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
obo:HP_0000001 a <http://www.w3.org/2002/07/owl#Class> ; rdfs:label "All"@en, 'Alles'@de , \"\"\"x\"\"\"^^<x:y> ;
  rdfs:subClassOf [ rdfs:label 1.5e3, true, 5 ] , obo:HP_0000118 .
"""
OWL = """<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:owl="http://www.w3.org/2002/07/owl#"
  xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#" xml:base="http://example.org/o">
<owl:Ontology rdf:about="http://example.org/o"/>
<owl:Class rdf:about="http://purl.obolibrary.org/obo/HP_0000001"><rdfs:label xml:lang="en">All</rdfs:label>
<rdfs:subClassOf rdf:resource="http://purl.obolibrary.org/obo/HP_0000118"/>
<rdfs:subClassOf><owl:Restriction><owl:onProperty rdf:resource="#p"/><owl:someValuesFrom rdf:resource="#q"/>
</owl:Restriction></rdfs:subClassOf></owl:Class></rdf:RDF>
"""
OWX = """<?xml version="1.0"?>
<Ontology xmlns="http://www.w3.org/2002/07/owl#" xml:base="http://example.org/o" ontologyIRI="http://example.org/o">
<Prefix name="o" IRI="http://example.org/o#"/><Declaration><Class IRI="#A"/></Declaration>
<SubClassOf><Class IRI="#A"/><Class abbreviatedIRI="o:B"/></SubClassOf>
<AnnotationAssertion><AnnotationProperty abbreviatedIRI="rdfs:label"/><IRI>#A</IRI><Literal>a</Literal>
</AnnotationAssertion></Ontology>
"""
JSON = '{"@context": {"l": "http://www.w3.org/2000/01/rdf-schema#label"}, "@id": "http://a.org/b", "l": ["a", 1]}'
FILES = {
    ".obo": OBO,
    ".ttl": TURTLE,
    ".owl": OWL,
    ".owx": OWX,
    ".jsonld": JSON,
    ".rdf": OWL,
    ".txt": OBO,
    ".nq": "<a:b> <a:c> 'd' <a:g> .\n",
    ".xml": corpus.RDF_XML,
    ".xhtml": corpus.OWL_XML_WITH_ENTITIES,
    ".mondo": corpus.MONDO,
    ".ofn": corpus.FUNCTIONAL,
}
HPOA = "\n".join(
    [
        "#description: HPO annotations",
        "\t".join(COLUMNS),
        "OMIM:104300\tAlzheimer\t\tHP:0000726\tPMID:1;OMIM:1\tPCS\tHP:0003577\t3/7\tMALE\tHP:0012825\tP\tHPO:x[2012]",
        "\t".join(["ORPHA:1020", "Alzheimer", "NOT", "HP:0002354", "ISBN:1", "TAS", "", "HP:0040281", "", "", "C", ""]),
    ]
)  # fmt: skip
GENES = "\n".join(["\t".join(GENE_COLUMNS), "\t".join(["351", "APP", "HP:0000726", "Dementia", "-", "OMIM:104300"])])
QUERIES = [
    "SELECT ?s (COUNT(*) AS ?n) { ?s rdfs:subClassOf* HP:0000118 ; rdfs:label ?l FILTER(LANG(?l) = 'en') } GROUP BY ?s",
    "ASK { { ?s ?p 'service' } UNION { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } } }",
    "CONSTRUCT { ?s a ?o } WHERE { VALUES ?s { obo:HP_1 <x:y> } OPTIONAL { ?s (rdfs:label|^a/!a)+ ?o } }",
]


@fuzz("ontologies", of=2)
@given(data=st.data(), suffix=st.sampled_from(sorted(FILES)))
def test_files(data: st.DataObject, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"ontology{suffix}"
    path.write_bytes(to_bytes(data.draw(changed_texts([FILES[suffix]]))))
    knowledge = KnowledgeGraph()
    refuse_politely(lambda: knowledge.load(path))
    for ask in (
        knowledge.label,
        knowledge.synonyms,
        knowledge.cross_references,
        knowledge.replacements,
        knowledge.ancestors,
    ):
        refuse_politely(lambda ask=ask: ask("HP:0000001"))
    knowledge.search("all")


@fuzz("ontologies", of=4)
@given(data=st.data())
def test_releases(data: st.DataObject, tmp_path: Path) -> None:
    folder = tmp_path / "release"
    shutil.rmtree(folder, ignore_errors=True)
    write_release(folder)
    if data.draw(st.booleans()):
        write_package(folder, LATE, kind=data.draw(st.sampled_from(["Snapshot", "Full", "Delta"])))
    path = data.draw(st.sampled_from(sorted(folder.rglob("*.txt"))))
    path.write_bytes(to_bytes(data.draw(changed_texts([path.read_text(encoding="utf-8")]))))
    refuse_politely(lambda: KnowledgeGraph().load(folder))


@fuzz("ontologies", of=4)
@given(
    concept=st.one_of(
        texts, changed_texts(["HP:0000001", "http://purl.obolibrary.org/obo/HP_0000001", "SNOMEDCT:26929004"])
    )
)
def test_names(concept: str) -> None:
    knowledge = KnowledgeGraph()
    for ask in (
        knowledge.require,
        knowledge.label,
        knowledge.known,
        knowledge.curie,
        knowledge.search,
        knowledge.is_obsolete,
    ):
        refuse_politely(lambda ask=ask: ask(concept))


@fuzz("annotations")
@given(annotations=changed_texts([HPOA]), genes=changed_texts([GENES]))
def test_annotations(annotations: str, genes: str, tmp_path: Path) -> None:
    path = tmp_path / "phenotype.hpoa"
    path.write_bytes(to_bytes(annotations))
    refuse_politely(lambda: list(read_annotations(path)))
    path.write_bytes(to_bytes(genes))
    refuse_politely(lambda: list(read_genes(path)))


@fuzz("sparql")
@given(query=changed_texts(QUERIES))
def test_queries(query: str) -> None:
    refuse_politely(lambda: KnowledgeGraph().sparql(query))


@cache
def make_reader() -> NoteReader:
    knowledge = KnowledgeGraph()
    model = load_model(Path(__file__).parents[1] / "models" / "six.yaml", knowledge=knowledge)
    return NoteReader(build_lexicon(model, knowledge=knowledge))


@fuzz("notes")
@given(
    text=changed_texts(
        [
            "A 71-year-old woman. Severity rated was 24 on 3 March 2024, down from 26.5 six months ago; no death.\n\n"
            "- Treated since 2023-01-05, stopped 01/06/2023 (risk 1/2).\n- Aged 7. Severity: twenty-four at 21:45."
        ]
    )
)
def test_notes(text: str) -> None:
    for date in (datetime.date(2024, 6, 1), datetime.datetime(1900, 1, 1, 0, 30)):
        for reading in make_reader().read(text, date=date):
            assert 0 <= reading.start <= reading.end <= len(text)
