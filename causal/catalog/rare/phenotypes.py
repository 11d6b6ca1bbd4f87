"""The phenotypes of a disease or a mixture as variables: liability, state and examination of each term.

A term occurs by itself, from its onset on, if its liability is below its threshold (D. S. Falconer 1965, "The
inheritance of liability to certain diseases"). A term is present if it or any more specific annotated term occurs by
itself and every annotated term directly above it is present: so do(term = 0) removes all more specific terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ....ontology.knowledge import KnowledgeGraph
from .course import INTERMITTENT, ONSETS, PACES, PASSING
from .entries import DraftParameter, DraftSection, DraftVariable, write_number
from .frequencies import Frequency
from .hierarchy import PHENOTYPIC_ABNORMALITY, AnnotatedTerm
from .inheritance import cite
from .names import VariableNames

SEVERITY = "severity_strength"
NEVER, ALWAYS = -10, 10  # thresholds above no liability and above every liability
SEXES = {"MALE": "male", "FEMALE": "female"}
RANGE_WORDS = {1.0: "obligate", 0.99: "very frequent", 0.79: "frequent", 0.29: "occasional", 0.04: "very rare"}
_CHUNK = 40  # of a long "or": nested ones parse, a chain of more than 200 does not

Causes = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class DiseasePhenotypes:
    """The phenotypes of one disease: `prefix` of its parameters, `level` of the diagnosis ("" outside a mixture)."""

    terms: tuple[AnnotatedTerm, ...]
    excluded: tuple[str, ...]
    prefix: str = ""
    level: str = ""

    def of(self, concept: str) -> dict[str | None, AnnotatedTerm]:
        """The terms of a concept by sex."""
        return {term.sex: term for term in self.terms if term.concept == concept}


@dataclass
class PhenotypeBuilder:
    """Builds the sections of all terms. `when` is the time of the examination, `when_reads` what it reads."""

    diseases: Sequence[DiseasePhenotypes]
    knowledge: KnowledgeGraph
    names: VariableNames
    strength: float
    when: str
    when_reads: Causes
    terms: list[dict[str, dict[str | None, AnnotatedTerm]]] = field(default_factory=list)  # by disease, concept and sex
    name: dict[str, str] = field(default_factory=dict)  # by concept
    below: dict[str, list[str]] = field(default_factory=dict)
    parents: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for disease in self.diseases:
            found: dict[str, dict[str | None, AnnotatedTerm]] = {}
            for term in disease.terms:
                found.setdefault(term.concept, {})[term.sex] = term
            self.terms.append(found)
        concepts = dict.fromkeys(concept for found in self.terms for concept in found)
        above = {concept: self.knowledge.ancestors(concept) & concepts.keys() for concept in concepts}
        for concept in concepts:
            self.name[concept] = self.names.choose(self.label(concept), otherwise=concept)
            self.parents[concept] = sorted(p for p in above[concept] if not any(p in above[q] for q in above[concept]))
        self.below = {c: [other for other in concepts if c in above[other]] for c in concepts}

    def label(self, concept: str) -> str:
        return self.knowledge.label(concept) or concept

    def sections(self) -> list[DraftSection]:
        """Terms by organ system, then those that never occur."""
        tops = {c: self.label(c) for c in self.knowledge.children(PHENOTYPIC_ABNORMALITY)}
        systems: dict[str, list[str]] = {}
        for concept in self.name:
            lineage = self.knowledge.ancestors(concept) | {concept}
            system = min((tops[c] for c in tops if c in lineage), default="Other phenotypes")
            systems.setdefault(system, []).append(concept)
        sections = []
        for system, concepts in sorted(systems.items()):
            parameters = [p for c in concepts for p in self.parameters(c)]
            variables = [v for c in concepts for v in self.variables(c)]
            sections.append(DraftSection(system, (), tuple(parameters), tuple(variables)))
        if never := self.never():
            sections.append(DraftSection("Excluded: annotated as never seen", (), (), tuple(never)))
        return sections

    def shared(self) -> DraftSection:
        """The shared severity and the loadings of the liabilities on it."""
        if not self.strength:
            return DraftSection("Phenotypes do not depend on a shared severity")
        title = "How strongly phenotypes come together: loading of each on the severity, from 0 to 1"
        parameters = [DraftParameter(SEVERITY, self.strength, unit="1", title=title)]
        for disease in self.diseases:
            for term in disease.terms:
                name = self.loading(disease, term)
                if name != SEVERITY and name not in {p.name for p in parameters}:
                    title = "A stronger loading: these terms fit each other only so"
                    parameters.append(DraftParameter(name, term.strength, unit="1", title=title))
        title = "Severity: what a patient's phenotypes share (low is severe)"
        severity = DraftVariable("severity", "static", "Normal(0, 1)", title=title, recorded=False)
        return DraftSection("Severity", (), tuple(parameters), (severity,))

    def loading(self, disease: DiseasePhenotypes, term: AnnotatedTerm) -> str:
        if term.family is None:
            return SEVERITY
        first = next(other for other in disease.terms if other.family == term.family)
        return f"{disease.prefix}{self.name[first.concept]}_strength"

    # Parameters

    def parameters(self, concept: str) -> Iterable[DraftParameter]:
        for disease, found in zip(self.diseases, self.terms, strict=True):
            own = {sex: term for sex, term in found.get(concept, {}).items() if term.own > 0}
            made: set[str] = set()
            for sex, term in own.items():
                frequency, probability = self.frequency_name(disease, found, term), self.own_name(disease, found, term)
                threshold = probability.removesuffix(self.suffix(own, sex)).rpartition("_")[0] + "_threshold"
                threshold += self.suffix(own, sex) if probability.endswith(self.suffix(own, sex)) else ""
                if frequency not in made:
                    yield self.frequency(frequency, term)
                if probability not in made and probability != frequency:
                    yield DraftParameter(probability, formula=self.leak(disease, found, term, frequency))
                if threshold not in made:
                    yield DraftParameter(threshold, formula=f"probit({probability})")
                made |= {frequency, probability, threshold}

    @staticmethod
    def suffix(own: Mapping[str | None, AnnotatedTerm], sex: str | None) -> str:
        return f"_{SEXES[sex]}" if sex and len(own) > 1 else ""

    def frequency_name(
        self, disease: DiseasePhenotypes, found: Mapping[str, dict[str | None, AnnotatedTerm]], term: AnnotatedTerm
    ) -> str:
        """The parameter of a term's frequency; one for each sex only if it differs by sex."""
        terms = {sex: t for sex, t in found[term.concept].items() if t.own > 0}
        alike = len({(t.value, t.frequency) for t in terms.values()}) == 1
        suffix = "" if alike else self.suffix(terms, term.sex)
        return f"{disease.prefix}{self.name[term.concept]}_frequency{suffix}"

    def own_name(
        self, disease: DiseasePhenotypes, found: Mapping[str, dict[str | None, AnnotatedTerm]], term: AnnotatedTerm
    ) -> str:
        """The parameter with the probability that a term occurs by itself: its frequency, if no term is below it."""
        terms = {sex: t for sex, t in found[term.concept].items() if t.own > 0}
        if not any(t.descendants for t in terms.values()):
            return self.frequency_name(disease, found, term)
        return f"{disease.prefix}{self.name[term.concept]}_own{self.suffix(terms, term.sex)}"

    def threshold_name(
        self, disease: DiseasePhenotypes, found: Mapping[str, dict[str | None, AnnotatedTerm]], term: AnnotatedTerm
    ) -> str:
        own = self.own_name(disease, found, term).removeprefix(disease.prefix + self.name[term.concept])
        return f"{disease.prefix}{self.name[term.concept]}_threshold" + own.removeprefix("_frequency").removeprefix(
            "_own"
        )

    def leak(
        self,
        disease: DiseasePhenotypes,
        found: Mapping[str, dict[str | None, AnnotatedTerm]],
        term: AnnotatedTerm,
        frequency: str,
    ) -> str:
        """How often the term must occur by itself so that, with all terms below it, it is as frequent as annotated."""
        below = []
        for concept in term.descendants:
            own = found[concept]
            other = own.get(term.sex) or own.get(None) or (next(iter(own.values())) if term.sex is None else None)
            if other and other.own > 0:
                below.append(self.own_name(disease, found, other))
        if not below:
            return frequency
        strength = self.loading(disease, term) if self.strength else "0"
        return f"leak({frequency}, {strength}, {', '.join(dict.fromkeys(below))})"

    def frequency(self, name: str, term: AnnotatedTerm) -> DraftParameter:
        raised = term.value > term.frequency.value + 1e-9
        cited = term.frequency.basis != "assumption" and not raised
        title = tell_frequency(term.frequency)
        return DraftParameter(
            name,
            term.value,
            uncertain="" if raised else term.frequency.uncertain,
            unit="1",
            title=f"{title}; raised to hold what is more specific" if raised else title,
            citations=term.frequency.citations if cited else (),
        )

    # Variables

    def variables(self, concept: str) -> Iterable[DraftVariable]:
        name, label = self.name[concept], self.label(concept)
        terms = [term for found in self.terms for term in found.get(concept, {}).values()]
        if any(term.own > 0 for term in terms):
            yield from self.liability(concept)
        yield from self.own_onset(concept)
        groups, causes = self.conditions(concept)
        conditions = [f"t + dt > {onset} and {_any(own)}" for onset, own in groups.items()]
        shows = conditions[0] if len(conditions) == 1 else "(" + " or ".join(f"({c})" for c in conditions) + ")"
        parents = [self.name[parent] for parent in self.parents[concept]]
        citations = cite(ref for term in terms for ref in term.frequency.references)
        words = self.modifier_words(terms)
        title = f"{label} ({', '.join(words)})" if words else label
        reads = {"affected": citations} | causes | dict.fromkeys(parents, ())
        yield DraftVariable(name, "state", " and ".join(["affected", shows, *parents]), title, concept, causes=reads)
        yield from self.changing(concept, terms)
        yield self.noted(name, concept)

    def noted(self, name: str, concept: str) -> DraftVariable:
        return DraftVariable(
            f"{name}_noted",
            "measurement",
            name,
            concept=concept,
            of=name,
            when=self.when,
            causes=self.when_reads,
        )

    def liability(self, concept: str) -> Iterable[DraftVariable]:
        name = f"{self.name[concept]}_liability"
        if not self.strength:
            yield DraftVariable(name, "static", "Normal(0, 1)", recorded=False)
            return
        loadings = {}
        for disease, found in zip(self.diseases, self.terms, strict=True):
            for term in found.get(concept, {}).values():
                loadings[disease.level] = self.loading(disease, term)
        causes: Causes = {"severity": ()}
        loading = self.by_diagnosis(loadings, SEVERITY)
        if loading != next(iter(loadings.values())):
            causes["diagnosis"] = ()
        mechanism = f"Normal({loading} * severity, sqrt(1 - {loading} ** 2))"
        yield DraftVariable(name, "static", mechanism, recorded=False, causes=causes)

    def by_diagnosis(self, texts: Mapping[str, str], otherwise: str) -> str:
        """One text if all agree, otherwise a choice by diagnosis."""
        if len(set(texts.values())) == 1 and (len(self.diseases) == 1 or set(texts.values()) == {otherwise}):
            return next(iter(texts.values()))
        chosen = otherwise
        for level, text in reversed(list(texts.items())):
            chosen = f'where(diagnosis == "{level}", {text}, {chosen})' if text != otherwise else chosen
        return chosen

    def own_onset(self, concept: str) -> Iterable[DraftVariable]:
        """The term's own age at onset, if one is annotated. It is not recorded, since people who never have the term
        have such an age as well."""
        texts = {}
        for disease, found in zip(self.diseases, self.terms, strict=True):
            for term in found.get(concept, {}).values():
                ages = [ONSETS[code][1:] for code in term.onsets if code in ONSETS]
                if ages:
                    texts[disease.level] = (min(low for low, _ in ages), max(high for _, high in ages))
        if not texts:
            return
        low, high = (
            self.by_diagnosis({level: write_number(ages[end]) for level, ages in texts.items()}, "onset")
            for end in (0, 1)
        )
        causes: Causes = {}
        if "diagnosis" in low + high:
            causes["diagnosis"] = ()
        if "onset" in f"{low} {high}".split() or "onset)" in low + high:
            causes["onset"] = ()
        mechanism = low if low == high else f"Uniform({low}, {high})"
        title = f"Age at onset of {self.label(concept)[:1].lower()}{self.label(concept)[1:]}"
        name = f"{self.name[concept]}_onset"
        yield DraftVariable(name, "static", mechanism, title, unit="a", recorded=False, causes=causes)

    def onset_of(self, concept: str) -> str:
        codes = {c for found in self.terms for term in found.get(concept, {}).values() for c in term.onsets}
        return f"{self.name[concept]}_onset" if codes & ONSETS.keys() else "onset"

    def conditions(self, concept: str) -> tuple[dict[str, list[str]], Causes]:
        """The conditions, by onset, under which the term or one below it occurs by itself, and what they read."""
        groups: dict[str, list[str]] = {}
        causes: Causes = {}
        for other in (concept, *self.below[concept]):
            condition, reads = self.own_condition(other)
            if condition:
                onset = self.onset_of(other)
                groups.setdefault(onset, []).append(condition)
                causes = causes | {onset: self.onset_citations(other)} | reads
        return groups, causes

    def onset_citations(self, concept: str) -> tuple[str, ...]:
        if self.onset_of(concept) == "onset":
            return ()
        terms = (term for found in self.terms for term in found.get(concept, {}).values() if term.onsets)
        return cite(ref for term in terms for ref in term.frequency.references)

    def own_condition(self, concept: str) -> tuple[str, Causes]:
        """The condition under which a term occurs by itself, apart from the terms below it; "" if it never does."""
        name = self.name[concept]
        liability = f"{name}_liability"
        thresholds = {}
        for disease, found in zip(self.diseases, self.terms, strict=True):
            own = {sex: t for sex, t in found.get(concept, {}).items() if t.own > 0}
            if own:
                thresholds[disease.level] = self.threshold(disease, found, own)
        if not thresholds:
            return "", {}
        text = self.by_diagnosis(thresholds, str(NEVER))
        causes: Causes = {liability: ()}
        if "sex ==" in text:
            causes["sex"] = ()
        if "diagnosis ==" in text:
            causes["diagnosis"] = ()
        return f"{liability} < {text}", causes

    def threshold(
        self,
        disease: DiseasePhenotypes,
        found: Mapping[str, dict[str | None, AnnotatedTerm]],
        own: Mapping[str | None, AnnotatedTerm],
    ) -> str:
        if None in own:
            return self.threshold_name(disease, found, own[None])
        texts = {sex: self.threshold_name(disease, found, term) for sex, term in own.items()}
        men, women = texts.get("MALE", str(NEVER)), texts.get("FEMALE", str(NEVER))
        return men if men == women else f'where(sex == "male", {men}, {women})'

    def changing(self, concept: str, terms: Sequence[AnnotatedTerm]) -> Iterable[DraftVariable]:
        """Variables of a term that comes and goes, passes, or gets worse; the term itself stays once present."""
        if len(self.diseases) > 1:
            return
        name, label, onset = self.name[concept], self.label(concept), self.onset_of(concept)
        modifiers = {modifier for term in terms for modifier in term.modifiers}
        citations = cite(ref for term in terms if term.modifiers for ref in term.frequency.references)
        reads: Causes = {name: citations, onset: ()}
        if modifiers & set(INTERMITTENT):
            mechanism = f"Bernoulli({name} * where({onset} >= t, 1, active_share))"
            yield DraftVariable(f"{name}_active", "state", mechanism, f"{label}: in this year", causes=reads)
        elif modifiers & set(PASSING):
            mechanism = f"{name} and t < {onset} + passing_duration"
            yield DraftVariable(f"{name}_active", "state", mechanism, f"{label}: not yet over", causes=reads)
        if paces := [PACES[code] for code in PACES if code in modifiers]:
            rate = write_number(paces[0][0])
            mechanism = f"{name} * (1 - exp(-{rate} * max(t + dt - {onset}, 0)))"
            title = f"{label}: how far it has come, from 0 to 1 ({paces[0][1].lower()}, its rate assumed)"
            yield DraftVariable(f"{name}_degree", "state", mechanism, title, unit="1", causes=reads)

    def modifier_words(self, terms: Sequence[AnnotatedTerm]) -> list[str]:
        return list(dict.fromkeys((self.knowledge.label(m) or m).lower() for term in terms for m in term.modifiers))

    def course_parameters(self) -> list[DraftParameter]:
        """The parameters of intermittent and passing terms."""
        if len(self.diseases) > 1:
            return []
        modifiers = {m for found in self.terms for own in found.values() for t in own.values() for m in t.modifiers}
        parameters = []
        if modifiers & set(INTERMITTENT):
            title = "In how many of the years after its first an intermittent phenotype is there"
            parameters.append(DraftParameter("active_share", 0.5, uncertain="Beta(2, 2)", unit="1", title=title))
        passing = [t for own in self.terms[0].values() for t in own.values() if set(t.modifiers) & set(PASSING)]
        if any(not set(term.modifiers) & set(INTERMITTENT) for term in passing):
            title = "How long a phenotype lasts that passes"
            parameters.append(DraftParameter("passing_duration", 1, uncertain="Exponential(1)", unit="a", title=title))
        return parameters

    def never(self) -> Iterable[DraftVariable]:
        """Terms that all of these diseases exclude: states that are always 0."""
        excluded = [set(disease.excluded) for disease in self.diseases]
        for concept in sorted(set.intersection(*excluded)):
            if concept not in self.name and not any(concept in self.knowledge.ancestors(c) for c in self.name):
                name = self.names.choose(self.label(concept), otherwise=concept)
                yield DraftVariable(name, "state", "0", f"{self.label(concept)}: excluded", concept)
                yield self.noted(name, concept)


def tell_frequency(frequency: Frequency) -> str:
    """In words: the origin of a frequency."""
    others = [reference for reference in frequency.references if reference not in frequency.citations]
    where = f" ({', '.join(others)})" if others else ""
    if frequency.examined is not None:
        few = ", ascertained by the report itself" if frequency.ascertained else ""
        return f"{frequency.affected} of {frequency.examined}{few}{where}"
    if frequency.basis == "term":
        low, high = frequency.interval
        return f"{RANGE_WORDS.get(high, 'annotated').capitalize()}, {low:.0%} to {high:.0%}{where}"
    return (frequency.notes[0] if frequency.notes else "Assumed") + where


def _any(conditions: Sequence[str]) -> str:
    if len(conditions) == 1:
        return conditions[0]
    if len(conditions) > _CHUNK:
        parts = [conditions[i : i + _CHUNK] for i in range(0, len(conditions), _CHUNK)]
        return _any([_any(part) for part in parts])
    return "(" + " or ".join(conditions) + ")"
