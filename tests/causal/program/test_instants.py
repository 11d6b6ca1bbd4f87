"""Instants within a step: what the end of a journey or record leaves, composites, events that are made to happen."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from nosograph.causal.model.model import Model
from nosograph.causal.model.world import FACTUAL, parse_world
from nosograph.causal.program.journeys import Journeys, count_occurrences, first_dates
from nosograph.causal.program.sampling import sample

MakeModel = Callable[..., Model]
MANY = 100_000
STEPS = 12  # months, the clock's unit being a year
SURE = 5.0  # standard errors: a false alarm in two million


def event(mechanism: str, **keys: object) -> dict[str, object]:
    return {"kind": "event", "mechanism": mechanism, **keys}


def assert_share(found: torch.Tensor, expected: float) -> None:
    count = found.numel()
    error = math.sqrt(expected * (1 - expected) / count)
    assert abs(float(found.double().mean()) - expected) < SURE * error


@pytest.fixture(scope="module")
def heart(make_model: MakeModel) -> Model:
    return make_model(
        {
            "admission": event("Hazard(3)", occurs="repeatedly"),
            "visit": event("Hazard(2)", occurs="repeatedly"),
            "cv_death": event("Hazard(0.8)", ends="journey"),
            "other_death": event("Hazard(0.5)", ends="journey"),
            "stroke": event("Hazard(0.6)"),
            "death": {"kind": "event", "any_of": ["cv_death", "other_death"]},
            "primary": {"kind": "event", "any_of": ["stroke", "cv_death"]},
            "contact": {"kind": "event", "any_of": ["admission", "visit"], "occurs": "repeatedly"},
            "any_contact": {"kind": "event", "any_of": ["contact", "admission", "primary"], "occurs": "repeatedly"},
        }
    )


@pytest.fixture(scope="module")
def hearts(heart: Model) -> Journeys:
    return sample(heart, patients=MANY)


def test_what_fell_before_a_death_in_its_step_stays(hearts: Journeys) -> None:
    """Of those who die in a step, P(admission before), both hazards being constant: from the waits' joint density."""
    dt, rate, mortality = 1 / 12, 3.0, 1.3
    dies = -math.expm1(-mortality * dt)
    both = dies - mortality / (mortality + rate) * -math.expm1(-(mortality + rate) * dt)
    died = hearts.ended[0] <= STEPS
    admitted = hearts.values["admission"][0].gather(0, hearts.ended.clamp(max=STEPS).long())[0]
    assert_share(admitted[died], both / dies)


def test_nothing_happens_after_the_end(hearts: Journeys) -> None:
    for name, found in hearts.occurrences.items():
        assert (found.date <= hearts.ended_at[found.world, found.patient]).all(), name
    assert not (hearts.values["cv_death"].any(1) & hearts.values["other_death"].any(1)).any()
    assert int((hearts.occurrences["cv_death"].date % (1 / 12) > 1e-6).sum()) > 1_000, "deaths have instants"


def test_the_risk_of_a_composite_with_death_competing(hearts: Journeys) -> None:
    """Constant hazards: (a + b) / (a + b + c) (1 - exp(-(a + b + c) t)) by any instant t, on the grid or not."""
    dates = first_dates(hearts, "primary")[0]
    total = 0.6 + 0.8 + 0.5
    for time in (1 / 12, 0.4321, 1.0):
        assert_share(dates <= time, 1.4 / total * -math.expm1(-total * time))
    assert_share(first_dates(hearts, "death")[0] <= 0.7, -math.expm1(-1.3 * 0.7))


def test_a_composite_is_dated_as_its_component(hearts: Journeys) -> None:
    parts = torch.stack([first_dates(hearts, name) for name in ("stroke", "cv_death")]).amin(0)
    assert torch.equal(first_dates(hearts, "primary"), parts)
    assert torch.equal(first_dates(hearts, "death"), hearts.ended_at)


def test_a_repeated_composite_is_the_union_of_its_components(hearts: Journeys) -> None:
    """A component that two nested composites share counts once; two in a step count two."""

    def count(name: str) -> torch.Tensor:
        return count_occurrences(hearts, name, by=1.0)

    assert torch.equal(count("contact"), count("admission") + count("visit"))
    expected = sum(count(name) for name in ("admission", "visit", "stroke", "cv_death"))
    assert torch.equal(count("any_contact"), expected)
    assert torch.equal(hearts.values["contact"].sum(1).double(), count("contact"))
    assert hearts.values["contact"].max() == 2


def test_what_reads_a_composite_reads_what_is_shown(make_model: MakeModel) -> None:
    model = make_model(
        {
            "a": event("Hazard(4)", occurs="repeatedly"),
            "b": event("Hazard(4)", occurs="repeatedly"),
            "both": {"kind": "event", "any_of": ["a", "b"], "occurs": "repeatedly"},
            "first": {"kind": "event", "any_of": ["a", "b"]},
            "number": {"kind": "state", "start": "0", "mechanism": "number[-1] + both"},
            "late": {"kind": "state", "start": "0", "mechanism": "where(ever(first), since(first), -1)"},
        }
    )
    found = sample(model, patients=500)
    assert torch.equal(found.values["number"][0, 1:], found.values["both"][0, 1:].cumsum(0))
    at = found.occurrences["first"]
    later = torch.arange(STEPS + 1)[:, None] > torch.full((1, 500), STEPS).index_put(
        (torch.tensor(0), at.patient), at.step
    )
    assert torch.equal(found.values["late"][0, 1:] >= 0, later[1:])


def test_the_order_at_one_instant(make_model: MakeModel) -> None:
    """Other events, then what ends something, as declared: only the first of those that end the journey happens."""
    model = make_model(
        {
            "first": event("t >= 0.5", ends="journey"),
            "second": event("t >= 0.5", ends="journey"),
            "left": event("t >= 0.5", ends="record"),
            "other": event("t >= 0.5"),
            "x": {"kind": "state", "start": "0", "mechanism": "0"},
            "m": {"kind": "measurement", "of": "x", "mechanism": "x"},
        }
    )
    found = sample(model, patients=3)
    happened = {name: bool(value.any()) for name, value in found.values.items() if name in found.occurrences}
    assert happened == {"first": True, "second": False, "left": False, "other": True}
    assert (found.ended == 6).all()
    assert found.occurrences["first"].on_record.all()


def test_leaving_first_keeps_a_death_off_the_record(make_model: MakeModel) -> None:
    model = make_model(
        {
            "left": event("Hazard(2)", ends="record"),
            "death": event("Hazard(3)", ends="journey"),
            "fall": event("Hazard(6)", occurs="repeatedly"),
        }
    )
    found = sample(model, patients=20_000)
    closed = found.closed_at[0]
    for name in ("death", "fall"):
        occurrences = found.occurrences[name]
        assert torch.equal(occurrences.on_record, occurrences.date < closed[occurrences.patient]), name
    same_step = found.closed[0] == found.ended[0].clamp(max=STEPS)
    assert int(same_step.sum()) > 500, "both orders in one step are met"
    left = found.occurrences["left"]
    assert (left.date <= found.ended_at[0, left.patient]).all()
    assert left.on_record.all()
    assert_share(torch.isfinite(closed), 2 / 5 * -math.expm1(-5.0))


def test_an_event_made_to_happen_keeps_its_natural_instant(make_model: MakeModel) -> None:
    model = make_model({"stroke": event("Hazard(3)", occurs="repeatedly")})
    found = sample(model, patients=2_000, worlds=[FACTUAL, parse_world("w: stroke = 1", model=model)])
    dates = [found.occurrences["stroke"].take(found.occurrences["stroke"].world == world) for world in (0, 1)]
    grid = np.full((2_000, STEPS + 1), -1.0)
    grid[dates[0].patient, dates[0].step] = dates[0].date
    forced = dates[1]
    assert len(forced.date) == 2_000 * STEPS
    natural = torch.from_numpy(grid[forced.patient, forced.step])
    expected = torch.where(natural >= 0, natural, forced.step.double() * model.clock.dt)
    assert torch.equal(forced.date, expected)


def test_a_forced_competitor_excludes_its_rivals_and_a_prevented_one_leaves_the_race(make_model: MakeModel) -> None:
    model = make_model(
        {
            "a": event("Hazard(2)", competes="g"),
            "b": event("Hazard(4)", competes="g"),
        }
    )
    worlds = [
        parse_world(text, model=model) for text in ("forced: a = 1 at 3 months", "free: b = 0", "two: a = 1; b = 1")
    ]
    found = sample(model, patients=20_000, worlds=[FACTUAL, *worlds])
    a, b = found.values["a"], found.values["b"]
    once = a[1, 3]
    assert torch.equal(once, ~a[1, :3].any(0)), "once still counts only the first"
    assert not (once & b[1, 3]).any()
    assert int((b[0, 3] & once).sum()) > 100, "some rivals were excluded"
    assert_share(torch.isfinite(first_dates(found, "a")[2]), -math.expm1(-2.0))
    assert not (a & b).any()
    assert a[3, 1].all()
    assert b[3, 2].all()
