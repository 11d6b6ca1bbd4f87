"""Check a model without running it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from rdflib import Graph

from ...errors import NosographError, Problem
from ...ontology.document import Places
from ...ontology.knowledge import KnowledgeGraph
from ...ontology.shapes import check_shapes
from .build import examine_graph
from .claims import count_claims
from .compose import Source, compose
from .model import Model


@dataclass(frozen=True)
class Report:
    """The result of a check. `model` is None if an error prevents building it."""

    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    model: Model | None = None

    @property
    def ok(self) -> bool:
        return not self.errors

    @property
    def counts(self) -> dict[str, int]:
        """The number of variables, and of causal claims by their evidence; all 0 without a model."""
        found = count_claims(self.model.claims if self.model else ())
        return {"variables": len(self.model.variables) if self.model else 0, **asdict(found)}


def check_model(source: Source, *, knowledge: KnowledgeGraph | None = None) -> Report:
    """Check a model, and report every mistake instead of raising. `knowledge` holds the known concepts (default: the
    ontologies that ship)."""
    try:
        composition = compose(source, knowledge=knowledge)
    except NosographError as error:
        return Report(error.problems)
    model, findings = examine_graph(composition.graph, places=composition.places)
    errors = [*composition.problems, *findings.errors]
    if not errors:
        errors = _check_own_shapes(composition.own, source)
    return Report(tuple(dict.fromkeys(errors)), tuple(findings.warnings), model)


def _check_own_shapes(graph: Graph, source: Source) -> list[Problem]:
    return check_shapes(graph, Places("" if isinstance(source, Graph) else str(Path(source)), {}))
