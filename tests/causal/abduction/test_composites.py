"""A composite event alone on the record: which component it was follows from the other rows, or from the rates."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from nosograph.causal.abduction import Posterior, abduct, read_record
from nosograph.causal.abduction.composites import name_components
from nosograph.causal.model.model import Model
from nosograph.causal.program.journeys import first_dates
from nosograph.errors import NosographError

MONTH = 1 / 12
INSTANT = 0.55  # between two steps
PARTICLES = 4_000

Read = Callable[..., Posterior]


@pytest.fixture(scope="module")
def model(make_model: Callable[..., Model]) -> Model:
    """Constant rates, so that the posterior has a closed form: of hazards that may each have been the one at an
    instant, each was with probability rate / sum of the rates."""
    return make_model(
        {
            "level": {"kind": "state", "start": "0", "mechanism": "level[-1]"},
            "seen": {"kind": "measurement", "of": "level", "mechanism": "Normal(level, 1)"},
            "stroke": {"kind": "event", "mechanism": "Hazard(0.2)"},
            "cv_death": {"kind": "event", "ends": "journey", "mechanism": "Hazard(0.1)"},
            "other_death": {"kind": "event", "ends": "journey", "mechanism": "Hazard(0.3)"},
            "gone": {"kind": "event", "ends": "record", "mechanism": "Hazard(0.4)"},
            "primary": {"kind": "event", "any_of": ["stroke", "cv_death"]},
            "death": {"kind": "event", "any_of": ["cv_death", "other_death"]},
            "failure": {"kind": "event", "any_of": ["stroke", "gone"]},
            "any_stroke_or_death": {"kind": "event", "any_of": ["stroke", "cv_death"], "occurs": "repeatedly"},
        }
    )


@pytest.fixture
def read(tmp_path: Path, model: Model) -> Read:
    def read(*rows: tuple[str, float, float]) -> Posterior:
        path = tmp_path / "record.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["variable", "time", "value"])
            writer.writerows(rows)
        return abduct(model, read_record(path, model=model), particles=PARTICLES)

    return read


def share(posterior: Posterior, name: str, *, by: float) -> float:
    return float((first_dates(posterior.run(), name)[0] <= by + 1e-6).double().mean())


@pytest.mark.parametrize("instant", [INSTANT, 0.5])
@pytest.mark.parametrize(
    "later",
    [("death", 1.0, 0), ("seen", 1.0, 1.0), ("other_death", 1.0, 1), ("other_death", 0.97, 0), ("gone", 0.99, 1)],
    ids=str,
)
def test_whoever_lives_later_has_not_died_of_it(read: Read, instant: float, later: tuple[str, float, float]) -> None:
    found = read(("primary", instant, 1), later)
    assert share(found, "stroke", by=instant) == 1
    assert share(found, "cv_death", by=later[1] - 1e-5) == 0


def test_a_measurement_in_the_step_says_so_too(read: Read) -> None:
    assert share(read(("primary", 0.5, 1), ("seen", 0.5, 1.0)), "stroke", by=0.5) == 1


def test_another_composite_that_has_not_happened_excludes_its_components(read: Read) -> None:
    found = read(("primary", INSTANT, 1), ("death", INSTANT, 0))
    assert share(found, "stroke", by=INSTANT) == 1


@pytest.mark.parametrize(("no", "it_was"), [("stroke", "cv_death"), ("cv_death", "stroke")])
def test_what_had_not_happened_by_the_very_instant_was_not_it(read: Read, no: str, it_was: str) -> None:
    found = read(("primary", INSTANT, 1), (no, INSTANT, 0))
    dates = first_dates(found.run(), it_was)[0]
    assert torch.allclose(dates, torch.tensor(INSTANT).double(), atol=1e-6)


def test_a_component_that_is_no_more_possible_contradicts_the_record(read: Read) -> None:
    with pytest.raises(NosographError, match="none of its components can have"):
        read(("primary", 0.5, 1), ("stroke", 1.0, 0))


def test_a_dropout_is_no_component_of_what_happened_before_a_visit(read: Read) -> None:
    assert share(read(("failure", INSTANT, 1), ("seen", 1.0, 0.0)), "stroke", by=INSTANT) == 1


@pytest.mark.parametrize("name", ["primary", "any_stroke_or_death"])
def test_at_an_instant_the_rates_decide(read: Read, name: str) -> None:
    posterior = read((name, INSTANT, 1))
    found = posterior.run()
    size = posterior.effective_sample_size
    assert size > 1_000
    dead, struck = (first_dates(found, event)[0] for event in ("cv_death", "stroke"))
    error = (1 / 3 * 2 / 3 / size) ** 0.5
    assert float(((dead - INSTANT).abs() < 1e-6).double().mean()) == pytest.approx(1 / 3, abs=5 * error)
    assert float(((struck - INSTANT).abs() < 1e-6).double().mean()) == pytest.approx(2 / 3, abs=5 * error)
    if name == "primary":  # the first of them: nothing before
        assert float(torch.minimum(dead, struck).min()) > INSTANT - 1e-6


def test_after_a_stroke_at_an_instant_life_goes_on_at_its_rates(read: Read) -> None:
    """Struck and alive at the instant, the patient dies within the rest of the step at the rates of death."""
    posterior = read(("primary", INSTANT, 1), ("cv_death", INSTANT, 0))
    rest = 7 * MONTH - INSTANT
    expected = 1 - float(torch.exp(torch.tensor(-(0.1 + 0.3) * rest)))
    died = share(posterior, "death", by=7 * MONTH)
    assert died == pytest.approx(expected, abs=5 * (expected / PARTICLES) ** 0.5)


def test_two_composites_that_share_some_components_need_a_name(read: Read) -> None:
    with pytest.raises(NosographError, match="share components"):
        read(("primary", INSTANT, 1), ("death", INSTANT, 1))


def test_a_composite_of_more_components_says_nothing_more(read: Read) -> None:
    """Both have the same components; one of them happened, at one instant."""
    posterior = read(("primary", INSTANT, 1), ("any_stroke_or_death", INSTANT, 1))
    size = posterior.effective_sample_size
    assert share(posterior, "cv_death", by=INSTANT) == pytest.approx(1 / 3, abs=5 * (2 / 9 / size) ** 0.5)


def test_a_component_that_one_composite_names_explains_another(model: Model, read: Read) -> None:
    """Alive later, so that only the stroke can have been either of them: it is evidence once."""
    found = read(("primary", INSTANT, 1), ("any_stroke_or_death", INSTANT, 1), ("seen", 1.0, 1.0))
    assert found.record is not None
    assert [e.event for e in name_components(model, found.record).events].count("stroke") == 1
    dates = first_dates(found.run(), "stroke")[0]
    assert torch.allclose(dates, torch.tensor(INSTANT).double(), atol=1e-6)
