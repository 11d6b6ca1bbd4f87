"""Levels in documents: tables of cases, levels that are declared, and the order of levels."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from nosograph.causal.explain.explain import explain
from nosograph.causal.language import parse_expression, parse_mechanism
from nosograph.causal.language.syntax import Cases, Draw
from nosograph.causal.model.cases import find_table
from nosograph.causal.model.diff import diff_models
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model
from nosograph.causal.program.sampling import sample
from nosograph.errors import NosographError

FALSE_ALARM = 1e-6
DOCUMENT = """
id: staged
clock: {step: 1 month, horizon: 1 year, unit: year}
variables:
  smoking:
    kind: static
    mechanism: 'Categorical("never": 2, "former": 1, "current": 1)'
  sick:
    kind: static
    mechanism: Bernoulli(0.4)
  stage:
    kind: static
    levels: [mild, moderate, severe]
    ordered: true
    cases:
      of: [smoking, sick]
      table:
        never, 0: [0.7, 0.2, 0.1]
        never, 1: [0.6, 0.2, 0.2]
        former, 0: [0.5, 0.2, 0.3]
        former,1: [0.4, 0.2, 0.4]
        current, 0: [0.3, 0.2, 0.5]
        current, 1: [0, 0.25, 0.75]
    caused_by: {smoking: {source: assumption}, sick: {source: assumption}}
  noted:
    kind: measurement
    of: stage
    when: every 6 months
    levels: [mild, moderate, severe]
    ordered: true
    mechanism: stage
"""


def write(tmp_path: Path, text: str, name: str = "staged.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def problems(tmp_path: Path, old: str, new: str) -> list[tuple[str, str]]:
    """(problem, fix) of the document with one change."""
    assert old in DOCUMENT
    with pytest.raises(NosographError) as caught:
        load_model(write(tmp_path, DOCUMENT.replace(old, new)))
    return [(problem.problem, problem.fix) for problem in caught.value.problems]


def test_each_combination_has_its_own_probabilities(tmp_path: Path) -> None:
    model = load_model(write(tmp_path, DOCUMENT))
    values = {name: value[0, 0].numpy() for name, value in sample(model, patients=30_000, steps=0).values.items()}
    stage = model.variables["stage"].mechanism
    assert stage is not None
    table = find_table(stage)
    assert table is not None
    assert (table.of, table.levels, len(table.rows)) == (("smoking", "sick"), ("mild", "moderate", "severe"), 6)
    for (smoking, sick), probabilities in table.rows:
        there = values["smoking"] == model.variables["smoking"].levels.index(smoking)
        there &= values["sick"] == float(sick)
        expected = np.array(probabilities)
        counts = np.bincount(values["stage"][there], minlength=3)
        assert counts[expected == 0].sum() == 0
        kept = expected > 0
        assert stats.chisquare(counts[kept], expected[kept] * there.sum()).pvalue > FALSE_ALARM
    assert np.array_equal(values["noted"], values["stage"])


def test_a_table_survives_rdf_and_differs_by_row(tmp_path: Path) -> None:
    path = write(tmp_path, DOCUMENT)
    model = load_model(path)
    assert diff_models(model, load_model(write(tmp_path, model.to_turtle(), "staged.ttl"))) == ()
    changed = load_model(write(tmp_path, DOCUMENT.replace("[0.3, 0.2, 0.5]", "[0.3, 0.3, 0.4]"), "other.yaml"))
    (difference,) = diff_models(model, changed)
    assert str(difference) == "stage.mechanism[current, 0]: 0.3, 0.2, 0.5 -> 0.3, 0.3, 0.4"
    said = str(explain(model, "stage"))
    assert "Levels, in order: mild, moderate, severe." in said
    assert "    former, 1: 0.4, 0.2, 0.4" in said


def test_what_is_wrong_with_a_table_is_named(tmp_path: Path) -> None:
    row = "        former, 0: [0.5, 0.2, 0.3]\n"
    assert problems(tmp_path, row, "") == [("no row for former, 0", '"former, 0": [0.5, …]')]
    (found,) = problems(tmp_path, row, row.replace("former", "formerly"))[:1]
    assert found == ("'smoking' has no level \"formerly\"; it has never, former, current", "former")
    assert problems(tmp_path, row, row.replace("0.3]", "0.4]"))[0][0] == "the row 'former, 0' sums to 1.1"
    assert problems(tmp_path, row, row.replace(", 0.3]", "]"))[0][0] == "the row 'former, 0' has 2 probabilities"
    assert problems(tmp_path, row, row.replace("0.5, 0.2", "-0.5, 1.2"))[0][0].endswith("has a negative probability")
    assert "does not name one level of each" in problems(tmp_path, row, row.replace("former, 0", "former"))[0][0]
    assert "occurs twice" in problems(tmp_path, row, 2 * row)[0][0]
    assert "'age' is not declared" in problems(tmp_path, "of: [smoking, sick]", "of: [smoking, age]")[0][0]
    number = problems(tmp_path, "Bernoulli(0.4)", "Normal(0, 1)")
    assert number == [("'sick' has no levels, so it has no cases", "variables with levels, or that are 0 or 1")]
    assert problems(tmp_path, "    cases:", "    mechanism: 1\n    cases:")[0][0] == "it has both a mechanism and cases"
    assert problems(tmp_path, ", sick: {source: assumption}}", "}")[0][0].startswith("stage.mechanism reads 'sick'")


def test_five_parents_with_three_levels_are_no_burden(make_model: Callable[..., Model]) -> None:
    levels, names = ("a", "b", "c"), tuple(f"x{k}" for k in range(5))
    rows = list(itertools.product(levels, repeat=5))
    numbers = {row: (1.0, float(k % 7), float(k % 5)) for k, row in enumerate(rows)}
    of = tuple(parse_expression(name) for name in names)
    weights = tuple(Cases(of, tuple((row, numbers[row][i]) for row in rows)) for i in range(3))  # type: ignore[arg-type]
    parents = {name: {"kind": "static", "mechanism": 'Categorical("a": 1, "b": 1, "c": 1)'} for name in names}
    model = make_model({**parents, "y": {"kind": "static", "mechanism": Draw("Categorical", weights, levels)}})
    started = time.perf_counter()
    found = sample(model, patients=20_000, steps=0).values
    assert time.perf_counter() - started < 20  # it takes a tenth of a second where nothing else runs
    place = torch.zeros(20_000, dtype=torch.int64)
    for name in names:
        place = 3 * place + found[name][0, 0]
    never = torch.tensor([[numbers[row][i] == 0 for i in range(3)] for row in rows])
    assert not never[place, found["y"][0, 0].long()].any()
    # the same draw as with the weights written out for one combination
    row = 17
    there = place == row
    plain = ", ".join(f'"{level}": {weight}' for level, weight in zip(levels, numbers[rows[row]], strict=True))
    simple = make_model({"y": {"kind": "static", "mechanism": f"Categorical({plain})"}})
    assert torch.equal(sample(simple, patients=20_000, steps=0).values["y"][0, 0][there], found["y"][0, 0][there])


def test_cases_are_part_of_the_language(make_model: Callable[..., Model]) -> None:
    text = 'Hazard(cases(sex, ill; "female", "0": 0.1, "female", "1": 4, "male", "0": 0.2, "male", "1": 8))'
    assert str(parse_mechanism(text)) == text
    assert parse_mechanism(str(parse_mechanism(text))) == parse_mechanism(text)
    for wrong in (
        'cases(x; "a": y)',
        "cases(x; 1: 2)",
        'cases(x, y; "a": 1)',
        'cases(x; "a": 1, "a": 2)',
        "cases(2; 3)",
    ):
        with pytest.raises(NosographError):
            parse_expression(wrong)


def test_a_measured_parent_that_is_not_recorded_yet_is_unknown(make_model: Callable[..., Model]) -> None:
    model = make_model(
        {
            "x": {"kind": "measurement", "when": "t > 0.2", "mechanism": 'Categorical("a": 1, "b": 1)'},
            "y": {"kind": "state", "mechanism": 'where(recorded(x), cases(x; "a": 3, "b": 5), 0)'},
        }
    )
    found = sample(model, patients=50).values
    known = found["x"][0, 3] == 0
    assert (found["y"][0, 0] == 0).all()
    assert torch.equal(found["y"][0, 3], torch.where(known, 3.0, 5.0))


def check(tmp_path: Path, variables: str) -> list[str]:
    text = f"id: m\nclock: {{step: 1 month, horizon: 1 year, unit: year}}\nvariables:\n{variables}"
    try:
        load_model(write(tmp_path, text))
    except NosographError as error:
        return [f"{problem.problem} | {problem.fix}" for problem in error.problems]
    return []


def declare(extra: str = "", mechanism: str = "x[-1]", reader: str = '1 * (x >= "II")') -> str:
    levels = 'Categorical("I": 1, "II": 1, "III": 1)'
    return (
        f"  x:\n    kind: state\n    start: '{levels}'\n    mechanism: '{mechanism}'\n"
        f"{extra}  y:\n    kind: state\n    mechanism: '{reader}'\n    caused_by: {{x: {{source: assumption}}}}\n"
    )


def test_only_levels_in_order_can_be_compared(tmp_path: Path) -> None:
    order = "    ordered: true\n"
    assert check(tmp_path, declare(order)) == []
    assert check(tmp_path, declare(order, reader='1 * ("I" < x <= "II")')) == []
    (found,) = check(tmp_path, declare())
    assert found == "the levels of 'x' have no order | ordered: true in x, or x == \"I\""
    (found,) = check(tmp_path, declare(order, reader="1 * (x >= 2)"))
    assert found.startswith("'x' is categorical and cannot be used as a number | x >= \"I\"")


def test_levels_agree_wherever_they_are_given(tmp_path: Path) -> None:
    assert check(tmp_path, declare(reader='1 * (x == "II")')) == []
    for mechanism in ('Categorical("II": 1, "I": 1, "III": 1)', 'Categorical("I": 1, "II": 1)'):
        (found,) = check(tmp_path, declare(mechanism=mechanism, reader='1 * (x == "II")'))
        assert found.startswith("'x' has the levels I, II, III, but this draws")
    (found,) = check(tmp_path, declare(mechanism='where(t > 1, "IV", "II")', reader='1 * (x == "II")'))
    assert found == '\'x\' has no level "IV"; it has I, II, III | "I"'
    (found,) = check(tmp_path, declare(mechanism='where(t > 1, 2, "II")', reader='1 * (x == "II")'))
    assert found.startswith("'x' takes one of I, II, III | ")
    (found,) = check(tmp_path, "  x: {kind: static, ordered: true, mechanism: 'Normal(0, 1)'}\n")
    assert found.startswith("only levels have an order")


def test_an_ordered_family_orders_its_levels_and_moves_with_its_location(make_model: Callable[..., Model]) -> None:
    text = 'OrderedLogistic(2 * x; "I": -1, "II": 0.5, "III": 2, "IV")'
    assert str(parse_mechanism(text)) == text
    for wrong in (
        text.replace('"IV"', '"IV": 3'),
        text.replace(', "IV"', ""),
        text.replace(";", ","),
        'OrderedLogistic(0; "I")',
    ):
        with pytest.raises(NosographError):
            parse_mechanism(wrong)
    model = make_model(
        {
            "x": {"kind": "static", "mechanism": "Normal(0, 1)"},
            "nyha": {"kind": "static", "mechanism": text},
            "bad": {"kind": "static", "mechanism": '1 * (nyha >= "III")'},
        }
    )
    assert model.variables["nyha"].has_order
    found = sample(model, patients=5_000, steps=0).values
    assert torch.equal(found["bad"][0, 0] == 1, found["nyha"][0, 0] >= 2)
    crossed = make_model({"nyha": {"kind": "static", "mechanism": 'OrderedLogistic(0; "I": 2, "II": 1, "III")'}})
    with pytest.raises(NosographError, match="must be in increasing order"):
        sample(crossed, patients=5, steps=0)
