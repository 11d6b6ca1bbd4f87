"""Several diseases in one document: a differential cohort. The true diagnosis is in the truth, not on the record."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ....errors import fail
from ....ontology.annotations import find_genes
from ....ontology.diseases import find_disease
from ....ontology.hpo import Gene
from ....ontology.knowledge import KnowledgeGraph
from .course import ALIVE, DiseaseCourse, place_death, place_onset, read_course
from .document import USED, Conversion, arrange_disease, assemble, introduce, release, tell_findings, time_examination
from .entries import DraftParameter, DraftSection, DraftVariable, write_number, write_scalar
from .genotype import place_genotype, place_sex, write_chance
from .hierarchy import Finding
from .inheritance import Inheritance, read_inheritance
from .names import VariableNames, to_name
from .phenotypes import DiseasePhenotypes, PhenotypeBuilder

_PART = re.compile(r"\s*([^=]+?)\s*=\s*([^,=]*?)\s*(?:,|$)")
_EXAMPLE = "OMIM:154700=2, OMIM:609192=1, ORPHA:558=1"

Reads = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class _MixedDisease:
    """One disease of a mixture. `share` is relative."""

    disease: str
    name: str
    share: float
    shown: DiseasePhenotypes
    inheritance: Inheritance
    course: DiseaseCourse
    genes: tuple[Gene, ...]
    findings: tuple[Finding, ...]

    @property
    def prefix(self) -> str:
        return self.shown.prefix


def convert_mixture(mix: str, *, knowledge: KnowledgeGraph, strength: float = 0.5) -> Conversion:
    """The document of a mixture, such as "OMIM:154700=2, OMIM:609192=1": `diagnosis` draws the disease of each patient
    by these weights, and its levels are the diseases' CURIEs. Weights hold among the patients who enter.

    Raises NosographError for a mixture in another form, an impossible weight, percentages that do not add up to 100, a
    disease that is unknown or occurs twice, and as `convert_disease` does.
    """
    parts = [_read_part(d, share, knowledge, strength) for d, share in read_mixture(mix, knowledge=knowledge).items()]
    horizon = max(part.course.horizon for part in parts)
    dying = [part for part in parts if part.course.deaths]
    names = VariableNames([*USED, *(part.prefix + name for part in parts for name in USED)])
    when, reads = time_examination(horizon, bool(dying))
    phenotypes = PhenotypeBuilder([part.shown for part in parts], knowledge, names, strength, when, reads)
    sections = [
        _place_diagnosis(parts),
        *(_place_part(part) for part in parts),
        _place_union(parts),
        phenotypes.shared(),
        *phenotypes.sections(),
    ]
    title = f"{', '.join(part.name for part in parts)}: a mixture, from HPO annotations of {release()}"
    head = [
        f"id: mixture-{'-'.join(to_name(part.disease).replace('_', '-') for part in parts)}",
        f"title: {write_scalar(title)}",
        f"clock: {{step: 1 year, horizon: {horizon} years, unit: year}}",
        'population: "affected == 1"',
    ]
    findings = tuple(
        Finding(finding.kind, finding.concept, f"{part.disease}: {finding.text}")
        for part in parts
        for finding in part.findings
    )
    what = "A mixture of " + ", ".join(f"{part.name} ({part.disease})" for part in parts)
    left_out = (
        "A mixture leaves out the courses within a disease (progression, what comes and goes): diagnoses are told "
        "apart by what is ever there. The document of one disease has them."
    )
    comments = [*introduce(what, horizon, dying=bool(dying)), left_out, *tell_findings(findings)]
    return assemble(mix, title, head, comments, sections, findings)


def read_mixture(mix: str, *, knowledge: KnowledgeGraph) -> dict[str, float]:
    """The share of each disease, by CURIE, in the order written; shares sum to 1. Raises as `convert_mixture` says."""
    found, at = [], 0
    while part := _PART.match(mix, at):
        found.append((part[1], part[2]))
        at = part.end()
    if not found or mix[at:].strip(", "):
        raise fail("a mixture is diseases with their weights", value=mix, fix=_EXAMPLE)
    weights: dict[str, float] = {}
    for text, weight in found:
        disease = find_disease(text, knowledge=knowledge)
        if disease in weights:
            raise fail("a disease occurs twice in the mixture", value=f"{text}={weight}", fix=f"{disease} once")
        weights[disease] = _read_weight(text, weight)
    total = sum(weights.values())
    percent = ["%" in weight for _, weight in found]
    if any(percent) and not all(percent):
        raise fail("the mixture has both percentages and weights", value=mix, fix="% after each, or after none")
    if all(percent) and abs(total - 100) > 1e-6:
        raise fail(f"the percentages add up to {total:g}", value=mix, fix="percentages that add up to 100")
    if total == 0:
        raise fail("all weights are 0", value=mix, fix=_EXAMPLE)
    return {disease: weight / total for disease, weight in weights.items() if weight > 0}


def _read_weight(disease: str, text: str) -> float:
    try:
        weight = float(text.removesuffix("%"))
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight) or weight < 0:
        raise fail("a weight is a number, 0 or more", value=f"{disease}={text}", fix=f"{disease}=1")
    return weight


def _read_part(disease: str, share: float, knowledge: KnowledgeGraph, strength: float) -> _MixedDisease:
    annotations, terms, excluded, findings = arrange_disease(disease, knowledge=knowledge, strength=strength)
    onsets = [code for term in terms for code in term.onsets]
    return _MixedDisease(
        disease=disease,
        name=knowledge.label(disease) or disease,
        share=share,
        shown=DiseasePhenotypes(terms, excluded, f"{to_name(disease)}_", disease),
        inheritance=read_inheritance(annotations),
        course=read_course(annotations, knowledge=knowledge, term_onsets=onsets),
        genes=find_genes(disease, knowledge=knowledge),
        findings=findings,
    )


def _by_diagnosis(parts: Sequence[_MixedDisease], texts: Sequence[str], otherwise: str = "") -> str:
    chosen = otherwise or texts[-1]
    for part, text in reversed(list(zip(parts, texts, strict=True))[: None if otherwise else -1]):
        chosen = f'where(diagnosis == "{part.disease}", {text}, {chosen})'
    return chosen


def _place_diagnosis(parts: Sequence[_MixedDisease]) -> DraftSection:
    entering = [part.inheritance.penetrance[0] * part.inheritance.expressing for part in parts]
    weights = ", ".join(
        f'"{part.disease}": {write_number(part.share / enters)}' for part, enters in zip(parts, entering, strict=True)
    )
    title = "The true diagnosis: " + ", ".join(f"{part.name} {part.share:.3g}" for part in parts)
    comment = "Weights are divided by the share of those drawn who fall ill, so that they hold among those who enter."
    variable = DraftVariable("diagnosis", "static", f"Categorical({weights})", title=title, recorded=False)
    comments = (comment,) if any(enters < 1 for enters in entering) else ()
    return DraftSection("Who has which disease", comments, (), (variable,))


def _place_part(part: _MixedDisease) -> DraftSection:
    """The section of one disease: share of women, genotype, how it ends, onset."""
    title = f"Share of women among those with {part.name}"
    share = DraftParameter(f"{part.prefix}female_share", part.inheritance.female_share, unit="1", title=title)
    drawn = f'diagnosis == "{part.disease}"'
    blocks = [
        place_genotype(part.inheritance, prefix=part.prefix, drawn=drawn, genes=part.genes),
        place_death(part.course, prefix=part.prefix),
        place_onset(part.course, prefix=part.prefix),
    ]
    parameters = [share, *(parameter for block in blocks for parameter in block[0])]
    # a genotype on the record would give the diagnosis away
    variables = [replace(variable, recorded=False) for block in blocks for variable in block[1]]
    return DraftSection(f"{part.name} ({part.disease})", (), tuple(parameters), tuple(variables))


def _place_union(parts: Sequence[_MixedDisease]) -> DraftSection:
    """What follows from the diagnosis: sex, being affected, onset, death."""
    shares = _by_diagnosis(parts, [f"{part.prefix}female_share" for part in parts])
    reads: Reads = {"diagnosis": ()} if len(parts) > 1 else {}
    women = DraftVariable("female_share", "static", shares, title="Share of women", recorded=False, causes=reads)
    chances = [write_chance(part.inheritance, prefix=part.prefix) for part in parts]
    causes = dict(reads)
    for _, read in chances:
        causes |= read
    chance = _by_diagnosis(parts, [text for text, _ in chances])
    affected = DraftVariable("affected", "static", f"Bernoulli({chance})", title="Has the disease", causes=causes)
    variables = [women, place_sex("female_share", causes={"female_share": ()}), affected]
    onsets = [f"{part.prefix}onset" for part in parts]
    variables.append(
        DraftVariable(
            "onset",
            "static",
            _by_diagnosis(parts, onsets),
            title="Age at onset",
            unit="a",
            recorded=False,
            causes=reads | dict.fromkeys(onsets, ()),
        )
    )
    if any(part.course.deaths for part in parts):
        variables += _place_deaths(parts)
    return DraftSection("The patient", (), (), tuple(variables))


def _place_deaths(parts: Sequence[_MixedDisease]) -> list[DraftVariable]:
    dying = [part for part in parts if part.course.deaths]
    ages = [f"{part.prefix}age_at_death" for part in dying]
    causes: Reads = {"diagnosis": (), **dict.fromkeys(ages, ())}
    age = _by_diagnosis(dying, ages, write_number(ALIVE))
    title = f"Age at death from the disease ({ALIVE:g}: none within the journey)"
    return [
        DraftVariable("age_at_death", "static", age, title=title, unit="a", recorded=False, causes=causes),
        DraftVariable(
            "death",
            "event",
            "t >= age_at_death",
            title="Death from the disease",
            ends="journey",
            causes={"age_at_death": ()},
        ),
    ]
