"""How often a disease shows a phenotype: the annotations of the Human Phenotype Ontology, pooled, with uncertainty.

HPO documents the three ways to write a frequency and the ranges of its terms
(https://obophenotype.github.io/human-phenotype-ontology/annotations/frequency/): n/m counts patients who were
examined for the phenotype, so it was ruled out in the other m - n; 0/m says that nobody seen so far had it, which is
not an exclusion.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ....errors import NosographError, fail
from ....ontology.hpo import Annotation
from ....ontology.prefixes import find_prefix

Basis = Literal["count", "percentage", "term", "assumption"]

# Frequency terms with the shares that their definitions in hp.obo document.
RANGES: dict[str, tuple[float, float]] = {
    "HP:0040280": (1.0, 1.0),  # Obligate
    "HP:0040281": (0.80, 0.99),  # Very frequent
    "HP:0040282": (0.30, 0.79),  # Frequent
    "HP:0040283": (0.05, 0.29),  # Occasional
    "HP:0040284": (0.01, 0.04),  # Very rare
    "HP:0040285": (0.0, 0.0),  # Excluded
}
EXCLUDED = "HP:0040285"
JEFFREYS = 0.5  # the prior of a count is Beta(0.5, 0.5)
PERCENTAGE_EXAMINED = 20  # assumed: the number of patients behind a percentage
FEW = 3  # counts of so few patients say who was reported rather than how frequent it is

_COUNT = re.compile(r"(\d+)/(\d+)")
_PERCENTAGE = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True)
class Frequency:
    """The share of a disease's patients who ever show a phenotype, and its uncertainty.

    `value` is the posterior mean or the middle of the range. `uncertain` is the distribution, in the language of
    disease models ("" if there is none: obligate or excluded), and `span` its range; `posterior` holds a and b if it is
    a Beta. `affected` and `examined` are pooled counts. `references` are those of the rows that `value` is based on.
    """

    value: float
    uncertain: str
    span: tuple[float, float]
    basis: Basis
    affected: int | None
    examined: int | None
    references: tuple[str, ...]
    notes: tuple[str, ...]
    posterior: tuple[float, float] | None = None

    @property
    def interval(self) -> tuple[float, float]:
        """The posterior's central 95%, or the documented or assumed range."""
        if self.posterior is None:
            return self.span
        from scipy.special import betaincinv  # here, because it takes long to import

        return float(betaincinv(*self.posterior, 0.025)), float(betaincinv(*self.posterior, 0.975))

    @property
    def citations(self) -> tuple[str, ...]:
        """The references that can be cited as evidence: PMIDs and DOIs in their usual form."""
        return tuple(reference for reference in self.references if _is_citation(reference))

    @property
    def ascertained(self) -> bool:
        """Whether it is based on so few patients that they were counted only because of the report."""
        return self.examined is not None and self.examined <= FEW


@dataclass(frozen=True)
class _RowFrequency:
    """One row's frequency: a count, a percentage (as a share), a range, or nothing."""

    basis: Basis
    references: tuple[str, ...]
    affected: int = 0
    examined: int = 0
    share: float = 0.0
    span: tuple[float, float] = (0.0, 1.0)


def is_exclusion(annotation: Annotation) -> bool:
    """Whether a row says that the disease does not show the phenotype: "NOT", or the frequency term Excluded."""
    return annotation.absent or annotation.frequency == EXCLUDED


def check_frequency(annotation: Annotation) -> None:
    """Raises NosographError, with disease, term, value and fix, if a row's frequency is impossible."""
    _read(annotation)


def pool_frequency(annotations: Sequence[Annotation]) -> Frequency:
    """The frequency that the rows of one disease and phenotype (and of one sex) give together.

    Only the best available kind of evidence counts: counts, then percentages, then frequency terms, then nothing.
    - Counts: Beta(0.5 + affected, 0.5 + not affected), Jeffreys' prior updated. Rows that share a reference are about
      the same patients: of these the row with the most examined counts (then the one with the most affected, since a
      frequency means "ever"); rows with other references add up.
    - Percentages: the same, with an assumed 20 examined for each reference.
    - Terms: uniform over the documented range (over the span of several); the value is its middle.
    - Nothing: Beta(1, 1), a weak assumption.

    Raises NosographError for a count such as 5/3 or 0/0, a percentage outside 0 to 100, or any other text.
    """
    positive = [annotation for annotation in annotations if not is_exclusion(annotation)]
    if not positive:
        references = _unique(reference for annotation in annotations for reference in annotation.references)
        return Frequency(0.0, "", (0.0, 0.0), "term", None, None, references, ("excluded",))
    rows = [_read(annotation) for annotation in positive]
    basis = min((row.basis for row in rows), key=_ORDER.index)
    used = [row for row in rows if row.basis == basis]
    if basis == "count":
        pooled = _pool_counts(used)
    elif basis == "percentage":
        pooled = _pool_percentages(used)
    elif basis == "term":
        pooled = _pool_terms(used)
    else:
        note = "no frequency is annotated: anything from 0 to 1"
        pooled = _beta(1.0, 1.0, basis, note)
    unused = _unique(reference for row in rows if row.basis != basis for reference in row.references)
    notes = pooled.notes
    if len(used) < len(rows):
        notes += (f"{len(rows) - len(used)} less exact annotation(s) not used ({', '.join(unused) or 'no reference'})",)
    return replace(pooled, notes=notes, references=_unique(ref for row in used for ref in row.references))


def assume_between(floor: float, ceiling: float) -> Frequency:
    """The frequency of a phenotype if only the frequencies of more specific and more general ones are known.

    It is uniform from `floor` to `ceiling`, a weak assumption that contradicts nothing known.
    """
    note = f"no frequency is annotated: anything from {floor:.3g} to {ceiling:.3g}, which related terms leave"
    uncertain = f"Uniform({floor:.10g}, {ceiling:.10g})"
    return Frequency((floor + ceiling) / 2, uncertain, (floor, ceiling), "assumption", None, None, (), (note,))


_ORDER: tuple[Basis, ...] = ("count", "percentage", "term", "assumption")


def _read(annotation: Annotation) -> _RowFrequency:
    text, references = annotation.frequency, annotation.references
    if not text:
        return _RowFrequency("assumption", references)
    if count := _COUNT.fullmatch(text):
        affected, examined = int(count[1]), int(count[2])
        if examined == 0:
            raise _impossible(annotation, "a count with nobody examined", "how many were examined after the slash: 0/3")
        if affected > examined:
            swapped = f"{examined}/{affected}, if the two were swapped"
            raise _impossible(annotation, "more patients affected than examined", swapped)
        return _RowFrequency("count", references, affected, examined)
    if percentage := _PERCENTAGE.fullmatch(text):
        share = float(percentage[1]) / 100
        if not 0 <= share <= 1:
            raise _impossible(annotation, "a percentage outside 0 to 100", "a percentage such as 45%")
        return _RowFrequency("percentage", references, share=share)
    if text in RANGES:
        return _RowFrequency("term", references, span=RANGES[text])
    raise _impossible(annotation, "this is no frequency", "a count (7/16), a percentage (45%) or a term (HP:0040281)")


def _impossible(annotation: Annotation, problem: str, fix: str) -> NosographError:
    return fail(problem, node=f"{annotation.disease}, {annotation.phenotype}", value=annotation.frequency, fix=fix)


def _pool_counts(rows: list[_RowFrequency]) -> Frequency:
    kept = [max(group, key=lambda row: (row.examined, row.affected)) for group in _share_references(rows)]
    affected, examined = sum(row.affected for row in kept), sum(row.examined for row in kept)
    notes = []
    if len(kept) < len(rows):
        notes.append(f"{len(rows) - len(kept)} count(s) of patients already counted from the same reference left out")
    if examined <= FEW:
        notes.append(f"{affected} of {examined}: ascertained by the report itself")
    pooled = _beta(JEFFREYS + affected, JEFFREYS + examined - affected, "count", *notes)
    return replace(pooled, affected=affected, examined=examined)


def _pool_percentages(rows: list[_RowFrequency]) -> Frequency:
    shares = [max(row.share for row in group) for group in _share_references(rows)]
    affected = PERCENTAGE_EXAMINED * sum(shares)
    examined = PERCENTAGE_EXAMINED * len(shares)
    note = f"a percentage, taken as of {PERCENTAGE_EXAMINED} examined"
    return _beta(JEFFREYS + affected, JEFFREYS + examined - affected, "percentage", note)


def _pool_terms(rows: list[_RowFrequency]) -> Frequency:
    low, high = min(row.span[0] for row in rows), max(row.span[1] for row in rows)
    notes = ("several frequency terms, taken as their whole span",) if len({row.span for row in rows}) > 1 else ()
    uncertain = f"Uniform({low:g}, {high:g})" if low < high else ""
    return Frequency((low + high) / 2, uncertain, (low, high), "term", None, None, (), notes)


def _beta(a: float, b: float, basis: Basis, *notes: str) -> Frequency:
    """A frequency whose posterior is Beta(a, b)."""
    uncertain = f"Beta({a:.10g}, {b:.10g})"
    return Frequency(a / (a + b), uncertain, (0.0, 1.0), basis, None, None, (), notes, (a, b))


def _share_references(rows: list[_RowFrequency]) -> list[list[_RowFrequency]]:
    """The rows in groups that share references, directly or through others of the group."""
    groups: list[tuple[set[str], list[_RowFrequency]]] = []
    for row in rows:
        references, members = set(row.references), [row]
        apart = []
        for others, group in groups:
            if others & references:
                references |= others
                members = group + members
            else:
                apart.append((others, group))
        groups = [*apart, (references, members)]
    return [members for _, members in groups]


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _is_citation(reference: str) -> bool:
    name, _, local = reference.partition(":")
    prefix = find_prefix(name)
    return prefix is not None and prefix.name in ("PMID", "DOI") and prefix.accepts(local)
