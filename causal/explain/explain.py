"""Explain a model, one of its variables, or what interventions do to it."""

from __future__ import annotations

from collections.abc import Sequence

from ...ontology.knowledge import KnowledgeGraph
from ..model.compose import Source
from ..model.load import as_model
from ..model.model import Model
from ..model.world import parse_intervention
from .explanation import Explanation
from .interventions import explain_worlds
from .variables import explain_model, explain_variable


def explain(model: Model | Source, variable: str | None = None, *, do: str | Sequence[str] = ()) -> Explanation:
    """Explain in words the model, or one `variable`; or what the interventions `do` cut, and what they can change.

    The model may be a catalog name or a path. Raises NosographError for an unknown variable, and for an intervention
    that cannot be parsed.
    """
    model = as_model(model)
    if do:
        texts = [do] if isinstance(do, str) else do
        return explain_worlds(model, [parse_intervention(text, model=model) for text in texts])
    knowledge = KnowledgeGraph.open()
    if variable is None:
        return explain_model(model, knowledge=knowledge)
    return explain_variable(model, variable, knowledge=knowledge)
