"""Everything that can be known about a model without running it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from rdflib import Graph

from ...errors import NosographError, Problem
from ...ontology.document import Places
from ...ontology.knowledge import KnowledgeGraph
from ...ontology.shapes import check_shapes
from .build import examine_graph
from .compose import Source, compose
from .model import Claim, Model


@dataclass(frozen=True)
class Report:
    """What a check found. `claims` = `cited` + `assumed`; of the cited, `curated` are as a database has them whose
    curators read the source, and `recalled` were cited from memory alone. What a measurement measures (`of`) needs no
    evidence and is not counted, unless it is given some."""

    ok: bool
    variables: int = 0
    claims: int = 0
    cited: int = 0
    curated: int = 0
    recalled: int = 0
    assumed: int = 0
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    model: Model | None = None


def check_model(source: Source, *, knowledge: KnowledgeGraph | None = None) -> Report:
    """Check a model, and report every mistake instead of raising. `knowledge` says which concepts there are (by
    default the ontologies that ship)."""
    try:
        composition = compose(source, knowledge=knowledge)
    except NosographError as error:
        return Report(ok=False, errors=error.problems)
    model, findings = examine_graph(composition.graph, places=composition.places)
    errors = [*composition.problems, *findings.errors]
    if not errors:
        errors = _check_own_shapes(composition.own, source)
    if model is None:
        return Report(ok=False, errors=tuple(errors), warnings=tuple(findings.warnings))
    return replace(
        count_claims(model), ok=not errors, errors=tuple(dict.fromkeys(errors)), warnings=tuple(findings.warnings)
    )


def _check_own_shapes(graph: Graph, source: Source) -> list[Problem]:
    return check_shapes(graph, Places("" if isinstance(source, Graph) else str(Path(source)), {}))


def count_claims(model: Model) -> Report:
    """The report of a sound model: its variables and claims, and how many of them are cited, curated, recalled and
    assumed."""
    claims = [claim for claim in model.claims if claim.evidence or not claim.structural]
    cited = [claim for claim in claims if _is_cited(claim)]
    checked = [{item.checked for item in claim.evidence if not item.assumed} for claim in cited]
    return Report(
        ok=True,
        variables=len(model.variables),
        claims=len(claims),
        cited=len(cited),
        curated=sum("curated" in words and words <= {"curated", "recalled"} for words in checked),
        recalled=sum(words == {"recalled"} for words in checked),
        assumed=len(claims) - len(cited),
        model=model,
    )


def _is_cited(claim: Claim) -> bool:
    return any(not item.assumed for item in claim.evidence)
