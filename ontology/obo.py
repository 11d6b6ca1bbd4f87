"""OBO files (OBO Flat File Format 1.2 and 1.4) as triples, with the names of the official OBO to OWL mapping.

The tags read are id, name, def, comment, synonym, xref, alt_id, is_a, relationship, intersection_of, is_obsolete,
replaced_by, consider, subset and namespace; other tags are ignored. Unlike in OWL, `relationship: part_of X` becomes
one plain triple, not an existential restriction, so that queries stay short; so does `intersection_of: part_of X`,
which implies it. The sources of a relationship (`{source="PMID:1"}`) and the type of a synonym are given as in OWL, by
axioms with `oboInOwl:source` and `oboInOwl:hasSynonymType`. `import` headers are never followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyoxigraph as ox

from ..errors import NosographError, fail
from .prefixes import OBO, OIO, VOCABULARIES, expand, is_iri

RDF_TYPE = ox.NamedNode(VOCABULARIES["rdf"] + "type")
LABEL = ox.NamedNode(VOCABULARIES["rdfs"] + "label")
SUBCLASS_OF = ox.NamedNode(VOCABULARIES["rdfs"] + "subClassOf")
COMMENT = ox.NamedNode(VOCABULARIES["rdfs"] + "comment")
CLASS = ox.NamedNode(VOCABULARIES["owl"] + "Class")
ONTOLOGY = ox.NamedNode(VOCABULARIES["owl"] + "Ontology")
DEPRECATED = ox.NamedNode(VOCABULARIES["owl"] + "deprecated")
VERSION = ox.NamedNode(VOCABULARIES["owl"] + "versionInfo")
HOLDS = ox.NamedNode(VOCABULARIES["vann"] + "preferredNamespacePrefix")
DEFINITION = ox.NamedNode(OBO + "IAO_0000115")
REPLACED_BY = ox.NamedNode(OBO + "IAO_0100001")
CROSS_REFERENCE = ox.NamedNode(OIO + "hasDbXref")
CONSIDER = ox.NamedNode(OIO + "consider")
TRUE = ox.Literal(True)
AXIOM = ox.NamedNode(VOCABULARIES["owl"] + "Axiom")
AXIOM_SOURCE = ox.NamedNode(VOCABULARIES["owl"] + "annotatedSource")
AXIOM_PROPERTY = ox.NamedNode(VOCABULARIES["owl"] + "annotatedProperty")
AXIOM_TARGET = ox.NamedNode(VOCABULARIES["owl"] + "annotatedTarget")
SOURCE = ox.NamedNode(OIO + "source")
SYNONYM_TYPE = ox.NamedNode(OIO + "hasSynonymType")
SYNONYM_SCOPES = {
    "EXACT": ox.NamedNode(OIO + "hasExactSynonym"),
    "BROAD": ox.NamedNode(OIO + "hasBroadSynonym"),
    "NARROW": ox.NamedNode(OIO + "hasNarrowSynonym"),
    "RELATED": ox.NamedNode(OIO + "hasRelatedSynonym"),
}

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(.*)')
_SOURCE = re.compile(r'\bsource="([^"]*)"')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "W": " "}


@dataclass
class Stanza:
    """One `[Term]`, `[Typedef]`, or the header (kind ""), with its tags in order: (tag, value, line)."""

    kind: str
    line: int
    tags: list[tuple[str, str, int]] = field(default_factory=list)

    def values(self, tag: str) -> list[str]:
        """All values of a tag, without trailing modifiers and comments."""
        return [_strip(value) for name, value, _ in self.tags if name == tag]


def _strip(value: str) -> str:
    """A plain value without its ` ! comment` and its `{modifiers}`."""
    return value.partition(" ! ")[0].partition(" {")[0].strip()


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text) if "\\" in text else text


def read_stanzas(path: Path) -> list[Stanza]:
    """The stanzas of an OBO file, its header first. Raises NosographError, with the line, if it is not OBO."""
    stanzas = [Stanza("", 1)]
    try:
        with path.open(encoding="utf-8") as lines:
            for number, raw in enumerate(lines, 1):
                line = raw.strip()
                if not line or line.startswith("!"):
                    continue
                if line.startswith("[") and line.endswith("]"):
                    stanzas.append(Stanza(line[1:-1], number))
                    continue
                tag, colon, value = line.partition(":")
                if not colon:
                    raise fail(
                        "an OBO line is `tag: value`", fix="name: …", value=line[:80], file=str(path), line=number
                    )
                stanzas[-1].tags.append((tag, value.strip(), number))
    except UnicodeDecodeError as error:
        raise fail("OBO files are UTF-8", fix="save it as UTF-8", value=error.reason, file=str(path)) from error
    return stanzas


def read_obo(path: Path) -> Iterator[ox.Quad]:
    """The triples of an OBO file. Raises NosographError, with the line, if it is not OBO."""
    try:
        yield from _read_quads(read_stanzas(path), path)
    except ValueError as error:  # an IRI with a blank
        raise fail(f"an identifier is none: {error}", fix="id: PREFIX:0000001", file=str(path)) from error


def _read_quads(stanzas: list[Stanza], path: Path) -> Iterator[ox.Quad]:
    header = stanzas[0]
    name = next(iter(header.values("ontology")), path.stem).removesuffix(".obo")
    iris = _Iris(name, stanzas)
    ontology = ox.NamedNode(f"{OBO}{name}.owl")
    yield ox.Quad(ontology, RDF_TYPE, ONTOLOGY)
    yield ox.Quad(ontology, HOLDS, ox.Literal(name.upper()))
    for version in header.values("data-version"):
        yield ox.Quad(ontology, VERSION, ox.Literal(version))
    for stanza in stanzas[1:]:
        if stanza.kind == "Term":
            yield from _read_term(stanza, iris, path)


class _Iris:
    """The IRI of each identifier in one OBO file: known prefixes, then the OBO rule; relations by their xref."""

    def __init__(self, ontology: str, stanzas: list[Stanza]) -> None:
        self.ontology = ontology
        self.relations: dict[str, str] = {}
        for stanza in stanzas:
            if stanza.kind == "Typedef":
                for identifier in stanza.values("id"):
                    canonical = next((x for x in stanza.values("xref") if ":" in x), identifier)
                    self.relations[identifier] = self._expand(canonical)

    def _expand(self, identifier: str) -> str:
        if is_iri(identifier):
            return identifier
        prefix, colon, local = identifier.partition(":")
        if not colon:
            return f"{OBO}{self.ontology}#{identifier}"
        try:
            return expand(identifier)
        except NosographError:  # not one of our prefixes: the OBO Foundry's own rule holds
            return f"{OBO}{prefix}_{local}"

    def node(self, identifier: str) -> ox.NamedNode:
        return ox.NamedNode(self.relations.get(identifier) or self._expand(identifier))


def _read_term(stanza: Stanza, iris: _Iris, path: Path) -> Iterator[ox.Quad]:
    ids = stanza.values("id")
    if not ids:
        raise fail("a [Term] has no id", fix="id: PREFIX:0000001", file=str(path), line=stanza.line)
    try:
        term = iris.node(ids[0])
    except ValueError as error:
        fix = "id: PREFIX:0000001"
        raise fail(f"the id is none: {error}", fix=fix, value=ids[0][:80], file=str(path), line=stanza.line) from error
    yield ox.Quad(term, RDF_TYPE, CLASS)
    for tag, value, line in stanza.tags:
        try:
            yield from _read_tag(term, tag, value, iris)
        except ValueError as error:  # an IRI with a blank, a text without quotes
            raise fail(str(error), node=ids[0], value=value[:80], file=str(path), line=line) from error


def _read_tag(term: ox.NamedNode, tag: str, value: str, iris: _Iris) -> Iterator[ox.Quad]:
    match tag:
        case "name":
            yield ox.Quad(term, LABEL, ox.Literal(_unescape(value.partition(" {")[0])))
        case "def" | "synonym":
            yield from _read_text(term, tag, value, iris)
        case "comment":
            yield ox.Quad(term, COMMENT, ox.Literal(_unescape(value)))
        case "xref":
            yield ox.Quad(term, CROSS_REFERENCE, ox.Literal(_unescape(_strip(value).split(' "')[0])))
        case "is_a":
            yield ox.Quad(term, SUBCLASS_OF, iris.node(_strip(value)))
        case "relationship" | "intersection_of":
            relation, _, target = _strip(value).partition(" ")
            if target:  # what is alone in an intersection is the genus
                yield from _read_relationship(term, iris.node(relation), iris.node(target.strip()), value)
        case "alt_id":  # a merged term: obsolete, and replaced by this one
            merged = iris.node(_strip(value))
            yield ox.Quad(merged, DEPRECATED, TRUE)
            yield ox.Quad(merged, REPLACED_BY, term)
        case "is_obsolete" if _strip(value) == "true":
            yield ox.Quad(term, DEPRECATED, TRUE)
        case "replaced_by":
            yield ox.Quad(term, REPLACED_BY, iris.node(_strip(value)))
        case "consider":
            yield ox.Quad(term, CONSIDER, iris.node(_strip(value)))
        case "subset":
            yield ox.Quad(term, ox.NamedNode(OIO + "inSubset"), ox.Literal(_strip(value)))
        case "namespace":
            yield ox.Quad(term, ox.NamedNode(OIO + "hasOBONamespace"), ox.Literal(_strip(value)))


def _read_relationship(
    term: ox.NamedNode, relation: ox.NamedNode, target: ox.NamedNode, value: str
) -> Iterator[ox.Quad]:
    yield ox.Quad(term, relation, target)
    if sources := _SOURCE.findall(value.partition(" {")[2]):
        yield from _annotate(term, relation, target, SOURCE, [ox.Literal(source) for source in sources])


def _annotate(
    term: ox.NamedNode,
    predicate: ox.NamedNode,
    target: ox.NamedNode | ox.Literal,
    key: ox.NamedNode,
    values: Sequence[ox.NamedNode | ox.Literal],
) -> Iterator[ox.Quad]:
    """An axiom that says something about a triple."""
    axiom = ox.BlankNode()
    yield ox.Quad(axiom, RDF_TYPE, AXIOM)
    yield ox.Quad(axiom, AXIOM_SOURCE, term)
    yield ox.Quad(axiom, AXIOM_PROPERTY, predicate)
    yield ox.Quad(axiom, AXIOM_TARGET, target)
    for said in values:
        yield ox.Quad(axiom, key, said)


def _read_text(term: ox.NamedNode, tag: str, value: str, iris: _Iris) -> Iterator[ox.Quad]:
    """A definition, or a synonym with its scope and type, from `"text" SCOPE type [references]`."""
    quoted = _QUOTED.match(value)
    if not quoted:
        raise ValueError(f"`{tag}` begins with its text in double quotes")
    text = ox.Literal(_unescape(quoted[1]))
    if tag == "def":
        yield ox.Quad(term, DEFINITION, text)
        return
    words = quoted[2].partition("[")[0].split()
    scope = words[0] if words and words[0] in SYNONYM_SCOPES else "RELATED"  # the format's default
    yield ox.Quad(term, SYNONYM_SCOPES[scope], text)
    for kind in words[1:2]:
        yield from _annotate(term, SYNONYM_SCOPES[scope], text, SYNONYM_TYPE, [iris.node(kind)])
