"""One simulated patient in another world: the same as in a cohort, bit for bit; and questions that are refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nosograph as ng
from nosograph.causal.model.load import load_model
from nosograph.errors import NosographError
from nosograph.simulate.cohort import simulate
from nosograph.simulate.questions.ask import ask

EVERYTHING = load_model(Path(__file__).parents[2] / "models" / "core_everything.yaml")
SIX = Path(__file__).parents[2] / "models" / "six.yaml"


@pytest.mark.parametrize(("name", "do"), [("alzheimers", "lecanemab = 1"), ("everything", "dose = 1 from 3 months")])
def test_a_patient_alone_is_the_patient_of_the_cohort(name: str, do: str) -> None:
    model = EVERYTHING if name == "everything" else load_model(name)
    cohort = simulate(model, patients=777, seed=5, worlds={"asked": do})
    entered = cohort.truth["patient"].to_numpy()
    for patient in entered[[0, 41, 130, 776]]:
        found = ask(model, patient=int(patient), do=do, seed=5)
        assert found.interval is None
        for variable in found.timelines.variables:
            kind = model.variables[variable.name].kind
            if kind == "measurement":
                continue  # the cohort's truth holds what was not recorded, too
            for world in ("factual", "asked"):
                expected = cohort.truth[variable.name].sel(world=world, patient=patient).to_numpy()
                if variable.levels:
                    expected = np.where(expected < 0, math.nan, expected)
                np.testing.assert_array_equal(variable.worlds[world].middle, expected.astype(np.float64))
                assert variable.worlds[world].exact
        events = cohort.events.to_pandas()
        events = events[events["patient"] == patient]
        for event in found.timelines.events:
            dates = events[(events["world"] == event.world) & (events["event"] == event.name)]["time"]
            assert event.time == (None if dates.empty else pytest.approx(dates.iloc[0], abs=1e-6)), event


def test_what_differs_and_nothing_else() -> None:
    model = ng.load("alzheimers")
    found = ask(model, patient=7, do="lecanemab = 1")
    truth = simulate(model, patients=8, worlds={"asked": "lecanemab = 1"}).truth.sel(patient=7)
    for name in ("frailty", "white_matter_hyperintensity", "age"):
        assert name not in found.value
    for name in ("amyloid", "tau", "cdr_sb"):
        course = truth[name].sel(world="asked").to_numpy()
        assert found.value[name]["asked"] == pytest.approx(course[~np.isnan(course)][-1], rel=1e-6)
    nothing = ask(model, patient=7, do="white_matter_hyperintensity += 0")
    assert nothing.value == {}
    assert "Nothing differs" in nothing.note


@pytest.mark.parametrize(
    ("outcome", "fix"),
    [
        ("heart_rate", "heart_rate @ 2 days"),
        ("hart_rate", "heart_rate @ 2 days"),
        ("nothing of the kind", "heart_rate @ 2 days"),
        ("hart_rate @ 1 day", "heart_rate @ 1 day"),
    ],
)
def test_an_outcome_is_suggested_from_the_model_at_hand(outcome: str, fix: str) -> None:
    with pytest.raises(NosographError) as error:
        ask(ng.load("sepsis"), patient=1, do="antibiotics = 1", outcome=outcome)
    assert error.value.problems[0].fix == fix


def test_an_outcome_is_a_difference() -> None:
    model = ng.load("alzheimers")
    found = ask(model, patient=7, do="cognition += 0.5 at 6 months", outcome="cognition @ 6 months")
    assert found.value == pytest.approx(0.5, abs=1e-5)
    assert found.value == found.details["asked"] - found.details["factual"]
    shown = {variable.name for variable in found.timelines.variables}
    assert "cognition" in shown
    assert not {"amyloid", "tau", "frailty"} & shown
    (act,) = found.timelines.interventions
    assert (act.world, act.start, act.stop) == ("asked", 0.5, pytest.approx(7 / 12))
    slower = ask(model, patient=7, do="amyloid_growth *= 0.7", outcome="amyloid @ 2 years")
    assert slower.value < 0


def test_several_interventions_and_a_policy() -> None:
    model = ng.load("alzheimers")
    policy = "lecanemab = where(amyloid[-1] > 24 and not aria_e[-1], 1, 0)"
    found = ask(model, patient=7, do=[policy, "amyloid_growth *= 0.7"])
    joined = ask(model, patient=7, do=f"{policy}; amyloid_growth *= 0.7")
    assert found.value == joined.value
    assert len(found.timelines.interventions) == 2


BAD = {
    "unknown variable": ({"patient": 1, "do": "lecanumab = 1"}, "lecanemab"),
    "unknown parameter": ({"patient": 1, "do": "amyloid_growht *= 0.7"}, "amyloid_growth"),
    "outside the horizon": ({"patient": 1, "do": "lecanemab = 1 from 11 years"}, "10 years"),
    "off the grid": ({"patient": 1, "do": "lecanemab = 1 at 10 days"}, "1 month"),
    "reads the future": ({"patient": 1, "do": "lecanemab = where(amyloid[1] > 24, 1, 0)"}, r"amyloid\[-1\]"),
    "reads what comes later": ({"patient": 1, "do": "cognition = cdr_sb"}, "under cognition = cdr_sb"),
    "nothing is done": ({"patient": 1}, "--do"),
    "nobody": ({"do": "lecanemab = 1"}, "--patient"),
    "two questions": ({"patient": 1, "question": "lecanemab -> cdr_sb @ 1 year", "do": "lecanemab = 1"}, "one of them"),
    "negative patient": ({"patient": -1, "do": "lecanemab = 1"}, "0 or more"),
    "outcome without time": ({"patient": 1, "do": "lecanemab = 1", "outcome": "cdr_sb"}, "cdr_sb @ 10 years"),
    "unknown outcome": ({"patient": 1, "do": "lecanemab = 1", "outcome": "cdrsb @ 1 year"}, "cdr_sb @ 1 year"),
    "late outcome": ({"patient": 1, "do": "lecanemab = 1", "outcome": "cdr_sb @ 11 years"}, "10 years"),
    "given of a patient": ({"patient": 1, "do": "lecanemab = 1", "given": "age > 70"}, "effect"),
    "measure of a patient": ({"patient": 1, "do": "lecanemab = 1", "measure": "risk"}, "effect"),
    "no effect": ({"question": "lecanemab"}, "not an effect"),
    "effect of what is not": ({"question": "lecanumab -> cdr_sb @ 1 year"}, "lecanemab"),
    "no such measure": ({"question": "lecanemab -> cdr_sb @ 1 year", "measure": "nda"}, "nde"),
    "no quantile": ({"question": "lecanemab -> cdr_sb @ 1 year", "measure": "quantile"}, "0.9"),
    "quantile of all": ({"question": "lecanemab -> cdr_sb @ 1 year", "measure": "quantile 1.5"}, "between 0 and 1"),
    "not a number": ({"question": "lecanemab -> cdr_sb @ 1 year", "measure": "quantile many"}, "between 0 and 1"),
    "levels needed": ({"question": "apoe4 -> cdr_sb @ 1 year"}, "contrast"),
    "survival of a state": ({"question": "lecanemab -> cdr_sb @ 1 year", "measure": "survival"}, "no event"),
    "nobody is so": ({"question": "lecanemab -> cdr_sb @ 1 year", "given": "age > 300"}, "wider"),
    "no patients": ({"question": "lecanemab -> cdr_sb @ 1 year", "patients": 0}, "1 or more"),
    "unknown condition": ({"question": "lecanemab -> cdr_sb @ 1 year", "given": "apoe == 2"}, "apoe4 == 2"),
    "condition on the future": ({"question": "lecanemab -> cdr_sb @ 1 year", "given": "ever(aria_e)"}, "at the start"),
    "effect with an outcome": ({"question": "lecanemab -> cdr_sb @ 1 year", "outcome": "tau @ 1 year"}, "already"),
    "an event at the start": ({"question": "aria_e -> cdr_sb @ 1 year"}, "no event can happen at the start"),
}  # fmt: skip


@pytest.mark.parametrize(("question", "said"), BAD.values(), ids=BAD.keys())
def test_bad_questions_are_refused_with_the_fix(question: dict[str, object], said: str) -> None:
    model = ng.load("alzheimers")
    with pytest.raises(NosographError, match=said):
        ask(model, **question)


def test_who_does_not_enter_is_nobodys_patient() -> None:
    model = load_model(SIX)
    entering = set(simulate(model, patients=50).truth["patient"].to_numpy().tolist())
    outside = next(number for number in range(50) if number not in entering)
    with pytest.raises(NosographError, match="does not enter") as raised:
        ask(model, patient=outside, do="treated = 1")
    named = int(raised.value.problems[0].fix.split()[-1])
    assert named == min(number for number in entering if number > outside)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from nosograph.commands import main; main()", "ask", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_command() -> None:
    done = run(str(SIX), "--effect", "treated -> severity @ 18 months", "--given", "risk == 1", "-n", "500", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert {"value", "interval", "method", "variance_gain"} <= document.keys()
    assert document["value"] == ng.ask(
        ng.load(SIX), "treated -> severity @ 18 months", given="risk == 1", patients=500
    ).value  # fmt: skip
    wrong = run(str(SIX), "--patient", "4", "--do", "treeted = 1", "--json")
    assert wrong.returncode == 2
    assert json.loads(wrong.stdout)["errors"][0]["fix"] == "treated = …"
    assert "Traceback" not in wrong.stderr


def test_a_population_has_no_picture() -> None:
    answer = ng.ask(ng.load(SIX), "treated -> severity @ 6 months", patients=50)
    with pytest.raises(NosographError, match="no timelines"):
        answer.plot()


def test_a_patient_has_a_picture(tmp_path: Path) -> None:
    model = ng.load(SIX)
    answer = ng.ask(model, patient=int(simulate(model, patients=1).truth["patient"][0]), do="treated = 1")
    path = answer.plot(tmp_path / "twins.svg")
    text = path.read_text()
    assert "variable-severity" in text
    assert "treated = 1" in text
    assert "<svg" in answer.plot()._repr_svg_()


def test_levels_by_name() -> None:
    model = ng.load("sepsis")
    cohort = simulate(model, patients=20, worlds={"asked": "vasopressors = 1"})
    truth = cohort.truth["systolic_bp"]
    for patient in truth["patient"].to_numpy():
        found = ask(model, patient=int(patient), do="vasopressors = 1", outcome="systolic_bp @ 3 hours")
        for world in ("factual", "asked"):
            codes = truth.sel(world=world, patient=patient).to_numpy()[:4]
            last = codes[codes >= 0][-1]  # while alive
            assert found.value[world] == truth.attrs["levels"][last]
