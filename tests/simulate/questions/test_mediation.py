"""Natural and controlled effects: linear closed forms, and the mediator's course replayed step by step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model
from nosograph.causal.model.world import FACTUAL, World, parse_intervention, parse_world, take_from
from nosograph.causal.program.sampling import sample
from nosograph.errors import NosographError
from nosograph.simulate.questions.ask import ask

MakeModel = Callable[..., Model]
EVERYTHING = Path(__file__).parents[2] / "models" / "core_everything.yaml"


@pytest.fixture(scope="module")
def interacting(make_model: MakeModel) -> Model:
    """M(a) = 1 + 2a + e; Y(a, m) = 3m + 1.5a + 0.5 a m + e."""
    return make_model(
        {
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "m": {"kind": "state", "mechanism": "Normal(1 + 2 * a, 1)"},
            "y": {"kind": "state", "mechanism": "Normal(3 * m + 1.5 * a + 0.5 * a * m, 1)"},
        },
        steps=3,
    )


def test_with_an_interaction_the_parts_differ_by_where_they_are_asked(interacting: Model) -> None:
    effect = "a -> y @ 2 months"
    direct = ask(interacting, effect, measure="nde", mediator="m", patients=20_000)
    indirect = ask(interacting, effect, measure="nie", mediator="m", patients=20_000)
    error = 0.5 / 20_000**0.5
    assert abs(direct.value - 2.0) < 5 * error
    assert direct.details["standard_error"] == pytest.approx(error, rel=0.03)
    assert indirect.value == pytest.approx(6.0, abs=1e-4)
    assert abs(direct.details["total_indirect_effect"] - 7.0) < 5 * error
    assert abs(indirect.details["total_direct_effect"] - 3.0) < 5 * error
    for part, rest in ((direct, "total_indirect_effect"), (indirect, "total_direct_effect")):
        assert part.value + part.details[rest] == pytest.approx(part.details["total_effect"], abs=1e-9)
        assert abs(part.details["total_effect"] - 9.0) < 5 * error
        assert "No data can test" in part.note
    assert ask(interacting, effect, measure="cde", mediator="m = 4", patients=500).value == pytest.approx(3.5, abs=1e-4)


weights = st.floats(-2, 2, allow_nan=False).map(lambda value: round(value, 2))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(on=weights, keep=weights, through=weights, past=weights)
def test_in_a_linear_model_the_natural_effects_sum_and_are_the_sums_of_paths(
    make_model: MakeModel, on: float, keep: float, through: float, past: float
) -> None:
    """m keeps half of itself and gains `on` a; y gathers `through` m and `past` a: both over the whole course."""
    model = make_model(
        {
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "m": {
                "kind": "state",
                "start": "Normal(0, 1)",
                "mechanism": f"Normal({keep / 4} * m[-1] + ({on}) * a[-1], 1)",
            },
            "y": {
                "kind": "state",
                "start": "0",
                "mechanism": f"Normal(y[-1] + ({through}) * m[-1] + ({past}) * a[-1], 1)",
            },
        },
        steps=6,
    )
    moved, gained = 0.0, 0.0
    for _ in range(5):
        gained += through * moved
        moved = keep / 4 * moved + on
    effect = "a -> y @ 5 months"
    total, direct, indirect = (
        ask(model, effect, measure=measure, mediator=mediator, patients=50).value
        for measure, mediator in (("ate", None), ("nde", "m"), ("nie", "m"))
    )
    assert direct == pytest.approx(5 * past, abs=1e-4)
    assert indirect == pytest.approx(gained, abs=1e-4)
    assert total == pytest.approx(direct + indirect, abs=1e-4)


def test_a_course_taken_from_ones_own_world_changes_nothing() -> None:
    model = load_model(EVERYTHING)
    worlds = [FACTUAL, parse_world("dosed: dose = 1 from 2 months", model=model)]
    names = [v.name for v in model.variables.values() if v.kind != "measurement" and not (v.competes or v.any_of)]
    for index, name in enumerate(names):
        for world in list(worlds[:2]):
            taken = take_from(world.name, name, model=model)
            worlds.append(World(f"{world.name} {index}", (*world.interventions, taken)))
    journeys = sample(model, patients=400, worlds=worlds)
    for name, values in journeys.values.items():
        for index in range(2, len(worlds)):
            row = values.expand(len(worlds), -1, -1)
            same = torch.equal(row[index].nan_to_num(-9), row[index % 2].nan_to_num(-9))
            assert same, (name, worlds[index].name)


@pytest.mark.parametrize("patient", [0, 7, 12_345])
def test_a_course_taken_is_that_course_set_step_by_step(patient: int) -> None:
    """The same as setting each step's value by hand, bit for bit."""
    model = load_model("alzheimers")
    treated = World("treated", (parse_intervention("lecanemab = 1", model=model),))
    numbers, steps = torch.tensor([patient]), 18
    course = sample(model, patients=numbers, worlds=[FACTUAL], steps=steps).values["tau"][0, :, 0].tolist()
    by_hand = tuple(parse_intervention(f"tau = {value!r} at {k} months", model=model) for k, value in enumerate(course))
    taken = World("taken", (*treated.interventions, take_from("factual", "tau", model=model)))
    hand = World("hand", (*treated.interventions, *by_hand))
    journeys = sample(model, patients=numbers, worlds=[FACTUAL, treated, taken, hand], steps=steps)
    assert torch.equal(journeys.values["tau"][2], journeys.values["tau"][0])
    assert not torch.equal(journeys.values["tau"][1], journeys.values["tau"][0])
    for name, values in journeys.values.items():
        rows = values.expand(4, -1, -1).nan_to_num(-9)
        assert torch.equal(rows[2], rows[3]), name


def test_where_the_mediator_died_there_the_effect_is_undefined(make_model: MakeModel) -> None:
    """Carriers die in the second month unless treated: their mediator has no course in the world without."""
    model = make_model(
        {
            "carrier": {"kind": "static", "mechanism": "Bernoulli(0.3)"},
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "m": {"kind": "state", "mechanism": "Normal(a, 1)"},
            "death": {"kind": "event", "ends": "journey", "mechanism": "carrier and a[-1] < 1 and t > 1.5 * dt"},
            "y": {"kind": "state", "start": "m", "mechanism": "y[-1] + m + 2 * a"},
            "fall": {"kind": "event", "mechanism": "m[-1] > 1.5"},
        },
        steps=6,
    )
    carriers = sample(model, patients=2_000, keep=["carrier"]).values["carrier"].double().mean()
    late = ask(model, "a -> y @ 4 months", measure="nde", mediator="m", patients=2_000)
    assert late.details["undefined_by_mediator"] == pytest.approx(float(carriers), abs=1e-12)
    assert late.details["undefined"] == pytest.approx(float(carriers), abs=1e-12)
    assert f"{float(carriers):.2%}" in late.note
    assert late.value == pytest.approx(8, abs=1e-4)
    early = ask(model, "a -> y @ 1 month", measure="nde", mediator="m", patients=2_000)
    assert early.details["undefined_by_mediator"] == 0
    # whether she falls is known of the dead as well, but not whether she would have fallen with a course that ended
    falls = ask(model, "a -> fall @ 4 months", measure="nde", mediator="m", patients=2_000)
    assert falls.details["undefined"] == pytest.approx(float(carriers), abs=1e-12)


@pytest.mark.parametrize(
    ("measure", "mediator"),
    [
        ("nde", None),
        ("nde", "m = 1"),
        ("nie", "mm"),
        ("nie", "a"),
        ("nde", "y"),
        ("cde", "m"),
        ("cde", None),
        ("cde", "y = 1"),
        ("ate", "m"),
    ],
)
def test_mediators_that_are_none(interacting: Model, measure: str, mediator: str | None) -> None:
    with pytest.raises(NosographError) as raised:
        ask(interacting, "a -> y @ 2 months", measure=measure, mediator=mediator, patients=50)
    assert raised.value.problems[0].fix
