"""The phenotypes of a disease along the ontology's hierarchy: whoever has a term has the terms above it.

A term is present if it occurs by itself or if any more specific annotated term does (the true-path rule, drawn from
below). The frequency with which it occurs by itself is solved for, so that the term is present as often as annotated
(`causal/language/noisy_or.py`). If the more specific terms alone exceed that, the annotations cannot all hold, and a
`Finding` says what was changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ....errors import NosographError
from ....ontology.anatomy import SEXES, Sex, find_anatomy, split_by_sex
from ....ontology.hpo import Annotation
from ....ontology.knowledge import KnowledgeGraph
from .coherence import Fit, fit_family
from .frequencies import Frequency, assume_between, check_frequency, is_exclusion, pool_frequency

PHENOTYPIC_ABNORMALITY = "HP:0000118"


@dataclass(frozen=True)
class AnnotatedTerm:
    """A phenotype that the disease shows.

    `value` is the frequency that the model uses, raised if necessary. `own` is the probability that the term occurs by
    itself, coupled to the others by a liability whose loading on the shared severity is `strength`. `family` numbers
    the connected terms whose loading had to be strengthened. `parents` are the nearest annotated ancestors,
    `descendants` all annotated terms below, the most general first.

    A concept has one AnnotatedTerm, or one for each sex ("MALE", "FEMALE") if its frequency or what is below it differs
    by sex. If the only one is of one sex, the other sex never shows the concept. A frequency without a sex is taken to
    hold in each sex.
    """

    concept: str
    label: str
    frequency: Frequency
    sex: Sex | None
    onsets: tuple[str, ...]
    modifiers: tuple[str, ...]
    parents: tuple[str, ...]
    descendants: tuple[str, ...]
    value: float
    own: float
    strength: float
    family: int | None


@dataclass(frozen=True)
class Finding:
    """What was changed, assumed or left out when a disease's annotations were converted. These kinds come from here:

    - obsolete: a term was replaced by its successor
    - unknown term: left out, because it is not in this release or is not a phenotypic abnormality
    - bad row: left out, because its frequency is impossible
    - contradiction: both excluded and present, or present in a sex that it is not annotated for
    - other sex: annotated for the sex that does not have the anatomy
    - ascertained: a count of at most three patients
    - assumed: no frequency is annotated, or only a percentage
    - incoherent: annotated as less frequent than a more specific term; raised
    - raised: its more specific terms together exceed it; raised
    - strengthened: a family of terms that fits only with a stronger loading

    Drafts from ontologies have kinds of their own.
    """

    kind: str
    concept: str
    text: str


def arrange_terms(
    annotations: Sequence[Annotation], *, knowledge: KnowledgeGraph, strength: float = 0.5, leave_out_bad: bool = False
) -> tuple[tuple[AnnotatedTerm, ...], tuple[str, ...], tuple[Finding, ...]]:
    """The phenotypes of one disease (parents before children), the concepts it excludes, and the findings.

    Only rows of aspect P (phenotypic abnormality) are read. `strength` (0 to 1) is the loading of each liability on the
    shared severity. Raises NosographError for a row with an impossible frequency; with `leave_out_bad` that row is left
    out and listed instead.
    """
    findings: list[Finding] = []
    rows = _usable(annotations, knowledge, findings, leave_out_bad)
    shown, excluded = _separate(rows, knowledge, findings)
    described = _describe(shown, knowledge)
    findings += _judge(described, knowledge)
    terms = tuple(_fit(described, strength, findings))
    return terms, excluded, tuple(findings)


def _usable(
    annotations: Sequence[Annotation], knowledge: KnowledgeGraph, findings: list[Finding], leave_out_bad: bool
) -> dict[str, list[Annotation]]:
    """The rows of each concept in the order of the file, with obsolete concepts replaced and unusable rows left out."""
    rows: dict[str, list[Annotation]] = {}
    for annotation in annotations:
        if annotation.aspect != "P":
            continue
        concept = _current(annotation.phenotype, knowledge, findings)
        if concept is None:
            continue
        try:
            check_frequency(annotation)
        except NosographError as error:
            if not leave_out_bad:
                raise
            findings.append(Finding("bad row", concept, f"{error.problems[0].problem}: {annotation.frequency}"))
            continue
        rows.setdefault(concept, []).append(replace(annotation, phenotype=concept))
    return rows


def _current(concept: str, knowledge: KnowledgeGraph, findings: list[Finding]) -> str | None:
    """The concept itself, its only replacement if it is obsolete, or None if it cannot be used."""
    if PHENOTYPIC_ABNORMALITY in knowledge.ancestors(concept):  # obsolete terms are not in the hierarchy
        return concept
    replacements = knowledge.replacements(concept) if knowledge.is_obsolete(concept) else ()
    if len(replacements) == 1 and PHENOTYPIC_ABNORMALITY in knowledge.ancestors(replacements[0]):
        new = replacements[0]
        findings.append(Finding("obsolete", new, f"{concept} is obsolete, replaced by {new} ({knowledge.label(new)})"))
        return new
    if knowledge.is_obsolete(concept):
        among = " or ".join(replacements) or "nothing"
        text = f"{concept} is obsolete, left out: the ontology offers {among} instead"
    elif concept == PHENOTYPIC_ABNORMALITY:
        text = f"{concept} ({knowledge.label(concept)}) stands above all others and says nothing, left out"
    elif knowledge.known(concept):
        text = f"{concept} ({knowledge.label(concept)}) is no phenotypic abnormality, left out"
    else:
        text = f"there is no {concept} in this release, left out"
    findings.append(Finding("unknown term", concept, text))
    return None


def _separate(
    rows: dict[str, list[Annotation]], knowledge: KnowledgeGraph, findings: list[Finding]
) -> tuple[dict[str, list[Annotation]], tuple[str, ...]]:
    """The rows of the present concepts, and the excluded concepts. A concept that is both counts as present."""
    shown = {}
    for concept, own in rows.items():
        if positive := [row for row in own if not is_exclusion(row)]:
            shown[concept] = positive
    excluded = []
    for concept, own in rows.items():
        if not any(is_exclusion(row) for row in own):
            continue
        if concept in shown:
            text = f"{_name(concept, knowledge)} is annotated as excluded and as present: taken as present"
        elif below := [other for other in shown if concept in knowledge.ancestors(other)]:
            names = ", ".join(_name(other, knowledge) for other in below)
            text = f"{_name(concept, knowledge)} is excluded, yet the more specific {names} is present: not excluded"
        else:
            excluded.append(concept)
            continue
        findings.append(Finding("contradiction", concept, text))
    return shown, tuple(excluded)


def _name(concept: str, knowledge: KnowledgeGraph) -> str:
    return f"{concept} ({knowledge.label(concept)})"


@dataclass(frozen=True)
class _PresentConcept:
    """A concept that the disease shows: its rows by sex, and the present concepts above and below it."""

    label: str
    rows: dict[Sex | None, list[Annotation]]
    frequencies: dict[Sex | None, Frequency]
    above: tuple[str, ...]
    below: tuple[str, ...]

    def frequency(self, sex: Sex | None) -> Frequency | None:
        """The frequency in one sex (or in both alike), if any."""
        return self.frequencies.get(sex) or self.frequencies.get(None)


def _describe(rows: dict[str, list[Annotation]], knowledge: KnowledgeGraph) -> dict[str, _PresentConcept]:
    """The present concepts, the most general first."""
    lineages = {concept: knowledge.ancestors(concept) for concept in rows}
    above = {concept: [other for other in rows if other in lineages[concept]] for concept in rows}
    ordered = sorted(rows, key=lambda concept: len(above[concept]))
    below: dict[str, list[str]] = {concept: [] for concept in rows}
    for concept in ordered:
        for other in above[concept]:
            below[other].append(concept)
    shown: dict[str, _PresentConcept] = {}
    for concept in ordered:
        by_sex = split_by_sex(rows[concept], lineages[concept] | {concept})
        frequencies = {sex: pool_frequency(own) for sex, own in by_sex.items()}
        label = knowledge.label(concept) or concept
        shown[concept] = _PresentConcept(label, by_sex, frequencies, tuple(above[concept]), tuple(below[concept]))
    return {concept: _bound(own, shown) for concept, own in shown.items()}


def _bound(own: _PresentConcept, shown: dict[str, _PresentConcept]) -> _PresentConcept:
    """The same concept; an unknown frequency is replaced by one between those of related terms."""

    def known(concepts: tuple[str, ...], sex: Sex | None) -> list[float]:
        found = (shown[concept].frequency(sex) for concept in concepts)
        return [frequency.value for frequency in found if frequency and frequency.basis != "assumption"]

    frequencies = dict(own.frequencies)
    for sex, frequency in own.frequencies.items():
        if frequency.basis != "assumption":
            continue
        floor = max(known(own.below, sex), default=0.0)
        ceiling = min((value for value in known(own.above, sex) if value > floor), default=1.0)
        if (floor, ceiling) != (0.0, 1.0) and floor < ceiling:
            frequencies[sex] = replace(assume_between(floor, ceiling), references=frequency.references)
    return replace(own, frequencies=frequencies)


def _judge(shown: dict[str, _PresentConcept], knowledge: KnowledgeGraph) -> Iterator[Finding]:
    """The findings about the frequencies as annotated."""
    for concept, own in shown.items():
        name = f"{concept} ({own.label})"
        anatomy = find_anatomy(knowledge.ancestors(concept) | {concept})
        for sex, frequency in own.frequencies.items():
            if anatomy and sex != anatomy:
                yield Finding("other sex", concept, f"{name} is annotated as {sex} against its anatomy: taken as it is")
            if frequency.ascertained:
                count = f"{frequency.affected} of {frequency.examined}"
                yield Finding("ascertained", concept, f"{name}: {count}, ascertained by the report itself")
            elif frequency.basis in ("assumption", "percentage"):
                yield Finding("assumed", concept, f"{name}: {frequency.notes[0]}")


def _fit(shown: dict[str, _PresentConcept], strength: float, findings: list[Finding]) -> Iterator[AnnotatedTerm]:
    """The terms, with frequencies, own probabilities and loadings that fit each other."""
    below = {concept: own.below for concept, own in shown.items()}
    strengthened = 0
    for family in _families(shown):
        sexes: Sequence[Sex | None] = [None] if all(set(shown[c].rows) == {None} for c in family) else SEXES
        views = [_view(family, shown, sex) for sex in sexes]
        loading, fits = fit_family(views, below, strength)
        number = None
        if loading > strength:
            number, strengthened = strengthened, strengthened + 1
            names = ", ".join(f"{concept} ({shown[concept].label})" for concept in family)
            text = f"these fit only with a loading of {loading:g} instead of {strength:g}: {names}"
            findings.append(Finding("strengthened", family[0], text))
        for concept in family:
            terms = [
                _term(concept, shown, sex, fitted, loading, number)
                for sex, fitted in zip(sexes, fits, strict=True)
                if concept in fitted
            ]
            if len(terms) == 2 and replace(terms[0], sex=None) == replace(terms[1], sex=None):
                terms = [replace(terms[0], sex=None)]
            told = [_tell(concept, shown, fitted) for fitted in fits if concept in fitted]
            findings += [finding for finding in dict.fromkeys(told) if finding]
            yield from terms


def _families(shown: dict[str, _PresentConcept]) -> list[list[str]]:
    """The concepts in connected families, each in the order of `shown`: the most general first."""
    families: list[list[str]] = []
    for concept, own in shown.items():
        joined = [family for family in families if not set(own.above).isdisjoint(family)]
        families = [family for family in families if family not in joined]
        families.append([member for family in joined for member in family] + [concept])
    order = {concept: place for place, concept in enumerate(shown)}
    return [sorted(family, key=order.__getitem__) for family in families]


def _view(family: list[str], shown: dict[str, _PresentConcept], sex: Sex | None) -> dict[str, Frequency | None]:
    """The annotated frequencies of a family in one sex (or in both alike)."""
    own = {c: shown[c].frequency(sex) for c in family}
    held = {concept for concept in family if own[concept] is not None}
    return {c: own[c] for c in family if c in held or not held.isdisjoint(shown[c].below)}


def _term(
    concept: str,
    shown: dict[str, _PresentConcept],
    sex: Sex | None,
    fitted: dict[str, Fit],
    loading: float,
    number: int | None,
) -> AnnotatedTerm:
    own, fit = shown[concept], fitted[concept]
    key = next(k for k in (sex, None, *own.rows) if k in own.rows)
    rows = own.rows[key]
    above = [other for other in own.above if other in fitted]
    return AnnotatedTerm(
        concept=concept,
        label=own.label,
        frequency=own.frequencies[key],
        sex=sex,
        onsets=tuple(dict.fromkeys(row.onset for row in rows if row.onset)),
        modifiers=tuple(dict.fromkeys(modifier for row in rows for modifier in row.modifiers)),
        parents=tuple(p for p in above if not any(p in shown[q].above for q in above)),
        descendants=tuple(other for other in own.below if other in fitted),
        value=fit.value,
        own=fit.own,
        strength=loading,
        family=number,
    )


def _tell(concept: str, shown: dict[str, _PresentConcept], fitted: dict[str, Fit]) -> Finding | None:
    """The finding about a term whose more specific terms exceed it, if they do."""
    fit, name = fitted[concept], f"{concept} ({shown[concept].label})"
    if fit.excess == "":
        return None
    if fit.excess == "below":
        text = f"{name} is annotated for the other sex only, yet more specific terms show in both: as often as they do"
        return Finding("contradiction", concept, text)
    reason = {
        "incoherent": "a more specific term is more frequent",
        "raised": "more specific terms together exceed it, within its interval",
        "beyond": "more specific terms together exceed it, beyond its interval",
        "assumed": "more specific terms together exceed what was assumed",
    }[fit.excess]
    kind = "incoherent" if fit.excess == "incoherent" else "raised"
    return Finding(kind, concept, f"{name}: raised to {fit.value:.3f}, as {reason}")
