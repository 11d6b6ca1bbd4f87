"""RDF files as triples: Turtle, N-Triples, N-Quads, TriG, RDF/XML and JSON-LD. Nothing is ever fetched.

expat checks XML first: a document type or an entity could read files or grow without bound, and is refused before any
other parser sees it. Very deep nesting, which crashes the JSON-LD parser, is refused as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

import pyoxigraph as ox

from ..errors import fail

FORMATS = {
    ".ttl": ox.RdfFormat.TURTLE,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".nq": ox.RdfFormat.N_QUADS,
    ".trig": ox.RdfFormat.TRIG,
    ".jsonld": ox.RdfFormat.JSON_LD,
    ".json": ox.RdfFormat.JSON_LD,
}
_ELEMENT = re.compile(rb"<[A-Za-z_][\w.-]*(:[A-Za-z_][\w.-]*)?[\s/>]")  # no IRI: those have another colon or none
_DEEPEST = 1000  # XML elements inside each other; real files stay below twenty


def detect_format(path: Path) -> str:
    """What a file holds, by its suffix and first bytes: "obo", "owl", "xml" or "rdf" (any other RDF).

    "owl" is an OWL file in RDF/XML or OWL/XML; "xml" is other RDF/XML.
    """
    suffix = path.suffix.lower()
    if suffix == ".obo":
        return "obo"
    if suffix in FORMATS:
        return "rdf"
    start = _read_start(path)
    if start.startswith(b"format-version:"):
        return "obo"
    if not _is_xml(start):
        return "rdf"
    return "owl" if suffix in (".owl", ".owx") or b"<Ontology" in start else "xml"


def _read_start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()


def _is_xml(start: bytes) -> bool:
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):  # UTF-16, which only XML may be in
        return True
    return start.startswith((b"<?xml", b"<!")) or (b"xmlns" in start and bool(_ELEMENT.match(start)))


def refuse_entities(path: Path) -> str:
    """The name of an XML file's root element.

    Raises NosographError, with the line, if the file is not well formed or declares a document type or an entity, since
    entities can read files (XXE) or grow without bound.
    """
    parser = expat.ParserCreate()
    root: list[str] = []
    depth = 0

    def refuse(*_: object) -> int:
        raise fail(
            "XML with a document type (DTD) or entities is refused: it could read files or grow without bound",
            fix="save it without <!DOCTYPE …>, or as Turtle",
            file=str(path),
            line=parser.CurrentLineNumber,
        )

    def start(name: str, _: object) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise fail("XML nested too deeply", value=name, file=str(path), line=parser.CurrentLineNumber)
        if not root:
            root.append(name)

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except expat.ExpatError as error:
        problem = f"not well-formed XML: {expat.errors.messages[error.code]}"
        raise fail(problem, file=str(path), line=error.lineno) from error
    except (ValueError, LookupError) as error:  # an encoding that expat or Python does not know
        raise fail(f"not XML that is read here: {error}", fix='encoding="UTF-8"', file=str(path), line=1) from error
    return root[0]


def read_rdf(path: Path) -> Iterator[ox.Quad]:
    """The triples of an RDF file; named graphs are merged, blank nodes renamed so that files cannot collide.

    Raises NosographError, with the line, if the content of the file does not fit its suffix or its first bytes.
    """
    format = FORMATS.get(path.suffix.lower())
    if format is None:
        start = _read_start(path)
        if _is_xml(start):
            refuse_entities(path)
            format = ox.RdfFormat.RDF_XML
        else:
            format = ox.RdfFormat.JSON_LD if start.startswith(b"{") else ox.RdfFormat.TURTLE
    if format == ox.RdfFormat.JSON_LD:
        _check_json(path)
    try:
        for quad in ox.parse(path=str(path), format=format, base_iri=path.resolve().as_uri(), rename_blank_nodes=True):
            yield ox.Quad(quad.subject, quad.predicate, quad.object)
    except SyntaxError as error:
        raise _syntax_problem(error, path, format) from error
    except (ValueError, UnicodeError) as error:
        raise fail(f"not valid {format.name}: {error}", file=str(path)) from error


def _check_json(path: Path) -> None:
    try:
        json.loads(path.read_bytes())
    except RecursionError as error:
        raise fail("JSON nested too deeply", file=str(path)) from error
    except json.JSONDecodeError as error:
        raise fail(f"not valid JSON: {error.msg}", file=str(path), line=error.lineno) from error
    except UnicodeDecodeError as error:
        raise fail("JSON files are UTF-8", value=error.reason, file=str(path)) from error
    except ValueError as error:  # a number of thousands of digits
        raise fail(f"not valid JSON: {error}", file=str(path)) from error


def _syntax_problem(error: SyntaxError, path: Path, format: ox.RdfFormat) -> Exception:
    message = str(error.msg)
    if "LoadDocumentCallback" in message:
        return fail(
            "a JSON-LD context from elsewhere is never fetched",
            fix='write the context itself into the file: "@context": {…}',
            file=str(path),
        )
    detail = message.partition(": ")[2] if message.startswith("Parser error at line") else message
    return fail(f"not valid {format.name}: {detail}", file=str(path), line=error.lineno or 0)
