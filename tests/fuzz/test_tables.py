"""Tables of cohorts, changed: people, or a message."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd
from hypothesis import given

from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model
from nosograph.simulate.data.people import read_people

from .cases import fuzz, refuse_politely
from .mutate import changed_texts, changed_trees, to_bytes

TABLES = [
    "patient,age,sex,weight @ 0 [g],drug @ 0,score @ 0,score @ 12 months,fall [months],followed until\n"
    "A,70,female,81000,1,27.5,,9,\nB,55,male,62500,0,25,24.5,,1.25\n",
    "patient;age;fall @ 12 months\nA;70,5;1\nB;;0\n",
    "patient,time,variable,value,unit\nB,,age,55,\nA,0,weight,81,kg\nA,9 months,fall,1,\nB,1,followed until,,\n",
]
FRAMES = [
    {"patient": [1, 2], "age": [50, None], "drug @ 0": [True, False], "fall [days]": [None, 20.5]},
    {"patient": ["A", "A"], "time [months]": [12, 0], "variable": ["score", "drug"], "value": [20, 1]},
]


@cache
def read_model() -> Model:
    return load_model(Path(__file__).parents[1] / "models" / "trial.yaml")


@fuzz("tables", of=2)
@given(text=changed_texts(TABLES))
def test_tables_in_csv(text: str, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(to_bytes(text))
    refuse_politely(lambda: read_people(path, read_model()))


@fuzz("tables", of=2)
@given(tree=changed_trees(FRAMES))
def test_frames(tree: object) -> None:
    """Whatever pandas makes a DataFrame of."""
    try:
        frame = pd.DataFrame(tree)
    except (ValueError, TypeError, AttributeError, OverflowError):
        return
    refuse_politely(lambda: read_people(frame, read_model()))
