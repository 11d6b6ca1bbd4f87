"""Causal axioms: what ontologies state about causes, as plain triples or as OWL's existential restrictions.

`A subClassOf (R some B)` and `A equivalentTo (C and (R some B))` say the same of A as the triple `A R B`, which is how
OBO files and SNOMED CT's RF2 are stored. SNOMED CT's role groups in OWL are looked into. Fillers without a name, unions
and universal restrictions are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pyoxigraph as ox

from ..errors import NosographError
from .knowledge import KnowledgeGraph
from .obo import (
    AXIOM,
    AXIOM_PROPERTY,
    AXIOM_SOURCE,
    AXIOM_TARGET,
    CROSS_REFERENCE,
    RDF_TYPE,
    SOURCE,
    SUBCLASS_OF,
)
from .prefixes import VOCABULARIES, compact, to_iri
from .relations import Relation
from .vocabulary import CITATION, evidence_source

_OWL, _RDF = VOCABULARIES["owl"], VOCABULARIES["rdf"]
_EQUIVALENT = ox.NamedNode(_OWL + "equivalentClass")
_INTERSECTION = ox.NamedNode(_OWL + "intersectionOf")
_ON_PROPERTY = ox.NamedNode(_OWL + "onProperty")
_FILLERS = (ox.NamedNode(_OWL + "someValuesFrom"), ox.NamedNode(_OWL + "hasValue"))
_FIRST, _REST = ox.NamedNode(_RDF + "first"), ox.NamedNode(_RDF + "rest")
_SUBPROPERTY = ox.NamedNode(VOCABULARIES["rdfs"] + "subPropertyOf")
_ROLE_GROUP = ox.NamedNode("http://snomed.info/id/609096000")
_SOURCES = (
    CROSS_REFERENCE,
    SOURCE,
    ox.NamedNode(VOCABULARIES["dcterms"] + "source"),
    ox.NamedNode(VOCABULARIES["dc"] + "source"),
)


@dataclass(frozen=True)
class Axiom:
    """A relation between two named concepts, by IRI. `stated_of`: the concept of which the ontology states it, if the
    subject inherits it from there."""

    subject: str
    relation: Relation
    object: str
    stated_of: str = ""

    @property
    def cause(self) -> str:
        return self.object if self.relation.object == "cause" else self.subject

    @property
    def effect(self) -> str:
        return self.subject if self.relation.object == "cause" else self.object

    def cite(self) -> str:
        """The axiom as evidence, by CURIEs; an inherited one as it is stated."""
        parts = (self.stated_of or self.subject, self.relation.iri, self.object)
        return f"axiom:{' '.join(map(compact, parts))}"


def find_axioms(relations: Mapping[str, Relation], *, knowledge: KnowledgeGraph) -> tuple[Axiom, ...]:
    """All axioms with one of these relations (by IRI) or with a relation below one of them (`rdfs:subPropertyOf`), each
    once, in the same order every time. Names that cannot be printed are left out."""
    store = knowledge.store
    known = _add_subrelations(relations, knowledge)
    pairs: set[tuple[object, str, object]] = {
        (quad.subject, iri, quad.object)
        for iri in known
        for quad in store.quads_for_pattern(None, ox.NamedNode(iri), None)
    }
    for predicate in (SUBCLASS_OF, _EQUIVALENT):
        for quad in store.quads_for_pattern(None, predicate, None):
            if isinstance(quad.object, ox.BlankNode) and isinstance(quad.subject, ox.NamedNode):
                found = _read_restrictions(quad.object, store)
                pairs |= {(quad.subject, iri, filler) for iri, filler in found if iri in known}
    named = {
        (subject.value, iri, object.value)
        for subject, iri, object in pairs
        if isinstance(subject, ox.NamedNode) and isinstance(object, ox.NamedNode)
    }
    return tuple(Axiom(s, known[r], o) for s, r, o in sorted(named) if (s + r + o).isprintable())


def find_references(axiom: Axiom, *, knowledge: KnowledgeGraph) -> tuple[str, ...]:
    """The PMIDs and DOIs that the ontology gives for an axiom."""
    store, found = knowledge.store, set()
    subject, wanted = ox.NamedNode(axiom.stated_of or axiom.subject), (axiom.relation.iri, axiom.object)
    for quad in store.quads_for_pattern(None, AXIOM_SOURCE, subject):
        node = quad.subject
        if next(iter(store.quads_for_pattern(node, RDF_TYPE, AXIOM)), None) is None:
            continue
        properties = {q.object for q in store.quads_for_pattern(node, AXIOM_PROPERTY, None)}
        for target in [q.object for q in store.quads_for_pattern(node, AXIOM_TARGET, None)]:
            if isinstance(target, ox.BlankNode):
                said = {(iri, getattr(filler, "value", "")) for iri, filler in _read_restrictions(target, store)}
            else:
                said = {(getattr(p, "value", ""), getattr(target, "value", "")) for p in properties}
            if wanted in said:
                values = (q.object for source in _SOURCES for q in store.quads_for_pattern(node, source, None))
                found |= {citation for value in values if (citation := _to_citation(getattr(value, "value", "")))}
    return tuple(sorted(found))


def inherit(axioms: Mapping[str, tuple[Axiom, ...]], concept: str, *, knowledge: KnowledgeGraph) -> tuple[Axiom, ...]:
    """The axioms about a concept (an IRI) and, after its own, those that it inherits; `axioms` are by subject.

    Left out is what says less than another: the same relation to the same object, or to one above it.
    """
    found = list(axioms.get(concept, ()))
    above = sorted(knowledge.ancestors(concept), key=lambda a: (len(knowledge.ancestors(a)), a), reverse=True)
    for ancestor in map(to_iri, above):  # the nearest first: they have the most above them
        for axiom in axioms.get(ancestor, ()):
            others = [other.object for other in found if other.relation == axiom.relation]
            if not any(knowledge.is_a(other, axiom.object) for other in others):
                found.append(replace(axiom, subject=concept, stated_of=ancestor))
    return tuple(found)


def _add_subrelations(relations: Mapping[str, Relation], knowledge: KnowledgeGraph) -> dict[str, Relation]:
    """The relations, and those below them, each as the nearest above it."""
    found = dict(relations)
    waiting = sorted(found)
    for iri in waiting:
        quads = knowledge.store.quads_for_pattern(None, _SUBPROPERTY, ox.NamedNode(iri))
        for below in sorted(quad.subject.value for quad in quads if isinstance(quad.subject, ox.NamedNode)):
            if below not in found:
                found[below] = replace(found[iri], iri=below, label=knowledge.label(below) or compact(below))
                waiting.append(below)
    return found


def _read_restrictions(node: ox.BlankNode, store: ox.Store) -> Iterator[tuple[str, object]]:
    """The relation and filler of each existential restriction that a class expression entails."""
    waiting: list[object] = [node]
    seen: set[object] = set()
    while waiting:
        part = waiting.pop()
        if part in seen or not isinstance(part, ox.BlankNode):
            continue
        seen.add(part)
        fillers = [q.object for predicate in _FILLERS for q in store.quads_for_pattern(part, predicate, None)]
        for quad in store.quads_for_pattern(part, _ON_PROPERTY, None):
            if quad.object == _ROLE_GROUP:
                waiting += fillers
            elif isinstance(quad.object, ox.NamedNode):
                yield from ((quad.object.value, filler) for filler in fillers)
        for quad in store.quads_for_pattern(part, _INTERSECTION, None):
            waiting += _read_list(quad.object, store)


def _read_list(head: object, store: ox.Store) -> list[object]:
    members: list[object] = []
    seen: set[object] = set()
    while isinstance(head, ox.BlankNode) and head not in seen:
        seen.add(head)
        members += [quad.object for quad in store.quads_for_pattern(head, _FIRST, None)]
        head = next((quad.object for quad in store.quads_for_pattern(head, _REST, None)), None)
    return members


def _to_citation(text: str) -> str:
    """`PMID:…` or `doi:…`, as evidence is written, from a CURIE or an IRI; empty if it is neither."""
    try:
        written = evidence_source(to_iri(text))
    except NosographError:
        return ""
    return written if CITATION.fullmatch(written) and not written.startswith("axiom:") else ""
