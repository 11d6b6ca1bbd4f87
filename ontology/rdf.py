"""RDF files as triples: Turtle, N-Triples, N-Quads, TriG, RDF/XML and JSON-LD. Nothing is ever fetched.

XML is checked before any other parser sees it (see `markup`). Very deep nesting, which crashes the JSON-LD parser, is
refused. A byte order mark is skipped in every format. What is often saved in place of these formats (OWL in functional
or Manchester syntax, OBO Graphs, archives, UTF-16) is named as what it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pyoxigraph as ox

from ..errors import NosographError, fail
from .markup import read_markup

FORMATS = {
    ".ttl": ox.RdfFormat.TURTLE,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".nq": ox.RdfFormat.N_QUADS,
    ".trig": ox.RdfFormat.TRIG,
    ".jsonld": ox.RdfFormat.JSON_LD,
    ".json": ox.RdfFormat.JSON_LD,
}
_ELEMENT = re.compile(rb"<[A-Za-z_][\w.-]*(:[A-Za-z_][\w.-]*)?[\s/>]")  # no IRI: those have another colon or none
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OBO = re.compile(rb"(?:\s|!.*\n)*(?:\[(?:Term|Typedef)\]|(?:format-version|data-version|date|ontology|saved-by):)")
_LEADING = re.compile(rb"(?:\s++|#.*+)*+")  # blanks and comments
_SYNTAXES = {  # how OWL files begin that are not RDF
    "functional syntax": re.compile(rb"(?:Prefix|Ontology|Namespace)\s*\("),
    "Manchester syntax": re.compile(rb"(?:Prefix|Ontology|Namespace|Import|Class|ObjectProperty|DataProperty):\s"),
}
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")


def detect_format(path: Path) -> str:
    """What a file holds, by its suffix and first bytes: "obo", "owl", "xml" or "rdf" (any other RDF).

    "owl" is an OWL file in RDF/XML or OWL/XML; "xml" is other RDF/XML.
    """
    start = _read_start(path)
    _refuse_others(path, start)
    suffix = path.suffix.lower()
    if suffix == ".obo":
        return "obo"
    if suffix in FORMATS:
        return "rdf"
    if _OBO.match(start):
        return "obo"
    if not _is_xml(start):
        return "rdf"
    return "owl" if suffix in (".owl", ".owx") or b"<Ontology" in start else "xml"


def _read_start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096).removeprefix(_BYTE_ORDER_MARK).lstrip()


def _is_xml(start: bytes) -> bool:
    if _is_utf_16(start):  # only XML may be in it
        return True
    return start.startswith((b"<?xml", b"<!")) or (b"xmlns" in start and bool(_ELEMENT.match(start)))


def _is_utf_16(start: bytes) -> bool:
    return start.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<"))  # a byte order mark, or XML without one


def _refuse_others(path: Path, start: bytes) -> None:
    """Raises NosographError for a file whose beginning shows that it is something else than what is read here."""
    if start.startswith(_ARCHIVES):
        raise fail("this file is compressed", fix="the file in it: unpack it first (unzip, gunzip)", file=str(path))
    if _is_utf_16(start) and not start.strip(b"\xff\xfe\0 \t\r\n").startswith(b"<"):
        raise fail("this file is UTF-16; ontologies are UTF-8", fix="save it as UTF-8", file=str(path))
    if path.suffix.lower() in FORMATS and start.startswith((b"<?xml", b"<!", b"<rdf:RDF")):
        fix = f'name it "{path.stem}.owl"'
        raise fail(f"this is XML, though its name ends in {path.suffix}", fix=fix, file=str(path))
    owl = start[_LEADING.match(start).end() :]  # type: ignore[union-attr]  # it matches everywhere
    for name, beginning in _SYNTAXES.items():
        if beginning.match(owl):
            raise _convert(f"this is OWL in {name}, which is not read here", path)


def _convert(problem: str, path: Path) -> NosographError:
    """How to save an ontology in a format that is read: Protege and ROBOT read all of OWL's syntaxes."""
    return fail(
        problem,
        fix="save it as RDF/XML or Turtle: in Protege, File > Save as…; or with ROBOT, "
        f'robot convert --input "{path.name}" --output "{path.stem}-rdfxml.owl"',
        file=str(path),
    )


def read_rdf(path: Path) -> Iterator[ox.Quad]:
    """The triples of an RDF file; named graphs are merged, blank nodes renamed so that files cannot collide.

    Raises NosographError, with the line, if the content of the file does not fit its suffix or its first bytes.
    """
    format = FORMATS.get(path.suffix.lower())
    if format is None:
        start = _read_start(path)
        if _is_xml(start):
            yield from _read_xml(path)
            return
        format = ox.RdfFormat.JSON_LD if start.startswith(b"{") else ox.RdfFormat.TURTLE
    if format == ox.RdfFormat.JSON_LD:
        _check_json(path)
    with path.open("rb") as file:
        if file.read(3) != _BYTE_ORDER_MARK:
            file.seek(0)
        yield from _parse(file, path, format)


def _read_xml(path: Path) -> Iterator[ox.Quad]:
    markup = read_markup(path)
    if markup.root == "Ontology":  # OWL/XML, whatever its name
        from .owl import read_owl

        yield from read_owl(path)
        return
    with markup.open() as file:
        yield from _parse(file, path, ox.RdfFormat.RDF_XML)


def _parse(file: IO[bytes], path: Path, format: ox.RdfFormat) -> Iterator[ox.Quad]:
    try:
        for quad in ox.parse(input=file, format=format, base_iri=path.resolve().as_uri(), rename_blank_nodes=True):
            yield ox.Quad(quad.subject, quad.predicate, quad.object)
    except SyntaxError as error:
        raise _syntax_problem(error, path, format) from error
    except (ValueError, UnicodeError) as error:
        raise fail(f"not valid {format.name}: {error}", file=str(path)) from error


def _check_json(path: Path) -> None:
    try:
        data = json.loads(path.read_bytes())
    except RecursionError as error:
        raise fail("JSON nested too deeply", file=str(path)) from error
    except json.JSONDecodeError as error:
        raise fail(f"not valid JSON: {error.msg}", file=str(path), line=error.lineno) from error
    except UnicodeDecodeError as error:
        raise fail("JSON files are UTF-8", value=error.reason, file=str(path)) from error
    except ValueError as error:  # a number of thousands of digits
        raise fail(f"not valid JSON: {error}", file=str(path)) from error
    if isinstance(data, dict) and "graphs" in data and "@context" not in data:
        raise _convert("this is an OBO Graphs file, which is not JSON-LD", path)


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
