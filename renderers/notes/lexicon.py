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
from ...causal.model.binary import is_binary
from ...causal.model.model import Model, Variable
from ...errors import fail
from ...ontology.knowledge import KnowledgeGraph, Synonym
from ...ontology.units import parse_unit
from ..binding import concepts_of, converts, falls_under
from ..usage import say_naturally, write_unit
from .systems import find_system
from .words.locale import load_words
from .words.usage import UsageWords, UsualNames

Role = Literal[
    "age", "sex", "gene", "history",  # statics
    "score", "volume", "vital", "laboratory", "finding", "measure",  # measurements
    "diagnosis", "occurrence", "happening", "departure", "end",  # events
    "treatment",
]  # fmt: skip

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
NO_OTHERS = UsualNames(names=(), abbreviations=())
MANY = 8  # findings, from which on they are told by organ system
SHORT = 10  # characters: a document's synonym of so many is an abbreviation
LONGEST = 6  # words of a synonym that a clinician would write
SEXED = {  # HPO's branches of what only one sex can have: genitalia, fertility, reproductive physiology
    "male": ("HP:0010461", "HP:0012041", "HP:0012874"),
    "female": ("HP:0010460", "HP:0000868", "HP:0030012"),
}


@dataclass(frozen=True)
class LexiconTerm:
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
    findings: tuple[str, ...] = ()  # of a volume: what the ontology calls its concept, which is no name of the number
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

    terms: Mapping[str, LexiconTerm]
    locale: str = "en"

    @cached_property
    def systems(self) -> Mapping[str, int]:
        """How many findings each organ system has."""
        return Counter(term.system for term in self.of_role("finding") if term.system)

    @property
    def has_systems(self) -> bool:
        """Whether there are so many findings that they are told by organ system."""
        return sum(self.systems.values()) >= MANY

    def __getitem__(self, variable: str) -> LexiconTerm:
        return self.terms[variable]

    def of_role(self, *roles: Role) -> list[LexiconTerm]:
        return [term for term in self.terms.values() if term.role in roles]


def build_lexicon(
    model: Model, *, knowledge: KnowledgeGraph, locale: str = "en", scopes: tuple[str, ...] = ("EXACT",)
) -> Lexicon:
    """The lexicon of a model. `scopes`: which of the ontology's synonyms are names of a concept.

    Raises NosographError for a locale that is not there, and for a concept that nothing gives a label.
    """
    words = load_words(UsageWords, locale)
    told = [v for v in model.variables.values() if v.recorded and v.kind != "state" and not v.any_of]
    terms = {v.name: _describe(v, model, knowledge, scopes, words, locale) for v in told}
    return Lexicon(tell_apart(terms), locale)


def tell_apart(terms: dict[str, LexiconTerm]) -> dict[str, LexiconTerm]:
    """The terms, where no finding goes by another one's name: an "ASD" may be of the heart or of the mind."""
    owners: dict[str, set[str]] = {}
    for term in terms.values():
        for name in term.names:
            owners.setdefault(name.lower(), set()).add(term.concept)

    def own(term: LexiconTerm, names: tuple[str, ...]) -> tuple[str, ...]:
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


def _describe(
    variable: Variable,
    model: Model,
    knowledge: KnowledgeGraph,
    scopes: tuple[str, ...],
    words: UsageWords,
    locale: str,
) -> LexiconTerm:
    binary = is_binary(variable, model) and variable.unit in ("", "1")  # an age of 0 is no yes or no
    names = name_variable(variable, model=model, knowledge=knowledge, scopes=scopes, finding=binary, locale=locale)
    concepts = concepts_of(variable, model)
    label = names.label
    full = [name for name in variable.synonyms if len(name) > SHORT]
    brief = [name for name in variable.synonyms if len(name) <= SHORT]
    usual = words.names.get(variable.concept) or words.names.get(label.lower(), NO_OTHERS)
    role = _find_role(variable, label, binary=binary, model=model, knowledge=knowledge, ages=words.labels.age)
    return LexiconTerm(
        variable=variable.name,
        role=role,
        concept=concepts[0] if concepts else "",
        label=label,
        synonyms=tuple(dict.fromkeys(name for name in (*names.synonyms, *usual.names, *full) if name != label)),
        british=names.british,
        abbreviations=tuple(dict.fromkeys((*usual.abbreviations, *brief, *names.abbreviations))),
        others=names.others,
        related=variable.related_synonyms,
        findings=_name_finding(concepts[0], knowledge) if role == "volume" and concepts else (),
        system=find_system(concepts, knowledge) if role == "finding" and binary else "",
        sex=next(
            (sex for sex, above in SEXED.items() if falls_under(variable, above, model=model, knowledge=knowledge)), ""
        )
        if binary
        else "",
        unit=variable.unit,
        written_units=write_unit(variable.unit, locale),
        levels=variable.levels,
        binary=binary,
    )


def _name_finding(concept: str, knowledge: KnowledgeGraph) -> tuple[str, ...]:
    """A concept's label and all its synonyms."""
    label = knowledge.label(concept)
    return tuple(dict.fromkeys((*([label] if label else []), *(s.text for s in knowledge.synonyms(concept)))))


@dataclass(frozen=True)
class TermNames:
    """What a variable is called; see LexiconTerm."""

    label: str
    synonyms: tuple[str, ...] = ()
    british: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def name_variable(
    variable: Variable,
    *,
    model: Model,
    knowledge: KnowledgeGraph,
    scopes: tuple[str, ...],
    finding: bool,
    locale: str = "en",
) -> TermNames:
    """The names of a variable.

    The ontology's names are its names where the title is one of them or there is none; elsewhere the title says more
    than the concept (the volume of what atrophies, one cause of an oedema), and stands alone. A finding is called what
    it is a finding of. Raises NosographError for a concept that has neither label nor title.
    """
    measured = model.variables.get(variable.of) if finding else None
    concept = next(iter(concepts_of(variable, model) if finding else (variable.concept,)), "")
    whole = [v.title for v in (variable, measured) if v is not None and v.title]
    titles = [shorten_title(title, locale) for title in whole]
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
            return sort_names(speak(label, locale), known, finding=finding, locale=locale)
    return TermNames(speak(titles[0], locale) if titles else variable.name.replace("_", " "))


def sort_names(label: str, synonyms: Sequence[Synonym], *, finding: bool, locale: str = "en") -> TermNames:
    """Who uses which of a concept's names, by their types. `finding`: they are turned as in a sentence."""
    sorts: dict[str, dict[str, None]] = {"synonyms": {}, "british": {}, "abbreviations": {}, "others": {}}
    words = load_words(UsageWords, locale)
    own = say_naturally(label, locale) if finding else label
    if own != label:
        sorts["others"][label] = None
    for synonym in synonyms:
        name = speak(synonym.text, locale)
        kind = next((KINDS[kind] for kind in KINDS if kind in synonym.kinds), "synonyms")
        if (
            words.outdated.search(name)
            or words.inverted.search(name)
            or (kind == "synonyms" and len(name.split()) > max(LONGEST, len(label.split())))
        ):
            kind = "others"
        said = say_naturally(name, locale) if finding and kind in ("synonyms", "british") else name
        sorts[kind][said] = None
        if said != name:
            sorts["others"][name] = None
    lay = {name.lower() for name in sorts["others"]}
    kept = {
        kind: tuple(n for n in names if n.lower() != own.lower() and (kind == "others" or n.lower() not in lay))
        for kind, names in sorts.items()
    }
    return TermNames(own, **kept)


def shorten_title(title: str, locale: str = "en") -> str:
    """What a title names, without its explanations: after a colon, in parentheses, or of how it is given."""
    words = load_words(UsageWords, locale).titles
    text = re.sub(r"\s*\([^()]*\)", "", re.split(r"; |: ", " ".join(title.split()))[0])
    parts = [part.strip() for part in text.split(", ")]
    kept = [parts[0], *takewhile(lambda part: not words.explanation.match(part), parts[1:])]
    return words.after.sub("", words.before.sub("", ", ".join(kept)))


def speak(label: str, locale: str = "en") -> str:
    """A label as in the middle of a sentence: a capital that only begins it goes, those of names stay."""
    first, _, rest = label.partition(" ")
    word = re.split(r"[-'’,/]", first)[0]
    named = first != first.capitalize() and not first.islower()  # a capital or a sign within: DNA, pH, Mini-Mental
    proper = (
        word in load_words(UsageWords, locale).proper_names or "'" in first or "’" in first or re.search(r"\d", first)
    )
    second, _, third = rest.partition(" ")  # Clinical Dementia Rating, but not: absent Achilles reflex, prolonged QTc
    titled = re.match("[A-Z][a-z]", second) is not None and (not third or third[:1].isupper())
    return label if named or proper or titled or len(word) < 2 else label[:1].lower() + label[1:]


def _find_role(
    variable: Variable, label: str, *, binary: bool, model: Model, knowledge: KnowledgeGraph, ages: tuple[str, ...]
) -> Role:
    def under(*concepts: str) -> bool:
        return falls_under(variable, concepts, model=model, knowledge=knowledge)

    if variable.kind == "treatment":
        return "treatment"
    if variable.kind == "event":
        return _find_event_role(variable, phenotype=under(PHENOTYPE))
    if variable.kind == "static":
        if under(*SEX) or {"female", "male"} <= set(variable.levels):
            return "sex"
        if under(*AGE) or (converts(variable.unit, "a") and label.lower() in ages):
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
