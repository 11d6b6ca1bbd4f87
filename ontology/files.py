"""Reads and writes disease models in RDF files. Nothing is fetched."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pyoxigraph as ox
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.namespace import RDF, XSD
from rdflib.term import Node

from ..errors import NosographError, fail
from .document import Places, read_text
from .rdf import read_rdf
from .vocabulary import BASE, NG, local_name, new_graph

RDF_FORMATS = (".ttl", ".jsonld", ".nt", ".rdf")
CONTEXT = f"{BASE}context.jsonld"


DECIMAL = r"[+-]?(\d+(\.\d*)?|\.\d+)"
LEXICAL = {  # the literals of disease models besides text, as XML Schema part 2 writes them
    "boolean": re.compile(r"true|false|1|0"),
    "integer": re.compile(r"[+-]?\d{1,300}"),
    "decimal": re.compile(DECIMAL),
    "double": re.compile(rf"{DECIMAL}([eE][+-]?\d+)?|[+-]?INF|NaN"),
}


def read_context() -> dict[str, Any]:
    """The JSON-LD context of disease models, as it ships."""
    text = resources.files(__package__).joinpath("context.jsonld").read_text(encoding="utf-8")
    context: dict[str, Any] = json.loads(text)["@context"]
    return context


def read_graph(path: Path) -> tuple[Graph, Places]:
    """The graph of an RDF file, and the lines of its variables and parameters.

    Raises NosographError, with the line if it is known, for what does not parse or would need the network.
    """
    text = read_text(path)
    quads = _read_json(text, str(path)) if path.suffix == ".jsonld" else read_rdf(path)
    graph = new_graph()
    try:
        for quad in quads:
            graph.add((_to_rdflib(quad.subject), _to_rdflib(quad.predicate), _to_rdflib(quad.object)))
    except NosographError as error:
        raise NosographError([replace(problem, file=str(path)) for problem in error.problems]) from None
    return graph, Places(str(path), dict(_find_lines(graph, text)))


def _read_json(text: str, file: str) -> Iterable[ox.Quad]:
    try:
        data = json.dumps(_embed_context(json.loads(text), file))
        return list(ox.parse(input=data, format=ox.RdfFormat.JSON_LD))
    except json.JSONDecodeError as error:
        raise fail(f"this is not JSON: {error.msg}", fix="JSON-LD", file=file, line=error.lineno) from None
    except RecursionError:
        raise fail("the JSON is nested too deeply", fix="JSON-LD of a disease model", file=file) from None
    except (SyntaxError, ValueError) as error:
        raise fail(f"this is not JSON-LD: {error}", fix="JSON-LD of a disease model", file=file) from None


def _to_rdflib(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> Node:
    """The same term, literals as they were written."""
    if isinstance(term, ox.NamedNode):
        return URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return BNode(term.value)
    if isinstance(term, ox.Literal):
        if term.language is not None:
            return Literal(term.value, lang=term.language)
        datatype = term.datatype.value.removeprefix(str(XSD))
        if datatype == "string":
            return Literal(term.value)
        if datatype not in LEXICAL or not LEXICAL[datatype].fullmatch(term.value):
            names = ", ".join(f"xsd:{name}" for name in ("string", *LEXICAL))
            raise fail(f"this is no {datatype}", fix=f"text or a number: {names}", value=str(term))
        return Literal(term.value, datatype=XSD[datatype], normalize=False)
    raise fail("a disease model has no quoted triples", value=str(term))


def _embed_context(data: Any, file: str, depth: int = 0) -> Any:
    """The document with our own context instead of its address. Other addresses would be fetched: they are refused."""
    if depth > 100:
        raise fail("it is nested too deeply", fix="JSON-LD of a disease model", file=file)
    if isinstance(data, list):
        return [_embed_context(item, file, depth + 1) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        key: _resolve_context(value, file) if key == "@context" else _embed_context(value, file, depth + 1)
        for key, value in data.items()
    }


def _resolve_context(context: Any, file: str) -> Any:
    if context == CONTEXT:
        return read_context()
    if isinstance(context, list):
        return [_resolve_context(item, file) for item in context]
    if isinstance(context, str) or "@import" in json.dumps(context):
        raise fail("a context is never fetched", fix=f'"@context": "{CONTEXT}"', value=str(context), file=file)
    return context


def write_graph(graph: Graph, suffix: str) -> str:
    """The graph as text in the format of a file's suffix. Numbers stay exact (rdflib's own Turtle rounds them)."""
    if suffix == ".jsonld":
        return json.dumps(_to_json(graph), indent=2, ensure_ascii=False) + "\n"
    formats = {".ttl": ox.RdfFormat.TURTLE, ".nt": ox.RdfFormat.N_TRIPLES, ".rdf": ox.RdfFormat.RDF_XML}
    triples = [ox.Triple(*map(_to_oxigraph, triple)) for triple in sorted(graph)]
    prefixes = {"ng": str(NG), "xsd": str(XSD)} if suffix != ".nt" else None
    return (ox.serialize(triples, format=formats[suffix], prefixes=prefixes) or b"").decode()


def _to_oxigraph(term: Node) -> Any:
    if isinstance(term, URIRef):
        return ox.NamedNode(term)
    if isinstance(term, BNode):
        return ox.BlankNode(term)
    if isinstance(term, Literal) and term.language:
        return ox.Literal(term, language=term.language)
    datatype = term.datatype if isinstance(term, Literal) and term.datatype is not None else XSD.string
    return ox.Literal(str(term), datatype=ox.NamedNode(datatype))


def _to_json(graph: Graph) -> dict[str, Any]:
    """Compact JSON-LD under our context: every key of the context is one property, and every node stands by itself."""
    context = read_context()
    keys: dict[str, tuple[str, str]] = {}
    for key, meaning in context.items():
        iri, kind = (meaning["@id"], meaning.get("@type", "")) if isinstance(meaning, dict) else (str(meaning), "")
        if iri.startswith("ng:"):
            keys[str(NG) + iri.removeprefix("ng:")] = (key, kind)
    nodes: list[dict[str, Any]] = []
    for subject in sorted(set(graph.subjects()), key=str):
        node: dict[str, Any] = {"@id": _name(subject)}
        for predicate, value in sorted(graph.predicate_objects(subject)):
            if predicate == RDF.type:
                node["@type"] = keys.get(str(value), (str(value), ""))[0]
                continue
            key, kind = keys.get(str(predicate), (str(predicate), ""))
            known = node.get(key)
            item = _to_json_value(value, kind)
            node[key] = item if known is None else [*known, item] if isinstance(known, list) else [known, item]
        nodes.append(node)
    return {"@context": context, "@graph": nodes}


def _name(node: Node) -> str:
    return f"_:{node}" if isinstance(node, BNode) else str(node)


def _to_json_value(value: Node, kind: str) -> Any:
    """The short form if the context already gives the type; the number's own text keeps it exact."""
    if not isinstance(value, Literal):
        return _name(value) if kind == "@id" else {"@id": _name(value)}
    if value.language:
        return {"@value": str(value), "@language": value.language}
    if value.datatype is None or value.datatype == XSD.string:
        return str(value) if not kind else {"@value": str(value)}
    if kind == f"xsd:{value.datatype.removeprefix(str(XSD))}":
        return str(value)
    return {"@value": str(value), "@type": str(value.datatype)}


def _find_lines(graph: Graph, text: str) -> Iterator[tuple[str, int]]:
    """The line that begins with the name of a variable or parameter, otherwise the first line that contains it."""
    lines = text.splitlines()
    for kind, folder, group in ((NG.Variable, "var", "variables"), (NG.Parameter, "par", "parameters")):
        for node in graph.subjects(RDF.type, kind):
            name = re.escape(local_name(node))
            subject = re.compile(rf"^\s*\S*\b{folder}/{name}\b")
            anywhere = re.compile(rf"\b{folder}/{name}\b")
            for pattern in (subject, anywhere):
                found = next((i for i, line in enumerate(lines, start=1) if pattern.search(line)), 0)
                if found:
                    yield f"{group}.{local_name(node)}", found
                    break
