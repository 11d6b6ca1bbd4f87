"""The namespace of disease models in RDF: the IRIs of a document's keys and names."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from rdflib import Graph, URIRef
from rdflib.namespace import RDF, XSD, Namespace

from .prefixes import find_prefix, to_iri

BASE = "https://w3id.org/nosograph/"
NG = Namespace(f"{BASE}vocabulary/")
MODEL_BASE = f"{BASE}model/"

# What may be evidence: a paper, or an axiom of an ontology (subject, relation and object, by CURIE or IRI).
CITATION = re.compile(r"PMID:[1-9]\d{0,7}|doi:10\.\d{4,}/\S+|axiom:[^\s:]+:\S+ [^\s:]+:\S+ [^\s:]+:\S+")
_AXIOM = f"{BASE}axiom/"

# Keys whose names in RDF differ: a claim's node hangs on `caused_by`, items of lists and mappings on the singular.
PREDICATES = {
    "caused_by": NG.causedBy, "variables": NG.variable, "parameters": NG.parameter, "effects": NG.declares,
    "synonyms": NG.synonym, "related_synonyms": NG.relatedSynonym,
    "any_of": NG.anyOf,
    "levels": NG.category, "table": NG.row,
}  # fmt: skip


def predicate(key: str) -> URIRef:
    """The property that a key of a document stands for."""
    return PREDICATES.get(key, NG[key])


def model_iri(identifier: str) -> URIRef:
    return URIRef(MODEL_BASE + identifier)


def variable_iri(model: URIRef, name: str) -> URIRef:
    return URIRef(f"{model}/var/{name}")


def parameter_iri(model: URIRef, name: str) -> URIRef:
    return URIRef(f"{model}/par/{name}")


def local_name(iri: object) -> str:
    """The name at the end of a variable's, parameter's or model's IRI."""
    return str(iri).rsplit("/", 1)[-1]


def evidence_iri(source: str) -> URIRef:
    """The IRI of `PMID:…`, `doi:…` or `axiom:…`; characters not allowed in an IRI are percent-encoded (RFC 3987)."""
    prefix, _, local = source.partition(":")
    if prefix == "axiom":
        return URIRef(_AXIOM + "/".join(quote(part, safe="") for part in local.split(" ")))
    known = find_prefix(prefix)
    start = known.iri if known is not None else ""
    return URIRef(start + quote(local, safe="/:;().,-_~!*'+=@$&"))


def evidence_source(iri: object) -> str:
    """The `PMID:…`, `doi:…` or `axiom:…` that an IRI stands for; the IRI itself if it is none of them."""
    text = str(iri)
    if text.startswith(_AXIOM):
        return f"axiom:{' '.join(map(unquote, text.removeprefix(_AXIOM).split('/')))}"
    for name, written in (("PMID", "PMID"), ("DOI", "doi")):
        prefix = find_prefix(name)
        if prefix is not None and text.startswith(prefix.iri):
            return f"{written}:{unquote(text[len(prefix.iri) :])}"
    return text


def concept_iri(curie: str) -> URIRef:
    """The IRI of a CURIE; an IRI stays as it is. Raises NosographError for what is neither."""
    return URIRef(to_iri(curie))


def new_graph() -> Graph:
    """An empty graph with only the prefixes of disease models, so that its output is short."""
    graph = Graph(bind_namespaces="none")
    graph.bind("ng", NG)
    graph.bind("rdf", RDF)
    graph.bind("xsd", XSD)
    return graph
