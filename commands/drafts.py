"""`nosograph model from-ontology …`: skeletons of models out of the causal axioms of ontologies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import fail
from .shared import answer, check_yaml, say, warn_of

if TYPE_CHECKING:
    from ..ontology.knowledge import KnowledgeGraph


def write_draft(
    concept: str,
    out: Path,
    files: Sequence[Path],
    relations: Path | None,
    *,
    depth: int,
    reason: bool,
    as_json: bool,
) -> None:
    """Write the draft, never over another file; what the author has to decide goes to standard error, a line for each
    kind."""
    from ..causal.catalog.drafts import draft_model
    from ..ontology.output import write_new
    from ..ontology.relations import RELATIONS, read_relations

    check_yaml(out)
    known = read_relations(relations) if relations else RELATIONS
    knowledge = open_ontologies(files, reason=reason)
    draft = draft_model(concept, knowledge=knowledge, depth=depth, inherited=reason, relations=known)
    write_new(out, draft.text)
    for kind, found in groupby(draft.findings, key=lambda finding: finding.kind):
        texts = [finding.text for finding in found]
        if kind == "missing":
            say(f"missing: {'; '.join(texts)}", err=True)
        else:
            warn_of(kind, texts, out)
    document = {
        "path": str(out),
        "concept": draft.concept,
        "name": draft.name,
        "variables": draft.variables,
        "claims": draft.claims,
        "kinds": draft.kinds,
        "findings": [asdict(finding) for finding in draft.findings],
    }
    text = f"{out}: {draft.name}, {draft.variables} variables, {draft.claims} causal claims; it says what is missing"
    answer(as_json, document, lambda: say(text))


def open_ontologies(files: Sequence[Path], *, reason: bool) -> KnowledgeGraph:
    """The ontologies that ship and these files; with `reason`, HermiT reasons about each of them that is OWL in XML."""
    from ..ontology.knowledge import KnowledgeGraph
    from ..ontology.rdf import detect_format
    from ..ontology.sources import find_file

    if not reason:
        return KnowledgeGraph.open(*files)
    found = [find_file(file) for file in files]
    reasoned = [file for file in found if not file.is_dir() and detect_format(file) in ("owl", "xml")]
    if not reasoned:
        fix = "--ontology FILE.owl (RDF/XML or OWL/XML), or no --reason"
        raise fail("--reason is for OWL files, and there is none", value=", ".join(map(str, files)), fix=fix)
    knowledge = KnowledgeGraph.open(*(file for file in found if file not in reasoned))
    for file in reasoned:
        knowledge.load(file, reason=True)
    return knowledge
