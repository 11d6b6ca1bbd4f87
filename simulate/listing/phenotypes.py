"""The phenotypes of a model: states and events that are phenotypic abnormalities in the HPO, present or absent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from ...causal.model.binary import is_binary
from ...causal.model.model import Model, Variable
from ...causal.program.journeys import Journeys, count_occurrences, open_record
from ...ontology.anatomy import ANATOMY

if TYPE_CHECKING:
    from ...ontology.knowledge import KnowledgeGraph

ABNORMALITY = "HP:0000118"  # Phenotypic abnormality
SEXES = ("female", "male")


@dataclass(frozen=True)
class ModelPhenotypes:
    """Variables and their concepts, in the model's order. `below[i, j]`: concept j is more specific than concept i."""

    names: tuple[str, ...]
    concepts: tuple[str, ...]
    below: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.names)

    def most_specific(self, present: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which of the `present` terms (…, terms) have no more specific one beside them, in the same shape."""
        return present & ~_any_of(present, self.below)


def _any_of(held: NDArray[np.bool_], beside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether, of the terms that `beside` names in each term's row, any is held."""
    return np.asarray(held.astype(np.float32) @ beside.T.astype(np.float32) > 0)


def find_phenotypes(model: Model, *, knowledge: KnowledgeGraph) -> ModelPhenotypes:
    """The states and recorded events that are 0 or 1 and whose concept lies below HP:0000118 (it excluded)."""
    found: dict[str, str] = {}
    for variable in model.variables.values():
        if variable.concept and is_present_or_absent(variable, model=model):
            concept = knowledge.curie(variable.concept)
            if ABNORMALITY in knowledge.ancestors(concept):
                found[variable.name] = concept
    concepts = tuple(found.values())
    above = {concept: knowledge.ancestors(concept) for concept in concepts}
    below = np.array([[general in above[special] for special in concepts] for general in concepts], dtype=bool)
    return ModelPhenotypes(tuple(found), concepts, below.reshape(len(concepts), len(concepts)))


def is_present_or_absent(variable: Variable, *, model: Model) -> bool:
    """Whether a variable is a recorded event, or a state without a unit that can only be 0 or 1."""
    if variable.kind == "event":
        return variable.recorded
    return variable.kind == "state" and variable.unit in ("", "1") and is_binary(variable, model)


def limit_sexes(knowledge: KnowledgeGraph) -> dict[str, str]:
    """The terms that only one sex can have, by their anatomy (see `ontology.anatomy`): term -> sex."""
    tops = {"female": ANATOMY["FEMALE"], "male": ANATOMY["MALE"]}
    own = {sex: {term for top in tops[sex] for term in (top, *knowledge.descendants(top))} for sex in SEXES}
    either = own["female"] & own["male"]
    return {term: sex for sex, terms in own.items() for term in terms - either}


def last_encounters(journeys: Journeys) -> NDArray[np.int64]:
    """The last step of each journey in which the record was still kept: (worlds, patients)."""
    after = torch.minimum(journeys.ended, journeys.closed).clamp(max=journeys.last_step + 1)
    return (after - 1).expand(len(journeys.worlds), -1).numpy().astype(np.int64)


def find_present(journeys: Journeys, names: Sequence[str]) -> NDArray[np.bool_]:
    """Whether each phenotype was ever present while the record was kept: (worlds, patients, terms)."""
    present = np.zeros((len(journeys.worlds), len(journeys.patients), len(names)), dtype=bool)
    for index, name in enumerate(names):
        if name in journeys.occurrences:
            seen_events = count_occurrences(journeys, name, by=math.inf, on_record=True)
            present[:, :, index] = (seen_events > 0).numpy()
            continue
        steps = journeys.steps[name]
        seen = (journeys.values[name] > 0) & open_record(journeys, steps)  # comparisons with NaN are false
        present[:, :, index] = seen.any(1).numpy()  # one row serves all worlds where they share it
    return present


def read_sexes(journeys: Journeys, model: Model) -> NDArray[np.str_] | None:
    """Each patient's `sex`, "female" or "male" or another level: (worlds, patients); None where the model has none."""
    variable = model.variables.get("sex")
    if variable is None or not set(SEXES) & set(variable.levels):
        return None
    codes = journeys.values["sex"][:, 0].numpy().astype(np.int64)
    return np.broadcast_to(np.array(variable.levels)[codes], (len(journeys.worlds), codes.shape[1]))
