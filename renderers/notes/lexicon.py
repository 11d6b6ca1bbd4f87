"""What clinicians call things: the labels, synonyms, abbreviations and units of a model's recorded variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from ...causal.language.syntax import find_draw
from ...causal.model import Model, Variable
from ...errors import fail
from ...ontology.knowledge import KnowledgeGraph
from ...ontology.units import parse_unit
from ..binding import concepts_of, converts, falls_under, is_binary
from .usage import PROPER_NAMES, USAGE, write_unit

Role = Literal[
    "age", "sex", "gene", "history",  # statics
    "score", "volume", "vital", "laboratory", "finding", "measure",  # measurements
    "diagnosis", "occurrence", "happening", "departure", "end",  # events
    "treatment",
]  # fmt: skip

LOCALES = ("en",)
PHENOTYPE = "HP:0000118"  # Phenotypic abnormality
AGE = ("LOINC:30525-0", "PATO:0000011", "NCIT:C25150", "SNOMEDCT:397669002")
SEX = ("LOINC:46098-0", "PATO:0000047", "NCIT:C28421", "SNOMEDCT:263495000")
# The members of the vital signs profile of HL7 FHIR R4, by their LOINC codes
VITAL_SIGNS = tuple(
    f"LOINC:{code}"
    for code in ("9279-1", "8867-4", "2708-6", "59408-5", "8310-5", "8302-2", "9843-4", "29463-7", "39156-5",
                 "85354-9", "8480-6", "8462-4")
)  # fmt: skip
AGE_LABELS = ("age", "age at entry", "age at baseline", "age in years")


@dataclass(frozen=True)
class Term:
    """A recorded variable in words. `label` and `synonyms` are as in the middle of a sentence.

    `synonyms` are the ontology's EXACT ones; none where the model's title is more specific than its concept.
    """

    variable: str
    role: Role
    concept: str  # a CURIE, or empty
    label: str
    synonyms: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    unit: str = ""  # UCUM
    written_units: tuple[str, ...] = ("",)  # as clinicians write it, the usual one first
    levels: tuple[str, ...] = ()  # as in the model
    binary: bool = False  # there or not: 0 or 1

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.label, *self.synonyms, *self.abbreviations)))


@dataclass(frozen=True)
class Lexicon:
    """The terms of a model's recorded variables, by variable."""

    terms: Mapping[str, Term]
    locale: str = "en"

    def __getitem__(self, variable: str) -> Term:
        return self.terms[variable]

    def of_role(self, *roles: Role) -> list[Term]:
        return [term for term in self.terms.values() if term.role in roles]


def build_lexicon(
    model: Model, *, knowledge: KnowledgeGraph, locale: str = "en", scopes: tuple[str, ...] = ("EXACT",)
) -> Lexicon:
    """The lexicon of a model. `scopes`: which of the ontology's synonyms are names of a concept.

    Raises NosographError for a locale that is not offered, and for a concept that nothing gives a label.
    """
    if locale not in LOCALES:
        raise fail("notes are not written in this locale", value=locale, fix=" or ".join(LOCALES))
    told = [v for v in model.variables.values() if v.recorded and v.kind != "state"]
    return Lexicon({v.name: _describe(v, model, knowledge, scopes) for v in told}, locale)


def _describe(variable: Variable, model: Model, knowledge: KnowledgeGraph, scopes: tuple[str, ...]) -> Term:
    binary = is_binary(variable, model)
    label, synonyms = name_variable(variable, model=model, knowledge=knowledge, scopes=scopes, finding=binary)
    concepts = concepts_of(variable, model)
    usual, short = next((USAGE[key] for key in (variable.concept, label.lower()) if key in USAGE), ((), ()))
    return Term(
        variable=variable.name,
        role=_find_role(variable, label, binary=binary, model=model, knowledge=knowledge),
        concept=concepts[0] if concepts else "",
        label=label,
        synonyms=tuple(dict.fromkeys(name for name in (*synonyms, *usual) if name != label)),
        abbreviations=short,
        unit=variable.unit,
        written_units=write_unit(variable.unit),
        levels=variable.levels,
        binary=binary,
    )


def name_variable(
    variable: Variable, *, model: Model, knowledge: KnowledgeGraph, scopes: tuple[str, ...], finding: bool
) -> tuple[str, tuple[str, ...]]:
    """The label of a variable and its synonyms.

    The ontology's names are its names where the title is one of them or there is none; elsewhere the title says more
    than the concept (the volume of what atrophies, one cause of an oedema), and stands alone. A finding is called what
    it is a finding of. Raises NosographError for a concept that has neither label nor title.
    """
    measured = model.variables.get(variable.of) if finding else None
    concept = next(iter(concepts_of(variable, model) if finding else (variable.concept,)), "")
    titles = [shorten_title(v.title) for v in (variable, measured) if v is not None and v.title]
    label = knowledge.label(concept) if concept else None
    if concept and label is None and not titles:
        raise fail(
            "the concept has no label, in the ontologies or in the model",
            node=variable.name,
            value=concept,
            fix=f"title: what clinicians call it, under {variable.name}",
        )
    if label is not None:
        all_names = {label.lower(), *(s.text.lower() for s in knowledge.synonyms(concept))}
        if not titles or any(title.lower() in all_names for title in titles):
            # names with a comma are turned around for an index ("dementia, progressive")
            exact = [s.text for s in knowledge.synonyms(concept) if s.scope in scopes and "," not in s.text]
            own = speak(label)
            names = dict.fromkeys(speak(text) for text in exact)
            return own, tuple(name for name in names if name.lower() != own.lower())
    return speak(titles[0]) if titles else variable.name.replace("_", " "), ()


def shorten_title(title: str) -> str:
    """What a title names, without its explanations: after a colon, in parentheses, or of how it is given."""
    text = re.sub(r"\s*\([^()]*\)", "", re.split(r"; |: ", " ".join(title.split()))[0])
    parts = [part.strip() for part in text.split(", ")]
    ends = r"(as|given|which|in|not|until|without|with|on no|on|standardised|that|when|at)\b"
    kept = [parts[0], *takewhile(lambda part: not re.match(ends, part, re.IGNORECASE), parts[1:])]
    text = re.sub(r"^(An?|The|Diagnosis of) ", "", ", ".join(kept), flags=re.IGNORECASE)
    return re.sub(r" (on|by) (MRI|CT|examination)$", "", text)


def speak(label: str) -> str:
    """A label as in the middle of a sentence: a capital that only begins it goes, those of names stay."""
    first, _, rest = label.partition(" ")
    word = re.split(r"[-'’,/]", first)[0]
    named = first != first.capitalize() and not first.islower()  # a capital or a sign within: DNA, pH, Mini-Mental
    proper = word in PROPER_NAMES or "'" in first or "’" in first or re.search(r"\d", first)
    titled = rest[:1].isupper() and not rest.split(" ")[0].isupper()  # Clinical Dementia Rating
    return label if named or proper or titled or len(word) < 2 else label[:1].lower() + label[1:]


def _find_role(variable: Variable, label: str, *, binary: bool, model: Model, knowledge: KnowledgeGraph) -> Role:
    def under(*concepts: str) -> bool:
        return falls_under(variable, concepts, model=model, knowledge=knowledge)

    if variable.kind == "treatment":
        return "treatment"
    if variable.kind == "event":
        return _find_event_role(variable, phenotype=under(PHENOTYPE))
    if variable.kind == "static":
        if under(*SEX) or {"female", "male"} <= set(variable.levels):
            return "sex"
        if under(*AGE) or (converts(variable.unit, "a") and label.lower() in AGE_LABELS):
            return "age"
        return "gene" if under("HGNC:") else "history"
    if under(*VITAL_SIGNS) or any(converts(variable.unit, unit) for unit in ("mm[Hg]", "/min", "Cel")):
        return "vital"
    if binary or variable.levels:
        return "finding"
    if converts(variable.unit, "mL") and under(PHENOTYPE):
        return "volume"
    if variable.unit.startswith("{"):  # an annotation of UCUM's: points on a scale
        return "score"
    dimensions = dict(parse_unit(variable.unit).dimensions) if variable.unit else {}
    return "laboratory" if dimensions.get("m") == -3 else "measure"


def _find_event_role(variable: Variable, *, phenotype: bool) -> Role:
    """What follows from others' values is concluded (a diagnosis); what is drawn occurs."""
    if variable.ends != "nothing":
        return "end" if variable.ends == "journey" else "departure"
    drawn = variable.mechanism is not None and find_draw(variable.mechanism) is not None
    if not phenotype:
        return "happening"
    return "occurrence" if drawn else "diagnosis"
