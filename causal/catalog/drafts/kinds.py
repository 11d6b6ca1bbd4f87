"""Guesses which kind of variable a concept is, from the ontology that it is of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import networkx as nx

Kind = Literal["static", "state", "event"]

TAG = re.compile(r"\s*\(([^()]+)\)$")  # of a fully specified name of SNOMED CT: "Dementia (disorder)"
DISEASES = ("MONDO", "DOID", "ORPHA", "OMIM", "DECIPHER")
_BY_PREFIX: dict[str, tuple[Kind, str]] = {
    **dict.fromkeys(("HGNC", "NCBIGene", "ENSEMBL", "dbSNP"), ("static", "of a gene, a variant is there or not")),
    **dict.fromkeys(("PR", "UniProtKB"), ("static", "a protein, altered or not")),
    **dict.fromkeys(("CHEBI", "RXNORM", "ATC"), ("static", "a substance: exposed to it or not")),
    "NCBITaxon": ("static", "an organism: exposed to it or not"),
    **dict.fromkeys(DISEASES, ("event", "a disease begins")),
    **dict.fromkeys(("ICD10", "ICD10CM", "ICD9", "MEDDRA", "EFO"), ("event", "a disease begins")),
    **dict.fromkeys(("HP", "MP"), ("event", "a phenotype begins")),
    "GO": ("state", "a process has a degree"),
    **dict.fromkeys(("UBERON", "CL"), ("state", "the change of a structure has a degree")),
    **dict.fromkeys(("PATO", "MPATH"), ("state", "a quality has a degree")),
}
_BY_TAG: dict[str, tuple[Kind, str]] = {
    "disorder": ("event", "a disorder begins"),
    "finding": ("event", "a finding begins"),
    "situation": ("event", "a situation begins"),
    "event": ("event", "it happens"),
    "procedure": ("event", "a procedure is done"),
    "regime/therapy": ("event", "a therapy begins"),
    **dict.fromkeys(("substance", "product", "medicinal product"), ("static", "a substance: exposed to it or not")),
    "organism": ("static", "an organism: exposed to it or not"),
    **dict.fromkeys(("physical force", "physical object"), ("static", "exposed to it or not")),
    "observable entity": ("state", "what is observed has a degree"),
    **dict.fromkeys(
        ("body structure", "morphologic abnormality", "cell", "cell structure"),
        ("state", "the change of a structure has a degree"),
    ),
}


def guess_kinds(labels: Mapping[str, str], graph: nx.DiGraph[str]) -> dict[str, tuple[Kind, str]]:
    """The kind of each concept (by CURIE, with its label), and why. `graph` has an edge from each cause to its effect,
    and no cycle: what has a cause that changes in time cannot be static."""
    kinds: dict[str, tuple[Kind, str]] = {}
    for concept in nx.lexicographical_topological_sort(graph):
        kind, why = _guess(concept, labels[concept])
        changing = sorted(cause for cause in graph.predecessors(concept) if kinds[cause][0] != "static")
        if kind == "static" and changing:
            kind, why = "state", f"its cause {changing[0]} changes in time"
        kinds[concept] = (kind, why)
    return kinds


def is_disease(concept: str, label: str) -> bool:
    """Whether the concept (a CURIE, with its label) is a disease."""
    tag = TAG.search(label) if concept.startswith("SNOMEDCT:") else None
    return concept.partition(":")[0] in DISEASES or (tag is not None and tag[1] == "disorder")


def _guess(concept: str, label: str) -> tuple[Kind, str]:
    prefix = concept.partition(":")[0]
    if prefix == "SNOMEDCT" and (tag := TAG.search(label)):
        return _BY_TAG.get(tag[1], ("event", f"nothing is known about kinds of “{tag[1]}”"))
    return _BY_PREFIX.get(prefix, ("event", "nothing is known about concepts of this ontology"))
