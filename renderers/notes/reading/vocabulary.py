"""The names by which a reader knows things in text: a lexicon's terms, and the forms that English gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ....ontology.knowledge import KnowledgeGraph
from ..facts import FactKind
from ..lexicon import PHENOTYPE, Lexicon, Term, speak

# What clinicians also say for a thing that has one of these words in its names (patterns): general medical English
_ALSO: tuple[tuple[str, str], ...] = (
    (r"(?:^|of )dementia$",
     "dementia; major neurocognitive disorder; dementia syndrome"),
    (r"heart rate",
     "HR; heart rate; pulse; pulse rate; ventricular rate; cardiac rate"),
    (r"systolic",
     "SBP; BP; blood pressure; systolic; systolic BP; systolic pressure; arterial pressure"),
    (r"oxygen",
     "oxygen saturation; SpO2; sats; saturations; oxygenation; O2 sats; O2 saturation; SaO2; oxygen; "
     "saturation; SpO₂; blood oxygen; oxygen level; O2 sat; oxygen levels; PaO2"),
    (r"glucose",
     "glucose; blood glucose; blood sugar; BM; sugars; glucose level"),
    (r"^death",
     "death; died; deceased; passed away; dies; dead"),
    (r"discharge",
     "discharged; discharge; went home; sent home; discharged home"),
    (r"leaves the clinic|lost to follow|dropout|departure",
     "lost to follow-up; left the clinic; stopped attending; ceased attending; no longer attends; moved away; "
     "leaves the clinic; left our clinic; left our care; left the service; dropped out of follow-up; "
     "lost to follow up; left follow-up; disengaged; dropped out; withdrew from follow-up; discharged from the clinic"),
    (r"diabetes",
     "diabetes; diabetes mellitus; T2DM; DM; diabetic"),
    (r"education",
     "years of education; education; schooling; years of schooling; full-time education; years in education; "
     "years of formal education; formal education; years at school; years of full-time education"),
    (r"ancestry|ethnic",
     "ancestry; ethnicity; descent; heritage; ethnic background; ethnic origin; extraction"),
)  # fmt: skip
# British and American spelling, both ways; and how names are written otherwise, one way
_SPELLINGS = (("oedema", "edema"), ("haem", "hem"), ("aemia", "emia"), ("tumour", "tumor"), ("anaes", "anes"),
              ("oesoph", "esoph"), ("centre", "center"), ("paed", "ped"), ("diarrhoea", "diarrhea"))  # fmt: skip
_RESPELT = (("ε", "e"), ("ε", "epsilon "), ("β", "beta"), ("-", " "), ("-", ""), ("-", "‑"), ("'s", "’s"), ("'s", ""))
_LEADING = re.compile(
    r"^(?:(?:diagnosis|presence|history|number|count|level|measurement) of |a |an |the |years? of )", re.IGNORECASE
)
_NO_PLURAL = re.compile(r"(?:s|x|ed|\d|ing|[A-Z])$")

LEVEL_WORDS: dict[str, str] = {
    "very_low":
        "very low; critically low; severely reduced; markedly reduced; markedly low; severely low; profoundly "
        "low; dangerously low; extremely low",
    "low":
        "low; lowered; reduced; decreased; below normal; below the normal range; below range; depressed; on "
        "the low side; subnormal; below target; below the reference range; slow; poor; lowish",
    "normal":
        "normal; within normal limits; in the normal range; within the normal range; in range; within range; "
        "WNL; unremarkable; in normal range; normalised; normalized; satisfactory; within the reference "
        "range; adequate; acceptable; back to normal; good; fine",
    "high":
        "high; raised; elevated; increased; above normal; above the normal range; above range; fast; rapid; "
        "on the high side; above target; above the reference range; highish",
    "very_high":
        "very high; critically high; severely raised; markedly raised; markedly elevated; severely elevated; "
        "dangerously high; extremely high",
}  # fmt: skip
"""Words for the levels of a measured category; any other level is known by its own name."""

# one word that says both what was measured and its level
_SIGNS: tuple[tuple[str, dict[str, tuple[str, ...]]], ...] = (
    (r"heart rate", {"high": ("tachycardia", "tachycardic", "a tachycardia"), "low": ("bradycardia", "bradycardic")}),
    (r"systolic|blood pressure", {"high": ("hypertension", "hypertensive"), "low": ("hypotension", "hypotensive"),
                                  "normal": ("normotension", "normotensive")}),
    (r"oxygen", {"low": ("hypoxia", "hypoxic", "hypoxaemia", "hypoxemia", "hypoxaemic", "hypoxemic", "desaturated",
                         "desaturating", "desaturation"),
                 "normal": ("normoxia", "normoxic", "normoxaemic", "normoxemic")}),
    (r"glucose", {"high": ("hyperglycaemia", "hyperglycemia", "hyperglycaemic", "hyperglycemic"),
                  "low": ("hypoglycaemia", "hypoglycemia", "hypoglycaemic", "hypoglycemic"),
                  "normal": ("normoglycaemia", "normoglycemia", "euglycaemia", "euglycemia")}),
)  # fmt: skip


def kind_of(term: Term) -> FactKind:
    """The kind of fact that a term's variable makes."""
    if term.role in ("age", "sex", "gene", "history"):
        return "history"
    if term.role in ("diagnosis", "occurrence", "happening", "departure", "end"):
        return "event"
    if term.role == "treatment":
        return "treatment"
    return "finding" if term.role == "finding" or term.levels else "value"


def name_term(term: Term) -> tuple[str, ...]:
    """All names of a term: its own, the related ones, those of general medical English, their spellings and plurals."""
    own = [*term.names, *term.related]
    if term.role != "finding" or term.levels:  # a malformed organ does not go by the organ's name
        for pattern, more in _ALSO:
            if any(re.search(pattern, name, re.IGNORECASE) for name in term.names):
                own += more.split("; ")
    for name in tuple(own):
        own += [piece for piece in (_LEADING.sub("", name), re.sub(r"\s*\([^)]*\)", "", name)) if len(piece) > 2]
    found: dict[str, None] = {}
    for name in own:
        for form in _spell(name):
            found.setdefault(form)
            if not _NO_PLURAL.search(form):
                found.setdefault(re.sub(r"(?<![aeiou])y$", "ie", form) + "s")
    return tuple(name for name in found if len(name) > 1)


def _spell(name: str) -> Iterable[str]:
    forms = {name}
    for british, american in _SPELLINGS:
        if british in name:
            forms |= {form.replace(british, american) for form in forms}
        elif american in name:
            forms |= {form.replace(american, british) for form in forms}
    for one, other in _RESPELT:
        forms |= {form.replace(one, other) for form in forms if one in form}
    return sorted(re.sub(r"\s+", " ", form).strip() for form in forms)


def write_patterns(lexicon: Lexicon) -> list[dict[str, Any]]:
    """Patterns for spaCy's entity ruler: label the kind, id the variable. A name of two variables goes to the one that
    a lexicon calls so, else to the one that is measured."""
    claimed: dict[str, tuple[int, str, str]] = {}
    terms = [term for term in lexicon.terms.values() if term.role not in ("age", "sex")]
    for term in sorted(terms, key=lambda term: _PRECEDENCE.get(kind_of(term), 9)):
        own = {name.lower() for name in term.names}
        for name in name_term(term):
            rank = 0 if name.lower() in own else 1
            if name not in claimed or rank < claimed[name][0]:
                claimed[name] = (rank, term.variable, kind_of(term))
    names = [{"label": kind, "pattern": name, "id": variable} for name, (_, variable, kind) in sorted(claimed.items())]
    events = [name["pattern"] for name in names if name["label"] == "event"]
    return names + [{"label": DECOY, "pattern": f"{name} {thing}", "id": ""} for name in events for thing in _THINGS]


DECOY = "decoy"
"""The label of what holds a name and is something else: a dementia clinic, a discharge summary."""
_THINGS = [
    "clinic", "clinics", "service", "services", "nurse", "society", "ward", "unit", "screening", "screen", "risk",
    "monitoring", "surveillance", "protocol", "summary", "letter", "note", "planning", "medication",
    "medications", "plan", "coordinator", "care", "research", "study", "trial", "certificate",
]  # fmt: skip


_PRECEDENCE = {"value": 0, "finding": 1, "event": 2, "treatment": 3, "history": 4}


def is_exact(name: str) -> bool:
    """Whether a name is read only as it is written: short, and in capitals ("HR" is no hour, "PET" no pet)."""
    return len(name) <= 4 and name.upper() == name and not name.isdigit()


def read_level(words: str, levels: Iterable[str]) -> str | None:
    """The level that the words name, or None."""
    low = re.sub(r"[\s_-]+", " ", words.lower())
    for level in levels:
        if low == level.replace("_", " ").lower() or low in LEVEL_WORDS.get(level, "").lower().split("; "):
            return level
    return None


def sign_words(term: Term) -> dict[str, str]:
    """The words that name a variable and its level at once ("hypotensive"), with the level."""
    named = " | ".join(term.names)
    return {
        word: level
        for pattern, signs in _SIGNS
        if term.levels and re.search(pattern, named, re.IGNORECASE)
        for level, words in signs.items()
        if level in term.levels
        for word in words
    }


def describe_phenotypes(knowledge: KnowledgeGraph) -> Lexicon:
    """A lexicon of every phenotypic abnormality of the ontology, each a finding that is called by its CURIE."""
    terms = {}
    for concept in sorted(knowledge.descendants(PHENOTYPE)):
        label = knowledge.label(concept)
        if label is not None and not knowledge.is_obsolete(concept):
            synonyms = tuple(s.text for s in knowledge.synonyms(concept) if s.scope == "EXACT")
            terms[concept] = Term(concept, "finding", concept, speak(label), synonyms, binary=True)
    return Lexicon(terms)
