"""Load a disease model from the catalog, a file, or a graph."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from ...errors import NosographError, Problem, nearest
from ...ontology.knowledge import KnowledgeGraph
from .build import examine_graph
from .compose import Source, compose, list_catalog
from .formula import check_values, refuse_derived, resolve_formulas
from .model import Model

__all__ = ["as_model", "list_catalog", "load_model", "set_parameters"]


def load_model(
    source: Source, *, parameters: Mapping[str, float] | None = None, knowledge: KnowledgeGraph | None = None
) -> Model:
    """The model of a catalog name, a path (`.yaml`, `.ttl`, `.jsonld`, `.nt`, `.rdf`) or an rdflib graph, with the
    values in `parameters` in place of its own. `knowledge` holds the known concepts (default: the ontologies that
    ship).

    Raises NosographError with every mistake found.
    """
    composition = compose(source, knowledge=knowledge)
    model, findings = examine_graph(composition.graph, places=composition.places)
    problems = [*composition.problems, *findings.errors]
    if problems or model is None:
        raise NosographError(problems)
    return set_parameters(replace(model, rdf=composition.graph), parameters or {})


def as_model(source: Model | Source) -> Model:
    """`source` itself if it is a model, else the model that `load_model` loads from it."""
    return source if isinstance(source, Model) else load_model(source)


def set_parameters(model: Model, values: Mapping[str, float]) -> Model:
    """The model with new values for some parameters, and its formulas recomputed. Raises NosographError for an unknown
    parameter, one that has a formula itself, a value that is not finite, and a formula that then has no value."""
    problems = []
    for name, value in values.items():
        if name not in model.parameters:
            near = nearest(name, model.parameters)
            known = ", ".join(model.parameters) or "(it has none)"
            problems.append(Problem(f"unknown parameter '{name}'", fix=near or f"one of: {known}", value=name))
        elif (derived := refuse_derived(model.parameters, name)) is not None:
            problems.append(derived)
        elif not math.isfinite(value):
            problems.append(Problem(f"'{name}' must be a finite number", fix=f"{name}=1.5", value=str(value)))
    if problems:
        raise NosographError(problems)
    changed = {name: replace(model.parameters[name], value=float(value)) for name, value in values.items()}
    if not changed:
        return model
    parameters = resolve_formulas({**model.parameters, **changed})
    if problems := check_values(parameters):
        raise NosographError(problems)
    return replace(model, parameters=parameters)
