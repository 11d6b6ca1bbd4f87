"""Nothing that a stranger writes makes Nosograph use the network: a listener on the loopback stays silent."""

from __future__ import annotations

import urllib.request
from contextlib import suppress
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib import URIRef
from rdflib.plugins.sparql import prepareQuery

from nosograph.causal.model.load import load_model
from nosograph.errors import NosographError
from nosograph.ontology.knowledge import KnowledgeGraph

from .listener import Listener

MODEL = "https://w3id.org/nosograph/model/"


def test_the_listener_hears_what_asks(heard: Listener) -> None:
    """Otherwise its silence would mean nothing."""
    for ask in (
        lambda: urllib.request.urlopen(heard.url),
        lambda: list(ox.Store().query(f"SELECT * {{ SERVICE <{heard.url}> {{ ?s ?p ?o }} }}")),
        lambda: ox.Store().update(f"LOAD <{heard.url}>"),
    ):
        with pytest.raises(OSError, match="404"):
            ask()
    assert len(heard.asked) == 3


SERVICE = [
    "SELECT * { SERVICE <URL> { ?s ?p ?o } }",
    "SELECT * { ?s ?p ?o .SERVICE <URL> { ?s ?p ?o } }",
    "SELECT * { ?s ?p ?o.SERVICE <URL> { ?s ?p ?o } }",
    r"SELECT * { ?s ?p 'it\'s' SERVICE <URL> { ?s ?p ?o } }",
    r"SELECT * { ?s ?p '\\' . SERVICE <URL> { ?s ?p '' } }",
    r'SELECT * { ?s ?p "\"" . SERVICE <URL> { ?s ?p "" } }',
    'SELECT * { ?s ?p """"""SERVICE <URL> { ?s ?p """x""" } }',
    "SELECT * { ?s ?p '''a''b'c''' . SERVICE <URL> { ?s ?p ?o } }",
    "SELECT * { ?s ?p <x#y> . SERVICE <URL> { ?s ?p <#> } }",
    "PREFIX a: <x> SELECT * { ?s ?p a:b\\#c . SERVICE <URL> { ?s ?p ?o } }",
    "PREFIX s: <URL> SELECT * { SERVICE s: { ?s ?p ?o } }",
    "SELECT * { SERVICE SILENT <URL> { ?s ?p ?o } }",
    "SELECT * { service#comment\n<URL> { ?s ?p ?o } }",
    "SELECT * { #comment\rsErViCe <URL> { ?s ?p ?o } }",
    "SELECT * { VALUES ?u { <URL> } SERVICE ?u { ?s ?p ?o } }",
    "SELECT * { { SELECT ?s { SERVICE <URL> { ?s ?p ?o } } } }",
    "SELECT * { FILTER EXISTS { SERVICE <URL> { ?s ?p ?o } } }",
    "SELECT * { FILTER NOT EXISTS { SERVICE SILENT <URL> { ?s ?p ?o } } }",
    "SELECT * { OPTIONAL { SERVICE <URL> { ?s ?p ?o } } }",
    "SELECT * { {} UNION { SERVICE <URL> { ?s ?p ?o } } }",
    "SELECT * { {} MINUS { SERVICE <URL> { ?s ?p ?o } } }",
    "SELECT * { GRAPH ?g {} BIND(EXISTS { SERVICE <URL> {} } AS ?b) }",
    "ASK { SERVICE <URL> { ?s ?p ?o } }",
    "CONSTRUCT { ?s ?p ?o } WHERE { SERVICE <URL> { ?s ?p ?o } }",
    "DESCRIBE ?s { SERVICE <URL> { ?s ?p ?o } }",
    r"SELECT * { \u0053ERVICE <URL> { ?s ?p ?o } }",
    r"SELECT * { \U00000053ERVICE <URL> { ?s ?p ?o } }",
]


@pytest.mark.parametrize("query", SERVICE)
def test_service_is_refused(query: str, listener: Listener) -> None:
    with pytest.raises(NosographError, match="network"):
        list(KnowledgeGraph().sparql(query.replace("URL", listener.url)))


UPDATES = [
    "LOAD <URL>",
    "load SILENT <URL> INTO GRAPH <g:1>",
    "INSERT DATA { <a:b> <a:b> 'x' } ;\n LOAD <URL>",
    "INSERT { ?s ?p ?o } WHERE { SERVICE <URL> { ?s ?p ?o } }",
    "DELETE WHERE { ?s ?p ?o } ; INSERT { ?s ?p 1 } WHERE { ?s ?p ?o.SERVICE SILENT <URL> { ?s ?p ?o } }",
    r"\u004COAD <URL>",
]


@pytest.mark.parametrize("update", UPDATES)
def test_load_is_refused(update: str, listener: Listener) -> None:
    with pytest.raises(NosographError, match="network"):
        KnowledgeGraph().graph.update(update.replace("URL", listener.url))


def test_rdflib_runs_no_query_by_its_own_means(listener: Listener) -> None:
    """It would use the network for SERVICE and LOAD."""
    graph = KnowledgeGraph().graph
    query = f"SELECT * {{ SERVICE <{listener.url}> {{ ?s ?p ?o }} }}"
    for run in (
        lambda: graph.query(prepareQuery(query)),
        lambda: graph.query(query, base="http://example.org/"),
        lambda: graph.update(f"LOAD <{listener.url}>", initBindings={"s": URIRef("a:b")}),
        lambda: graph.query("ASK {}", base="http://example.org/"),
    ):
        with pytest.raises(NosographError, match=r"not run here|network"):
            run()


@pytest.mark.parametrize(
    "query",
    [
        'SELECT ?s { ?s rdfs:label "emergency service; load" }',
        "SELECT ?service ?load { ?service rdfs:label ?load } # LOAD, SERVICE",
        "PREFIX service: <a:> SELECT * { ?s service:load <http://load.example/service> }",
        "PREFIX Service: <a:> PREFIX service: <b:> SELECT ?Service ?service { ?Service Service:a ?service }",
        r"SELECT * { ?s ?p 'it\'s a service' }",
    ],
)
def test_the_words_are_free_elsewhere(query: str) -> None:
    assert list(KnowledgeGraph().sparql(query)) == []


def test_a_mistake_elsewhere_is_said_to_be_one() -> None:
    with pytest.raises(NosographError, match="not valid SPARQL"):
        KnowledgeGraph().sparql("SELECT ?service # load\n{ ?x a ")


@pytest.mark.parametrize(
    "query",
    [
        "ASK { FILTER(" + "!" * 50_000 + "true) }",
        "ASK { FILTER(" + "!" * 4_000 + "true) }",
        "ASK { FILTER(" + "STR(" * 1_000 + "1" + ")" * 1_000 + ") }",
        "ASK # " + ")" * 900 + "\n{ FILTER(" + "STR(" * 900 + "1" + ")" * 900 + ") }",
        "ASK { {}" + "UNION{}" * 20_000 + " }",
        "ASK { ?s <a:b>" + "/<a:b>" * 20_000 + " ?o }",
        "ASK { FILTER(1" + "+1" * 20_000 + ") }",
    ],
    ids=["many !", "some !", "brackets", "brackets in a comment", "unions", "paths", "sums"],
)
def test_a_query_that_would_fill_the_stack_is_refused(query: str) -> None:
    with pytest.raises(NosographError, match=r"longer than|more than"):
        KnowledgeGraph().sparql(query)


ONTOLOGIES = {
    "imports.owl": """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
        xmlns:owl="http://www.w3.org/2002/07/owl#" xml:base="http://example.org/o">
        <owl:Ontology rdf:about="http://example.org/o"><owl:imports rdf:resource="URL"/></owl:Ontology></rdf:RDF>""",
    "imports.owx": """<Ontology xmlns="http://www.w3.org/2002/07/owl#" xml:base="http://example.org/o"
        ontologyIRI="http://example.org/o"><Import>URL</Import></Ontology>""",
    "imports.ttl": "<http://example.org/o> a owl:Ontology ; owl:imports <URL> .",
    "imports.obo": "format-version: 1.2\nontology: o\nimport: URL\n\n[Term]\nid: HP:0000001\nname: All\n",
    "entity.owl": """<!DOCTYPE x [<!ENTITY e SYSTEM "URL">]>
        <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&e;</rdf:RDF>""",
    "type.rdf": """<!DOCTYPE rdf:RDF SYSTEM "URL">
        <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>""",
    "parameter.rdf": """<!DOCTYPE x [<!ENTITY % e SYSTEM "URL"> %e;]>
        <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>""",
    "stylesheet.owl": """<?xml-stylesheet href="URL"?>
        <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>""",
    "context.jsonld": '{"@context": "URL", "@id": "a:b"}',
    "contexts.jsonld": '{"@context": [{}, "URL"], "@id": "a:b"}',
    "import.jsonld": '{"@context": {"@version": 1.1, "@import": "URL"}, "@id": "a:b"}',
    "scoped.jsonld": '{"@context": {"p": {"@id": "a:p", "@context": "URL"}}, "p": {"@id": "a:c"}}',
    "nested.jsonld": '{"@id": "a:b", "a:p": {"@context": "URL", "@id": "a:c"}}',
}


@pytest.mark.parametrize("name", ONTOLOGIES)
def test_an_ontology_fetches_nothing(name: str, tmp_path: Path, listener: Listener) -> None:
    head = "@prefix owl: <http://www.w3.org/2002/07/owl#> .\n" if name.endswith(".ttl") else ""
    path = tmp_path / name
    path.write_text(head + ONTOLOGIES[name].replace("URL", listener.url))
    with suppress(NosographError):
        KnowledgeGraph().load(path)


MODELS = {
    "imports.ttl": f"""@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix sh: <http://www.w3.org/ns/shacl#> .
        @prefix ng: <https://w3id.org/nosograph/vocabulary/> .
        <{MODEL}m> a ng:DiseaseModel, owl:Ontology ; ng:id "m" ; owl:imports <URL> .
        <a:shapes> a owl:Ontology ; owl:imports <URL> ; sh:shapesGraph <URL> .
        <a:shape> a sh:NodeShape ; sh:targetNode <{MODEL}m> ;
          sh:sparql [ sh:select "SELECT $this {{ SERVICE <URL> {{}} }}" ; sh:message "x" ] ;
          sh:js [ sh:jsLibrary [ sh:jsLibraryURL "URL" ] ] .""",
    "import.ttl": f"""@prefix ng: <https://w3id.org/nosograph/vocabulary/> .
        <{MODEL}m> a ng:DiseaseModel ; ng:id "m" ; ng:imports <{MODEL}m/import/0> .
        <{MODEL}m/import/0> a ng:Import ; ng:order 0 ; ng:from "URL" .""",
    "context.jsonld": '{"@context": "URL", "@id": "a:b"}',
    "scoped.jsonld": '{"@context": {"p": {"@id": "a:p", "@context": "URL"}}, "p": {"@id": "a:c"}}',
    "import.yaml": "id: m\nimports: ['URL']\n",
    "concept.yaml": "id: m\nvariables: {x: {kind: static, concept: 'URL', mechanism: Normal(0, 1)}}\n",
    "entity.rdf": ONTOLOGIES["entity.owl"],
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_fetches_nothing(name: str, tmp_path: Path, listener: Listener) -> None:
    path = tmp_path / name
    path.write_text(MODELS[name].replace("URL", listener.url))
    with suppress(NosographError):
        load_model(path, knowledge=KnowledgeGraph())
