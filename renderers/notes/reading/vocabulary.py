"""The names by which a reader knows things in text: a lexicon's terms, and the forms that English gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ....ontology.knowledge import KnowledgeGraph
from ..facts import FactKind
from ..lexicon import PHENOTYPE, Lexicon, LexiconTerm, speak
from ..words.reading import NameWords
from .clauses import FoundName
from .names import PhraseFinder, SpelledWord, Speller

OFF = "off"  # in the place of a level: the name says that a treatment is over
OF, IS = "<of>", "<is>"  # in a name: a preposition, and a word such as "is", whichever


@dataclass(frozen=True)
class LexiconName:
    """What a phrase names: a variable, or one of its levels ("hypotensive"). `exact`: it is read only so written."""

    variable: str
    kind: FactKind
    level: str = ""
    exact: str = ""


def kind_of(term: LexiconTerm) -> FactKind:
    """The kind of fact that a term's variable makes."""
    if term.role in ("age", "sex", "gene", "history"):
        return "history"
    if term.role in ("diagnosis", "occurrence", "happening", "departure", "end"):
        return "event"
    if term.role == "treatment":
        return "treatment"
    return "finding" if term.role == "finding" or term.levels else "value"


_PRECEDENCE = {"value": 0, "finding": 1, "event": 2, "treatment": 3, "history": 4}
OWN, USUAL, DERIVED, RELATED, FAR = range(5)
"""How near a name is to its term: its label or synonym, in usual use for it, made from one of these, a looser name of
the ontology or the document, made from such a one. A name of two terms goes to the one that it is nearest to."""


def build_finder(lexicon: Lexicon, words: NameWords, speller: Speller) -> PhraseFinder[LexiconName | None]:
    """Finds the names of a lexicon's terms. None is what looks like a name and is something else."""
    claimed: dict[tuple[tuple[str, ...], str], tuple[tuple[int, int, int], LexiconName]] = {}

    def claim(parts: tuple[str, ...], rank: tuple[int, int, int], name: LexiconName) -> None:
        key = parts, name.exact
        if parts and (key not in claimed or rank < claimed[key][0]):
            claimed[key] = rank, name

    maker = _NameMaker(words, speller)
    for term in lexicon.terms.values():
        if term.role in ("age", "sex"):
            continue
        kind = kind_of(term)
        order = _PRECEDENCE.get(kind, 9)
        for said, near in _all_names(term, words, maker):
            exact = said if is_exact(said) else ""
            for parts, derived in maker.make(said, derive=not exact):
                rank = near if not derived else DERIVED if near < RELATED else FAR
                claim(parts, (rank, order, len(term.label)), LexiconName(term.variable, kind, exact=exact))
        for said, level in sign_words(term, words).items():
            claim(maker.parts(said), (DERIVED, order, 0), LexiconName(term.variable, "finding", level))
        for said in term.findings:
            for parts, derived in maker.make(said, derive=True):
                claim(parts, (USUAL if derived else OWN, order, 0), LexiconName(term.variable, "finding"))
        usual = maker.usual_of(term.findings)
        for said in usual:
            claim(maker.parts(said), (OWN, order, 0), LexiconName(term.variable, "finding"))
        for said in (said for over in words.over if _goes_by(over.pattern, term) for said in over.names):
            claim(maker.parts(said), (DERIVED, order, 0), LexiconName(term.variable, kind, OFF))
    finder: PhraseFinder[LexiconName | None] = PhraseFinder(
        skipped=words.matching.skipped,
        classes={OF: frozenset(words.derived.of), IS: frozenset(words.derived.copulas)},
    )
    for (parts, _), (_, name) in sorted(claimed.items()):
        finder.add(parts, name)
    for said in words.not_names:
        finder.add(maker.parts(said), None)
    return finder


class NameFinder:
    """Finds the names of a lexicon's terms in text."""

    def __init__(self, lexicon: Lexicon, words: NameWords, speller: Speller) -> None:
        self._speller, self._phrases = speller, build_finder(lexicon, words, speller)
        self._things = frozenset(words.things)
        self._stems = [
            (stem.stems, term.variable)
            for stem in words.stems
            for term in lexicon.terms.values()
            if term.role == "treatment" and _goes_by(stem.pattern, term)
        ]

    def find(self, text: str, start: int, end: int) -> list[FoundName]:
        """The names in text[start:end], in order."""
        tokens = self._speller.split(text, start, end)

        def fits(first: int, last: int, found: list[LexiconName | None]) -> list[LexiconName | None]:
            words = text[tokens[first].start : tokens[last - 1].end]
            return [name for name in found if name is None or not name.exact or words.rstrip("s") == name.exact]

        names = []
        for match in self._phrases.find([token.norm for token in tokens], fits=fits):
            name = None if None in match.found else match.found[0]
            if name is None or self._is_a_thing(text, tokens, match.last, name):
                continue
            place = tokens[match.first].start, tokens[match.last - 1].end
            names.append(FoundName(*place, name.kind, f"{name.variable}={name.level}" if name.level else name.variable))
        for stems, variable in self._stems:
            for word in stems.finditer(text, start, end):
                if not any(name.start < word.end() and word.start() < name.end for name in names):
                    names.append(FoundName(word.start(), word.end(), "treatment", variable))
        return sorted(names, key=lambda name: name.start)

    def _is_a_thing(self, text: str, tokens: Sequence[SpelledWord], after: int, name: LexiconName) -> bool:
        """Whether a name only begins that of something else: a dementia clinic, a discharge summary."""
        if name.kind not in ("event", "finding") or name.level or after >= len(tokens):
            return False
        beside = not text[tokens[after - 1].end : tokens[after].start].strip(" -")
        return beside and text[tokens[after].start : tokens[after].end].lower() in self._things


def _goes_by(pattern: re.Pattern[str], term: LexiconTerm) -> bool:
    return any(pattern.search(name) for name in term.names)


def _all_names(term: LexiconTerm, words: NameWords, maker: _NameMaker) -> Iterator[tuple[str, int]]:
    """A term's names, each with how near it is."""
    own = list(term.names)
    usual = maker.usual_of(own)
    if term.role != "finding" or term.levels:  # a malformed organ does not go by the organ's name
        usual += [said for also in words.also if any(also.pattern.search(name) for name in own) for said in also.names]
    for near, names in ((OWN, own), (USUAL, usual), (RELATED, term.related)):
        for name in names:
            for form in dict.fromkeys((name, words.leading.sub("", name), re.sub(r"\s*\([^)]*\)", "", name))):
                if len(form) > 1 and (form == name or len(form) > 2):
                    yield form, near if form == name else min(near + DERIVED, FAR)


class _NameMaker:
    """Makes names from names, as words are compared."""

    def __init__(self, words: NameWords, speller: Speller) -> None:
        self._words, self._speller = words.derived, speller
        self._respelt = words.respelt
        self._articles = frozenset(words.matching.skipped) & {"the", "a", "an"}
        self._of, self._predicates = frozenset(self._words.of), frozenset(self._words.predicates)
        self._heads, self._measured = frozenset(self._words.heads), frozenset(self._words.measured)
        self._unsaid = frozenset(self._words.unsaid)
        self._swaps: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
        for one, other in self._words.swapped:
            for old, new in ((one.split(), other.split()), (other.split(), one.split())):
                self._swaps.setdefault(old[0], []).append((tuple(old), tuple(new)))
        self._usual = {self.parts(canonical): names for canonical, names in words.usual.items()}

    def usual_of(self, names: Iterable[str]) -> list[str]:
        """What is usually said for what has one of these names."""
        known = dict.fromkeys(self.parts(name) for name in names)
        return [said for parts in known for said in self._usual.get(parts, ())]

    def parts(self, name: str) -> tuple[str, ...]:
        return tuple(token.norm for token in self._speller.split(name) if token.norm not in self._articles)

    def make(self, name: str, *, derive: bool) -> Iterator[tuple[tuple[str, ...], bool]]:
        """The ways in which a name may be written, each with whether it is derived from it."""
        own = {self.parts(name)}
        for one, other in self._respelt:
            own |= {self.parts(form.replace(one, other)) for form in (name,) if one in form}
        for parts in own:
            yield parts, False
        if derive:
            made: set[tuple[str, ...]] = set()
            for parts in own:
                made |= self._derive(parts)
                for swapped in self._swap(parts):
                    made |= {swapped} | self._derive(swapped)
            for parts in sorted(made - own):
                yield parts, True

    def _derive(self, parts: tuple[str, ...]) -> set[tuple[str, ...]]:
        made: set[tuple[str, ...]] = set()
        if len(parts) == 1:
            return {(form,) for form in self._forms(parts[0])}
        if len(parts) > 6:
            return made
        for index, part in enumerate(parts):
            if part in self._of and 0 < index < len(parts) - 1 and len(parts) <= 4:
                made |= {parts[index + 1 :] + parts[:index], (*parts[:index], OF, *parts[index + 1 :])}
        if parts[0] in self._measured and self._unsaid & set(parts):
            parts = tuple(part for part in parts if part not in self._unsaid)
            if len(parts) > 1:
                made.add(parts)
        if parts[0] in self._predicates and len(parts) <= 4:
            made |= {(*parts[1:], IS, parts[0]), (*parts[1:], parts[0])}
        if parts[-1] in self._heads and len(parts) <= 3:
            made.add((parts[-1], OF, *parts[:-1]))
        if len(parts) == 2:
            made |= {(form, parts[0]) for form in self._forms(parts[1])}
        return {one for one in made if len(one) > 1}

    def _forms(self, word: str) -> list[str]:
        if len(word) < 4:
            return []
        for pattern, endings in self._words.forms:
            if pattern.search(word):
                return [pattern.sub(ending, word, count=1) for ending in endings]
        return []

    def _swap(self, parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for at, part in enumerate(parts):
            for old, new in self._swaps.get(part, ()):
                if parts[at : at + len(old)] == old:
                    yield parts[:at] + new + parts[at + len(old) :]


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
            known = knowledge.synonyms(concept)
            synonyms = tuple(s.text for s in known if s.scope == "EXACT")
            related = tuple(s.text for s in known if s.scope != "EXACT")
            terms[concept] = LexiconTerm(
                concept, "finding", concept, speak(label), synonyms, related=related, binary=True
            )
    return Lexicon(terms)
