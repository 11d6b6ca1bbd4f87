"""Levels are names in every file, question and answer: those of this model look like numbers, so that a code would be
taken for another level."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit

import nosograph
from nosograph.causal.abduction import read_record
from nosograph.causal.effects.columns import columns
from nosograph.causal.model.effects import parse_effect
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model
from nosograph.errors import NosographError
from nosograph.simulate.cohort import simulate
from nosograph.simulate.contrast import find_truth
from nosograph.simulate.questions.ask import ask
from nosograph.simulate.questions.picture import figure_twins
from nosograph.simulate.verification.frames import build_frame

DOCUMENT = """
id: classes
clock: {step: 1 month, horizon: 1 year, unit: year}
variables:
  frail: {kind: static, mechanism: Bernoulli(0.4)}
  stage:
    kind: static
    ordered: true
    mechanism: 'Categorical("1": 1, "2": 1, "3": 1, "4": 1, "5": 1)'
  drug:
    kind: treatment
    start: 'Categorical("a": 1, "b": where(frail, 2, 1), "c": 1)'
    mechanism: drug[-1]
    caused_by: {frail: {source: assumption}}
  severity:
    kind: state
    start: >-
      where(stage == "1", 1, 0) + where(stage == "2", 4, 0) + where(stage == "3", 9, 0) + where(stage == "4", 16, 0)
      + where(stage == "5", 25, 0)
    mechanism: severity[-1] - dt * where(drug == "b", 1, where(drug == "c", 2, 0))
    caused_by: {stage: {source: assumption}, drug: {source: assumption}}
  score:
    kind: measurement
    of: severity
    when: every 3 months
    mechanism: Normal(severity, 1)
  nyha:
    kind: measurement
    of: severity
    when: every 3 months
    mechanism: 'OrderedLogistic(severity; "1": 2, "2": 8, "3": 12, "4")'
    missing: Bernoulli(0.2)
  seen:
    kind: measurement
    of: stage
    when: every 6 months
    levels: ["1", "2", "3", "4", "5"]
    ordered: true
    mechanism: stage
  death:
    kind: event
    ends: journey
    mechanism: Hazard(0.05)
effects:
  - {effect: "stage -> score @ 3 months", contrast: ["5", "4"]}
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    path = tmp_path_factory.mktemp("levels") / "classes.yaml"
    path.write_text(DOCUMENT)
    return load_model(path)


@pytest.mark.parametrize(
    ("contrast", "truth"), [('["5", "4"]', 9), ('["2", "1"]', 3), ("[2, 1]", 3), ("[5, 1]", 24), ('["1", "3"]', -8)]
)
def test_a_contrast_is_one_of_the_levels_that_were_named(model: Model, contrast: str, truth: float) -> None:
    effect = parse_effect(f'{{effect: "stage -> severity @ 3 months", contrast: {contrast}}}', model)
    assert find_truth(model, effect, patients=50).value == pytest.approx(truth, abs=1e-5)
    answer = ask(model, effect, patients=50)
    assert answer.value == pytest.approx(truth, abs=1e-5)
    with pytest.raises(NosographError, match="two of: 1, 2, 3, 4, 5"):
        parse_effect('{effect: "stage -> severity @ 3 months", contrast: [0, 1]}', model)


def test_a_condition_is_on_the_level_that_was_named(model: Model) -> None:
    found = ask(model, '{effect: "drug -> severity @ 6 months", contrast: [c, a]}', given='stage == "2"', patients=40)
    assert found.details["means"]["drug = a"] == pytest.approx(4, abs=1e-5)
    above = ask(model, '{effect: "drug -> severity @ 6 months", contrast: [c, a]}', given='stage >= "5"', patients=40)
    assert above.details["means"]["drug = a"] == pytest.approx(25, abs=1e-5)
    with pytest.raises(NosographError) as caught:
        ask(model, '{effect: "drug -> severity @ 6 months", contrast: [c, a]}', given="stage == 2", patients=40)
    assert caught.value.problems[0].fix == 'stage == "2"'


def test_a_policy_chooses_among_levels(model: Model) -> None:
    worlds = {"chosen": 'drug = where(frail, "b", "c")', "asked": 'stage = 1; drug = "a"'}
    truth = simulate(model, patients=60, worlds=worlds).table("truth").to_pandas()
    chosen = truth[(truth.world == "chosen") & truth.drug.notna()]
    assert (chosen.drug.astype(str) == np.where(chosen.frail == 1, "b", "c")).all()
    assert set(truth[truth.world == "asked"].stage.dropna().astype(str)) == {"1"}
    for wrong in ('where(frail, "b", "d")', "where(frail, 1, 2)", "0 / 0", "0", '"d"'):
        with pytest.raises(NosographError, match="a, b, c"):
            simulate(model, patients=5, worlds={"wrong": f"drug = {wrong}"})


def test_a_policy_that_reads_a_level_not_recorded_yet_names_time_and_patient(tmp_path: Path) -> None:
    path = tmp_path / "late.yaml"
    noted = "  noted: {kind: measurement, of: drug, when: at 6 months, levels: [a, b, c], mechanism: drug}\n"
    path.write_text(DOCUMENT.replace("  death:\n", noted + "  death:\n"))
    with pytest.raises(NosographError) as caught:
        simulate(load_model(path), patients=5, worlds={"wrong": "drug = noted[-1] from 1 month"})
    (problem,) = caught.value.problems
    assert problem.node == "drug"
    assert problem.problem == "the intervention must give one of a, b, c"
    assert problem.value.startswith("nan at t = 0.0833333, patient ")


def test_the_record_tells_levels_and_the_tool_reads_it_back(model: Model, tmp_path: Path) -> None:
    cohort = simulate(model, patients=30, seed=4)
    table = cohort.record
    assert pa.types.is_dictionary(table.schema.field("level").type)
    record = cohort.table("record").to_pandas()
    named = record.variable.isin(["nyha", "seen", "drug"])
    assert record.level.notna().equals(named)
    assert record.value.isna().equals(named)
    truth = cohort.table("truth").to_pandas()
    merged = record[record.variable == "seen"].merge(truth, on=["patient", "time"])
    assert (merged.level.astype(str) == merged.stage.astype(str)).all()

    hers = record[record.patient == 7]
    path = tmp_path / "hers.csv"
    hers.to_csv(path, index=False)
    read = read_record(path, model=model)
    told = {
        (o.variable, o.step): model.variables[o.variable].levels[int(o.value)] if o.variable != "score" else o.value
        for o in read.observations
        if o.value is not None
    }
    expected = {
        (row.variable, round(row.time * 12)): row.level if row.variable != "score" else pytest.approx(row.value)
        for row in hers.itertuples()
    }
    assert told == expected
    answer = ask(model, record=path, do='drug = "c"', outcome="nyha @ 12 months")
    assert isinstance(answer.value, dict)
    assert list(answer.value) == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("0,nyha,0,", "unknown level of nyha"),
        ("0,nyha,,5", "unknown level of nyha"),
        ("0,nyha,1.0,", "unknown level of nyha"),
        ("0,nyha,1,2", "value and level differ"),
        ("0,score,3,1", "score has no levels"),
    ],
)
def test_a_code_in_a_record_is_no_level(model: Model, tmp_path: Path, row: str, problem: str) -> None:
    path = tmp_path / "record.csv"
    path.write_text(f"time,variable,value,level\n{row}\n")
    with pytest.raises(NosographError) as caught:
        read_record(path, model=model)
    assert caught.value.problems[0].problem == problem


def test_a_record_in_json_says_the_same(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    rows = [{"time": 0, "variable": "nyha", "value": 1}, {"time": 0.25, "variable": "nyha", "level": "4"}]
    path.write_text(json.dumps({"record": rows, "statics": {"stage": "5"}}))
    found = read_record(path, model=model).observations
    assert {(o.variable, o.step, o.value) for o in found} == {("nyha", 0, 0), ("stage", 0, 4), ("nyha", 3, 3)}


def test_the_examiners_frame_has_the_levels_in_their_places(model: Model) -> None:
    cohort = simulate(model, patients=40)
    effect = model.effects[0]
    offered = columns(model, effect)
    frame = build_frame(cohort, offered, world="factual")
    truth = cohort.table("truth").to_pandas()
    stage = truth[truth.time == 0].set_index("patient").stage.astype(str).astype(float)
    (cause,) = [column.name for column in offered if column.role == "treatment"]
    assert (frame[cause] == stage - 1).all()


def test_a_population_has_shares_and_ordered_medians(model: Model) -> None:
    """Against the closed form: at the start the location is the severity of the stage, 4 or 1; within five errors."""
    people = 4_000
    effect = '{effect: "stage -> nyha @ 3 months", contrast: ["2", "1"]}'
    answer = ask(model, effect, patients=people, do='drug = "a"')
    assert isinstance(answer.value, dict)
    cuts = np.array([-np.inf, 2, 8, 12, np.inf])
    shares = {location: np.diff(expit(cuts - location)) for location in (4, 1)}
    for label, location in (("stage = 2", 4), ("stage = 1", 1)):
        found = list(answer.details[f"shares, {label}"].values())
        np.testing.assert_allclose(found, shares[location], atol=5 * np.sqrt(0.25 / people))
    for place, (level, difference) in enumerate(answer.value.items()):
        low, high = answer.interval[level]  # type: ignore[index, call-overload]
        error = (high - low) / 2 / 1.96
        assert low <= difference <= high
        assert abs(difference - (shares[4] - shares[1])[place]) <= 5 * error + 1e-9
    assert answer.details["medians"] == {"stage = 2": "2", "stage = 1": "1"}
    assert "1: " in str(answer)
    with pytest.raises(NosographError, match="takes numbers or events"):
        ask(model, effect, measure="quantile 0.5", patients=50)


def test_an_effect_on_levels_has_no_average_to_examine(model: Model) -> None:
    with pytest.raises(NosographError, match="has 4 levels, and no average to examine"):
        nosograph.verify(model, effects='{effect: "stage -> nyha @ 3 months", contrast: ["2", "1"]}', patients=100)


def test_pictures_have_the_names_on_their_axis(model: Model) -> None:
    answer = ask(model, patient=11, do=['drug = "c"', 'stage = "5"'], outcome="nyha @ 12 months")
    assert answer.value["asked"] in ("1", "2", "3", "4", None)  # type: ignore[index, call-overload]
    assert answer.timelines is not None
    shown = {variable.name: variable for variable in answer.timelines.variables}
    assert "nyha" in shown
    assert shown["nyha"].levels == ("1", "2", "3", "4")
    record = simulate(model, patients=12).table("record").to_pandas()
    scores = record[(record.patient == 11) & (record.variable == "score")]  # and none of the levels of nyha
    np.testing.assert_allclose(shown["severity"].evidence, scores[["time", "value"]], rtol=1e-6)
    (axes,) = [axes for axes in figure_twins(answer.timelines).axes if axes.get_gid() == "variable-nyha"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1", "2", "3", "4"]


def test_a_record_in_another_world_tells_the_shares_of_levels(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "record.csv"
    path.write_text("time,variable,value\n0,score,4.1\n0,drug,a\n0.25,score,4.2\n")
    answer = ask(model, record=path, do='drug = "c" from 6 months')
    assert isinstance(answer.value, dict)
    assert answer.value["drug = c"] == {"factual": 0, "asked": 1}
    assert answer.value["drug = a"] == {"factual": 1, "asked": 0}
    assert not [name for name in answer.value if name.startswith("stage")], "what does not differ is not listed"
    assert answer.timelines is not None
    (drug,) = [variable for variable in answer.timelines.variables if variable.name == "drug"]
    assert drug.worlds["asked"].middle[0] == 0
    assert drug.worlds["asked"].middle[6] == 2
