"""XML files from strangers: checked by expat before any other parser sees them.

A document type (DTD) can read files or grow without bound. It is read only as Protege writes it, with plain internal
entities: `<!DOCTYPE rdf:RDF [ <!ENTITY owl "http://www.w3.org/2002/07/owl#"> ]>`. Their number, their length and what
all references come to are bounded, and a value holds no other entity. Everything else in a DTD is refused.
"""

from __future__ import annotations

import io
import mmap
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.parsers import expat

from ..errors import NosographError, fail

_DEEPEST = 1000  # elements inside each other; real files stay below twenty
_MOST_ENTITIES, _LONGEST_ENTITY = 1000, 1000  # an entity is the beginning of an IRI
_LONGEST_NAMESPACE = 1000  # which expat repeats in every name
_GROWTH, _ALWAYS = 20, 2**20  # references may come to so many times the file's bytes, or to so many characters
_REFERENCE = re.compile(rb"&([^;&<\s]+);")
_PLAIN_ENCODINGS = ("utf-8", "us-ascii", "iso-8859-1")  # those in which "&" is one byte, as the count assumes
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE_ESCAPES = _ESCAPES | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


@dataclass(frozen=True)
class Markup:
    """A checked XML file. `root` is the local name of its root element. `content` is the same document in UTF-8 without
    its document type, every entity expanded; None if the file itself can be parsed."""

    path: Path
    root: str
    content: bytes | None

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The document, fit for any parser."""
        with self.path.open("rb") if self.content is None else io.BytesIO(self.content) as file:
            yield file


def read_markup(path: Path) -> Markup:
    """Checks an XML file, and expands its entities.

    Raises NosographError, with the line, if the file is not well-formed XML, if it is nested too deeply, or if its
    document type has anything but plain internal entities.
    """
    checker = _Checker(path)
    try:
        with path.open("rb") as file:
            checker.parser.ParseFile(file)
    except expat.ExpatError as error:
        problem = f"not well-formed XML: {expat.errors.messages[error.code]}"
        raise fail(problem, file=str(path), line=error.lineno) from error
    except (ValueError, LookupError) as error:  # an encoding that expat or Python does not know
        raise fail(f"not XML that is read here: {error}", fix='encoding="UTF-8"', file=str(path), line=1) from error
    content = "".join(checker.parts).encode() if checker.rewrites else None
    return Markup(path, checker.root.rpartition(":")[2], content)


class _Checker:
    """expat's handlers: what they refuse, and the document that they write where the file cannot be passed on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = ""
        self.depth = 0
        self.entities: dict[str, str] = {}
        self.parts: list[str] = []
        with path.open("rb") as file:
            start = file.read(4)
        self.encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in start else "utf-8"
        self.rewrites = self.encoding != "utf-8"
        self.namespaces: list[str] = []  # declared by the element that begins
        parser = self.parser = expat.ParserCreate(namespace_separator=" ")
        parser.namespace_prefixes = True
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.XmlDeclHandler = self.declare
        parser.StartDoctypeDeclHandler = self.start_doctype
        parser.EndDoctypeDeclHandler = self.end_doctype
        parser.EntityDeclHandler = self.add_entity
        for name in ("ElementDecl", "AttlistDecl", "NotationDecl", "UnparsedEntityDecl", "ExternalEntityRef"):
            setattr(parser, f"{name}Handler", self.refuse_declaration)
        parser.SkippedEntityHandler = self.refuse_declaration
        parser.StartNamespaceDeclHandler = self.declare_namespace
        parser.StartElementHandler = self.start_element
        parser.EndElementHandler = self.end_element
        parser.CharacterDataHandler = self.add_text

    def refuse(self, why: str) -> NosographError:
        return fail(
            f"XML with this document type (DTD) is refused, since it could read files or grow without bound: {why}",
            fix="save it without <!DOCTYPE …>, or as Turtle",
            file=str(self.path),
            line=self.parser.CurrentLineNumber,
        )

    def declare(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and self.encoding == "utf-8":
            self.encoding = encoding.lower()
            self.rewrites = self.encoding not in ("utf-8", "us-ascii")

    def start_doctype(self, name: str, system: str | None, public: str | None, has_internal: int) -> None:
        if name.lower() == "html":
            raise _refuse_page(self.path, self.parser.CurrentLineNumber)
        if system is not None or public is not None:
            raise self.refuse("it names another file")
        if not has_internal:
            raise self.refuse("it has no entities, and other document types are not read")
        if self.encoding not in _PLAIN_ENCODINGS:
            raise self.refuse(f"a document type is read in UTF-8, not in {self.encoding}")
        self.rewrites = True

    def add_entity(
        self, name: str, parameter: int, value: str | None, base: object, system: object, public: object, kind: object
    ) -> None:
        if parameter:
            raise self.refuse(f"%{name}; is a parameter entity")
        if value is None:
            raise self.refuse(f"&{name}; is another file")
        if "&" in value or "<" in value:
            raise self.refuse(f"&{name}; holds an entity or an element")
        if len(value) > _LONGEST_ENTITY or not name.isascii():
            raise self.refuse(f"&{name[:40]}; is not a plain entity of {_LONGEST_ENTITY} characters at most")
        self.entities.setdefault(name, value)  # as XML has it, the first declaration counts
        if len(self.entities) > _MOST_ENTITIES:
            raise self.refuse(f"more than {_MOST_ENTITIES} entities")

    def refuse_declaration(self, *_: object) -> int:
        raise self.refuse("it has more than plain entities")

    def end_doctype(self) -> None:
        """Count the references before expat expands them, since one attribute can hold millions."""
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            counts = Counter(match[1] for match in _REFERENCE.finditer(content))
            size = len(content)
        total = sum(counts[name.encode()] * len(value) for name, value in self.entities.items())
        if total > max(_ALWAYS, _GROWTH * size):
            raise self.refuse(f"its entities come to {total} characters")

    def declare_namespace(self, prefix: str | None, iri: str | None) -> None:
        if iri is not None and len(iri) > _LONGEST_NAMESPACE:
            problem = f"a namespace of more than {_LONGEST_NAMESPACE} characters"
            raise fail(problem, value=iri[:80], file=str(self.path), line=self.parser.CurrentLineNumber)
        if self.rewrites:
            name = f"xmlns:{prefix}" if prefix else "xmlns"
            self.namespaces.append(f' {name}="{(iri or "").translate(_ATTRIBUTE_ESCAPES)}"')

    def start_element(self, expanded: str, attributes: list[str]) -> None:
        name = _write_name(expanded)
        self.depth += 1
        if self.depth > _DEEPEST:
            raise fail("XML nested too deeply", value=name, file=str(self.path), line=self.parser.CurrentLineNumber)
        if not self.root:
            self.root = name
            if name.lower() == "html":
                raise _refuse_page(self.path, self.parser.CurrentLineNumber)
        if self.rewrites:
            pairs = zip(attributes[::2], attributes[1::2], strict=True)
            written = [f' {_write_name(key)}="{value.translate(_ATTRIBUTE_ESCAPES)}"' for key, value in pairs]
            self.parts += [f"<{name}", *self.namespaces, *written, ">"]
            self.namespaces.clear()

    def end_element(self, name: str) -> None:
        self.depth -= 1
        if self.rewrites:
            self.parts.append(f"</{_write_name(name)}>")

    def add_text(self, text: str) -> None:
        if self.rewrites:
            self.parts.append(text.translate(_ESCAPES))


def _write_name(expanded: str) -> str:
    """A name as it was written, from expat's `namespace local prefix`, `namespace local` or `local`."""
    parts = expanded.split(" ")
    return f"{parts[2]}:{parts[1]}" if len(parts) == 3 else parts[-1]


def _refuse_page(path: Path, line: int) -> NosographError:
    return fail(
        "this is a web page (HTML), not an ontology",
        fix="the file itself, downloaded by its own address (on GitHub: Raw)",
        file=str(path),
        line=line,
    )
