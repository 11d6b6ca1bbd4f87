"""`nosograph model from-hpo …`: models out of HPO's annotations."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import asdict
from functools import partial
from pathlib import Path

from ..errors import fail
from .shared import answer, check_yaml, progress_bar, say, warn_of

TOLD = ("incoherent", "raised", "strengthened", "contradiction", "obsolete", "unknown term", "other sex")


def write_model(
    disease: str | None, mix: str | None, out: Path, *, strength: float, population: bool, as_json: bool
) -> None:
    """Write the model of one disease or of a mixture, never over another file; what was changed goes to standard error
    in few lines."""
    from ..causal.catalog.rare.document import convert_disease
    from ..causal.catalog.rare.mixture import convert_mixture
    from ..ontology.knowledge import KnowledgeGraph
    from ..ontology.output import write_new

    check_yaml(out)
    knowledge = KnowledgeGraph.open()
    if mix is not None:
        if population:
            raise fail("a mixture is of the affected", fix="--mix without --population")
        conversion = convert_mixture(mix, knowledge=knowledge, strength=strength)
    else:
        assert disease is not None
        conversion = convert_disease(disease, knowledge=knowledge, strength=strength, population=population)
    write_new(out, conversion.text)
    counts = Counter(finding.kind for finding in conversion.findings)
    for kind in TOLD:
        own = [finding.text for finding in conversion.findings if finding.kind == kind]
        if own:
            warn_of(kind, own, out)
    few = f", {counts['ascertained']} frequencies of three patients or fewer" if counts["ascertained"] else ""
    say(f"{counts['assumed']} assumptions{few}: {out} says which", err=True)
    document = {
        "path": str(out),
        "disease": conversion.disease,
        "name": conversion.name,
        "variables": conversion.variables,
        "claims": conversion.claims,
        "findings": [asdict(finding) for finding in conversion.findings],
    }
    text = f"{out}: {conversion.name}, {conversion.variables} variables, {conversion.claims} causal claims"
    answer(as_json, document, lambda: say(text))


def write_survey(report: Path | None, *, workers: int, strength: float, as_json: bool) -> None:
    """Convert every disease, and write the report: Markdown, or JSON with every disease in it."""
    from ..causal.catalog.rare.survey import survey
    from ..ontology.annotations import list_diseases
    from ..ontology.knowledge import KnowledgeGraph
    from ..ontology.output import write_text
    from ..simulate.runs.workers import check_workers, run_parts

    if report is None or report.suffix not in (".md", ".json"):
        raise fail("the report goes to a file", value=report or "", fix="--report all.md (or .json)")
    check_workers(workers)
    knowledge = KnowledgeGraph.open()
    run = partial(run_parts, workers=workers)
    started = time.monotonic()
    with progress_bar("diseases", len(list_diseases(knowledge=knowledge))) as advance:
        found = survey(knowledge=knowledge, strength=strength, run=run, advance=advance)
    document = found.to_json()
    text = (
        json.dumps(document, indent=2, ensure_ascii=False) + "\n" if report.suffix == ".json" else found.to_markdown()
    )
    write_text(report, text)
    document.pop("outcomes")
    said = f"{report}: {document['converted']:,} of {document['diseases']:,} diseases converted"
    document = {"path": str(report), "seconds": round(time.monotonic() - started, 1), **document}
    answer(as_json, document, lambda: say(said))
