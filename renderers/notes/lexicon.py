"""What clinicians call things: the labels, synonyms, abbreviations and units of a model's recorded variables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile
from typing import Literal

from ...causal.language.syntax import find_draw
from ...causal.model.model import Model, Variable
from ...errors import fail
from ...ontology.knowledge import KnowledgeGraph, Synonym
from ...ontology.units import parse_unit
from ..binding import concepts_of, converts, falls_under, is_binary
from ..usage import INVERTED, OUTDATED, PROPER_NAMES, USAGE, say_naturally, write_unit
from .systems import find_system

Role = Literal[
    "age", "sex", "gene", "history",  # statics
    "score", "volume", "vital", "laboratory", "finding", "measure",  # measurements
    "diagnosis", "occurrence", "happening", "departure", "end",  # events
    "treatment",
]  # fmt: skip

LOCALES = ("en",)
KINDS = {  # types of HPO's synonyms -> whose they are
    "layperson": "others", "plural_form": "others", "obsolete_synonym": "others", "hp_0034334": "others",
    "uk_spelling": "british", "abbreviation": "abbreviations",
}  # fmt: skip
PHENOTYPE = "HP:0000118"  # Phenotypic abnormality
AGE = ("LOINC:30525-0", "PATO:0000011", "NCIT:C25150", "SNOMEDCT:397669002")
SEX = ("LOINC:46098-0", "PATO:0000047", "NCIT:C28421", "SNOMEDCT:263495000")
# The members of the vital signs profile of HL7 FHIR R4, by their LOINC codes
VITAL_SIGNS = tuple(
    f"LOINC:{code}"
    for code in ("9279-1", "8867-4", "2708-6", "59408-5", "8310-5", "8302-2", "9843-4", "29463-7", "39156-5",
                 "85354-9", "8480-6", "8462-4")
)  # fmt: skip
MANY = 8  # findings, from which on they are told by organ system
SHORT = 10  # characters: a document's synonym of so many is an abbreviation
LONGEST = 6  # words of a synonym that a clinician would write
SEXED = {  # HPO's branches of what only one sex can have: genitalia, fertility, reproductive physiology
    "male": ("HP:0010461", "HP:0012041", "HP:0012874"),
    "female": ("HP:0010460", "HP:0000868", "HP:0030012"),
}
AGE_LABELS = ("age", "age at entry", "age at baseline", "age in years")


@dataclass(frozen=True)
class Term:
    """A recorded variable in words. `label` and `synonyms` are as in the middle of a sentence.

    `synonyms` are those of the ontology's EXACT ones that clinicians write, none where the model's title says more than
    its concept; then the document's. `others` nobody here writes, but a reader knows them: lay and outdated names,
    plurals.
    """

    variable: str
    role: Role
    concept: str  # a CURIE, or empty
    label: str
    synonyms: tuple[str, ...] = ()
    british: tuple[str, ...] = ()  # what stands in place of the label and the synonyms in British spelling
    abbreviations: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    related: tuple[str, ...] = ()  # the document's broader, narrower or looser names, which only a reader knows
    system: str = ""  # the organ system of a finding, see SYSTEMS
    sex: str = ""  # "male" or "female": of a finding that only one of them can have
    unit: str = ""  # UCUM
    written_units: tuple[str, ...] = ("",)  # as clinicians write it, the usual one first
    levels: tuple[str, ...] = ()  # as in the model
    binary: bool = False  # there or not: 0 or 1

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.label, *self.synonyms, *self.british, *self.abbreviations, *self.others)))


@dataclass(frozen=True)
class Lexicon:
    """The terms of a model's recorded variables, by variable."""

    terms: Mapping[str, Term]
    locale: str = "en"

    @cached_property
    def systems(self) -> Mapping[str, int]:
        """How many findings each organ system has."""
        return Counter(term.system for term in self.of_role("finding") if term.system)

    @property
    def has_systems(self) -> bool:
        """Whether there are so many findings that they are told by organ system."""
        return sum(self.systems.values()) >= MANY

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
    return Lexicon(tell_apart({v.name: _describe(v, model, knowledge, scopes) for v in told}), locale)


def tell_apart(terms: dict[str, Term]) -> dict[str, Term]:
    """The terms, where no finding goes by another one's name: an "ASD" may be of the heart or of the mind."""
    owners: dict[str, set[str]] = {}
    for term in terms.values():
        for name in term.names:
            owners.setdefault(name.lower(), set()).add(term.concept)

    def own(term: Term, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if owners[name.lower()] <= {term.concept})

    return {
        name: replace(
            term,
            synonyms=own(term, term.synonyms),
            british=own(term, term.british),
            abbreviations=own(term, term.abbreviations),
            others=own(term, term.others),
        )
        if term.role == "finding"
        else term
        for name, term in terms.items()
    }


def _describe(variable: Variable, model: Model, knowledge: KnowledgeGraph, scopes: tuple[str, ...]) -> Term:
    binary = is_binary(variable, model) and variable.unit in ("", "1")  # an age of 0 is no yes or no
    names = name_variable(variable, model=model, knowledge=knowledge, scopes=scopes, finding=binary)
    concepts = concepts_of(variable, model)
    label = names.label
    full = [name for name in variable.synonyms if len(name) > SHORT]
    brief = [name for name in variable.synonyms if len(name) <= SHORT]
    usual, short = next((USAGE[key] for key in (variable.concept, label.lower()) if key in USAGE), ((), ()))
    role = _find_role(variable, label, binary=binary, model=model, knowledge=knowledge)
    return Term(
        variable=variable.name,
        role=role,
        concept=concepts[0] if concepts else "",
        label=label,
        synonyms=tuple(dict.fromkeys(name for name in (*names.synonyms, *usual, *full) if name != label)),
        british=names.british,
        abbreviations=tuple(dict.fromkeys((*short, *brief, *names.abbreviations))),
        others=names.others,
        related=variable.related_synonyms,
        system=find_system(concepts, knowledge) if role == "finding" and binary else "",
        sex=next(
            (sex for sex, above in SEXED.items() if falls_under(variable, above, model=model, knowledge=knowledge)), ""
        )
        if binary
        else "",
        unit=variable.unit,
        written_units=write_unit(variable.unit),
        levels=variable.levels,
        binary=binary,
    )


@dataclass(frozen=True)
class Names:
    """What a variable is called; see Term."""

    label: str
    synonyms: tuple[str, ...] = ()
    british: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def name_variable(
    variable: Variable, *, model: Model, knowledge: KnowledgeGraph, scopes: tuple[str, ...], finding: bool
) -> Names:
    """The names of a variable.

    The ontology's names are its names where the title is one of them or there is none; elsewhere the title says more
    than the concept (the volume of what atrophies, one cause of an oedema), and stands alone. A finding is called what
    it is a finding of. Raises NosographError for a concept that has neither label nor title.
    """
    measured = model.variables.get(variable.of) if finding else None
    concept = next(iter(concepts_of(variable, model) if finding else (variable.concept,)), "")
    whole = [v.title for v in (variable, measured) if v is not None and v.title]
    titles = [shorten_title(title) for title in whole]
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
        if not titles or any(title.lower() in all_names for title in (*whole, *titles)):
            # names with a comma are turned around for an index ("dementia, progressive")
            known = [s for s in knowledge.synonyms(concept) if s.scope in scopes and "," not in s.text]
            return sort_names(speak(label), known, finding=finding)
    return Names(speak(titles[0]) if titles else variable.name.replace("_", " "))


def sort_names(label: str, synonyms: Sequence[Synonym], *, finding: bool) -> Names:
    """Who uses which of a concept's names, by their types. `finding`: they are turned as in a sentence."""
    sorts: dict[str, dict[str, None]] = {"synonyms": {}, "british": {}, "abbreviations": {}, "others": {}}
    own = say_naturally(label) if finding else label
    if own != label:
        sorts["others"][label] = None
    for synonym in synonyms:
        name = speak(synonym.text)
        kind = next((KINDS[kind] for kind in KINDS if kind in synonym.kinds), "synonyms")
        if (
            OUTDATED.search(name)
            or INVERTED.search(name)
            or (kind == "synonyms" and len(name.split()) > max(LONGEST, len(label.split())))
        ):
            kind = "others"
        said = say_naturally(name) if finding and kind in ("synonyms", "british") else name
        sorts[kind][said] = None
        if said != name:
            sorts["others"][name] = None
    lay = {name.lower() for name in sorts["others"]}
    kept = {
        kind: tuple(n for n in names if n.lower() != own.lower() and (kind == "others" or n.lower() not in lay))
        for kind, names in sorts.items()
    }
    return Names(own, **kept)


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
    second, _, third = rest.partition(" ")  # Clinical Dementia Rating, but not: absent Achilles reflex, prolonged QTc
    titled = re.match("[A-Z][a-z]", second) is not None and (not third or third[:1].isupper())
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
