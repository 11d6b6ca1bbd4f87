"""Which relations of ontologies are causal, and in which direction.

`object` says what a relation's object is to its subject: its `effect` (A *causes condition* B), its `cause` (A *due to*
B), a `description` of it (A *finding site* B), or `nothing` that a model could use.

Sources. RO: the Relation Ontology, labels and definitions at http://purl.obolibrary.org/obo/RO_… (its `has phenotype`
holds "such that if the condition inheres in an organism, then the organism has the phenotype"; `disease has feature` is
no longer below `causal relationship with disease as subject`). Mondo: the relations of http://purl.obolibrary.org/obo/
mondo.owl. SNOMED CT: the Editorial Guide, "Clinical Finding Defining Attributes" (https://docs.snomed.org), according
to which `after` neither asserts nor excludes a cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import NosographError, Problem, fail
from .document import read_text
from .prefixes import OBO, to_iri
from .yaml import read_yaml

Object = Literal["effect", "cause", "description", "nothing"]


@dataclass(frozen=True)
class Relation:
    """A relation of an ontology. `lowers`: the cause makes the effect rarer or milder. `causal`: the ontology says that
    it is; a claim from a relation that is not is an assumption."""

    iri: str
    label: str
    object: Object
    lowers: bool = False
    causal: bool = True


_EFFECT = {
    "RO:0002200": "has phenotype",
    "RO:0002452": "has symptom",
    "RO:0002411": "causally upstream of",
    "RO:0002412": "immediately causally upstream of",
    "RO:0002418": "causally upstream of or within",
    "RO:0002304": "causally upstream of, positive effect",
    "RO:0004047": "causally upstream of or within, positive effect",
    "RO:0002500": "causal agent in process",
    "RO:0002566": "causally influences",
    "RO:0002211": "regulates",
    "RO:0002213": "positively regulates",
    "RO:0003302": "causes or contributes to condition",
    "RO:0003303": "causes condition",
    "RO:0003304": "contributes to condition",
    "RO:0003305": "contributes to severity of condition",
    "RO:0003306": "contributes to frequency of condition",
    "RO:0003309": "exacerbates condition",
    "RO:0004010": "is genetic basis for condition",
    "RO:0004011": "is causal gain of function germline mutation of in",
    "RO:0004012": "is causal loss of function germline mutation of in",
    "RO:0004013": "is causal germline mutation in",
    "RO:0004014": "is causal somatic mutation in",
    "RO:0004015": "is causal susceptibility factor for",
    "RO:0004016": "is causal germline mutation partially giving rise to",
    "RO:0004023": "causal relationship with disease as subject",
    "RO:0004024": "disease causes disruption of",
    "RO:0004025": "disease causes dysfunction of",
    f"{OBO}mondo#disease_causes_feature": "disease causes feature",
    f"{OBO}mondo#disease_triggers": "disease triggers",
    f"{OBO}mondo#predisposes_towards": "predisposes towards",
}
_CAUSE = {
    "RO:0002201": "phenotype of",
    "RO:0002404": "causally downstream of",
    "RO:0002405": "immediately causally downstream of",
    "RO:0002427": "causally downstream of or within",
    "RO:0002559": "causally influenced by",
    "RO:0002608": "process has causal agent",
    "RO:0002334": "regulated by",
    "RO:0002336": "positively regulated by",
    "RO:0003311": "condition exacerbated by",
    "RO:0004000": "condition has genetic basis in",
    "RO:0004001": "has material basis in gain of function germline mutation in",
    "RO:0004002": "has material basis in loss of function germline mutation in",
    "RO:0004003": "has material basis in germline mutation in",
    "RO:0004004": "has material basis in somatic mutation in",
    "RO:0004005": "has major susceptibility factor",
    "RO:0004006": "has partial material basis in germline mutation in",
    "RO:0004019": "disease has basis in",
    "RO:0004020": "disease has basis in dysfunction of",
    "RO:0004021": "disease has basis in disruption of",
    "RO:0004022": "disease has basis in feature",
    "RO:0004028": "realized in response to stimulus",
    "RO:0009501": "realized in response to",
    f"{OBO}mondo#disease_has_basis_in_accumulation_of": "disease has basis in accumulation of",
    f"{OBO}mondo#disease_has_basis_in_development_of": "disease has basis in development of",
    "MONDO:0100332": "disease has primary infectious agent",
    "SNOMEDCT:42752001": "due to",
    "SNOMEDCT:246075003": "causative agent",
}
_LOWERED_EFFECT = {
    "RO:0002305": "causally upstream of, negative effect",
    "RO:0004046": "causally upstream of or within, negative effect",
    "RO:0002212": "negatively regulates",
    "RO:0003307": "ameliorates condition",
}
_LOWERING_CAUSE = {"RO:0002335": "negatively regulated by", "RO:0003310": "condition ameliorated by"}
_ASSUMED_EFFECT = {
    "RO:0004029": "disease has feature",
    f"{OBO}mondo#disease_has_major_feature": "disease has major feature",
}
_ASSUMED_CAUSE = {"SNOMEDCT:255234002": "after"}
_DESCRIPTION = {
    "RO:0004026": "disease has location",
    "RO:0004027": "disease has inflammation site",
    "RO:0004030": "disease arises from structure",
    "SNOMEDCT:116676008": "associated morphology",
    "SNOMEDCT:363698007": "finding site",
}


def _tabulate() -> dict[str, Relation]:
    parts: tuple[tuple[dict[str, str], Object, bool, bool], ...] = (
        (_EFFECT, "effect", False, True),
        (_CAUSE, "cause", False, True),
        (_LOWERED_EFFECT, "effect", True, True),
        (_LOWERING_CAUSE, "cause", True, True),
        (_ASSUMED_EFFECT, "effect", False, False),
        (_ASSUMED_CAUSE, "cause", False, False),
        (_DESCRIPTION, "description", False, False),
    )
    relations = (
        Relation(to_iri(name), label, object, lowers, causal)
        for names, object, lowers, causal in parts
        for name, label in names.items()
    )
    return {relation.iri: relation for relation in relations}


RELATIONS: Mapping[str, Relation] = _tabulate()  # by IRI


class RelationEntry(BaseModel):
    """A relation in a mapping file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    object: Object
    label: str = ""
    lowers: bool = Field(default=False, strict=True)
    causal: bool = Field(default=True, strict=True)


class RelationFile(BaseModel):
    """A mapping file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    relations: dict[str, RelationEntry]


def read_relations(path: Path) -> dict[str, Relation]:
    """`RELATIONS` with those of a mapping file (YAML) added, or in their place: under `relations`, the CURIE or IRI of
    each relation with `object`, and `label`, `lowers` and `causal` where they apply.

    Raises NosographError, with the line, for what is not such a file.
    """
    root = read_yaml(read_text(path), file=str(path))
    lines = {".".join(keys): line for keys, line in root.find_lines()} if isinstance(root.value, dict) else {}
    try:
        entries = RelationFile.model_validate(root.plain()).relations
    except ValidationError as error:
        raise NosographError([_explain(mistake, str(path), lines) for mistake in error.errors()]) from None
    found = dict(RELATIONS)
    for name, entry in entries.items():
        iri = to_iri(name, node="relations", file=str(path), line=lines.get(f"relations.{name}", 0))
        known = found.get(iri)
        label = entry.label or (known.label if known else name)
        found[iri] = replace(Relation(iri, label, entry.object), lowers=entry.lowers, causal=entry.causal)
    return found


def _explain(mistake: object, file: str, lines: Mapping[str, int]) -> Problem:
    assert isinstance(mistake, dict)
    path = [str(part) for part in mistake["loc"]]
    while path and ".".join(path) not in lines:
        path = path[:-1]
    node = ".".join(str(part) for part in mistake["loc"])
    value = mistake["input"] if isinstance(mistake["input"], str) else ""
    fix = "relations: {RO:0002411: {object: effect}}; object is effect, cause, description or nothing"
    line = lines.get(".".join(path), 0)
    problem = f"not a mapping of relations: {mistake['msg'].lower()}"
    return fail(problem, node=node, value=value, fix=fix, file=file, line=line).problems[0]
