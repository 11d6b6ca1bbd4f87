"""Interventions: what is written is what acts, in half-open windows; and everything else is refused in our words."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nosograph.causal.model.model import Model, Schedule
from nosograph.causal.model.world import FACTUAL, World, parse_intervention, parse_world
from nosograph.causal.program.sampling import sample
from nosograph.errors import NosographError

STEPS = 24


@pytest.fixture(scope="module")
def model(make_model: Callable[..., Model]) -> Model:
    return make_model(
        {
            "age": {"kind": "static", "mechanism": "Normal(70, 8)"},
            "sex": {"kind": "static", "mechanism": 'Categorical("female": 1, "male": 1)'},
            "carrier": {"kind": "static", "mechanism": "Bernoulli(0.3)"},
            "x": {"kind": "state", "start": "Normal(0, 1)", "mechanism": "Normal(x[-1] + dt * g * (1 - d[-1]), 0.3)"},
            "assay": {"kind": "measurement", "of": "x", "when": Schedule(every=6), "mechanism": "Normal(x, 0.5)"},
            "d": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "d[-1]"},
            "side": {"kind": "event", "mechanism": "Hazard(0.3 + d[-1])"},
            "fall": {"kind": "event", "occurs": "repeatedly", "mechanism": "Hazard(0.3)"},
            "death": {"kind": "event", "ends": "journey", "mechanism": "Hazard(0.1)"},
        },
        steps=STEPS,
        parameters={"g": 1.3, "h": 2.0},
    )


@pytest.mark.parametrize(
    ("text", "first", "stop"),
    [
        ("d = 1", 0, STEPS + 1),
        ("d = 1 at 6 months", 6, 7),
        ("d = 1 at 0 months", 0, 1),
        ("d = 1 at 2 years", 24, 25),
        ("d = 1 from 6 months", 6, STEPS + 1),
        ("d = 1 from 6 months to 18 months", 6, 18),
        ("d = 1 from 6 to 18 months", 6, 18),
        ("d = 1 from 0.5 years to 18 months", 6, 18),
        ("d=1   from\t6 months  to 1.5 years ", 6, 18),
        ("d = 1 from 6 months to 24 months", 6, 24),
    ],
)
def test_windows(model: Model, text: str, first: int, stop: int) -> None:
    found = parse_intervention(text, model=model)
    assert (found.target, found.operator, found.first, found.stop) == ("d", "=", first, stop)
    assert [found.active(k) for k in range(STEPS + 1)] == [first <= k < stop for k in range(STEPS + 1)]


@given(first=st.integers(0, STEPS), length=st.integers(1, STEPS), operator=st.sampled_from(["=", "+=", "*="]))
def test_any_window_on_the_grid(model: Model, first: int, length: int, operator: str) -> None:
    stop = min(first + length, STEPS)
    if stop > first:
        found = parse_intervention(f"x {operator} 2 * t from {first} months to {stop} months", model=model)
        assert (found.operator, found.first, found.stop) == (operator, first, stop)


BAD = {
    "nothing": "",
    "no value": "d =",
    "no operator": "d 1",
    "comparison": "d == 1",
    "subtraction": "d -= 1",
    "unknown name": "lecanumab = 1",
    "misspelt in a policy": "d = where(assai > 2, 1, 0)",
    "off the grid": "d = 1 at 0.5 months",
    "past the horizon": "d = 1 at 25 months",
    "far past the horizon": "d = 1 at " + "9" * 400 + " months",
    "ends before it begins": "d = 1 from 6 months to 6 months",
    "backwards": "d = 1 from 6 months to 5 months",
    "no unit": "d = 1 at 6",
    "no such unit": "d = 1 at 6 fortnights",
    "static in a window": "age = 70 from 6 months",
    "parameter in a window": "g = 2 at 6 months",
    "parameter reads a variable": "g = age",
    "parameter has no past": "g = h[-1]",
    "time has no past": "d = t[-1]",
    "static reads a state": "age = x",
    "static reads itself": "age = age[-1] + 1",
    "own value": "x = 2 * x",
    "draw": "d = Bernoulli(0.5)",
    "too far back": "d = x[-500]",
    "ever of a state": "d = ever(x)",
    "since of a measurement": "d = since(assay)",
    "recorded of a state": "d = recorded(x)",
    "level that is not": 'd = where(sex == "femal", 1, 0)',
    "level of a number": 'd = where(age == "old", 1, 0)',
    "level alone": 'd = "female"',
    "numbers chosen for a level": "sex = where(age > 70, 1, 0)",
    "level chosen for a number": 'd = where(age > 70, "male", "female")',
    "level that is not chosen": 'sex = where(age > 70, "man", "female")',
    "categorical as a number": "x = sex",
    "code that is not": "sex = 7",
    "half a level": "sex = 0.5",
    "more of a sex": "sex += 1",
    "half a carrier": "carrier = 0.5",
    "half an event": "side = 0.5",
    "event at the start": "side = 1 at 0 months",
    "infinite": "d = 1e999",
    "python": "d = __import__('os')",
    "dunder": "__class__ = 1",
    "two in one": "d = 1; x = 2",
    "spaces": "d = 1" + " " * 50_000 + "!",
    "froms": "d = 1" + " from 1 months" * 5_000 + "!",
    "long": "d = " + "1+" * 50_000 + "1",
}  # fmt: skip


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_bad_interventions_are_refused_quickly(model: Model, text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(NosographError):
        parse_intervention(text, model=model)
    assert time.perf_counter() - start < 1


def test_errors_name_the_nearest(model: Model) -> None:
    with pytest.raises(NosographError, match="assay"):
        parse_intervention("assai = 1", model=model)
    with pytest.raises(NosographError, match=r"where\(assay > 2, 1, 0\)"):
        parse_intervention("d = where(assai > 2, 1, 0)", model=model)


@pytest.mark.parametrize("text", ["d = 1", "factual: d = 1", ": d = 1", "9: d = 1", "a: d == 1", "a: d = 1; ; b"])
def test_bad_worlds(model: Model, text: str) -> None:
    with pytest.raises(NosographError):
        parse_world(text, model=model)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("d = 1", "a world needs a name, a colon, and interventions"),
        (": d = 1", "a world needs a name, a colon, and interventions"),
        ("factual: d = 1", "'factual' is the name of the world without interventions"),
        ("../../x: d = 1", "a world's name begins with a letter"),
        ("9: d = 1", "a world's name begins with a letter"),
    ],
)
def test_a_world_of_a_wrong_name_is_told_why(model: Model, text: str, problem: str) -> None:
    with pytest.raises(NosographError) as caught:
        parse_world(text, model=model)
    (found,) = caught.value.problems
    assert found.problem.startswith(problem)
    if text.startswith(("factual", "..", "9")):
        assert parse_world(found.fix, model=model).interventions[0].text == "d = 1"


def test_a_world_has_a_name_and_interventions(model: Model) -> None:
    world = parse_world("treated early: d = table(age; 50: 0, 80: 1) ; g *= 0.5;", model=model)
    assert world.name == "treated early"
    assert [i.target for i in world.interventions] == ["d", "g"]
    assert str(FACTUAL) == "as the model has it"


def run(model: Model, *texts: str, patients: int = 60) -> dict[str, torch.Tensor]:
    """The values in the world of these interventions, each (steps, patients)."""
    world = World("w", tuple(parse_intervention(text, model=model) for text in texts))
    return {name: value[0] for name, value in sample(model, patients=patients, worlds=[world]).values.items()}


def test_in_its_window_the_value_is_set_and_afterwards_the_mechanism_resumes(model: Model) -> None:
    nature, found = run(model), run(model, "x = 5 from 6 months to 9 months")
    assert torch.equal(found["x"][:6], nature["x"][:6])
    assert (found["x"][6:9] == 5).all()
    # the same increments, from 5 on
    torch.testing.assert_close(found["x"][9:] - 5, nature["x"][9:] - nature["x"][8], atol=1e-5, rtol=0)


def test_a_soft_change_applies_at_each_step_of_its_window(model: Model) -> None:
    nature = run(model)
    moved = run(model, "x += 0.5 from 6 months to 9 months")["x"] - nature["x"]
    expected = torch.tensor([0.0] * 6 + [0.5, 1.0] + [1.5] * 17)[:, None].expand_as(moved)
    torch.testing.assert_close(moved, expected, atol=1e-5, rtol=0)
    once = run(model, "x += 0.5 at 6 months")["x"] - nature["x"]
    torch.testing.assert_close(once, (expected > 0) * 0.5, atol=1e-5, rtol=0)
    doubled = run(model, "x *= 2 at 0 months")["x"] - nature["x"]
    torch.testing.assert_close(doubled, nature["x"][:1].expand_as(doubled), atol=1e-5, rtol=0)


def test_interventions_apply_in_the_order_they_are_written(model: Model) -> None:
    assert (run(model, "x = 3", "x += 1")["x"] == 4).all()
    assert (run(model, "x += 1", "x = 3")["x"] == 3).all()


def test_a_policy_reads_what_is_recorded_and_its_own_past(model: Model) -> None:
    found = run(model, "d = where(assay > 0, 1, d[-1])")
    nature = run(model)
    expected, last = [], nature["d"][0]
    for step in range(STEPS + 1):
        measured = found["assay"][step // 6]
        last = torch.where(measured > 0, 1.0, last.float())
        expected.append(last)
    assert torch.equal(found["d"].float(), torch.stack(expected))


def test_what_is_drawn_as_yes_or_no_is_nothing_else(make_model: Callable[..., Model]) -> None:
    drawn = {"start": "Bernoulli(0.5)", "mechanism": "d[-1]"}
    for text in ("d = 2", "d = 0.5", "d *= 0.5 at 0 months", "d = -1"):
        with pytest.raises(NosographError) as caught:
            parse_intervention(text, model=make_model({"d": {"kind": "treatment", **drawn}}))
        assert caught.value.problems[0].problem == "d takes 0 or 1"


def test_half_a_dose_is_half_a_dose(make_model: Callable[..., Model]) -> None:
    """Of a treatment that is a dose, or that nobody gets unless somebody intervenes."""
    model = make_model(
        {
            "dose": {"kind": "treatment", "start": "10 * u", "mechanism": "dose[-1]"},
            "u": {"kind": "static", "mechanism": "Uniform(0, 1)"},
            "never": {"kind": "treatment", "start": "0", "mechanism": "never[-1]"},
        }
    )
    assert (run(model, "never = 0.5")["never"] == 0.5).all()
    halved, nature = run(model, "dose *= 0.5 at 0 months"), run(model)
    assert torch.equal(halved["dose"], nature["dose"] / 2)


@pytest.mark.parametrize(
    ("policy", "shown"),
    [
        ("where(age > 70, 2, 0)", "2 at t = 0, patient "),
        ("0 * age / (age - age)", "nan at t = 0, patient "),
        ("where(t > 0.2, 1, 0) * 0.5 * g", "0.65 at t = 0.25"),
        ("0 / (t - t)", "nan at t = 0"),
    ],
)
def test_a_policy_that_gives_what_cannot_be_names_time_and_patient(model: Model, policy: str, shown: str) -> None:
    with pytest.raises(NosographError) as caught:
        run(model, f"d = {policy}")
    (problem,) = caught.value.problems
    assert problem.node == "d"
    assert problem.problem == "the intervention must give 0 or 1"
    assert problem.value.startswith(shown)


def test_a_number_that_is_none_is_refused_too(model: Model) -> None:
    with pytest.raises(NosographError, match="must give a finite number"):
        run(model, "x = 1 / (age - age)")


def test_a_parameter_changes_for_all_time(model: Model) -> None:
    moved = run(model, "g += 1")["x"] - run(model)["x"]
    nature = run(model)["d"][0]
    times = torch.arange(STEPS + 1)[:, None] / 12
    torch.testing.assert_close(moved, times * (1 - nature.float()), atol=1e-5, rtol=1e-5)
    assert torch.equal(run(model, "g = 2 * h", "h = 5")["x"], run(model, "g = 4")["x"])


def test_levels_by_name(model: Model) -> None:
    assert (run(model, "sex = male")["sex"] == 1).all()
    assert (run(model, 'sex = "female"')["sex"] == 0).all()
    chosen = run(model, 'sex = where(age > 70, "male", "female")')
    assert torch.equal(chosen["sex"][0] == 1, chosen["age"][0] > 70)
    for text in ("sex = 0", "sex = 1"):
        with pytest.raises(NosographError) as caught:
            parse_intervention(text, model=model)
        assert caught.value.problems[0].fix == 'sex = "female"'


def test_levels_that_look_like_numbers_are_names(make_model: Callable[..., Model]) -> None:
    """Levels "1" to "5": a number is the level of that name where there is one, and never an index."""
    levels = ", ".join(f'"{k}": 1' for k in range(1, 6))
    model = make_model({"stage": {"kind": "static", "mechanism": f"Categorical({levels})"}})
    for text in ('stage = "1"', "stage = 1", " stage=1 "):
        assert (run(model, text)["stage"] == 0).all()
    assert (run(model, "stage = 5")["stage"] == 4).all()
    for text in ("stage = 0", 'stage = "0"', "stage = 1.0", "stage = where(t > 0, 1, 2)"):
        with pytest.raises(NosographError, match="1, 2, 3, 4, 5"):
            parse_intervention(text, model=model)


def test_events_that_are_set(model: Model) -> None:
    assert not run(model, "death = 0")["death"].any()
    forced = run(model, "death = 0", "side = 1 from 6 months")["side"]
    nature = run(model, "death = 0")["side"]
    assert torch.equal(forced[:6], nature[:6])
    assert (forced[6] == ~nature[:6].any(0)).all(), "what happens once happens once, set or not"
    assert not forced[7:].any()
    assert run(model, "death = 0", "fall = 1 from 6 months")["fall"][6:].all()


def test_a_cycle_made_by_policies_is_shown(model: Model) -> None:
    with pytest.raises(NosographError, match=r"x -> assay|assay -> x"):
        run(model, "x = assay")


def test_a_policy_needs_its_causes_though_they_are_not_kept(model: Model) -> None:
    world = parse_world("w: side = age > 70", model=model)
    kept = sample(model, patients=50, worlds=[world], keep=["side"]).values["side"]
    assert torch.equal(kept, sample(model, patients=50, worlds=[world]).values["side"])


def test_a_policy_that_begins_later_makes_no_cycle_at_the_start(make_model: Callable[..., Model]) -> None:
    model = make_model(
        {
            "y": {"kind": "state", "start": "x + 1", "mechanism": "y[-1]"},
            "x": {"kind": "state", "start": "Normal(0, 1)", "mechanism": "x[-1]"},
        }
    )
    found = run(model, "x = y[-1] from 3 months")
    torch.testing.assert_close(found["x"][3:], found["y"][2:-1])
