"""The causal graph around a concept: which concepts, and which axioms between them, without cycles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

import networkx as nx

from ....errors import NosographError
from ....ontology.axioms import Axiom, find_axioms, inherit
from ....ontology.knowledge import KnowledgeGraph
from ....ontology.prefixes import compact
from ....ontology.relations import Relation
from ...model.concepts import open_knowledge

MOST = 200  # concepts of a draft; a reader does not see through more


@dataclass(frozen=True)
class CausalGraph:
    """`concepts` (IRIs, the nearest to the start first), the `edges` between them (cause, effect) with their axioms,
    what describes each concept, and what was left out, in words: edges that close a `cycle`, concepts that are too
    `far`, and those that are `unusable`."""

    concepts: tuple[str, ...]
    edges: Mapping[tuple[str, str], tuple[Axiom, ...]]
    descriptions: Mapping[str, tuple[Axiom, ...]]
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def gather_graph(
    start: str, relations: Mapping[str, Relation], *, knowledge: KnowledgeGraph, depth: int, inherited: bool
) -> CausalGraph:
    """What causes the concept `start` (an IRI), and what it causes, over up to `depth` axioms each way.

    `inherited`: a concept has the axioms of those above it, too.
    """
    around = _Neighbours(find_axioms(relations, knowledge=knowledge), knowledge, inherited)
    distance = {start: 0}
    unusable: dict[str, str] = {}
    for step in (around.causes, around.effects):
        _walk(start, step, depth, distance, unusable, knowledge)
    ordered = sorted(distance, key=lambda iri: (distance[iri], iri))
    concepts, far = ordered[:MOST], ordered[MOST:]
    found: dict[tuple[str, str], set[Axiom]] = defaultdict(set)
    for concept in concepts:
        for axiom in around.about(concept):
            found[axiom.cause, axiom.effect].add(axiom)
    kept = set(concepts)
    pairs = [pair for pair in found if kept.issuperset(pair)]
    pairs.sort(key=lambda pair: (*sorted((distance[pair[0]], distance[pair[1]])), *pair))
    edges, cycles = _cut_cycles(pairs, knowledge)
    return CausalGraph(
        tuple(concepts),
        {pair: tuple(sorted(found[pair], key=Axiom.cite)) for pair in edges},
        {concept: around.descriptions(concept) for concept in concepts},
        {
            "cycle": tuple(cycles),
            "too far": tuple(describe(iri, knowledge) for iri in far),
            "unusable": tuple(unusable[iri] for iri in sorted(unusable)),
        },
    )


class _Neighbours:
    """The axioms about a concept, by subject and by object. Inherited are only those of which it is the subject."""

    def __init__(self, axioms: Iterable[Axiom], knowledge: KnowledgeGraph, inherited: bool) -> None:
        by_subject: dict[str, list[Axiom]] = defaultdict(list)
        by_object: dict[str, list[Axiom]] = defaultdict(list)
        for axiom in axioms:
            by_subject[axiom.subject].append(axiom)
            by_object[axiom.object].append(axiom)
        stated = {subject: tuple(found) for subject, found in by_subject.items()}
        self._objects = by_object

        @cache
        def own(concept: str) -> tuple[Axiom, ...]:
            return inherit(stated, concept, knowledge=knowledge) if inherited else stated.get(concept, ())

        self._own = own

    def about(self, concept: str) -> list[Axiom]:
        """Each axiom that makes an edge at this concept."""
        axioms = (*self._own(concept), *self._objects.get(concept, ()))
        return [axiom for axiom in axioms if axiom.relation.object in ("cause", "effect")]

    def causes(self, concept: str) -> list[str]:
        return [axiom.cause for axiom in self.about(concept) if axiom.effect == concept]

    def effects(self, concept: str) -> list[str]:
        return [axiom.effect for axiom in self.about(concept) if axiom.cause == concept]

    def descriptions(self, concept: str) -> tuple[Axiom, ...]:
        return tuple(axiom for axiom in self._own(concept) if axiom.relation.object == "description")


def _walk(
    start: str,
    step: Callable[[str], list[str]],
    depth: int,
    distance: dict[str, int],
    unusable: dict[str, str],
    knowledge: KnowledgeGraph,
) -> None:
    """Add to `distance` what `step` reaches from `start`, and to `unusable` why a concept is not used."""
    reached, frontier = {start}, [start]
    for away in range(1, depth + 1):
        following: list[str] = []
        for iri in dict.fromkeys(other for concept in frontier for other in step(concept)):
            if iri in reached:
                continue
            reached.add(iri)
            try:
                _check_usable(iri, knowledge)
            except NosographError as error:
                unusable[iri] = f"{describe(iri, knowledge)}: {error.problems[0].problem}"
                continue
            distance[iri] = min(away, distance.get(iri, away))
            following.append(iri)
        frontier = following


def _check_usable(iri: str, knowledge: KnowledgeGraph) -> None:
    """Raises NosographError for a concept that is obsolete, or that `model check` would refuse."""
    knowledge.require(iri)
    open_knowledge().require(iri)


def _cut_cycles(pairs: Iterable[tuple[str, str]], knowledge: KnowledgeGraph) -> tuple[list[tuple[str, str]], list[str]]:
    """The edges in their order, without those that close a cycle with earlier ones; these in words."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    edges, cycles = [], []
    for cause, effect in pairs:
        if cause == effect:
            cycles.append(f"{describe(cause, knowledge)} is stated as its own cause")
            continue
        if effect in graph and cause in graph and nx.has_path(graph, effect, cause):
            cycle = " -> ".join(describe(iri, knowledge) for iri in (cause, *nx.shortest_path(graph, effect, cause)))
            cycles.append(f"{describe(cause, knowledge)} -> {describe(effect, knowledge)} closes the cycle {cycle}")
            continue
        graph.add_edge(cause, effect)
        edges.append((cause, effect))
    return edges, cycles


def describe(iri: str, knowledge: KnowledgeGraph) -> str:
    """A concept by CURIE and label, without characters that break a line or steer a terminal."""
    return to_printable(knowledge.describe(compact(iri)))


def to_printable(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
