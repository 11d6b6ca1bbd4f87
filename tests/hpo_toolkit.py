"""The HPO as hpo-toolkit reads it: a judge of terms that is none of ours."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nosograph.ontology.hpo import locate_hpo

OBO = "http://purl.obolibrary.org/obo/"


@cache
def load_toolkit() -> Any:
    """hpo-toolkit's ontology, out of hp.obo turned into the OBO graph that the toolkit reads by regular expressions."""
    import hpotk

    nodes, edges = [], []
    for stanza in locate_hpo()[0].read_text(encoding="utf-8").split("\n[Term]\n")[1:]:
        term, name = (re.search(rf"^{key}: (.+)", stanza, re.M) for key in ("id", "name"))
        assert term
        assert name
        others = [{"pred": "http://www.geneontology.org/formats/oboInOwl#hasAlternativeId", "val": other}
                  for other in re.findall(r"^alt_id: (\S+)", stanza, re.M)]  # fmt: skip
        meta: dict[str, Any] = {"basicPropertyValues": others}
        if "\nis_obsolete: true" in stanza:
            meta["deprecated"] = True
        nodes.append({"id": _iri(term[1]), "lbl": name[1], "type": "CLASS", "meta": meta})
        edges += [
            {"sub": _iri(term[1]), "pred": "is_a", "obj": _iri(parent)}
            for parent in re.findall(r"^is_a: (\S+)", stanza, re.M)
        ]
    meta = {"version": OBO + "hp/releases/2025-01-16/hp.json"}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "hp.json"
        file.write_text(json.dumps({"graphs": [{"id": OBO + "hp.json", "meta": meta, "nodes": nodes, "edges": edges}]}))
        return hpotk.load_minimal_ontology(str(file))


@cache
def ancestors(term: str) -> frozenset[str]:
    return frozenset({str(above.value) for above in load_toolkit().graph.get_ancestors(term)})


@cache
def descendants(term: str) -> frozenset[str]:
    return frozenset({str(below.value) for below in load_toolkit().graph.get_descendants(term)})


@cache
def parents(term: str) -> frozenset[str]:
    return frozenset({str(above.value) for above in load_toolkit().graph.get_parents(term)})


def _iri(term: str) -> str:
    return OBO + term.replace(":", "_")
