"""The knowledge graph: ontologies, annotations and disease models in one RDF graph, with methods to query it.

Arguments name a concept by its CURIE ("HP:0001250"; aliases and any case of the prefix are allowed) or its IRI. Results
name concepts by CURIE, or by IRI if no known prefix fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, cast

import pyoxigraph as ox
from rdflib import Graph, URIRef
from rdflib.query import Result

from ..errors import fail
from . import hpo
from .obo import (
    AXIOM_PROPERTY,
    AXIOM_SOURCE,
    AXIOM_TARGET,
    CONSIDER,
    CROSS_REFERENCE,
    DEFINITION,
    DEPRECATED,
    HOLDS,
    LABEL,
    ONTOLOGY,
    RDF_TYPE,
    REPLACED_BY,
    SUBCLASS_OF,
    SYNONYM_SCOPES,
    SYNONYM_TYPE,
    TRUE,
    VERSION,
)
from .prefixes import NAMESPACES, VOCABULARIES, compact, find_prefix, is_iri, to_iri
from .search import IndexedName, Match, TextIndex
from .sources import find_file, read, read_releases
from .store import key_of, locate_cache, open_cached

_SKOS = VOCABULARIES["skos"]
_ALT_LABEL = ox.NamedNode(_SKOS + "altLabel")
_DEFINITIONS = (DEFINITION, ox.NamedNode(_SKOS + "definition"))
LABELS = (LABEL, ox.NamedNode(_SKOS + "prefLabel"))
_MAPPINGS = tuple(ox.NamedNode(_SKOS + f"{kind}Match") for kind in ("exact", "close", "broad", "narrow", "related"))
SYNONYMS = {**{node: scope for scope, node in SYNONYM_SCOPES.items()}, _ALT_LABEL: "EXACT"}
_SCOPES = tuple(SYNONYM_SCOPES)
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Synonym:
    """Another name of a concept. `scope` is EXACT, BROAD, NARROW or RELATED. `kinds` are its types in the ontology (in
    HPO "layperson", "plural_form", "uk_spelling" and "abbreviation"); most synonyms have none."""

    text: str
    scope: str
    kinds: frozenset[str] = frozenset()


class KnowledgeGraph:
    """One RDF graph, queried by concept or by SPARQL. `KnowledgeGraph()` is empty; `KnowledgeGraph.open()` has HPO.

    `store` holds the triples (pyoxigraph), and `graph` shows them as an rdflib graph. What came from the cache is
    read-only until something is loaded or added.
    """

    def __init__(self, store: ox.Store | None = None, *, read_only: bool = False) -> None:
        self.store = store if store is not None else ox.Store()
        self._read_only = read_only
        self._answers: dict[tuple[str, str], Any] = {}
        self._releases: tuple[Path, ...] = ()  # the RF2 folders in it

    @cached_property
    def graph(self) -> Graph:
        from .view import LocalStore, view

        return view(LocalStore(store=self.store))

    @classmethod
    def open(cls, *files: str | Path) -> KnowledgeGraph:
        """The Human Phenotype Ontology with its disease annotations, and these files or folders as well (see `load`).

        The first call with the same files builds a store in the cache folder (some seconds for HPO alone, which is read
        once for all of them). Later calls open it in milliseconds, also from many processes at once. Several RF2
        folders are taken together: of each component, its latest state. Raises NosographError as `load` does.
        """
        released = hpo.locate_hpo()
        own = [find_file(file) for file in files]
        releases = tuple(path for path in own if path.is_dir())
        readers: list[Callable[[], Iterable[ox.Quad]]] = [partial(read, path) for path in own if path not in releases]
        readers += [partial(read_releases, releases)] if releases else []
        store = open_cached(locate_cache(), key_of(released), partial(hpo.read_hpo, *released))
        if own:
            key = key_of(released, own)
            store = open_cached(locate_cache(), key, lambda: chain.from_iterable(r() for r in readers), base=store)
        known = cls(store, read_only=True)
        known._releases = releases
        return known

    def load(self, path: str | Path, *, reason: bool = False) -> None:
        """Adds a file (Turtle, N-Triples, N-Quads, TriG, RDF/XML, JSON-LD, OWL, OBO) or a SNOMED CT RF2 folder.

        A second RF2 folder is taken together with the first: of each component, its latest state counts, and what the
        first said of it otherwise is removed. `reason` adds what the HermiT reasoner infers from an OWL file (it needs
        Java). Raises NosographError, with file and line, for what cannot be read; then nothing is added.
        """
        found = find_file(path)
        outdated: set[ox.Quad] = set()
        if found.is_dir():
            quads = list(read_releases([*self._releases, found]))
            if self._releases:
                outdated = set(read_releases(self._releases)).difference(quads)
        else:
            quads = list(read(found, reason=reason))
        self._make_writable()
        for quad in outdated:
            self.store.remove(quad)
        self.store.bulk_extend(quads)
        self._releases += (found,) if found.is_dir() and found not in self._releases else ()

    def add(self, graph: Graph) -> None:
        """Adds the triples of an rdflib graph, such as a disease model's."""
        self._make_writable()
        self.graph.addN((s, p, o, self.graph) for s, p, o in graph)

    def _make_writable(self) -> None:
        self._answers.clear()
        if self._read_only:
            from .view import copy_writable, view

            copy = copy_writable(self.store)
            self.graph = view(copy)
            self.store = copy.inner
            self._read_only = False
        for name in ("_index", "_held"):  # computed again at the next use
            self.__dict__.pop(name, None)

    def __len__(self) -> int:
        return len(self.store)

    def __bool__(self) -> bool:
        """Always true: otherwise `knowledge or …` would count all triples."""
        return True

    def sparql(self, query: str) -> Result:
        """The result of a SPARQL query over everything; `HP:`, `rdfs:`, `obo:` and all known prefixes are declared.

        Raises NosographError for a query that does not parse or would use the network (SERVICE).
        """
        try:
            return self.graph.query(query, initNs=NAMESPACES)
        except SyntaxError as error:
            place = re.match(r"error at (\d+):(\d+): (.*)", str(error), re.DOTALL)
            line, detail = (int(place[1]), place[3].splitlines()[0][:200]) if place else (0, str(error)[:200])
            raise fail(f"not valid SPARQL: {detail}", node="SPARQL", file="query", line=line) from error

    # Names

    def resolve(self, concept: str) -> URIRef:
        """The IRI of a CURIE (an IRI stays as it is). Raises NosographError for text that is neither."""
        return URIRef(to_iri(concept))

    def curie(self, concept: str) -> str:
        """The CURIE of an IRI or of an aliased CURIE, with the usual form of the prefix; otherwise the IRI itself."""
        return compact(str(self.resolve(concept)))

    def known(self, concept: str) -> bool | None:
        """Whether the graph has this concept; None if that ontology is not loaded, so that it cannot say.

        Raises NosographError if the CURIE's prefix is unknown or its identifier does not fit the prefix.
        """
        node = self._node(concept)
        if any(self._has(node, predicate) for predicate in (*LABELS, DEPRECATED, RDF_TYPE)):
            return True
        prefix = compact(node.value).partition(":")[0]
        return False if prefix in self._held else None

    def require(self, concept: str, *, node: str = "", file: str = "", line: int = 0) -> URIRef:
        """The IRI of a concept that may be used: known and not obsolete, or of an ontology that is not loaded.

        `node`, `file` and `line` say where the concept was written. Raises NosographError for an unknown prefix or
        concept (with the nearest), an obsolete concept (with its replacement), or an impossible identifier.
        """
        at: dict[str, Any] = {"node": node, "file": file, "line": line, "value": concept}
        if not is_iri(concept) and ":" not in concept:
            found = self.search(concept, 1)
            fix = f"{found[0].concept}   # {found[0].label}" if found else "for example HP:0001250"
            raise fail("a concept is named by its CURIE", fix=fix, **at)
        iri = to_iri(concept, node=node, file=file, line=line)
        if self.known(iri) is False:
            raise fail("there is no such concept", fix=self._suggest(iri), **at)
        if self.is_obsolete(iri):
            instead = self.replacements(iri)
            fix = " or ".join(self.describe(other) for other in instead) or "search for another concept"
            label = self.label(iri)
            raise fail(f"this concept is obsolete{f' ({label})' if label else ''}", fix=fix, **at)
        return URIRef(iri)

    def describe(self, concept: str) -> str:
        """The concept with its label, `HP:0000726 (Dementia)`; alone if it has none."""
        label = self.label(concept)
        return f"{concept} ({label})" if label else concept

    def _suggest(self, iri: str) -> str:
        """The concepts whose identifiers differ from an unknown one by one digit or by two swapped neighbours."""
        prefix, _, local = compact(iri).partition(":")
        changed = [local[:i] + d + local[i + 1 :] for i in range(len(local)) for d in "0123456789"]
        swapped = [local[:i] + local[i + 1] + local[i] + local[i + 2 :] for i in range(len(local) - 1)]
        holder = find_prefix(prefix)
        near = [f"{prefix}:{other}" for other in swapped + changed[::-1] if holder and holder.accepts(other)]
        known = dict.fromkeys(self.describe(c) for c in near if self.label(c) and not self.is_obsolete(c))
        return "perhaps " + " or ".join(list(known)[:3]) if known else "search for it by its label"

    @cached_property
    def _held(self) -> frozenset[str]:
        """The prefixes whose ontologies are completely loaded: an identifier that is not here does not exist."""
        declared = {quad.object.value for quad in self._quads(HOLDS) if isinstance(quad.object, ox.Literal)}
        for iri in self._named(RDF_TYPE, ONTOLOGY):
            declared.add(_name_of(iri))
        return frozenset(prefix.name for prefix in map(find_prefix, declared) if prefix)

    # What the ontology says about a concept

    def label(self, concept: str) -> str | None:
        """The label (untagged or English before other languages), or None."""
        return self._remember("label", concept, lambda node: self._text(node, LABELS))

    def definition(self, concept: str) -> str | None:
        """The textual definition, or None."""
        return self._text(self._node(concept), _DEFINITIONS)

    def synonyms(self, concept: str) -> tuple[Synonym, ...]:
        """The synonyms, exact ones first, then by text."""
        node = self._node(concept)
        kinds = self._synonym_kinds(node)
        found = {
            Synonym(value.value, scope, frozenset(kinds.get((predicate, value), ())))
            for predicate, scope in SYNONYMS.items()
            for value in self._objects(node, predicate)
            if isinstance(value, ox.Literal)
        }
        return tuple(sorted(found, key=lambda synonym: (_SCOPES.index(synonym.scope), synonym.text)))

    def _synonym_kinds(self, node: ox.NamedNode) -> dict[tuple[Any, Any], set[str]]:
        """The types of a concept's synonyms, by predicate and text: the last part of their IRIs, in lower case."""
        kinds: dict[tuple[Any, Any], set[str]] = {}
        for quad in self.store.quads_for_pattern(None, AXIOM_SOURCE, node, None):
            axiom = cast("ox.NamedNode | ox.BlankNode", quad.subject)
            types = [t for t in self._objects(axiom, SYNONYM_TYPE) if isinstance(t, ox.NamedNode)]
            for kind in types:
                about = tuple(next(self._objects(axiom, p), None) for p in (AXIOM_PROPERTY, AXIOM_TARGET))
                kinds.setdefault((about[0], about[1]), set()).add(re.split(r"[#/]", kind.value)[-1].lower())
        return kinds

    def cross_references(self, concept: str, prefix: str | None = None) -> tuple[str, ...]:
        """The same or a similar concept in other ontologies, by CURIE (as written there if the prefix is unknown).

        `prefix` (or an alias, such as SNOMEDCT_US for SNOMEDCT) keeps only the concepts of that prefix.
        """
        node = self._node(concept)
        texts = [value.value for value in self._objects(node, CROSS_REFERENCE)]
        texts += [value.value for predicate in _MAPPINGS for value in self._objects(node, predicate)]
        found = {_canonical(text) for text in texts}
        if prefix is not None:
            holder = find_prefix(prefix)
            name = holder.name if holder else prefix
            found = {text for text in found if text.partition(":")[0] == name}
        return tuple(sorted(found))

    def is_obsolete(self, concept: str) -> bool:
        """Whether the ontology says that the concept should not be used any more."""
        return self._has(self._node(concept), DEPRECATED, TRUE)

    def replacements(self, concept: str) -> tuple[str, ...]:
        """What to use instead of an obsolete concept: its replacement, otherwise what the ontology says to consider."""
        node = self._node(concept)
        replaced = [value.value for value in self._objects(node, REPLACED_BY)]
        return tuple(sorted(map(_canonical, replaced or [value.value for value in self._objects(node, CONSIDER)])))

    def follow(self, concept: str) -> str:
        """The CURIE of the concept, or of what it was merged into or replaced by if it is obsolete.

        Raises NosographError as `require` does, also where several took its place or there is only something to
        consider: that is not the same concept.
        """
        node, seen = self._node(concept), set[ox.NamedNode]()
        while self.is_obsolete(node.value) and node not in seen:
            seen.add(node)
            replaced = [value for value in self._objects(node, REPLACED_BY) if isinstance(value, ox.NamedNode)]
            if len(replaced) != 1:
                break
            node = replaced[0]
        return compact(str(self.require(node.value)))

    # Hierarchy: named classes and what they are stated (or, after reasoning, inferred) to be subclasses of

    def parents(self, concept: str) -> tuple[str, ...]:
        """The concepts directly above."""
        return tuple(sorted(compact(node.value) for node in self._above(self._node(concept))))

    def children(self, concept: str) -> tuple[str, ...]:
        """The concepts directly below."""
        return tuple(sorted(compact(node.value) for node in self._below(self._node(concept))))

    def ancestors(self, concept: str) -> frozenset[str]:
        """All concepts above it, without the concept itself."""
        return self._remember(
            "ancestors", concept, lambda node: frozenset(compact(a.value) for a in _closure(node, self._above))
        )

    def descendants(self, concept: str) -> frozenset[str]:
        """All concepts below it, without the concept itself."""
        return frozenset(compact(node.value) for node in _closure(self._node(concept), self._below))

    def is_a(self, concept: str, ancestor: str) -> bool:
        """Whether a concept is `ancestor` or below it."""
        node, above = self._node(concept), self._node(ancestor)
        return node == above or above in _closure(node, self._above)

    # Finding

    def search(self, text: str, limit: int = 10, *, prefix: str | None = None) -> tuple[Match, ...]:
        """Concepts by label or synonym. Matches of the whole text come first, then of its beginning, then of its words;
        labels come before synonyms.

        Case and punctuation do not matter; obsolete concepts are left out. `prefix` keeps only concepts of that prefix.
        """
        holder = find_prefix(prefix) if prefix else None
        start = holder.iri if holder else prefix
        iris = frozenset(e.iri for _, e in self._index.entries if e.iri.startswith(start)) if start else None
        found = self._index.find(text, limit, iris)
        return tuple(Match(compact(e.iri), self.label(e.iri) or e.text, e.text, kind) for e, kind in found)

    def release(self, prefix: str) -> str | None:
        """The version of the ontology of this prefix, from its file ("2025-01-16"), or None."""
        holder = find_prefix(prefix)
        name = holder.name if holder else prefix
        published = (iri for iri in self._named(RDF_TYPE, ONTOLOGY) if _name_of(iri) == name.lower())
        for iri in chain(self._named(HOLDS, ox.Literal(name)), sorted(published)):
            for version in self._objects(ox.NamedNode(iri), VERSION):
                return str(version.value).rpartition("/")[2]
        return None

    @cached_property
    def _index(self) -> TextIndex:
        return TextIndex(self._entries())

    def _entries(self) -> Iterator[IndexedName]:
        obsolete = frozenset(self._named(DEPRECATED, TRUE))
        for predicate in (*LABELS, *SYNONYMS):
            for quad in self._quads(predicate):
                if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.Literal):
                    iri = quad.subject.value
                    if iri not in obsolete:
                        yield IndexedName(iri, quad.object.value, predicate in LABELS)

    # The store

    def _remember(self, question: str, concept: str, answer: Callable[[ox.NamedNode], _Answer]) -> _Answer:
        """The answer to a question, kept for the next call if it cannot change."""
        key = (question, concept)
        if key in self._answers:
            return cast(_Answer, self._answers[key])
        value = answer(self._node(concept))
        if self._read_only:
            self._answers[key] = value
        return value

    def _node(self, concept: str) -> ox.NamedNode:
        return ox.NamedNode(self.resolve(concept))

    def _quads(self, predicate: ox.NamedNode, value: ox.NamedNode | ox.Literal | None = None) -> Iterator[ox.Quad]:
        return self.store.quads_for_pattern(None, predicate, value)

    def _named(self, predicate: ox.NamedNode, value: ox.NamedNode | ox.Literal) -> Iterator[str]:
        """The IRIs of everything that has this value."""
        return (q.subject.value for q in self._quads(predicate, value) if isinstance(q.subject, ox.NamedNode))

    def _objects(self, node: ox.NamedNode | ox.BlankNode, predicate: ox.NamedNode) -> Iterator[Any]:
        return (quad.object for quad in self.store.quads_for_pattern(node, predicate, None))

    def _has(self, node: ox.NamedNode, predicate: ox.NamedNode, value: ox.NamedNode | ox.Literal | None = None) -> bool:
        return next(iter(self.store.quads_for_pattern(node, predicate, value)), None) is not None

    def _text(self, node: ox.NamedNode, predicates: Iterable[ox.NamedNode]) -> str | None:
        texts = [value for p in predicates for value in self._objects(node, p) if isinstance(value, ox.Literal)]
        texts.sort(key=lambda text: (text.language is not None, not (text.language or "").startswith("en"), text.value))
        return texts[0].value if texts else None

    def _above(self, node: ox.NamedNode) -> Sequence[ox.NamedNode]:
        return self._remember(
            "above", node.value, lambda n: [a for a in self._objects(n, SUBCLASS_OF) if isinstance(a, ox.NamedNode)]
        )

    def _below(self, node: ox.NamedNode) -> Iterator[ox.NamedNode]:
        return (quad.subject for quad in self._quads(SUBCLASS_OF, node) if isinstance(quad.subject, ox.NamedNode))


def _name_of(ontology: str) -> str:
    """`mondo`, from http://purl.obolibrary.org/obo/mondo.owl."""
    return ontology.rpartition("/")[2].partition(".")[0].lower()


def _canonical(text: str) -> str:
    """A reference with the usual form of its prefix: SNOMEDCT_US:38341003 -> SNOMEDCT:38341003."""
    if is_iri(text):
        return compact(text)
    name, _, local = text.partition(":")
    prefix = find_prefix(name)
    return f"{prefix.name}:{local}" if prefix else text


def _closure(start: ox.NamedNode, step: Callable[[ox.NamedNode], Iterable[ox.NamedNode]]) -> set[ox.NamedNode]:
    """Everything that steps from `start` reach, without `start` (a loop in an ontology ends here as well)."""
    reached: set[ox.NamedNode] = set()
    waiting = [start]
    while waiting:
        for node in step(waiting.pop()):
            if node not in reached:
                reached.add(node)
                waiting.append(node)
    return reached - {start}
