"""A clinic's imperfection: of the terms that hold, few are written down, some imprecisely, and some beside them that
are not of the disease.

Every draw is keyed by patient and term, so that worlds, shards and workers share it. The three rates are the user's;
how much authors and patients differ around them is an assumption of ours and stands here as constants.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...causal.model.model import Model
from ...causal.program.journeys import Journeys, times
from ...causal.program.noise import draw_normal, draw_uniform64
from ...errors import fail, nearest
from ...ontology.hpo import COLUMNS, locate_hpo
from ..arrow import name_codes
from .phenotypes import (
    ABNORMALITY,
    SEXES,
    ModelPhenotypes,
    find_phenotypes,
    find_present,
    last_encounters,
    limit_sexes,
    read_sexes,
)

if TYPE_CHECKING:
    from ...ontology.knowledge import KnowledgeGraph

AUTHOR_SPREAD = 0.35  # of the log number of terms between authors: an assumption
PATIENT_SPREAD = 0.35  # and between one author's patients: an assumption
CASELOAD = 10  # patients, by number, whom one author writes up: an assumption
FARTHER = 0.5  # each step further up, an ancestor is written in a term's place so much more rarely: an assumption
MOST_INCIDENTAL = 50
HOW = ("as is", "omitted", "sibling", "ancestor", "incidental")
AS_IS, OMITTED, SIBLING, ANCESTOR, INCIDENTAL = range(len(HOW))
EXAMPLE = '--clinic "listing=7, imprecise=0.1, incidental=0.5"'


@dataclass(frozen=True)
class Clinic:
    """How a clinic writes. `listing`: the median number of terms that are written down where more hold (None: all);
    `imprecise`: the probability that a written term is replaced by a sibling or an ancestor; `incidental`: the mean
    number of terms that are not of the disease."""

    listing: float | None = None
    imprecise: float = 0.0
    incidental: float = 0.0


@dataclass(frozen=True)
class Slips:
    """What may be written in one term's place: codes of concepts, whether each is a sibling or an ancestor, and the
    cumulative probabilities."""

    codes: NDArray[np.int64]
    how: NDArray[np.int64]
    cumulative: NDArray[np.float64]


@dataclass(frozen=True)
class ClinicPractice:
    """A clinic made ready for a model: all that it may write, by code in `concepts` (the phenotypes' own come first).

    `incidental[sex]`: codes and cumulative probabilities of what a patient of that sex, "" where it is not known, may
    have beside the disease.
    """

    clinic: Clinic
    phenotypes: ModelPhenotypes
    concepts: tuple[str, ...]
    slips: tuple[Slips, ...]
    incidental: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]


def parse_clinic(text: str) -> Clinic:
    """`"listing=7, imprecise=0.1, incidental=0.5"`, or any of these. Raises NosographError."""
    known = [field.name for field in fields(Clinic)]
    held: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in known:
            fix = nearest(name, known)
            raise fail("a clinic's imperfection has another name", value=part.strip(), fix=fix or EXAMPLE)
        if name in held:
            raise fail(f"{name!r} is given twice", value=text, fix=EXAMPLE)
        try:
            held[name] = float(value)
        except ValueError:
            raise fail(f"{name!r} is a number", value=part.strip(), fix=EXAMPLE) from None
    return check_clinic(Clinic(**held))


def check_clinic(clinic: Clinic) -> Clinic:
    """`clinic`, where its rates are such. Raises NosographError elsewhere."""
    if clinic.listing is not None and not 1 <= clinic.listing < math.inf:
        raise fail("at least one term is listed, as a median", value=f"listing={clinic.listing:g}", fix="listing=7")
    if not 0 <= clinic.imprecise <= 1:
        raise fail("imprecise is a probability", value=f"imprecise={clinic.imprecise:g}", fix="imprecise=0.1")
    if not 0 <= clinic.incidental <= MOST_INCIDENTAL:
        problem = f"incidental is a mean number of terms, at most {MOST_INCIDENTAL}"
        raise fail(problem, value=f"incidental={clinic.incidental:g}", fix="incidental=0.5")
    return clinic


def prepare_practice(clinic: Clinic, *, model: Model, knowledge: KnowledgeGraph | None = None) -> ClinicPractice:
    """The practice of `clinic` with the patients of `model`. Raises NosographError where the model has no phenotype."""
    from ...ontology.knowledge import KnowledgeGraph

    known = knowledge if knowledge is not None else KnowledgeGraph.open()
    phenotypes = find_phenotypes(model, knowledge=known)
    if not len(phenotypes):
        raise fail(
            "the model has no phenotypic abnormality that is present or absent, so a clinic has nothing to write",
            value=model.id,
            fix=f"a state that is 0 or 1 with a concept below {ABNORMALITY} (Phenotypic abnormality)",
        )
    codes = {concept: code for code, concept in enumerate(dict.fromkeys(phenotypes.concepts))}

    def encode(concepts: Iterable[str]) -> NDArray[np.int64]:
        return np.array([codes.setdefault(concept, len(codes)) for concept in concepts], dtype=np.int64)

    limits = limit_sexes(known) if clinic.imprecise or clinic.incidental else {}
    slips = []
    for concept in phenotypes.concepts:
        choices = find_slips(concept, knowledge=known, limits=limits) if clinic.imprecise else []
        weights = np.array([weight for _, _, weight in choices])
        how = np.array([how for _, how, _ in choices], dtype=np.int64)
        slips.append(Slips(encode(c for c, _, _ in choices), how, np.cumsum(weights) / max(weights.sum(), 1e-300)))
    incidental = {}
    if clinic.incidental:
        pool = find_incidental(model, phenotypes, knowledge=known)
        for sex in ("", *SEXES):
            fitting = {concept: count for concept, count in pool.items() if limits.get(concept, sex) == sex}
            shares = np.cumsum(np.array(list(fitting.values()), dtype=np.float64))
            incidental[sex] = (encode(fitting), shares / shares[-1])
    return ClinicPractice(clinic, phenotypes, tuple(codes), tuple(slips), incidental)


def find_slips(concept: str, *, knowledge: KnowledgeGraph, limits: dict[str, str]) -> list[tuple[str, int, float]]:
    """What may be written in place of `concept`: (concept, SIBLING or ANCESTOR, probability).

    A sibling (any other child of a parent) or an ancestor below HP:0000118, each kind half of the time where there are
    both; siblings equally, ancestors `FARTHER` as often with each step up. Never an obsolete term, nor one that only
    the other sex can have.
    """
    above = knowledge.ancestors(concept)
    related = above | knowledge.descendants(concept) | {concept}
    siblings = {c for parent in knowledge.parents(concept) for c in knowledge.children(parent)} - related
    fitting = sorted(c for c in siblings if limits.get(c) in (None, limits.get(concept)))
    ancestors: dict[str, float] = {}
    weight, level = 1.0, set(knowledge.parents(concept))
    while level:
        level = {c for c in level if c not in ancestors and c != ABNORMALITY and knowledge.is_a(c, ABNORMALITY)}
        ancestors |= dict.fromkeys(sorted(level), weight)
        weight *= FARTHER
        level = {parent for c in level for parent in knowledge.parents(c)}
    share = 0.5 if fitting and ancestors else 1.0
    total = sum(ancestors.values())
    return [(c, SIBLING, share / len(fitting)) for c in fitting] + [
        (c, ANCESTOR, share * own / total) for c, own in ancestors.items()
    ]


def find_incidental(model: Model, phenotypes: ModelPhenotypes, *, knowledge: KnowledgeGraph) -> dict[str, int]:
    """Terms that are not of the disease, and in how many diseases each is annotated: its weight.

    Left out is whatever is a term of the model or of its diseases' annotations (the excluded ones too), or above or
    below one, so that no incidental term says more, less or the contrary of a true one.
    """
    from ...ontology.annotations import find_annotations

    own = set(phenotypes.concepts)
    sources = [model.disease, *(level for v in model.variables.values() for level in v.levels if ":" in level)]
    own |= {
        a.phenotype for disease in sources if ":" in disease for a in find_annotations(disease, knowledge=knowledge)
    }
    related = set(own)
    for concept in own:
        related |= knowledge.ancestors(concept) | knowledge.descendants(concept)
    eligible = knowledge.descendants(ABNORMALITY) - related
    counted = count_diseases()
    pool = {concept: counted[concept] for concept in sorted(eligible & counted.keys())}
    if not pool:
        raise fail("every annotated term is related to one of the model's", value=model.id, fix="incidental=0")
    return pool


@cache
def count_diseases() -> dict[str, int]:
    """In how many diseases HPO's annotations have each term as a phenotype, by term."""
    diseases: dict[str, set[str]] = {}
    with locate_hpo()[1].open(encoding="utf-8") as lines:
        for line in lines:
            row = dict(zip(COLUMNS, line.rstrip("\r\n").split("\t"), strict=False))
            if row.get("aspect") == "P" and row["qualifier"] != "NOT":
                diseases.setdefault(row["hpo_id"], set()).add(row["database_id"])
    return {term: len(those) for term, those in diseases.items()}


def build_listing(journeys: Journeys, *, model: Model, practice: ClinicPractice, seed: int) -> pa.Table:
    """patient, world, time, concept, variable, term, how: a row for each of the most specific terms that held by the
    last encounter (`variable` and its `term`), with the `concept` that was written, null where it was omitted; then a
    row for each incidental concept, which has no variable."""
    patients = journeys.patients.numpy()
    present = find_present(journeys, practice.phenotypes.names)
    held = practice.phenotypes.most_specific(present)
    how, codes = _write_terms(held, practice=practice, patients=patients, seed=seed)
    world, place, index = np.nonzero(held)
    parts = [np.column_stack([place, world, index, codes[place, index], how[world, place, index]])]
    sexes = read_sexes(journeys, model)
    if practice.clinic.incidental:
        found = _draw_incidental(practice, patients=patients, sexes=sexes, seed=seed, worlds=len(journeys.worlds))
        parts.append(found)
    rows = np.concatenate(parts)
    rows = rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]
    return _tabulate(rows, journeys, model=model, practice=practice)


def _write_terms(
    held: NDArray[np.bool_], *, practice: ClinicPractice, patients: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How each term was written (worlds, patients, terms), and the code of what stands there (patients, terms)."""
    concepts, clinic = practice.phenotypes.concepts, practice.clinic
    own = {concept: code for code, concept in enumerate(practice.concepts)}
    codes = np.tile(np.array([own[concept] for concept in concepts], dtype=np.int64), (len(patients), 1))
    how = np.full(held.shape, AS_IS, dtype=np.int64)
    if clinic.imprecise:
        slipped = _draw_terms(concepts, "imprecise", patients=patients, seed=seed) < clinic.imprecise
        choice = _draw_terms(concepts, "instead", patients=patients, seed=seed)
        for index, slips in enumerate(practice.slips):
            if len(slips.codes):
                chosen = np.minimum(np.searchsorted(slips.cumulative, choice[:, index]), len(slips.codes) - 1)
                codes[:, index] = np.where(slipped[:, index], slips.codes[chosen], codes[:, index])
                how[:, :, index] = np.where(slipped[:, index], slips.how[chosen], AS_IS)
    if clinic.listing is not None:
        order = _draw_terms(concepts, "order", patients=patients, seed=seed)
        rank = np.where(held, order, np.inf).argsort(-1, kind="stable").argsort(-1, kind="stable")
        number = count_listed(clinic.listing, patients=patients, seed=seed)
        how[rank >= number[:, None]] = OMITTED
    return how, codes


def count_listed(median: float, *, patients: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """How many terms are written down of each patient who has as many: median · exp(a + p), rounded, at least 1.

    a ~ Normal(0, AUTHOR_SPREAD) is the author's, who writes up CASELOAD patients; p ~ Normal(0, PATIENT_SPREAD) the
    patient's. A whole `median` is the median exactly, as rounding keeps it.
    """
    author = draw_normal(seed=seed, name="clinic", purpose="author", patients=patients // CASELOAD, steps=1)[0].numpy()
    own = draw_normal(seed=seed, name="clinic", purpose="patient", patients=patients, steps=1)[0].numpy()
    spread = AUTHOR_SPREAD * author.astype(np.float64) + PATIENT_SPREAD * own.astype(np.float64)
    return np.maximum(np.floor(median * np.exp(spread) + 0.5), 1.0)


def _draw_terms(
    concepts: Sequence[str], purpose: str, *, patients: NDArray[np.int64], seed: int
) -> NDArray[np.float64]:
    """A uniform for each patient and term: (patients, terms)."""
    draws = [
        draw_uniform64(seed=seed, name=concept, purpose="clinic", component=purpose, patients=patients, steps=1)[0]
        for concept in concepts
    ]
    return np.stack([draw.numpy() for draw in draws], axis=1)


def _draw_incidental(
    practice: ClinicPractice, *, patients: NDArray[np.int64], sexes: NDArray[np.str_] | None, seed: int, worlds: int
) -> NDArray[np.int64]:
    """Rows (place of the patient, world, place in the list, code, INCIDENTAL); a term drawn twice is written once."""
    uniform = draw_uniform64(seed=seed, name="clinic", purpose="incidental", patients=patients, steps=1)[0].numpy()
    number = np.searchsorted(_accumulate_poisson(practice.clinic.incidental), uniform)
    slots = int(number.max(initial=0))
    purpose, terms = "incidental term", len(practice.phenotypes)
    draws = draw_uniform64(seed=seed, name="clinic", purpose=purpose, patients=patients, steps=max(slots, 1)).numpy()
    rows = []
    for world in range(worlds):
        codes = np.empty((slots, len(patients)), dtype=np.int64)
        for sex, (pool, cumulative) in practice.incidental.items():
            own = np.full(len(patients), sex == "") if sexes is None else _fits(sexes[world], sex)
            codes[:, own] = pool[np.minimum(np.searchsorted(cumulative, draws[:slots, own]), len(pool) - 1)]
        for slot in range(slots):
            new = (number > slot) & ~(codes[:slot] == codes[slot]).any(0)
            place = np.flatnonzero(new)
            filled = [np.full(len(place), value) for value in (world, terms + slot, INCIDENTAL)]
            rows.append(np.column_stack([place, filled[0], filled[1], codes[slot, place], filled[2]]))
    return np.concatenate(rows) if rows else np.empty((0, 5), np.int64)


def _fits(sexes: NDArray[np.str_], sex: str) -> NDArray[np.bool_]:
    return sexes == sex if sex else ~np.isin(sexes, list(SEXES))


def _accumulate_poisson(mean: float) -> NDArray[np.float64]:
    """P(N <= n) for n = 0, 1, … until all that a 32-bit uniform can reach."""
    terms = [math.exp(-mean)]
    while len(terms) < 20 + 4 * mean:
        terms.append(terms[-1] * mean / len(terms))
    return np.cumsum(np.array(terms))


def _tabulate(rows: NDArray[np.int64], journeys: Journeys, *, model: Model, practice: ClinicPractice) -> pa.Table:
    place, world, index, code, how = rows.T
    true = how != INCIDENTAL
    steps = last_encounters(journeys)[world, place]
    clock = times(range(journeys.last_step + 1), model=model)
    columns: dict[str, Any] = {
        "patient": journeys.patients.numpy()[place],
        "world": name_codes(world.astype(np.int32), [w.name for w in journeys.worlds]),
        "time": clock[steps],
        "concept": _nullable(code, how != OMITTED, practice.concepts),
        "variable": _nullable(index, true, practice.phenotypes.names),
        "term": _nullable(index, true, practice.phenotypes.concepts),
        "how": name_codes(how.astype(np.int32), HOW),
    }
    return pa.table(columns)


def _nullable(codes: NDArray[np.int64], valid: NDArray[np.bool_], names: Sequence[str]) -> pa.DictionaryArray:
    """Of `names`, those that occur, in order of their codes; null where not valid."""
    levels = np.unique(codes[valid]) if valid.any() else np.zeros(1, np.int64)
    places = np.searchsorted(levels, np.where(valid, codes, levels[0])).astype(np.int32)
    column = name_codes(places, [names[level] for level in levels])
    return pa.DictionaryArray.from_arrays(pa.array(column.indices.to_numpy(), mask=~valid), column.dictionary)
