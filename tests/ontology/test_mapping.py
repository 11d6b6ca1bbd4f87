"""A document and its RDF say the same: there and back, and through other people's parsers."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import Graph, URIRef
from rdflib.compare import isomorphic

from nosograph.ontology.document import Document, Places, validate_document
from nosograph.ontology.files import write_graph
from nosograph.ontology.mapping import find_root, to_data, to_graph
from nosograph.ontology.vocabulary import NG, evidence_iri, evidence_source
from nosograph.ontology.yaml import read_yaml, write_yaml

NAMES = st.sampled_from(["age", "sex", "amyloid", "cdr_sb", "_x", "X9", "death"])
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"],
                              exclude_characters="\ufeff\ufffe\uffff"), min_size=1, max_size=12)  # fmt: skip
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
CITATIONS = st.sampled_from(["PMID:1", "PMID:36449413", "doi:10.1000/a<b>c", "doi:10.1002/(SICI)1(1)17:15<1::A>3.0;2-2",
                             "doi:10.1000/50%25", "doi:10.1000/ü#?x"])  # fmt: skip
CITED = st.fixed_dictionaries(
    {"evidence": st.lists(CITATIONS, min_size=1, max_size=3, unique=True).map(sorted),
     "checked": st.sampled_from(["text", "abstract"])}, optional={"says": WORDS},
)  # fmt: skip
EVIDENCE = (
    CITED | st.just({"source": "assumption"}) | CITED.map(lambda e: {"evidence": e["evidence"], "checked": "recalled"})
)
PARAMETERS = st.tuples(
    st.fixed_dictionaries({"value": NUMBERS}, optional={"unit": WORDS, "uncertain": WORDS, "title": WORDS}),
    EVIDENCE | st.just({}),
).map(lambda parts: parts[0] | parts[1])
VARIABLES = st.fixed_dictionaries(
    {"kind": st.sampled_from(["static", "state", "event", "treatment", "measurement"])},
    optional={
        "title": WORDS, "synonyms": st.lists(WORDS, min_size=1, max_size=3, unique=True),
        "related_synonyms": st.lists(WORDS.map("{} etc".format), min_size=1, max_size=3, unique=True),
        "unit": WORDS, "start": WORDS, "mechanism": WORDS, "when": WORDS, "missing": WORDS, "of": NAMES,
        "concept": st.sampled_from(["HP:0002511", "MONDO:0004975", "https://example.org/x"]),
        "occurs": st.sampled_from(["once", "repeatedly"]), "ends": st.sampled_from(["journey", "record", "nothing"]),
        "competes": NAMES, "recorded": st.booleans(), "caused_by": st.dictionaries(NAMES, EVIDENCE, min_size=1,
         max_size=3),
    },
)  # fmt: skip
EFFECTS = st.fixed_dictionaries(
    {"effect": WORDS},
    optional={"contrast": st.lists(NUMBERS | WORDS, min_size=2, max_size=2), "decision": WORDS, "population": WORDS,
              "strategy": st.sampled_from(["initiation", "sustained"]), "composite": NUMBERS,
              "death": st.sampled_from(["while alive", "hypothetical", "survivors", "composite"]),
              "leaving": st.sampled_from(["hypothetical", "treatment policy", "last recorded"]),
              "missed": st.sampled_from(["hypothetical", "last recorded"]),
              "stopping": st.sampled_from(["treatment policy", "hypothetical", "while on treatment"])},
)  # fmt: skip
DOCUMENTS = st.fixed_dictionaries(
    {"id": st.sampled_from(["six", "a-b_c9"])},
    optional={
        "title": WORDS, "description": WORDS, "version": WORDS, "disease": st.just("MONDO:0004975"),
         "population": WORDS,
        "imports": st.lists(WORDS, min_size=1, max_size=3),
        "clock": st.fixed_dictionaries({"step": WORDS, "horizon": WORDS, "unit": WORDS}),
        "parameters": st.dictionaries(NAMES, PARAMETERS, min_size=1, max_size=3),
        "variables": st.dictionaries(NAMES, VARIABLES, min_size=1, max_size=4),
        "effects": st.lists(EFFECTS, min_size=1, max_size=3),
    },
)  # fmt: skip


def read(data: Any) -> Document:
    """Through YAML, as a person would have given it."""
    return validate_document(read_yaml(write_yaml(data)).plain(), Places("", {}))


def read_graph(graph: Graph) -> Document:
    return validate_document(to_data(graph, find_root(graph)), Places("", {}))


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS)
def test_there_and_back(data: dict[str, Any]) -> None:
    document = read(data)
    graph = to_graph(document)
    again = read_graph(graph)
    assert again == document
    assert list(again.variables) == list(document.variables)
    assert list(again.parameters) == list(document.parameters)
    assert read(to_data(graph, find_root(graph))) == document


@settings(max_examples=40, deadline=None)
@given(DOCUMENTS)
def test_rdflib_reads_what_is_written(data: dict[str, Any]) -> None:
    """rdflib's own parsers of Turtle, JSON-LD and RDF/XML are independent of ours and of the writer."""
    document = read(data)
    graph = to_graph(document)
    for suffix, format in ((".ttl", "turtle"), (".nt", "nt"), (".jsonld", "json-ld"), (".rdf", "xml")):
        again = Graph().parse(data=write_graph(graph, suffix), format=format)
        assert read_graph(again) == document, suffix
        if suffix in (".ttl", ".nt"):
            assert isomorphic(again, graph)


def test_every_claim_is_a_node_of_its_own() -> None:
    cited = {"evidence": "PMID:1", "checked": "text", "says": "one thing"}
    other = {"evidence": "PMID:2", "checked": "recalled"}
    data = {"id": "m", "variables": {
        "age": {"kind": "static", "mechanism": "1"},
        "x": {"kind": "state", "mechanism": "age", "caused_by": {"age": cited}},
        "y": {"kind": "state", "mechanism": "age", "caused_by": {"age": other}},
    }}  # fmt: skip
    graph = to_graph(read(data))
    age = URIRef("https://w3id.org/nosograph/model/m/var/age")
    claims = set(graph.subjects(NG.cause, age))
    assert len(claims) == 2
    assert sorted(str(graph.value(claim, NG.evidence)) for claim in claims) == [
        "https://pubmed.ncbi.nlm.nih.gov/1",
        "https://pubmed.ncbi.nlm.nih.gov/2",
    ]
    assert graph.value(age, NG.evidence) is None


def test_imported_names_keep_their_iris_unless_declared_anew() -> None:
    theirs = URIRef("https://w3id.org/nosograph/model/common/var/age")
    entry = {"kind": "state", "mechanism": "age", "caused_by": {"age": {"source": "assumption"}}}
    graph = to_graph(read({"id": "m", "variables": {"x": entry}}), imported={"age": theirs})
    assert list(graph.objects(None, NG.cause)) == [theirs]


@given(CITATIONS)
def test_citations_are_valid_iris(source: str) -> None:
    iri = evidence_iri(source)
    assert evidence_source(iri) == source
    assert not set(str(iri)) & set('<>" {}|\\^`')
