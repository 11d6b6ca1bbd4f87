"""Whatever is asked of a sound model, or said of a patient: something that can be computed, or a message."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nosograph.causal.abduction.record import read_record
from nosograph.causal.model.effects import parse_effect
from nosograph.causal.model.load import load_model, set_parameters
from nosograph.causal.model.model import Model
from nosograph.causal.model.world import parse_world
from nosograph.ontology.document import read_effect
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.ontology.units import conversion_factor, parse_unit
from nosograph.simulate.entrants import parse_condition
from nosograph.simulate.questions.query import is_query, parse_query

from .cases import fuzz, refuse_politely
from .mutate import changed_texts, changed_trees, texts, to_bytes

MODELS = Path(__file__).parents[1] / "models"
WORLDS = [
    "treated = 1",
    "treated: treated = 1 from 6 months to 18 months",
    "severity += 0.5 at 6 months; progression *= 0.7",
    "treated = where(severity_rated[-1] > 24 and not ever(death), 1, 0)",
    "a: age = 60; risk = 1; treated = 0 from 1 year",
]
EFFECTS = [
    "treated -> severity_rated @ 18 months",
    '{effect: "treated -> severity @ 1 year", contrast: [1, 0], death: hypothetical, leaving: treatment policy}',
    '{effect: "age -> severity @ 2 years", contrast: [70, 60], population: "risk == 1", strategy: sustained}',
]
QUERIES = [
    "P(death @ 1 year)",
    "P(severity > 24 @ 18 months, death @ 2 years | risk == 1, treated == 1 @ 6 months)",
    "E[severity_rated @ 12 months | age > 70]",
]
CONDITIONS = ["age >= 65", "risk == 1 and 50 <= age < 90", "not risk"]
UNITS = ["mg/dL", "kg.m-2", "10*3/uL", "[Centiloid]/a", "mm[Hg]", "{score}", "Cel", "/min", "1", "m2.s-2"]
ROWS = [
    "patient,time,variable,concept,value,unit\nA,,age,,71,a\nA,0,severity_rated,,24,\nA,6 months,treated,,1,\n"
    "A,9 months,severity_rated,,,\nA,18 months,death,,0,\n",
    'sep=;\npatient;time;variable;value;unit\n"A;1";0,25;severity_rated;24,5;\n"A;1";18 months;death;no;\n;;;;;\n',
]
RECORDS = [
    {
        "patient": "A",
        "statics": {"age": 71, "risk": 1},
        "record": [{"time": 0, "variable": "severity_rated", "value": 24, "unit": ""}, {"time": "6 months",
                    "variable": "treated", "value": 1}],
        "events": [{"time": "18 months", "event": "death", "happened": False}],
        "alive_at": "2 years",
    },
    {"record": [{"time": 0.25, "concept": "HP:0000726", "value": None}], "death": 2},
]  # fmt: skip


@cache
def read_model() -> Model:
    return load_model(MODELS / "six.yaml", knowledge=KnowledgeGraph())


@fuzz("questions")
@given(
    world=changed_texts(WORLDS), effect=changed_texts(EFFECTS), query=changed_texts(QUERIES),
    condition=changed_texts(CONDITIONS), name=texts, value=st.floats(),
)  # fmt: skip
def test_questions(world: str, effect: str, query: str, condition: str, name: str, value: float) -> None:
    refuse_politely(lambda: parse_world(world, model=read_model()))
    refuse_politely(lambda: parse_effect(read_effect(effect), read_model()))
    if is_query(query):
        refuse_politely(lambda: parse_query(query, model=read_model()))
    refuse_politely(lambda: parse_condition(condition, model=read_model()))
    refuse_politely(lambda: set_parameters(read_model(), {name: value, "benefit": value}))


@fuzz("records", of=4)
@given(text=changed_texts(UNITS), other=st.sampled_from(UNITS))
def test_units(text: str, other: str) -> None:
    refuse_politely(lambda: parse_unit(text))
    refuse_politely(lambda: conversion_factor(text, other))


@fuzz("records", of=4)
@given(tree=changed_trees(RECORDS))
def test_records_in_json(tree: Any, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(tree))
    refuse_politely(lambda: read_record(path, model=read_model()))


@fuzz("records", of=4)
@given(text=changed_texts([json.dumps(record) for record in RECORDS]))
def test_texts_of_records(text: str, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(to_bytes(text))
    refuse_politely(lambda: read_record(path, model=read_model()))


@fuzz("records", of=4)
@given(text=changed_texts(ROWS))
def test_records_in_csv(text: str, tmp_path: Path) -> None:
    path = tmp_path / "record.csv"
    path.write_bytes(to_bytes(text))
    refuse_politely(lambda: read_record(path, model=read_model()))
