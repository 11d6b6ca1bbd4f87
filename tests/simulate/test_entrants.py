"""Who enters: the first patients, by number, who meet the condition; the rest of their journey is as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from nosograph.causal.language import parse_expression
from nosograph.causal.model.model import Model, Schedule
from nosograph.causal.program.sampling import sample
from nosograph.errors import NosographError
from nosograph.simulate.entrants import count_patients, parse_condition, select_entrants


@pytest.fixture(scope="module")
def model(make_model: Callable[..., Model]) -> Model:
    return make_model(
        {
            "age": {"kind": "static", "mechanism": "Normal(70, 8)"},
            "sex": {"kind": "static", "mechanism": 'Categorical("female": 1, "male": 1)'},
            "x": {"kind": "state", "start": "Normal(0, 1)", "mechanism": "x[-1]"},
            "assay": {"kind": "measurement", "of": "x", "when": Schedule(every=6), "mechanism": "Normal(x, 0.5)",
                      "missing": "Bernoulli(0.2)"},
            "late": {"kind": "measurement", "of": "x", "when": Schedule(at=(3,)), "mechanism": "Normal(x, 0.5)"},
            "d": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "d[-1]"},
            "death": {"kind": "event", "ends": "journey", "mechanism": "Hazard(0.1)"},
        },
        parameters={"g": 1.3},
    )  # fmt: skip


def enter(model: Model, text: str, count: int = 500, **keys: int) -> tuple[list[int], int]:
    found = list(select_entrants(model, count=count, seed=0, where=parse_condition(text, model=model), **keys))
    return torch.cat([part.numbers for part in found]).tolist(), found[-1].drawn


CONDITIONS = {
    "age >= 65": lambda v, r: v["age"] >= 65,
    "65 <= age < 70": lambda v, r: (v["age"] >= 65) & (v["age"] < 70),
    'sex == "male" and x > 0': lambda v, r: (v["sex"] == 1) & (v["x"] > 0),
    "assay > 0": lambda v, r: (v["assay"] > 0) & r["assay"],
    "not recorded(assay)": lambda v, r: ~r["assay"],
    "assay != 0": lambda v, r: r["assay"],
    "assay": lambda v, r: r["assay"],
    "where(recorded(assay), 1, assay)": lambda v, r: r["assay"],
    "late or d": lambda v, r: v["d"],
    "recorded(late) or d": lambda v, r: v["d"],
    "log(x)": lambda v, r: (v["x"] > 0) & (v["x"] != 1),  # where it is NaN, it is not true
    "g > 1 and t == 0": lambda v, r: v["x"] == v["x"],
}  # fmt: skip


@pytest.mark.parametrize("text", CONDITIONS)
def test_the_first_who_meet_the_condition_enter(model: Model, text: str) -> None:
    journeys = sample(model, patients=20_000)
    at_start = {name: value[0, 0] for name, value in journeys.values.items()}
    recorded = {name: value[0, 0] for name, value in journeys.recorded.items()}
    expected = CONDITIONS[text](at_start, recorded).nonzero()[:500, 0].tolist()
    numbers, drawn = enter(model, text)
    assert numbers == expected
    assert drawn == expected[-1] + 1


@pytest.mark.parametrize("batch", [1, 7, 131, 500, 10_000])
def test_batches_change_nobody(model: Model, batch: int) -> None:
    numbers, drawn = enter(model, "age >= 70", count=501, batch=batch)
    assert (numbers, drawn) == enter(model, "age >= 70", count=501)
    parts = list(
        select_entrants(model, count=501, seed=0, where=parse_condition("age >= 70", model=model), batch=batch)
    )
    assert [len(part.numbers) for part in parts] == [batch] * (501 // batch) + [501 % batch] * (501 % batch > 0)
    assert all(part.drawn == int(part.numbers[-1]) + 1 for part in parts)


def test_population_and_where_are_both_met(model: Model) -> None:
    old = replace(model, population=parse_expression("age >= 70"))
    numbers, _ = enter(old, 'sex == "male"', count=300)
    assert numbers == enter(model, 'age >= 70 and sex == "male"', count=300)[0]


def test_without_a_condition_everybody_enters(model: Model) -> None:
    parts = list(select_entrants(model, count=10, seed=0, batch=4))
    assert [part.numbers.tolist() for part in parts] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [part.drawn for part in parts] == [4, 8, 10]


def test_nobody_who_meets_it_is_an_error_that_says_so(model: Model) -> None:
    with pytest.raises(NosographError, match="nobody meets"):
        enter(model, "age > 500", count=3)


@pytest.mark.parametrize(
    "text",
    ["agee > 1", "not ever(death)", "since(death) > 1", "death", "x[-1] > 0", "g[-1] > 1", "recorded(x)", "ever(x)",
     'sex == "femal"', '"male"', 'age == "old"', "sex > 0", "Normal(0, 1) > 0", "", "age >", "x[-99] > 0"],
)  # fmt: skip
def test_conditions_that_cannot_be_are_refused(model: Model, text: str) -> None:
    with pytest.raises(NosographError):
        parse_condition(text, model=model)


@pytest.mark.parametrize("patients", [0, -1])
def test_a_cohort_of_nobody_is_refused(patients: int) -> None:
    with pytest.raises(NosographError, match="number of patients is"):
        count_patients(patients)
