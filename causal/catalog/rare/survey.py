"""Converts every disease that HPO annotates, and counts failures by reason and assumptions by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ....errors import NosographError
from ....ontology.annotations import list_diseases
from ....ontology.knowledge import KnowledgeGraph
from .document import convert_disease, release

_CHUNK = 100  # diseases given to a worker at a time
_SHOWN = 20  # diseases listed for each reason in the report


Chunk = Sequence[tuple[str, str]]  # diseases and their names


@dataclass(frozen=True)
class Outcome:
    """The result for one disease. `problem` is empty if it was converted; `kinds` counts its findings."""

    disease: str
    name: str
    problem: str = ""
    variables: int = 0
    claims: int = 0
    kinds: tuple[tuple[str, int], ...] = ()
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Survey:
    """The outcomes of all diseases, always in the same order."""

    outcomes: tuple[Outcome, ...]
    release: str

    @property
    def converted(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if not outcome.problem)

    @property
    def refused(self) -> Counter[str]:
        """How many diseases were not converted, by reason."""
        return Counter(outcome.problem for outcome in self.outcomes if outcome.problem)

    @property
    def findings(self) -> dict[str, tuple[int, int]]:
        """By kind: how many findings, in how many diseases."""
        total: Counter[str] = Counter()
        diseases: Counter[str] = Counter()
        for outcome in self.converted:
            total.update(dict(outcome.kinds))
            diseases.update(kind for kind, _ in outcome.kinds)
        return {kind: (count, diseases[kind]) for kind, count in total.most_common()}

    @property
    def assumptions(self) -> Counter[str]:
        """How many diseases each assumption was made for."""
        return Counter(kind for outcome in self.converted for kind in outcome.assumed)

    def to_json(self) -> dict[str, Any]:
        """The whole survey; `outcomes` lists each disease."""
        return {
            "release": self.release,
            "diseases": len(self.outcomes),
            "converted": len(self.converted),
            "variables": sum(outcome.variables for outcome in self.converted),
            "claims": sum(outcome.claims for outcome in self.converted),
            "refused": dict(self.refused.most_common()),
            "findings": {kind: {"count": n, "diseases": d} for kind, (n, d) in self.findings.items()},
            "assumptions": dict(self.assumptions.most_common()),
            "outcomes": [
                {
                    "disease": outcome.disease,
                    "name": outcome.name,
                    "converted": not outcome.problem,
                    "problem": outcome.problem,
                    "variables": outcome.variables,
                    "claims": outcome.claims,
                    "findings": dict(outcome.kinds),
                    "assumed": list(outcome.assumed),
                }
                for outcome in self.outcomes
            ],
        }

    def to_markdown(self) -> str:
        """The counts as tables, and the first diseases of each reason."""
        done = self.converted
        lines = [
            f"# All diseases of HPO {self.release}, converted",
            "",
            f"{len(done):,} of {len(self.outcomes):,} diseases became a document, with "
            f"{sum(o.variables for o in done):,} variables and {sum(o.claims for o in done):,} causal claims.",
            "",
            "| not converted, because | diseases | the first |",
            "|---|---:|---|",
        ]
        for reason, count in self.refused.most_common():
            first = [outcome.disease for outcome in self.outcomes if outcome.problem == reason][:_SHOWN]
            lines.append(f"| {reason} | {count:,} | {', '.join(first)}{' …' if count > len(first) else ''} |")
        lines += ["", "| assumed | diseases |", "|---|---:|"]
        lines += [f"| {kind} | {count:,} |" for kind, count in self.assumptions.most_common()]
        lines += ["", "| finding | findings | diseases |", "|---|---:|---:|"]
        lines += [f"| {kind} | {count:,} | {diseases:,} |" for kind, (count, diseases) in self.findings.items()]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Converter:
    """Tries to convert diseases, given with their names. Sent to a worker without `knowledge`, which it opens itself:
    that of `KnowledgeGraph.open()`."""

    strength: float
    knowledge: KnowledgeGraph

    def __call__(self, chunk: Chunk) -> list[Outcome]:
        return [try_disease(disease, name, self.knowledge, self.strength) for disease, name in chunk]

    def __reduce__(self) -> tuple[Callable[[float], Converter], tuple[float]]:
        return _prepare_converter, (self.strength,)


def _prepare_converter(strength: float) -> Converter:
    return Converter(strength, KnowledgeGraph.open())


RunChunks = Callable[[Converter, Iterable[Chunk]], Generator[list[Outcome], None, None]]


def run_here(convert: Converter, chunks: Iterable[Chunk]) -> Generator[list[Outcome], None, None]:
    """The outcomes of each chunk, in this process."""
    yield from map(convert, chunks)


def survey(
    *,
    knowledge: KnowledgeGraph,
    strength: float = 0.5,
    diseases: Sequence[str] | None = None,
    run: RunChunks = run_here,
    advance: Callable[[int], None] | None = None,
) -> Survey:
    """Convert every annotated disease (or the given ones). `advance` is called with the number of diseases done.

    A row with an impossible frequency is left out and counted; a problem with one disease does not stop the run. `run`
    may do the work in other processes; then `knowledge` must be that of `KnowledgeGraph.open()`.
    """
    names = list_diseases(knowledge=knowledge)
    chosen = [(disease, names.get(disease, "")) for disease in (names if diseases is None else diseases)]
    outcomes: list[Outcome] = []
    chunks = [chosen[i : i + _CHUNK] for i in range(0, len(chosen), _CHUNK)]
    with closing(run(Converter(strength, knowledge), chunks)) as found:
        for done in found:
            outcomes += done
            if advance:
                advance(len(done))
    return Survey(tuple(outcomes), release())


def try_disease(disease: str, name: str, knowledge: KnowledgeGraph, strength: float) -> Outcome:
    """The outcome of one disease: converted, or the first problem."""
    try:
        conversion = convert_disease(disease, knowledge=knowledge, strength=strength, leave_out_bad=True)
    except NosographError as error:
        return Outcome(disease, name, error.problems[0].problem)
    kinds = Counter(finding.kind for finding in conversion.findings if finding.concept)
    return Outcome(
        disease,
        conversion.name,
        variables=conversion.variables,
        claims=conversion.claims,
        kinds=tuple(sorted(kinds.items())),
        assumed=conversion.assumed,
    )
