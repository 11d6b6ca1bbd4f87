"""A cohort's table is read as it says, in either form and any unit; what is unclear is refused with its place."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model
from nosograph.errors import NosographError
from nosograph.simulate.data.people import People, read_people

TRIAL = Path(__file__).parents[2] / "models" / "trial.yaml"
WIDE = """patient,age,sex,weight @ 0 [g],drug @ 0,score @ 0,score @ 12 months,fall [months],followed until
A,70,female,81000,1,27.5,,9,
B,55,male,62500,0,25,24.5,,1.25
"""
LONG = """patient,time,variable,value,unit
B,,age,55,
A,,age,840,mo
A,,sex,female,
B,,sex,male,
A,0,weight,81,kg
B,0 months,weight,62500,g
A,0,drug,1,
B,0,drug,0,
A,0,score,27.5,
A,12 months,score,,
B,0,score,25,
B,1,score,24.5,
A,9 months,fall,1,
B,15 months,followed until,,
"""


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(TRIAL)


def list_rows(people: People) -> dict[str, list[list[object]]]:
    """Each table as sorted rows; patients by their age, since forms may number them otherwise."""
    age = dict(zip(*(people.patients.column(name).to_pylist() for name in ("patient", "age")), strict=True))
    found = {}
    for name, table in people.tables.items():
        rows = [
            [age[value] if key == "patient" else round(value, 9) if isinstance(value, float) else value
             for key, value in row.items()]
            for row in table.to_pylist()
        ]  # fmt: skip
        found[name] = sorted(rows, key=str)
    return found


def test_two_forms_and_four_ways_say_the_same(model: Model, tmp_path: Path) -> None:
    """The long and the wide table, with a decimal comma, as Parquet, and as a DataFrame."""
    (tmp_path / "wide.CSV").write_text(WIDE, encoding="utf-8")
    (tmp_path / "long.csv").write_text(LONG, encoding="utf-8")
    comma = WIDE.replace(",", ";").replace(".", ",")
    (tmp_path / "comma.csv").write_bytes(comma.encode("utf-16"))
    frame = pd.read_csv(tmp_path / "wide.CSV")
    frame.to_parquet(tmp_path / "wide.parquet")
    names = ("wide.CSV", "long.csv", "comma.csv", "wide.parquet")
    found = [read_people(tmp_path / name, model) for name in names] + [read_people(frame, model)]
    first = list_rows(found[0])
    assert first["patients"] == [[55.0, "factual", 55.0, "male"], [70.0, "factual", 70.0, "female"]]
    assert [70.0, "factual", 0.0, "weight", 81.0, None] in first["record"]
    assert [row[3] for row in first["record"]].count("score") == 3  # the empty cell is no value
    assert first["events"] == [[70.0, "factual", 0.75, "fall", True]]
    for people in found:
        assert list_rows(people) == first
        until = dict(zip(people.patients.column("age").to_pylist(), people.known_until["fall"], strict=True))
        assert until == {70.0: math.inf, 55.0: 1.25}
        assert people.missing == ()
        assert people.held["score"] == {0, 2}


def test_what_is_not_in_the_table_is_said(model: Model) -> None:
    people = read_people(pd.DataFrame({"patient": [1], "drug @ 0": [True]}), model)
    assert people.missing == ("age", "sex", "weight", "score", "fall")
    assert people.lacking == (
        "latent in the model: will",
        "recorded in the model, but not in the table: age, sex, weight, score, fall",
    )
    assert not people.model.variables["age"].recorded


REFUSED = {
    # what is in the table: what the message says, its place, and the fix
    "patient,age\nA,old": ("not a number", "line 2, age", "a plain number"),
    "patient,age\nA,2_4": ("not a number", "line 2, age", "24"),
    "patient,age\nA,nan": ("not a finite number", "line 2, age", "empty"),
    "patient,sex\nA,Female": ("no such level", "line 2, sex", "female"),
    "patient,agee\nA,1": ("no such variable", "", "age"),
    "patient,will @ 0\nA,1": ("latent", "", "measures will"),
    "patient,age\nA,1\nA,1": ("same patient", "line 3, patient", "one row a patient"),
    "patient,age\n,1": ("who is it", "line 2, patient", "a text"),
    "name,age\nA,1": ("no column patient", "", "a column patient"),
    "patient,score\nA,1": ("when was score so", "", "score @ 0"),
    "patient,age @ 0\nA,1": ("does not change", "", "age"),
    "patient,score @ 6 months\nA,1": ("is measured at 0, 12 months", "line 2, score @ 6 months", "0 months"),
    "patient,score @ 11 months\nA,1": ("off the grid", "line 2, score @ 11 months", "12 months"),
    "patient,drug @ 3 years\nA,1": ("outside the horizon", "line 2, drug @ 3 years", "2 years"),
    "patient,score @ soon\nA,1": ("not a time", "score @ soon", "6 months"),
    "patient,score @ 1,score @ 12 months\nA,1,2": ("again", "line 2, score @ 12 months", "keep one"),
    "patient,weight @ 0 [cm]\nA,1": ("measure different things", "weight @ 0 [cm]", "converts to kg"),
    "patient,weight @ 0 [pound]\nA,1": ("not a UCUM unit", "weight @ 0 [pound]", ""),
    "patient,sex [kg]\nA,male": ("has no unit", "sex [kg]", "leave the unit out"),
    "patient,fall [furlongs]\nA,1": ("not a unit of time", "line 2, fall [furlongs]", "days"),
    "patient,fall\nA,0": ("no event can happen at the start", "line 2, fall", "after 0"),
    "patient,fall @ 12 months\nA,0.5": ("1 or 0", "line 2, fall @ 12 months", "1 where it happened"),
    "patient,fall @ 0.5,fall @ 12 months\nA,1,0": ("it had happened before", "line 2, fall @ 12 months", "keep one"),
    "patient,fall,followed until\nA,,soon": ("not a time", "line 2, followed until", "a number"),
    "patient,score @ 12 months,followed until\nA,3,0.5": ("after the end", "line 2, score @ 12 months", "empty"),
    "patient,time,variable,value,place\nA,0,score,1,x": ("no such column", "", "patient, time"),
    "patient,variable,value\nA,age,1": ("has a column time", "", "time"),
    "patient,time,variable,value\nA,0,scores,1": ("no such variable", "line 2, scores", "score"),
    "patient,time,variable,value\nA,,score,1": ("no time", "line 2, score", "0, or"),
    "patient,time,variable,value\nA,1,fall,": ("an event has a value", "line 2, fall", "1 where"),
    "patient,time,variable,value\nA,1,fall,1\nA,2,fall,1": ("only once", "line 3, fall", "keep one"),
    "patient,time,variable,value\nA,0,score,1\nA,0 months,score,2": ("again", "line 3, score", "keep one"),
    "patient,time,variable,value,unit\nA,0,score,1,kg": ("measure different things", "line 2, unit", "score"),
    "patient,age": ("no rows", "", "a row a patient"),
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_unclear_is_refused_with_its_place(text: str, model: Model, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(text, encoding="utf-8")
    what, place, fix = REFUSED[text]
    with pytest.raises(NosographError) as caught:
        read_people(path, model)
    (problem,) = caught.value.problems
    assert what in problem.problem
    assert problem.node == place
    assert fix in problem.fix
    assert str(path) in (problem.file, problem.value)


def test_several_cells_are_refused_at_once_but_not_all(model: Model) -> None:
    with pytest.raises(NosographError) as caught:
        read_people(pd.DataFrame({"patient": range(50), "age": ["old"] * 50}), model)
    assert [problem.node for problem in caught.value.problems] == [f"row {row}, age" for row in range(1, 11)]


@pytest.mark.parametrize("name", ["people.xlsx", "nowhere.csv", "people.parquet"])
def test_another_file_is_refused(name: str, model: Model, tmp_path: Path) -> None:
    if name == "people.parquet":
        (tmp_path / name).write_bytes(b"PAR1 and then nothing")
    with pytest.raises(NosographError) as caught:
        read_people(tmp_path / name, model)
    assert caught.value.problems[0].fix
