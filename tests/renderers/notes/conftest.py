"""A small run with twins, planned and ready to be written, that several modules test on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from nosograph.causal.model.load import load_model
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.journey import Journey, read_journeys
from nosograph.renderers.noise import Noise
from nosograph.renderers.notes.documents import ClinicalPractice, describe_practice
from nosograph.renderers.notes.facts import NotePlan
from nosograph.renderers.notes.lexicon import build_lexicon
from nosograph.renderers.notes.plan import plan_notes
from nosograph.renderers.notes.reading.reader import NoteReader, build_reader
from nosograph.simulate.cohort import open_run, simulate_to


@dataclass(frozen=True)
class Clinic:
    """A cohort's journeys and the plans of their notes."""

    practice: ClinicalPractice
    journeys: tuple[Journey, ...]
    plans: tuple[tuple[NotePlan, ...], ...]  # by journey

    def each(self, world: str = "factual") -> Iterator[tuple[Journey, NotePlan]]:
        for journey, plans in zip(self.journeys, self.plans, strict=True):
            if journey.world == world:
                yield from ((journey, plan) for plan in plans)


@pytest.fixture(scope="session")
def noise_of() -> Callable[[NotePlan], Noise]:
    return lambda plan: Noise(0, "notes", plan.patient, plan.step)


@pytest.fixture(scope="session")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    """Twelve patients of the catalog's Alzheimer's model, as it is and all treated."""
    model, knowledge = load_model("alzheimers"), KnowledgeGraph.open()
    folder = tmp_path_factory.mktemp("clinic") / "run"
    simulate_to(model, folder, patients=12, worlds=["treated: lecanemab = 1"])
    practice = describe_practice(
        model, lexicon=build_lexicon(model, knowledge=knowledge), knowledge=knowledge
    )  # fmt: skip
    journeys = tuple(read_journeys(open_run(folder), range(12), worlds=["factual", "treated"]))
    plans = tuple(tuple(plan_notes(journey, practice=practice, seed=0)) for journey in journeys)
    return Clinic(practice, journeys, plans)


@pytest.fixture(scope="session")
def reader(clinic: Clinic) -> NoteReader:
    return build_reader(clinic.practice.lexicon)
