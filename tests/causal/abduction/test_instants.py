"""Instants as evidence: the factual world reproduces the record, and the posterior is that of rejection sampling."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nosograph.causal.abduction import Posterior, abduct, read_record
from nosograph.causal.model.model import Model
from nosograph.causal.program.journeys import Journeys, count_occurrences, first_dates
from nosograph.causal.program.sampling import sample
from nosograph.errors import NosographError

MONTH = 1 / 12
PRIOR = 400_000


@pytest.fixture(scope="module")
def model(make_model: Callable[..., Model]) -> Model:
    return make_model(
        {
            "frailty": {"kind": "static", "mechanism": "Normal(0, 1)"},
            "admission": {
                "kind": "event",
                "occurs": "repeatedly",
                "mechanism": "Hazard(3 * exp(0.5 * frailty))",
            },
            "fall": {"kind": "event", "occurs": "repeatedly", "mechanism": "Hazard(2 * exp(frailty))"},
            "cv_death": {"kind": "event", "ends": "journey", "competes": "death", "mechanism": "Hazard(exp(frailty))"},
            "other_death": {"kind": "event", "ends": "journey", "competes": "death", "mechanism": "Hazard(0.4)"},
            "death": {"kind": "event", "any_of": ["cv_death", "other_death"]},
            "contact": {"kind": "event", "any_of": ["admission", "fall"], "occurs": "repeatedly"},
        }
    )


@pytest.fixture(scope="module")
def prior(model: Model) -> Journeys:
    return sample(model, patients=PRIOR, seed=5, steps=3)


def read(tmp_path: Path, model: Model, *rows: tuple[str, float, int]) -> Posterior:
    path = tmp_path / "record.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["variable", "time", "value"])
        writer.writerows(rows)
    return abduct(model, read_record(path, model=model), particles=4_000)


def happened(journeys: Journeys, name: str, step: int) -> torch.Tensor:
    return journeys.values[name][0, step].bool()


def compare(posterior: Posterior, prior: Journeys, kept: torch.Tensor) -> Journeys:
    """The posterior mean of frailty is that of those of the prior with the same record, to five standard errors."""
    found = posterior.run()
    theirs = prior.values["frailty"][0, 0][kept].double()
    ours = found.values["frailty"][0, 0].double()
    assert len(theirs) > 1_000
    error = math.hypot(
        float(theirs.std()) / len(theirs) ** 0.5, float(ours.std()) / posterior.effective_sample_size**0.5
    )
    assert posterior.effective_sample_size > 400
    assert abs(float(ours.mean() - theirs.mean())) < 5 * error
    return found


def assert_share(ours: torch.Tensor, theirs: torch.Tensor, size: float) -> None:
    a, b = float(ours.double().mean()), float(theirs.double().mean())
    assert abs(a - b) < 5 * math.sqrt(b * (1 - b) * (1 / size + 1 / len(theirs)))


def test_the_factual_world_reproduces_an_admission_and_a_death_in_the_last_step(tmp_path: Path, model: Model) -> None:
    """Every journey of a cohort whose step of death holds an admission before it, by its own instants."""
    people = sample(model, patients=3_000, seed=2)
    admitted = people.occurrences["admission"]
    last = torch.isfinite(people.ended_at[0])[admitted.patient] & (admitted.step == people.ended[0, admitted.patient])
    chosen = admitted.patient[last][:4]
    assert len(chosen) == 4
    for patient in chosen.tolist():
        rows: list[tuple[str, float, int]] = []
        for name in ("admission", "fall", "cv_death", "other_death"):
            own = people.occurrences[name]
            rows += [(name, round(float(date), 9), 1) for date in own.date[own.patient == patient]]
        found = read(tmp_path, model, *sorted(rows, key=lambda row: row[1])).run()
        for name in ("admission", "cv_death", "other_death"):
            own, again = people.occurrences[name], found.occurrences[name]
            dates = own.date[own.patient == patient].numpy()
            for particle in (0, 1_999, 3_999):
                mine = again.date[again.patient == particle].numpy()
                mine = mine[mine <= float(people.ended_at[0, patient]) + 1e-6]
                np.testing.assert_allclose(mine, dates, atol=1e-6)


def test_an_instant_is_evidence(tmp_path: Path, model: Model, prior: Journeys) -> None:
    """Alive until an early admission, whose instant is known: those of the prior with one within 0.005 years of it."""
    posterior = read(tmp_path, model, ("admission", 0.02, 1))
    first = prior.occurrences["admission"].take(prior.occurrences["admission"].step == 1)
    kept = torch.zeros(PRIOR, dtype=torch.bool)
    kept[first.patient[(first.date - 0.02).abs() < 0.005]] = True
    compare(posterior, prior, kept)


def test_without_a_time_the_order_counts(tmp_path: Path, model: Model, prior: Journeys) -> None:
    """An admission, a fall and then a death from heart disease, all in the first month."""
    rows = [(name, MONTH, 1) for name in ("admission", "fall", "cv_death")]
    posterior = read(tmp_path, model, *rows)
    dates = {name: first_dates(prior, name)[0] for name in ("admission", "fall", "cv_death")}
    kept = (dates["admission"] < dates["fall"]) & (dates["fall"] < dates["cv_death"]) & (dates["cv_death"] <= MONTH)
    found = compare(posterior, prior, kept)
    ours = {name: first_dates(found, name)[0] for name in dates}
    assert (ours["admission"] < ours["fall"]).all()
    assert (ours["fall"] < ours["cv_death"]).all()
    early = ours["admission"] < MONTH / 4
    assert_share(early, dates["admission"][kept] < MONTH / 4, posterior.effective_sample_size)


def test_what_did_not_happen_before_a_death_is_known_only_until_then(
    tmp_path: Path, model: Model, prior: Journeys
) -> None:
    posterior = read(tmp_path, model, ("admission", MONTH, 0), ("cv_death", 2 * MONTH, 1), ("fall", 2 * MONTH, 1))
    kept = ~happened(prior, "admission", 1) & ~happened(prior, "fall", 1)
    kept &= happened(prior, "fall", 2) & happened(prior, "cv_death", 2)
    compare(posterior, prior, kept)


def test_a_composite_alone_says_that_one_of_its_components_happened(
    tmp_path: Path, model: Model, prior: Journeys
) -> None:
    posterior = read(tmp_path, model, ("contact", MONTH, 1), ("death", 2 * MONTH, 1), ("contact", 2 * MONTH, 0))
    contact = happened(prior, "admission", 1) | happened(prior, "fall", 1)
    later = happened(prior, "admission", 2) | happened(prior, "fall", 2)
    kept = contact & ~later & (prior.ended[0] == 2)
    found = compare(posterior, prior, kept)
    size = posterior.effective_sample_size
    assert (found.ended == 2).all()
    for name, step in (("cv_death", 2), ("admission", 1), ("fall", 1)):
        assert_share(happened(found, name, step), happened(prior, name, step)[kept], size)


@pytest.mark.parametrize("competes", ["death", ""])
def test_a_death_without_its_cause_has_its_instant(
    tmp_path: Path, make_model: Callable[..., Model], model: Model, competes: str
) -> None:
    """Dead of either at an early instant: those of the prior who died within 0.005 years of it, by cause."""
    variables = dict(model.variables)
    for name in ("cv_death", "other_death"):
        variables[name] = replace(variables[name], competes=competes)
    other = replace(model, variables=variables)
    people = sample(other, patients=PRIOR, seed=8, steps=1)
    posterior = read(tmp_path, other, ("death", 0.03, 1))
    found = compare(posterior, people, (people.ended_at[0] - 0.03).abs() < 0.005)
    assert torch.allclose(found.ended_at, torch.tensor(0.03).double(), atol=1e-6)
    theirs = happened(people, "cv_death", 1)[(people.ended_at[0] - 0.03).abs() < 0.005]
    assert_share(happened(found, "cv_death", 1), theirs, posterior.effective_sample_size)


def test_a_component_implies_the_composite(tmp_path: Path, model: Model) -> None:
    found = read(tmp_path, model, ("fall", MONTH, 1), ("contact", MONTH, 1), ("contact", 2 * MONTH, 0)).run()
    assert happened(found, "fall", 1).all()
    assert (count_occurrences(found, "contact", by=2 * MONTH)[0] >= 1).all()
    with pytest.raises(NosographError, match="none of its components"):
        read(tmp_path, model, ("contact", MONTH, 1), ("fall", MONTH, 0), ("admission", MONTH, 0))


def test_nothing_is_recorded_after_a_death(tmp_path: Path, model: Model) -> None:
    with pytest.raises(NosographError, match="continues after death"):
        read(tmp_path, model, ("cv_death", 0.05, 1), ("admission", 0.06, 1))
    with pytest.raises(NosographError, match="continues after death"):
        read(tmp_path, model, ("death", MONTH, 1), ("admission", 2 * MONTH, 1))
