"""What the knowledge graph holds about diseases, as HPO publishes it: their annotations, names and genes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyoxigraph as ox

from . import hpo
from .knowledge import LABELS, SYNONYMS, KnowledgeGraph
from .obo import RDF_TYPE
from .prefixes import compact


def list_diseases(*, knowledge: KnowledgeGraph) -> dict[str, str]:
    """The name of each annotated disease by its CURIE, in the same order every time."""
    return {curie: names[0] for curie, names in _list_names(LABELS, knowledge).items()}


def list_disease_synonyms(*, knowledge: KnowledgeGraph) -> dict[str, list[str]]:
    """The synonyms of each annotated disease that has any, by its CURIE."""
    return _list_names(SYNONYMS, knowledge)


def _list_names(predicates: Iterable[ox.NamedNode], knowledge: KnowledgeGraph) -> dict[str, list[str]]:
    path = "|".join(map(str, predicates))
    query = f"SELECT ?disease ?name {{ ?disease a {hpo.DISEASE_CLASS} ; {path} ?name }}"
    found: Any = knowledge.store.query(query)
    names: dict[str, list[str]] = {}
    for iri, name in sorted((disease.value, name.value) for disease, name in found):
        names.setdefault(compact(iri), []).append(name)
    return names


def is_annotated(disease: str, *, knowledge: KnowledgeGraph) -> bool:
    """Whether `phenotype.hpoa` has a row for this disease."""
    node = _node(disease, knowledge)
    return next(iter(knowledge.store.quads_for_pattern(node, RDF_TYPE, hpo.DISEASE_CLASS)), None) is not None


def find_annotations(disease: str, *, knowledge: KnowledgeGraph) -> tuple[hpo.Annotation, ...]:
    """What `phenotype.hpoa` says about a disease, in the order of the file; empty if it says nothing."""
    quads = knowledge.store.quads_for_pattern(None, hpo.DISEASE, _node(disease, knowledge))
    rows = [quad.subject for quad in quads if isinstance(quad.subject, ox.NamedNode)]
    rows.sort(key=lambda row: int(row.value.rpartition("/")[2]))
    return tuple(hpo.collect_annotation(row, knowledge.store) for row in rows)


def find_genes(disease: str, *, knowledge: KnowledgeGraph) -> tuple[hpo.Gene, ...]:
    """The genes that HPO associates with a disease, by symbol; empty if it names none."""
    quads = knowledge.store.quads_for_pattern(_node(disease, knowledge), hpo.GENE, None)
    iris = [quad.object.value for quad in quads if isinstance(quad.object, ox.NamedNode)]
    genes = (hpo.Gene(compact(iri), knowledge.label(iri) or "") for iri in iris)
    return tuple(sorted(genes, key=lambda gene: (gene.symbol, gene.curie)))


def count_diseases(phenotypes: Iterable[str], *, knowledge: KnowledgeGraph) -> dict[str, int]:
    """How many diseases each of these terms (of any aspect, onsets too) is annotated to, by the CURIE given."""
    names = {_node(phenotype, knowledge): phenotype for phenotype in phenotypes}
    query = f"""SELECT ?term (COUNT(DISTINCT ?disease) AS ?diseases)
      WHERE {{ VALUES ?term {{ {" ".join(map(str, names))} }} ?row {hpo.PHENOTYPE} ?term ; {hpo.DISEASE} ?disease }}
      GROUP BY ?term"""
    counts = dict.fromkeys(names.values(), 0)
    found: Any = knowledge.store.query(query)
    for term, diseases in found:
        counts[names[term]] = int(diseases.value)
    return counts


def _node(concept: str, knowledge: KnowledgeGraph) -> ox.NamedNode:
    return ox.NamedNode(knowledge.resolve(concept))
