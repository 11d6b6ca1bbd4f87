"""Check the concepts and units of a document: each must be known, and not obsolete."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from ...errors import NosographError, Problem
from ...ontology.document import Document, Places
from ...ontology.knowledge import KnowledgeGraph
from ...ontology.units import parse_unit


@cache
def open_knowledge() -> KnowledgeGraph:
    """The ontologies that ship with Nosograph, opened once."""
    return KnowledgeGraph.open()


def check_terms(document: Document, places: Places, knowledge: KnowledgeGraph | None) -> tuple[Document, list[Problem]]:
    """Mistakes in the concepts and UCUM units of a document. `knowledge` holds the known concepts (default: the
    ontologies that ship).

    The document is returned without its invalid concepts.
    """
    problems: list[Problem] = []

    def sound(check: Callable[..., object], path: str, value: str) -> bool:
        node = path.partition(".")[2].rpartition(".")[0] or path
        try:
            check(value, node=node, file=places.file, line=places.line(path))
        except NosographError as error:
            problems.extend(error.problems)
            return False
        return True

    def ontology() -> KnowledgeGraph:
        return knowledge if knowledge is not None else open_knowledge()  # not `or`: its length is slow to count

    def known(path: str, value: str) -> str:
        if not value:
            return ""
        return value if sound(ontology().require, path, value) else ""

    variables = {}
    for name, entry in document.variables.items():
        variables[name] = entry.model_copy(update={"concept": known(f"variables.{name}.concept", entry.concept)})
    for group, entries in (("variables", document.variables), ("parameters", document.parameters)):
        for name, item in entries.items():
            if item.unit:
                sound(parse_unit, f"{group}.{name}.unit", item.unit)
    disease = known("disease", document.disease)
    return document.model_copy(update={"disease": disease, "variables": variables}), problems
