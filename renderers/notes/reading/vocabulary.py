"""The names by which a reader knows things in text: a lexicon's terms, and the forms that English gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ....ontology.knowledge import KnowledgeGraph
from ..facts import FactKind
from ..lexicon import PHENOTYPE, Lexicon, LexiconTerm, speak
from ..words.reading import NameWords


def kind_of(term: LexiconTerm) -> FactKind:
    """The kind of fact that a term's variable makes."""
    if term.role in ("age", "sex", "gene", "history"):
        return "history"
    if term.role in ("diagnosis", "occurrence", "happening", "departure", "end"):
        return "event"
    if term.role == "treatment":
        return "treatment"
    return "finding" if term.role == "finding" or term.levels else "value"


def name_term(term: LexiconTerm, words: NameWords) -> tuple[str, ...]:
    """All names of a term: its own, the related ones, those of general medical English, their spellings and plurals."""
    own = [*term.names, *term.related]
    if term.role != "finding" or term.levels:  # a malformed organ does not go by the organ's name
        for also in words.also:
            if any(also.pattern.search(name) for name in term.names):
                own += also.names
    for name in tuple(own):
        own += [piece for piece in (words.leading.sub("", name), re.sub(r"\s*\([^)]*\)", "", name)) if len(piece) > 2]
    found: dict[str, None] = {}
    for name in own:
        for form in _spell(name, words):
            found.setdefault(form)
            if not words.no_plural.search(form):
                found.setdefault(_make_plural(form, words))
    return tuple(name for name in found if len(name) > 1)


def _make_plural(name: str, words: NameWords) -> str:
    ending, plural = next((ending, plural) for ending, plural in words.plurals if ending.search(name))
    return ending.sub(plural, name, count=1)


def _spell(name: str, words: NameWords) -> Iterable[str]:
    forms = {name}
    for british, american in words.spellings:
        if british in name:
            forms |= {form.replace(british, american) for form in forms}
        elif american in name:
            forms |= {form.replace(american, british) for form in forms}
    for one, other in words.respelt:
        forms |= {form.replace(one, other) for form in forms if one in form}
    return sorted(re.sub(r"\s+", " ", form).strip() for form in forms)


def write_patterns(lexicon: Lexicon, words: NameWords) -> list[dict[str, Any]]:
    """Patterns for spaCy's entity ruler: label the kind, id the variable. A name of two variables goes to the one that
    a lexicon calls so, else to the one that is measured."""
    claimed: dict[str, tuple[int, str, str]] = {}
    terms = [term for term in lexicon.terms.values() if term.role not in ("age", "sex")]
    for term in sorted(terms, key=lambda term: _PRECEDENCE.get(kind_of(term), 9)):
        own = {name.lower() for name in term.names}
        for name in name_term(term, words):
            rank = 0 if name.lower() in own else 1
            if name not in claimed or rank < claimed[name][0]:
                claimed[name] = (rank, term.variable, kind_of(term))
    names = [{"label": kind, "pattern": name, "id": variable} for name, (_, variable, kind) in sorted(claimed.items())]
    events = [name["pattern"] for name in names if name["label"] == "event"]
    return names + [
        {"label": DECOY, "pattern": f"{name} {thing}", "id": ""} for name in events for thing in words.things
    ]


DECOY = "decoy"
"""The label of what holds a name and is something else: a dementia clinic, a discharge summary."""


_PRECEDENCE = {"value": 0, "finding": 1, "event": 2, "treatment": 3, "history": 4}


def is_exact(name: str) -> bool:
    """Whether a name is read only as it is written: short, and in capitals ("HR" is no hour, "PET" no pet)."""
    return len(name) <= 4 and name.upper() == name and not name.isdigit()


def read_level(text: str, levels: Iterable[str], words: NameWords) -> str | None:
    """The level that the text names, or None."""
    low = re.sub(r"[\s_-]+", " ", text.lower())
    for level in levels:
        if low == level.replace("_", " ").lower() or low in (word.lower() for word in words.levels.get(level, ())):
            return level
    return None


def sign_words(term: LexiconTerm, words: NameWords) -> dict[str, str]:
    """The words that name a variable and its level at once ("hypotensive"), with the level."""
    named = " | ".join(term.names)
    return {
        word: level
        for sign in words.signs
        if term.levels and sign.pattern.search(named)
        for level, said in sign.levels.items()
        if level in term.levels
        for word in said
    }


def describe_phenotypes(knowledge: KnowledgeGraph) -> Lexicon:
    """A lexicon of every phenotypic abnormality of the ontology, each a finding that is called by its CURIE."""
    terms = {}
    for concept in sorted(knowledge.descendants(PHENOTYPE)):
        label = knowledge.label(concept)
        if label is not None and not knowledge.is_obsolete(concept):
            synonyms = tuple(s.text for s in knowledge.synonyms(concept) if s.scope == "EXACT")
            terms[concept] = LexiconTerm(concept, "finding", concept, speak(label), synonyms, binary=True)
    return Lexicon(terms)
