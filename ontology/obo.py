"""OBO files (OBO Flat File Format 1.2 and 1.4) as triples, with the names of the official OBO to OWL mapping.

The tags read are id, name, def, comment, synonym, xref, alt_id, is_a, relationship, intersection_of, is_obsolete,
replaced_by, consider, subset and namespace, and those of format 1.0 that became synonym, xref and consider; other tags
are ignored. Unlike in OWL, `relationship: part_of X` becomes one plain triple, not an existential restriction, so that
queries stay short; so does `intersection_of: part_of X`, which implies it. A relationship's sources and the type of a
synonym are given as in OWL, by axioms with `oboInOwl:source` and `oboInOwl:hasSynonymType`. `import` headers are not
followed.

What follows a quoted text is held to the format's grammar: anything else there means that the text ends elsewhere than
it seems to, at a quotation mark that isn't escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
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

# The grammar of OBO 1.4, section 2. Trailing modifiers are `{name="value", …}`, and a comment follows ` ! `.
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_MODIFIER = rf'[^\s="{{}},]++\s*+=\s*+(?:{_QUOTED}|[^\s"{{}},]++)'
_MODIFIERS = rf"\{{\s*+(?:{_MODIFIER}(?:\s*+,\s*+{_MODIFIER})*+)?\s*+\}}"
_REFERENCES = rf'\[(?:[^"\\\]]|\\.|{_QUOTED})*+\]'
_END = rf"\s*+(?:{_MODIFIERS})?\s*+(?:!.*)?"
_DEFINITION = re.compile(rf"({_QUOTED})\s*+(?:{_REFERENCES})?{_END}")
_SYNONYM = re.compile(rf'({_QUOTED})([^"\[{{!]*+)(?:{_REFERENCES})?{_END}')
_SYNONYM_TYPE = re.compile(rf'([^\s"]++)\s*+(?:{_QUOTED})?\s*+(EXACT|BROAD|NARROW|RELATED)?{_END}')
_PLAIN = rf"(?<!\s)\s++(?:{_MODIFIERS}\s*+(?:!.*)?|!.*)"
_PLAIN_END = re.compile(_PLAIN + "$")
_SOURCE = re.compile(rf"\bsource\s*+=\s*+({_QUOTED})")
_TEXT_END = re.compile(rf"(?<!\s)\s++(?:{_MODIFIERS}\s*+(?:!.*)?|!(?:\s.*)?)$")
_XREF = re.compile(rf'((?:[^\s"\\]|\\.)(?:[^"\\]|\\.)*?)(?:(?<!\s)\s++{_QUOTED}{_END}|{_PLAIN})?')
_STANZA = re.compile(r"\[([^\[\]]*)\]\s*(?:!.*)?")
_RELATIONSHIPS = ("relationship", "intersection_of")
_STANZAS = ("Term", "Typedef", "Instance")
_SINGLE = {  # what a term has once, and what to write for more
    "name": 'one name; the other as synonym: "text" EXACT []',
    "def": "one def; the other as comment: text",
}
_INNER = re.compile(r'(?<!\\)"')
_EXAMPLE = r'"a text with \"quotation marks\" inside" []'
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "W": " "}
_FORMER_TAGS = {"xref_analog": "xref", "xref_unknown": "xref", "use_term": "consider"}
_FORMER_SYNONYMS = {f"{scope.lower()}_synonym": scope for scope in SYNONYM_SCOPES}


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
    return _cut(value, _PLAIN_END)


def _cut(value: str, end: re.Pattern[str]) -> str:
    found = end.search(value) if "!" in value or "}" in value else None
    return value[: found.start()] if found else value


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text) if "\\" in text else text


def read_stanzas(path: Path) -> list[Stanza]:
    """The stanzas of an OBO file, its header first. Raises NosographError, with the line, if it is not OBO."""
    stanzas = [Stanza("", 1)]
    for number, line in _read_lines(path):
        if not line or line.startswith("!"):
            continue
        if stanza := _STANZA.fullmatch(line):
            kind = stanza[1].strip()
            if kind not in _STANZAS and kind.capitalize() in _STANZAS:
                fix = f"[{kind.capitalize()}]"
                raise fail("a stanza's name has a capital letter", fix=fix, value=line, file=str(path), line=number)
            stanzas.append(Stanza(kind, number))
            continue
        tag, colon, value = line.partition(":")
        if not colon:
            raise fail("an OBO line is `tag: value`", fix="name: …", value=line[:80], file=str(path), line=number)
        stanzas[-1].tags.append((tag.strip(), value.strip(), number))
    return stanzas


def _read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines with their numbers; one that ends in a backslash goes on in the next."""
    begun, begin = "", 0
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, raw in enumerate(lines, 1):
                line = raw.rstrip("\n")
                comment = not begun and line.lstrip().startswith("!")
                if not comment and (len(line) - len(line.rstrip("\\"))) % 2:  # an escaped newline stands for nothing
                    begun, begin = begun + line[:-1], begin or number
                    continue
                yield begin or number, (begun + line).strip()
                begun, begin = "", 0
    except UnicodeDecodeError as error:
        raise fail("OBO files are UTF-8", fix="save it as UTF-8", value=error.reason, file=str(path)) from error
    if begun:
        yield begin, begun.strip()


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
    types = _read_synonym_types(header, path)
    ontology = ox.NamedNode(f"{OBO}{name}.owl")
    yield ox.Quad(ontology, RDF_TYPE, ONTOLOGY)
    yield ox.Quad(ontology, HOLDS, ox.Literal(name.upper()))
    for version in header.values("data-version"):
        yield ox.Quad(ontology, VERSION, ox.Literal(version))
    for stanza in stanzas[1:]:
        if stanza.kind == "Term":
            yield from _read_term(stanza, iris, types, path)


def _read_synonym_types(header: Stanza, path: Path) -> dict[str, str]:
    """The scope of each declared type of synonyms: its own, or the format's default."""
    types: dict[str, str] = {}
    for tag, value, line in header.tags:
        if tag == "synonymtypedef":
            declared = _SYNONYM_TYPE.fullmatch(value)
            if declared is None:
                fix = 'synonymtypedef: layperson "layperson term" EXACT'
                raise fail("this declares no type of synonyms", fix=fix, value=value[:80], file=str(path), line=line)
            types[declared[1]] = declared[2] or "RELATED"
    return types


class _Iris:
    """The IRI of each identifier in one OBO file: known prefixes, then the OBO rule; relations by their xref."""

    def __init__(self, ontology: str, stanzas: list[Stanza]) -> None:
        self.ontology = ontology
        self.relations: dict[str, str] = {}
        for stanza in stanzas:
            if stanza.kind == "Typedef":
                references = (_XREF.fullmatch(value) for tag, value, _ in stanza.tags if tag == "xref")
                canonical = next((_unescape(found[1]) for found in references if found and ":" in found[1]), None)
                for identifier in stanza.values("id"):
                    self.relations[identifier] = self._expand(canonical or identifier)

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


def _read_term(stanza: Stanza, iris: _Iris, types: dict[str, str], path: Path) -> Iterator[ox.Quad]:
    ids = [(value, line) for tag, value, line in stanza.tags if tag == "id"]
    if not ids:
        raise fail("a [Term] has no id", fix="id: PREFIX:0000001", file=str(path), line=stanza.line)
    if len(ids) > 1:
        fix = "[Term] on a line of its own before each further term"
        raise fail("a [Term] has two ids", fix=fix, value=ids[1][0][:80], file=str(path), line=ids[1][1])
    for tag, fix in _SINGLE.items():
        values = [(value, line) for name, value, line in stanza.tags if name == tag]
        if len(values) > 1:
            value, line = values[1]
            raise fail(f"a [Term] has two `{tag}` lines", fix=fix, value=value[:80], file=str(path), line=line)
    value, line = ids[0]
    identifier = _strip(value)
    try:
        term = _find_node("id", value, iris)
        yield ox.Quad(term, RDF_TYPE, CLASS)
        for tag, value, line in stanza.tags:  # noqa: B007 (what fails is told with its line)
            yield from _read_tag(term, _FORMER_TAGS.get(tag, tag), value, iris, types)
    except NosographError as error:
        problem = replace(error.problems[0], node=identifier[:80], value=value[:80], file=str(path), line=line)
        raise NosographError(problem) from error


def _find_node(tag: str, value: str, iris: _Iris) -> ox.NamedNode:
    """The one identifier that is a tag's value."""
    identifier = _unescape(_strip(value))
    try:
        if identifier.split() == [identifier]:
            return iris.node(identifier)
    except ValueError:  # an IRI with a bracket, for example
        pass
    raise fail(
        f"`{tag}` has an identifier, then at most modifiers in {{ }} and a ! comment",
        fix=f"{tag}: {'part_of ' if tag in _RELATIONSHIPS else ''}PREFIX:0000001",
    )


def _read_tag(term: ox.NamedNode, tag: str, value: str, iris: _Iris, types: dict[str, str]) -> Iterator[ox.Quad]:
    match tag:
        case "name":
            yield ox.Quad(term, LABEL, ox.Literal(_unescape(_cut(value, _TEXT_END))))
        case "def":
            yield ox.Quad(term, DEFINITION, ox.Literal(_read_quoted(tag, value, _DEFINITION)[0]))
        case "synonym":
            yield from _read_synonym(term, tag, value, iris, types)
        case _ if tag in _FORMER_SYNONYMS:
            yield from _read_synonym(term, tag, value, iris, types)
        case "comment":
            yield ox.Quad(term, COMMENT, ox.Literal(_unescape(_cut(value, _TEXT_END))))
        case "xref":
            reference = _XREF.fullmatch(value)
            if reference is None:
                raise fail("`xref` has an identifier, then at most a text in double quotes", fix='xref: UMLS:C1 "text"')
            yield ox.Quad(term, CROSS_REFERENCE, ox.Literal(_unescape(reference[1])))
        case "is_a":
            yield ox.Quad(term, SUBCLASS_OF, _find_node(tag, value, iris))
        case _ if tag in _RELATIONSHIPS:
            relation, _, target = _strip(value).partition(" ")
            if target or tag == "relationship":  # what is alone in an intersection is its genus
                predicate, object = _find_node(tag, relation, iris), _find_node(tag, target.strip(), iris)
                yield ox.Quad(term, predicate, object)
                if sources := _read_sources(value):
                    yield from _annotate(term, predicate, object, SOURCE, sources)
        case "alt_id":  # a merged term: obsolete, and replaced by this one
            merged = _find_node(tag, value, iris)
            yield ox.Quad(merged, DEPRECATED, TRUE)
            yield ox.Quad(merged, REPLACED_BY, term)
        case "is_obsolete":
            if _strip(value) not in ("true", "false"):
                raise fail("`is_obsolete` is true or false", fix="is_obsolete: true")
            if _strip(value) == "true":
                yield ox.Quad(term, DEPRECATED, TRUE)
        case "replaced_by":
            yield ox.Quad(term, REPLACED_BY, _find_node(tag, value, iris))
        case "consider":
            yield ox.Quad(term, CONSIDER, _find_node(tag, value, iris))
        case "subset":
            yield ox.Quad(term, ox.NamedNode(OIO + "inSubset"), ox.Literal(_strip(value)))
        case "namespace":
            yield ox.Quad(term, ox.NamedNode(OIO + "hasOBONamespace"), ox.Literal(_strip(value)))


def _read_sources(value: str) -> list[ox.Literal]:
    """The sources among a relationship's modifiers."""
    end = _PLAIN_END.search(value)
    modifiers = re.match(rf"\s++({_MODIFIERS})", end[0]) if end else None
    return [ox.Literal(_unescape(source[1:-1])) for source in _SOURCE.findall(modifiers[1])] if modifiers else []


def _annotate(
    term: ox.NamedNode,
    predicate: ox.NamedNode,
    object: ox.NamedNode | ox.Literal,
    key: ox.NamedNode,
    values: Sequence[ox.NamedNode | ox.Literal],
) -> Iterator[ox.Quad]:
    """An axiom that says something about a triple."""
    axiom = ox.BlankNode()
    yield ox.Quad(axiom, RDF_TYPE, AXIOM)
    yield ox.Quad(axiom, AXIOM_SOURCE, term)
    yield ox.Quad(axiom, AXIOM_PROPERTY, predicate)
    yield ox.Quad(axiom, AXIOM_TARGET, object)
    for value in values:
        yield ox.Quad(axiom, key, value)


def _read_quoted(tag: str, value: str, grammar: re.Pattern[str]) -> tuple[str, str]:
    """The text that a value begins with, and what a synonym has between it and its references."""
    quoted = grammar.fullmatch(value)
    if quoted is None:
        if not re.match(_QUOTED, value):
            raise fail(f"`{tag}` begins with its text in double quotes", fix=f'{tag}: "text" []')
        scope = "a scope, a type, " if tag == "synonym" else ""
        raise fail(
            f"after its quoted text, `{tag}` has at most {scope}references in [ ], modifiers in {{ }} and a ! comment",
            fix=f"{tag}: {_escape_inside(value, grammar) or _EXAMPLE}",
        )
    return _unescape(quoted[1][1:-1]), quoted[2].strip() if quoted.re.groups > 1 else ""


def _escape_inside(value: str, grammar: re.Pattern[str]) -> str:
    """The value with the quotation marks inside its text escaped, if that makes it right; otherwise nothing."""
    inner = re.fullmatch(r'"([^\[]*)("[^"]*)', value[:10_000])
    if inner is None:
        return ""
    escaped = '"' + _INNER.sub(r"\"", inner[1]) + inner[2]
    return escaped if grammar.fullmatch(escaped) else ""


def _read_synonym(term: ox.NamedNode, tag: str, value: str, iris: _Iris, types: dict[str, str]) -> Iterator[ox.Quad]:
    """A synonym with its scope and type, from `"text" SCOPE type [references]`."""
    content, between = _read_quoted(tag, value, _SYNONYM)
    words = between.split()
    scope = _FORMER_SYNONYMS.get(tag) or (words.pop(0) if words and words[0] in SYNONYM_SCOPES else "")
    if not scope and words and words[0] not in types:
        raise fail(
            "this is neither a scope nor a declared type of synonyms",
            fix=f'EXACT, BROAD, NARROW or RELATED; or in the header, synonymtypedef: {words[0]} "what it is" EXACT',
        )
    if len(words) > 1 or (words and words[0] in SYNONYM_SCOPES):
        raise fail("a synonym has one scope and at most one type", fix='synonym: "text" EXACT layperson []')
    scope = scope or (types[words[0]] if words else "RELATED")  # the format's default
    text = ox.Literal(content)
    yield ox.Quad(term, SYNONYM_SCOPES[scope], text)
    for kind in words:
        yield from _annotate(term, SYNONYM_SCOPES[scope], text, SYNONYM_TYPE, [_find_node(tag, kind, iris)])
