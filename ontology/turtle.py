"""Reading RDF files. Nothing is fetched: XML with entities and contexts from elsewhere are refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from rdflib import Graph
from rdflib.namespace import RDF

from ..errors import fail
from .document import Places, read_text
from .vocabulary import BASE, NG, local_name, new_graph

RDF_FORMATS = {".ttl": "ox-turtle", ".jsonld": "json-ld", ".nt": "ox-nt", ".rdf": "ox-xml"}
CONTEXT = f"{BASE}context.jsonld"


def read_context() -> dict[str, Any]:
    """The JSON-LD context of disease models, as it ships."""
    text = resources.files(__package__).joinpath("context.jsonld").read_text(encoding="utf-8")
    context: dict[str, Any] = json.loads(text)["@context"]
    return context


def read_graph(path: Path) -> tuple[Graph, Places]:
    """The graph of an RDF file, and the lines on which its variables and parameters stand.

    Raises NosographError, with the line where it is known, for what does not parse or would need the network.
    """
    text = read_text(path)
    if path.suffix == ".rdf" and re.search(r"<!(DOCTYPE|ENTITY)", text):
        raise fail(
            "XML with a document type or entities is refused", fix="RDF/XML without <!DOCTYPE …>", file=str(path)
        )
    graph = new_graph()
    try:
        if path.suffix == ".jsonld":
            text_without_context = json.dumps(_embed_context(json.loads(text), str(path)))
            graph.parse(data=text_without_context, format="json-ld")
        else:
            graph.parse(data=text, format=RDF_FORMATS[path.suffix])
    except json.JSONDecodeError as error:
        raise fail(f"this is not JSON: {error.msg}", fix="JSON-LD", file=str(path), line=error.lineno) from None
    except (SyntaxError, ValueError, RecursionError) as error:
        message = str(error) or type(error).__name__
        line = re.search(r"line (\d+)", message)
        raise fail(
            f"this is not {path.suffix.removeprefix('.')}: {message}",
            fix="RDF that parses",
            file=str(path),
            line=getattr(error, "lineno", None) or (int(line[1]) if line else 0),
        ) from None
    return graph, Places(str(path), dict(_find_lines(graph, text)))


def _embed_context(data: Any, file: str, depth: int = 0) -> Any:
    """The document with our own context in place of its address. Any other address would have to be fetched."""
    if depth > 100:
        raise fail("nested too deep", fix="JSON-LD of a disease model", file=file)
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


def _find_lines(graph: Graph, text: str) -> Iterator[tuple[str, int]]:
    """The line that names a variable or parameter at its beginning, or else the first that names it at all."""
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
