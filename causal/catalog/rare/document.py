"""Converts a disease's annotations to a document that can be read, edited and simulated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from ....errors import fail
from ....ontology.annotations import find_annotations, find_genes
from ....ontology.diseases import find_disease
from ....ontology.hpo import Annotation, Gene, locate_hpo
from ....ontology.knowledge import KnowledgeGraph
from .course import DiseaseCourse, place_death, place_onset, place_progression, read_course
from .entries import DraftParameter, DraftSection, DraftVariable, write_comment, write_scalar, write_sections
from .genotype import place_genotype, place_sex, write_chance
from .hierarchy import AnnotatedTerm, Finding, arrange_terms
from .inheritance import PREVALENCE, Inheritance, read_inheritance
from .names import VariableNames, to_identifier
from .phenotypes import DiseasePhenotypes, PhenotypeBuilder

STRONGEST = 0.995
USED = (  # names that a converted model may use, besides those of its phenotypes
    *("sex", "female_share", "genotype", "heteroplasmy", "heteroplasmy_threshold", "penetrance", "prevalence"),
    *("affected", "onset", "onset_group", "ending", "age_at_death", "death", "severity", "severity_strength"),
    *("progression", "progression_rate", "active_share", "passing_duration", "diagnosis"),
)
COUNTED = frozenset({"ascertained", "assumed"})  # the parameter's title says it: here they are only counted


@dataclass(frozen=True)
class Conversion:
    """A document made from annotations: its YAML `text`, its size, and what was changed or assumed."""

    disease: str
    name: str
    text: str
    variables: int
    claims: int
    findings: tuple[Finding, ...]
    assumed: tuple[str, ...] = ()  # kinds of assumption about the disease as a whole


def convert_disease(
    disease: str,
    *,
    knowledge: KnowledgeGraph,
    strength: float = 0.5,
    population: bool = False,
    leave_out_bad: bool = False,
) -> Conversion:
    """The disease model from HPO's annotations of a disease (given by its CURIE or name).

    `strength` (0 to 1) couples the phenotypes through a shared severity. The cohort consists of affected people, unless
    `population` gives the disease a prevalence. Raises NosographError for a disease without annotations or with an
    impossible frequency (with `leave_out_bad` such a row is left out and listed).
    """
    disease = find_disease(disease, knowledge=knowledge)
    annotations, terms, excluded, findings = arrange_disease(
        disease, knowledge=knowledge, strength=strength, leave_out_bad=leave_out_bad
    )
    inheritance = read_inheritance(annotations, population=population)
    onsets = [code for term in terms for code in term.onsets]
    course = read_course(annotations, knowledge=knowledge, term_onsets=onsets)
    when, reads = time_examination(course.horizon, bool(course.deaths))
    phenotypes = PhenotypeBuilder(
        [DiseasePhenotypes(terms, excluded)], knowledge, VariableNames(USED), strength, when, reads
    )
    sections = [
        _place_patient(inheritance, population, find_genes(disease, knowledge=knowledge)),
        _place_course(course, phenotypes),
        phenotypes.shared(),
        *phenotypes.sections(),
    ]
    findings = (*findings, *_find_assumptions(inheritance, course))
    name = knowledge.label(disease) or disease
    head = [
        f"id: {to_identifier(name)}",
        f"title: {write_scalar(f'{name} ({disease}), from HPO annotations of {release()}')}",
        f"disease: {disease}",
        f"clock: {{step: 1 year, horizon: {course.horizon} years, unit: year}}",
        *([] if population else ['population: "affected == 1"']),
    ]
    comments = [*introduce(f"{name} ({disease})", course.horizon, dying=bool(course.deaths)), *tell_findings(findings)]
    assumed = (*inheritance.assumed, *course.assumed)
    return replace(assemble(disease, name, head, comments, sections, findings), assumed=assumed)


def arrange_disease(
    disease: str, *, knowledge: KnowledgeGraph, strength: float, leave_out_bad: bool = False
) -> tuple[tuple[Annotation, ...], tuple[AnnotatedTerm, ...], tuple[str, ...], tuple[Finding, ...]]:
    """A disease's annotations, terms, excluded concepts and findings. Raises as `convert_disease` does."""
    if not 0 <= strength <= STRONGEST:
        raise fail(f"the severity's strength is from 0 to {STRONGEST}", value=strength, fix="0.5, or none")
    annotations = find_annotations(disease, knowledge=knowledge)
    terms, excluded, findings = arrange_terms(
        annotations, knowledge=knowledge, strength=strength, leave_out_bad=leave_out_bad
    )
    if not terms:
        raise fail("no annotated phenotype can be used", value=disease, fix="another disease")
    return annotations, terms, excluded, findings


def assemble(
    disease: str,
    name: str,
    head: Sequence[str],
    comments: Sequence[str],
    sections: Sequence[DraftSection],
    findings: Sequence[Finding],
) -> Conversion:
    """The document with all its parts."""
    told = [line for comment in comments for line in (write_comment(comment) if comment else ["#"])]
    text = "\n".join([*told, "", *head, "", write_sections(sections)])
    variables = [variable for section in sections for variable in section.variables]
    claims = sum(len(variable.causes) for variable in variables)
    return Conversion(disease, name, text, len(variables), claims, tuple(findings))


def introduce(what: str, horizon: int, *, dying: bool) -> list[str]:
    """What readers of a document have to know. `dying`: whether patients die of the disease."""
    whose = ", of those who live to the phenotype's age at onset" if dying else ""
    return [
        f"{what}: a causal model written from the Human Phenotype Ontology's annotations of {release()}.",
        "Genotype causes disease, disease causes phenotypes. Journeys start at birth, and t is age in completed years: "
        "what begins within a year of life is there from its first day. "
        f"A frequency means: ever by {horizon} years{whose}.",
        "checked: curated means that HPO's curators took it from the named source; nobody here read that source.",
    ]


def tell_findings(findings: Sequence[Finding]) -> list[str]:
    """What was assumed or changed: frequencies are counted, everything else is listed."""
    lines = ["", "What was assumed or changed:"]
    counts = Counter(finding.kind for finding in findings if finding.kind in COUNTED and finding.concept)
    if counts["assumed"]:
        lines.append(f"- {counts['assumed']} frequencies are assumed, or rest on a percentage: their titles say how")
    if counts["ascertained"]:
        lines.append(f"- {counts['ascertained']} frequencies are of three patients or fewer: ascertained by the report")
    lines += [
        f"- {finding.kind}: {finding.text}"
        for finding in findings
        if finding.kind not in COUNTED or not finding.concept
    ]
    return lines


@cache
def release() -> str:
    """The date of the annotations, from the header of `phenotype.hpoa`."""
    with locate_hpo()[1].open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#version:"):
                return line.partition(":")[2].strip()
    return "an unknown date"


def time_examination(horizon: int, dying: bool) -> tuple[str, dict[str, tuple[str, ...]]]:
    """When everybody is examined once: at the horizon, or at the last step before death."""
    if not dying:
        return f"at {horizon} years", {}
    return f"age_at_death <= t + dt or t == {horizon}", {"age_at_death": ()}


def _find_assumptions(inheritance: Inheritance, course: DiseaseCourse) -> list[Finding]:
    texts = [*inheritance.comments, *course.comments]
    if inheritance.penetrance == (1.0, "", "") and inheritance.genotypes:
        texts.append("penetrance is taken as complete: nothing is annotated")
    found = [Finding("assumed", "", text) for text in texts if "annotated" in text or "assumed" in text]
    return found + [Finding("said", "", text) for text in texts if "annotated" not in text and "assumed" not in text]


def _place_patient(inheritance: Inheritance, population: bool, genes: Sequence[Gene]) -> DraftSection:
    share = 0.5 if population else inheritance.female_share
    title = "Share of women" if population else "Share of women among those who are affected"
    parameters = [DraftParameter("female_share", share, unit="1", title=title)]
    if population:
        title = "Share of people who have or will have the disease"
        parameters.append(DraftParameter("prevalence", PREVALENCE, uncertain="", unit="1", title=title))
    more, genotype = place_genotype(inheritance, population=population, genes=genes)
    chance, causes = write_chance(inheritance, population=population)
    affected = DraftVariable(
        "affected",
        "static",
        f"Bernoulli({chance})",
        title="Has the disease, or will",
        recorded=not population,  # in a population, a clinic knows findings, not who will fall ill
        causes=causes,
    )
    variables = (place_sex("female_share"), *genotype, affected)
    return DraftSection("Who the patient is", (), (*parameters, *more), variables)


def _place_course(course: DiseaseCourse, phenotypes: PhenotypeBuilder) -> DraftSection:
    parts = [place_death(course), place_onset(course), place_progression(course)]
    parameters = [p for part in parts for p in part[0]] + phenotypes.course_parameters()
    variables = [v for part in parts for v in part[1]]
    if course.deaths:
        causes: dict[str, tuple[str, ...]] = {"age_at_death": ()}
        title = "Death from the disease"
        variables.append(
            DraftVariable("death", "event", "t >= age_at_death", title=title, ends="journey", causes=causes)
        )
    return DraftSection("When it begins, how it goes on, how it ends", (), tuple(parameters), tuple(variables))
